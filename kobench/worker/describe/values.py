"""What a name looks like, and when two values are the same: shared by the grammar of selections and
the checks on specs.
"""

from __future__ import annotations

from typing import Any

from kobench.util.grammar import NAME

__all__ = ["NAME", "same"]


def same(a: Any, b: Any) -> bool:
    """Equal and of the same type, all the way down: 1, 1.0 and true are three values."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)
