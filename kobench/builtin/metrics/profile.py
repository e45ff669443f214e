"""Metrics of profiles: distances, correlations over present genes, change explained, and gene-gene
correlation kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from kobench.api import NotComputed, Parts, ProfileUnits
from kobench.api import bray_curtis as bray_curtis_rows
from kobench.builtin.metrics.ranks import (
    Correlations,
    GroupedSpearman,
    Groups,
    correlations_of_sums,
    rank_rows,
)
from kobench.cells import FloatArray

#: Above this share of zeros a pooled rank correlation mostly says which genes are present, and
#: those are given.
MOST_ZEROS = 0.6

#: Two genes' correlation is compared where this many cells have both.
MIN_CELLS_OF_PAIR = 10
#: Pairs are taken among this many genes at most, those that vary most in truth.
MOST_GENES_OF_PAIRS = 500
#: Correlations that differ by less are equal: their rounding is no information.
EQUAL_CORRELATIONS = 1e-9

#: (predicted, true, present), each (n, G) with a present gene in every row -> one correlation a
#: row.
RowCorrelations = Callable[[FloatArray, FloatArray, npt.NDArray[np.bool_]], Correlations]


def mean_of_rows(values: FloatArray, units: ProfileUnits) -> Parts:
    """The mean of one value a row, (n,), as Parts over the removed genes, or over the cells where
    nothing was removed.
    """
    return _ratio(values, np.ones(len(values)), units)


def _ratio(sums: FloatArray, weights: FloatArray, units: ProfileUnits) -> Parts:
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
    """Parts of the rows that fit a processor's cache, which is what these passes over large arrays
    wait for.
    """
    n, n_genes = units.true.shape
    step = max(1, 100_000 // max(1, n_genes))
    return (slice(start, start + step) for start in range(0, n, step))


def bray_curtis(units: ProfileUnits) -> Parts:
    """Mean over rows of sum|a - b| / sum(a + b)."""
    return mean_of_rows(bray_curtis_rows(units.predicted, units.true), units)


def jensen_shannon(units: ProfileUnits) -> Parts:
    """Mean over rows of the Jensen-Shannon divergence (base 2, not its root): H((a + b) / 2) -
    (H(a) + H(b)) / 2.
    """
    divergence = np.zeros(len(units.true))
    for part in _slices(units):
        p, q = (
            np.asarray(units.predicted[part], np.float64),
            np.asarray(units.true[part], np.float64),
        )
        divergence[part] = (_negative_entropy(p) + _negative_entropy(q)) / 2 - _negative_entropy(
            (p + q) / 2
        )
    return mean_of_rows(np.maximum(divergence, 0.0), units)


def _negative_entropy(rows: FloatArray) -> FloatArray:
    total: FloatArray = np.einsum("ij,ij->i", rows, np.log2(np.where(rows > 0, rows, 1.0)))
    return total


def rmse(units: ProfileUnits) -> Parts:
    """Mean over rows of the root mean square difference over all genes."""
    difference = np.asarray(units.predicted, np.float64) - units.true
    return mean_of_rows(np.sqrt(np.mean(difference * difference, axis=1)), units)


def explained_change(units: ProfileUnits) -> Parts:
    """1 - sum BC(predicted, true) / sum BC(null, true) over events: 0 = nothing responds, 1 = the
    truth, negative = worse than nothing.
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


def _pearson_rows(
    predicted: FloatArray, true: FloatArray, present: npt.NDArray[np.bool_]
) -> Correlations:
    size = present.sum(axis=1)
    a, b = _centred(predicted, present, size), _centred(true, present, size)
    return correlations_of_sums(*_sums_of_products(a, b), size.astype(np.float64))


def _sums_of_products(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of each row of a and b, sum ab, sum aa and sum bb."""
    return np.einsum("ij,ij->i", a, b), np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)


def _centred(
    values: FloatArray, present: npt.NDArray[np.bool_], size: npt.NDArray[np.int_]
) -> FloatArray:
    """Rows minus their mean over the present genes, 0 elsewhere; rows constant but for rounding
    become exactly 0.
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


def _spearman_rows(
    predicted: FloatArray, true: FloatArray, present: npt.NDArray[np.bool_]
) -> Correlations:
    a, b = rank_rows(predicted, present), rank_rows(true, present)
    return correlations_of_sums(*_sums_of_products(a, b), present.sum(axis=1).astype(np.float64))


def _mean_correlation(units: ProfileUnits, of_rows: RowCorrelations) -> Parts | float:
    """Rows whose truth is constant are left out; a constant answer to another row counts as 0; NaN
    where all answers are constant.
    """
    value, counted, answered = np.zeros(len(units.true)), np.zeros(len(units.true), bool), False
    for part in _slices(units):
        some = units.present[part].any(axis=1)
        rows = part if some.all() else np.flatnonzero(some) + part.start
        if some.any():
            found = of_rows(units.predicted[rows], units.true[rows], units.present[rows])
            value[rows], counted[rows] = found.value, found.true_varies
            answered |= bool((found.predicted_varies & found.true_varies).any())
    if not counted.any():
        raise NotComputed("in no row do the true values of the present genes differ")
    return (
        _ratio(np.where(counted, value, 0.0), counted.astype(np.float64), units)
        if answered
        else float("nan")
    )


def spearman_pooled(units: ProfileUnits) -> float:
    """Spearman's correlation over all entries of all rows at once, absent genes included: the
    figure of arXiv 2510.03359.
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


def coexpression(units: ProfileUnits) -> float:
    """Pearson's correlation, over pairs of genes, of their predicted with their true correlation
    across cells.

    A pair's correlation runs over the cells in which both genes are present, 10 or more, so that
    presence, which is given, earns nothing. Genes: those that vary in truth, at most the 500 that
    vary most. A pair whose prediction does not vary counts as 0.
    """
    true, present = np.asarray(units.true, np.float64), units.present
    seen = present.sum(axis=0)
    mean = np.where(present, true, 0.0).sum(axis=0) / np.maximum(seen, 1)
    variance = (np.where(present, true - mean, 0.0) ** 2).sum(axis=0) / np.maximum(seen, 1)
    usable = np.flatnonzero((seen >= MIN_CELLS_OF_PAIR) & (variance > 0))
    genes = usable[np.argsort(-variance[usable], kind="stable")[:MOST_GENES_OF_PAIRS]]
    of_truth, truth_varies = _pair_correlations(true[:, genes], present[:, genes])
    of_answer, _ = _pair_correlations(
        np.asarray(units.predicted[:, genes], np.float64), present[:, genes]
    )
    a, b = of_answer[truth_varies], of_truth[truth_varies]
    if len(b) < 2 or np.ptp(b) <= EQUAL_CORRELATIONS:
        raise NotComputed(
            f"too few pairs of genes are present together in {MIN_CELLS_OF_PAIR} cells or more"
        )
    if np.ptp(a) <= EQUAL_CORRELATIONS:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def _pair_correlations(
    values: FloatArray, present: npt.NDArray[np.bool_]
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Correlation of each pair of columns over the rows where both are present, (pairs,), and where
    it is defined; 0 elsewhere.
    """
    mask = present.astype(np.float64)
    mean = (values * mask).sum(axis=0) / np.maximum(mask.sum(axis=0), 1)
    x = np.where(
        present, values - mean, 0.0
    )  # centred first, so that the sums of squares below lose no digits
    upper = np.triu_indices(values.shape[1], 1)
    both, sums, squares, products = mask.T @ mask, x.T @ mask, (x * x).T @ mask, x.T @ x
    n = np.maximum(both, 1)
    spread = squares - sums * sums / n  # of the row gene over the cells of the pair
    varies = spread > 1e-10 * (x * x).sum(axis=0)[:, None]
    defined = ((both >= MIN_CELLS_OF_PAIR) & varies & varies.T)[upper]
    covariance = (products - sums * sums.T / n)[upper]
    scale = np.sqrt(np.where(defined, (spread * spread.T)[upper], 1.0))
    return np.where(defined, covariance / scale, 0.0), defined
