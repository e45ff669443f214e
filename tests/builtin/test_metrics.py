"""What holds for every built-in metric: the truth is best, noise worse, order changes nothing."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from metric_units import (
    BLOCKS,
    IDS,
    LABELS,
    SPECS,
    columns,
    take_genes,
    take_rows,
    units_of,
    value,
)
from response_units import permuted

from kobench.api import (
    ImpactUnits,
    NotComputed,
    ProfileUnits,
    RankingUnits,
    Responses,
    Singles,
    normalise_rows,
)
from kobench.board.numbers.intervals import Series, mean_interval
from kobench.cells import Cells
from kobench.scoring.bootstrap import block_counts, block_of, draws, field_of
from kobench.util.resolve import resolve_reference

#: with-abundance looks at no truth.
OF_TRUTH = [spec for spec in SPECS if spec.name != "with-abundance"]
CASES = [
    (spec, block)
    for spec in SPECS
    for block in BLOCKS[spec.of]
    if not (block == "gene" and spec.tasks == ("profile",))
]


def named(specs):
    return {"argvalues": specs, "ids": [f"{spec.of}-{spec.name}" for spec in specs]}


@pytest.mark.parametrize(
    "spec", **named([spec for spec in OF_TRUTH if spec.name != "auprc-responding"])
)
def test_the_truth_scores_exactly_best(spec):
    for seed in range(5):
        units = units_of(spec, seed)
        assert value(spec, dataclasses.replace(units, predicted=units.true)) == spec.best


@pytest.mark.parametrize("spec", **named(OF_TRUTH))
def test_noise_is_worse_and_more_noise_is_worse_still(spec):
    units = units_of(spec)
    rng = np.random.default_rng(1)
    size = np.nanmean(np.abs(units.true))
    values = []
    for amount in (0.3, 1.0, 10.0):
        noise = (
            rng.random(units.true.shape)
            if spec.of != "response"
            else rng.normal(size=units.true.shape)
        )  # changes have two signs
        noisy = units.true + amount * size * noise
        if isinstance(units, ProfileUnits):
            noisy = normalise_rows(units.present * noisy)
        values.append(value(spec, dataclasses.replace(units, predicted=noisy)))
    better = [-v for v in values] if spec.direction == "lower" else values
    best = -spec.best if spec.direction == "lower" else spec.best
    assert best >= better[0] >= better[1] > better[2]


@pytest.mark.parametrize("spec", **named(SPECS))
def test_values_lie_in_the_range(spec):
    for seed in range(5):
        assert spec.low <= value(spec, units_of(spec, seed)) <= spec.high


# order and labels


def interval(spec, units, block, names=None):
    """The draws of a metric, and the interval that a board makes of them."""
    score, ids = resolve_reference(spec.score), block_of(units, block)
    drawn = draws(score, units, block, 40, 5, names)
    found = mean_interval(Series(np.array([value(spec, units)]), drawn[None], len(np.unique(ids))))
    assert found.low < found.value < found.high
    return [*drawn, found.low, found.value, found.high]


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def shuffled_genes(units, rng):
    """Genes in another order, where there is a column for each.

    The labels of removed genes change along with them.
    """
    return (
        take_genes(units, rng.permutation(units.true.shape[1])) if units.true.ndim == 2 else units
    )


@pytest.mark.parametrize(
    ("spec", "block"), CASES, ids=[f"{spec.of}-{spec.name}-{block}" for spec, block in CASES]
)
def test_the_order_of_units_changes_neither_value_nor_interval(spec, block):
    units = units_of(spec)
    moved = take_rows(units, np.random.default_rng(3).permutation(len(units.true)))
    same(interval(spec, moved, block), interval(spec, units, block))
    assert any(
        (columns(moved)[name] != columns(units)[name]).any() for name in ("predicted", "true")
    )


@pytest.mark.parametrize(
    ("spec", "block"), CASES, ids=[f"{spec.of}-{spec.name}-{block}" for spec, block in CASES]
)
def test_the_order_of_genes_and_the_numbers_of_blocks_change_neither_value_nor_interval(
    spec, block
):
    """A gene that stands elsewhere, and hence has another number, keeps its name.

    So do cells, perturbations and sets of genes.
    """
    units = units_of(spec)
    rng = np.random.default_rng(4)
    moved = shuffled_genes(units, rng)
    if not (
        isinstance(moved, ProfileUnits) and block == "gene"
    ):  # there the columns' order has given the blocks other numbers already
        number = rng.permutation(block_of(units, block).max() + 1)
        moved = dataclasses.replace(
            moved, **{field_of(units, block): number[block_of(moved, block)]}
        )
    before, after = block_of(units, block), block_of(moved, block)
    assert (before != after).any()
    word = rng.permutation([f"name{i:03d}" for i in range(before.max() + 1)])
    theirs = np.full(after.max() + 1, "?" * 7)
    theirs[after] = word[before]
    moved = take_rows(moved, rng.permutation(len(after)))
    same(interval(spec, moved, block, theirs), interval(spec, units, block, word))


@pytest.mark.parametrize(
    "spec", **named([spec for spec in SPECS if spec.of in ("profile", "response")])
)
def test_the_order_of_genes_alone(spec):
    units = units_of(spec)
    moved = shuffled_genes(units, np.random.default_rng(5))
    block = BLOCKS[spec.of][0]
    same(interval(spec, moved, block), interval(spec, units, block))
    score = resolve_reference(spec.score)
    for extra in ("ceiling", "permuted"):
        if hasattr(score, extra):
            before, after = (
                permuted(score, u, 50, 3) if extra == "permuted" else score.ceiling(u)
                for u in (units, moved)
            )
            same(*(found if extra == "permuted" else found.sums for found in (after, before)))


@pytest.mark.parametrize("spec", **named([spec for spec in SPECS if spec.of == "response"]))
def test_the_order_of_perturbations_changes_no_permuted_answer_and_no_ceiling(spec):
    units, score = units_of(spec), resolve_reference(spec.score)
    moved = take_rows(units, np.random.default_rng(6).permutation(len(units.true)))
    same(permuted(score, moved, 50, 3), permuted(score, units, 50, 3))
    if hasattr(score, "ceiling"):
        drawn = [draws(score.ceiling, u, "perturbation", 40, 5) for u in (moved, units)]
        same(*drawn)
        assert np.ptp(drawn[0]) > 0


def test_draws_by_name_follow_the_name():
    ids, names = np.array([2, 0, 2, 5]), np.array(["d", "", "a", "", "", "c"])
    by_id, counts = block_counts(ids, 30, 1)
    assert by_id.tolist() == [0, 2, 5]
    distinct, by_name = block_counts(ids, 30, 1, names)
    assert distinct.tolist() == [0, 2, 5]
    np.testing.assert_array_equal(
        by_name, counts[:, [2, 0, 1]]
    )  # of d, a, c the last, the first and the second
    ordered = np.array(["a", "", "b", "", "", "c"])
    np.testing.assert_array_equal(block_counts(ids, 30, 1, ordered)[1], counts)
    assert block_counts(np.empty(0, int), 3, 0, names)[1].shape == (3, 0)


def test_what_blocks_are_called():
    cells = Cells(np.ones((2, 3), np.float32), np.array(["x", "y", "z"]))
    nothing = np.empty((0, 3))
    singles = Singles(
        cells, None, np.empty(0, int), nothing, np.empty(0), np.empty(0), nothing, nothing
    )
    assert singles.block_names("gene").tolist() == ["x", "y", "z"]
    assert singles.block_names("cell") is None
    k = np.ones(2)
    responses = Responses(cells, ("x", "y+z"), ((0,), (1, 2)), (), (), k, k, nothing, k, k, k, k)
    assert responses.block_names("perturbation").tolist() == ["x", "y+z"]
    assert responses.block_names("cell") is None


# answers and truths that say nothing

DISTANCES = ("bray-curtis", "jensen-shannon", "rmse", "mae", "explained-change", "sign-accuracy")
RANKINGS = [spec for spec in OF_TRUTH if spec.name not in DISTANCES]


def constant(values, number):
    return np.where(np.isnan(values), math.nan, number)


@pytest.mark.parametrize("spec", **named(RANKINGS))
def test_a_constant_answer_gives_no_ranking(spec):
    units = units_of(spec)
    number = 0.0 if spec.name == "cosine-delta" else 0.25
    assert math.isnan(
        value(spec, dataclasses.replace(units, predicted=constant(units.predicted, number)))
    )


@pytest.mark.parametrize(
    "spec", **named([spec for spec in RANKINGS if spec.name != "auprc-responding"])
)
def test_a_constant_truth_is_not_computed_and_says_why(spec):
    units = units_of(spec)
    number = 0.0 if spec.name == "cosine-delta" else 0.25
    with pytest.raises(
        NotComputed, match=r"equal|differ|varies|above 0|pairs|share|alike|over 0.001|changes"
    ):
        value(spec, dataclasses.replace(units, true=constant(units.true, number)))


@pytest.mark.parametrize("spec", **named(SPECS))
def test_no_units_at_all_is_not_computed(spec):
    with pytest.raises(NotComputed):
        value(spec, take_rows(units_of(spec), slice(0)))


@pytest.mark.parametrize("spec", **named(SPECS))
def test_single_precision_answers_score_the_same_but_for_rounding(spec):
    units = units_of(spec)
    single = dataclasses.replace(units, predicted=units.predicted.astype(np.float32))
    assert value(spec, single) == pytest.approx(value(spec, units), abs=1e-5)


@pytest.mark.parametrize("spec", **named(SPECS))
def test_scoring_changes_no_unit(spec):
    units = units_of(spec)
    before = {name: np.copy(values) for name, values in columns(units).items()}
    value(spec, units)
    for name, values in before.items():
        np.testing.assert_array_equal(getattr(units, name), values)


# the specs


def test_names_are_unique_for_each_kind_of_units():
    assert len(set(IDS)) == len(SPECS)


def test_the_units_of_these_tests_have_what_blocks_are_drawn_by():
    for spec, block in CASES:
        units = units_of(spec)
        assert field_of(units, block) in LABELS
        assert len(np.unique(block_of(units, block))) > 5
        assert (
            isinstance(units, (ImpactUnits, RankingUnits)) or np.ptp(np.nan_to_num(units.true)) > 0
        )


def test_naming_the_metrics_loads_none_of_them():
    code = (
        "import sys, kobench.builtin.plugin as p; list(p.kobench_metrics()),"
        " list(p.kobench_tasks()), list(p.kobench_predictors()); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "kobench.builtin.specs.metrics" in loaded
    for name in (
        "scipy",
        "pandas",
        "anndata",
        "kobench.builtin.metrics.profile",
        "kobench.builtin.metrics.interaction",
        "kobench.builtin.tasks.singles",
        "kobench.builtin.floors.profile",
    ):
        assert name not in loaded
