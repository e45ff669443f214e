"""Scores of measured knockouts where the answer is known: planted populations.

Whole, and with labels shuffled. The same as `tests/studies/planted.py`, in small;
docs/planted.md has what that measured.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kobench.api import Answers, Responses, TaskView
from kobench.board.make import make_board
from kobench.board.numbers.intervals import Series, mean_interval
from kobench.builtin.datasets.grn import load_planted
from kobench.builtin.metrics.response import centroid_accuracy, pearson_delta_centred
from kobench.builtin.tasks.response import response
from kobench.datasets.split import split
from kobench.plugins.load import load_registry
from kobench.runner.plan import make_plan
from kobench.runner.prepared import Prepared
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.scoring.bootstrap import draws
from kobench.truth.population import ask_responses, screen

SMALL = {"genes": 50, "cells": 200, "perturbations": 20, "perturbed_cells": 40}


@pytest.fixture(scope="module")
def registry():
    return load_registry()


def planned(registry, datasets, predictors=(), **more):
    return make_plan(registry, Request(datasets, predictors, **{"tasks": ["response"], **more}))


def section_of(records, task="response"):
    return next(
        section
        for section in make_board(records, cost=False).sections
        if section.task.startswith(f"{task}@")
    )


# the true change


def test_the_true_change_scores_about_1_in_skill_and_linear_lies_between(tmp_path, registry):
    if "linear" not in registry.predictors:
        pytest.skip("kobench-baselines is not installed")
    text = "planted:absence=modules,genes=60,cells=300,perturbed_cells=80"
    plan = planned(registry, [text], ["linear"], networks=6)
    section = section_of(Run(tmp_path / "results").run(plan).records)
    column = next(column for column in section.columns if column.name == "pearson-delta-centred")
    rows = {row.name: row.scores[column.name] for row in section.rows}
    assert column.reason == ""
    assert column.ceiling < 0.9
    assert rows[column.floor].skill == 0.0
    assert 0.8 < rows["true-change"].skill < 1.2
    assert 0.1 < rows["linear"].skill < rows["true-change"].skill
    assert rows["true-change"].verdict == "better"


# shuffled labels


@pytest.fixture(scope="module")
def quick():
    """Sizes and tests of single genes cost most of the time and decide nothing here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screen, "size", lambda *groups: (0.0, 1.0))
        patch.setattr(
            screen,
            "responding_all",
            lambda perturbed, reference, tested: [
                np.zeros(perturbed.X.shape[1], bool) for _ in tested
            ],
        )
        yield


def question_of(seed, matching=True, **params):
    """The dataset, rows of its training cells, and the question.

    Without matching, all cells are one batch for the truth.
    """
    data = load_planted(**{**SMALL, "seed": seed, **params})
    n, key = data.cells.n_obs, data.batch_key
    training, reference = split(n, "halves", 0, data.cells.obs[key] if key else None)
    return (
        data,
        training,
        ask_responses(data if matching else replace(data, batch_key=None), training, reference),
    )


def covariance(cells):
    """Minus the covariance with each gene: an answer that knows nothing of the perturbed cells."""
    return -np.cov(cells.profiles().T)


def answered(question: Responses, changes):
    """The variant of all perturbations for the answers (k, G)."""
    view = TaskView(
        question,
        Answers(
            response=np.nan_to_num(changes)[question.row_perturbation], response_kind="direction"
        ),
    )
    return response(view).variants["all"]


def interval_of(metric, units):
    value = metric(units).value
    return mean_interval(
        Series(
            np.array([value]), draws(metric, units, "perturbation", 300, 0)[None], len(units.true)
        )
    )


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("shuffle", ["labels", "perturbed"])
def test_with_shuffled_labels_centred_scores_hold_chance(shuffle):
    held, values = [], []
    for seed in range(24):
        data, training, question = question_of(seed, batches=3, shuffle=shuffle)
        cells = data.cells[training]
        table = covariance(cells)
        rng = np.random.default_rng(seed)
        for changes in (
            np.array([table[list(genes)].sum(axis=0) for genes in question.targets]),
            rng.normal(size=question.change.shape),
        ):
            units = answered(question, changes)
            for metric, chance in ((pearson_delta_centred, 0.0), (centroid_accuracy, 0.5)):
                found = interval_of(metric, units)
                held.append(found.low <= chance <= found.high)
                values.append(found.value - chance)
    assert len(held) == 96
    assert np.mean(held) > 0.85  # 0.95 and more over hundreds (docs/planted.md)
    assert abs(np.mean(values)) < 0.03


@pytest.mark.usefixtures("quick")
def test_with_all_labels_shuffled_the_board_says_that_there_is_no_headroom(tmp_path, registry):
    datasets = [
        f"planted:genes=50,cells=200,perturbed_cells=40,batches=3,shuffle=labels,seed={seed}"
        for seed in range(10)
    ]
    plan = planned(registry, datasets)
    records = Run(tmp_path / "results").run(plan, 1).records
    notes = []
    for dataset in sorted({record["trial"]["dataset"]["selection"] for record in records}):
        section = section_of(
            [record for record in records if record["trial"]["dataset"]["selection"] == dataset]
        )
        notes.append(
            next(
                column for column in section.columns if column.name == "pearson-delta-centred[all]"
            ).reason
        )
    # a metric that can't tell the other half of the cells from nothing is greyed before that
    assert sum(note in ("no headroom", "can't tell") for note in notes) >= 8
    together = section_of(records)
    assert next(
        column for column in together.columns if column.name == "pearson-delta-centred[all]"
    ).reason in ("no headroom", "can't tell")
    assert not [
        row.name
        for row in together.rows  # a line is made of the truth, and agrees with its noise
        if row.role != "line" and row.scores["pearson-delta-centred[all]"].verdict == "better"
    ]


def batches_alone(data, training, question):
    """The score of an answer that knows nothing but batches.

    It knows in which of them a perturbation's cells lie, and how wild-type cells differ.
    """
    label = np.asarray(data.perturbed.obs["perturbation"])
    names, batch = np.unique(data.cells.obs["batch"]), np.asarray(data.perturbed.obs["batch"])
    profiles, of_cell = (
        data.cells[training].profiles(),
        np.asarray(data.cells.obs["batch"])[training],
    )
    means = np.array([profiles[of_cell == name].mean(axis=0) for name in names])
    mix = np.array(
        [
            [(batch[label == perturbation] == name).mean() for name in names]
            for perturbation in question.names
        ]
    )
    return pearson_delta_centred(answered(question, mix @ means)).value


@pytest.mark.usefixtures("quick")
def test_matching_by_batch_is_what_makes_shuffled_labels_a_null():
    """Perturbations are spread over batches unevenly.

    Without matching, batches pass for effects, and answering them for knowledge.
    """
    scores = {True: [], False: []}
    detectable = {True: [], False: []}
    for seed in range(12):
        for matching in (True, False):
            data, training, question = question_of(
                seed, matching, batches=3, batch_effect=0.4, shuffle="labels"
            )
            scores[matching].append(batches_alone(data, training, question))
            detectable[matching].append(question.detectable.mean())
    assert abs(np.mean(scores[True])) < 0.15
    assert np.mean(scores[False]) > 0.6
    assert np.mean(detectable[True]) < 0.3
    assert np.mean(detectable[False]) > 0.6


# several genes at once


def test_doubles_are_asked_answered_and_named(tmp_path, registry):
    if "linear" not in registry.predictors:
        pytest.skip("kobench-baselines is not installed")
    plan = planned(
        registry,
        ["planted:genes=50,cells=200,perturbations=10,perturbed_cells=60,doubles=5"],
        ["linear"],
    )
    (group,) = plan
    question = Prepared(group.dataset, plan[0].trials[0].request, group.split).question("response")
    doubles = [name for name in question.names if "+" in name]
    assert len(doubles) == 5
    assert [events.order for events in question.events] == [1, 2]
    asked = {
        tuple(sorted(question.cells.var_names[list(genes)]))
        for genes in np.unique(question.events[1].genes, axis=0)
    }
    assert asked == {tuple(name.split("+")) for name in doubles}
    records = Run(tmp_path / "results").run(plan, 1).records
    linear = next(
        record["result"]["scores"]["response@2"]
        for record in records
        if record["role"] == "predictor"
    )
    assert linear["coverage"] == 1.0
    table = linear["table"]
    assert table["perturbation"] == list(question.names)
    shown = [
        score
        for name, score in zip(table["perturbation"], table["pearson-delta"], strict=True)
        if "+" in name
    ]
    assert len(shown) == 5
    assert np.mean(shown) > 0.2  # an answer of its own: of a null it would be about 0
    units = section_of(records).units
    assert units is not None
    assert set(doubles) <= set(units.names)
