"""Factors of counts: by hand, against the whole covariance, and in cells that have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kobench_baselines.states import Counts, States, noise_units, overlaps, reproducible


def drawn(n: int = 600, genes: int = 40, factors: int = 2, seed: int = 0) -> tuple[Any, Any]:
    """(counts, loadings): Poisson counts of cells with so many log-scale factors, none with 0."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(0, 0.4, (genes, factors))
    rate = rng.uniform(2, 20, genes) * np.exp(rng.normal(size=(n, factors)) @ loadings.T)
    return rng.poisson(rate).astype(float), loadings


def of(values: Any, labels: Any = None) -> Counts:
    return Counts.of(values, np.zeros(len(values), str) if labels is None else np.asarray(labels))


def whole(counts: Counts) -> Any:
    """The covariance less counting noise in units of that noise, gene by gene."""
    rows, mean = counts.centred(), counts.values.mean(axis=0)
    table = rows.T @ rows / (len(rows) - 1) - np.diag(mean)
    return table / np.sqrt(np.outer(mean, mean))


@pytest.mark.parametrize(("n", "genes"), [(600, 40), (30, 40)])
def test_axes_are_those_of_the_whole_covariance(n: int, genes: int) -> None:
    """By the cells' products where they are fewer than genes, by the genes' where not."""
    counts = of(drawn(n, genes)[0])
    vectors, values = counts.axes(3)
    theirs, columns = np.linalg.eigh(whole(counts))
    np.testing.assert_allclose(values, theirs[::-1][:3], rtol=1e-8)
    np.testing.assert_allclose(np.abs(vectors.T @ columns[:, ::-1][:, :3]), np.eye(3), atol=1e-6)


def test_counting_noise_alone_has_no_variance_to_speak_of() -> None:
    rng = np.random.default_rng(0)
    counts = of(rng.poisson(5.0, (4000, 10)).astype(float))
    assert counts.axes(10)[1].max() < 0.15
    assert States.of(counts, 2).reliability < 0.06


def test_batches_are_centred_by_themselves() -> None:
    values = np.array([[1.0, 0.0], [3.0, 2.0], [10.0, 5.0]])
    np.testing.assert_array_equal(of(values, ["a", "a", "b"]).centred(), [[-1, -1], [1, 1], [0, 0]])


def test_halves_are_halves_of_each_batch() -> None:
    counts = of(np.ones((9, 2)), list("aaaabbbbb"))
    half = counts.half(np.random.default_rng(0))
    assert [half[:4].sum(), half[4:].sum()] == [2, 2]


def test_noise_units_by_hand() -> None:
    np.testing.assert_allclose(noise_units(np.array([4.0, 0.0])), [0.5, 0])


def test_overlaps_are_high_up_to_the_number_of_factors() -> None:
    rng = np.random.default_rng(0)
    factors = rng.normal(0, 0.2, (1500, 3)) @ rng.normal(size=(3, 40))
    counts = of(rng.poisson(10 * (1 + np.clip(factors, -0.9, 0.9))).astype(float))
    found = overlaps(counts, 6, np.random.default_rng(0))
    assert found[2] > 0.95
    assert found[3:].max() < 0.9
    assert reproducible(counts, 6, 0.95, np.random.default_rng(0))[0] == 3


def test_random_subspaces_overlap_by_chance_alone() -> None:
    """Without factors, with the same noise in all genes, the axes of the halves are random."""
    rng = np.random.default_rng(1)
    found = overlaps(of(rng.poisson(5.0, (400, 30)).astype(float)), 5, rng)
    assert np.abs(found).max() < 0.15
    assert reproducible(of(rng.poisson(5.0, (400, 30)).astype(float)), 5, 0.5, rng)[0] == 1


def test_few_cells_or_genes_allow_few_factors() -> None:
    rng = np.random.default_rng(0)
    for shape, expected in (((25, 9), 2), ((400, 3), 2), ((4, 9), 1), ((50, 1), 1)):
        counts = of(rng.poisson(5.0, shape).astype(float))
        assert len(reproducible(counts, 10, 0.5, rng)[1]) == expected


def test_log_change_by_hand() -> None:
    """Loadings (1, 2) and (0, 1), variances 4 and 1; gene 0 has a total variance of 8.

    Its covariances are 4 * 1 * (1, 2, 0) + 0, so the slopes are (1, 2, 0) / 2, over 1/2.
    """
    states = States(
        np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]]),
        np.array([4.0, 1.0]),
        np.array([8.0, 5.0, 0.0]),
        0.5,
    )
    np.testing.assert_allclose(states.log_change(0), [0, -2, 0])
    np.testing.assert_allclose(states.log_change(1), [-3.2, 0, -1.2])
    np.testing.assert_array_equal(states.log_change(2), [0, 0, 0])


def test_the_slope_is_that_of_the_states_and_not_of_the_counts() -> None:
    """One factor, b = 0.3 for all genes: by one that gene 0 falls, all fall, whatever their depth.

    Of the counts the slope is less: at a mean of 8, half of the variance is counting noise.
    """
    rng = np.random.default_rng(3)
    rate = 8 * np.exp(0.3 * rng.normal(size=(20_000, 1)) * np.ones(12))
    counts = of(rng.poisson(rate).astype(float))
    found = States.of(counts, 1).log_change(0)[1:]
    np.testing.assert_allclose(found, -1, atol=0.05)
    covariance = np.cov(counts.values.T)
    assert (covariance[0, 1:] / covariance[0, 0] < 0.6).all()


def test_reliability_by_hand() -> None:
    """Two genes, variances 6 and 2, means 2 and 2: (4 + 0) / 8."""
    values = np.array(
        [2 + np.sqrt(6) * np.array([-1, 1, 0]), 2 + np.sqrt(2) * np.array([-1, 0, 1])]
    ).T
    np.testing.assert_allclose(States.of(of(values), 1).reliability, 0.5)
