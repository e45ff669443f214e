"""The grammar `name:key=value,key=value` by which datasets and predictors are selected.

`name[key=value,...]` is read too, and `distribution/name` settles a clash. A value is TOML where it
reads as such (`3`, `0.5`, `true`, `[1, 2]`, `"a, b"`), else a bare word, which is a string. Commas
in brackets or quotes do not split. `kobench.plugins.parameters` checks what was read.
"""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kobench.errors import UserError
from kobench.util.values import NAME

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE = re.compile(r"(file:[^/]+\.py)/(.*)", re.DOTALL)
_CLOSES = {"[": "]", "{": "}"}

#: A string of these needs no quotes, and no shell expands them.
_BARE = re.compile(r"[A-Za-z0-9_./+@%:-]+")


@dataclass(frozen=True)
class Selection:
    """One selection as written.

    Attributes
    ----------
    name : str
        What is selected.
    distribution : str
        Whose it is; "" unless that was given.
    params : mapping
        The keys that were given, and their values.
    """

    name: str
    distribution: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`distribution/name`, or the name alone."""
        return f"{self.distribution}/{self.name}" if self.distribution else self.name


def parse(text: str) -> Selection:
    """Read one selection.

    Parameters
    ----------
    text : str
        What a user wrote.

    Returns
    -------
    Selection
        Its parts, values read.

    Raises
    ------
    UserError
        Naming the part that can't be read.

    Examples
    --------
    >>> parse("grn:network=sf,gamma=2.5,seed=3")
    Selection(name='grn', distribution='', params={'network': 'sf', 'gamma': 2.5, 'seed': 3})
    >>> parse("my-package/mlp[layers=[10, 5]]").full_name
    'my-package/mlp'
    """
    distribution, name, items = split(text)
    return Selection(name, distribution, dict(_read_items(items, text)))


def split(text: str) -> tuple[str, str, Iterator[str]]:
    r"""Cut a selection into its parts, each as it is written.

    Parameters
    ----------
    text : str
        What a user wrote.

    Returns
    -------
    distribution : str
        "" unless it was given.
    name : str
        What is selected.
    items : iterator of str
        `key=value` of each parameter. They are cut one by one, so that a reader who stops at the
        first that is wrong names that one.

    Raises
    ------
    UserError
        For what is no name, and where a quote or bracket is not closed.

    Examples
    --------
    >>> distribution, name, items = split('table:path="a\\",b",seed=3')
    >>> print(name, *items)
    table path="a\",b" seed=3
    """
    rest, distribution = text.strip(), ""
    # in "file:my.py/name" the first colon belongs to the distribution
    if single_file := _FILE.fullmatch(rest):
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
    return distribution, name, _split(body[1:], text) if body else iter(())


def _read_items(items: Iterator[str], text: str) -> Iterator[tuple[str, Any]]:
    """Key and value of each item."""
    seen = set()
    for item in items:
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
        yield key, read_value(value.strip(), text)


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
        elif char in "\"'" and (opened or fresh):
            quote = char  # elsewhere it is part of a bare word, as in path=it's.csv
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


def read_value(value: str, text: str) -> Any:
    """Read one value.

    Parameters
    ----------
    value : str
        As it was written, not empty.
    text : str
        The selection that it is part of, for the message.

    Returns
    -------
    object
        A TOML value, or the text itself as a string.

    Raises
    ------
    UserError
        Where it begins like TOML and is none.
    """
    # by name: Python 3.9 has no such module, and nothing reads selections there
    tomllib = importlib.import_module("tomllib")
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
    """Whether JSON has such a value, too; dates and infinity, which it has not, are bare words."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return isinstance(value, (str, int))


def write_value(value: Any) -> str:
    """Write a value so that `read_value` gives it back.

    Parameters
    ----------
    value : object
        Text, a number, True or False, or a list or mapping of these.

    Returns
    -------
    str
        TOML; a string stays bare where that reads back as the same string. -0.0 is written as 0.0,
        so that equal values have one text.

    Examples
    --------
    >>> print(write_value("a.csv"), write_value("3"), write_value([1, -0.0, "x"]))
    a.csv "3" [1, 0.0, "x"]
    """
    if isinstance(value, str) and _BARE.fullmatch(value) and read_value(value, value) == value:
        return value
    return _write_toml(value)


def _write_toml(value: Any) -> str:
    """One value as TOML, on one line."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_write_toml, value))}]"
    if isinstance(value, dict):
        items = (f"{_write_toml(key)} = {_write_toml(value[key])}" for key in sorted(value))
        return f"{{{', '.join(items)}}}"
    return repr(value + 0.0 if isinstance(value, float) else value)
