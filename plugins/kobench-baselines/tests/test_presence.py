"""The chance of presence: against ridge regression gene by gene, and where it says something."""

from __future__ import annotations

from typing import Any

import numpy as np
from kobench_baselines.presence import Presence, Ridge, _logistic
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.linear_model import Ridge as TheirRidge


def in_modules(n: int = 300, seed: int = 0) -> Any:
    """Two modules of six genes, each gene 0.05 off its module's mood."""
    rng = np.random.default_rng(seed)
    mood = np.repeat(rng.random((n, 2)) < 0.7, 6, axis=1)
    return np.where(rng.random((n, 12)) < 0.05, ~mood, mood).astype(float)


def test_the_ridge_is_one_regression_for_each_gene() -> None:
    """Both with more cells than genes and with fewer."""
    for n in (300, 9):
        presence, asked = in_modules(n), in_modules(5, 1)
        ridge = Ridge.of(presence).penalised(2.0)
        for gene in range(12):
            others = np.arange(12) != gene
            theirs = TheirRidge(alpha=ridge.penalty * (n - 1))
            theirs.fit(presence[:, others], presence[:, gene])
            said = theirs.predict(asked[:, others]) - presence[:, gene].mean()
            np.testing.assert_allclose(ridge(asked)[:, gene], said, atol=1e-8)


def test_the_odds_are_those_of_maximum_likelihood() -> None:
    rng = np.random.default_rng(2)
    said, offset = rng.normal(size=(200, 3)), logit(np.array([0.3, 0.6, 0.8]))
    presence = rng.random((200, 3))

    def loss(fitted: Any) -> float:
        odds = offset + fitted[0] + fitted[1] * said
        return float((np.logaddexp(0, odds) - presence * odds).mean())

    best = minimize(loss, [0, 0]).x
    np.testing.assert_allclose(_logistic(said, presence, offset), best, atol=1e-4)


def test_modules_tell_of_each_other() -> None:
    presence = in_modules()
    prior = Presence.of(presence, np.arange(300) % 5)
    assert prior.ridge is not None
    new = in_modules(200, 3)
    right = np.where(new > 0.5, 1, -1) * (expit(prior(new)) - 0.5) > 0
    assert right.mean() > 0.9


def test_independent_genes_tell_nothing() -> None:
    presence = (np.random.default_rng(4).random((300, 12)) < 0.7).astype(float)
    prior = Presence.of(presence, np.arange(300) % 5)
    assert prior.ridge is None
    np.testing.assert_allclose(expit(prior(presence[:2])), np.tile(presence.mean(axis=0), (2, 1)))


def test_a_gene_that_is_everywhere_may_still_be_absent() -> None:
    prior = Presence.of(np.ones((20, 3)), np.arange(20) % 5)
    assert np.isfinite(prior(np.ones((2, 3)))).all()
