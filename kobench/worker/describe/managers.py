"""Two managers of a plugin's hooks: pluggy's, and one for interpreters without pluggy.

Both know the hooks of one plugin, say which of them kobench does not have, and call the others. A
test holds them to the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, Protocol

from kobench.specs import KINDS
from kobench.worker.describe.marks import Implementation

#: Every hook, by the kind of spec it yields.
HOOKS = {f"kobench_{kind}": kind for kind in KINDS}


class Manager(Protocol):
    """What is asked of either manager."""

    def unknown(self) -> list[str]:
        """Names under which the plugin implements a hook that kobench does not have."""

    def call(self, hook: str) -> Any:
        """What the implementation of a hook returns."""


def manager_for(name: str, implementations: Sequence[Implementation]) -> Manager:
    """Register the hooks of one plugin, with pluggy where that is installed.

    Parameters
    ----------
    name : str
        The plugin's name, for pluggy's messages.
    implementations : sequence of Implementation
        At most one for each hook of kobench.

    Returns
    -------
    Manager
        pluggy's in kobench's own interpreter. A predictor's environment has no
        `kobench.hookspecs`, and perhaps a pluggy of any age for other purposes: the plain one.

    Raises
    ------
    pluggy.PluginValidationError
        Where pluggy refuses one of them.
    """
    if find_spec("pluggy") is None or find_spec("kobench.hookspecs") is None:
        return PlainManager(implementations)
    return PluggyManager(name, implementations)


class PluggyManager:
    """A `pluggy.PluginManager` that knows kobench's hooks and one plugin."""

    def __init__(self, name: str, implementations: Sequence[Implementation]) -> None:
        import pluggy

        from kobench import hookspecs

        self._refusal = pluggy.PluginValidationError
        self._manager = pluggy.PluginManager("kobench")
        self._manager.add_hookspecs(hookspecs)
        # not the plugin itself: pluggy would go through dir() of it, and a module that imports its
        # parts on demand may leave its hooks out there
        self._plugin = SimpleNamespace(**{one.attribute: one.function for one in implementations})
        self._manager.register(self._plugin, name)

    def unknown(self) -> list[str]:
        """Names under which the plugin implements a hook that kobench does not have."""
        try:
            self._manager.check_pending()
        except self._refusal:  # it names the first one only
            callers = self._manager.get_hookcallers(self._plugin) or []
            return [caller.name for caller in callers if not caller.has_spec()]
        return []

    def call(self, hook: str) -> Any:
        """What the implementation of a hook returns."""
        results = getattr(self._manager.hook, hook)()
        return results[0] if results else None  # pluggy leaves None out


class PlainManager:
    """Does the same for one plugin without pluggy."""

    def __init__(self, implementations: Sequence[Implementation]) -> None:
        self._functions = {one.hook: one.function for one in implementations}

    def unknown(self) -> list[str]:
        """Names under which the plugin implements a hook that kobench does not have."""
        return [hook for hook in self._functions if hook not in HOOKS]

    def call(self, hook: str) -> Any:
        """What the implementation of a hook returns."""
        return self._functions[hook]()
