"""The measurement of one perturbation after the other, from its formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def energy_and_p(perturbed: Any, reference: Any, targets: Sequence[int]) -> tuple[float, float]:
    """Energy distance within batches and its permutation p value, from profiles of all cells."""
    from kobench.truth.population import size

    rng = np.random.default_rng(size._STREAM)
    total, weight = np.zeros(1 + size.PERMUTATIONS), 0
    for batch in np.unique(perturbed.batch):
        x, y = (group[group.batch == batch] for group in (perturbed, reference))
        n, m = len(x), len(y)
        if n < 2 or m < 2:
            continue
        rows = np.concatenate([x.profiles(targets), y.profiles(targets)])
        rows -= rows.mean(axis=0)
        squares = (rows**2).sum(axis=1)
        between = np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * rows @ rows.T, 0.0))
        np.fill_diagonal(between, 0.0)
        labels = np.zeros((1 + size.PERMUTATIONS, n + m))
        labels[0, :n] = 1.0
        keys = rng.random((size.PERMUTATIONS, n + m))
        drawn = np.argpartition(keys, n - 1, axis=1)[:, :n]
        np.put_along_axis(labels[1:], drawn, 1.0, axis=1)
        within = ((labels @ between) * labels).sum(axis=1)
        across = labels @ between.sum(axis=1) - within
        others = between.sum() - within - 2.0 * across
        total += n * (2.0 * across / (n * m) - within / (n * (n - 1)) - others / (m * (m - 1)))
        weight += n
    energies = total / weight
    reached = int((energies[1:] >= energies[0] - 1e-12).sum())
    return float(energies[0]), (1 + reached) / (1 + size.PERMUTATIONS)


def centroid_shares(answers: Any, truths: Any) -> Any:
    """(n, k) the share of other truths that an answer is less similar to, pair by pair.

    answers : (n, G), truths : (k, G), NaN at the gaps.
    """
    k = len(truths)
    shares = np.empty((len(answers), k))
    for row, answer in zip(shares, answers, strict=True):
        similarity = np.empty((k, k))
        for q, truth in enumerate(truths):
            for j, other in enumerate(truths):
                both = ~(np.isnan(answer) | np.isnan(truth) | np.isnan(other))
                similarity[q, j] = np.corrcoef(answer[both], truth[both])[0, 1]
        ahead = similarity - similarity.T
        less = (ahead > 1e-12).sum(axis=1)
        tied = (np.abs(ahead) <= 1e-12).sum(axis=1) - 1
        row[:] = (less + tied / 2) / (k - 1)
    return shares


def rank_correlations(answers: Any, truths: Any) -> Any:
    """(n, k) Spearman's correlation of every answer with every truth, by scipy, pair by pair."""
    from scipy.stats import spearmanr

    found = np.empty((len(answers), len(truths)))
    for row, answer in zip(found, answers, strict=True):
        for j, truth in enumerate(truths):
            both = ~(np.isnan(answer) | np.isnan(truth))
            row[j] = spearmanr(answer[both], truth[both])[0]
    return found
