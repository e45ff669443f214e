"""Partial correlations by hand, by the inverse written out and by regression.

Shrinkage by scipy's likelihood.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kobench_baselines.common import standardised
from kobench_baselines.partial import (
    HALVED_AT,
    SHRINKAGES,
    Correlations,
    PartialCorrelation,
    choose_shrinkage,
    without_batch_means,
)
from scipy.stats import multivariate_normal

from kobench.api import Cells, Context, Knockouts, normalise_rows


@pytest.fixture
def scores() -> Any:
    rng = np.random.default_rng(0)
    return standardised(rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6)))


def test_partial_correlations_of_a_chain_by_hand() -> None:
    """r12 = r23 = 1/2, r13 = 1/4: genes 1 and 3 have none given 2.

    Q12 = (1/2 - 1/8) / sqrt(3/4 * 15/16) = 1 / sqrt(5).
    """
    R = np.array([[1, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 1]])
    values, vectors = np.linalg.eigh(R)
    chain = Correlations(vectors, values)
    diagonal = chain.diagonal(1e-9)
    partial = chain.partial(np.arange(3), 1e-9, diagonal)
    np.testing.assert_allclose(
        partial, [[0, 0.2**0.5, 0], [0.2**0.5, 0, 0.2**0.5], [0, 0.2**0.5, 0]], atol=1e-5
    )
    np.testing.assert_allclose(diagonal, np.diag(np.linalg.inv(R)), rtol=1e-5)


@pytest.mark.parametrize("a", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("rows", [40, 4])
def test_partial_is_the_inverse_written_out(scores: Any, rows: int, a: float) -> None:
    Z = standardised(scores[:rows])
    P = np.linalg.inv((1 - a) * Z.T @ Z / rows + a * np.eye(6))
    expected = -P / np.sqrt(np.outer(np.diag(P), np.diag(P)))
    np.fill_diagonal(expected, 0)
    diagonal = Correlations.of(Z).diagonal(a)
    partial = Correlations.of(Z).partial(np.array([4, 1]), a, diagonal)
    np.testing.assert_allclose(partial, expected[[4, 1]], atol=1e-9)
    np.testing.assert_allclose(diagonal, np.diag(P), rtol=1e-9)


@pytest.mark.parametrize("rows", [40, 4])
def test_likelihood_is_scipys(scores: Any, rows: int) -> None:
    Z, asked = standardised(scores[:rows]), scores[5:9]
    for a in (0.2, 0.9):
        M = (1 - a) * Z.T @ Z / rows + a * np.eye(6)
        expected = 2 * multivariate_normal(cov=M).logpdf(asked).sum() + asked.size * np.log(
            2 * np.pi
        )
        np.testing.assert_allclose(Correlations.of(Z).log_likelihood(asked, a), expected, rtol=1e-9)


def test_validation_gives_up_what_is_noise_and_keeps_what_is_not() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(60, 40))
    assert choose_shrinkage(noise, np.random.default_rng(0), Context()) >= 0.9
    chain = np.cumsum(rng.normal(size=(600, 6)), axis=1)
    assert choose_shrinkage(chain, np.random.default_rng(0), Context()) == min(SHRINKAGES)


def test_batch_means_by_hand() -> None:
    rows = np.array([[1.0, 2.0], [3.0, 0.0], [5.0, 6.0]])
    np.testing.assert_array_equal(
        without_batch_means(rows, np.array(["b", "a", "b"])), [[-2, -2], [0, 0], [2, 2]]
    )


def test_direct_slopes_are_those_of_regression(fit: Any, cells: Cells) -> None:
    """With next to no shrinkage, and none for noise.

    The coefficient of g when u_j is regressed on all other genes.
    """
    predictor = fit(PartialCorrelation(shrinkage=1e-9), cells)
    predictor.noise = 0.0
    u = np.sqrt(cells.X)
    u -= u.mean(axis=0)
    slopes = predictor.slopes(np.array([2]))[0]
    for j in (0, 1, 5):
        others = np.delete(np.arange(12), j)
        coefficients = np.linalg.lstsq(u[:, others], u[:, j], rcond=None)[0]
        np.testing.assert_allclose(-slopes[j], coefficients[others == 2][0], rtol=1e-4, atol=1e-6)


def with_slopes(scale: str, slopes: list[float]) -> PartialCorrelation:
    predictor = PartialCorrelation()
    predictor.scale, predictor.threads = scale, 1
    predictor.slopes = lambda removed: np.array([slopes])  # type: ignore[method-assign]
    return predictor


def test_knockout_by_hand(cells_of: Any) -> None:
    """u = (2, 2, 1). u_1 = 2 + 2 / 4 = 5/2; u_2 = 1 - 4 -> 0, or 1 + 2 = 3: shares as 25 to 36."""
    cells, events = cells_of([[4, 4, 1]]), Knockouts([[0]], [0])
    np.testing.assert_allclose(
        with_slopes("linear", [0, 0.25, -2.0]).predict_knockout(cells, events), [[0, 1, 0]]
    )
    np.testing.assert_allclose(
        with_slopes("linear", [0, 0.25, 1.0]).predict_knockout(cells, events),
        [[0, 25 / 61, 36 / 61]],
    )


def test_logarithms_are_undone_and_taken_again(cells_of: Any) -> None:
    """The same cell as logarithms: (5/2)^2 and 3^2."""
    rows = with_slopes("log1p-cp10k", [0, 0.25, 1.0]).predict_knockout(
        cells_of(np.log1p([[4, 4, 1]])), Knockouts([[0]], [0])
    )
    np.testing.assert_allclose(rows, normalise_rows(np.array([[0, np.log1p(25 / 4), np.log1p(9)]])))


def test_noise_halves_what_is_three_of_its_deviations(fit: Any, cells: Cells) -> None:
    predictor = fit(PartialCorrelation(shrinkage=0.3), cells)
    raw = predictor.correlations.partial(np.array([3]), 0.3, predictor.diagonal)[0]
    predictor.noise = (raw[4] / HALVED_AT) ** 2
    shrunken = predictor.slopes(np.array([3]))[0][4]
    predictor.noise = 0.0
    np.testing.assert_allclose(shrunken, predictor.slopes(np.array([3]))[0][4] / 2, rtol=1e-9)


def test_a_difference_between_batches_is_no_association() -> None:
    """Genes 0 and 1 rise together between two batches and are independent within."""
    rng = np.random.default_rng(0)
    X = rng.gamma(20.0, 1.0, (400, 60))
    X[200:, :2] *= 3
    together = Cells(
        X, np.array([f"g{gene}" for gene in range(60)]), {"day": np.repeat(["a", "b"], 200)}
    )
    slopes = []
    for key in (None, "day"):
        predictor = PartialCorrelation()
        predictor.fit(together, Context(batch_key=key))
        slopes.append(abs(predictor.slopes(np.array([0]))[0][1]))
    assert slopes[1] < 0.1 * slopes[0]
