"""Intervals, paired comparisons and rank intervals over independent blocks (networks, cells, perturbations).

A `Series` has one number for each block. With five or more blocks its mean has a t interval. With fewer, a hierarchical bootstrap
draws the blocks and, inside each, one of the values that the harness stored under bootstrap draws of what lies inside it (cells or
genes). Index b of those inner draws is the same draw for every predictor, so differences and ratios are resampled jointly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray

#: Confidence of every interval.
LEVEL = 0.95

#: From so many blocks on, a t interval; with fewer, the hierarchical bootstrap.
ENOUGH = 5

#: Resamples of blocks in a bootstrap.
RESAMPLES = 2000

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
    """One number for each of K blocks: values (K,), and draws (K, D) inside the blocks or None where nothing was drawn."""

    values: FloatArray
    draws: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return float(self.values.mean())


@dataclass(frozen=True, eq=False)
class Resampling:
    """Which blocks (B, K) each of B resamples takes, and which of `draws` inner draws (B, K) of each; inner None: the block's value."""

    blocks: IntArray
    inner: IntArray | None = None
    draws: int = 0


def combine(function: Callable[..., FloatArray], *series: Series) -> Series:
    """Block by block and draw by draw, `function` of several series; without draws unless all have them."""
    values = function(*(one.values for one in series))
    if any(one.draws is None for one in series):
        return Series(values)
    return Series(values, function(*(one.draws for one in series)))


def t_quantile(degrees: int, level: float = LEVEL) -> float:
    """The two-sided quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + level / 2))


def t_interval(values: FloatArray, level: float = LEVEL) -> Interval:
    """The mean of (K,) values and its t interval, mean -+ t(K-1) s / sqrt(K); no interval for one value.

    >>> found = t_interval(np.array([1.0, 2.0, 3.0]))  # t(2) = 4.3027, s = 1
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (2.0, -0.484, 4.484)
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean)
    half = t_quantile(len(values) - 1, level) * float(np.std(values, ddof=1)) / np.sqrt(len(values))
    return Interval(mean, float(mean - half), float(mean + half))


def percentile_interval(value: float, draws: FloatArray | None, level: float = LEVEL) -> Interval:
    """A value with the percentile interval of its bootstrap draws (D,); draws that gave no value (NaN) are left out."""
    known = np.empty(0) if draws is None else draws[np.isfinite(draws)]
    if len(known) < 2:
        return Interval(value)
    low, high = np.quantile(known, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(value, float(low), float(high))


def make_resampling(blocks: int, inner: int, seed: int, size: int = RESAMPLES) -> Resampling | None:
    """How to resample `blocks` blocks with `inner` stored draws in each; None where there is nothing to go by.

    Five and more blocks: blocks with replacement. One: its inner draws as they are. Between: blocks with replacement, and for each
    one drawn a random one of its inner draws.
    """
    if blocks == 1 and inner > 0:
        return Resampling(np.zeros((inner, 1), dtype=np.intp), np.arange(inner)[:, None], inner)
    if blocks < ENOUGH and (blocks < 1 or inner < 1):
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.integers(blocks, size=(size, blocks))
    if blocks >= ENOUGH:
        return Resampling(drawn)
    return Resampling(drawn, rng.integers(inner, size=(size, blocks)), inner)


def resampled_means(series: Series, plan: Resampling | None) -> FloatArray | None:
    """The mean over blocks under each resample, (B,); None where the plan needs inner draws that the series lacks."""
    if plan is None:
        return None
    if plan.inner is None:
        means: FloatArray = series.values[plan.blocks].mean(axis=1)
        return means
    if series.draws is None or series.draws.shape[1] != plan.draws:
        return None
    means = series.draws[plan.blocks, plan.inner].mean(axis=1)
    return means


def mean_interval(series: Series, plan: Resampling | None) -> Interval:
    """The mean over blocks: with a t interval from five blocks on, else with that of the hierarchical bootstrap."""
    if len(series) >= ENOUGH:
        return t_interval(series.values)
    return percentile_interval(series.mean, resampled_means(series, plan))


def ratio_interval(top: Series, bottom: Series, plan: Resampling | None) -> Interval:
    """The ratio of two means over the same K blocks, both resampled jointly.

    From five blocks on: value -+ t(K-1) sqrt(K/(K-1)) s, with s the standard deviation of the resampled ratios; the root undoes the
    bootstrap's division by K instead of K-1. Percentiles of five blocks would cover 83 % instead of 95 %. With fewer: percentiles.
    """
    value = top.mean / bottom.mean
    tops, bottoms = resampled_means(top, plan), resampled_means(bottom, plan)
    if tops is None or bottoms is None:
        return Interval(value)
    ratios = np.divide(tops, bottoms, out=np.full_like(tops, np.nan), where=bottoms != 0)
    if len(top) < ENOUGH:
        return percentile_interval(value, ratios)
    blocks = len(top)
    half = t_quantile(blocks - 1) * np.sqrt(blocks / (blocks - 1)) * float(np.nanstd(ratios))
    return Interval(value, float(value - half), float(value + half))


def paired_difference(a: Series, b: Series, plan: Resampling | None) -> Interval:
    """The mean of a - b over the same blocks with its interval."""
    return mean_interval(combine(np.subtract, a, b), plan)


def rank_intervals(better: BoolArray) -> list[tuple[int, int]]:
    """The ranks that n predictors may have, from better[i, j]: i is significantly better than j.

    Rank 1 is the best; i lies between 1 + the number better than i and n - the number i is better than.

    >>> rank_intervals(np.array([[False, True, True], [False, False, False], [False, False, False]]))
    [(1, 1), (2, 3), (2, 3)]
    """
    n = len(better)
    return [(1 + int(better[:, i].sum()), n - int(better[i].sum())) for i in range(n)]


def beats(series: Sequence[Series], plan: Resampling | None) -> BoolArray:
    """(n, n) bool, whether series i lies significantly above series j in a paired comparison over the same blocks."""
    won = np.zeros((len(series), len(series)), dtype=bool)
    for i, a in enumerate(series):
        for j, b in enumerate(series[:i]):
            difference = paired_difference(a, b, plan)
            won[i, j], won[j, i] = difference.above, difference.below
    return won
