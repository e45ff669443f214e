"""On `vcc2026` an answer that knows nothing of any gene is not called better than the floors."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest
from counted_questions import answers, asked, dataset_from
from counted_screens import screen_of
from factories import record
from sections import only, score

from kobench.api import Context
from kobench.builtin.floors.calling import (
    CallAll,
    CallAll300,
    CallCommon,
    CallCommon300,
    CallDown,
    CallDown300,
)
from kobench.builtin.specs.metrics import metric_specs
from kobench.builtin.specs.tasks import task_specs
from kobench.cells import Knockouts
from kobench.plugins.chosen import Task
from kobench.plugins.load import Entry
from kobench.question import PerturbedCells
from kobench.results.parts import TaskScores
from kobench.scoring.score import Scoring, score_task

MAIN = "mean-of-six"

#: Share of genes that respond to every perturbation: with none a constant is above the mean
#: response, with some it is below.
SCREENS = {"shared": (1, 0.2), "none shared": (2, 0.0)}

KNOW_NOTHING = ("call-all", "call-down", "all-down")


def own(spec) -> Entry:
    return Entry(spec, "kobench", "", "", trusted=True)


def task() -> Task:
    (spec,) = (spec for spec in task_specs() if spec.name == "vcc2026")
    return Task(own(spec), tuple(own(one) for one in metric_specs() if one.of == "screen"))


def scored(question: PerturbedCells, change: np.ndarray) -> TaskScores:
    return score_task(
        Scoring(task(), question, answers(question, change), {}, 200, "a screen", "cells")
    ).scores


def constant(question: PerturbedCells, how: str, errors: float) -> np.ndarray:
    """Every gene is moved by standard errors of its mean over 40 cells, or by 30 %."""
    values, mean = np.asarray(question.cells.X, float), question.cells.profiles().mean(axis=0)
    signs = -np.ones(len(mean))
    if how == "alternate":
        signs[np.argsort(-mean, kind="stable")[::2]] = 1.0
    error = values.std(axis=0) * np.sqrt(1 / 40 + 1 / len(values)) / values.sum(axis=1).mean()
    change = signs * (errors * error if errors else 0.3 * mean)
    return np.repeat(change[None], len(question.names), axis=0)


def answered_by(question: PerturbedCells, make: type) -> np.ndarray:
    """What a floor that answers changes says of each perturbation."""
    floor = make()
    floor.fit(question.cells, Context(0))
    genes = np.array(question.targets, np.int32)
    cells = np.zeros(len(genes), np.int64)
    return floor.predict_response(question.cells, Knockouts(genes, cells))


class Halves(NamedTuple):
    """A screen whose truth is every other cell, and the change in the rest."""

    question: PerturbedCells
    known: np.ndarray


def halves(number: int, shared: float) -> Halves:
    screen = screen_of(number, shared)
    first, second = (
        asked(
            dataset_from(
                dataclasses.replace(screen, real=screen.real[at::2], group=screen.group[at::2])
            )
        )
        for at in (0, 1)
    )
    return Halves(first, second.change)


class Board(NamedTuple):
    """Records of answers to a screen, as they are and as they would be without the mending."""

    now: list
    before: list


@pytest.fixture(scope="module", params=SCREENS)
def boards(request) -> Board:
    question, known = halves(*SCREENS[request.param])
    floors = {
        "no-effect": 0 * question.change,
        "call-all": answered_by(question, CallAll),
        "call-common": answered_by(question, CallCommon),
        "call-common-300": answered_by(question, CallCommon300),
        "call-down": answered_by(question, CallDown),
        "call-all-300": answered_by(question, CallAll300),
        "call-down-300": answered_by(question, CallDown300),
    }
    given = {
        "call-all": constant(question, "alternate", 3.0),
        "call-down": constant(question, "down", 2.5),
        "all-down": constant(question, "down", 0.0),
        "half-of-the-cells": known,
    }
    now, before = [], []
    for role, many in (("floor", floors), ("predictor", given)):
        for name, change in many.items():
            entry = scored(question, change).to_json()
            now.append(of(name, role, entry))
            if role == "predictor" or name == "no-effect":
                plain = {key: {**cell, "nothing": None} for key, cell in entry["metrics"].items()}
                before.append(of(name, role, {**entry, "metrics": plain}))
    return Board(now, before)


def of(name: str, role: str, entry: dict) -> dict:
    return record(name, {"vcc2026@2": entry}, role=role, kind="real", dataset="screen", seed=None)


def test_a_constant_is_not_better_than_the_best_floor(boards: Board) -> None:
    section, before = only(boards.now), only(boards.before)
    assert section.primary[0].floor in ("mean response", *task().spec.floors)
    for name in KNOW_NOTHING:
        assert of_predictor(section, name).verdict != "better", name
    assert "better" in {of_predictor(before, name).verdict for name in KNOW_NOTHING}


def test_rare_genes_stay_where_they_are() -> None:
    """No change of theirs can be seen, so whoever calls them is wrong more often."""
    question, _ = halves(*SCREENS["shared"])
    mean = question.cells.profiles().mean(axis=0)
    for make, whole in ((CallCommon, CallAll), (CallCommon300, CallAll300)):
        change = answered_by(question, make)
        moved = change.any(axis=0)
        assert moved.sum() == round(0.3 * len(mean))
        assert mean[moved].min() >= mean[~moved].max()
        np.testing.assert_array_equal(change[:, moved], answered_by(question, whole)[:, moved])


def test_half_of_the_cells_is_better(boards: Board) -> None:
    found = score(only(boards.now), "half-of-the-cells", MAIN)
    assert found.verdict == "better"
    assert found.skill_low > 0.3


def of_predictor(section, name):
    (found,) = (one for one in section.rows if one.name == name and one.role == "predictor")
    return found.scores[MAIN]
