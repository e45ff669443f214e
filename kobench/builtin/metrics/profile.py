"""Metrics of profiles: distances, correlations over present genes, and explained change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from kobench.api import NotComputed, Parts, ProfileUnits
from kobench.api import bray_curtis as bray_curtis_rows
from kobench.builtin.metrics.grouped_spearman import (
    Correlations,
    GroupedSpearman,
    correlations_of_sums,
)
from kobench.builtin.metrics.ranks import Groups, rank_rows
from kobench.cells import BoolArray, FloatArray, IntArray

#: Above this share of zeros a pooled rank correlation mostly says which genes are present, and
#: those are given.
MOST_ZEROS = 0.6

#: (predicted, true, present), each (n, G) with a present gene in every row, -> one correlation a
#: row.
RowCorrelations = Callable[[FloatArray, FloatArray, BoolArray], Correlations]


def mean_of_rows(values: FloatArray, units: ProfileUnits) -> Parts:
    """The mean of one value a row, (n,), as Parts.

    Over the removed genes, or over the cells where nothing was removed.
    """
    return _ratio(values, np.ones(len(values)), units)


def _ratio(sums: FloatArray, weights: FloatArray, units: ProfileUnits) -> Parts:
    """sum(sums) / sum(weights), both (n,), as Parts over genes or cells."""
    if len(sums) == 0:
        raise NotComputed("no profile was asked")
    groups = Groups.of(units.cells if units.genes is None else units.genes)
    starts = np.cumsum(groups.counts) - groups.counts
    return Parts(
        "cell" if units.genes is None else "gene",
        groups.ids,
        np.add.reduceat(sums[groups.order], starts),
        np.add.reduceat(weights[groups.order], starts),
    )


def _slices(units: ProfileUnits) -> Iterator[slice]:
    """Parts of the rows that fit a processor's cache: passes over large arrays wait for memory."""
    n, n_genes = units.true.shape
    step = max(1, 100_000 // max(1, n_genes))
    return (slice(start, start + step) for start in range(0, n, step))


def bray_curtis(units: ProfileUnits) -> Parts:
    """Mean over rows of the Bray-Curtis dissimilarity, sum|a - b| / sum(a + b).

    Bray & Curtis, Ecol. Monogr. 27:325 (1957).
    """
    return mean_of_rows(bray_curtis_rows(units.predicted, units.true), units)


def jensen_shannon(units: ProfileUnits) -> Parts:
    """Mean over rows of the Jensen-Shannon divergence, H((a + b) / 2) - (H(a) + H(b)) / 2.

    Base 2, and not its root. Lin, IEEE Trans. Inf. Theory 37:145 (1991).
    """
    divergence = np.zeros(len(units.true))
    for part in _slices(units):
        p = np.asarray(units.predicted[part], np.float64)
        q = np.asarray(units.true[part], np.float64)
        mean = (_negative_entropy(p) + _negative_entropy(q)) / 2
        divergence[part] = mean - _negative_entropy((p + q) / 2)
    return mean_of_rows(np.maximum(divergence, 0.0), units)


def _negative_entropy(rows: FloatArray) -> FloatArray:
    """(n,) sum p log2 p of each row (n, G)."""
    total: FloatArray = np.einsum("ij,ij->i", rows, np.log2(np.where(rows > 0, rows, 1.0)))
    return total


def rmse(units: ProfileUnits) -> Parts:
    """Mean over rows of the root mean square difference over all genes."""
    difference = np.asarray(units.predicted, np.float64) - units.true
    return mean_of_rows(np.sqrt(np.mean(difference * difference, axis=1)), units)


def explained_change(units: ProfileUnits) -> Parts:
    """How much of the change is explained, 1 - sum BC(predicted, true) / sum BC(null, true).

    BC is the Bray-Curtis dissimilarity, and sums run over events. 0: nothing responds; 1: the
    truth; negative: worse than that nothing responds.
    """
    if units.null is None:
        raise NotComputed("nothing was removed, so there is no change to explain")
    nothing = bray_curtis_rows(units.null, units.true)
    if not nothing.any():
        raise NotComputed("no profile changes beyond the removed gene")
    return _ratio(nothing - bray_curtis_rows(units.predicted, units.true), nothing, units)


def pearson(units: ProfileUnits) -> Parts | float:
    """Mean over rows of Pearson's correlation over the present genes."""
    return _mean_correlation(units, _pearson_rows)


def _pearson_rows(predicted: FloatArray, true: FloatArray, present: BoolArray) -> Correlations:
    """Pearson's correlation of each row over its present genes."""
    size = present.sum(axis=1)
    a, b = _centred(predicted, present, size), _centred(true, present, size)
    return correlations_of_sums(*_sums_of_products(a, b), size.astype(np.float64))


def _sums_of_products(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum ab, sum aa and sum bb of each row of a and b, (n, G); each (n,)."""
    return np.einsum("ij,ij->i", a, b), np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)


def _centred(values: FloatArray, present: BoolArray, size: IntArray) -> FloatArray:
    """(n, G) rows minus their mean over the present genes, 0 elsewhere.

    size : (n,) number of present genes. Rows that are constant but for rounding become exactly 0.
    """
    rows = np.where(present, np.asarray(values, np.float64), 0.0)
    mean = rows.sum(axis=1) / np.maximum(size, 1)
    centred = np.where(present, rows - mean[:, None], 0.0)
    constant = np.abs(centred).max(axis=1, initial=0.0) <= 1e-12 * np.abs(mean)
    centred[constant] = 0.0
    return centred


def spearman(units: ProfileUnits) -> Parts | float:
    """Mean over rows of Spearman's correlation, average ranks, over the present genes."""
    return _mean_correlation(units, _spearman_rows)


def _spearman_rows(predicted: FloatArray, true: FloatArray, present: BoolArray) -> Correlations:
    """Spearman's correlation of each row over its present genes."""
    a, b = rank_rows(predicted, present), rank_rows(true, present)
    return correlations_of_sums(*_sums_of_products(a, b), present.sum(axis=1).astype(np.float64))


def _mean_correlation(units: ProfileUnits, of_rows: RowCorrelations) -> Parts | float:
    """Mean over rows of a correlation.

    Rows whose truth is constant are left out. A constant answer to another row counts as 0; where
    all answers are constant there is no value (NaN).
    """
    value, counted = np.zeros(len(units.true)), np.zeros(len(units.true), bool)
    answered = False
    for part in _slices(units):
        some = units.present[part].any(axis=1)
        rows = part if some.all() else np.flatnonzero(some) + part.start
        if some.any():
            found = of_rows(units.predicted[rows], units.true[rows], units.present[rows])
            value[rows], counted[rows] = found.value, found.true_varies
            answered |= bool((found.predicted_varies & found.true_varies).any())
    if not counted.any():
        raise NotComputed("in no row do the true values of the present genes differ")
    if not answered:
        return float("nan")
    return _ratio(np.where(counted, value, 0.0), counted.astype(np.float64), units)


def spearman_pooled(units: ProfileUnits) -> float:
    """Spearman's correlation over all entries of all rows at once, absent genes included.

    The figure of arXiv 2510.03359, which presence alone earns.
    """
    if units.true.size == 0:
        raise NotComputed("no profile was asked")
    zeros = float(np.mean(units.true == 0))
    if zeros > MOST_ZEROS:
        raise NotComputed(
            f"{zeros:.0%} of the entries are 0; above {MOST_ZEROS:.0%} even the uniform answer"
            " scores well"
        )
    pooled = GroupedSpearman(
        units.predicted.ravel(), units.true.ravel(), np.array([units.true.size])
    ).correlations()
    if not pooled.true_varies[0]:
        raise NotComputed("the true values are all equal")
    return float(pooled.value[0]) if pooled.predicted_varies[0] else float("nan")
