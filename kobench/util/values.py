"""What a name looks like, and when two values are the same."""

from __future__ import annotations

import re
from typing import Any

#: What a predictor, dataset, metric, task or environment may be called.
NAME = re.compile(r"[a-z0-9]+(?:[-._+][a-z0-9]+)*")


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal and of the same type, all the way down.

    Lists and tuples count as one type.

    Examples
    --------
    >>> same(1, 1.0), same(1, True), same([1, "x"], (1, "x"))
    (False, False, True)
    """
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)
