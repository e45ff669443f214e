"""Counts to the working scale (log1p-cp10k), and which genes a dataset keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import BoolArray, IntArray
from kobench.datasets.matrices import tidy
from kobench.datasets.parts import detected, ends_of, row_blocks, row_sums, stored

#: A cell's counts are brought to this total before the logarithm ("CP10k").
TARGET_TOTAL = 1e4


def normalise(counts: Any, totals: npt.ArrayLike | None = None, share: bool = False) -> Any:
    """Counts brought to the working scale, log(1 + 10,000 * count / total).

    Parameters
    ----------
    counts : (n, G) array or sparse matrix, >= 0
    totals : (n,) float, or None for the row sums
        Each cell's counts over *all* genes of its source, for matrices that keep only some.
    share : bool
        Whether a sparse result may have the columns of `counts` in the same memory. Whoever changes
        the columns of one then changes the other.

    Returns
    -------
    (n, G) array or canonical CSR matrix, float32
        Sparse where `counts` are. A row whose total is 0 stays 0.

    Raises
    ------
    ValueError
        Where `totals` has the wrong length, is not finite, or is not positive for a row that has
        counts.

    Notes
    -----
    The same as scanpy's `normalize_total(target_sum=1e4)` and `log1p`, but for `totals`.

    Examples
    --------
    >>> normalise(np.array([[1.0, 3.0, 0.0]]), totals=[10_000])
    array([[0.6931472, 1.3862944, 0.       ]], dtype=float32)
    """
    counts = tidy(counts)
    sums = row_sums(counts)
    size = sums if totals is None else np.asarray(totals, dtype=np.float64)
    if size.shape != sums.shape:
        raise ValueError(
            f"totals has shape {size.shape}; expected {sums.shape}, one total for each cell"
        )
    if not np.all(np.isfinite(size)) or np.any((size <= 0) & (sums > 0)):
        raise ValueError("totals must be finite, and positive for every cell that has counts")
    factor = np.divide(TARGET_TOTAL, size, out=np.zeros_like(size), where=size > 0)
    ends, values = ends_of(counts), stored(counts)
    logs = np.empty(len(values), dtype=np.float32)
    for first, behind in row_blocks(ends):
        part = slice(ends[first], ends[behind])
        factors = np.repeat(factor[first:behind], np.diff(ends[first : behind + 1]))
        logs[part] = np.log1p(values[part].astype(np.float64) * factors)
    if not scipy.sparse.issparse(counts):
        return logs.reshape(counts.shape)
    places = counts.indices, counts.indptr
    indices, indptr = places if share else (place.copy() for place in places)
    return scipy.sparse.csr_matrix((logs, indices, indptr), shape=counts.shape)


def choose_genes(wild_type: Any, genes: int = 0, keep: npt.ArrayLike = ()) -> BoolArray:
    """Which genes a dataset keeps, decided by wild-type cells only.

    A gene that no wild-type cell expresses is dropped: nothing about it can be learnt from
    wild-type cells, and none of them can be asked to lose it.

    Parameters
    ----------
    wild_type : (n, G) array or sparse matrix, >= 0
    genes : int
        How many genes stay, those detected in the most cells (of equals the earlier column); 0
        keeps all.
    keep : (m,) int
        Columns that stay in any case, and count among the `genes`: the perturbed genes.

    Returns
    -------
    (G,) bool
    """
    return choose_seen(detected(tidy(wild_type)), genes, keep)


def choose_seen(cells: IntArray, genes: int = 0, keep: npt.ArrayLike = ()) -> BoolArray:
    """`choose_genes` by the number of wild-type cells that express each gene, (G,)."""
    chosen: BoolArray = np.zeros(len(cells), dtype=bool)
    chosen[np.asarray(keep, dtype=np.intp)] = True
    candidates = np.flatnonzero((cells > 0) & ~chosen)
    if genes > 0:
        candidates = candidates[np.argsort(-cells[candidates], kind="stable")]
        candidates = candidates[: max(0, genes - int(chosen.sum()))]
    chosen[candidates] = True
    return chosen


def zeros(matrix: Any) -> float:
    """Share of the entries of a matrix (n, G) that are 0, to four digits."""
    on = int(detected(tidy(matrix)).sum())
    return round(1.0 - float(on) / float(np.prod(matrix.shape)), 4)
