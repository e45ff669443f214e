"""Finds the hooks of a plugin that can be called, and says what is wrong with the others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container
from functools import partial
from typing import Any

from kobench.util.text import suggestion
from kobench.worker.describe.managers import HOOKS, manager_for
from kobench.worker.describe.marks import (
    Implementation,
    callables_of,
    marks_of,
    required_arguments,
)


def usable_hooks(plugin: Any, value: str) -> tuple[dict[str, Callable[[], Any]], list[str]]:
    """Register a plugin's hooks, each of them judged by itself.

    Parameters
    ----------
    plugin : module or object
        What an entry point names.
    value : str
        The entry point's text, for the sentences.

    Returns
    -------
    hooks : dict
        Hook -> a function without arguments that calls it, for the hooks that can be called.
    faults : list of str
        A sentence about each of the others, and about functions that look like hooks.

    Raises
    ------
    Exception
        What the plugin raises when its attributes are read, or pluggy when it refuses a hook that
        is not refused here.
    """
    faults: dict[str, str] = {}  # by the attribute that is at fault
    accepted: dict[str, Implementation] = {}  # by attribute, too
    for name, function in callables_of(plugin):
        options = marks_of(function)
        if options is None:
            fault = _fault_of_unmarked(name)
        else:
            implementation = Implementation(name, function, options)
            fault = _fault_of(implementation, {other.hook for other in accepted.values()})
        if fault:
            faults[name] = fault
        elif options is not None:
            accepted[name] = implementation
    manager = manager_for(value, list(accepted.values()))
    for hook in manager.unknown():
        for name in [name for name, other in accepted.items() if other.hook == hook]:
            faults[name] = _no_hook(accepted.pop(name).hook)
    hooks: dict[str, Callable[[], Any]] = {
        one.hook: partial(manager.call, one.hook) for one in accepted.values()
    }
    sentences = [f"{value}: {faults[name]}" for name in sorted(faults)]
    if not hooks and not sentences:
        sentences = [
            f"{value} implements no hook; expected some of {', '.join(HOOKS)}, marked with"
            " @kobench.api.hookimpl"
        ]
    return hooks, sentences


def _fault_of_unmarked(name: str) -> str:
    """What is wrong with a function that has no mark, "" for one that has nothing to do with us."""
    if name in HOOKS:
        return f"{name} is not marked; put @kobench.api.hookimpl above it"
    if name.startswith("kobench_"):
        return f"{name} is no hook, and such names are reserved; {suggestion(name, HOOKS, 'hooks')}"
    return ""


def _fault_of(implementation: Implementation, taken: Container[str]) -> str:
    """What is wrong with a marked function, "" where the manager may have it.

    taken : hooks that the plugin has implemented already.
    """
    hook = implementation.hook
    if hook not in HOOKS:
        # The manager finds these, but for some that pluggy passes over. kobench's hooks are a
        # closed list, so that a name that is not among them is a mistake, optional or not.
        passed_over = hook.startswith("_") or implementation.options.get("optionalhook")
        return _no_hook(hook) if passed_over else ""
    if hook in taken:
        return f"{hook} is implemented twice; yield everything from one function"
    if implementation.is_wrapper:
        return f"{hook} is a wrapper; expected a plain function that yields specs"
    if required_arguments(implementation.function):
        signature = inspect.signature(implementation.function)
        return f"{hook} takes {signature}; expected no argument"
    return ""


def _no_hook(hook: str) -> str:
    return f"{hook} is no hook; {suggestion(hook, HOOKS, 'hooks')}"
