"""Selections checked against the parameters of what they name, and written as their one text.

How they are read is in `kobench.util.grammar`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kobench.errors import UserError
from kobench.specs import Param
from kobench.util.grammar import Selection, parse, read_value
from kobench.util.text import suggestion
from kobench.util.values import same

__all__ = ["Selection", "canonical", "complete", "parse", "same", "write_value"]

#: A string of these needs no quotes, and no shell expands them.
_BARE = re.compile(r"[A-Za-z0-9_./+@%:-]+")

_TYPES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}


def complete(
    selection: Selection, params: Mapping[str, Param], kind: str = "predictor"
) -> dict[str, Any]:
    """All parameters of what was selected: the given ones, checked against `params`, and the
    defaults of the others.

    kind : "predictor" or "dataset", for the messages. Raises UserError for an unknown key and for a
    value of another type, out of bounds or not among the choices. A whole number is taken where a
    float is expected, true and false are no numbers.

    >>> complete(parse("grn:sigma=0"), {"sigma": Param(0.1, low=0.0), "seed": Param(0)}, "dataset")
    {'sigma': 0.0, 'seed': 0}
    """
    what = f"{kind} {selection.full_name!r}"
    for key in selection.params:
        if key not in params:
            raise UserError(
                f"{what} has no parameter {key!r}; {suggestion(key, params, 'its parameters')}"
            )
    return {
        key: (
            _checked(selection.params[key], param, f"{key} of {what}")
            if key in selection.params
            else _plain_default(param)
        )
        for key, param in params.items()
    }


def _plain_default(param: Param) -> Any:
    return list(param.default) if isinstance(param.default, tuple) else param.default


def _checked(value: Any, param: Param, what: str) -> Any:
    default = _plain_default(param)
    if default is not None:
        expected = type(default)
        if expected is float and type(value) is int:
            value = float(value)
        if type(value) is not expected:
            quotes = (
                f', so quote it: "{value}"'
                if expected is str and isinstance(value, (int, float))
                else ""
            )
            raise UserError(f"{what} is {write_value(value)}; expected {_TYPES[expected]}{quotes}")
    if param.choices is not None and not any(same(value, choice) for choice in param.choices):
        raise UserError(
            f"{what} is {write_value(value)}; expected one of"
            f" {', '.join(write_value(choice) for choice in param.choices)}"
        )
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if param.low is not None and value < param.low:
            raise UserError(
                f"{what} is {write_value(value)}; expected at least {write_value(param.low)}"
            )
        if param.high is not None and value > param.high:
            raise UserError(
                f"{what} is {write_value(value)}; expected at most {write_value(param.high)}"
            )
    return value


def canonical(name: str, params: Mapping[str, Any], spec_params: Mapping[str, Param]) -> str:
    """The one text of a selection: keys sorted, values that equal their default left out; `parse`
    and `complete` give `params` back.

    >>> canonical("grn", {"seed": 3, "sigma": 0.1}, {"sigma": Param(0.1), "seed": Param(0)})
    'grn:seed=3'
    """
    changed = [
        key for key in sorted(params) if not same(params[key], _plain_default(spec_params[key]))
    ]
    items = ",".join(f"{key}={write_value(params[key])}" for key in changed)
    return f"{name}:{items}" if items else name


def write_value(value: Any) -> str:
    """A value as the grammar reads it; a string stays bare where that reads back as the same
    string.
    """
    if isinstance(value, str) and _BARE.fullmatch(value) and read_value(value, value) == value:
        return value
    return _write_toml(value)


def _write_toml(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_write_toml, value))}]"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{_write_toml(key)} = {_write_toml(value[key])}" for key in sorted(value))
            + "}"
        )
    return (
        repr(value + 0.0) if isinstance(value, float) else repr(value)
    )  # -0.0 is 0.0: equal values, one text
