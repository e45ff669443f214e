"""Which genes differ between each group of cells and the control cells: rank sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray

#: What the counts of a cell are scaled to.
CELL_TOTAL = 1_000_000.0

#: A gene is tested where the control cells have more of it than this, in counts per million.
LEAST_IN_CONTROL = 5.0

#: Added to both means before their ratio is taken.
EPSILON = 1e-9


@dataclass(frozen=True, eq=False)
class Differences:
    """How k groups of cells differ from the control cells.

    Attributes
    ----------
    log_fold : (k, G) float
        log2 of the ratio of mean counts per million.
    p : (k, G) float
        Two-sided p values of the rank-sum test, NaN for genes that are not tested.
    adjusted : (k, G) float
        The same by the method of Benjamini and Hochberg, for each group over the tested genes.
    """

    log_fold: FloatArray
    p: FloatArray
    adjusted: FloatArray


def differences(counts: Any, group: IntArray, k: int, control: Any) -> Differences:
    """Compare each of k groups of cells with the control cells, gene by gene.

    Parameters
    ----------
    counts : (n, G) CSR matrix
        Counts of the perturbed cells.
    group : (n,) int
        The group of each, 0 to k - 1; every group has a cell.
    k : int
        How many groups.
    control : (m, G) CSR matrix
        Counts of the control cells.

    Notes
    -----
    Ranks are of log(1 + counts per million). Normal approximation with the variance corrected for
    ties and no continuity correction. A gene that is alike in all cells has p = 1. Which genes are
    tested is decided by the control cells alone: `LEAST_IN_CONTROL`.
    """
    from scipy.stats import false_discovery_control, norm

    ours, theirs = per_million(counts), per_million(control)
    size, m = np.bincount(group, minlength=k), theirs.shape[0]
    mean = _means(ours, group, k)
    mean_control = np.asarray(theirs.sum(axis=0)).ravel() / m
    log_fold = np.log2((mean + EPSILON) / (mean_control + EPSILON))
    tested = mean_control > LEAST_IN_CONTROL
    p = np.full(mean.shape, np.nan)
    np.log1p(ours.data, out=ours.data)
    np.log1p(theirs.data, out=theirs.data)
    both = (size + m).astype(np.float64)
    for gene, sums, ties in _by_gene(ours.tocsc(), theirs.tocsc(), group, size, tested):
        left = 1.0 - ties / (both**3 - both)
        spread = np.sqrt(left * size * m * (both + 1) / 12.0)
        away = sums - size * ((both + 1) / 2.0)
        z = np.divide(away, spread, out=np.zeros(k), where=spread > 0)
        p[:, gene] = 2.0 * norm.sf(np.abs(z))
    adjusted = np.full(p.shape, np.nan)
    if tested.any():
        for row, values in enumerate(p):
            adjusted[row, tested] = false_discovery_control(values[tested], method="bh")
    return Differences(log_fold, p, adjusted)


def per_million(counts: Any) -> Any:
    """(n, G) CSR counts per million of each cell, a float64 copy; a cell without counts stays 0."""
    import scipy.sparse

    scaled = scipy.sparse.csr_matrix(counts, dtype=np.float64, copy=True)
    scaled.sum_duplicates()
    scaled.eliminate_zeros()
    total = np.asarray(scaled.sum(axis=1)).ravel() / CELL_TOTAL
    # a quotient by a quotient, digit for digit as others do it: ties hang on the last digit
    scaled.data /= np.repeat(np.where(total > 0, total, 1.0), np.diff(scaled.indptr))
    return scaled


def _means(values: Any, group: IntArray, k: int) -> FloatArray:
    """(k, G) the mean of each group of cells."""
    import scipy.sparse

    n = values.shape[0]
    choose = scipy.sparse.csr_matrix((np.ones(n), (group, np.arange(n))), shape=(k, n))
    sums = np.asarray((choose @ values).toarray())
    return np.asarray(sums / np.bincount(group, minlength=k)[:, None])


def _by_gene(
    ours: Any, theirs: Any, group: IntArray, size: IntArray, tested: BoolArray
) -> Iterator[tuple[int, FloatArray, FloatArray]]:
    """Of each tested gene: its column, and the rank sum and the ties of every group.

    The rank sum of a group is taken among its own cells and the control cells; so are its ties, the
    sum of t^3 - t over values that t of these cells have. `ours` (n, G) and `theirs` (m, G) are CSC
    with values > 0, whose zeros are counted and never looked at.
    """
    k, m = len(size), theirs.shape[0]
    for gene in np.flatnonzero(tested).tolist():
        at = slice(ours.indptr[gene], ours.indptr[gene + 1])
        values, of = ours.data[at], group[ours.indices[at]]
        control = np.sort(theirs.data[theirs.indptr[gene] : theirs.indptr[gene + 1]])
        off, off_here = m - len(control), size - np.bincount(of, minlength=k)
        below = np.searchsorted(control, values, "left")
        upto = np.searchsorted(control, values, "right")
        wins = np.bincount(of, off + (below + upto) / 2.0, k) + off_here * (off / 2.0)
        sums = wins + size * (size + 1) / 2.0
        _, alone = np.unique(control, return_counts=True)
        zeros = (off + off_here).astype(np.float64)
        ties = float((alone**3.0 - alone).sum()) + (zeros**3 - zeros)
        order = np.lexsort((values, of))
        new = np.empty(len(order), bool)
        new[:1] = True
        new[1:] = (np.diff(of[order]) != 0) | (np.diff(values[order]) != 0)
        first = np.flatnonzero(new)
        here = np.diff(np.append(first, len(order))).astype(np.float64)
        there = (upto - below)[order][first].astype(np.float64)
        more = (here + there) ** 3 - (here + there) - (there**3 - there)
        yield gene, sums, ties + np.bincount(of[order][first], more, k)
