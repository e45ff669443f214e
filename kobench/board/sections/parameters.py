"""The parameters of a dataset, as its records name them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

#: What the published parameters of `grn` are where a selection leaves them out: selections name
#: only what differs from the default, and records keep nothing else. A test holds these equal to
#: the generator's own defaults.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "grn": {
        "network": "er",
        "gamma": 2.5,
        "degree": 3.0,
        "sigma": 0.1,
        "dropout": 0.0,
        "absence": "random",
        "knockout": "zero",
    }
}

#: How large a dataset is where its selection does not say so; the same test holds these equal to
#: the generator's.
SIZES: Mapping[str, Mapping[str, int]] = {"grn": {"genes": 100, "cells": 500}}

#: Parameters without meaning unless another one has a value.
ONLY_WITH = {"grn": {"gamma": ("network", "sf")}}


def split_selection(selection: str) -> tuple[str, list[str]]:
    """Name and `key=value` parts of a selection; commas inside quotes or brackets do not split.

    >>> split_selection('grn:genes=[1,2],note="a,b",seed=3')
    ('grn', ['genes=[1,2]', 'note="a,b"', 'seed=3'])
    """
    name, _, rest = selection.partition(":")
    parts, depth, quote, start = [], 0, "", 0
    for i, character in enumerate(rest):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(rest[start:i])
            start = i + 1
    return name, [part for part in [*parts, rest[start:]] if part]


def value_of(text: str) -> Any:
    """A parameter's value as TOML has it; a bare word is text.

    >>> value_of("0.3"), value_of("sf")
    (0.3, 'sf')
    """
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def parameters_of(selection: str) -> dict[str, Any]:
    """The parameters of a dataset: those that its selection names, and the known defaults of the
    others.

    >>> parameters_of("grn:network=sf,sigma=0.3")["gamma"], "gamma" in parameters_of("grn:sigma=0.3")
    (2.5, False)
    >>> parameters_of("pbmc68k")
    {}
    """
    name, parts = split_selection(selection)
    found = dict(DEFAULTS.get(name, {}))
    for part in parts:
        key, _, text = part.partition("=")
        found[key] = value_of(text)
    for key, (other, needed) in ONLY_WITH.get(name, {}).items():
        if found.get(other) != needed:
            found.pop(key, None)
    return found
