"""Which genes differ between perturbed and reference cells: rank sums within batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import BoolArray, FloatArray
from kobench.truth.population.profiles import NUMBERS_AT_ONCE, Population

#: Expected share of false finds among the genes said to differ.
FALSE_DISCOVERIES = 0.05


def responding(perturbed: Population, reference: Population, targets: Sequence[int]) -> BoolArray:
    """(G,) bool, the genes that differ at a false discovery rate of 5 %; False at the targets.

    Values are profiles without the targets; both groups of cells are as `measure.matched` leaves
    them. The p values of `rank_sum_p` are adjusted over all genes but the targets.
    """
    return differing(rank_sum_p(perturbed, reference, targets), targets)


def differing(p: FloatArray, targets: Sequence[int]) -> BoolArray:
    """(G,) bool, the genes that differ by these p values (G,), see `responding`."""
    tested = np.ones(len(p), dtype=bool)
    tested[list(targets)] = False
    differs: BoolArray = np.zeros(len(p), dtype=bool)
    if tested.any():
        differs[tested] = adjusted(p[tested]) <= FALSE_DISCOVERIES
    return differs


def adjusted(p: FloatArray) -> FloatArray:
    """(n,) p values adjusted by the method of Benjamini and Hochberg, from p values (n,).

    Benjamini & Hochberg, J. R. Stat. Soc. B 57:289 (1995).
    """
    # scipy.stats takes half a second to import, and only truths of this kind need it
    from scipy.stats import false_discovery_control

    values: FloatArray = false_discovery_control(p)
    return values


def rank_sum_p(perturbed: Population, reference: Population, targets: Sequence[int]) -> FloatArray:
    """(G,) two-sided p values of van Elteren's rank-sum test, stratified by batch.

    Rank sums within each batch are weighted by 1 / (cells of the batch + 1) and added. A target,
    and a gene without variation, has p = 1.

    Notes
    -----
    Normal approximation with the variance corrected for ties, no continuity correction; with one
    batch it is the Wilcoxon-Mann-Whitney test. Van Elteren, Bull. Int. Stat. Inst. 37:351 (1960).
    """
    from scipy.stats import rankdata

    n_genes = perturbed.X.shape[1]
    deviation, variance = np.zeros(n_genes), np.zeros(n_genes)
    for batch in np.unique(perturbed.batch):
        x, y = (group[np.flatnonzero(group.batch == batch)] for group in (perturbed, reference))
        n, m = len(x), len(y)
        if not m:
            continue
        weight = 1.0 / (n + m + 1)
        rest = np.concatenate([x.rest(targets), y.rest(targets)])
        rows = _stacked(x.matrix(), y.matrix())
        middle = (n + m + 1) / 2
        step = max(1, NUMBERS_AT_ONCE // (n + m))
        for start in range(0, n_genes, step):
            part = slice(start, start + step)
            ranks = rankdata(_genes_first(rows, part) / rest, axis=1) - middle
            deviation[part] += weight * ranks[:, :n].sum(axis=1)
            # the variance of a sum of n of these ranks drawn without replacement, which is right
            # with ties too
            variance[part] += weight**2 * n * m / ((n + m) * (n + m - 1)) * (ranks**2).sum(axis=1)
    return p_of_sums(deviation, variance, targets)


def p_of_sums(deviation: FloatArray, variance: FloatArray, targets: Sequence[int]) -> FloatArray:
    """(G,) two-sided p values of weighted rank sums less what is expected, and their variances."""
    from scipy.stats import norm

    # ranks are halves, so a gene that does not vary has a variance of exactly 0
    z = np.divide(deviation, np.sqrt(variance), out=np.zeros(len(variance)), where=variance > 0)
    z[list(targets)] = 0.0
    p: FloatArray = 2.0 * norm.sf(np.abs(z))
    return p


def _stacked(x: Any, y: Any) -> Any:
    """Both groups' cells below each other, in a format that is quick to take genes from."""
    if scipy.sparse.issparse(x) or scipy.sparse.issparse(y):
        return scipy.sparse.vstack(
            [scipy.sparse.csr_matrix(x), scipy.sparse.csr_matrix(y)], format="csc"
        )
    return np.concatenate([x, y])


def _genes_first(rows: Any, part: slice) -> FloatArray:
    """(genes, cells) values of some genes, float64, a gene's cells side by side in memory."""
    taken = rows[:, part]
    dense = taken.toarray() if scipy.sparse.issparse(taken) else taken
    return np.ascontiguousarray(dense.T, dtype=np.float64)
