"""Checks the value of a spec's field against the type it is declared with."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from kobench.util.values import same

#: Both ways of writing a union; Python 3.9 knows one.
UNIONS = (Union, getattr(types, "UnionType", Union))

_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    type(None): "None",
}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value has the type that an annotation says.

    A whole number is a number, True and False are none, and NaN is none either.

    Examples
    --------
    >>> fits(3, float), fits(True, int), fits(["a"], tuple[str, ...]), fits(None, Union[int, None])
    (True, False, True, True)
    """
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return any(same(value, choice) for choice in args)
    if origin in UNIONS:
        return any(fits(value, arg) for arg in args)
    if origin is tuple:
        return isinstance(value, (tuple, list)) and all(fits(item, args[0]) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            fits(key, args[0]) and fits(item, args[1]) for key, item in value.items()
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


def words(hint: Any) -> str:
    """Say an annotation in words.

    Examples
    --------
    >>> words(Union[int, None])
    'a whole number or None'
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "one of " + ", ".join(repr(choice) for choice in args)
    if origin in UNIONS:
        return " or ".join(map(words, args))
    if origin is tuple:
        return f"a tuple, each entry {words(args[0])} (a single one is written ('x',))"
    if origin is not None:
        return f"a mapping from text to {'values' if args[1] is Any else args[1].__name__}"
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def is_plain(value: Any) -> bool:
    """Whether a value is made of what JSON has: text, finite numbers, lists, mappings and so on."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(inner) for key, inner in value.items())
    return (
        value is None
        or type(value) in (str, bool, int)
        or (type(value) is float and math.isfinite(value))
    )
