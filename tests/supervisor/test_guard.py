"""Which arrays of answers the harness refuses, each made invalid in one way."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from kobench.cells import Cells, Knockouts
from kobench.errors import TrialFailed
from kobench.question import Multiples, Profiles, Responses, Singles
from kobench.supervisor.guard import guard_answers
from kobench.worker.derive import SUM_TOLERANCE

ALL = np.ones(4, bool)
WITHOUT_C = np.array([True, True, False, True])
CELLS = Cells(np.ones((2, 4), np.float32), np.array(list("abcd")))
DOUBLES = Knockouts(np.array([[0, 1], [2, 3]], np.int32), np.array([0, 1], np.int32))
#: Genes a, b, c and a, in cells 0, 0, 1 and 1.
SINGLES = Knockouts(np.array([[0], [1], [2], [0]], np.int32), np.array([0, 0, 1, 1], np.int32))


def singles() -> Singles:
    """Full rows are compared of the events of b, c and a."""
    rows = np.zeros((3, 4))
    zeros = np.zeros(4)
    return Singles(
        CELLS, SINGLES, np.array([1, 2, 3]), np.ones((2, 4)) / 4, zeros, zeros, rows, rows
    )


def answers_of_singles():
    return {
        "wild_type": np.full((2, 4), 0.25),
        "rows": np.array([[0.5, 0, 0.25, 0.25], [0.5, 0.5, 0, 0], [0, 0, 0, 1.0]]),
        "raw": np.array([0.0, 1, 2, 3]),
        "propagated": np.array([3.0, 2, 1, 0]),
        "gene_scores": np.array([-1.0, 0, 1, np.nan]),
    }


def population() -> Responses:
    """a, b, c and a+b, c+d, one cell each but for a."""
    return Responses(
        cells=CELLS,
        names=("a", "b", "c", "a+b", "c+d"),
        targets=((0,), (1,), (2,), (0, 1), (2, 3)),
        events=(SINGLES, DOUBLES),
        rows=(np.array([0, 1, 2, 0]), np.array([3, 4])),
        row_perturbation=np.arange(5),
        row_weight=np.ones(5),
        change=np.zeros((5, 4)),
        size=np.ones(5),
        abundance=np.ones(5),
        detectable=np.ones(5, bool),
        perturbed=np.ones(5, int),
    )


def answers_of_population(answered=(True,) * 5):
    answered = np.array(answered)
    return {
        "response": np.where(answered[:, None], -0.5, np.nan) * np.ones((5, 4)),
        "raw": np.where(answered, 1.0, np.nan),
        "propagated": np.where(answered, 0.0, np.nan),
        "gene_scores": np.array([-2.0, 0, 2, np.nan]),
    }


def refused(question, arrays, supported=ALL, max_order=None):
    """What is said where these answers are refused, "" where they are not."""
    try:
        guard_answers("stage", arrays, question, supported, max_order)
    except TrialFailed as failed:
        return f"{failed.status} at {failed.stage}: {failed.message}"
    return ""


def put(arrays, name, place, value):
    """The same answers with another value in one place of one array."""
    changed = arrays[name].copy()
    changed[place] = value
    return {**arrays, name: changed}


@pytest.mark.parametrize("total", [1 - 2 * SUM_TOLERANCE, 1 + 2 * SUM_TOLERANCE, 0.5, 2.0, 0.0])
def test_rows_that_do_not_sum_to_1_are_refused(total):
    question = Profiles(np.ones((3, 4), bool), np.full((3, 4), 0.25), np.arange(3))
    good = np.full((3, 4), 0.25)
    for within in (1 - SUM_TOLERANCE / 2, 1, 1 + SUM_TOLERANCE / 2):
        assert refused(question, {"profile": good * within}) == ""
    bad = good.copy()
    bad[1] *= total
    assert "profile holds rows that do not sum to 1" in refused(question, {"profile": bad})
    for name in ("wild_type", "rows"):
        arrays = answers_of_singles()
        arrays[name][1] *= total
        assert f"{name} holds rows that do not sum to 1" in refused(singles(), arrays)


def test_what_was_not_asked_may_be_nan_and_nothing_else():
    good = answers_of_singles()
    assert refused(singles(), good) == ""
    assert refused(singles(), {"raw": good["raw"]}) == ""
    for name in ("wild_type", "rows", "raw", "propagated"):
        for value in (np.nan, np.inf):
            arrays = put(good, name, 1, value)
            assert f"{name} holds values that are not finite" in refused(singles(), arrays)
    for gene in (0, 1, 2):
        arrays = put(good, "gene_scores", gene, np.nan)
        assert "gene_scores holds values that are not finite" in refused(singles(), arrays)
    # c is not supported: neither its event, nor its row, nor its score is asked
    arrays = put(put(good, "raw", 2, np.nan), "propagated", 2, np.nan)
    arrays = put(put(arrays, "rows", 1, np.nan), "gene_scores", 2, np.nan)
    assert refused(singles(), arrays, WITHOUT_C) == ""
    for name, place in (("raw", 3), ("rows", 2), ("gene_scores", 1)):
        assert name in refused(singles(), put(arrays, name, place, np.nan), WITHOUT_C)


def test_only_changes_and_scores_of_genes_may_be_below_0():
    good = answers_of_singles()
    assert refused(singles(), put(good, "gene_scores", 0, -9.0)) == ""
    for name, place in (("raw", 2), ("propagated", 0), ("rows", (0, 0)), ("wild_type", (1, 3))):
        assert f"{name} holds -0.25; expected values >= 0" in refused(
            singles(), put(good, name, place, -0.25)
        )
    good = answers_of_population()
    assert refused(population(), good) == ""
    for name in ("raw", "propagated"):
        assert f"{name} holds -1; expected" in refused(population(), put(good, name, 0, -1.0))


@pytest.mark.parametrize("below", [-1e-300, -1e-9, -SUM_TOLERANCE / 2])
def test_the_least_below_0_is_refused(below):
    """Rows need to sum to 1 only roughly; a share or an impact is never negative."""

    def said(name):
        return f"{name} holds {below:.6g}; expected values >= 0"

    good = answers_of_singles()
    good["wild_type"] = np.array([[0.5, 0.5, 0, 0]] * 2)
    for name, place in (("raw", 0), ("propagated", 3), ("rows", (2, 1)), ("wild_type", (1, 3))):
        assert good[name][place] == 0
        assert said(name) in refused(singles(), put(good, name, place, below))
    good = answers_of_population()
    for name in ("raw", "propagated"):
        assert said(name) in refused(population(), put(good, name, 1, below))
    question = Profiles(np.ones((2, 4), bool), np.full((2, 4), 0.25), np.arange(2))
    profile = {"profile": np.array([[0.5, 0.5, 0, 0]] * 2)}
    assert refused(question, profile) == ""
    assert said("profile") in refused(question, put(profile, "profile", (1, 2), below))


def test_a_removed_gene_must_be_0_in_its_own_row():
    # the rows are those of b, c and a
    for row, gene in ((0, 1), (1, 2), (2, 0)):
        arrays = answers_of_singles()
        arrays["rows"][row] = 0.25
        assert "rows holds 0.25 at a removed gene; expected 0" in refused(singles(), arrays)
        arrays["rows"][row] = np.where(np.arange(4) == gene, 0, 1 / 3)
        assert refused(singles(), arrays) == ""
    # the row of c is not asked of who can't remove c; that of a still is
    arrays = answers_of_singles()
    arrays["rows"][1] = 0.25
    assert refused(singles(), arrays, WITHOUT_C) == ""
    arrays["rows"][2] = [0, 0.5, 0.5, 0]
    assert refused(singles(), arrays, WITHOUT_C) == ""
    arrays["rows"][2] = [0.5, 0.5, 0, 0]
    assert "at a removed gene" in refused(singles(), arrays, WITHOUT_C)


@pytest.mark.parametrize("left", [1e-300, 1e-9, SUM_TOLERANCE / 2])
def test_the_least_that_is_left_at_a_removed_gene_is_refused(left):
    """Rows need to sum to 1 only roughly; a gene that is removed is gone."""
    arrays = answers_of_singles()
    for row, gene in ((0, 1), (1, 2), (2, 0)):
        rows = arrays["rows"].copy()
        assert rows[row, gene] == 0
        rows[row, gene] = left
        found = refused(singles(), {**arrays, "rows": rows})
        assert f"rows holds {left:.6g} at a removed gene; expected 0" in found


@pytest.mark.parametrize(
    "wrong", [np.zeros(4, int), np.zeros(4, bool), np.zeros(3), np.zeros((4, 1)), np.zeros(4, "U3")]
)
def test_another_type_or_shape_is_refused(wrong):
    arrays = {**answers_of_singles(), "raw": wrong}
    assert refused(singles(), arrays) == (
        f"invalid at stage: raw came as {wrong.dtype} of shape {wrong.shape};"
        " expected floats of shape (4,)"
    )


def test_who_removes_one_gene_at_a_time_owes_no_answer_to_doubles():
    one_at_a_time = answers_of_population((True, True, True, False, False))
    assert refused(population(), one_at_a_time, max_order=1) == ""
    for max_order in (None, 2):
        assert "response holds values that are not finite" in refused(
            population(), one_at_a_time, max_order=max_order
        )
    for name in ("response", "raw", "propagated"):
        for row in range(3):
            arrays = put(one_at_a_time, name, row, np.nan)
            assert f"{name} holds values" in refused(population(), arrays, max_order=1)
    question = Multiples(CELLS, DOUBLES, np.arange(2), np.ones(2, bool), np.zeros(2))
    nothing = {"interaction": np.full(2, np.nan)}
    assert refused(question, nothing, max_order=1) == ""
    assert "interaction holds" in refused(question, nothing, max_order=2)
    # c+d is not asked of who can't remove c; a+b still is
    assert refused(question, {"interaction": np.array([0.5, np.nan])}, WITHOUT_C) == ""
    assert "not finite" in refused(question, {"interaction": np.array([np.nan, 0.5])}, WITHOUT_C)


def test_scores_are_owed_for_genes_that_are_removed_alone():
    good = answers_of_population()
    # d is removed only together with c
    assert refused(population(), put(good, "gene_scores", 3, np.nan)) == ""
    for gene in (0, 1, 2):
        assert "gene_scores holds" in refused(population(), put(good, "gene_scores", gene, np.nan))
    only_doubles = dataclasses.replace(
        population(), events=(DOUBLES,), rows=(np.array([3, 4]),), names=tuple("abcde")
    )
    arrays = {"gene_scores": np.full(4, np.nan)}
    assert refused(only_doubles, arrays) == ""


def test_a_row_is_owed_where_one_of_its_events_can_be_answered():
    """Two genes in one answer row: with b alone the row is answered, without both it is not."""
    question = dataclasses.replace(population(), rows=(np.array([0, 0, 2, 0]), np.array([3, 4])))
    assert "raw holds" in refused(question, put(answers_of_population(), "raw", 0, np.nan))
    missing = question.shapes(np.array([False, True, True, True]))["raw"].missing
    np.testing.assert_array_equal(missing, [False, True, False, True, False])
    missing = question.shapes(np.array([False, False, True, True]))["raw"].missing
    np.testing.assert_array_equal(missing, [True, True, False, True, False])
