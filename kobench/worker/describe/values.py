"""What a name looks like, and when two values are the same: shared by the grammar of selections and
the checks on specs.
"""

from __future__ import annotations

import re
from typing import Any

#: What a predictor, dataset, metric or task may be called.
NAME = re.compile(r"[a-z0-9]+(?:[-._+][a-z0-9]+)*")


def same(a: Any, b: Any) -> bool:
    """Equal and of the same type, all the way down: 1, 1.0 and true are three values."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)
