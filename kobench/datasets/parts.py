"""Matrices of cells x genes gone through part by part, so that no second copy of one is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import IntArray

#: Numbers that are worked on at once: 4 MB in float32.
AT_ONCE = 1 << 20


def stored(matrix: Any) -> npt.NDArray[Any]:
    """(m,) all values of an array, or those that a sparse matrix stores, row by row."""
    return np.asarray(matrix.data if scipy.sparse.issparse(matrix) else matrix.ravel())


def parts(length: int) -> Iterator[slice]:
    """Slices that go through so many numbers."""
    for start in range(0, length, AT_ONCE):
        yield slice(start, min(start + AT_ONCE, length))


def row_blocks(
    ends: npt.NDArray[np.integer[Any]], at_once: int = AT_ONCE
) -> Iterator[tuple[int, int]]:
    """Rows, as (first, one behind the last), that hold about so many numbers together.

    Parameters
    ----------
    ends : (n + 1,) int
        Where each row starts and the last one ends, as `indptr` of a CSR matrix.
    at_once : int
        How many numbers; a single row may hold more.

    Examples
    --------
    >>> list(row_blocks(np.array([0, 700_000, 1_400_000, 1_400_001])))
    [(0, 1), (1, 3)]
    """
    row, rows = 0, len(ends) - 1
    while row < rows:
        behind = int(np.searchsorted(ends, ends[row] + at_once, side="right")) - 1
        behind = min(max(behind, row + 1), rows)
        yield row, behind
        row = behind


def ends_of(matrix: Any) -> npt.NDArray[np.integer[Any]]:
    """(n + 1,) where the numbers of each row of an array or a CSR matrix start among `stored`."""
    if scipy.sparse.issparse(matrix):
        return np.asarray(matrix.indptr)
    rows, columns = matrix.shape
    ends: IntArray = np.arange(rows + 1, dtype=np.int64) * columns
    return ends


def detected(matrix: Any) -> IntArray:
    """(G,) the number of cells of a matrix (n, G) in which each gene is on (> 0)."""
    found: IntArray = np.zeros(matrix.shape[1], dtype=np.int64)
    if scipy.sparse.issparse(matrix):
        for part in parts(len(matrix.data)):
            on = matrix.indices[part][matrix.data[part] > 0]
            found += np.bincount(on, minlength=len(found))
        return found
    for first, behind in row_blocks(ends_of(matrix)):
        found += (matrix[first:behind] > 0).sum(axis=0)
    return found


def row_sums(matrix: Any, chosen: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.float64]:
    """(n,) float64 sums of the rows of an array or a CSR matrix, over the `chosen` columns (G,)."""
    found = np.zeros(matrix.shape[0])
    weights = np.ones(matrix.shape[1]) if chosen is None else chosen.astype(np.float64)
    for first, behind in row_blocks(ends_of(matrix)):
        # a product: the sum of a sparse float32 matrix would be taken in float32
        found[first:behind] = rows_between(matrix, first, behind) @ weights
    return found


def rows_between(matrix: Any, first: int, behind: int) -> Any:
    """Rows of an array or a CSR matrix from `first` up to `behind`, without a copy of the values.

    They share memory with the matrix: do not change them.
    """
    if not scipy.sparse.issparse(matrix):
        return matrix[first:behind]
    start, end = matrix.indptr[first], matrix.indptr[behind]
    rows = scipy.sparse.csr_matrix(
        (
            matrix.data[start:end],
            matrix.indices[start:end],
            matrix.indptr[first : behind + 1] - start,
        ),
        shape=(behind - first, matrix.shape[1]),
    )
    rows.has_canonical_format = matrix.has_canonical_format
    return rows
