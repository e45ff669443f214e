"""Cells that are exact copies of others, as where one file was put together of two that overlap."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import IntArray
from kobench.datasets.matrices import tidy
from kobench.datasets.parts import ends_of, stored


def first_equal(X: Any, *more: Any) -> IntArray:
    """For each cell the first one with the very same values.

    A memory of the training cells would answer for a copy among the asked ones without an error,
    so a split keeps copies together.

    Parameters
    ----------
    X, *more : (n, G), (m, G), ... arrays or sparse matrices
        Of one kind; their rows are numbered on.

    Returns
    -------
    (n + m + ...,) int
        Rows; its own where a cell is no copy of an earlier one.

    Examples
    --------
    >>> first_equal(np.array([[1, 0], [0, 2], [1, 0]])).tolist()
    [0, 1, 0]
    """
    seen: dict[bytes, int] = {}
    found = [
        seen.setdefault(digest, row)
        for row, digest in enumerate(chain(*(_digests(matrix) for matrix in (X, *more))))
    ]
    return np.array(found, dtype=np.int64)


def _digests(matrix: Any) -> Iterator[bytes]:
    """A hash of each row: the rows themselves would be a second copy of all cells."""
    rows = tidy(matrix)
    ends, values = ends_of(rows), stored(rows)
    columns = rows.indices if scipy.sparse.issparse(rows) else None
    for start, end in pairwise(ends):
        content = hashlib.blake2b((values[start:end] + 0.0).tobytes(), digest_size=16)
        if columns is not None:
            content.update(columns[start:end].tobytes())
        yield content.digest()


def copies(first: IntArray) -> int:
    """How many cells are copies of an earlier one, given `first_equal`."""
    return int((first != np.arange(len(first))).sum())
