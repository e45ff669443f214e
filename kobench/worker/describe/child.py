"""The short-lived child that imports one distribution's plugins and writes their specs as JSON
lines to a private pipe.

Started as `python -m kobench.worker.describe.child FD REQUEST` with a request ``{"points": [[index, name,
value], ...], "file": path or null}``. Each line says what comes next ("at"), one spec, one problem,
or that all is done, so that what was found before a crash is kept.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

from kobench.api import answer_kinds
from kobench.specs import KINDS, REFERENCES, Spec, kind_of, spec_to_json
from kobench.util.resolve import load_file
from kobench.worker.describe.hooks import HOOKS, usable_hooks
from kobench.worker.describe.validation import faults

#: More specs than this from one hook is taken for a generator that never ends.
MOST_SPECS = 1000

#: Lines of a traceback that are kept.
TRACEBACK_LINES = 12

Message = dict[str, Any]


def problem(kind: str, message: str, error: BaseException | None = None, name: str = "") -> Message:
    """One problem as a line on the pipe; `name` is the spec it is about, where there is one."""
    return {
        "problem": {
            "kind": kind,
            "message": message[:2000],
            "traceback": _tail(error) if error else "",
            "name": name,
        }
    }


def _tail(error: BaseException) -> str:
    """The end of a traceback, without kobench's and the import machinery's own frames."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__
        and not frame.filename.startswith("<frozen importlib")
        and "importlib" not in frame.filename
    ]
    lines = (
        "".join([*traceback.format_list(frames), *traceback.format_exception_only(error)])
        .rstrip()
        .splitlines()
    )
    return "\n".join(lines[-TRACEBACK_LINES:])


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"called sys.exit({error.code!r})"
    return (
        f"raised {type(error).__name__}: {error}"
        if str(error)
        else f"raised {type(error).__name__}"
    )


def describe(points: Iterable[tuple[int, str, str]], file: str | None) -> Iterator[Message]:
    """Messages about every entry point, or about one plugin file."""
    for index, name, value in points:
        yield {"at": index, "doing": f"importing {value}"}
        try:
            plugin = load_file(file) if file else EntryPoint(name, value, "kobench").load()
        except BaseException as error:
            yield problem(
                "exit" if isinstance(error, SystemExit) else "import",
                f"importing {value} {_said(error)}",
                error,
            )
            continue
        own = plugin if file else None
        good, sentences = usable_hooks(plugin, value)
        yield from (problem("hook", sentence) for sentence in sentences)
        for hook in good:
            yield {"at": index, "doing": f"running {hook} of {value}"}
            yield from run_hook(hook, good[hook], value, own)
    yield {"done": True}


def run_hook(hook: str, function: Any, value: str, own: ModuleType | None) -> Iterator[Message]:
    """The specs that one implementation yields; those before a failure are kept."""
    where, count = f"{value}: {hook}", 0
    kept: set[Any] = set()
    try:
        result = function()
        if result is None:
            yield problem("hook", f"{where} returned None; yield specs, or return a list of them")
            return
        if isinstance(result, tuple(KINDS.values())):
            yield problem("hook", f"{where} returned a single spec; yield it, or return a list")
            return
        for item in result:
            count += 1
            if count > MOST_SPECS:
                yield problem(
                    "hook", f"{where} yielded more than {MOST_SPECS} specs; it is taken for endless"
                )
                return
            for message in read_item(item, HOOKS[hook], where, own):
                name = message.get("spec", {}).get("name")
                # metrics are told apart by what they measure, too
                identity = (
                    (name, message["spec"].get("of") if hook == "kobench_metrics" else None)
                    if name
                    else None
                )
                if identity in kept:
                    yield problem(
                        "duplicate",
                        f"{where} yielded two {HOOKS[hook]} called {name!r}; the first is kept",
                        name=name,
                    )
                    continue
                kept |= {identity} - {None}
                yield message
    except BaseException as error:
        after = f" after {count} specs" if count else ""
        yield problem(
            "exit" if isinstance(error, SystemExit) else "hook",
            f"{where} {_said(error)}{after}",
            error,
        )


def read_item(item: Any, kind: str, where: str, own: ModuleType | None) -> Iterator[Message]:
    """One yielded item as a spec, or as the problems that it has."""
    if not isinstance(item, KINDS[kind]):
        other = next(
            (
                f"; yield it from kobench_{name}"
                for name, cls in KINDS.items()
                if isinstance(item, cls)
            ),
            "",
        )
        yield problem(
            "spec",
            f"{where} yielded {type(item).__name__} {item!r:.100}; expected"
            f" {KINDS[kind].__name__}{other}",
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
    """The spec with `answers` read off `make`, where that is a class that is at hand without
    importing anything.
    """
    make = spec.make
    if isinstance(make, str):
        module_name, _, attribute = make.partition(":")
        module = sys.modules.get(module_name) if module_name else own
        make = getattr(module, attribute, None)
    return replace(spec, answers=answer_kinds(make)) if isinstance(make, type) else spec


def _with_text_reference(spec: Spec, own: ModuleType | None) -> Spec:
    """The spec with its reference as "module:attribute", or ":attribute" in a single plugin
    file.
    """
    field = REFERENCES[kind_of(spec)]
    target = getattr(spec, field)
    if isinstance(target, str):
        return spec
    module = "" if own is not None and target.__module__ == own.__name__ else target.__module__
    changed: dict[str, Any] = {field: f"{module}:{target.__qualname__}"}
    return replace(spec, **changed)


def main() -> None:
    """Describe what the request names and end at once, whatever threads or exit handlers the plugin
    left behind.
    """
    pipe, request = int(sys.argv[1]), json.loads(sys.argv[2])
    os.set_inheritable(pipe, False)
    sys.argv = ["kobench"]
    with os.fdopen(pipe, "w", encoding="utf-8", buffering=1) as out:
        for message in describe([tuple(point) for point in request["points"]], request["file"]):
            out.write(json.dumps(message) + "\n")
    os._exit(0)


if __name__ == "__main__":
    main()
