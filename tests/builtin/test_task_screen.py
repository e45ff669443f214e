"""The task `vcc2026`: from predicted changes to counted cells, and to scores on a board."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from command import kobench
from counted_questions import answers, asked, cells_of, dataset_of, written
from counted_screens import made_screen

from kobench.api import Answers, NotComputed, Parts, TaskView
from kobench.builtin.metrics.screen import Scaled, mean_of_six, scaled_parts
from kobench.builtin.specs.tasks import task_specs
from kobench.builtin.tasks import counted
from kobench.builtin.tasks.screen import vcc2026
from kobench.checks.metrics.examples import example_units
from kobench.checks.metrics.variants import noisy, taken
from kobench.plugins.load import load_registry
from kobench.question import SETS
from kobench.runner.request import Request
from kobench.runner.tasks import find_tasks
from kobench.scoring.bootstrap import draws
from kobench.screens.emit import FACTORS, Emitter
from kobench.screens.scale import MEMBERS


@pytest.fixture(scope="module")
def question():
    return asked(dataset_of())


def scores(units) -> dict[str, float]:
    found = {name: Scaled(name)(units) for name in MEMBERS}
    return {
        name: result.value if isinstance(result, Parts) else result
        for name, result in found.items()
    }


def test_the_measured_change_scores_well_and_no_change_does_not(question) -> None:
    known = vcc2026(TaskView(question, answers(question, question.change))).variants[""]
    nothing = vcc2026(TaskView(question, answers(question, 0 * question.change))).variants[""]
    good, bad = scores(known), scores(nothing)
    assert set(known.zero) == set(MEMBERS)
    for name in MEMBERS:
        assert good[name] > bad[name] + 0.2, name
    assert good["pds-cosine"] > 0.9
    assert mean_of_six(known).value == pytest.approx(np.mean(list(good.values())))


def test_the_answer_of_another_perturbation_is_told_from_its_own(question) -> None:
    change = np.nan_to_num(question.change)
    known, other = (
        scores(vcc2026(TaskView(question, answers(question, values))).variants[""])
        for values in (change, np.roll(change, 1, axis=0))
    )
    assert all(known[name] > other[name] for name in MEMBERS)


def test_the_same_answers_have_the_same_bytes(question) -> None:
    again = asked(dataset_of())
    one, two = (
        vcc2026(TaskView(each, answers(each, each.change))).variants[""]
        for each in (question, again)
    )
    np.testing.assert_array_equal(one.predicted, two.predicted)
    assert (one.zero, one.one) == (two.zero, two.one)


def test_the_table_and_the_notes_say_what_is_behind_the_scores(question) -> None:
    given = vcc2026(TaskView(question, answers(question, question.change)))
    assert given.table is not None
    assert given.table["perturbation"] == list(question.names)
    assert "before scaling the mean response and a replicate have: pds-cosine " in given.notes[0]
    assert (given.asked, given.answered, given.unranked) == (12, 12, "")


def test_perturbations_that_are_not_supported_are_left_out(question) -> None:
    supported = np.ones(question.cells.n_vars, bool)
    supported[list(question.targets[3])] = False
    given = dataclasses.replace(answers(question, question.change), supported=supported)
    units = vcc2026(TaskView(question, given))
    assert (units.asked, units.answered) == (12, 11)
    assert 3 not in units.variants[""].perturbations
    assert len(units.variants[""].true) == 11


@pytest.mark.parametrize("kind", ["direction", "affected"])
def test_a_direction_has_no_size_to_make_cells_of(question, kind: str) -> None:
    given = dataclasses.replace(answers(question, question.change), response_kind=kind)
    assert vcc2026(TaskView(question, given)).variants == {}


def test_what_no_cells_can_be_made_of_is_said() -> None:
    whole = dataset_of()
    bare = dataclasses.replace(whole.cells, layers={})
    without = asked(dataset_of(cells=bare))
    given = vcc2026(TaskView(without, answers(without, without.change)))
    assert given.variants == {}
    assert given.unranked.startswith("the dataset has no counts")
    other = asked(dataset_of(scale="linear"))
    assert vcc2026(TaskView(other, answers(other, other.change))).unranked.startswith(
        "the working scale is linear;"
    )
    plain = asked(dataset_of(scale="log1p"))  # counts of another scale, but counts
    assert vcc2026(TaskView(plain, answers(plain, plain.change))).unranked == ""
    halves = {"counts": whole.cells.layers["counts"] + np.float32(0.5)}
    parts = asked(dataset_of(cells=dataclasses.replace(whole.cells, layers=halves)))
    given = vcc2026(TaskView(parts, answers(parts, parts.change)))
    assert "no whole numbers" in given.unranked
    confounded = asked(dataset_of(confounded="two libraries"))
    given = vcc2026(TaskView(confounded, answers(confounded, confounded.change)))
    assert given.unranked == "confounded: no skill, no rank (two libraries)"


def test_of_a_predictors_own_cells_each_perturbation_has_its_own(question) -> None:
    n_genes, k, each = question.cells.n_vars, len(question.names), 3
    few = dataclasses.replace(question, each=each)
    measured = np.bincount(question.counted.group)
    assert (measured > each).all()
    own = np.zeros((k * each, n_genes), np.float32)
    own[:, 0] = np.arange(1, k * each + 1)  # every cell has a count of its own
    given = Answers(cells=own, supported=np.ones(n_genes, bool))
    made = counted.cells_of(TaskView(few, given), np.ones(k, bool))
    # fewer were asked than measured: all that were asked, and none of another perturbation's
    assert made.group.tolist() == np.repeat(np.arange(k), each).tolist()
    assert made.counts.toarray()[:, 0].tolist() == own[:, 0].tolist()


def test_no_predictor_is_handed_any_count_of_the_truth(question) -> None:
    handed = question.payload()
    cells = handed.cells.layers["counts"]
    screen = made_screen(4)
    np.testing.assert_array_equal(cells, screen.control[::2])
    population = {"n_rows", "genes0", "cells0", "rows0"}
    assert set(handed.arrays) == population | {"targets", "each"}
    assert question.counted is not None
    assert question.counted.control.tolist() == list(range(1, len(screen.control), 2))


# cells from changes


def test_without_a_change_cells_are_control_cells() -> None:
    screen = made_screen(0)
    emitter = Emitter(cells_of(screen.control, screen.genes))
    factors = emitter.factors(np.zeros(len(screen.genes)), (5,))
    assert factors[5] == 0
    assert set(np.delete(factors, 5)) == {1.0}
    drawn = emitter.draw(factors, 30, 0).toarray()
    expected = screen.control.copy()
    expected[:, 5] = 0
    known = {tuple(row) for row in expected.tolist()}
    assert all(tuple(row) in known for row in drawn.astype(int).tolist())
    np.testing.assert_array_equal(drawn, emitter.draw(factors, 30, 0).toarray())
    assert (drawn != emitter.draw(factors, 30, 1).toarray()).any()


def test_factors_give_the_mean_that_was_predicted() -> None:
    screen = made_screen(0)
    cells = cells_of(screen.control, screen.genes)
    emitter = Emitter(cells)
    rng = np.random.default_rng(0)
    target = int(np.argmax(cells.X.mean(axis=0)))
    before = cells.X.mean(axis=0, dtype=np.float64)
    rest = (cells.X.sum(axis=1) - cells.X[:, target]).mean()
    change = rng.uniform(-0.9, 1.5, len(before)) * before / rest
    change[target] = np.nan
    factors = emitter.factors(change, (target,))
    linear = np.expm1(cells.X.astype(np.float64))
    found = np.log1p(factors * linear).mean(axis=0)
    wanted = before + rest * np.nan_to_num(change)
    seen = (before > 0.05) & (factors < FACTORS[-1])
    seen[target] = False
    assert seen.sum() > 60
    np.testing.assert_allclose(found[seen], wanted[seen], rtol=2e-3)
    gone = emitter.factors(-2 * before / rest, (target,))
    assert not gone[before > 0].any()


def test_counts_are_multiplied_by_the_factors_on_average() -> None:
    rng = np.random.default_rng(1)
    control = rng.poisson(rng.lognormal(0.5, 1, 30), (200, 30))
    emitter = Emitter(cells_of(control, np.array([f"g{i}" for i in range(30)])))
    factors = np.array([0.0, 0.25, 1.0, 2.0, 6.0] * 6)
    drawn = emitter.draw(factors, 40_000, 3)
    assert drawn.dtype == np.float32
    assert (drawn.data == np.round(drawn.data)).all()
    mean, error = control.mean(axis=0), control.std(axis=0) / math.sqrt(40_000)
    apart = np.asarray(drawn.mean(axis=0)).ravel() - factors * mean
    room = 5 * (np.maximum(factors, 1) * error + np.sqrt((factors * mean) / 40_000))
    assert (np.abs(apart) <= room + 1e-12).all()


def test_a_gene_that_no_control_cell_has_stays_away() -> None:
    control = np.array([[3, 0, 1], [2, 0, 4]])
    emitter = Emitter(cells_of(control, np.array(["a", "b", "c"])))
    factors = emitter.factors(np.array([0.0, 0.5, -0.1]), (0,))
    assert factors[1] == 1.0
    assert not emitter.draw(factors, 50, 0)[:, 1].nnz


# metrics


#: How much noise is in an answer that scores neither 0 nor 1.
NOISE = {"pds-cosine": 6.0, "mse-capped": 0.3}


def example(level: float = 1.0):
    (given,) = example_units("screen", 0).values()
    return noisy(given, level, np.random.default_rng(0))


@pytest.mark.parametrize("name", MEMBERS)
def test_members_are_parts_over_perturbations(name: str) -> None:
    given = example(NOISE.get(name, 1.0))
    parts = scaled_parts(given, name)
    low, high = given.zero[name], given.one[name]
    assert parts.over == "perturbation"
    kept = taken(given, np.array([0, 2, 5]))
    if name in ("direction-fidelity", "direction-reach", "significance-jaccard", "lfc-nmae"):
        again = scaled_parts(kept, name)
        np.testing.assert_allclose(again.sums, parts.sums[[0, 2, 5]])
    assert low != high
    drawn = draws(Scaled(name), given, "perturbation", 50, 0)
    assert np.isfinite(drawn).all()
    assert np.ptp(drawn) > 0


def test_the_mean_of_six_is_drawn_by_its_parts() -> None:
    given = example()
    result = mean_of_six(given)
    assert isinstance(result, Parts)
    assert result.value == pytest.approx(np.mean(list(scores(given).values())))
    assert len(result.ids) == len(given.true)


def test_without_a_scale_there_is_no_value() -> None:
    given = example()
    less = {name: value for name, value in given.zero.items() if name != "lfc-nmae"}
    without = dataclasses.replace(given, zero=less)
    for metric in (Scaled("lfc-nmae"), mean_of_six):
        with pytest.raises(NotComputed, match="no scale"):
            metric(without)
    assert math.isfinite(Scaled("pds-cosine")(without).value)


def test_values_past_the_challenges_limits_are_put_on_them() -> None:
    given = example()
    bad = dataclasses.replace(given, predicted=given.predicted + 50.0)
    assert Scaled("mse-capped")(bad) == 0.0
    assert Scaled("lfc-nmae")(bad) == -6.0
    with_limits = np.mean([scores(bad)[name] for name in MEMBERS])
    assert mean_of_six(bad).value == pytest.approx(with_limits)


def test_an_answer_with_gaps_has_no_value() -> None:
    given = example()
    holes = given.predicted.copy()
    holes[0, :, 3] = np.nan
    assert math.isnan(mean_of_six(dataclasses.replace(given, predicted=holes)))


# on a board


def test_it_is_run_where_it_is_named_and_nowhere_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    dataset = f"h5ad:path={written(tmp_path)}"
    kobench("run", "-d", dataset, "-t", "vcc2026", "--out", out)
    values = {}
    for path in (out / "records").glob("*.json"):
        record = json.loads(path.read_text())
        assert record["result"]["status"] == "ok"
        found = record["result"]["scores"]["vcc2026@2"]["metrics"]
        values[record["trial"]["predictor"]["name"]] = found
    assert set(values) == {
        "no-effect",
        "presence-contrast",
        "call-all",
        "call-common",
        "call-down",
        "call-all-300",
        "call-common-300",
        "call-down-300",
    }
    for found in values.values():
        assert set(found) == {"mean-of-six", *MEMBERS}
        assert found["mean-of-six"]["value"] == pytest.approx(
            np.mean([found[name]["value"] for name in MEMBERS]), abs=1e-6
        )
        assert found["mean-of-six"]["draws"]
    registry, asked_for = load_registry(), Request([dataset], [])
    assert "vcc2026" not in {task.spec.name for task in find_tasks(registry, asked_for, print)}


def test_its_spec_says_where_it_can_be_asked() -> None:
    (spec,) = (spec for spec in task_specs() if spec.name == "vcc2026")
    assert spec.by_name
    assert spec.truth == "population"
    assert spec.asks in SETS
    by_name = {other.name for other in task_specs() if other.by_name}
    assert by_name == {"vcc2026", "cell-structure"}


def test_a_simulated_dataset_without_perturbed_cells_is_not_asked(tmp_path: Path) -> None:
    done = kobench(
        "run", "-d", "grn:genes=10,cells=40", "-t", "vcc2026", "--out", tmp_path / "out", code=2
    )
    assert "none of the datasets" in done.stderr
