"""Least squares with coefficients >= 0 and a price on their sum, from products of features."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf as potrf
from scipy.linalg.lapack import dpotrs as potrs

from kobench_baselines.common import Floats, Ints

#: Slopes below this part of the largest one at the start count as 0.
TOLERANCE = 1e-10


def nonnegative_lasso(products: Floats, right: Floats, price: Floats) -> Floats:
    """Minimise b' H b / 2 - c' b + price' b over b >= 0, with H = F' F and c = F' y.

    Lawson and Hanson's active-set method (Solving Least Squares Problems, 1974, chapter 23) on the
    normal equations, where a price only changes the right-hand side. A feature that the chosen ones
    already explain to working precision is left out.

    Parameters
    ----------
    products : (p, p) float
        H.
    right : (p,) float
        c.
    price : (p,) float
        Prices, >= 0.

    Returns
    -------
    (p,) float
        b.
    """
    right = right - price
    b: Floats = np.zeros(len(right))
    chosen, usable = np.zeros(len(right), bool), np.diag(products) > 0
    least = TOLERANCE * float(np.abs(right).max(initial=0.0))
    for _ in range(3 * len(right)):
        slope = np.where(usable & ~chosen, right - products @ b, -np.inf)
        new = int(slope.argmax())
        if slope[new] <= least:
            break
        chosen[new] = True
        target = _solved(products, right, np.flatnonzero(chosen))
        if target is None or target[new] <= 0:
            usable[new] = chosen[new] = False
            continue
        while (target[chosen] <= 0).any():
            # go back along the line to where the first feature reaches 0, and drop that one
            falling = np.flatnonzero(chosen & (target <= 0))
            reach = b[falling] / (b[falling] - target[falling])
            b += reach.min() * (target - b)
            out = falling[reach <= reach.min()]
            chosen[out], b[out] = False, 0.0
            smaller = _solved(products, right, np.flatnonzero(chosen))
            if smaller is None:
                return b
            target = smaller
        b = target
    return b


def _solved(products: Floats, right: Floats, places: Ints) -> Floats | None:
    """The solution (p,) with only `places` free; None where their features are dependent."""
    inner = products[places[:, None], places]
    lower, failed = potrf(inner, lower=True)
    if failed or (lower.diagonal() ** 2 < 1e-10 * inner.diagonal()).any():
        return None
    solution = np.zeros(len(right))
    solution[places] = potrs(lower, right[places], lower=True)[0]
    return solution
