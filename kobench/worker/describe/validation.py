"""Says exactly which part of a spec is wrong, without importing what it refers to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import ModuleType
from typing import Any, get_type_hints

from kobench.specs import ANSWERS, METHODS, REFERENCES, Param, Spec, kind_of
from kobench.util.text import suggestion
from kobench.util.values import NAME, same
from kobench.worker.describe.field_types import fits, is_plain, words
from kobench.worker.describe.references import reference_faults

#: Characters that the texts and defaults of one predictor may have, and those of all predictors of
#: one distribution or file.
MOST_CHARACTERS, MOST_TOGETHER = 8_192, 65_536


def faults(spec: Spec, own: ModuleType | None = None, reference: bool = True) -> Iterator[str]:
    """What is wrong with a spec.

    Parameters
    ----------
    spec : Spec
        Its reference is a string or an object.
    own : module or None
        The module of a single plugin file.
    reference : bool
        Whether to look for what it refers to.

    Yields
    ------
    str
        One sentence for each fault.
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
        yield from reference_faults(spec, own)


def _type_faults(spec: Spec) -> Iterator[str]:
    """Fields that have another type than they are declared with."""
    reference = REFERENCES[kind_of(spec)]
    hints = get_type_hints(type(spec))
    for entry in fields(spec):
        value = getattr(spec, entry.name)
        if entry.name not in (reference, "name") and not fits(value, hints[entry.name]):
            yield f"{entry.name} is {value!r:.200}; expected {words(hints[entry.name])}"
    value = getattr(spec, reference)
    if not isinstance(value, str) and not callable(value):
        yield (
            f"{reference} is {value!r:.200}; expected a class, a function or text like"
            " 'module:attribute'"
        )


def _param_faults(key: str, param: Param) -> Iterator[str]:
    """What is wrong with one parameter: its key, default, bounds or choices."""
    if not key.isidentifier():
        yield "not a key that `name:key=value` can set; expected letters, digits and _"
    default = param.default
    if not is_plain(default):
        yield (
            f"default is {default!r:.200}; expected text, a finite number, True or False, None, or"
            " a list or mapping of these"
        )
        return
    for bound in ("low", "high"):
        value = getattr(param, bound)
        if value is not None and not fits(value, float):
            yield f"{bound} is {value!r}; expected a number or None"
            return
    if param.choices is not None:
        if (
            not isinstance(param.choices, (tuple, list))
            or not param.choices
            or not is_plain(param.choices)
        ):
            yield f"choices is {param.choices!r:.200}; expected a tuple of values, or None"
        elif default is not None and not any(same(default, choice) for choice in param.choices):
            yield f"default {default!r} is not among its choices {tuple(param.choices)!r}"
    needed = param.only_with
    if needed is not None and not (
        isinstance(needed, (tuple, list))
        and len(needed) == 2
        and isinstance(needed[0], str)
        and is_plain(needed[1])
    ):
        yield f"only_with is {needed!r:.200}; expected (parameter, value), or None"
    if not isinstance(param.says, (str, type(None))):
        yield f"says is {param.says!r:.200}; expected text, or None"
    if not isinstance(param.many, bool):
        yield f"many is {param.many!r:.200}; expected True or False"
    elif param.many and not isinstance(default, (str, int, float)):
        yield f"many is True with the default {default!r:.200}; expected a text or a number"
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        if param.low is not None and default < param.low:
            yield f"default {default!r} is under its low {param.low!r}"
        if param.high is not None and default > param.high:
            yield f"default {default!r} is over its high {param.high!r}"


def _length_faults(spec: Any) -> Iterator[str]:
    """Texts and defaults of a predictor that are too long: they could hold data.

    They are made where the plugin is described, outside every trial, and handed to each fit.
    """
    length = {
        **{entry.name: size_of(getattr(spec, entry.name)) for entry in fields(spec)},
        **{f"parameter {key!r}": size_of(vars(param)) for key, param in spec.params.items()},
    }
    del length["params"]
    longest = max(length, key=lambda part: length[part])
    if sum(length.values()) > MOST_CHARACTERS:
        yield (
            f"its texts and defaults have {sum(length.values()):,} characters, {longest} alone"
            f" {length[longest]:,}; a predictor may have {MOST_CHARACTERS:,}. Read what is longer"
            " from a file of your package, in `fit`"
        )


def size_of(value: Any) -> int:
    """How many characters a value has, written out.

    Examples
    --------
    >>> size_of("abc"), size_of({"a": [1, 2.5]}), size_of(None)
    (5, 15, 4)
    """
    return len(json.dumps(value, default=repr, ensure_ascii=False))


def _predictor_faults(spec: Any) -> Iterator[str]:
    """What only a predictor can have wrong."""
    yield from _length_faults(spec)
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
    """What only a dataset can have wrong."""
    if spec.seeded and ("seed" not in spec.params or type(spec.params["seed"].default) is not int):
        yield "seeded is True but params has no 'seed' with a whole number as default"
    if not is_plain(dict(spec.card)):
        yield "card has values that are not text, numbers, True, False, None, lists or mappings"


def _metric_faults(spec: Any) -> Iterator[str]:
    """What only a metric can have wrong."""
    if not spec.low < spec.high:
        yield f"low is {spec.low} and high {spec.high}; expected low < high"
    elif not spec.low <= spec.best <= spec.high:
        yield f"best is {spec.best}; expected it in the range from {spec.low} to {spec.high}"


def _task_faults(spec: Any) -> Iterator[str]:
    """What only a task can have wrong."""
    if len(spec.primary) not in (1, 2):
        yield f"primary names {len(spec.primary)} metrics; expected one, or two co-primary ones"
    if not math.isfinite(spec.demand):
        yield f"demand is {spec.demand!r}; expected a finite number"


_RULES = {
    "predictors": _predictor_faults,
    "datasets": _dataset_faults,
    "metrics": _metric_faults,
    "tasks": _task_faults,
}
