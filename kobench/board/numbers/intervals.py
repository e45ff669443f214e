"""Intervals, paired comparisons and rank intervals over independent blocks (networks, cells,
perturbations), all in closed form.

A `Series` has one number for each block. With two or more blocks (networks) its mean has Student's
t interval over them, and what lies inside a block adds nothing: networks differ by more. With one
block, what was drawn again inside it (cells, genes, perturbations, pairs) gives the standard error
instead. Differences and ratios are made block by block and draw by draw, index b of the draws being
the same draw for every predictor, so what rows share cancels. docs/intervals.md has the formulas
and how often these intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from kobench.cells import BoolArray, FloatArray

#: Confidence of every interval.
LEVEL = 0.95

#: From so many blocks on, intervals are over blocks; one block alone has an interval of what was
#: drawn inside it.
ENOUGH = 2

#: Differences up to this are ties: floating-point noise must not make equal predictors differ.
TIE = 1e-9


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its 95 % interval, both None where none can be given."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def above(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low is not None and self.low > TIE

    @property
    def below(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.high is not None and self.high < -TIE


@dataclass(frozen=True, eq=False)
class Series:
    """One number for each of K blocks: values (K,).

    draws : (K, D) values under bootstrap draws of what lies inside each block, None where nothing
    was drawn. units : how many units (cells, genes, perturbations) such a draw takes, 0 where that
    is not known.
    """

    values: FloatArray
    draws: FloatArray | None = None
    units: int = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return float(self.values.mean())


@dataclass(frozen=True, eq=False)
class Spread:
    """How far means over the same blocks stray: covariance (m, m) of m means, and the degrees of
    freedom it was estimated with.
    """

    covariance: FloatArray
    degrees: float


def combine(function: Callable[..., FloatArray], *series: Series) -> Series:
    """Block by block and draw by draw, `function` of several series; without draws unless all have
    them, and as many.

    One column of draws fits any number of them.
    """
    values = function(*(one.values for one in series))
    units = min((one.units for one in series if one.units), default=0)
    drawn = [one.draws for one in series if one.draws is not None]
    if len(drawn) < len(series) or len({draws.shape[1] for draws in drawn} - {1}) > 1:
        return Series(values, units=units)
    return Series(values, function(*drawn), units)


def t_quantile(degrees: float, level: float = LEVEL) -> float:
    """The two-sided quantile of Student's t; of the normal distribution for infinitely many degrees
    of freedom.

    >>> round(t_quantile(2), 4), round(t_quantile(inf), 4)
    (4.3027, 1.96)
    """
    from scipy.special import ndtri, stdtrit

    tail = 0.5 + level / 2
    return float(ndtri(tail) if degrees == inf else stdtrit(degrees, tail))


def spread_of(*series: Series) -> Spread | None:
    """The covariance of the means of series over the same K blocks; None where there is nothing to
    go by.

    K >= 2: the sample covariance of the block values over K, with K - 1 degrees of freedom. K = 1:
    the covariance of the draws inside the block, with n - 1 degrees of freedom, n the units drawn,
    times n / (n - 1), as drawing n of n units divides by n where an unbiased estimate divides by n
    - 1. Draws without a value (NaN) for one of the series are left out.
    """
    if not series or len(series[0]) < 1:
        return None
    blocks = len(series[0])
    if blocks >= ENOUGH:
        return Spread(
            np.atleast_2d(np.cov(np.stack([one.values for one in series]), ddof=1)) / blocks,
            blocks - 1,
        )
    drawn = [one.draws[0] for one in series if one.draws is not None]
    if len(drawn) < len(series):
        return None
    draws = np.stack(np.broadcast_arrays(*drawn))
    draws = draws[:, np.isfinite(draws).all(axis=0)]
    units = min((one.units for one in series if one.units), default=0)
    if draws.shape[1] < 2 or units == 1:
        return None
    factor, degrees = (units / (units - 1), units - 1.0) if units else (1.0, inf)
    return Spread(factor * np.atleast_2d(np.cov(draws, ddof=1)), degrees)


def mean_interval(series: Series, level: float = LEVEL) -> Interval:
    """The mean over blocks, -+ t(degrees) standard errors; no interval where nothing says how far
    it strays.

    >>> found = mean_interval(Series(np.array([1.0, 2.0, 3.0])))  # t(2) = 4.3027, s = 1
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (2.0, -0.484, 4.484)
    """
    spread = spread_of(series)
    if spread is None:
        return Interval(series.mean)
    half = t_quantile(spread.degrees, level) * sqrt(spread.covariance[0, 0])
    return Interval(series.mean, series.mean - half, series.mean + half)


def ratio_interval(top: Series, bottom: Series, level: float = LEVEL) -> Interval:
    """The ratio of two means over the same blocks, with Fieller's interval.

    It holds every R for which mean(top - R bottom) does not differ from 0 by more than t standard
    errors. So it excludes 0 exactly where the interval of mean(top) does, and it is bounded exactly
    where the interval of mean(bottom) excludes 0: elsewhere none is given. E. C. Fieller, J. R.
    Stat. Soc. B 16:175 (1954).
    """
    value = top.mean / bottom.mean
    spread = spread_of(combine(lambda x, y: x - value * y, top, bottom), bottom)
    if spread is None:
        return Interval(value)
    # with q = R - value, the residual r = top - value bottom (of mean 0) and b = mean(bottom): (q
    # b)^2 <= t^2 (Vrr - 2 q Vrb + q^2 Vbb)
    squared = t_quantile(spread.degrees, level) ** 2
    rest, joint, own = (squared * spread.covariance[i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
    scale = bottom.mean**2 - own
    if scale <= 0:
        return Interval(value)
    root = sqrt(joint**2 + scale * rest)
    return Interval(
        value, float(value + (-joint - root) / scale), float(value + (-joint + root) / scale)
    )


def paired_difference(a: Series, b: Series) -> Interval:
    """The mean of a - b over the same blocks with its interval."""
    return mean_interval(combine(np.subtract, a, b))


def rank_intervals(better: BoolArray) -> list[tuple[int, int]]:
    """The ranks that n predictors may have, from better[i, j]: i is significantly better than j.

    Rank 1 is the best; i lies between 1 + the number better than i and n - the number i is better
    than.

    >>> rank_intervals(np.array([[False, True, True], [False, False, False], [False, False, False]]))
    [(1, 1), (2, 3), (2, 3)]
    """
    n = len(better)
    return [(1 + int(better[:, i].sum()), n - int(better[i].sum())) for i in range(n)]


def beats(series: Sequence[Series]) -> BoolArray:
    """(n, n) bool, whether series i lies significantly above series j in a paired comparison over
    the same blocks.

    Each comparison is made at 95 %, uncorrected: two predictors are told apart, or not, whoever
    else is on the board.
    """
    won = np.zeros((len(series), len(series)), dtype=bool)
    for i, a in enumerate(series):
        for j, b in enumerate(series[:i]):
            difference = paired_difference(a, b)
            won[i, j], won[j, i] = difference.above, difference.below
    return won
