"""The correlation of changes of unit length: what one strong perturbation, or its size, earns."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from response_units import NAN, random_units, units_of

from kobench.api import NotComputed, ResponseUnits
from kobench.builtin.metrics.over_perturbations import many_respond
from kobench.builtin.metrics.response import (
    pearson_delta_centred,
    pearson_delta_centred_unit,
)
from kobench.builtin.specs.metrics import metric_specs
from kobench.scoring.bootstrap import Redraw
from kobench.scoring.metric import score_metric

SPEC = next(spec for spec in metric_specs() if spec.name == "pearson-delta-centred-unit")


def orthogonal(k, lengths):
    """k changes of eight genes each, which sum to 0, of these lengths."""
    signs = np.tile([1.0, -1.0], 4)
    return np.kron(np.diag(np.asarray(lengths, float)), signs) / math.sqrt(8)


@pytest.mark.parametrize("k", [5, 9, 15])
def test_of_one_change_that_is_known_the_length_earns_nothing(k):
    for longest in (1.0, 3.0, 1000.0):
        true = orthogonal(k, [longest, *[1.0] * (k - 1)])
        one = np.where((np.arange(k) == 0)[:, None], true, 0.0)
        found = pearson_delta_centred_unit(units_of(one, true))
        assert found.sums[0] == pytest.approx(math.sqrt((k - 1) / k))
        np.testing.assert_allclose(found.sums[1:], 1 / math.sqrt(k * (k - 1)))
        assert found.value == pytest.approx(2 / k * math.sqrt((k - 1) / k))
    # unscaled, the longest is the mean of all, and what is left of the others is minus it
    assert pearson_delta_centred(units_of(one, true)).value > 0.99


def test_who_is_strong_earns_less_than_unscaled():
    """Strong changes that share a direction, weak ones that are their own."""
    old, new = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shared = rng.normal(size=40)
        own = rng.normal(size=(16, 40))
        strong = np.arange(16) < 4
        true = np.where(strong[:, None], 6 * (shared + own), own)
        bit = np.where(strong[:, None], true[strong].mean(axis=0), 0.0)
        units = units_of(bit, true)
        old.append(pearson_delta_centred(units).value)
        new.append(pearson_delta_centred_unit(units).value)
    assert np.mean(old) > 0.65
    assert np.mean(new) < 0.45


@pytest.mark.parametrize("of", ["predicted", "true"])
def test_the_length_of_a_single_change_does_not_matter(of):
    units = random_units(3, targets=3)
    factor = np.array([1e-9, 1e9, 1, 2, 3, 0.1, 7])[:, None]
    if of == "true":
        factor = np.clip(factor, 1e-3, None)  # what is below rounding is no change
    longer = dataclasses.replace(units, **{of: factor * getattr(units, of)})
    assert pearson_delta_centred_unit(longer).value == pytest.approx(
        pearson_delta_centred_unit(units).value, rel=1e-9
    )
    assert pearson_delta_centred(longer).value != pytest.approx(
        pearson_delta_centred(units).value, rel=1e-3
    )


def test_one_direction_of_any_size_knows_nothing():
    rng = np.random.default_rng(0)
    for seed in range(5):
        units = random_units(seed, k=20, g=60)
        gaps = np.isnan(units.true)
        direction, sizes = rng.normal(size=60), rng.gamma(0.5, 1.0, (20, 1))
        scaled = dataclasses.replace(units, predicted=np.where(gaps, NAN, sizes * direction))
        assert abs(pearson_delta_centred_unit(scaled).value) < 0.2
        same = dataclasses.replace(units, predicted=np.where(gaps, NAN, direction))
        assert math.isnan(pearson_delta_centred_unit(same).value)


def test_five_genes_must_respond_and_targets_do_not_help():
    units = random_units(1, k=8, targets=1)
    gaps = np.isnan(units.true)
    responds = np.zeros(units.true.shape, bool)
    for row in range(8):
        responds[row, np.flatnonzero(~gaps[row])[: 4 if row in (2, 6) else 5]] = True
    tested = dataclasses.replace(units, responds=responds | gaps)
    assert many_respond(tested.true, tested.responds).tolist() == [
        row not in (2, 6) for row in range(8)
    ]
    found = pearson_delta_centred_unit(tested)
    rest = [0, 1, 3, 4, 5, 7]
    alone = ResponseUnits(units.predicted[rest], units.true[rest], units.perturbations[rest])
    assert found.ids.tolist() == units.perturbations[rest].tolist()
    np.testing.assert_allclose(found.sums, pearson_delta_centred_unit(alone).sums)
    # that many genes respond does not make a change of what is rounding
    still = np.where(gaps, NAN, 1e-10)
    still[0] = np.where(gaps[0], NAN, np.where(np.arange(20) < 6, 1.0, 1e-10))
    assert not many_respond(still[1:], np.ones((7, 20), bool)).any()
    assert many_respond(still, None).tolist() == [True] + [False] * 7
    four = dataclasses.replace(tested, responds=responds & (np.arange(8) < 4)[:, None])
    with pytest.raises(NotComputed, match=r"^3 in which 5 genes or more respond; .* needs 5"):
        pearson_delta_centred_unit(four)


def test_a_record_says_how_many_perturbations_the_score_is_over():
    units = random_units(1, k=8)
    responds = units.responds & (np.arange(8) < 6)[:, None]
    redraw = Redraw("perturbation", 50, 0)
    found = score_metric(
        SPEC, pearson_delta_centred_unit, dataclasses.replace(units, responds=responds), redraw
    )
    assert found.over == 6
    assert score_metric(SPEC, pearson_delta_centred_unit, units, redraw).over is None
    assert "over" not in score_metric(SPEC, pearson_delta_centred_unit, units, redraw).to_json()


def test_the_change_without_noise_reaches_the_ceiling_however_uneven_the_noise():
    gaps = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        strength = rng.gamma(2.0, 1.0, (12, 1)) + 0.5
        exact = strength * (0.5 * rng.normal(size=80) + rng.normal(size=(12, 80)))
        first, second = (exact + 2 * rng.normal(size=exact.shape) for _ in range(2))
        true = (first + second) / 2
        units = units_of(exact, true, halves=np.array([[first, second]]))
        score, ceiling = (
            found.value
            for found in (
                pearson_delta_centred_unit(units),
                pearson_delta_centred_unit.ceiling(units),
            )
        )
        gaps.append([score, ceiling])
    score, ceiling = np.mean(gaps, axis=0)
    assert 0.6 < score < 0.9
    assert abs(ceiling - score) < 0.03
