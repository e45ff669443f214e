"""Correlations of rows with gaps: row with row, and every row with every other.

They run over the columns that both rows have (are NaN in neither).
"""

from __future__ import annotations

import numpy as np

from kobench.builtin.metrics.rank_products import rank_products
from kobench.builtin.metrics.ranks import rank_rows
from kobench.cells import BoolArray, FloatArray, IntArray

#: Where leaving columns out keeps less than this share of a row's sum of squares, differences of
#: sums would be mostly rounding.
CANCELLED = 1e-6

#: Rows are ranked against each other in blocks of this many numbers, which stay in a processor's
#: cache.
NUMBERS_A_BLOCK = 32_768

#: What is left of a row after leaving columns out is constant if its sum of squares is under this
#: share of the whole.
CONSTANT = 1e-18


def correlate_rows(a: FloatArray, b: FloatArray, centre: bool = True) -> FloatArray:
    """Pearson's correlation of each row of a with that of b, or their cosine.

    Parameters
    ----------
    a, b : (n, G) float
        NaN at the gaps.
    centre : bool
        False for the cosine.

    Returns
    -------
    (n,) float64
        0 where either row is constant (for the cosine: 0 throughout). Equal rows give exactly 1.
    """
    valid = ~(np.isnan(a) | np.isnan(b))
    x, y = prepared(a, valid, centre), prepared(b, valid, centre)
    xx, yy, xy = (np.einsum("ij,ij->i", left, right) for left, right in ((x, x), (y, y), (x, y)))
    return ratio(xy, xx, yy)


def correlate_pairs(a: FloatArray, b: FloatArray, centre: bool = True) -> FloatArray:
    """The correlation of every row of a with every row of b, as `correlate_rows` defines it.

    Parameters
    ----------
    a : (n, G) float
    b : (m, G) float
        NaN at the gaps.
    centre : bool
        False for the cosine.

    Returns
    -------
    (n, m) float64
        Row i of a and row j of b in place [i, j].

    Notes
    -----
    Sums over the columns that both have are products of matrices with 0 in the gaps. The few pairs
    in which next to nothing of a row is left without the other's gaps are computed one by one.
    """
    mask_a, mask_b = ~np.isnan(a), ~np.isnan(b)
    x, y = prepared(a, mask_a, centre), prepared(b, mask_b, centre)
    on_a, on_b = mask_a.astype(np.float64), mask_b.astype(np.float64)
    xx, yy, xy = (x * x) @ on_b.T, on_a @ (y * y).T, x @ y.T
    whole_x, whole_y = np.einsum("ij,ij->i", x, x)[:, None], np.einsum("ij,ij->i", y, y)[None, :]
    if centre:
        n = np.maximum(on_a @ on_b.T, 1.0)
        sum_x, sum_y = x @ on_b.T, on_a @ y.T
        xx, yy, xy = xx - sum_x**2 / n, yy - sum_y**2 / n, xy - sum_x * sum_y / n
    out = ratio(xy, xx, yy)
    unsure = ((xx < CANCELLED * whole_x) & (whole_x > 0)) | (
        (yy < CANCELLED * whole_y) & (whole_y > 0)
    )
    rows, columns = np.nonzero(unsure)
    for start in range(0, len(rows), 256):
        i, j = rows[start : start + 256], columns[start : start + 256]
        common = mask_a[i] & mask_b[j]
        left = vanished(x[i], common, whole_x[i, 0], centre)
        right = vanished(y[j], common, whole_y[0, j], centre)
        out[i, j] = correlate_rows(left, right, centre)
    return out


def prepared(values: FloatArray, valid: BoolArray, centre: bool) -> FloatArray:
    """(n, G) rows on a scale of 1, less their mean over the valid columns, and 0 elsewhere."""
    rows = np.where(valid, values, 0.0)
    scale = np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
    rows = rows / np.where(scale > 0, scale, 1.0)
    if centre:
        constant = spread(np.where(valid, rows, np.nan)) == 0
        mean = rows.sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
        rows = np.where(valid, rows - mean[:, None], 0.0)
        rows[constant] = 0.0
    return rows


def vanished(rows: FloatArray, common: BoolArray, whole: FloatArray, centre: bool) -> FloatArray:
    """(n, G) rows on the common columns, NaN elsewhere.

    A constant where nothing but rounding is left of a row's sum of squares, `whole` (n,).
    """
    kept = prepared(rows, common, centre)
    scale = np.abs(np.where(common, rows, 0.0)).max(axis=1, initial=0.0) ** 2
    left = np.einsum("ij,ij->i", kept, kept) * scale
    kept[left <= CONSTANT * whole] = 0.0
    return np.where(common, kept, np.nan)


def ratio(xy: FloatArray, xx: FloatArray, yy: FloatArray) -> FloatArray:
    """xy / sqrt(xx yy), clipped to -1 to 1; 0 where either sum of squares is 0."""
    defined = (xx > 0) & (yy > 0)
    norm = np.sqrt(np.where(defined, xx * yy, 1.0))
    return np.clip(np.divide(xy, norm, out=np.zeros(np.shape(xy)), where=defined), -1.0, 1.0)


def spread(values: FloatArray) -> FloatArray:
    """(n,) largest minus smallest entry of each row (n, G) that is not NaN; 0 without any."""
    highest = np.fmax.reduce(values, axis=1, initial=-np.inf)
    lowest = np.fmin.reduce(values, axis=1, initial=np.inf)
    return np.where(highest >= lowest, highest - np.where(highest >= lowest, lowest, 0.0), 0.0)


def ranks(values: FloatArray) -> FloatArray:
    """(n, G) twice each entry's average rank in its row, counted from the middle.

    Among the row's entries that are not NaN; NaN stays NaN.
    """
    known = ~np.isnan(values)
    return np.where(known, rank_rows(values, known), np.nan)


def rank_correlate_rows(a: FloatArray, b: FloatArray) -> FloatArray:
    """(n,) Spearman's correlation, average ranks, of each row of a with that of b, both (n, G).

    0 where either row is constant.
    """
    gaps = np.isnan(a) | np.isnan(b)
    return correlate_rows(ranks(np.where(gaps, np.nan, a)), ranks(np.where(gaps, np.nan, b)))


def rank_correlate_pairs(a: FloatArray, b: FloatArray) -> FloatArray:
    """(n, m) Spearman's correlation of every row of a (n, G) with every row of b (m, G).

    As `rank_correlate_rows` defines it.

    Notes
    -----
    Rows are sorted once. Leaving out an entry of value v changes twice the rank, counted from the
    middle, of an entry of value w by -sign(w - v): larger ones move down by 1/2 and smaller ones up
    by 1/2 towards the new middle. Where each row has one gap at most, what that changes of the sums
    of products is found by itself, see `rank_products`.
    """
    at_a, at_b = gaps_of(a), gaps_of(b)
    if max(at_a.shape[1], at_b.shape[1]) > 1:
        return _correlate_left_out(a, b, at_a, at_b)
    return ratio(*rank_products(a, b, at_a, at_b))


def _correlate_left_out(a: FloatArray, b: FloatArray, at_a: IntArray, at_b: IntArray) -> FloatArray:
    """(n, m) the same, with entries left out one by one.

    at_a, at_b : (n, g), (m, g) columns of the gaps, see `gaps_of`.
    """
    of_a, of_b = np.nan_to_num(ranks(a)), np.nan_to_num(ranks(b))
    out = np.empty((len(a), len(b)))
    step = max(1, NUMBERS_A_BLOCK // max(1, a.shape[1]))
    for start in range(0, len(a), step):
        block = slice(start, start + step)
        values, columns = a[block], at_a[block]
        gaps = np.nonzero(np.isnan(values))
        for j in range(len(b)):
            common = at_b[j][at_b[j] >= 0]
            left, right = of_a[block].copy(), np.repeat(of_b[j][None], len(values), axis=0)
            for column in common:
                _leave_out(left, values, values[:, column])
            for column in columns.T:
                _leave_out(right, b[j], np.where(column >= 0, b[j][column], np.nan))
            for doubled in (left, right):
                doubled[gaps] = 0.0
                doubled[:, common] = 0.0
            xx, yy, xy = (
                np.einsum("ij,ij->i", x, y)
                for x, y in ((left, left), (right, right), (left, right))
            )
            out[block, j] = ratio(xy, xx, yy)
    return out


def gaps_of(values: FloatArray) -> IntArray:
    """(n, g) columns of the gaps in each row, -1 after the last one."""
    missing = np.isnan(values)
    counts = missing.sum(axis=1)
    columns = np.full((len(values), int(counts.max(initial=0))), -1, np.intp)
    columns[np.arange(columns.shape[1]) < counts[:, None]] = np.nonzero(missing)[1]
    return columns


def _leave_out(doubled: FloatArray, values: FloatArray, left_out: FloatArray) -> None:
    """Correct doubled ranks (n, G) in place for one entry a row that is left out.

    left_out : (n,) its value, NaN where nothing is left out of the row.
    """
    rows = np.flatnonzero(~np.isnan(left_out))
    of_rows = values if values.ndim == 1 else values[rows]
    doubled[rows] -= np.sign(of_rows - left_out[rows, None])
