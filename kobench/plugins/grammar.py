"""The grammar `name:key=value,key=value` by which datasets and predictors are selected.

`name[key=value,...]` is read too, and `distribution/name` settles a clash. A value is TOML where it
reads as such (`3`, `0.5`, `true`, `[1, 2]`, `"a, b"`), else a bare word, which is a string. Commas
in brackets or quotes do not split.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kobench.errors import UserError
from kobench.specs import Param
from kobench.util.text import suggestion
from kobench.util.values import NAME, same

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE = re.compile(r"(file:[^/]+\.py)/(.*)", re.DOTALL)
_BARE = re.compile(
    r"[A-Za-z0-9_./+@%:-]+"
)  # a string of these needs no quotes and no shell expands them
_CLOSES = {"[": "]", "{": "}"}


@dataclass(frozen=True)
class Selection:
    """One selection as written: `distribution` is "" unless it was given, `params` holds only the
    keys that were given.
    """

    name: str
    distribution: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`distribution/name`, or the name alone."""
        return f"{self.distribution}/{self.name}" if self.distribution else self.name


def parse(text: str) -> Selection:
    """Read one selection; raises UserError that names the part that can't be read.

    >>> parse("grn:network=sf,gamma=2.5,seed=3")
    Selection(name='grn', distribution='', params={'network': 'sf', 'gamma': 2.5, 'seed': 3})
    >>> parse("my-package/mlp[layers=[10, 5]]").full_name
    'my-package/mlp'
    """
    rest, distribution = text.strip(), ""
    if single_file := _FILE.fullmatch(
        rest
    ):  # "file:my.py/name": the first colon belongs to the distribution
        distribution, rest = single_file.groups()
    end = min((at for at in (rest.find(":"), rest.find("[")) if at >= 0), default=len(rest))
    head, body = rest[:end], rest[end:]
    if not distribution and "/" in head:
        distribution, head = (part.strip() for part in head.split("/", 1))
        if not distribution:
            raise UserError(f"selection {text!r} starts with '/'; expected distribution/name")
    name = head.strip()
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} in selection {text!r} is not a name; expected lower-case letters and digits"
            " joined by -, as in `grn:seed=3`"
        )
    if body.startswith("["):
        if not body.endswith("]"):
            raise UserError(
                f"selection {text!r} opens '[' and does not end with ']'; close it, or write"
                f" {name}:key=value"
            )
        body = f":{body[1:-1]}"
    return Selection(name, distribution, dict(_read_items(body[1:], text)) if body else {})


def _read_items(body: str, text: str) -> Iterator[tuple[str, Any]]:
    seen = set()
    for item in _split(body, text):
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals or not value.strip():
            raise UserError(
                f"{item!r} in selection {text!r} has no value; expected key=value (an empty string"
                ' is key="")'
            )
        if not _KEY.fullmatch(key):
            raise UserError(
                f"{key!r} in selection {text!r} is not a key; expected letters, digits and _, as in"
                " seed=3"
            )
        if key in seen:
            raise UserError(f"{key!r} is given twice in selection {text!r}; give it once")
        seen.add(key)
        yield key, _read_value(value.strip(), text)


def _split(body: str, text: str) -> Iterator[str]:
    """Pieces between the commas that are outside quotes and brackets."""
    start, quote, escaped, fresh = 0, "", False, False
    opened: list[str] = []
    for at, char in enumerate(body):
        if quote:
            if escaped:
                escaped = False
            elif char == "\\" and quote == '"':
                escaped = True
            elif char == quote:
                quote = ""
        elif char in "\"'" and (
            opened or fresh
        ):  # elsewhere it is part of a bare word, as in path=it's.csv
            quote = char
        elif char in _CLOSES and (opened or fresh):
            opened.append(_CLOSES[char])
        elif opened and char == opened[-1]:
            opened.pop()
        elif char == "," and not opened:
            yield body[start:at]
            start = at + 1
        # fresh: nothing of the value has been read yet
        fresh = (char == "=" and "=" not in body[start:at]) or (fresh and char.isspace())
    if quote or opened:
        raise UserError(
            f"selection {text!r} has an unclosed {quote or opened[-1]!r}; close it, or put the"
            " value in quotes"
        )
    yield body[start:]


def _read_value(value: str, text: str) -> Any:
    """A TOML value, or the text itself as a string."""
    try:
        document = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        document = {}
    if list(document) == ["value"] and _is_plain(document["value"]):
        return document["value"]
    if value[0] in "\"'[{":
        raise UserError(
            f"value {value!r} in selection {text!r} is not TOML; check its quotes and brackets"
            " (strings inside brackets need quotes)"
        )
    return value


def _is_plain(value: Any) -> bool:
    """Whether a value is made of what JSON has, too: no dates, no infinity (both then count as bare
    words).
    """
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return isinstance(value, (str, int))


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
    if isinstance(value, str) and _BARE.fullmatch(value) and _read_value(value, value) == value:
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
