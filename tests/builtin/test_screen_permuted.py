"""Whether a screen's score knows which gene was removed: the same answers, permuted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from counted_questions import answers, asked, dataset_from, dataset_of
from counted_screens import made_screen

from kobench.api import Answers, TaskView
from kobench.builtin.metrics.screen import Scaled, mean_of_six
from kobench.builtin.specs.screens import screen_metrics
from kobench.builtin.tasks.screen import vcc2026
from kobench.scoring.metric import Permuting, score_metric, score_permuted
from kobench.screens.exchanged import Exchanged
from kobench.screens.scale import MEMBERS, members_of

SPEC = next(spec for spec in screen_metrics() if spec.name == "mean-of-six")


@pytest.fixture(scope="module")
def question():
    return asked(dataset_of())


@pytest.fixture(scope="module")
def uneven():
    """Perturbations of which from 20 to 60 cells were measured."""
    screen = made_screen(4)
    kept = np.concatenate(
        [np.flatnonzero(screen.group == row)[: 20 + 4 * row] for row in range(len(screen.names))]
    )
    few = dataclasses.replace(screen, real=screen.real[kept], group=screen.group[kept])
    return asked(dataset_from(few))


def units_of(question, given):
    return vcc2026(TaskView(question, given)).variants[""]


def p_of(units) -> float:
    value = score_metric(SPEC, mean_of_six, units).value
    found = score_permuted(SPEC, mean_of_six, units, value, Permuting(0))
    assert found is not None
    return found.p


def test_permuted_members_are_those_of_permuted_tables(question) -> None:
    """Against every member made anew of the tables with their answers in another order."""
    rng = np.random.default_rng(0)
    noisy = question.change + rng.normal(0, np.nanstd(question.change), question.change.shape)
    alike = units_of(question, answers(question, noisy)).alike()
    k = len(alike.true)
    orders = np.array([np.arange(k), *(rng.permutation(k) for _ in range(10))])
    found = Exchanged.of(alike).values(orders)
    for place, order in enumerate(orders):
        plain = members_of(
            alike.predicted[order],
            alike.true,
            alike.error[order],
            alike.true_error,
            alike.control_error,
        )
        for name in MEMBERS:
            assert found[name][place] == pytest.approx(plain[name].value, abs=1e-9), name
    assert len(np.unique(found["direction-reach"])) > 1


def test_answers_that_lack_single_numbers_are_as_in_their_tables(question) -> None:
    """Fold changes without direction, and genes of which the answer says nothing."""
    alike = units_of(question, answers(question, question.change)).alike()
    rng = np.random.default_rng(1)
    predicted = alike.predicted.copy()
    predicted[:, 2] = np.where(rng.random(predicted[:, 2].shape) < 0.2, 0.0, predicted[:, 2])
    order = rng.permutation(len(predicted))
    found = Exchanged.of(dataclasses.replace(alike, predicted=predicted)).values(order[None])
    plain = members_of(
        predicted[order], alike.true, alike.error[order], alike.true_error, alike.control_error
    )
    for name in MEMBERS:
        assert found[name][0] == pytest.approx(plain[name].value, abs=1e-9), name


def test_who_knows_the_gene_is_above_permuted(question) -> None:
    assert p_of(units_of(question, answers(question, question.change))) == pytest.approx(1 / 1001)
    other = np.roll(np.nan_to_num(question.change), 1, axis=0)
    assert p_of(units_of(question, answers(question, other))) > 0.05


@pytest.mark.parametrize("size", [0.0, 1e-4, 1e-3])
def test_an_answer_that_is_the_same_for_every_perturbation_has_p_1(uneven, size: float) -> None:
    """Though its cells are drawn, and are more where more were measured.

    Permuted as they are scored, cells would tell numbers of cells apart.
    """
    change = np.where(np.arange(uneven.change.shape[1]) % 2, size, -size)
    units = units_of(uneven, answers(uneven, np.tile(change, (len(uneven.change), 1))))
    assert p_of(units) == 1.0
    for name in MEMBERS:
        changed = Scaled(name).permuted(units, np.roll(np.arange(len(units.true)), 1)[None])
        value = Scaled(name)(units)
        assert changed[0] == getattr(value, "value", value), name
    as_scored = dataclasses.replace(units, alike=None)
    assert p_of(as_scored) < 1.0


def test_own_cells_that_are_the_same_for_every_perturbation_have_p_1(uneven) -> None:
    cells = np.asarray(uneven.cells.layers["counts"])[: uneven.each]
    k, genes = len(uneven.names), uneven.cells.n_vars
    given = Answers(cells=np.tile(cells, (k, 1)), supported=np.ones(genes, bool))
    assert p_of(units_of(uneven, given)) == 1.0


def test_permuted_units_are_of_the_perturbations_that_are_answered(question) -> None:
    given = answers(question, question.change)
    supported = given.supported.copy()
    supported[list(question.targets[3])] = False
    units = units_of(question, dataclasses.replace(given, supported=supported))
    assert len(units.alike().true) == len(units.true) == 11
    assert p_of(units) == pytest.approx(1 / 1001)
