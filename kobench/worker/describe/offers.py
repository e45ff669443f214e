"""Calls a hook and turns what it yields into specs as JSON, or into the problems that they have."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from kobench.api import answer_kinds
from kobench.specs import KINDS, REFERENCES, Spec, kind_of
from kobench.worker.describe.managers import HOOKS
from kobench.worker.describe.messages import Message, problem, what_happened
from kobench.worker.describe.spec_json import spec_to_json
from kobench.worker.describe.validation import faults

#: More specs than this from one hook is taken for a generator that never ends.
MOST_SPECS = 1000


def run_hook(
    hook: str, function: Callable[[], Any], value: str, own: ModuleType | None
) -> Iterator[Message]:
    """Messages about what one hook of a plugin yields; those before a failure are kept.

    Parameters
    ----------
    hook : str
        One of `HOOKS`.
    function : callable
        Calls the hook.
    value : str
        The entry point's text, for the messages.
    own : module or None
        The module of a single plugin file.

    Yields
    ------
    dict
        ``{"spec": ...}`` or ``{"problem": ...}``.
    """
    where, count = f"{value}: {hook}", 0
    try:
        result = function()
        if result is None:
            yield problem("hook", f"{where} returned None; yield specs, or return a list of them")
            return
        if isinstance(result, tuple(KINDS.values())):
            yield problem("hook", f"{where} returned a single spec; yield it, or return a list")
            return
        kept: set[tuple[str, Any]] = set()
        for item in result:
            count += 1
            if count > MOST_SPECS:
                yield problem(
                    "hook", f"{where} yielded more than {MOST_SPECS} specs; it is taken for endless"
                )
                return
            for message in read_item(item, HOOKS[hook], where, own):
                yield _without_double(message, kept, hook, where)
    except BaseException as error:
        after = f" after {count} specs" if count else ""
        kind = "exit" if isinstance(error, SystemExit) else "hook"
        yield problem(kind, f"{where} {what_happened(error)}{after}", error)


def _without_double(message: Message, kept: set[tuple[str, Any]], hook: str, where: str) -> Message:
    """The message; a problem in its place where it is a spec of a name that was there before."""
    spec = message.get("spec")
    if spec is None:
        return message
    name = spec["name"]
    # metrics are told apart by what they measure, too
    identity = (name, spec["of"] if hook == "kobench_metrics" else None)
    if identity in kept:
        return problem(
            "duplicate",
            f"{where} yielded two {HOOKS[hook]} called {name!r}; the first is kept",
            name=name,
        )
    kept.add(identity)
    return message


def read_item(item: Any, kind: str, where: str, own: ModuleType | None) -> Iterator[Message]:
    """Read one yielded item.

    Parameters
    ----------
    item : object
        What a hook yielded: a spec, if it is right.
    kind : str
        The kind of spec that the hook is for, a key of `KINDS`.
    where : str
        Entry point and hook, for the messages.
    own : module or None
        The module of a single plugin file.

    Yields
    ------
    dict
        One ``{"spec": ...}``, or a ``{"problem": ...}`` for everything that is wrong with it.
    """
    expected = KINDS[kind]
    if not isinstance(item, expected):
        homes = [
            f"; yield it from kobench_{name}" for name in KINDS if isinstance(item, KINDS[name])
        ]
        yield problem(
            "spec",
            f"{where} yielded {type(item).__name__} {item!r:.100}; expected"
            f" {expected.__name__}{''.join(homes)}",
        )
        return
    name = item.name if isinstance(item.name, str) else repr(item.name)
    if kind == "predictors" and not item.answers:  # type: ignore[union-attr]
        item = _with_answers(item, own)
    found = list(faults(item, own))
    for fault in found:
        yield problem("spec", f"{where}: {kind[:-1]} {name!r}: {fault}", name=name)
    if not found:
        yield {"spec": spec_to_json(_with_text_reference(item, own))}


def _with_answers(spec: Any, own: ModuleType | None) -> Any:
    """The spec with `answers` read off `make`, where that is a class that is imported already."""
    make = spec.make
    if isinstance(make, str):
        module_name, _, attribute = make.partition(":")
        module = sys.modules.get(module_name) if module_name else own
        make = getattr(module, attribute, None)
    return replace(spec, answers=answer_kinds(make)) if isinstance(make, type) else spec


def _with_text_reference(spec: Spec, own: ModuleType | None) -> Spec:
    """The spec with its reference as "module:attribute"; ":attribute" in a single plugin file."""
    field = REFERENCES[kind_of(spec)]
    target = getattr(spec, field)
    if isinstance(target, str):
        return spec
    module = "" if own is not None and target.__module__ == own.__name__ else target.__module__
    changed: dict[str, Any] = {field: f"{module}:{target.__qualname__}"}
    return replace(spec, **changed)
