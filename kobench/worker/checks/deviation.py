"""How far two arrays are apart, in words that say whether a number is absolute or relative.

An absolute deviation is a difference of two values. A relative one is that as a share of the larger
of the two, without their signs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: How far answers may be apart that should be equal, relative and absolute: they are float32 and
#: may be summed in another order.
SAME_RELATIVE, SAME_ABSOLUTE = 1e-4, 1e-6


def deviation(before: Any, after: Any) -> str:
    """The largest deviations of two arrays, or their shapes where these differ.

    >>> deviation([1.0, 200.0], [1.5, 200.0])
    'they differ by up to 0.5 (absolute) and 0.33 (relative)'
    >>> deviation([float("nan")], [1.0])
    'one has numbers where the other has none'
    """
    if np.shape(before) != np.shape(after):
        return f"shape {np.shape(after)} instead of {np.shape(before)}"
    one, other = np.asarray(before, float), np.asarray(after, float)
    if (np.isnan(one) != np.isnan(other)).any():
        return "one has numbers where the other has none"
    apart = np.abs(one - other)
    share = apart / np.maximum(np.maximum(np.abs(one), np.abs(other)), np.finfo(float).tiny)
    absolute, relative = (np.nanmax(each, initial=0.0) for each in (apart, share))
    return f"they differ by up to {absolute:.3g} (absolute) and {relative:.2g} (relative)"


def allowed(relative: float, absolute: float) -> str:
    """How far values may be apart.

    >>> allowed(1e-4, 1e-6)
    'allowed are 0.0001 of the value (relative) plus 1e-06 (absolute)'
    """
    return f"allowed are {relative:g} of the value (relative) plus {absolute:g} (absolute)"


def further(before: Any, after: Any) -> str:
    """How two answers differ that may differ as sums in another order do."""
    told = deviation(before, after)
    return f"{told}, {allowed(SAME_RELATIVE, SAME_ABSOLUTE)}" if "differ by" in told else told
