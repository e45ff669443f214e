"""Intervals, paired comparisons and rank intervals over independent blocks, in closed form.

A `Series` has one number for each block (network, or the cells of one data set). With two or more
blocks its mean has Student's t interval over them, and what lies inside a block adds nothing:
networks differ by more. With one block, what was drawn again inside it (cells, genes,
perturbations, pairs) gives the standard error instead. Differences and ratios are made block by
block and draw by draw. Index b of the draws is the same draw for every predictor, so what rows
share cancels. docs/intervals.md has the formulas and how often these intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import inf, sqrt

import numpy as np

from kobench.cells import FloatArray

#: Confidence of every interval that is printed.
LEVEL = 0.95

#: From so many blocks on, intervals are over blocks; one block alone has an interval of what was
#: drawn inside it.
ENOUGH = 2

#: Differences up to this are ties: floating-point noise must not make equal predictors differ.
TIE = 1e-9


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval.

    Attributes
    ----------
    value : float
        The value.
    low, high : float, or None
        The ends, both None where none can be given.
    """

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
    """One number for each of K blocks.

    Attributes
    ----------
    values : (K,) float
        The numbers.
    draws : (K, D) float, or None
        Values under bootstrap draws of what lies inside each block, NaN where a draw gives none;
        None where nothing was drawn.
    units : float
        How many units (cells, genes, perturbations) a draw takes, 0 where that is not known; of
        groups of cells, how many of one size they are worth.
    splits : (R,) float, or None
        Of one block the value in each of its R splits, where the draws are of the same units in all
        of them; None where there is one split, or nothing to add for several.
    """

    values: FloatArray
    draws: FloatArray | None = None
    units: float = 0.0
    splits: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def mean(self) -> float:
        """The mean over the blocks."""
        return float(self.values.mean())

    @cached_property
    def spread(self) -> Spread | None:
        """How far the mean strays; None where there is nothing to go by."""
        return joint_spread(self)


@dataclass(frozen=True, eq=False)
class Spread:
    """How far m means over the same blocks stray.

    Attributes
    ----------
    covariance : (m, m) float
        The covariance of the means.
    degrees : float
        The degrees of freedom that it was estimated with.
    """

    covariance: FloatArray
    degrees: float


def combine(function: Callable[..., FloatArray], *series: Series) -> Series:
    """A function of several series, block by block and draw by draw.

    Parameters
    ----------
    function : callable
        Takes as many arrays of one shape as there are series, and returns one of that shape.
    *series : Series
        Over the same K blocks. One column of draws fits any number of them.

    Returns
    -------
    Series
        Without draws unless all have them, and as many.
    """
    values = function(*(one.values for one in series))
    units = min((one.units for one in series if one.units), default=0.0)
    drawn = [one.draws for one in series if one.draws is not None]
    if len(drawn) < len(series) or len({draws.shape[1] for draws in drawn} - {1}) > 1:
        return Series(values, units=units)
    apart = [one.splits for one in series if one.splits is not None]
    alike = len(apart) == len(series) and len({len(splits) for splits in apart}) == 1
    return Series(values, function(*drawn), units, function(*apart) if alike else None)


@cache
def t_quantile(degrees: float, level: float = LEVEL) -> float:
    """The two-sided quantile of Student's t at a confidence.

    Parameters
    ----------
    degrees : float
        Degrees of freedom; infinity for the normal distribution.
    level : float
        The confidence.

    >>> round(t_quantile(2), 4), round(t_quantile(inf), 4)
    (4.3027, 1.96)
    """
    from scipy.special import ndtri, stdtrit

    tail = 0.5 + level / 2
    return float(ndtri(tail) if degrees == inf else stdtrit(degrees, tail))


def spread_of(*series: Series) -> Spread | None:
    """The covariance of the means of series, see `joint_spread`; that of one is made once."""
    return series[0].spread if len(series) == 1 else joint_spread(*series)


def joint_spread(*series: Series) -> Spread | None:
    """The covariance of the means of series over the same K blocks.

    Parameters
    ----------
    *series : Series
        One or more.

    Returns
    -------
    Spread or None
        None where there is nothing to go by.

    Notes
    -----
    K >= 2: the sample covariance of the block values over K, with K - 1 degrees of freedom. K = 1:
    the covariance of the draws inside the block, with n - 1 degrees of freedom, n the units drawn.
    It is multiplied by n / (n - 1), as drawing n of n units divides by n where an unbiased estimate
    divides by n - 1. Draws without a value (NaN) for one of the series are left out. To that, R
    splits of one block add their sample covariance over R, by which their mean strays from that of
    all splits; what units and splits do together is in both, so the sum is rather too large. The
    degrees are those of the sum for the first series.
    """
    if not series or len(series[0]) < 1:
        return None
    blocks = len(series[0])
    if blocks >= ENOUGH:
        return Spread(covariance_of(np.stack([one.values for one in series])) / blocks, blocks - 1)
    drawn = [one.draws[0] for one in series if one.draws is not None]
    if len(drawn) < len(series):
        return None
    draws = np.stack(np.broadcast_arrays(*drawn))
    draws = draws[:, np.isfinite(draws).all(axis=0)]
    units = min((one.units for one in series if one.units), default=0.0)
    if draws.shape[1] < 2 or 0 < units <= 1:
        return None
    factor, degrees = (units / (units - 1), units - 1.0) if units else (1.0, inf)
    inside = factor * covariance_of(draws)
    apart = [one.splits for one in series if one.splits is not None]
    if len(apart) < len(series) or len({len(splits) for splits in apart}) > 1:
        return Spread(inside, degrees)
    count = len(apart[0])
    of_splits = covariance_of(np.stack(apart)) / count
    both = inside[0, 0], of_splits[0, 0]
    return Spread(inside + of_splits, degrees_of_sum(both, (degrees, count - 1.0)))


def covariance_of(rows: FloatArray) -> FloatArray:
    """The sample covariance of m rows of n numbers, (m, m) float.

    To the last digit that of `np.cov`, which takes longer to look at its arguments than to use
    them: a board asks for some tens of thousands.

    >>> rows = np.array([[1.0, 2.0, 4.0], [0.5, 0.0, 7.0]])
    >>> bool((covariance_of(rows) == np.cov(rows)).all())
    True
    """
    apart = rows - rows.mean(axis=1)[:, None]
    found: FloatArray = np.dot(apart, apart.T)
    found *= np.true_divide(1, rows.shape[1] - 1)
    return found


def degrees_of_sum(variances: Sequence[float], degrees: Sequence[float]) -> float:
    """The degrees of freedom of a sum of independent estimates of variances.

    Notes
    -----
    (sum v)^2 / sum(v^2 / degrees): F. E. Satterthwaite, Biometrics Bull. 2:110 (1946). Never fewer
    than the fewest, never more than all together.

    >>> degrees_of_sum([1.0, 0.0], [14.0, 7.0]), degrees_of_sum([1.0, 1.0], [10.0, 10.0])
    (14.0, 20.0)
    """
    total = sum(variances)
    below = sum(v**2 / d for v, d in zip(variances, degrees, strict=True))
    return float(total**2 / below) if below > 0 else float(degrees[0])


def mean_interval(series: Series, level: float = LEVEL) -> Interval:
    """The mean over blocks, and t(degrees) standard errors to each side.

    Parameters
    ----------
    series : Series
        The values.
    level : float
        The confidence.

    Returns
    -------
    Interval
        Without ends where nothing says how far the mean strays.

    >>> found = mean_interval(Series(np.array([1.0, 2.0, 3.0])))  # t(2) = 4.3027, s = 1
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (2.0, -0.484, 4.484)
    """
    spread = spread_of(series)
    if spread is None:
        return Interval(series.mean)
    half = t_quantile(spread.degrees, level) * sqrt(spread.covariance[0, 0])
    return Interval(series.mean, series.mean - half, series.mean + half)


def ratio_interval(top: Series, bottom: Series) -> Interval:
    """The ratio of two means over the same blocks, with Fieller's interval.

    Parameters
    ----------
    top, bottom : Series
        Over the same blocks.

    Notes
    -----
    The interval holds every R for which mean(top - R bottom) does not differ from 0 by more than t
    standard errors. So it excludes 0 exactly where the interval of mean(top) does, and it is
    bounded exactly where the interval of mean(bottom) excludes 0: elsewhere none is given. E. C.
    Fieller, J. R. Stat. Soc. B 16:175 (1954).
    """
    value = top.mean / bottom.mean
    spread = spread_of(combine(lambda x, y: x - value * y, top, bottom), bottom)
    if spread is None:
        return Interval(value)
    # with q = R - value, the residual r = top - value bottom (of mean 0) and b = mean(bottom): (q
    # b)^2 <= t^2 (Vrr - 2 q Vrb + q^2 Vbb)
    own_spread = spread_of(top)
    degrees = spread.degrees if own_spread is None else own_spread.degrees
    squared = t_quantile(degrees) ** 2
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
