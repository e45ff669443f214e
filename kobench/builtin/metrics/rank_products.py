"""Sums of products of ranks, of every row with every other, without the one gap of either."""

from __future__ import annotations

import numpy as np

from kobench.builtin.metrics.ranks import rank_rows
from kobench.cells import FloatArray, IntArray

#: Numbers of a block (1 MB), which stays in a processor's cache.
NUMBERS_A_BLOCK = 262_144


def rank_products(
    a: FloatArray, b: FloatArray, at_a: IntArray, at_b: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What Spearman's correlations of all rows of a with all rows of b are made of.

    Parameters
    ----------
    a, b : (n, G), (m, G) float
        NaN at the gaps, of which a row has one at most.
    at_a, at_b : (n, 0 or 1), (m, 0 or 1) int
        Columns of the gaps, -1 where a row has none.

    Returns
    -------
    xy, xx, yy : (n, m) float64
        Sums of products and squares of twice the average ranks, counted from the middle, among the
        columns that both rows have.

    Notes
    -----
    With A and B the ranks in the whole rows, and s and t what leaving the other row's gap out takes
    off, sum (A - s)(B - t) = sum AB - sum At - sum sB + sum st. The first is one product of
    matrices. The others are small beside it, by the number of columns, so they are summed in single
    precision; whole numbers up to 2^24 are exact there. Squares follow from the numbers of columns
    and of ties.
    """
    gap_a, gap_b = (
        gaps[:, 0] if gaps.shape[1] else np.full(len(gaps), -1) for gaps in (at_a, at_b)
    )
    of_a, of_b = (rank_rows(values, ~np.isnan(values)) for values in (a, b))
    xy = of_a @ of_b.T
    low_a, low_b = of_a.astype(np.float32), of_b.astype(np.float32)
    step = max(1, NUMBERS_A_BLOCK // max(1, a.shape[1]))
    room = np.empty((2, step, a.shape[1]), np.float32)
    for i, gap in enumerate(gap_a):
        for start in range(0, len(b), step):
            block = slice(start, start + step)
            off_a = _taken_off(low_a[i], gap, gap_b[block], room[0])
            off_b = _taken_off(low_b[block], gap_b[block], gap, room[1])
            xy[i, block] -= off_b @ low_a[i]
            left = np.subtract(low_b[block], off_b, out=off_b)
            xy[i, block] -= (off_a[:, None] @ left[:, :, None])[:, 0, 0]
    return xy, _squares(a, of_a, gap_a, gap_b), _squares(b, of_b, gap_b, gap_a).T


def _taken_off(
    ranks: FloatArray, own: IntArray | int, left_out: IntArray | int, room: FloatArray
) -> FloatArray:
    """What leaving out entries takes off ranks, 0 at the rows' own gaps: (c, G) float32, in `room`.

    Parameters
    ----------
    ranks : (G,) or (c, G) float32
        Of one row or of c rows.
    own : int or (c,) int
        Columns of their gaps, -1 for none.
    left_out : (c,) int or int
        Which column is left out, -1 for none.
    """
    c = np.broadcast(own, left_out).size
    own, left_out = np.broadcast_to(own, c), np.broadcast_to(left_out, c)
    rows = np.arange(c)
    at = ranks[left_out] if ranks.ndim == 1 else ranks[rows, left_out]
    off = np.subtract(ranks, at[:, None], out=room[:c])
    np.clip(off, -1.0, 1.0, out=off)  # ranks are whole numbers: the sign of their difference
    off[(left_out < 0) | (left_out == own)] = 0.0
    gaps = np.flatnonzero(own >= 0)
    off[gaps, own[gaps]] = 0.0
    return off


def _squares(
    values: FloatArray, doubled: FloatArray, own: IntArray, left_out: IntArray
) -> FloatArray:
    """(n, m) sums of squares of twice the ranks in rows (n, G), each without one more of m columns.

    n^3 - n, less t^3 - t for every run of t equal values, is 3 times the sum.
    """
    known = (~np.isnan(values)).sum(axis=1)[:, None]
    missing = (left_out < 0) | (left_out == own[:, None])
    ties = _ties(values)[:, left_out]
    whole = 3 * np.einsum("ij,ij->i", doubled, doubled)[:, None]
    without = known - 1
    # a run of t values that loses one of them takes off 3 t (t - 1) less than before
    fewer = (known**3 - known) - whole - 3 * ties * (ties - 1)
    squares: FloatArray = np.where(missing, whole, without**3 - without - fewer) / 3
    return squares


def _ties(values: FloatArray) -> IntArray:
    """(n, G) how many entries of its row (n, G) each entry is equal to, itself included."""
    found = np.empty(values.shape, np.int64)
    for row, counts in zip(values, found, strict=True):
        _, inverse, often = np.unique(row, return_inverse=True, return_counts=True)
        counts[:] = often[inverse.ravel()]
    return found
