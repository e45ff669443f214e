"""Numbers as records keep them: short, and None where there is none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

#: Digits kept of values and of bootstrap draws: more would only carry rounding noise into the
#: files. Of the scores of single permutations, a thousand each, fewer.
VALUE_DIGITS, DRAW_DIGITS, PERMUTED_DIGITS = 12, 6, 4


def rounded(value: float, digits: int) -> float:
    """Significant digits.

    >>> rounded(0.123456789, 3)
    0.123
    """
    return float(f"{value:.{digits}g}")


def drawn_digits(value: float | None) -> float | None:
    """A number about draws; None where there is none, or none that is finite."""
    return None if value is None or not math.isfinite(value) else rounded(value, DRAW_DIGITS)


def finite(value: float) -> float | None:
    """None for an open end of a range."""
    return value if math.isfinite(value) else None


def plain(value: Any) -> Any:
    """A value of a table as JSON has it: floats short, None for what is not finite."""
    if isinstance(value, (float, np.floating)):
        return drawn_digits(float(value))
    return value.item() if isinstance(value, np.generic) else value
