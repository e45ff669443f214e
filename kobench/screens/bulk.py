"""The summed counts of a population on a log scale, and how far chance moves them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kobench.cells import FloatArray, IntArray

#: What the counts of a population are scaled to before the logarithm.
BULK_TOTAL = 50_000.0

#: Cells of which a dense copy is made at once.
CELLS_AT_ONCE = 512


def summed(counts: Any, group: IntArray, k: int) -> FloatArray:
    """(k, G) the counts of each group of cells added up.

    Parameters
    ----------
    counts : (n, G) CSR matrix
        Counts of the cells.
    group : (n,) int
        The group of each cell, 0 to k - 1.
    k : int
        How many groups.
    """
    import scipy.sparse

    n = counts.shape[0]
    choose = scipy.sparse.csr_matrix((np.ones(n), (group, np.arange(n))), shape=(k, n))
    return np.asarray((choose @ counts.astype(np.float64)).toarray())


def log_bulk(sums: FloatArray) -> FloatArray:
    """(k, G) log(1 + 50,000 x share of each gene), of summed counts (k, G); 0 without counts."""
    total = sums.sum(axis=1, keepdims=True)
    per = np.divide(BULK_TOTAL, total, out=np.zeros_like(total), where=total > 0)
    bulk: FloatArray = np.log1p(sums * per)
    return bulk


def sampling_error(counts: Any) -> float:
    """The variance of the log bulk of n cells by which of them were sampled, summed over genes.

    Parameters
    ----------
    counts : (n, G) CSR matrix
        Counts of the cells of one population.

    Returns
    -------
    float
        0 for fewer than two cells, and for cells without counts.

    Notes
    -----
    The jackknife: v_i is the log bulk without cell i, and the variance (n - 1) / n times the sum of
    (v_i - mean of v)^2. It is taken about the bulk of all cells, so that no digits are lost.
    """
    cells = counts.astype(np.float64)
    n = cells.shape[0]
    together = np.asarray(cells.sum(axis=0)).ravel()
    total = float(together.sum())
    if n < 2 or total <= 0:
        return 0.0
    left = total - np.asarray(cells.sum(axis=1)).ravel()
    of_all = np.log1p(BULK_TOTAL * together / total)
    first, second = np.zeros(len(together)), np.zeros(len(together))
    for start in range(0, n, CELLS_AT_ONCE):
        part = slice(start, start + CELLS_AT_ONCE)
        rest = left[part, None]
        without = together - cells[part].toarray()
        without *= BULK_TOTAL
        without /= np.where(rest > 0, rest, 1.0)
        apart = np.where(rest > 0, np.log1p(without, out=without), 0.0) - of_all
        first += apart.sum(axis=0)
        second += np.einsum("ij,ij->j", apart, apart)
    squares = float((second - first**2 / n).sum())
    return float(max((n - 1) / n * squares, 0.0))
