"""Power: the smallest difference that would have been seen, by the error that a verdict goes by."""

from __future__ import annotations

from functools import cache
from math import isfinite, sqrt

import numpy as np

from kobench.board.numbers.intervals import Series, spread_of, t_quantile

#: With this power a difference counts as one that can be seen.
POWER = 0.8


def power_at(centre: float, degrees: float) -> float:
    """How often a difference of so many standard errors gets a 95 % interval beside 0.

    Parameters
    ----------
    centre : float
        The true difference over its true standard error.
    degrees : float
        Degrees of freedom with which that error is estimated.

    Notes
    -----
    The difference over its estimated error follows the noncentral t distribution. J. Cohen,
    Statistical Power Analysis for the Behavioral Sciences (2nd ed. 1988), chapter 2.

    >>> round(power_at(0.0, 14), 6), round(power_at(3.0127, 14), 3)
    (0.05, 0.8)
    """
    from scipy.special import nctdtr, ndtr

    reach = t_quantile(degrees)
    if not isfinite(degrees):
        return float(ndtr(centre - reach) + ndtr(-centre - reach))
    below = float(nctdtr(degrees, centre, reach))
    if not np.isfinite(below):  # so far out that the distribution can't be computed
        return 1.0
    return 1.0 - below + float(np.nan_to_num(nctdtr(degrees, centre, -reach)))


@cache
def errors_needed(degrees: float, power: float = POWER) -> float:
    """How many standard errors a difference has to have to be seen with this power.

    Notes
    -----
    To first order t(0.975) + t(0.80): the interval has to lie beside 0 although the difference is
    seen too small in one case of five. That is exact for a known error; for an estimated one the
    noncentral t distribution is. They agree to 1.2 % from 4 degrees on; with one it is 16.3 for
    14.1.

    >>> [round(errors_needed(degrees), 2) for degrees in (1, 4, 14, float("inf"))]
    [16.33, 3.76, 3.01, 2.8]
    """
    low, high = 0.0, 1.0
    while power_at(high, degrees) < power:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if power_at(middle, degrees) >= power else (middle, high)
    return high


def detectable(series: Series, smallest: float = 0.0) -> float | None:
    """The smallest true mean that would get a verdict with a power of 80 %.

    Parameters
    ----------
    series : Series
        What a verdict is about: differences from the floor.
    smallest : float
        The smallest difference that is named.

    Returns
    -------
    float or None
        None where nothing says how far the mean strays.

    Notes
    -----
    With the standard error and the degrees of freedom of `mean_interval`, which decides. To be
    named, a difference has to be seen at `smallest` or more, too, for which it has to be larger by
    t(0.80) errors.
    """
    spread = spread_of(series)
    if spread is None:
        return None
    error = sqrt(spread.covariance[0, 0])
    seen = errors_needed(spread.degrees) * error
    return max(seen, smallest + t_quantile(spread.degrees, 2 * POWER - 1) * error)
