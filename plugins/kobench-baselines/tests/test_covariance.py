"""The conditional mean by hand and by scikit-learn's shrunken covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kobench_baselines.covariance import CovarianceShift, ledoit_wolf
from sklearn.covariance import ledoit_wolf as sklearns

from kobench.api import Cells, Knockouts


def test_by_hand(fit: Any, cells_of: Any) -> None:
    """Shares (.2 .3 .5), (.4 .1 .5), (.3 .2 .5).

    The second falls as the first rises, the third is constant.

    Removing the first from (.2 .3 .5) moves the second by -1 * (0 - .2) = .2 to .5: then .5, .5.
    """
    predictor = fit(CovarianceShift(shrinkage=0.0), cells_of([[2, 3, 5], [4, 1, 5], [3, 2, 5]]))
    asked = cells_of([[2, 3, 5]])
    np.testing.assert_allclose(
        predictor.predict_knockout(asked, Knockouts([[0]], [0])), [[0, 0.5, 0.5]]
    )
    np.testing.assert_allclose(
        predictor.predict_knockout(asked, Knockouts([[2]], [0])), [[0.4, 0.6, 0]]
    )


def test_with_half_the_correlation_given_up_half_the_shift(fit: Any, cells_of: Any) -> None:
    """.3 + .1 = .4 and .5, over .9."""
    predictor = fit(CovarianceShift(shrinkage=0.5), cells_of([[2, 3, 5], [4, 1, 5], [3, 2, 5]]))
    np.testing.assert_allclose(
        predictor.predict_knockout(cells_of([[2, 3, 5]]), Knockouts([[0]], [0])),
        [[0, 4 / 9, 5 / 9]],
    )


@pytest.mark.parametrize("shape", [(50, 8), (8, 50), (2, 3)])
def test_shrinkage_is_scikit_learns(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1]))
    X -= X.mean(axis=0)
    np.testing.assert_allclose(ledoit_wolf(X), sklearns(X, assume_centered=True)[1], rtol=1e-9)


@pytest.mark.parametrize(
    "rows", [np.zeros((3, 4)), np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])]
)
def test_shrinkage_where_there_is_no_correlation_to_keep(rows: Any) -> None:
    assert ledoit_wolf(rows) == 1.0


@pytest.mark.parametrize("removed", [[4], [1, 7], [0, 3, 9]])
def test_conditional_mean_of_the_block_formula(fit: Any, cells: Cells, removed: list[int]) -> None:
    """Sigma written out as a table, and solved."""
    shares = cells.profiles()
    deviations = shares.std(axis=0)
    scores = (shares - shares.mean(axis=0)) / deviations
    sigma = sklearns(scores, assume_centered=True)[0] * np.outer(deviations, deviations)
    # scikit-learn's target is mu 1 with mu the mean variance, which is 1 for scores
    present = cells.assemblages()[:, removed].all(axis=1)
    asked = cells[present][:5]
    p = asked.profiles()
    expected = p - p[:, removed] @ np.linalg.solve(sigma[np.ix_(removed, removed)], sigma[removed])
    expected = np.maximum(expected, 0) * (p > 0)
    expected[:, removed] = 0
    expected /= expected.sum(axis=1, keepdims=True)
    predictor = fit(CovarianceShift(), cells)
    answer = predictor.predict_knockout(
        asked, Knockouts(np.tile(removed, (len(p), 1)), np.arange(len(p)))
    )
    np.testing.assert_allclose(answer, expected, rtol=1e-9, atol=1e-12)
