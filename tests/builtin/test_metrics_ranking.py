"""Ranking metrics against numbers worked out by hand and against scipy and scikit-learn."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import ndcg_score

from kobench.api import NotComputed, RankingUnits
from kobench.builtin.metrics import ranking


def units(predicted, true) -> RankingUnits:
    return RankingUnits(np.asarray(predicted, float), np.asarray(true, float), np.arange(len(true)))


def random_units(seed, n=60, digits=1) -> RankingUnits:
    rng = np.random.default_rng(seed)
    true = rng.random(n).round(digits)
    return units((true + rng.random(n)).round(digits), true)


def test_spearman_by_hand_and_like_scipy():
    assert ranking.spearman(units([1, 2, 2, 4], [1, 3, 2, 4])) == pytest.approx(
        4.5 / math.sqrt(22.5)
    )
    u = random_units(0)
    assert ranking.spearman(u) == pytest.approx(spearmanr(u.predicted, u.true)[0], rel=1e-12)


def test_kendall_by_hand():
    # pairs of 1, 2, 3, 4 against 1, 3, 2, 4: five concordant, one discordant
    assert ranking.kendall(units([1, 2, 3, 4], [1, 3, 2, 4])) == pytest.approx(4 / 6)
    # a tie in the prediction takes one of the six pairs out of one side: (5 - 0) / sqrt(5 * 6)
    assert ranking.kendall(units([1, 2, 2, 4], [1, 3, 2, 4])) == pytest.approx(5 / math.sqrt(30))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40))
@settings(max_examples=80, deadline=None)
def test_kendall_like_scipy(pairs):
    predicted, true = (np.array(column, float) for column in zip(*pairs, strict=True))
    if np.ptp(true) == 0:
        with pytest.raises(NotComputed):
            ranking.kendall(units(predicted, true))
    elif np.ptp(predicted) == 0:
        assert math.isnan(ranking.kendall(units(predicted, true)))
    else:
        assert ranking.kendall(units(predicted, true)) == pytest.approx(
            kendalltau(predicted, true)[0], abs=1e-12
        )


def test_kendall_of_many_genes_like_scipy():
    u = random_units(1, n=3000, digits=3)
    assert ranking.kendall(u) == pytest.approx(kendalltau(u.predicted, u.true)[0], abs=1e-12)


def test_ndcg_by_hand():
    # gains 3, 2, 1 found in the order 2, 3, 1
    expected = (2 + 3 / math.log2(3) + 1 / 2) / (3 + 2 / math.log2(3) + 1 / 2)
    assert ranking.ndcg(units([2, 3, 1], [3, 2, 1])) == pytest.approx(expected)
    # the first two tied: each takes half of both discounts
    shared = (1 + 1 / math.log2(3)) / 2
    assert ranking.ndcg(units([2, 2, 1], [3, 2, 1])) == pytest.approx(
        (5 * shared + 1 / 2) / (3 + 2 / math.log2(3) + 1 / 2)
    )


def test_ndcg_like_scikit_learn():
    for seed in range(5):
        u = random_units(seed)
        assert ranking.ndcg(u) == pytest.approx(
            ndcg_score(u.true[None], u.predicted[None]), rel=1e-10
        )


def test_ndcg_takes_no_negative_gains():
    with pytest.raises(NotComputed, match="negative"):
        ranking.ndcg(units([1, 2], [-1, 2]))


def top_by_every_tie_break(u: RankingUnits, k: int) -> float:
    """The mean overlap over every way to choose k genes by prediction."""
    cut = np.sort(u.predicted)[-k]
    sure, tied = np.flatnonzero(u.predicted > cut), np.flatnonzero(u.predicted == cut)
    truth = set(np.flatnonzero(u.true >= np.sort(u.true)[-k]).tolist())
    overlaps = [
        len(truth & {*sure.tolist(), *chosen}) / k
        for chosen in itertools.combinations(tied.tolist(), k - len(sure))
    ]
    return float(np.mean(overlaps))


def test_top_tenth_is_the_mean_over_every_tie_break():
    rng = np.random.default_rng(0)
    true = rng.permutation(200).astype(float)
    predicted = true + 25 * rng.standard_normal(200)
    order = np.argsort(-predicted)
    predicted[order[18:23]] = predicted[order[20]]  # five genes tie for the last two places
    u = units(predicted, true)
    assert ranking.top_tenth_overlap(u) == pytest.approx(top_by_every_tie_break(u, 20))
    assert 0 < ranking.top_tenth_overlap(u) < 1


def test_top_tenth_counts_genes_that_tie_with_the_last_true_one():
    true = np.zeros(200)
    true[:19], true[19:25] = 2.0, 1.0  # six genes share the twentieth place
    predicted = np.zeros(200)
    predicted[5:25] = 1.0
    assert ranking.top_tenth_overlap(units(predicted, true)) == 1.0


def test_top_tenth_needs_genes_and_a_top():
    with pytest.raises(NotComputed, match="199 genes"):
        ranking.top_tenth_overlap(units(np.arange(199), np.arange(199)))
    with pytest.raises(NotComputed, match="share the top 20 places"):
        ranking.top_tenth_overlap(units(np.arange(200), np.arange(200) == 3))
