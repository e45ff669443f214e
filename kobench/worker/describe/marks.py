"""Finds the functions of a plugin that `kobench.api.hookimpl` marked.

The marks are those of pluggy's marker, read as pluggy reads them, but without pluggy: a predictor's
own environment needs none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

#: The attribute of a marked function: the options with which it was marked.
MARK = "kobench_impl"


@dataclass(frozen=True)
class Implementation:
    """A function that a plugin marked as one of its hooks.

    Attributes
    ----------
    attribute : str
        The function's name in the plugin.
    function : callable
        The function itself, bound where the plugin is an object.
    options : mapping
        What it was marked with: `specname`, `tryfirst`, `wrapper`, ...
    """

    attribute: str
    function: Callable[..., Any]
    options: Mapping[str, Any]

    @property
    def hook(self) -> str:
        """The hook that it implements."""
        hook: str = self.options.get("specname") or self.attribute
        return hook

    @property
    def is_wrapper(self) -> bool:
        """Whether it is marked as a wrapper around other implementations, of either style."""
        return bool(self.options.get("wrapper") or self.options.get("hookwrapper"))


def callables_of(plugin: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every callable attribute of a plugin, by name, in the order of the names."""
    # not dir() of a module: one that imports its parts on demand would import all of them
    for name in sorted(vars(plugin) if isinstance(plugin, ModuleType) else dir(plugin)):
        function = getattr(plugin, name, None)
        if callable(function):
            yield name, function


def marks_of(function: Any) -> dict[str, Any] | None:
    """The options with which a function was marked, None for one that was not."""
    if not inspect.isroutine(function):
        return None
    try:
        options = getattr(function, MARK, None)
    except Exception:
        return None
    return options if isinstance(options, dict) else None


def required_arguments(function: Callable[..., Any]) -> list[str]:
    """Names of the positional arguments without which a function can't be called."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # compiled: it shows when it is called
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        entry.name
        for entry in parameters
        if entry.kind in positional and entry.default is inspect.Parameter.empty
    ]
