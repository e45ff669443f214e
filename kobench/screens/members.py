"""The six members of the score of the Virtual Cell Challenge 2026, one value a perturbation.

Every function takes tables as `measure` makes them: `predicted` and `true`, (k, 5, G) float, NaN at
a perturbation's own targets.
"""

from __future__ import annotations

import numpy as np

from kobench.cells import BoolArray, FloatArray
from kobench.screens.measure import ADJUSTED, BULK, EFFECT, FOLD, P

#: Below this adjusted p value a gene responds.
ALPHA = 0.05

#: Down to this share of right directions a ranking counts as pure.
PURITY = 0.9

#: Fold changes are compared over at least so many responding genes.
LEAST_RESPONDING = 10


def discrimination(predicted: FloatArray, true: FloatArray) -> FloatArray:
    """(k,) `pds-cosine`: the share of other perturbations that an answer is further from than from
    its own truth, by the cosine between effects; 0.5 by chance.

    Every gene that any perturbation removes is left out. Truths that are equally far count half.
    """
    return np.diagonal(alike(predicted, true)).copy()


def alike(predicted: FloatArray, true: FloatArray) -> FloatArray:
    """(k, k) the same of each answer, a row, with each of the truths, a column, for its own."""
    gone = np.isnan(true[:, EFFECT]).any(axis=0) | np.isnan(predicted[:, EFFECT]).any(axis=0)
    answers, truths = predicted[:, EFFECT][:, ~gone], true[:, EFFECT][:, ~gone]
    long = np.sqrt(np.einsum("ij,ij->i", answers, answers))[:, None] * np.sqrt(
        np.einsum("ij,ij->i", truths, truths)
    )
    cosines = np.divide(answers @ truths.T, long, out=np.zeros_like(long), where=long != 0)
    away = np.clip(1.0 - cosines, 0.0, 2.0)
    ordered = np.sort(away, axis=1)
    before = np.empty_like(away)
    for row, (values, own) in enumerate(zip(ordered, away, strict=True)):
        nearer, upto = (np.searchsorted(values, own, side=side) for side in ("left", "right"))
        before[row] = nearer + (upto - nearer - 1) / 2.0
    return np.asarray(1.0 - before / max(len(away) - 1, 1))


def squared_error(
    predicted: FloatArray, true: FloatArray, error: FloatArray, true_error: FloatArray
) -> FloatArray:
    """(k,) the mean over genes of the squared difference of log bulks, less what sampling adds.

    `error` and `true_error` (k,) are the sampling variances. What is taken off for the answer's is
    never more than for the truth's, and over all perturbations not more than their log bulks differ
    by: cells that scatter about a mean which is pinned earn nothing.
    """
    apart = predicted[:, BULK] - true[:, BULK]
    genes = (~np.isnan(apart)).sum(axis=1)
    weight = np.divide(1.0, genes, out=np.zeros(len(genes)), where=genes > 0)
    taken = np.minimum(error, true_error)
    claim = float((taken * weight).sum())
    if claim > 0:
        taken = taken * min(spread(predicted[:, BULK], weight) / claim, 1.0)
    total = np.nansum(apart**2, axis=1)
    return _over((total - taken - true_error), genes)


def spread(bulk: FloatArray, weight: FloatArray) -> float:
    """How much log bulks (k, G) differ between perturbations: squares, weighted (k,), summed."""
    known = ~np.isnan(bulk)
    share = np.where(known, weight[:, None], 0.0)
    away = np.where(known, bulk - np.nanmean(np.where(known, bulk, 0.0), axis=0), 0.0)
    total = share.sum(axis=0)
    first, second = (share * away).sum(axis=0), (share * away**2).sum(axis=0)
    kept = (known.sum(axis=0) >= 2) & (total > 0)
    each = second[kept] - first[kept] ** 2 / total[kept]
    return float(np.maximum(each, 0.0).sum())


def squared_effect(true: FloatArray, true_error: FloatArray, control_error: float) -> FloatArray:
    """(k,) the mean over genes of the squared effect, less what sampling adds."""
    genes = (~np.isnan(true[:, EFFECT])).sum(axis=1)
    total = np.nansum(true[:, EFFECT] ** 2, axis=1)
    return _over(total - true_error - control_error, genes)


def direction_fidelity(predicted: FloatArray, true: FloatArray) -> FloatArray:
    """(k,) how many genes are called in the right direction, of those that are called or respond.

    Over the larger of the two numbers. NaN where no gene is called and none responds.
    """
    called = responding(predicted) & says_direction(true)
    right = (called & _agree(predicted, true)).sum(axis=1)
    most = np.maximum(called.sum(axis=1), responding(true).sum(axis=1))
    return _over(right, most)


def direction_reach(predicted: FloatArray, true: FloatArray) -> FloatArray:
    """(k,) how far down an answer's ranking of the responding genes directions stay right.

    The largest number of genes, most significant in the answer first, of which a share of `PURITY`
    or more has the right direction; over the number of genes that respond. NaN where none does.
    """
    responds = responding(true)
    agree, says = _agree(predicted, true), says_direction(true) & ~np.isnan(predicted[:, ADJUSTED])
    reach = np.full(len(true), np.nan)
    for row in np.flatnonzero(responds.any(axis=1)).tolist():
        pool = np.flatnonzero(responds[row] & says[row])
        adjusted, p = predicted[row, ADJUSTED, pool], predicted[row, P, pool]
        fold = np.nan_to_num(np.abs(predicted[row, FOLD, pool]), nan=-np.inf)
        right = agree[row, pool]
        # of genes that are alike in all of this the wrong ones come first
        order = np.lexsort((right, -fold, p, adjusted))
        depth = np.arange(1, len(pool) + 1)
        pure = depth[np.cumsum(right[order]) / depth >= PURITY]
        reach[row] = pure.max(initial=0) / responds[row].sum()
    return reach


def significance_jaccard(predicted: FloatArray, true: FloatArray) -> FloatArray:
    """(k,) genes that respond in both over genes that respond in either; 1 where none does."""
    ours, theirs = responding(predicted), responding(true)
    either = (ours | theirs).sum(axis=1)
    return np.where(either > 0, (ours & theirs).sum(axis=1) / np.maximum(either, 1), 1.0)


def fold_error(
    predicted: FloatArray, true: FloatArray, gate: FloatArray | None = None
) -> FloatArray:
    """(k,) the mean absolute error of log2 fold changes over the responding genes, relative.

    Over their mean absolute log2 fold change. A fold change that the answer lacks is 0. NaN for
    perturbations with fewer than `LEAST_RESPONDING` responding genes. With a third table, `gate`,
    the responding genes and their fold changes are that one's.
    """
    given = true if gate is None else gate
    genes = responding(given) & np.isfinite(given[:, FOLD])
    count = genes.sum(axis=1)

    def mean(values: FloatArray) -> FloatArray:
        return _over(np.where(genes, values, 0.0).sum(axis=1), count)

    ours, theirs = (
        np.where(np.isfinite(table[:, FOLD]) & ~np.isnan(table[:, P]), table[:, FOLD], 0.0)
        for table in (predicted, true)
    )
    relative = _over(mean(np.abs(ours - theirs)), mean(np.abs(given[:, FOLD])))
    return np.where(count >= LEAST_RESPONDING, relative, np.nan)


def responding(table: FloatArray) -> BoolArray:
    """(k, G) the genes that respond; own targets and genes that are not tested do not."""
    return np.asarray(table[:, ADJUSTED] < ALPHA)


def says_direction(table: FloatArray) -> BoolArray:
    """(k, G) the tested genes whose fold change has a direction."""
    fold = table[:, FOLD]
    return np.asarray(~np.isnan(fold) & (fold != 0) & ~np.isnan(table[:, P]))


def _agree(predicted: FloatArray, true: FloatArray) -> BoolArray:
    """(k, G) the tested genes whose fold change has the same direction in both."""
    same = np.sign(predicted[:, FOLD]) == np.sign(true[:, FOLD])
    return np.asarray(says_direction(predicted) & says_direction(true) & same)


def _over(total: FloatArray, count: FloatArray) -> FloatArray:
    """(k,) a quotient, NaN where it has none."""
    return np.asarray(
        np.divide(total, count, out=np.full(len(count), np.nan), where=np.asarray(count) != 0)
    )
