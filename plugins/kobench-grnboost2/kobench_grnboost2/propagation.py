"""A knockout in each cell, propagated through a network of coefficients in a few steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

#: Numbers in one block of cells, so that memory does not grow with the cells asked about.
BLOCK = 5_000_000


def propagate(expression: Floats, weights: Any, removed: Ints, steps: int) -> Floats:
    """Change of each cell when the removed genes go to 0.

    d_0 = -x at the removed genes K, 0 elsewhere; d_t = max(d_{t-1} W, -x), then d_t = -x at K
    again. With W' = W but for columns K, which are 0, and as long as nothing would fall below 0,
    d_t = d_0 (1 + W' + ... + W'^t): all paths of up to t links from the removed genes. After the
    signal propagation of Kamimoto et al., Nature 614:742 (2023).

    Parameters
    ----------
    expression : (n, G) float
        x, >= 0.
    weights : (G, G) array or sparse
        W; [i, j] is the effect of i on j.
    removed : (k,) int
        Columns of the removed genes.
    steps : int
        Number of steps t.

    Returns
    -------
    (n, G) float
        d_t.
    """
    start = np.zeros(expression.shape)
    start[:, removed] = -expression[:, removed]
    change = start
    transposed = weights.T
    for _ in range(steps):
        change = np.asarray(transposed @ change.T).T
        change = np.maximum(change, -expression)
        change[:, removed] = start[:, removed]
    return change


def mean_change(expression: Floats, weights: Any, removed: Ints, steps: int) -> Floats:
    """Mean change (G,) over the cells that express every removed gene; 0 where no cell does.

    The other cells have nothing to lose, and the measured change that this is compared with is that
    of cells that lost the gene.

    Parameters
    ----------
    expression, weights, removed, steps
        See `propagate`.
    """
    total = np.zeros(expression.shape[1])
    cells = np.flatnonzero((expression[:, removed] > 0).all(axis=1))
    if not len(cells) or not len(removed):
        return total
    step = max(1, BLOCK // expression.shape[1])
    for first in range(0, len(cells), step):
        block = np.asarray(expression[cells[first : first + step]], np.float64)
        total += propagate(block, weights, removed, steps).sum(axis=0)
    mean: Floats = total / len(cells)
    return mean
