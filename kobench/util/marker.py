"""The part of pluggy that a plugin's own module uses, for interpreters without pluggy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class HookimplMarker:
    """Stands in for `pluggy.HookimplMarker`: takes the same options and leaves the same mark.

    Parameters
    ----------
    project_name : str
        Marked functions get an attribute ``{project_name}_impl``, a dict of the options.

    Examples
    --------
    >>> hookimpl = HookimplMarker("garden")
    >>> @hookimpl(tryfirst=True)
    ... def plant(): ...
    >>> plant.garden_impl["tryfirst"]
    True
    """

    def __init__(self, project_name: str) -> None:
        self.project_name = project_name

    def __call__(
        self,
        function: F | None = None,
        hookwrapper: bool = False,
        optionalhook: bool = False,
        tryfirst: bool = False,
        trylast: bool = False,
        specname: str | None = None,
        wrapper: bool = False,
    ) -> Any:
        """Mark a function, or return what marks one with these options."""
        options = {
            "hookwrapper": hookwrapper,
            "optionalhook": optionalhook,
            "tryfirst": tryfirst,
            "trylast": trylast,
            "specname": specname,
            "wrapper": wrapper,
        }

        def mark(marked: F) -> F:
            setattr(marked, f"{self.project_name}_impl", options)
            return marked

        return mark if function is None else mark(function)
