"""Every predictor against every other: who is told apart, and the ranks that follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kobench.board.numbers.intervals import Series, paired_difference
from kobench.cells import BoolArray

#: Gives series i and j as they are compared.
Pair = Callable[[int, int], tuple[Series, Series]]


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
    return [(1 + int(better[:, i].sum()), n - int(better[i].sum())) for i in range(n)]


def beats(
    series: Sequence[Series],
    smallest: float = 0.0,
    pair: Pair | None = None,
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

    Notes
    -----
    Each paired comparison over the same blocks is made at 95 %, uncorrected: two predictors are
    told apart, or not, whoever else is on the board.
    """
    won = np.zeros((len(series), len(series)), dtype=bool)
    for i, a in enumerate(series):
        for j, b in enumerate(series[:i]):
            difference = paired_difference(*(pair(i, j) if pair else (a, b)))
            if abs(difference.value) < smallest:
                continue
            won[i, j], won[j, i] = difference.above, difference.below
    return won
