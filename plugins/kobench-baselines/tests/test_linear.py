"""Presence-conditional ridge regression against scikit-learn and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kobench_baselines.common import Table
from kobench_baselines.linear import DEPTH_WEIGHT, PENALTIES, Features, Linear
from kobench_baselines.ridge import solve
from sklearn.linear_model import Ridge

from kobench.api import Cells, bray_curtis


def random_regressions(
    seed: int = 0, n: int = 40, features: int = 15, genes: int = 7
) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)), rng.random((n, genes)) < 0.6, rng.normal(size=(n, genes))


def test_solve_by_hand() -> None:
    """One feature x = 0, 1, 3 with the last cell off: y = 0, 2 over x = 0, 1, means 1/2 and 1.

    w = sum (x - 1/2)(y - 1) / (sum (x - 1/2)^2 + penalty) = 1 / (1/2 + 1/2) = 1; intercept 1 - 1/2
    = 1/2.
    """
    x = np.array([[0.0], [1.0], [3.0]])
    weights, intercepts = solve(
        x @ x.T, np.array([[True], [True], [False]]), np.array([[0.0], [2.0], [99.0]]), 0.5, 1e-12
    )
    np.testing.assert_allclose(x.T @ weights, [[1.0]])
    np.testing.assert_allclose(intercepts, [0.5])


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("shape", [(40, 15), (12, 30)])
def test_solve_is_scikit_learns_ridge_on_each_genes_cells(
    penalty: float, shape: tuple[int, int]
) -> None:
    X, on, y = random_regressions(n=shape[0], features=shape[1])
    weights, intercepts = solve(X @ X.T, on, y, penalty, 1e-10)
    for gene in range(on.shape[1]):
        rows = on[:, gene]
        ridge = Ridge(alpha=penalty).fit(X[rows], y[rows, gene])
        np.testing.assert_allclose(X.T @ weights[:, gene], ridge.coef_, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(intercepts[gene], ridge.intercept_, rtol=1e-6, atol=1e-8)
    assert (weights[~on] == 0).all()


def test_solve_from_another_solution() -> None:
    X, on, y = random_regressions()
    start, _ = solve(X @ X.T, on, y, 10.0, 1e-3)
    for there, here in zip(
        solve(X @ X.T, on, y, 1.0, 1e-11, start), solve(X @ X.T, on, y, 1.0, 1e-11), strict=True
    ):
        np.testing.assert_allclose(there, here, atol=1e-8)


def test_solve_with_no_cell_one_cell_and_constant_targets() -> None:
    X, on, y = random_regressions(genes=3)
    on[:, 0] = False
    on[:, 1] = np.arange(len(on)) == 4
    on[:, 2], y[:, 2] = True, 3.0
    weights, intercepts = solve(X @ X.T, on, y, 1.0, 1e-10)
    np.testing.assert_array_equal(weights, 0)
    np.testing.assert_allclose(intercepts, [0, y[4, 1], 3])


def test_features_by_hand() -> None:
    """Genes on 1/2 and 1 of the time.

    Centred columns -+1/2 and 0, whose mean squared norm is 1/4, so the scale is 1/2.

    log 2 and log 1 have mean log(2)/2 and standard deviation log(2)/2.
    """
    on = np.array([[True, True], [False, True]])
    root = np.sqrt(DEPTH_WEIGHT)
    np.testing.assert_allclose(Features.of(on)(on), [[1, 0, root], [-1, 0, -root]], rtol=1e-6)


@pytest.mark.parametrize("n", [60, 8])
def test_prediction_is_ridge_on_relative_residuals(cells: Cells, fit: Any, n: int) -> None:
    """The whole predictor against scikit-learn's Ridge.

    It is in the primal form (60 cells, 12 genes) and in the dual form (8 cells).
    """
    train, on = cells[:n], cells.assemblages()[60:]
    table = Table.of(train)
    mean, features = table.mean_share(), Features.of(table.on)
    residuals = table.relative_residuals(mean)
    values = np.zeros(on.shape)
    for gene in range(12):
        rows = table.on[:, gene]
        ridge = Ridge(alpha=2.0).fit(features(table.on)[rows], residuals[rows, gene])
        values[:, gene] = mean[gene] * np.maximum(0.05, 1 + ridge.predict(features(on)))
    expected = on * values / (on * values).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        fit(Linear(penalty=2.0), train).predict_expression(on), expected, rtol=1e-3
    )


def test_cross_validation_takes_the_masked_mean_where_nothing_can_be_learned(fit: Any) -> None:
    """Levels that depend on no other gene: chance structure must not be learned."""
    rng = np.random.default_rng(0)
    X = (rng.random((40, 30)) < 0.5) * rng.lognormal(0, 1.5, (40, 30))
    predictor = fit(
        Linear(), Cells(X.astype(np.float32), np.array([f"g{gene}" for gene in range(30)]))
    )
    assert predictor.chosen_penalty >= 10


def test_cross_validation_takes_a_small_penalty_where_all_can_be_learned(
    cells: Cells, fit: Any
) -> None:
    assert fit(Linear(), cells).chosen_penalty < 1


def test_cross_validation_is_scikit_learns_on_the_same_folds(fit: Any, draw: Any) -> None:
    """The same folds, one Ridge a gene and penalty, Bray-Curtis over all cells.

    The same penalty, and not one at either end.
    """
    noisy = draw(n=30)
    noisy.X[:] *= np.random.default_rng(5).lognormal(0, 0.5, noisy.X.shape)
    table = Table.of(noisy)
    fold_of = np.random.default_rng(0).permutation(30) % 5
    errors = dict.fromkeys(PENALTIES, 0.0)
    for fold in range(5):
        train, asked = (
            table[np.flatnonzero(fold_of != fold)],
            table[np.flatnonzero(fold_of == fold)],
        )
        mean, features = train.mean_share(), Features.of(train.on)
        residuals = train.relative_residuals(mean)
        for penalty in PENALTIES:
            values = np.zeros(asked.on.shape)
            for gene, rows in enumerate(train.on.T):
                ridge = Ridge(alpha=penalty).fit(features(train.on)[rows], residuals[rows, gene])
                values[:, gene] = mean[gene] * np.maximum(
                    0.05, 1 + ridge.predict(features(asked.on))
                )
            errors[penalty] += bray_curtis(
                asked.on * values, asked.shares * (asked.on * values).sum(1, keepdims=True)
            ).sum()
    best = min(errors, key=lambda penalty: errors[penalty])
    assert min(PENALTIES) < best < max(PENALTIES)
    assert fit(Linear(), noisy).chosen_penalty == best


@pytest.mark.parametrize("penalty", [0, -1.0, "weak"])
def test_impossible_penalties_are_named(penalty: Any) -> None:
    with pytest.raises(ValueError, match="linear: penalty="):
        Linear(penalty=penalty)
