"""Finds a plugin's hook implementations by the mark that `kobench.api.hookimpl` leaves, and says
what is wrong with the others.

It reads what pluggy's marker writes and refuses what pluggy would refuse, without pluggy, so that a
predictor's own environment needs none and says the same sentences.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from kobench.specs import KINDS
from kobench.util.text import suggestion

#: Every hook, by the kind of spec it yields.
HOOKS = {f"kobench_{kind}": kind for kind in KINDS}

#: The attribute of a marked function.
MARK = "kobench_impl"


def usable_hooks(plugin: Any, value: str) -> tuple[dict[str, Any], list[str]]:
    """The plugin's hook implementations that can be called, by hook, and a sentence about each of
    the others.
    """
    good: dict[str, Any] = {}
    faults = []
    # not dir() of a module: one that imports its parts on demand would import all of them
    for name in sorted(vars(plugin) if isinstance(plugin, ModuleType) else dir(plugin)):
        function = getattr(plugin, name, None)
        if not callable(function):
            continue
        options = marks_of(function)
        if options is None:
            if name in HOOKS:
                faults.append(f"{value}: {name} is not marked; put @kobench.api.hookimpl above it")
            elif name.startswith("kobench_"):
                faults.append(
                    f"{value}: {name} is no hook, and such names are reserved;"
                    f" {suggestion(name, HOOKS, 'hooks')}"
                )
            continue
        hook = options.get("specname") or name
        if hook not in HOOKS:
            faults.append(f"{value}: {hook} is no hook; {suggestion(hook, HOOKS, 'hooks')}")
        elif hook in good:
            faults.append(
                f"{value}: {hook} is implemented twice; yield everything from one function"
            )
        elif options.get("wrapper") or options.get("hookwrapper"):
            faults.append(
                f"{value}: {hook} is a wrapper; expected a plain function that yields specs"
            )
        elif needed(function):
            faults.append(
                f"{value}: {hook} takes {inspect.signature(function)}; expected no argument"
            )
        else:
            good[hook] = function
    if not good and not faults:
        faults.append(
            f"{value} implements no hook; expected some of {', '.join(HOOKS)}, marked with"
            " @kobench.api.hookimpl"
        )
    return good, faults


def marks_of(function: Any) -> dict[str, Any] | None:
    """The options with which a function was marked, None for one that was not."""
    if not inspect.isroutine(function):
        return None
    try:
        options = getattr(function, MARK, None)
    except Exception:
        return None
    return options if isinstance(options, dict) else None


def needed(function: Any) -> list[str]:
    """Names of the positional arguments that a hook implementation can't be called without."""
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
