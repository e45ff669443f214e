"""Tasks: answers become units, unsupported genes leave some out, lines reach what they should."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from kobench.api import (
    Answers,
    Cells,
    Dataset,
    Knockouts,
    Parts,
    Profiles,
    Singles,
    TaskView,
    bray_curtis,
    normalise_rows,
)
from kobench.builtin.metrics import impact, profile, ranking
from kobench.builtin.specs.floors import floor_specs
from kobench.builtin.specs.metrics import metric_specs
from kobench.builtin.specs.tasks import task_specs
from kobench.builtin.tasks import singles as tasks
from kobench.builtin.tasks import values
from kobench.builtin.tasks.profile import profile as profile_task
from kobench.errors import InvalidAnswerError
from kobench.truth import singles as questions
from kobench.truth.build import Material, build
from kobench.truth.references import LINES, line_answers

UNSOLVED = (3, 2)  # (cell of the dataset, gene)


class ToyTruth:
    """Removing a gene moves the next two genes by fixed shares of its value.

    One event has no steady state.
    """

    def __init__(self, values: np.ndarray, strength: np.ndarray) -> None:
        self.values, self.strength = values, strength

    def wild_type(self, cells):
        return self.values[cells]

    def knockout(self, knockouts):
        rows = knockouts.remove_from(self.values)
        before = self.values[knockouts.cells]
        for k, (cell, gene) in enumerate(zip(knockouts.cells, knockouts.genes[:, 0], strict=True)):
            for step in (1, 2):
                target = (gene + step) % rows.shape[1]
                if rows[k, target] > 0:
                    rows[k, target] += self.strength[gene] / step * before[k, gene]
            if (cell, gene) == UNSOLVED:
                rows[k] = np.nan
        return rows


def toy(seed=0, n=30, g=12) -> Dataset:
    rng = np.random.default_rng(0)  # the network and the assemblages, the same in every replicate
    present = rng.random((n, g)) > 0.25
    present[:, g - 1] = np.arange(n) < 6  # asked in few cells
    present[3, 2] = True
    strength = np.where(np.arange(g) % 3 == 0, 0.0, rng.random(g) * 2)
    base = rng.gamma(3.0, 1.0, (n, g))
    noise = np.random.default_rng(seed).normal(1.0, 0.1, (n, g))
    values = present * base * np.abs(noise)
    names = np.array([f"g{j}" for j in range(g)])
    again = None if seed else (lambda: toy(1))
    return Dataset(
        Cells(values.astype(np.float32), names),
        "linear",
        "simulated",
        ToyTruth(values, strength),
        again,
    )


ASKED = np.array([1, 3, *range(5, 29)])  # not the first rows, so that a mix-up of rows shows


def material(dataset):
    """What questions about the asked cells are built from."""
    return Material(dataset, np.empty(0, np.int64), ASKED)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return toy()


@pytest.fixture(scope="module")
def singles(dataset) -> Singles:
    return questions.ask_singles(dataset, ASKED)


@pytest.fixture(scope="module")
def profiles(dataset) -> Profiles:
    return build("profile", material(dataset))


def answers_of(singles: Singles, seed=0, supported=None) -> Answers:
    rng = np.random.default_rng(seed)
    n, g = len(singles.events), singles.cells.n_vars
    supported = np.ones(g, bool) if supported is None else supported
    out = ~supported[singles.events.genes[:, 0]]
    raw, propagated = rng.random(n), rng.random(n)
    rows = normalise_rows(rng.random((len(singles.sample), g)))
    raw[out] = propagated[out] = np.nan
    rows[out[singles.sample]] = np.nan
    return Answers(
        wild_type=singles.wild_type, raw=raw, propagated=propagated, rows=rows, supported=supported
    )


def value(metric, units):
    result = metric(units)
    return result.value if isinstance(result, Parts) else result


# profile


def test_profile_units_are_the_held_out_cells(profiles):
    predicted = normalise_rows(profiles.assemblages)
    given = profile_task(TaskView(profiles, Answers(profile=predicted)))
    units = given.variants[""]
    assert (given.asked, given.answered, dict(given.left_out)) == (26, 26, {})
    np.testing.assert_array_equal(units.predicted, predicted)
    np.testing.assert_array_equal(units.true, profiles.true)
    np.testing.assert_array_equal(units.present, profiles.true > 0)
    np.testing.assert_array_equal(units.cells, ASKED)
    assert units.genes is None
    assert units.null is None


def test_profile_leaves_empty_cells_out_for_everybody(profiles):
    true = profiles.true.copy()
    true[4] = 0
    emptied = dataclasses.replace(profiles, true=true, assemblages=true > 0)
    given = profile_task(TaskView(emptied, Answers(profile=profiles.true)))
    assert (given.asked, given.answered, dict(given.left_out)) == (
        25,
        25,
        {"cells without expression": 1},
    )
    assert ASKED[4] not in given.variants[""].cells


@pytest.mark.parametrize(
    "task", [profile_task, tasks.knockout_profile, tasks.knockout_impact, tasks.keystone]
)
def test_what_is_not_answered_has_no_units(task, profiles, singles):
    question = profiles if task is profile_task else singles
    given = task(TaskView(question, Answers()))
    assert given.variants == {}
    assert given.asked > 0
    assert given.answered == 0


@pytest.mark.parametrize(
    "task", [profile_task, tasks.knockout_profile, tasks.knockout_impact, tasks.keystone]
)
def test_a_task_refuses_another_question(task, profiles, singles):
    with pytest.raises(TypeError, match="question"):
        task(TaskView(singles if task is profile_task else profiles, Answers()))


# knockout-profile


def test_knockout_profile_units_match_their_events(dataset, singles):
    answers = answers_of(singles)
    given = tasks.knockout_profile(TaskView(singles, answers))
    units = given.variants[""]
    assert given.asked == given.answered == len(singles.events) == len(units.true)
    k = 17
    cell, gene = singles.events.cells[k], singles.events.genes[k, 0]
    one = Knockouts(np.array([[gene]]), np.array([ASKED[cell]]))
    np.testing.assert_allclose(units.true[k], normalise_rows(dataset.truth.knockout(one))[0])
    np.testing.assert_allclose(
        units.null[k], normalise_rows(one.remove_from(dataset.truth.values))[0]
    )
    np.testing.assert_array_equal(units.predicted[k], answers.rows[k])
    expected = dataset.truth.values[ASKED[cell]] > 0
    expected[gene] = False
    np.testing.assert_array_equal(units.present[k], expected)
    assert (units.cells[k], units.genes[k]) == (cell, gene)


def test_knockout_profile_compares_the_sampled_events(dataset):
    few = questions.ask_singles(dataset, ASKED, limit=40 * 12)
    assert len(few.sample) <= 40 < len(few.events)
    units = tasks.knockout_profile(TaskView(few, answers_of(few))).variants[""]
    np.testing.assert_array_equal(units.genes, few.events.genes[few.sample, 0])
    np.testing.assert_array_equal(units.cells, few.events.cells[few.sample])


# knockout-impact


def test_knockout_impact_has_a_propagated_and_a_raw_variant(singles):
    answers = answers_of(singles)
    given = tasks.knockout_impact(TaskView(singles, answers))
    assert set(given.variants) == {"", "raw"}
    np.testing.assert_allclose(
        given.variants[""].predicted, answers.propagated, rtol=0, atol=5.1e-10
    )
    np.testing.assert_allclose(given.variants["raw"].predicted, answers.raw, rtol=0, atol=5.1e-10)
    np.testing.assert_allclose(given.variants[""].true, singles.propagated, rtol=0, atol=5.1e-10)
    np.testing.assert_allclose(given.variants["raw"].true, singles.raw, rtol=0, atol=5.1e-10)
    assert given.asked == given.answered == len(singles.events)


def test_raw_alone_leaves_the_primary_variant_unanswered(singles):
    given = tasks.knockout_impact(TaskView(singles, Answers(raw=singles.raw)))
    assert set(given.variants) == {"raw"}
    assert given.answered == 0


def test_impacts_below_the_tolerance_are_ties_in_prediction_as_in_truth(singles):
    assert values.TOLERANCE == questions.TOLERANCE
    predicted = np.full(len(singles.events), 9e-7)
    predicted[::2] = 1e-9
    predicted[0] = 2e-6
    units = tasks.knockout_impact(TaskView(singles, Answers(propagated=predicted))).variants[""]
    assert np.flatnonzero(units.predicted).tolist() == [0]


def test_what_the_truth_leaves_out_is_counted_before_any_answer(singles):
    for answers in (Answers(), answers_of(singles)):
        counts = tasks.knockout_impact(TaskView(singles, answers)).left_out
        # genes 0, 3, 6 and 9 move nothing; gene 11 is asked in the dataset's cells 1, 3 and 5, and
        # none of its targets is always there
        constant = [
            g for g in range(12) if np.ptp(singles.propagated[singles.events.genes[:, 0] == g]) == 0
        ]
        assert {0, 3, 6, 9} <= set(constant)
        assert counts == {
            "genes with one true impact": len(constant),
            "genes asked in under 10 cells": 1,
        }


# keystone


def test_keystone_scores_by_hand():
    # two genes in ten cells, gene 2 in nine; impacts of gene 0: 0.1 in eight cells and 0.5 in two;
    # of gene 1: 0.2
    cells = Cells(np.ones((20, 3), np.float32), np.array(["a", "b", "c"]))
    events = Knockouts(
        np.array([[0]] * 10 + [[1]] * 10 + [[2]] * 9), np.array([*range(10), *range(10), *range(9)])
    )
    propagated = np.array([0.1] * 8 + [0.5] * 2 + [0.2] * 10 + [0.9] * 9)
    nothing = np.empty((0, 3))
    question = Singles(
        cells,
        events,
        np.empty(0, int),
        cells.profiles(),
        propagated + 0.1,
        propagated,
        nothing,
        nothing,
    )
    predicted = propagated * 2
    given = tasks.keystone(TaskView(question, Answers(propagated=predicted, raw=predicted)))
    assert (given.asked, given.answered, dict(given.left_out)) == (
        2,
        2,
        {"genes asked in under 10 cells": 1},
    )
    np.testing.assert_array_equal(given.variants[""].genes, [0, 1])
    np.testing.assert_allclose(given.variants[""].true, [0.18, 0.2])
    np.testing.assert_allclose(given.variants[""].predicted, [0.36, 0.4])
    np.testing.assert_allclose(given.variants["raw"].true, [0.28, 0.3])
    np.testing.assert_allclose(
        given.variants["population"].true, [0.09, 0.1]
    )  # half of the twenty cells lack them
    np.testing.assert_allclose(given.variants["population"].predicted, [0.18, 0.2])


def test_gene_scores_take_the_place_of_mean_impacts(singles):
    scores = np.random.default_rng(5).random(12)
    both = tasks.keystone(
        TaskView(singles, dataclasses.replace(answers_of(singles), gene_scores=scores))
    ).variants
    means = tasks.keystone(TaskView(singles, answers_of(singles))).variants
    np.testing.assert_array_equal(both[""].predicted, scores[both[""].genes])
    for variant in ("raw", "population"):
        np.testing.assert_array_equal(both[variant].predicted, means[variant].predicted)
    alone = tasks.keystone(TaskView(singles, Answers(gene_scores=scores)))
    assert set(alone.variants) == {"", "raw", "population"}
    assert alone.answered == alone.asked == 11
    for units in alone.variants.values():
        np.testing.assert_array_equal(units.predicted, scores[units.genes])


# coverage


SUPPORTED = np.isin(np.arange(12), [0, 1, 2, 4, 5, 7, 11])


@pytest.mark.parametrize("task", [tasks.knockout_profile, tasks.knockout_impact, tasks.keystone])
def test_unsupported_genes_are_left_out_and_a_floor_is_scored_on_the_same_units(task, singles):
    partial = answers_of(singles, supported=SUPPORTED)
    floor = answers_of(singles, seed=1)
    given = task(TaskView(singles, partial))
    theirs = task(TaskView(singles, dataclasses.replace(floor, supported=partial.supported)))
    whole = task(TaskView(singles, floor))
    assert whole.answered == whole.asked == given.asked == theirs.asked
    assert 0 < given.answered < given.asked
    assert theirs.answered == given.answered
    assert set(given.variants) == set(theirs.variants)
    for variant, units in given.variants.items():
        assert SUPPORTED[units.genes].all()
        for name in ("true", "genes", "cells"):
            if hasattr(units, name):
                np.testing.assert_array_equal(
                    getattr(units, name), getattr(theirs.variants[variant], name)
                )
    everything = whole.variants[""]
    restricted = theirs.variants[""]
    np.testing.assert_array_equal(
        restricted.predicted, everything.predicted[SUPPORTED[everything.genes]]
    )


def test_answered_counts_what_is_supported(singles):
    partial = answers_of(singles, supported=SUPPORTED)
    n = int(SUPPORTED[singles.events.genes[:, 0]].sum())
    assert tasks.knockout_impact(TaskView(singles, partial)).answered == n
    assert tasks.knockout_profile(TaskView(singles, partial)).answered == n
    assert (
        tasks.keystone(TaskView(singles, partial)).answered == 6
    )  # gene 11 is asked in too few cells


@pytest.mark.parametrize("task", [tasks.knockout_profile, tasks.knockout_impact, tasks.keystone])
def test_a_hole_among_supported_genes_is_an_error_not_a_smaller_task(task, singles):
    holed = dataclasses.replace(
        answers_of(singles, supported=SUPPORTED), supported=np.ones(12, bool)
    )
    with pytest.raises(InvalidAnswerError, match="not finite"):
        task(TaskView(singles, holed))


# lines


UNITS = {
    "profile": profile_task,
    "knockout-profile": tasks.knockout_profile,
    "knockout-impact": tasks.knockout_impact,
    "keystone": tasks.keystone,
}
PRIMARY = {
    "profile": [profile.bray_curtis],
    "knockout-profile": [profile.explained_change],
    "knockout-impact": [impact.spearman_within_cell, impact.spearman_within_gene],
    "keystone": [ranking.spearman],
}


def test_the_truth_reaches_the_best_value_of_every_task(dataset, singles, profiles):
    for task in task_specs():
        if task.asks not in ("profile", "singles"):
            continue
        question = profiles if task.asks == "profile" else singles
        given = UNITS[task.name](
            TaskView(question, line_answers("truth", task.asks, question, material(dataset)))
        )
        assert given.answered == given.asked
        for units in given.variants.values():
            for metric in PRIMARY[task.name]:
                assert value(metric, units) == (0.0 if task.name == "profile" else 1.0)


def test_the_gene_oracle_ranks_genes_perfectly_and_knows_nothing_within_them(
    dataset, singles, profiles
):
    answers = line_answers("gene-oracle", "singles", singles, material(dataset))
    for variant, units in tasks.keystone(TaskView(singles, answers)).variants.items():
        assert value(ranking.spearman, units) == 1.0, variant
    events = tasks.knockout_impact(TaskView(singles, answers)).variants
    for variant, true in (("", singles.propagated), ("raw", singles.raw)):
        assert math.isnan(value(impact.spearman_within_gene, events[variant]))
        assert 0.1 < value(impact.spearman_within_cell, events[variant]) < 1
        for g in np.unique(singles.events.genes):
            of_gene = singles.events.genes[:, 0] == g
            np.testing.assert_allclose(events[variant].predicted[of_gene], true[of_gene].mean())
    assert tasks.knockout_profile(TaskView(singles, answers)).variants == {}
    assert line_answers("gene-oracle", "profile", profiles, material(dataset)) is None


def test_a_replicate_is_the_same_cells_with_other_noise(dataset, singles, profiles, monkeypatch):
    monkeypatch.setattr("kobench.truth.singles.NUMBERS_A_PART", 500)  # several parts
    answers = line_answers("replicate", "singles", singles, material(dataset))
    truth = toy(1).truth
    events = Knockouts(singles.events.genes, ASKED[singles.events.cells].astype(np.int32))
    after, before = normalise_rows(truth.knockout(events)), normalise_rows(truth.values)
    np.testing.assert_allclose(answers.rows, after)
    np.testing.assert_allclose(answers.wild_type, before[ASKED])
    np.testing.assert_allclose(answers.raw, bray_curtis(after, before[events.cells]))
    np.testing.assert_allclose(
        answers.propagated,
        bray_curtis(after, normalise_rows(events.remove_from(truth.values))),
        atol=1e-12,
    )
    assert (
        value(
            impact.spearman_within_cell,
            tasks.knockout_impact(TaskView(singles, answers)).variants[""],
        )
        < 1
    )
    given = line_answers("replicate", "profile", profiles, material(dataset)).profile
    np.testing.assert_allclose(given, toy(1).cells.profiles()[ASKED])


def test_an_event_that_the_replicate_cannot_solve_is_answered_by_nothing_responding(
    dataset, singles
):
    again = toy(1)
    held = dataclasses.replace(
        dataset, replicate=lambda: dataclasses.replace(again, truth=Stuck(again.truth))
    )
    answers = line_answers("replicate", "singles", singles, material(held))
    np.testing.assert_array_equal(answers.propagated, np.zeros(len(singles.events)))
    assert np.isfinite(answers.rows).all()
    assert answers.raw.min() > 0


class Stuck:
    def __init__(self, truth) -> None:
        self.wild_type = truth.wild_type

    def knockout(self, knockouts):
        return np.full((len(knockouts), 12), np.nan)


def test_lines_that_a_dataset_does_not_offer(dataset, singles, profiles):
    real = dataclasses.replace(dataset, replicate=None)
    assert line_answers("replicate", "singles", singles, material(real)) is None
    assert line_answers("replicate", "profile", profiles, material(real)) is None
    with pytest.raises(ValueError, match="unknown line 'oracle'"):
        line_answers("oracle", "singles", singles, material(dataset))


# specs


#: Question set -> kinds of answers of which a floor gives at least one.
CAN_ANSWER = {
    "profile": {"expression"},
    "transfer": {"expression"},
    "singles": {"knockout", "impact"},
    "doubles": {"interaction"},
    "triples": {"interaction"},
    "response": {"response", "knockout", "genes"},
    "cells": {"cells", "response", "knockout"},
}


def test_tasks_name_metrics_floors_and_lines_that_exist():
    floors = {spec.name: spec for spec in floor_specs()}
    for task in task_specs():
        of = {spec.name: spec for spec in metric_specs() if spec.of == task.of}
        for shown in task.primary:
            name = shown.partition("[")[0]
            assert of[name].tasks is None or task.name in of[name].tasks
        assert set(task.lines) <= set(LINES)
        for name in task.floors:
            kinds = set(floors[name].answers)
            assert kinds & CAN_ANSWER[task.asks], f"{name} cannot answer {task.name}"
    assert all(spec.floor for spec in floors.values())


@pytest.mark.parametrize("constant", [0.1, 0.3, 1 / 3, 0.7, 0.5])
def test_a_constant_impact_ranks_no_genes_however_its_sums_round(constant):
    rng = np.random.default_rng(0)
    on = rng.random((60, 40)) < 0.7
    events = Knockouts.singles(on)
    n = len(events)
    question = Singles(
        cells=Cells(on.astype(np.float32), np.array([f"g{i}" for i in range(40)])),
        events=events,
        sample=np.arange(0),
        wild_type=np.zeros((60, 40)),
        raw=rng.random(n),
        propagated=rng.random(n),
        knockout=np.zeros((0, 40)),
        null=np.zeros((0, 40)),
    )
    noisy = constant + rng.choice(
        [-1e-17, 0, 1e-16], n
    )  # what a derived impact of a constant answer looks like
    answers = Answers(raw=noisy, propagated=np.full(n, constant), supported=np.ones(40, dtype=bool))
    variants = tasks.keystone(TaskView(question, answers)).variants
    assert (
        len(set(variants[""].predicted.tolist()))
        == len(set(variants["raw"].predicted.tolist()))
        == 1
    )
    impacts = tasks.knockout_impact(TaskView(question, answers)).variants
    assert len(set(impacts["raw"].predicted.tolist())) == 1
