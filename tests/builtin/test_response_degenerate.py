"""Metrics of responses where an answer or a truth says nothing: constant, rounded, too few."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from response_units import (
    CORRELATIONS,
    METRICS,
    NAN,
    in_order,
    permuted,
    random_units,
    table_of,
    units_of,
)

from kobench.api import NotComputed, ResponseUnits, orders_among
from kobench.builtin.metrics.response import (
    auprc_responding,
    centroid_accuracy,
    cosine_delta,
    pearson_delta,
    pearson_delta_centred,
    sign_accuracy,
    spearman_delta,
)
from kobench.scoring.bootstrap import draws
from kobench.scoring.permutations import orders_by_name


def test_a_perturbation_without_change_is_dropped_for_everybody():
    units = random_units(1, k=8)
    silent = units.true.copy()
    silent[3] = np.where(np.isnan(silent[3]), NAN, 1e-10)
    units = dataclasses.replace(units, true=silent)
    rest = np.delete(np.arange(8), 3)
    without = ResponseUnits(
        units.predicted[rest],
        units.true[rest],
        units.perturbations[rest],
        True,
        units.halves[:, :, rest],
        units.responds[rest],
    )
    orders = orders_by_name(tuple(map(str, units.perturbations)), 0, 9)
    for name, score in {**CORRELATIONS, "centroid-accuracy": centroid_accuracy}.items():
        assert units.perturbations[3] not in score(units).ids
        assert score(units).value == pytest.approx(score(without).value, rel=1e-12), name
        np.testing.assert_allclose(
            score.permuted(units, orders),
            score.permuted(without, orders_among(orders, np.array(rest))),
            rtol=1e-9,
            atol=1e-12,
        )
    np.testing.assert_array_equal(pearson_delta.ceiling(units).ids, pearson_delta(units).ids)


def test_a_constant_centred_truth_is_dropped_and_a_constant_answer_counts_as_0():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(6, 9))
    true[5] = true[:5].mean(axis=0)  # exactly the mean of all: nothing of its own
    predicted = rng.normal(size=(6, 9))
    predicted[4] = predicted[[0, 1, 2, 3, 5]].mean(axis=0)
    found = pearson_delta_centred(units_of(predicted, true))
    assert found.ids.tolist() == [1, 3, 5, 7, 9]
    assert found.sums[4] == 0.0
    assert (found.sums[:4] != 0).all()
    assert pearson_delta(units_of(predicted, true)).ids.tolist() == [1, 3, 5, 7, 9, 11]


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
@pytest.mark.parametrize("name", METRICS)
def test_the_scale_of_an_answer_does_not_matter(name, scale):
    units = random_units(4)
    scaled = dataclasses.replace(units, predicted=scale * units.predicted)
    assert METRICS[name](scaled).value == pytest.approx(METRICS[name](units).value, rel=1e-9)


@pytest.mark.parametrize("name", CORRELATIONS)
def test_rounding_is_no_answer(name):
    units = random_units(0)
    rng = np.random.default_rng(1)
    nearly = np.where(np.isnan(units.true), NAN, 0.3 + 1e-13 * rng.normal(size=units.true.shape))
    if name == "cosine-delta":
        nearly = 0 * units.true
    assert math.isnan(CORRELATIONS[name](dataclasses.replace(units, predicted=nearly)).value)


@pytest.mark.parametrize("name", [name for name in METRICS if name != "sign-accuracy"])
def test_no_change_at_all_is_no_answer(name):
    units = random_units(0)
    nothing = dataclasses.replace(units, predicted=0 * units.predicted)
    assert math.isnan(METRICS[name](nothing).value)
    assert np.isnan(permuted(METRICS[name], nothing, 3, 0)).all()
    assert np.isnan(draws(METRICS[name], nothing, "perturbation", 3, 0)).all()


def test_one_constant_answer_among_others_counts_as_chance():
    units = random_units(0)
    predicted = units.predicted.copy()
    predicted[2] = 0 * predicted[2]
    units = dataclasses.replace(units, predicted=predicted)
    for score in (pearson_delta, spearman_delta, cosine_delta):
        assert in_order(score(units), units)[2] == 0.0
    known = ~np.isnan(units.true[2])
    assert in_order(auprc_responding(units), units)[2] == pytest.approx(
        units.responds[2][known].mean()
    )
    alike = np.where(np.isnan(units.true), NAN, 1.0)
    alike[0, ~np.isnan(units.true[0])] = np.arange(np.isfinite(units.true[0]).sum())
    alike[1:] = np.where(np.isnan(units.true[1:]), NAN, 0.0)
    assert centroid_accuracy(dataclasses.replace(units, predicted=alike)).value > 0


def test_centring_takes_five_perturbations():
    units = random_units(0, k=4)
    with pytest.raises(
        NotComputed,
        match="4 with a true change; taking out their mean needs 5 perturbations or more",
    ):
        pearson_delta_centred(units)
    with pytest.raises(NotComputed, match="needs 5 perturbations"):
        centroid_accuracy(units)
    with pytest.raises(NotComputed):
        permuted(pearson_delta_centred, units, 3, 0)
    for name in (
        "pearson-delta",
        "spearman-delta",
        "cosine-delta",
        "sign-accuracy",
        "auprc-responding",
    ):
        assert math.isfinite(METRICS[name](units).value)


def test_one_perturbation_and_equal_ones():
    one = random_units(0, k=1)
    alike = np.tile(np.arange(4.0), (6, 1))
    with pytest.raises(NotComputed, match="true changes are all alike"):
        centroid_accuracy(units_of(alike, alike))
    # without the mean of all one alone differs between genes: the others have one gene each
    true = np.array([[1.0, 0.0], [2.0, NAN], [3.0, NAN], [NAN, 2.0], [NAN, 3.0]])
    with pytest.raises(NotComputed, match="true changes are all alike"):
        centroid_accuracy(units_of(true, true))
    assert pearson_delta(one).value == pytest.approx(table_of("pearson-delta", one)[0, 0])
    assert permuted(pearson_delta, one, 3, 0).tolist() == pytest.approx(
        [pearson_delta(one).value] * 3, rel=1e-12
    )


def test_an_answer_without_signs_says_only_which_genes_respond():
    units = dataclasses.replace(random_units(0), signed=False)
    for name, score in METRICS.items():
        if name == "auprc-responding":
            assert score(units).value == pytest.approx(np.diag(table_of(name, units)).mean())
        else:
            with pytest.raises(
                NotComputed, match="which genes are affected, not in which direction"
            ):
                score(units)


def test_what_can_not_be_computed_says_why():
    units = random_units(0)
    untested = dataclasses.replace(units, responds=None)
    none, everything = (np.full(units.true.shape, value) for value in (False, True))
    for score in (sign_accuracy, auprc_responding):
        with pytest.raises(NotComputed, match="no gene was tested"):
            score(untested)
    with pytest.raises(NotComputed, match="no gene responds"):
        sign_accuracy(dataclasses.replace(units, responds=none))
    for responds in (none, everything):
        with pytest.raises(NotComputed, match="some genes respond and others not"):
            auprc_responding(dataclasses.replace(units, responds=responds))
    still = dataclasses.replace(units, true=0 * units.true)
    for score in (*CORRELATIONS.values(), centroid_accuracy):
        with pytest.raises(NotComputed, match="no perturbation changes any gene"):
            score(still)
    empty = ResponseUnits(
        np.empty((0, 5)), np.empty((0, 5)), np.empty(0, int), responds=np.empty((0, 5), bool)
    )
    for score in METRICS.values():
        with pytest.raises(NotComputed):
            score(empty)
    level = dataclasses.replace(units, true=np.where(np.isnan(units.true), NAN, 0.5))
    with pytest.raises(NotComputed, match="differ between genes"):
        pearson_delta(level)
    alike = np.tile(np.arange(20.0), (7, 1))
    with pytest.raises(NotComputed, match="differ between genes"):
        pearson_delta_centred(dataclasses.replace(units, true=alike))


def test_responding_genes_that_are_targets_do_not_count():
    units = random_units(0)
    responds = units.responds | np.isnan(units.true)  # a target always responds
    for score in (sign_accuracy, auprc_responding):
        marked = dataclasses.replace(units, responds=responds)
        assert score(marked).value == score(units).value
        np.testing.assert_array_equal(permuted(score, marked, 5, 0), permuted(score, units, 5, 0))


def test_a_pair_without_a_responding_gene_left_counts_as_chance():
    true = np.array([[1.0, 2.0, NAN], [NAN, 1.0, 2.0]])
    responds = np.array([[True, False, False], [False, False, True]])
    units = units_of(
        true, true, responds=responds
    )  # the only responding gene of 0 is the target of 1, and the other way round
    assert sign_accuracy.compare(units).pairs().tolist() == [[1.0, 0.5], [0.5, 1.0]]
    assert auprc_responding.compare(units).pairs().tolist() == [[0.5, 0.5], [0.5, 1.0]]
