"""The single-knockout question: which events are asked, and what their truth is."""

from __future__ import annotations

import numpy as np
import pytest

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.errors import UserError
from kobench.truth.build import Material, build
from kobench.truth.singles import ask_singles, sample_rows
from kobench.worker import derive

CLEAN = np.array([[4.0, 2, 2, 0], [1, 1, 0, 2], [5, 0, 0, 0], [3, 1, 1, 1]])


class Chain:
    """Removing gene 0 halves gene 1; nothing else responds.

    Gene 2 of cell 3 has no steady state.
    """

    def wild_type(self, cells):
        return CLEAN[cells]

    def knockout(self, knockouts):
        rows = knockouts.remove_from(CLEAN)
        rows[(knockouts.genes == 0).any(axis=1), 1] /= 2
        rows[(knockouts.genes == 2).any(axis=1) & (knockouts.cells == 3)] = np.nan
        return rows


def dataset(observed=CLEAN):
    cells = Cells(np.asarray(observed, np.float32), np.array(list("abcd")))
    return Dataset(cells, scale="linear", kind="simulated", truth=Chain())


def test_events_truth_and_what_is_left_out():
    asked = np.array([1, 2, 3])
    question = ask_singles(dataset(), asked)
    events = list(
        zip(question.events.cells.tolist(), question.events.genes[:, 0].tolist(), strict=True)
    )
    # cell 2 expresses one gene only: not asked; gene c of cell 3 has no steady state: left out for
    # everybody
    assert events == [(0, 0), (0, 1), (0, 3), (2, 0), (2, 1), (2, 3)]
    assert question.unsolved == 1
    # cell 1: wild type 1/4 1/4 0 1/2; null without gene a: 0 1/3 0 2/3; knockout: 0 0.5 0 2 -> 0
    # 1/5 0 4/5
    np.testing.assert_allclose(question.null[0], [0, 1 / 3, 0, 2 / 3])
    np.testing.assert_allclose(question.knockout[0], [0, 1 / 5, 0, 4 / 5])
    assert question.propagated[0] == pytest.approx((abs(1 / 5 - 1 / 3) + abs(4 / 5 - 2 / 3)) / 2)
    assert question.raw[0] == pytest.approx((1 / 4 + abs(1 / 5 - 1 / 4) + abs(4 / 5 - 1 / 2)) / 2)
    # without a response the raw impact is the gene's own share and the propagated one exactly 0
    assert question.propagated[1] == 0
    assert question.raw[1] == pytest.approx(1 / 4)
    np.testing.assert_allclose(question.wild_type[2], np.array([3, 1, 1, 1]) / 6)


def test_dropout_changes_what_is_asked_and_never_the_truth():
    observed = CLEAN.copy()
    observed[3, 1] = (
        0  # gene b of cell 3 is read as absent: it is not asked, and still counts in the truth
    )
    clean, dropped = (
        ask_singles(dataset(), np.array([3])),
        ask_singles(dataset(observed), np.array([3])),
    )
    assert clean.events.genes[:, 0].tolist() == [0, 1, 3]
    assert dropped.events.genes[:, 0].tolist() == [0, 3]
    np.testing.assert_array_equal(dropped.null[0], clean.null[0])
    np.testing.assert_array_equal(dropped.propagated, clean.propagated[[0, 2]])


def test_a_sample_of_rows_keeps_every_impact(monkeypatch):
    whole, part = (
        ask_singles(dataset(), np.arange(4)),
        ask_singles(dataset(), np.arange(4), limit=12),
    )
    assert len(part.sample) <= 3 < len(whole.sample) == len(whole.events)
    np.testing.assert_array_equal(part.raw, whole.raw)
    np.testing.assert_array_equal(part.knockout, whole.knockout[part.sample])
    np.testing.assert_array_equal(part.null, whole.null[part.sample])
    monkeypatch.setattr(derive, "NUMBERS_A_CHUNK", 8)
    chunked = ask_singles(dataset(), np.arange(4))
    for name in ("raw", "propagated", "knockout", "null", "sample"):
        np.testing.assert_array_equal(getattr(chunked, name), getattr(whole, name))


def test_the_sample_is_fixed():
    assert sample_rows(10, 100).tolist() == list(range(10))
    first = sample_rows(1000, 10, 500)
    assert len(first) == 50
    assert first.tolist() == sorted(set(first.tolist())) == sample_rows(1000, 10, 500).tolist()


def test_profiles_are_asked_by_assemblage():
    question = build("profile", Material(dataset(), np.array([2, 3]), np.array([0, 1])))
    np.testing.assert_array_equal(question.assemblages, CLEAN[:2] > 0)
    np.testing.assert_allclose(question.true.sum(axis=1), 1)


def test_no_truth_no_score():
    with pytest.raises(UserError, match="kobench predict"):
        ask_singles(Dataset(dataset().cells, scale="linear", kind="real"), np.arange(2))


@pytest.mark.parametrize(("most", "drawn"), [(None, 0), (100, 0), (10, 0), (9, 9), (4, 4)])
def test_how_many_events_there_are_is_said_where_some_are_drawn(most, drawn):
    question = ask_singles(dataset(), np.arange(4), most=most, seed=0)
    # three of cells 0 and 1, four of cell 3, one of which has no steady state and is not asked
    asked = len(question.events)
    assert asked + question.unsolved == (drawn or 10)
    assert question.drawn_events == ((asked, 10) if drawn else None)
