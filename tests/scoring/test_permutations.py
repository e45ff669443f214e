"""Permutations follow the names of perturbations, so splits of the same cells share them."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from response_units import random_units
from scipy.stats import chisquare

from kobench.api import ResponseUnits, orders_among
from kobench.board.make import make_board
from kobench.builtin.metrics.response import pearson_delta, pearson_delta_centred
from kobench.builtin.specs.metrics import metric_specs
from kobench.plugins.load import load_registry
from kobench.results.parts import PermutedScores
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.scoring.metric import Permuting, score_permuted
from kobench.scoring.permutations import orders_by_name, permutations_of

NAMES = tuple(f"G{place}" for place in range(40))


def spec_of(name):
    return next(spec for spec in metric_specs() if spec.of == "response" and spec.name == name)


def kept_of(names):
    return np.array([place for place, name in enumerate(NAMES) if name in names])


def test_every_order_is_as_likely_as_any_other():
    orders = orders_by_name(("b", "d", "a", "c"), 0, 24_000)
    counts = Counter(map(tuple, orders.tolist()))
    assert set(counts) == set(itertools.permutations(range(4)))
    assert chisquare(list(counts.values())).pvalue > 0.01


def test_a_permutation_follows_the_names_and_not_their_order_or_number_of_draws():
    moved = np.random.default_rng(0).permutation(40)
    orders, other = (
        orders_by_name(NAMES, 3),
        orders_by_name(tuple(NAMES[place] for place in moved), 3),
    )
    np.testing.assert_array_equal(moved[other], orders[:, moved])
    np.testing.assert_array_equal(orders_by_name(NAMES, 3, 10), orders[:10])
    assert (orders_by_name(NAMES, 4) != orders).mean() > 0.9


def test_without_some_names_the_others_are_given_nearly_what_they_were():
    kept = kept_of(set(NAMES) - {"G7", "G20", "G31"})
    rest = orders_by_name(tuple(NAMES[place] for place in kept), 3)
    assert (rest == orders_among(orders_by_name(NAMES, 3), kept)).mean() > 0.97
    same_answer = orders_by_name(NAMES, 3)[:, kept] == kept[rest]
    assert same_answer.mean() == pytest.approx(37 / 40, abs=0.03)


def test_orders_among_some_are_orders_and_all_equally_likely():
    every = np.array(list(itertools.permutations(range(5))))
    counts = Counter(map(tuple, orders_among(every, np.array([4, 0, 2])).tolist()))
    assert set(counts.values()) == {20}
    assert len(counts) == 6
    np.testing.assert_array_equal(orders_among(every, np.arange(5)), every)
    assert orders_among(every, np.array([3])).tolist() == [[0]] * 120


def test_units_are_called_by_name_where_the_question_has_names():
    units = random_units(0, k=4)
    names = np.array([f"n{place}" for place in range(20)])
    found = permutations_of(units, names, 1)
    assert found.names == tuple(names[units.perturbations])
    assert permutations_of(units, None, 1).names == tuple(map(str, units.perturbations))
    twice = ResponseUnits(units.predicted, units.true, np.array([0, 0, 1, 2]))
    assert permutations_of(twice, names, 1).names == ("0", "1", "2", "3")


def permuted(score, units, name, kept=0, observed=None):
    value = score(units).value if observed is None else observed
    return score_permuted(spec_of(name), score, units, value, Permuting(5, kept=kept))


def test_three_perturbations_have_six_orders_and_no_smaller_p():
    units = random_units(0, k=3)
    table = {
        round(float(value), 12)
        for value in pearson_delta.permuted(units, np.array(list(itertools.permutations(range(3)))))
    }
    best = max(table)
    found = permuted(pearson_delta, units, "pearson-delta", observed=best)
    assert 1 / 6 <= found.p < 0.2
    nothing_as_good = permuted(pearson_delta, units, "pearson-delta", observed=best + 1)
    assert nothing_as_good.p == pytest.approx(1 / 6, rel=1e-5)
    ten = permuted(pearson_delta, random_units(0, k=10), "pearson-delta", observed=2.0)
    assert ten.p == pytest.approx(1 / 1001, rel=1e-5)


def test_scores_of_permutations_are_kept_with_the_names():
    units = random_units(0, k=12, g=30)
    assert permuted(pearson_delta_centred, units, "pearson-delta-centred").scores is None
    found = permuted(pearson_delta_centred, units, "pearson-delta-centred", kept=1000)
    values = pearson_delta_centred.permuted(units, permutations_of(units, None, 5).orders)
    np.testing.assert_allclose(found.scores, values, rtol=1e-3)
    assert found.names == list(map(str, units.perturbations))
    assert found.mean == pytest.approx(values.mean(), rel=1e-4)
    few = permuted(pearson_delta_centred, units, "pearson-delta-centred", kept=100)
    assert few.scores == found.scores[:100]
    again = PermutedScores.from_json(found.to_json())
    assert again == found


def test_splits_of_one_dataset_have_the_same_permutations(tmp_path):
    """Of its floors, through a whole run; draws of the perturbations say that they are shared."""
    registry = load_registry()
    text = "planted:genes=30,cells=120,perturbations=8,perturbed_cells=40"
    records = []
    for seed in (0, 1):
        request = Request([text], [], tasks=["response"], networks=1, split_seed=seed)
        records += Run(tmp_path / "results").run(make_plan(registry, request)).records
    named = {}
    for record in records:
        for scores in record.result.scores.values():
            metric = scores.metrics.get("pearson-delta-centred")
            if metric is not None and metric.permuted is not None and record.role == "floor":
                key = record.trial.predictor.name, record.trial.split.seed
                named[key] = metric.permuted, scores.blocks_digest
    assert {seed for _, seed in named} == {0, 1}
    for name in {name for name, _ in named}:
        (first, digest), (second, other) = named[name, 0], named[name, 1]
        assert len(first.scores) == len(second.scores) == 1000
        assert first.names == second.names
        assert digest == other
        assert digest is not None
        # the same answers meet truths that share their perturbed cells
        assert np.corrcoef(first.scores, second.scores)[0, 1] > 0.3
    (section,) = make_board(records, cost=False).sections
    asked = next(remark for remark in section.remarks if "asked" in remark)
    assert asked == "8 perturbations asked in each of 2 splits"
