"""What a perturbation moves the mean correlation of centred changes by, beyond its own value.

It is in the mean that is taken out of all others.
"""

from __future__ import annotations

import numpy as np

from kobench.cells import FloatArray


def moves_of_others(predicted: FloatArray, true: FloatArray) -> FloatArray:
    """What each perturbation adds to the values of the others through their common mean.

    Parameters
    ----------
    predicted, true : (k, G) float
        Changes without their mean over the k perturbations, NaN at the gaps.

    Returns
    -------
    (k,) float64
        They add up to 0.

    Notes
    -----
    The jackknife's value of perturbation i is k m - (k - 1) m_i, m the mean correlation and m_i
    that of the others once i is left out (Tukey, Ann. Math. Stat. 29:614, 1958). Its distance from
    the mean of all of them is that of the correlation of i, and what is returned here. Without i, a
    centred change c of another one is c + c_i / (k - 1); so all m_i follow from products of rows.
    Gaps count as 0.
    """
    k = len(true)
    a, b = _about_their_mean(predicted), _about_their_mean(true)
    cross, of_a, of_b = a @ b.T, a @ a.T, b @ b.T
    values = _ratio(np.diagonal(cross), np.diagonal(of_a), np.diagonal(of_b))
    without = _ratio(*(_without(products) for products in (cross, of_a, of_b)))  # [j left out, i]
    np.fill_diagonal(without, 0.0)
    left = without.sum(axis=1) / (k - 1)
    jackknifed = -(k - 1) * left
    moves: FloatArray = (jackknifed - jackknifed.mean()) - (values - values.mean())
    return moves


def _without(products: FloatArray) -> FloatArray:
    """(k, k) products of two kinds of row i once row j is left out of their means, in [j, i].

    products : (k, k), row i of the one kind with row j of the other.
    """
    others = len(products) - 1
    own = np.diagonal(products)
    table: FloatArray = own[None, :] + (products + products.T) / others + own[:, None] / others**2
    return table


def _about_their_mean(rows: FloatArray) -> FloatArray:
    """(k, G) rows less their mean over the entries that are not NaN, and 0 at the others."""
    known = ~np.isnan(rows)
    values = np.where(known, rows, 0.0)
    mean = values.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, values - mean, 0.0)


def _ratio(xy: FloatArray, xx: FloatArray, yy: FloatArray) -> FloatArray:
    """Products over the root of both squares; 0 where one of these is 0."""
    defined = (xx > 0) & (yy > 0)
    root = np.sqrt(np.where(defined, xx * yy, 1.0))
    found: FloatArray = np.divide(xy, root, out=np.zeros(np.shape(xy)), where=defined)
    return found
