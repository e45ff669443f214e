"""Correlations and average precisions of rows with gaps: row with row, and every row with every
other, over the columns that both have.
"""

from __future__ import annotations

import numpy as np

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
    """(n,) Pearson's correlation of each row of a and b (n, G), or their cosine (`centre=False`),
    over columns that are NaN in neither.

    0 where either row is constant (for the cosine: 0 throughout). Equal rows give exactly 1.
    """
    valid = ~(np.isnan(a) | np.isnan(b))
    x, y = _prepared(a, valid, centre), _prepared(b, valid, centre)
    xx, yy, xy = (np.einsum("ij,ij->i", left, right) for left, right in ((x, x), (y, y), (x, y)))
    return _ratio(xy, xx, yy)


def correlate_pairs(a: FloatArray, b: FloatArray, centre: bool = True) -> FloatArray:
    """(n, m) the correlation of row i of a (n, G) and row j of b (m, G) in place [i, j], as
    `correlate_rows` defines it.

    Sums over the columns that both have are products of matrices with 0 in the gaps; the few pairs
    in which a row nearly vanishes with the other's gaps are computed one by one.
    """
    mask_a, mask_b = ~np.isnan(a), ~np.isnan(b)
    x, y = _prepared(a, mask_a, centre), _prepared(b, mask_b, centre)
    on_a, on_b = mask_a.astype(np.float64), mask_b.astype(np.float64)
    xx, yy, xy = (x * x) @ on_b.T, on_a @ (y * y).T, x @ y.T
    whole_x, whole_y = np.einsum("ij,ij->i", x, x)[:, None], np.einsum("ij,ij->i", y, y)[None, :]
    if centre:
        n = np.maximum(on_a @ on_b.T, 1.0)
        sum_x, sum_y = x @ on_b.T, on_a @ y.T
        xx, yy, xy = xx - sum_x**2 / n, yy - sum_y**2 / n, xy - sum_x * sum_y / n
    out = _ratio(xy, xx, yy)
    unsure = ((xx < CANCELLED * whole_x) & (whole_x > 0)) | (
        (yy < CANCELLED * whole_y) & (whole_y > 0)
    )
    rows, columns = np.nonzero(unsure)
    for start in range(0, len(rows), 256):
        i, j = rows[start : start + 256], columns[start : start + 256]
        common = mask_a[i] & mask_b[j]
        left, right = (
            _vanished(x[i], common, whole_x[i, 0], centre),
            _vanished(y[j], common, whole_y[0, j], centre),
        )
        out[i, j] = correlate_rows(left, right, centre)
    return out


def _prepared(values: FloatArray, valid: BoolArray, centre: bool) -> FloatArray:
    """Rows on a scale of 1, with their mean over the valid columns taken out, and 0 elsewhere."""
    rows = np.where(valid, values, 0.0)
    scale = np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
    rows = rows / np.where(scale > 0, scale, 1.0)
    if centre:
        constant = spread(np.where(valid, rows, np.nan)) == 0
        rows = np.where(
            valid, rows - (rows.sum(axis=1) / np.maximum(valid.sum(axis=1), 1))[:, None], 0.0
        )
        rows[constant] = 0.0
    return rows


def _vanished(rows: FloatArray, common: BoolArray, whole: FloatArray, centre: bool) -> FloatArray:
    """Rows on the common columns, NaN elsewhere; a constant where nothing but rounding is left of
    them.
    """
    kept = _prepared(rows, common, centre)
    scale = np.abs(np.where(common, rows, 0.0)).max(axis=1, initial=0.0) ** 2
    left = np.einsum("ij,ij->i", kept, kept) * scale
    kept[left <= CONSTANT * whole] = 0.0
    return np.where(common, kept, np.nan)


def _ratio(xy: FloatArray, xx: FloatArray, yy: FloatArray) -> FloatArray:
    defined = (xx > 0) & (yy > 0)
    norm = np.sqrt(np.where(defined, xx * yy, 1.0))
    return np.clip(np.divide(xy, norm, out=np.zeros(np.shape(xy)), where=defined), -1.0, 1.0)


def spread(values: FloatArray) -> FloatArray:
    """(n,) largest minus smallest entry of each row that is not NaN; 0 where there are none."""
    highest, lowest = (
        np.fmax.reduce(values, axis=1, initial=-np.inf),
        np.fmin.reduce(values, axis=1, initial=np.inf),
    )
    return np.where(highest >= lowest, highest - np.where(highest >= lowest, lowest, 0.0), 0.0)


def ranks(values: FloatArray) -> FloatArray:
    """(n, G) twice each entry's average rank among its row's entries that are not NaN, counted from
    the middle; NaN stays NaN.
    """
    known = ~np.isnan(values)
    return np.where(known, rank_rows(values, known), np.nan)


def rank_correlate_rows(a: FloatArray, b: FloatArray) -> FloatArray:
    """(n,) Spearman's correlation, average ranks, of each row of a and b (n, G) over columns that
    are NaN in neither; 0 for a constant.
    """
    gaps = np.isnan(a) | np.isnan(b)
    return correlate_rows(ranks(np.where(gaps, np.nan, a)), ranks(np.where(gaps, np.nan, b)))


def rank_correlate_pairs(a: FloatArray, b: FloatArray) -> FloatArray:
    """(n, m) Spearman's correlation of every row of a (n, G) with every row of b (m, G), as
    `rank_correlate_rows` defines it.

    Rows are sorted once. Leaving out an entry of value v changes an entry of value w by -sign(w -
    v) in twice the rank counted from the middle: larger ones move down by 1/2 and smaller ones up
    by 1/2 towards the new middle.
    """
    of_a, of_b = np.nan_to_num(ranks(a)), np.nan_to_num(ranks(b))
    at_a, at_b = _gaps(a), _gaps(b)
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
            out[block, j] = _ratio(xy, xx, yy)
    return out


def _gaps(values: FloatArray) -> IntArray:
    """(n, g) columns of the gaps in each row, -1 after the last one."""
    missing = np.isnan(values)
    counts = missing.sum(axis=1)
    columns = np.full((len(values), int(counts.max(initial=0))), -1, np.intp)
    columns[np.arange(columns.shape[1]) < counts[:, None]] = np.nonzero(missing)[1]
    return columns


def _leave_out(doubled: FloatArray, values: FloatArray, left_out: FloatArray) -> None:
    """Correct doubled ranks (n, G) in place for one entry a row, of value left_out (n,), that
    leaves; NaN leaves nothing.
    """
    rows = np.flatnonzero(~np.isnan(left_out))
    of_rows = values if values.ndim == 1 else values[rows]
    doubled[rows] -= np.sign(of_rows - left_out[rows, None])


def average_precision_rows(scores: FloatArray, found: BoolArray) -> FloatArray:
    """(n,) average precision of each row of scores (n, G), NaN in the gaps, for the columns `found`
    (n, G).

    sum over distinct thresholds of recall gained x precision. Tied scores enter together, so a
    constant row gets the share of `found`.
    """
    wanted = [np.flatnonzero(row) for row in found & ~np.isnan(scores)]
    nothing = np.empty(0, np.intp)
    return np.array(
        [
            _average_precision(_at_least(row), columns, nothing)
            for row, columns in zip(scores, wanted, strict=True)
        ]
    )


def average_precision_pairs(scores: FloatArray, found: BoolArray) -> FloatArray:
    """(n, n) average precision of row i of scores for row j of `found`, without the gaps of both.

    Where no column to be found is left, their share in row j.
    """
    known = ~np.isnan(scores)
    wanted, gaps = (
        [np.flatnonzero(row) for row in found & known],
        [np.flatnonzero(row) for row in ~known],
    )
    out = np.empty((len(scores), len(scores)))
    for i, row in enumerate(scores):
        at_least = _at_least(row)
        for j, columns in enumerate(wanted):
            left = columns[known[i, columns]]
            out[i, j] = (
                _average_precision(at_least, left, gaps[j])
                if len(left)
                else len(columns) / known[j].sum()
            )
    return out


def _at_least(scores: FloatArray) -> IntArray:
    """(G,) how many entries are as large as each one or larger; for NaN, a number past all
    others.
    """
    known = scores[~np.isnan(scores)]
    counts: IntArray = np.where(
        np.isnan(scores),
        len(scores) + 1,
        len(known) - np.searchsorted(np.sort(known), scores, side="left"),
    )
    return counts


def _average_precision(at_least: IntArray, wanted: IntArray, left_out: IntArray) -> float:
    """For the columns `wanted`, with the columns `left_out` taken away, by how many entries are as
    large as each one.
    """
    places = np.sort(at_least[wanted])
    hits, taken = np.searchsorted(places, places, side="right"), places.copy()
    for place in at_least[left_out]:
        taken -= places >= place
    return float(np.mean(hits / taken))
