"""Every score of the single-knockout and profile tasks from its formula.

They go by one row, group or draw at a time, by scipy and scikit-learn.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from scipy.spatial.distance import braycurtis, jensenshannon
from scipy.stats import kendalltau, pearsonr, spearmanr
from sklearn.metrics import average_precision_score, ndcg_score

from kobench.api import ImpactUnits, ProfileUnits, RankingUnits
from kobench.cells import FloatArray, IntArray

#: Groups of fewer cells have no correlation within a gene.
MIN_CELLS = 10

Pairs = Iterable[tuple[FloatArray, FloatArray]]


def mean_correlation(correlate: Callable[..., Any], pairs: Pairs, least: int = 2) -> float:
    """Mean of a correlation over pairs of arrays.

    Parameters
    ----------
    correlate : callable
        scipy's function of the correlation.
    pairs : iterable of two (k,) float
        Predicted and true values. Constant truths are left out; constant answers count 0.
    least : int
        Pairs with fewer values are left out.

    Returns
    -------
    float
        NaN where nothing is left, and where every answer is constant.
    """
    values, varies = [], False
    for predicted, true in pairs:
        if len(true) >= least and np.ptp(true) > 0:
            constant = np.ptp(predicted) == 0
            varies |= not constant
            values.append(0.0 if constant else float(correlate(predicted, true)[0]))
    return float(np.mean(values)) if varies else math.nan


def present_entries(units: ProfileUnits) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Predicted and true values of the present genes of each row."""
    for predicted, true, on in zip(units.predicted, units.true, units.present, strict=True):
        yield np.asarray(predicted[on], np.float64), true[on]


def groups_of(units: ImpactUnits, ids: IntArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Predicted and true values of each group."""
    for one in np.unique(ids):
        yield units.predicted[ids == one], units.true[ids == one]


def mean_over_rows(
    measure: Callable[[FloatArray, FloatArray], float],
) -> Callable[[ProfileUnits], float]:
    """The mean of `measure(predicted, true)` over rows."""
    return lambda units: float(
        np.mean(
            [
                measure(a.astype(np.float64), b)
                for a, b in zip(units.predicted, units.true, strict=True)
            ]
        )
    )


def divergence(a: FloatArray, b: FloatArray) -> float:
    """Jensen-Shannon divergence, base 2: the square of scipy's distance.

    Profiles add up to 1 here only to single precision.
    """
    middle = (a + b) / 2
    if abs(a.sum() - b.sum()) < 1e-12:
        return float(jensenshannon(a, b, base=2) ** 2)
    bits = [float(np.sum(p[p > 0] * np.log2(p[p > 0]))) for p in (a, b, middle)]
    return (bits[0] + bits[1]) / 2 - bits[2]


def explained_parts(units: ProfileUnits) -> tuple[list[float], list[float]]:
    """What is explained of each row, and what there is to explain.

    Returns
    -------
    explained : list of float
        BC(null, true) - BC(predicted, true) of each row.
    change : list of float
        BC(null, true) of each row.
    """
    assert units.null is not None
    nothing = [float(braycurtis(a, b)) for a, b in zip(units.null, units.true, strict=True)]
    left = [
        float(braycurtis(a.astype(np.float64), b))
        for a, b in zip(units.predicted, units.true, strict=True)
    ]
    return [a - b for a, b in zip(nothing, left, strict=True)], nothing


def explained_change(units: ProfileUnits) -> float:
    """1 - sum BC(predicted, true) / sum BC(null, true)."""
    gained, nothing = explained_parts(units)
    return sum(gained) / sum(nothing)


def pooled_profiles(units: ProfileUnits) -> float:
    """One Spearman's correlation over all entries."""
    return float(spearmanr(units.predicted.ravel().astype(np.float64), units.true.ravel())[0])


def coexpression(units: ProfileUnits) -> float:
    """Pearson's correlation over pairs of genes of predicted and true correlation.

    The correlation of a pair is over the cells that have both genes, 10 or more.
    """
    of_answer, of_truth = [], []
    for i in range(units.true.shape[1]):
        for j in range(i + 1, units.true.shape[1]):
            both = units.present[:, i] & units.present[:, j]
            true = units.true[both][:, [i, j]]
            if len(true) < MIN_CELLS or not np.ptp(true, axis=0).all():
                continue
            answer = units.predicted[both][:, [i, j]].astype(np.float64)
            of_truth.append(float(pearsonr(true[:, 0], true[:, 1])[0]))
            varies = np.ptp(answer, axis=0).all()
            of_answer.append(float(pearsonr(answer[:, 0], answer[:, 1])[0]) if varies else 0.0)
    return float(pearsonr(of_answer, of_truth)[0])


def auprc(units: ImpactUnits) -> float:
    """Average precision of finding true impacts above 0; NaN where all are, or none is."""
    found = units.true > 0
    if found.all() or not found.any():
        return math.nan
    return float(average_precision_score(found, units.predicted))


def top_tenth(units: RankingUnits) -> float:
    """Share of the tenth predicted highest that is truly in the highest tenth.

    It is NaN under 200 genes. There must be no ties at the cuts.
    """
    k = len(units.true) // 10
    if len(units.true) < 200:
        return math.nan
    return len(set(np.argsort(units.predicted)[-k:]) & set(np.argsort(units.true)[-k:])) / k


#: (kind of units, metric) -> its value, NaN where there is none.
SCORES: dict[tuple[str, str], Callable[[Any], float]] = {
    ("profile", "bray-curtis"): mean_over_rows(lambda a, b: float(braycurtis(a, b))),
    ("profile", "jensen-shannon"): mean_over_rows(divergence),
    ("profile", "rmse"): mean_over_rows(lambda a, b: math.sqrt(float(np.mean((a - b) ** 2)))),
    ("profile", "pearson"): lambda units: mean_correlation(pearsonr, present_entries(units)),
    ("profile", "spearman"): lambda units: mean_correlation(spearmanr, present_entries(units)),
    ("profile", "spearman-pooled"): pooled_profiles,
    ("profile", "coexpression"): coexpression,
    ("profile", "explained-change"): explained_change,
    ("impact", "spearman-within-cell"): lambda units: mean_correlation(
        spearmanr, groups_of(units, units.cells)
    ),
    ("impact", "spearman-within-gene"): lambda units: mean_correlation(
        spearmanr, groups_of(units, units.genes), MIN_CELLS
    ),
    ("impact", "spearman-pooled"): lambda units: float(spearmanr(units.predicted, units.true)[0]),
    ("impact", "mae"): lambda units: float(
        np.mean([abs(a - b) for a, b in zip(units.predicted, units.true, strict=True)])
    ),
    ("impact", "auprc"): auprc,
    ("ranking", "spearman"): lambda units: float(spearmanr(units.predicted, units.true)[0]),
    ("ranking", "kendall"): lambda units: float(kendalltau(units.predicted, units.true)[0]),
    ("ranking", "ndcg"): lambda units: float(ndcg_score(units.true[None], units.predicted[None])),
    ("ranking", "top-10-percent"): top_tenth,
}


def redrawn_ratio(
    sums: Iterable[float],
    weights: Iterable[float],
    ids: IntArray,
    draws: IntArray,
    distinct: IntArray,
) -> FloatArray:
    """Sum of sums over sum of weights in each draw, added up block by block.

    Parameters
    ----------
    sums, weights : iterable of float
        Of each unit.
    ids : (n,) int
        The block of each unit.
    draws : (d, b) int
        How often each of `distinct` is drawn.
    distinct : (b,) int
        The blocks.

    Returns
    -------
    (d,) float
        One ratio a draw.
    """
    total = {block: [0.0, 0.0] for block in distinct.tolist()}
    for block, a, b in zip(ids.tolist(), sums, weights, strict=True):
        total[block][0] += a
        total[block][1] += b
    values = []
    for often in draws:
        drawn = [
            (k * total[block][0], k * total[block][1])
            for block, k in zip(distinct.tolist(), often.tolist(), strict=True)
        ]
        values.append(sum(a for a, _ in drawn) / sum(b for _, b in drawn))
    return np.array(values)


def redrawn_within_cell(units: ImpactUnits, draws: IntArray, distinct: IntArray) -> FloatArray:
    """Mean (d,) over cells of Spearman's correlation over the drawn genes.

    Each gene counts as often as it is drawn; draws (d, b) as in `redrawn_ratio`.
    """
    values = []
    for often in draws:
        copies = often[np.searchsorted(distinct, units.genes)]
        pairs = []
        for cell in np.unique(units.cells):
            rows = np.flatnonzero(units.cells == cell)
            predicted = np.repeat(units.predicted[rows], copies[rows])
            pairs.append((predicted, np.repeat(units.true[rows], copies[rows])))
        values.append(mean_correlation(spearmanr, pairs))
    return np.array(values)


def redrawn_ranking(units: RankingUnits, draws: IntArray, distinct: IntArray) -> FloatArray:
    """Spearman's correlation (d,) over the drawn genes.

    It is NaN for a draw without two different values on either side; draws as in `redrawn_ratio`.
    """
    values = []
    for often in draws:
        copies = often[np.searchsorted(distinct, units.genes)]
        with warnings.catch_warnings(action="ignore"):  # of constant values
            drawn = np.repeat(units.predicted, copies), np.repeat(units.true, copies)
            values.append(float(spearmanr(*drawn)[0]))
    return np.array(values)
