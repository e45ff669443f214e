"""Every predictor against every other: who is told apart, and the ranks that follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from math import inf

import numpy as np

from kobench.board.numbers.intervals import (
    ENOUGH,
    TIE,
    Series,
    paired_difference,
    t_quantile,
)
from kobench.cells import BoolArray, FloatArray

#: Gives series i and j as they are compared.
Pair = Callable[[int, int], tuple[Series, Series]]

#: A difference this near to a border, as a share of the larger of itself and its error, is made one
#: by one: sums of a whole matrix may have other last digits.
NEAR = 1e-9


def rank_intervals(better: BoolArray) -> list[tuple[int, int]]:
    """The ranks that n predictors may have; rank 1 is the best.

    Predictor i lies between 1 + the number better than i and n - the number that i is better than.

    Parameters
    ----------
    better : (n, n) bool
        better[i, j]: i is significantly better than j.

    >>> none = [False, False, False]
    >>> rank_intervals(np.array([[False, True, True], none, none]))
    [(1, 1), (2, 3), (2, 3)]
    """
    n = len(better)
    above, below = better.sum(axis=0).tolist(), better.sum(axis=1).tolist()
    return [(1 + above[i], n - below[i]) for i in range(n)]


def beats(
    series: Sequence[Series],
    smallest: float = 0.0,
    pair: Pair | None = None,
    alike: Sequence[Hashable] | None = None,
) -> BoolArray:
    """Whether series i lies significantly, and by enough to name it, above series j, (n, n) bool.

    Parameters
    ----------
    series : sequence of Series
        Over the same blocks.
    smallest : float
        The smallest difference of two means that counts.
    pair : callable, or None
        Where a pair is not compared over all that either has.
    alike : sequence of hashable, or None
        Series of one label are compared over all that either has, whatever `pair` would say; None:
        all where there is no `pair`, else none.

    Notes
    -----
    Each paired comparison over the same blocks is made at 95 %, uncorrected: two predictors are
    told apart, or not, whoever else is on the board. Series of one form are compared all at once;
    what is near a border, and all others, pair by pair.
    """
    n = len(series)
    won = np.zeros((n, n), dtype=bool)
    done = np.eye(n, dtype=bool)
    labels = alike if alike is not None else [0] * n if pair is None else range(n)
    forms: dict[Hashable, list[int]] = defaultdict(list)
    for i, one in enumerate(series):
        if (form := form_of(one)) is not None:
            forms[labels[i], form].append(i)
    for members in forms.values():
        if len(members) > 1:
            of_one_form(series, np.array(members), smallest, won, done)
    for i, j in np.argwhere(np.tril(~done)).tolist():
        difference = paired_difference(*(pair(i, j) if pair else (series[i], series[j])))
        if abs(difference.value) < smallest:
            continue
        won[i, j], won[j, i] = difference.above, difference.below
    return won


def form_of(one: Series) -> Hashable | None:
    """What series have in common that can be compared all at once; None for what can't be."""
    blocks = len(one)
    if not np.isfinite(one.values).all() or blocks < 1:
        return None
    if blocks >= ENOUGH:
        return (blocks,)
    if one.draws is None or one.draws.shape[1] < 2 or not np.isfinite(one.draws).all():
        return None
    splits = None if one.splits is None else len(one.splits)
    return 1, one.draws.shape[1], splits, one.units


def of_one_form(
    series: Sequence[Series],
    members: np.ndarray[tuple[int], np.dtype[np.int_]],
    smallest: float,
    won: BoolArray,
    done: BoolArray,
) -> None:
    """Compare some series of one form with each other; what is not near a border is written down.

    Parameters
    ----------
    series : sequence of Series
        All of them.
    members : (m,) int
        Which are compared.
    smallest : float
        As for `beats`.
    won, done : (n, n) bool
        Who is above whom, and which pairs are settled.
    """
    some = [series[i] for i in members.tolist()]
    values = np.stack([one.values for one in some])
    several = values.shape[1] >= ENOUGH
    draws = None if several else np.stack([one.draws[0] for one in some if one.draws is not None])
    apart = None if several or some[0].splits is None else splits_of(some)
    for place in range(1, len(members)):
        difference = values[place] - values[:place]
        mean = difference.mean(axis=1)
        if draws is None:
            variance = difference.var(axis=1, ddof=1) / values.shape[1]
            reach = np.full(place, t_quantile(values.shape[1] - 1))
        else:
            found = inside_of(draws[place] - draws[:place], some[place].units)
            if found is None:
                done[members[place], members[:place]] = done[members[:place], members[place]] = True
                continue
            variance, degrees = found
            reach = np.full(place, t_quantile(degrees))
            if apart is not None:
                more = (apart[place] - apart[:place]).var(axis=1, ddof=1) / apart.shape[1]
                reach = quantiles(degrees_of_sums(variance, more, degrees, apart.shape[1] - 1.0))
                variance = variance + more
        half = reach * np.sqrt(variance)
        size = NEAR * np.maximum(np.abs(mean), half)
        low, high = mean - half, mean + half
        sure = (np.abs(low - TIE) > size) & (np.abs(high + TIE) > size)
        if smallest > 0:
            sure &= np.abs(np.abs(mean) - smallest) > size
        named = sure & (np.abs(mean) >= smallest)
        one, others = members[place], members[:place]
        won[one, others] = named & (low > TIE)
        won[others, one] = named & (high < -TIE)
        done[one, others] = done[others, one] = sure


def splits_of(some: Sequence[Series]) -> FloatArray:
    """The values of series in each split, (m, R) float."""
    return np.stack([one.splits for one in some if one.splits is not None])


def inside_of(draws: FloatArray, units: float) -> tuple[FloatArray, float] | None:
    """The variances of means by draws inside a block, and their degrees of freedom.

    None where one unit was drawn, which says nothing. See `kobench.board.numbers.intervals`.
    """
    if 0 < units <= 1:
        return None
    factor, degrees = (units / (units - 1), units - 1.0) if units else (1.0, inf)
    return factor * draws.var(axis=1, ddof=1), degrees


def degrees_of_sums(one: FloatArray, two: FloatArray, first: float, second: float) -> FloatArray:
    """The degrees of freedom of sums of two variances, see `intervals.degrees_of_sum`."""
    below = one**2 / first + two**2 / second
    found: FloatArray = np.where(
        below > 0, (one + two) ** 2 / np.where(below > 0, below, 1.0), first
    )
    return found


def quantiles(degrees: FloatArray) -> FloatArray:
    """The two-sided quantile of Student's t for many degrees of freedom."""
    from scipy.special import stdtrit

    from kobench.board.numbers.intervals import LEVEL

    finite = np.isfinite(degrees)
    found: FloatArray = np.where(
        finite, stdtrit(np.where(finite, degrees, 1.0), 0.5 + LEVEL / 2), t_quantile(inf)
    )
    return found
