"""A hash of the cells as predictors are given them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import Cells
from kobench.datasets.matrices import tidy


def digest(cells: Cells) -> str:
    """sha256 of the cells' content: shape, gene names, obs, X and layers.

    Every value is taken as float64, so equal content gives an equal digest, whether dense or
    sparse, float32 or float64, in whatever memory order.
    """
    head = {
        "shape": cells.shape,
        "var_names": [str(name) for name in cells.var_names],
        "obs": {name: [str(value) for value in column] for name, column in cells.obs.items()},
        "layers": sorted(cells.layers),
    }
    sha = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for matrix in (cells.X, *(cells.layers[name] for name in sorted(cells.layers))):
        for part in nonzero(matrix):
            sha.update(np.ascontiguousarray(part).data)
    return sha.hexdigest()


def nonzero(matrix: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """The values (m,) of a matrix that are not 0, row by row, and where they stand.

    Number of such values in each row (n,), their columns (m,), and the values, all little-endian.
    """
    if scipy.sparse.issparse(matrix):
        rows = tidy(matrix)
        lengths, columns, values = np.diff(rows.indptr), rows.indices, rows.data
    else:
        matrix = np.asarray(matrix)
        row, columns = np.nonzero(matrix)
        lengths, values = np.bincount(row, minlength=matrix.shape[0]), matrix[row, columns]
    return lengths.astype("<i8"), columns.astype("<i8"), values.astype("<f8")
