"""What a record must hold to be read: the keys that other modules rely on, and the types of their
values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Each:
    """An object whose keys may be anything, each value of this shape."""

    shape: Any


@dataclass(frozen=True)
class Maybe:
    """A key that may be missing: earlier writers of this schema did not have it."""

    shape: Any


@dataclass(frozen=True)
class Null:
    """A value of this shape, or null."""

    shape: Any


TEXT = (str,)
NUMBER = (int, float)
NONE = type(None)

DRAWN = {"value": (*NUMBER, NONE), "draws": [(*NUMBER, NONE)]}

PERMUTED = {
    "mean": NUMBER,
    "sd": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "p": NUMBER,
    "draws": (int,),
}

METRIC = {
    **DRAWN,
    "direction": TEXT,
    "best": (*NUMBER, NONE),
    "low": (*NUMBER, NONE),
    "high": (*NUMBER, NONE),
    "nothing": Maybe((*NUMBER, NONE)),
    "missing": (str, NONE),
    "floors": Each(DRAWN),
    "sampling_error": Maybe((*NUMBER, NONE)),
    "ceiling": Maybe(Null(DRAWN)),
    "permuted": Maybe(Null(PERMUTED)),
}

#: A value of a table of single units.
ENTRY = (str, bool, *NUMBER, NONE)

SCORES = {
    "task": TEXT,
    "asks": TEXT,
    "primary": [TEXT],
    "floors": [TEXT],
    "lines": [TEXT],
    "block": TEXT,
    "blocks": (int, NONE),
    "asked": NUMBER,
    "answered": NUMBER,
    "coverage": (*NUMBER, NONE),
    "left_out": Each(NUMBER),
    "metrics": Each(METRIC),
    "notes": Maybe([TEXT]),
    "events": Maybe({"asked": (int,), "of": (int,)}),
    "table": Maybe(Null(Each([ENTRY]))),
    "points": Maybe(Null({"what": TEXT, "true": [NUMBER], "predicted": [NUMBER]})),
}

#: Dicts are objects with these keys, tuples are the types that a value may have, lists hold values
#: of such types.
RECORD = {
    "role": TEXT,
    "trial": {
        "dataset": {
            "name": TEXT,
            "selection": TEXT,
            "version": (str, int),
            "group": TEXT,
            "seed": (int, NONE),
            "kind": TEXT,
            "truth": TEXT,
            "digest": TEXT,
            "notes": [TEXT],
        },
        "split": {"name": TEXT, "seed": (int,), "train": Maybe(TEXT)},
        "predictor": {
            "name": TEXT,
            "selection": TEXT,
            "distribution": TEXT,
            "version": (str, int),
            "digest": TEXT,
            "environment": Maybe(TEXT),
        },
        "fit_seed": (int,),
        "threads": (int,),
        "device": TEXT,
    },
    "keys": {"fit": TEXT, "questions": Each(TEXT), "scores": Each(TEXT)},
    "result": {
        "status": TEXT,
        "stage": (str, NONE),
        "message": (str, NONE),
        "traceback": (str, NONE),
        "answers": Each(TEXT),
        "trusted_with_predictor": Maybe([TEXT]),
        "scores": Each(SCORES),
    },
    "run": {
        **{
            name: Maybe((*NUMBER, NONE))
            for name in ("fit_seconds", "predict_seconds", "peak_mb", "timeout")
        },
        "limits": Maybe(
            Null(
                {
                    name: Maybe((*NUMBER, NONE))
                    for name in ("seconds", "memory_mb", "processes", "written_mb")
                }
            )
        ),
        "found": Maybe((str, NONE)),
        "sandbox": Maybe(Null({"mode": TEXT, "layers": Each((bool, str)), "readable": [TEXT]})),
        "output": Maybe((str, NONE)),
        "environment": Maybe(Null({"name": TEXT, "python": TEXT, "packages": Each(TEXT)})),
    },
}

NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number", NONE: "null"}


def fault(value: Any, shape: Any = RECORD, at: str = "") -> str:
    """What is wrong with a record, "" when nothing is: the place, what is there and what is
    expected.
    """
    if isinstance(shape, Null):
        return "" if value is None else fault(value, shape.shape, at)
    if isinstance(shape, (dict, Each)):
        if type(value) is not dict:
            return f"{at} is {shown(value)}, expected an object"
        for key, inner in (
            shape.items() if isinstance(shape, dict) else ((key, shape.shape) for key in value)
        ):
            place = f"{at}.{key}" if at else key
            if key not in value:
                if isinstance(inner, Maybe):
                    continue
                return f"{place} is missing"
            if found := fault(
                value[key], inner.shape if isinstance(inner, Maybe) else inner, place
            ):
                return found
        return ""
    if isinstance(shape, list):
        if type(value) is not list:
            return f"{at} is {shown(value)}, expected a list"
        strange = [one for one in value if type(one) not in shape[0]]
        return f"{at} holds {shown(strange[0])}, expected {called(shape[0])}" if strange else ""
    return "" if type(value) in shape else f"{at} is {shown(value)}, expected {called(shape)}"


def called(types: tuple[type, ...]) -> str:
    """How a message calls types."""
    return " or ".join(NAMES[one] for one in types if not (one is int and float in types))


def shown(value: Any) -> str:
    """A value, short."""
    import json

    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
