"""The counts of cells, which scTenifoldKnk starts from, whatever the working scale is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from kobench.api import Cells


def counts_of(cells: Cells, scale: str) -> npt.NDArray[np.float64]:
    """Counts of cells, or what is proportional to them within each cell.

    The method divides every cell by its total, so a factor of each cell does not matter.

    Parameters
    ----------
    cells : Cells
        (n, G), dense or sparse.
    scale : str
        The scale of X.

    Returns
    -------
    (n, G) float64
        The layer `counts` where there is one; else X if its scale is "counts" or "linear", and
        expm1(X) if it is "log1p" or "log1p-cp10k".

    Raises
    ------
    ValueError
        For any other scale.
    """
    if "counts" in cells.layers:
        return dense(cells.layers["counts"])
    if scale in ("counts", "linear"):
        return dense(cells.X)
    if scale in ("log1p", "log1p-cp10k"):
        return np.expm1(dense(cells.X))
    raise ValueError(
        f"the working scale is {scale!r}; expected counts, linear, log1p or log1p-cp10k, or a layer"
        " named counts"
    )


def dense(matrix: Any) -> npt.NDArray[np.float64]:
    """A copy of a matrix as a dense float64 array."""
    return np.array(
        matrix if isinstance(matrix, np.ndarray) else matrix.toarray(), dtype=np.float64
    )
