"""Says exactly which part of a spec is wrong, without importing what it refers to."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import math
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from kobench.specs import ANSWERS, METHODS, REFERENCES, Param, Spec, kind_of
from kobench.util.text import suggestion
from kobench.worker.describe.values import NAME, same

#: Both ways of writing a union; Python 3.9 knows one.
UNIONS = (Union, getattr(types, "UnionType", Union))

_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    type(None): "None",
}


def faults(spec: Spec, own: ModuleType | None = None, reference: bool = True) -> Iterator[str]:
    """What is wrong with a spec whose reference is a string or an object; `own` is the module of a
    single plugin file.

    reference : whether to look for what it refers to.
    """
    kind = kind_of(spec)
    if not isinstance(spec.name, str) or not NAME.fullmatch(spec.name):
        yield (
            f"name is {spec.name!r}; expected lower-case letters and digits joined by -, for"
            f" instance 'my-{kind[:-1]}'"
        )
    wrong = list(_type_faults(spec))
    yield from wrong
    if wrong:  # what follows relies on the types
        return
    if spec.version < 1:
        yield f"version is {spec.version}; expected 1 or more"
    params: Mapping[str, Param] = getattr(spec, "params", {})
    wrong = [
        f"parameter {key!r}: {fault}"
        for key, param in params.items()
        for fault in _param_faults(key, param)
    ]
    yield from wrong
    yield from _RULES[kind](spec)
    if reference and not wrong:
        yield from _reference_faults(spec, own)


def _type_faults(spec: Spec) -> Iterator[str]:
    reference = REFERENCES[kind_of(spec)]
    hints = get_type_hints(type(spec))
    for entry in fields(spec):
        value = getattr(spec, entry.name)
        if entry.name not in (reference, "name") and not _fits(value, hints[entry.name]):
            yield f"{entry.name} is {value!r:.200}; expected {_words(hints[entry.name])}"
    value = getattr(spec, reference)
    if not isinstance(value, str) and not callable(value):
        yield (
            f"{reference} is {value!r:.200}; expected a class, a function or text like"
            " 'module:attribute'"
        )


def _fits(value: Any, hint: Any) -> bool:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return any(same(value, choice) for choice in args)
    if origin in UNIONS:
        return any(_fits(value, arg) for arg in args)
    if origin is tuple:
        return isinstance(value, (tuple, list)) and all(_fits(item, args[0]) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, args[0]) and _fits(item, args[1]) for key, item in value.items()
        )
    if hint is float:
        return (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and not math.isnan(value)
        )
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _words(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "one of " + ", ".join(repr(choice) for choice in args)
    if origin in UNIONS:
        return " or ".join(map(_words, args))
    if origin is tuple:
        return f"a tuple, each entry {_words(args[0])} (a single one is written ('x',))"
    if origin is not None:
        return f"a mapping from text to {'values' if args[1] is Any else args[1].__name__}"
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _param_faults(key: str, param: Param) -> Iterator[str]:
    if not key.isidentifier():
        yield "not a key that `name:key=value` can set; expected letters, digits and _"
    default = param.default
    if not _is_plain(default):
        yield (
            f"default is {default!r:.200}; expected text, a finite number, True or False, None, or"
            " a list or mapping of these"
        )
        return
    for bound in ("low", "high"):
        value = getattr(param, bound)
        if value is not None and not _fits(value, float):
            yield f"{bound} is {value!r}; expected a number or None"
            return
    if param.choices is not None:
        if (
            not isinstance(param.choices, (tuple, list))
            or not param.choices
            or not _is_plain(param.choices)
        ):
            yield f"choices is {param.choices!r:.200}; expected a tuple of values, or None"
        elif default is not None and not any(same(default, choice) for choice in param.choices):
            yield f"default {default!r} is not among its choices {tuple(param.choices)!r}"
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        if param.low is not None and default < param.low:
            yield f"default {default!r} is under its low {param.low!r}"
        if param.high is not None and default > param.high:
            yield f"default {default!r} is over its high {param.high!r}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    return (
        value is None
        or type(value) in (str, bool, int)
        or (type(value) is float and math.isfinite(value))
    )


def _predictor_faults(spec: Any) -> Iterator[str]:
    for answer in spec.answers:
        if answer not in ANSWERS:
            yield f"answers has {answer!r}; {suggestion(answer, ANSWERS, 'answer kinds')}"
        elif isinstance(spec.make, type) and not callable(
            getattr(spec.make, METHODS[answer], None)
        ):
            yield f"answers has {answer!r} but {spec.make.__name__} has no method {METHODS[answer]}"
    if isinstance(spec.make, type) and not callable(getattr(spec.make, "fit", None)):
        yield f"make is {spec.make.__name__}, which has no method fit"
    if not spec.answers:
        methods = ", ".join(METHODS.values())
        if isinstance(spec.make, type):
            yield (
                f"make is {spec.make.__name__}, which answers nothing; expected at least one of"
                f" {methods}"
            )
        else:
            yield (
                "answers is empty and can be read off make only where make is a class; expected"
                f" some of {', '.join(ANSWERS)}"
            )
    if spec.max_order is not None and spec.max_order < 1:
        yield f"max_order is {spec.max_order}; expected 1 or more, or None"


def _dataset_faults(spec: Any) -> Iterator[str]:
    if spec.seeded and ("seed" not in spec.params or type(spec.params["seed"].default) is not int):
        yield "seeded is True but params has no 'seed' with a whole number as default"
    if not _is_plain(dict(spec.card)):
        yield "card has values that are not text, numbers, True, False, None, lists or mappings"


def _metric_faults(spec: Any) -> Iterator[str]:
    if not spec.low < spec.high:
        yield f"low is {spec.low} and high {spec.high}; expected low < high"
    elif not spec.low <= spec.best <= spec.high:
        yield f"best is {spec.best}; expected it in the range from {spec.low} to {spec.high}"


def _task_faults(spec: Any) -> Iterator[str]:
    if len(spec.primary) not in (1, 2):
        yield f"primary names {len(spec.primary)} metrics; expected one, or two co-primary ones"


_RULES = {
    "predictors": _predictor_faults,
    "datasets": _dataset_faults,
    "metrics": _metric_faults,
    "tasks": _task_faults,
}


def _reference_faults(spec: Spec, own: ModuleType | None) -> Iterator[str]:
    field = REFERENCES[kind_of(spec)]
    target = getattr(spec, field)
    if isinstance(target, str):
        missing = missing_part(target, own)
        if missing:
            yield f"{field} is {target!r}, but {missing}"
        return
    if "<" in getattr(target, "__qualname__", "<") or not getattr(target, "__module__", None):
        yield (
            f"{field} is {target!r:.200}; expected a class or function defined at the top level of"
            " a module, or 'module:attribute'"
        )
        return
    params: Mapping[str, Param] | None = getattr(spec, "params", None)
    if params is not None:
        try:
            inspect.signature(target).bind(**{key: param.default for key, param in params.items()})
        except TypeError as error:
            called = ", ".join(f"{key}=..." for key in params)
            yield f"{field} can't be called as {target.__name__}({called}): {error}"
        except ValueError:  # no signature to be had: compiled code
            pass


def missing_part(reference: str, own: ModuleType | None = None) -> str | None:
    """What of "module:attribute" does not exist, None when nothing is known to be missing; imports
    nothing.
    """
    module_name, colon, attributes = reference.partition(":")
    if (
        not colon
        or not attributes
        or not all(part.isidentifier() for part in attributes.split("."))
    ):
        return "that is not of the form module:attribute"
    if not module_name and own is None:
        return "that names no module"
    module = sys.modules.get(module_name) if module_name else own
    if module is None:
        spec = find_module(module_name)
        if spec is None:
            return f"there is no module {module_name!r}"
        names = _names_in(spec)
    else:
        names = set(dir(module))
        if hasattr(module, "__getattr__"):
            names = None
    first = attributes.split(".")[0]
    if names is not None and first not in names:
        public = [name for name in names if not name.startswith("_")]
        return (
            f"{module_name or 'the file'} has no {first!r}; {suggestion(first, public, 'it has')}"
        )
    return None


def find_module(name: str) -> ModuleSpec | None:
    """The import spec of a module without importing its parents (`importlib.util.find_spec`
    would).
    """
    try:
        first, *rest = name.split(".")
        spec = importlib.util.find_spec(first)
        for part in rest:
            if spec is None or spec.submodule_search_locations is None:
                return None
            spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    except (ImportError, ValueError):
        return None
    return spec


def _names_in(spec: ModuleSpec) -> set[str] | None:
    """Names bound at the top of a module's source; None where they can't be known without running
    it.
    """
    if not spec.origin or not spec.origin.endswith(".py"):
        return None
    try:
        tree = ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name.split(".")[0]) for alias in node.names)
    return None if names & {"*", "__getattr__"} else names
