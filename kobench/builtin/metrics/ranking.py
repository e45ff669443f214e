"""Metrics of a ranking of genes, and whether it is their abundance in other words."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import NotComputed, RankingUnits
from kobench.builtin.metrics.impact import RankCorrelation
from kobench.cells import FloatArray, IntArray

#: The top tenth of fewer genes is a handful, and its overlap mostly chance.
MIN_GENES_FOR_TOP = 200

spearman = RankCorrelation(None, "scores")


class WithAbundance:
    """Spearman's correlation of the predicted scores with the abundance of what is removed.

    Whatever the truth says. Near 1 (or -1) the answer is the abundance in other words. NaN for a
    constant answer.
    """

    correlation = RankCorrelation(None, "abundances")

    def __call__(self, units: RankingUnits) -> float:
        """The correlation; not computed where no abundance is known, or all are equal."""
        value = self.correlation(_in_place_of_truth(units))
        assert isinstance(value, float)
        return value

    def redrawn(self, units: RankingUnits, often: IntArray, block: IntArray) -> FloatArray:
        """(d,) the correlation in each of d draws, as `RankCorrelation.redrawn` gives it."""
        return self.correlation.redrawn(_in_place_of_truth(units), often, block)


with_abundance = WithAbundance()


def _in_place_of_truth(units: RankingUnits) -> RankingUnits:
    """The units with the abundance as their truth."""
    if units.abundance is None:
        raise NotComputed("no abundance is known")
    return replace(units, true=units.abundance)


def _check(units: RankingUnits) -> bool:
    """Whether the predicted scores differ at all; raises NotComputed where the true ones do not."""
    if len(units.true) == 0 or np.ptp(units.true) == 0:
        raise NotComputed("the true scores are all equal")
    return bool(np.ptp(units.predicted) > 0)


def kendall(units: RankingUnits) -> float:
    """Kendall's tau-b of predicted and true scores; NaN for a constant answer.

    Notes
    -----
    (concordant - discordant) / sqrt((pairs - tied in one) (pairs - tied in the other)): Kendall,
    Biometrika 33:239 (1945). O(n log n) after W. R. Knight, J. Am. Stat. Assoc. 61:436 (1966), with
    inversions counted bit by bit.
    """
    if not _check(units):
        return float("nan")
    x, y = _dense(units.predicted), _dense(units.true)
    n = len(x)
    pairs, tied_x, tied_y = n * (n - 1) // 2, _tied_pairs(x), _tied_pairs(y)
    tied_both = _tied_pairs(_dense(x * (int(y.max()) + 1) + y))
    discordant = _inversions(y[np.lexsort((y, x))])
    difference = pairs - tied_x - tied_y + tied_both - 2 * discordant
    return float(difference / math.sqrt((pairs - tied_x) * (pairs - tied_y)))


def _dense(values: npt.NDArray[Any]) -> IntArray:
    """(n,) dense ranks from 0: equal values get equal numbers."""
    inverse: IntArray = np.unique(values, return_inverse=True)[1]
    return inverse


def _tied_pairs(dense: IntArray) -> int:
    """Number of pairs of equal entries."""
    counts = np.bincount(dense)
    return int(np.sum(counts * (counts - 1) // 2))


def _inversions(values: IntArray) -> int:
    """Number of pairs i < j with values[i] > values[j], for integers >= 0.

    A pair is told apart at the highest bit in which it differs: among entries that agree above that
    bit, the ones before each zero are counted.
    """
    total = 0
    for bit in range(int(values.max(initial=0)).bit_length()):
        above = values >> (bit + 1)
        order = np.argsort(above, kind="stable")
        prefix, one = above[order], (values[order] >> bit) & 1
        ones_before = np.cumsum(one) - one
        first_of_prefix = np.flatnonzero(np.diff(prefix, prepend=-1))
        base = np.repeat(ones_before[first_of_prefix], np.diff(first_of_prefix, append=len(values)))
        total += int(np.sum((ones_before - base)[one == 0]))
    return total


def ndcg(units: RankingUnits) -> float:
    """Normalised discounted cumulative gain over all genes; NaN for a constant answer.

    The gain is the true score.

    Notes
    -----
    DCG = sum gain / log2(place + 1), over the DCG of the true order: Järvelin & Kekäläinen, ACM
    Trans. Inf. Syst. 20:422 (2002). Tied predictions share the discounts of their places: McSherry
    & Najork, ECIR 2008.
    """
    varies = _check(units)
    if np.min(units.true) < 0:
        raise NotComputed("a true score is negative, and gains must be >= 0")
    if not varies:
        return float("nan")
    true = np.asarray(units.true, np.float64)
    return _dcg(np.asarray(units.predicted, np.float64), true) / _dcg(true, true)


def _dcg(scores: FloatArray, gains: FloatArray) -> float:
    """Discounted cumulative gain of genes in the order of their scores; both (n,)."""
    discounts = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(len(scores)) + 2))])
    run = np.unique(-scores, return_inverse=True)[1]
    counts = np.bincount(run)
    end = np.cumsum(counts)
    # the mean discount of the places that a tie takes
    shared = (discounts[end] - discounts[end - counts]) / counts
    return float(np.sum(np.bincount(run, weights=gains) * shared))


def top_tenth_overlap(units: RankingUnits) -> float:
    """Share of the k = n // 10 genes predicted highest that are among the k truly highest.

    A tie at the predicted cut takes its share of the remaining places (the expectation over every
    way to break it); genes tied with the k-th true score all count as true. NaN for a constant
    answer.
    """
    n = len(units.true)
    if n < MIN_GENES_FOR_TOP:
        raise NotComputed(f"{n} genes; the top tenth needs {MIN_GENES_FOR_TOP} or more")
    varies = _check(units)
    k = n // 10
    true_cut = np.sort(units.true)[n - k]
    in_truth = units.true >= true_cut
    if in_truth.sum() > 2 * k:
        raise NotComputed(f"{int(in_truth.sum())} genes share the top {k} places of the truth")
    if not varies:
        return float("nan")
    cut = np.sort(units.predicted)[n - k]
    above, at = units.predicted > cut, units.predicted == cut
    places_left = k - int(above.sum())
    share_of_tie = float(np.sum(in_truth & at)) / int(at.sum())
    hits = float(np.sum(in_truth & above)) + places_left * share_of_tie
    return hits / k
