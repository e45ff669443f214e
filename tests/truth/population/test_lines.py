"""Reference lines that know one direction, or sizes alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kobench.api import TaskView
from kobench.board.make import make_board
from kobench.builtin.datasets.grn import load, load_planted
from kobench.builtin.metrics.response import (
    pearson_delta_centred,
    pearson_delta_centred_unit,
)
from kobench.builtin.tasks.response import response
from kobench.cells import Cells
from kobench.datasets.split import rows_of
from kobench.plugins.load import load_registry
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.truth.build import Material, build
from kobench.truth.references import line_answers

LINES = ("one-direction", "size-only")


def asked(dataset, split):
    training, others = rows_of(dataset, split, 0)
    if split == "halves":
        material = Material(dataset, training, training, others)
    else:
        material = Material(dataset, training, others)
    return build("response", material), material


@pytest.fixture(scope="module", params=["counterfactual", "measured"])
def question(request):
    size = {"genes": 30, "cells": 150, "seed": 3}
    if request.param == "counterfactual":
        return asked(load(**size), "holdout")
    return asked(load_planted(**size, perturbations=8, perturbed_cells=40), "halves")


@pytest.mark.parametrize("line", LINES)
def test_every_answer_has_its_true_length_along_one_direction(question, line):
    truth, material = question
    answers = line_answers(line, "response", truth, material)
    assert answers.gene_scores is None
    lengths = np.sqrt(np.nansum(truth.change**2, axis=1))
    expected = (
        np.nan_to_num(truth.change).sum(axis=0)
        if line == "one-direction"
        else truth.cells.profiles().mean(axis=0)
    )
    expected = expected / np.linalg.norm(expected)
    of_perturbations = truth.of_perturbations(answers.response)
    np.testing.assert_allclose(np.linalg.norm(of_perturbations, axis=1), lengths, rtol=1e-6)
    along = of_perturbations @ expected
    np.testing.assert_allclose(np.abs(along), lengths, rtol=1e-6)
    assert len(set(np.sign(along[lengths > 0]))) == 1
    # of the two signs the one that agrees more
    assert (of_perturbations * np.nan_to_num(truth.change)).sum() >= 0


def test_what_they_earn_is_little_once_lengths_are_taken_out(question):
    truth, material = question
    for line in LINES:
        units = response(TaskView(truth, line_answers(line, "response", truth, material))).variants
        chosen = replace(units["all" if truth.noisy else ""], responds=None)
        assert abs(pearson_delta_centred_unit(chosen).value) < 0.2
        if line == "one-direction":
            assert pearson_delta_centred(chosen).value > 0.1


def test_few_perturbations_and_changes_of_nothing_have_no_direction(question):
    truth, material = question
    for kept, offered in ((5, True), (4, False), (1, False), (0, False)):
        rows = np.isin(truth.row_perturbation, np.arange(kept))
        few = replace(
            truth,
            change=truth.change[:kept],
            row_perturbation=truth.row_perturbation[rows],
            row_weight=truth.row_weight[rows],
        )
        for line in LINES:
            assert (line_answers(line, "response", few, material) is not None) == offered
    still = replace(truth, change=0 * truth.change)
    dark = replace(truth, cells=Cells(0 * truth.cells.X, truth.cells.var_names))
    assert line_answers("one-direction", "response", still, material) is None
    assert line_answers("size-only", "response", dark, material) is None


def test_they_stand_on_boards_of_populations_without_a_rank(tmp_path):
    request = Request(
        ["planted:genes=30,cells=120,perturbations=8,perturbed_cells=40"],
        [],
        tasks=["response", "response-size"],
        networks=1,
    )
    records = Run(tmp_path / "results").run(make_plan(load_registry(), request)).records
    sections = {one.task.partition("@")[0]: one for one in make_board(records).sections}
    shown = {row.name: row for row in sections["response"].rows}
    for line in LINES:
        assert (shown[line].role, shown[line].rank) == ("line", None)
        assert shown[line].scores["pearson-delta-centred[all]"].value is not None
    assert not {row.name for row in sections["response-size"].rows} & set(LINES)
