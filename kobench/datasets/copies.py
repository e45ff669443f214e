"""Cells that are exact copies of others, as where one file was put together of two that overlap."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import IntArray
from kobench.datasets.matrices import tidy
from kobench.datasets.parts import ends_of, stored


def first_equal(X: Any) -> IntArray:
    """For each cell the first one with the very same values.

    A memory of the training cells would answer for a copy among the asked ones without an error,
    so a split keeps copies together.

    Parameters
    ----------
    X : (n, G) array or sparse matrix

    Returns
    -------
    (n,) int
        Rows; its own where a cell is no copy of an earlier one.

    Examples
    --------
    >>> first_equal(np.array([[1, 0], [0, 2], [1, 0]])).tolist()
    [0, 1, 0]
    """
    rows = tidy(X)
    ends, values = ends_of(rows), stored(rows)
    columns = rows.indices if scipy.sparse.issparse(rows) else None
    seen: dict[bytes, int] = {}
    found = np.empty(rows.shape[0], dtype=np.int64)
    for row in range(len(found)):
        part = slice(ends[row], ends[row + 1])
        # a hash: the rows themselves would be a second copy of all cells
        content = hashlib.blake2b((values[part] + 0.0).tobytes(), digest_size=16)
        if columns is not None:
            content.update(columns[part].tobytes())
        found[row] = seen.setdefault(content.digest(), row)
    return found


def copies(first: IntArray) -> int:
    """How many cells are copies of an earlier one, given `first_equal`."""
    return int((first != np.arange(len(first))).sum())
