"""What holds for every metric of responses: best values, ranges, order, draws."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from response_units import (
    CORRELATIONS,
    METRICS,
    PRODUCTS,
    permuted,
    random_units,
)
from scipy.stats import spearmanr

from kobench.api import NotComputed, RankingUnits, ResponseUnits
from kobench.builtin.metrics import ranking
from kobench.builtin.metrics import response as metrics
from kobench.builtin.specs.metrics import metric_specs
from kobench.scoring.bootstrap import block_counts, draws


# what holds for each of them
@pytest.mark.parametrize("name", [name for name in METRICS if name != "auprc-responding"])
def test_the_truth_scores_exactly_best(name):
    for seed in range(5):
        units = random_units(seed, targets=2)
        assert METRICS[name](dataclasses.replace(units, predicted=units.true)).value == 1.0


@pytest.mark.parametrize("name", METRICS)
def test_values_lie_in_the_range_and_noise_is_worse(name):
    spec = next(spec for spec in metric_specs() if spec.of == "response" and spec.name == name)
    rng = np.random.default_rng(0)
    units = random_units(0, k=30, g=80)
    values = []
    for amount in (0.2, 1.0, 10.0, 100.0):
        noisy = dataclasses.replace(
            units, predicted=units.true + amount * rng.normal(size=units.true.shape)
        )
        values.append(METRICS[name](noisy).value)
    assert spec.best >= values[0] >= values[1] > values[2] > values[3] >= spec.low
    wrong = dataclasses.replace(units, predicted=-units.true)
    if name not in ("auprc-responding", "centroid-accuracy"):
        assert METRICS[name](wrong).value == pytest.approx(spec.low, abs=1e-12)


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("name", METRICS)
def test_order_does_not_matter(name, digits):
    units = random_units(6, digits=digits, targets=2)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(7), rng.permutation(20)
    moved = ResponseUnits(
        units.predicted[rows][:, columns],
        units.true[rows][:, columns],
        units.perturbations[rows],
        True,
        units.halves[:, :, rows][..., columns],
        units.responds[rows][:, columns],
    )
    score = METRICS[name]
    assert score(moved).value == pytest.approx(score(units).value, rel=1e-12)
    np.testing.assert_allclose(
        draws(score, moved, "perturbation", 9, 1),
        draws(score, units, "perturbation", 9, 1),
        rtol=1e-11,
    )
    if name in PRODUCTS:
        assert score.ceiling(moved).value == pytest.approx(score.ceiling(units).value, rel=1e-12)
    np.testing.assert_allclose(
        permuted(score, moved, 50, 2), permuted(score, units, 50, 2), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("name", METRICS)
def test_draws_take_the_values_of_perturbations_as_they_are(name, monkeypatch):
    def never(*arguments):
        raise AssertionError("units were built again")

    monkeypatch.setattr("kobench.scoring.bootstrap.take", never)
    units = random_units(0)
    values = METRICS[name](units)
    counts = block_counts(units.perturbations, 20, 3)[1].astype(float)
    moves = 0 if values.moves is None else values.moves
    by_id = (values.sums + moves)[np.argsort(values.ids)]
    assert len(by_id) == 7
    np.testing.assert_allclose(
        draws(METRICS[name], units, "perturbation", 20, 3), counts @ by_id / 7
    )
    if name in PRODUCTS:
        assert np.ptp(draws(CORRELATIONS[name].ceiling, units, "perturbation", 20, 3)) > 0


@pytest.mark.parametrize("name", METRICS)
def test_scoring_changes_no_unit(name):
    units = random_units(0)
    before = {
        field.name: np.copy(getattr(units, field.name)) for field in dataclasses.fields(units)
    }
    METRICS[name](units)
    permuted(METRICS[name], units, 5, 0)
    if name in PRODUCTS:
        METRICS[name].ceiling(units)
    for field, values in before.items():
        np.testing.assert_array_equal(getattr(units, field), values)


def test_every_metric_of_responses_is_tested_here():
    specs = {spec.name: spec for spec in metric_specs() if spec.of == "response"}
    assert sorted(specs) == sorted(METRICS)
    for name, spec in specs.items():
        assert getattr(metrics, spec.score.rpartition(":")[2]) is METRICS[name]


# with-abundance
def test_with_abundance_by_hand_and_like_scipy():
    rng = np.random.default_rng(0)
    units = RankingUnits(
        rng.random(30).round(1), rng.random(30), np.arange(30), rng.random(30).round(1)
    )
    assert ranking.with_abundance(units) == pytest.approx(
        spearmanr(units.predicted, units.abundance)[0], rel=1e-12
    )
    assert ranking.with_abundance(dataclasses.replace(units, predicted=units.abundance)) == 1.0
    assert ranking.with_abundance(dataclasses.replace(units, predicted=-units.abundance)) == -1.0
    small = RankingUnits(
        np.array([1.0, 2, 3]), np.array([3.0, 2, 1]), np.arange(3), np.array([1.0, 3, 2])
    )
    assert ranking.with_abundance(small) == pytest.approx(0.5)  # whatever the truth says


def test_with_abundance_of_nothing():
    units = RankingUnits(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.arange(2))
    with pytest.raises(NotComputed, match="no abundance is known"):
        ranking.with_abundance(units)
    with pytest.raises(NotComputed, match="abundances are all equal"):
        ranking.with_abundance(dataclasses.replace(units, abundance=np.ones(2)))
    assert math.isnan(
        ranking.with_abundance(RankingUnits(np.ones(2), np.ones(2), np.arange(2), np.arange(2.0)))
    )


def test_draws_of_with_abundance_equal_brute_force():
    rng = np.random.default_rng(1)
    units = RankingUnits(
        rng.random(15).round(1), rng.random(15), np.arange(15) * 2, rng.random(15).round(1)
    )
    counts = block_counts(units.genes, 30, 4)[1]
    slow = [
        spearmanr(np.repeat(units.predicted, often), np.repeat(units.abundance, often))[0]
        for often in counts
    ]
    np.testing.assert_allclose(
        draws(ranking.with_abundance, units, "perturbation", 30, 4), slow, rtol=1e-10
    )
