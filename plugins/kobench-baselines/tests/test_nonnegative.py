"""Non-negative least squares with a price: by hand, and scipy's and scikit-learn's solutions."""

from __future__ import annotations

import numpy as np
import pytest
from kobench_baselines.nonnegative import nonnegative_lasso
from scipy.optimize import nnls
from sklearn.linear_model import Lasso


def test_by_hand() -> None:
    """H = diag(1, 2), c = (3, -1): b = (3, 0). With price 1: (2, 0). With price 5: nothing."""
    H, c = np.diag([1.0, 2.0]), np.array([3.0, -1.0])
    for price, expected in ((0.0, [3, 0]), (1.0, [2, 0]), (5.0, [0, 0])):
        np.testing.assert_allclose(nonnegative_lasso(H, c, np.full(2, price)), expected)


def test_a_price_of_its_own_for_each_feature() -> None:
    np.testing.assert_allclose(
        nonnegative_lasso(np.eye(2), np.array([3.0, 3.0]), np.array([0.0, 2.0])), [3, 1]
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(60, 20), (20, 60), (15, 15)])
def test_without_a_price_it_is_scipys_nnls(seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    F, y = rng.normal(size=shape), rng.normal(size=shape[0])
    mine = nonnegative_lasso(F.T @ F, F.T @ y, np.zeros(shape[1]))
    theirs, _ = nnls(F, y)
    assert (mine >= 0).all()
    np.testing.assert_allclose(F @ mine, F @ theirs, atol=1e-8)


@pytest.mark.parametrize("price", [0.5, 2.0, 8.0])
def test_with_a_price_it_is_scikit_learns_positive_lasso(price: float) -> None:
    rng = np.random.default_rng(1)
    F = rng.random((50, 12))
    y = F[:, :3].sum(axis=1) + rng.normal(0, 0.3, 50)
    theirs = (
        Lasso(alpha=price / 50, positive=True, fit_intercept=False, tol=1e-12, max_iter=200_000)
        .fit(F, y)
        .coef_
    )
    np.testing.assert_allclose(
        nonnegative_lasso(F.T @ F, F.T @ y, np.full(12, price)), theirs, atol=1e-6
    )


def test_a_copy_of_a_feature_and_a_feature_of_zeros() -> None:
    rng = np.random.default_rng(2)
    one = rng.random(30)
    F = np.column_stack([one, one, np.zeros(30)])
    b = nonnegative_lasso(F.T @ F, F.T @ (2 * one), np.zeros(3))
    np.testing.assert_allclose(b.sum(), 2)
    assert b[2] == 0


def test_no_reason_for_any_feature() -> None:
    np.testing.assert_array_equal(
        nonnegative_lasso(np.eye(3), np.zeros(3), np.zeros(3)), np.zeros(3)
    )
