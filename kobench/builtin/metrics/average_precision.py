"""Average precision: the area under the curve of precision over recall, in steps.

The sum over distinct thresholds of (recall gained) x (precision), without interpolation. Tied
scores enter together.
"""

from __future__ import annotations

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray


def average_precision(scores: FloatArray, positive: BoolArray) -> float:
    """Average precision of `scores` (n,) for the entries marked `positive` (n,).

    NaN where all scores are equal.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_tie = np.append(ordered[1:] != ordered[:-1], True)
    taken = np.flatnonzero(last_of_tie) + 1
    if len(taken) == 1:
        return float("nan")
    found = np.cumsum(positive[order])[last_of_tie]
    return float(np.sum(found / taken * np.diff(found, prepend=0)) / found[-1])


def average_precision_rows(scores: FloatArray, found: BoolArray) -> FloatArray:
    """Average precision of each row.

    Parameters
    ----------
    scores : (n, G) float
        NaN at the gaps.
    found : (n, G) bool
        The columns to be found.

    Returns
    -------
    (n,) float64
        A constant row gets the share of the columns to be found.
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
    """Average precision of every row of scores for every row of `found`, without the gaps of both.

    Parameters
    ----------
    scores : (n, G) float
        NaN at the gaps.
    found : (n, G) bool
        The columns to be found.

    Returns
    -------
    (n, n) float64
        Scores of row i for the columns of row j in place [i, j]; where none of these is left, their
        share in row j.
    """
    known = ~np.isnan(scores)
    wanted = [np.flatnonzero(row) for row in found & known]
    gaps = [np.flatnonzero(row) for row in ~known]
    out = np.empty((len(scores), len(scores)))
    for i, row in enumerate(scores):
        at_least = _at_least(row)
        for j, columns in enumerate(wanted):
            left = columns[known[i, columns]]
            if len(left):
                out[i, j] = _average_precision(at_least, left, gaps[j])
            else:
                out[i, j] = len(columns) / known[j].sum()
    return out


def _at_least(scores: FloatArray) -> IntArray:
    """(G,) how many entries are as large as each one or larger; past all others for NaN."""
    known = scores[~np.isnan(scores)]
    counts: IntArray = np.where(
        np.isnan(scores),
        len(scores) + 1,
        len(known) - np.searchsorted(np.sort(known), scores, side="left"),
    )
    return counts


def _average_precision(at_least: IntArray, wanted: IntArray, left_out: IntArray) -> float:
    """Average precision for the columns `wanted`, without the columns `left_out`.

    at_least : (G,) how many entries are as large as each one or larger.
    """
    places = np.sort(at_least[wanted])
    hits, taken = np.searchsorted(places, places, side="right"), places.copy()
    for place in at_least[left_out]:
        taken -= places >= place
    return float(np.mean(hits / taken))
