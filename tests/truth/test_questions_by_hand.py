"""What a question asks, shows and expects, part by part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kobench.cells import Cells, Knockouts
from kobench.question import SETS, Answers, Multiples, Responses, Singles, TaskView
from kobench.question.base import Question, answerable_events, removed_genes
from kobench.question.sets import PerturbedCells, Profiles, Transfers, cells_of

CELLS = Cells(np.ones((3, 4), np.float32), np.array(list("abcd")))


def knockouts(*genes, cells=None):
    rows = np.arange(len(genes)) % 3 if cells is None else np.array(cells)
    return Knockouts(np.array(genes, np.int32), rows.astype(np.int32))


def singles(**more):
    n = 5
    events = knockouts([0], [0], [1], [2], [2])
    values = np.arange(1.0, 1 + n)
    rows = np.arange(2 * 4.0).reshape(2, 4)
    made = Singles(CELLS, events, np.array([1, 3]), np.ones((3, 4)), values, values, rows, rows)
    return replace(made, **more)


def test_which_events_can_be_answered():
    supported = np.array([True, False, True, True])
    pairs = knockouts([0, 2], [0, 1], [2, 3])
    assert answerable_events(pairs, supported, None).tolist() == [True, False, True]
    assert answerable_events(pairs, supported, 2).tolist() == [True, False, True]
    assert answerable_events(pairs, supported, 1).tolist() == [False] * 3
    assert removed_genes([pairs], supported, 4).tolist() == [True, False, True, True]
    assert removed_genes([knockouts([0], [1])], supported, 4).tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert removed_genes([], supported, 4).tolist() == [False] * 4
    whole = Knockouts(np.array([[0]], np.int32), None)
    with pytest.raises(TypeError, match="name a cell each"):
        cells_of(whole)


def test_what_single_knockouts_expect():
    question = singles(sample=np.array([1, 2]))
    shapes = question.shapes(np.array([True, False, True, True]))
    assert shapes["wild_type"].missing.tolist() == [False] * 3
    assert shapes["rows"].missing.tolist() == [False, True]
    assert shapes["rows"].removed.tolist() == [[0], [1]]
    assert shapes["raw"].missing.tolist() == [False, False, True, False, False]
    assert shapes["gene_scores"].missing.tolist() == [False, True, False, True]
    wide = {name: (one.width, one.profile, one.signed) for name, one in shapes.items()}
    assert wide == {
        "wild_type": (4, True, False),
        "rows": (4, True, False),
        "raw": (None, False, False),
        "propagated": (None, False, False),
        "gene_scores": (None, False, True),
    }
    assert [one.dimensions for one in shapes.values()] == [(3, 4), (2, 4), (5,), (5,), (4,)]
    assert question.gene_means(question.raw).tolist() == [1.5, 3.0, 4.5, 0.0]
    payload = question.payload()
    assert (set(payload.arrays), payload.cells) == ({"genes", "cells", "sample"}, CELLS)


def test_what_a_sample_of_events_says():
    question = singles()
    assert (question.rows_compared, question.drawn_events, question.n_events) == (2, None, 5)
    assert (question.asked_share("profile"), question.asked_share("impact")) == (2 / 5, 1.0)
    drawn = singles(available=20)
    assert drawn.drawn_events == (5, 20)
    assert (drawn.asked_share("profile"), drawn.asked_share("impact")) == (2 / 20, 5 / 20)
    assert singles(sample=np.arange(5)).rows_compared is None
    assert question.excluded() == {}
    assert singles(unsolved=3).excluded() == {"no steady state in the truth": 3}
    assert question.block_names("gene").tolist() == list("abcd")
    assert question.block_names("cell") is question.block_names("perturbation") is None


def test_events_are_taken_with_what_was_answered_of_them():
    question = singles()
    answers = Answers(raw=np.arange(5.0), supported=np.ones(4, bool))
    again, theirs = question.take(answers, np.array([3, 0, 3, 1]))
    assert again.raw.tolist() == [4, 1, 4, 2]
    assert again.sample.tolist() == [0, 2, 3]
    assert again.null.tolist() == question.null[[1, 1, 0]].tolist()
    assert (theirs.raw.tolist(), theirs.propagated, theirs.rows) == ([3, 0, 3, 1], None, None)


def responses(kind=Responses, **more):
    made = kind(
        cells=CELLS,
        names=("a", "c+d"),
        targets=((0,), (2, 3)),
        events=(knockouts([0], [0], [0]), knockouts([2, 3], [2, 3])),
        rows=(np.array([0, 1, 0]), np.array([2, 2])),
        row_perturbation=np.array([0, 0, 1]),
        row_weight=np.array([0.25, 0.75, 1.0]),
        change=np.zeros((2, 4)),
        size=np.zeros(2),
        abundance=np.zeros(2),
        detectable=np.ones(2, bool),
        perturbed=np.ones(2, int),
    )
    return replace(made, **more)


@pytest.mark.parametrize(
    ("unsupported", "most", "missing", "scores"),
    [
        (None, None, [False, False, False], [False, True, True, True]),
        (None, 1, [False, False, True], [False, True, True, True]),
        (None, 2, [False, False, False], [False, True, True, True]),
        (3, None, [False, False, True], [False, True, True, True]),
        (0, None, [True, True, False], [True, True, True, True]),
    ],
)
def test_what_changes_of_populations_expect(unsupported, most, missing, scores):
    supported = np.ones(4, bool)
    if unsupported is not None:
        supported[unsupported] = False
    shapes = responses().shapes(supported, most)
    for name in ("response", "raw", "propagated"):
        assert shapes[name].missing.tolist() == missing
    assert shapes["gene_scores"].missing.tolist() == scores
    assert (shapes["response"].signed, shapes["raw"].signed) == (True, False)
    cells = responses(PerturbedCells, each=2).shapes(supported, most)
    assert set(cells) == {"cells", "response"}
    both = [[missing[0]] * 2, [missing[2]] * 2]
    assert cells["cells"].missing.tolist() == [*both[0], *both[1]]


def test_what_a_population_question_hands_over_and_averages():
    question = responses()
    arrays = question.payload().arrays
    assert (int(arrays["n_rows"]), arrays["rows1"].tolist()) == (3, [2, 2])
    assert set(arrays) == {
        "n_rows",
        *(f"{name}{i}" for name in ("genes", "cells", "rows") for i in "01"),
    }
    assert question.of_perturbations(np.array([4.0, 8.0, 3.0])).tolist() == [7.0, 3.0]
    assert question.of_perturbations(np.array([[4.0, 0], [8, 4], [3, 1]])).tolist() == [
        [7, 3],
        [3, 1],
    ]
    assert question.block_names("perturbation").tolist() == ["a", "c+d"]
    assert question.block_names("gene") is None
    assert (question.noisy, replace(question, halves=np.zeros((1, 2, 2, 4))).noisy) == (False, True)
    assert (question.asks_nothing, replace(question, names=()).asks_nothing) == (False, True)
    counted = responses(PerturbedCells, each=2).payload().arrays
    assert counted["targets"].tolist() == [[0, -1], [2, 3]]
    assert int(counted["each"]) == 2


def test_several_genes_at_once_expect_a_number_for_each_event():
    events = knockouts([0, 1], [2, 3])
    question = Multiples(CELLS, events, np.arange(2), np.ones(2, bool), np.zeros(2))
    supported = np.array([True, True, True, False])
    assert question.shapes(supported)["interaction"].missing.tolist() == [False, True]
    assert question.shapes(supported, 1)["interaction"].missing.tolist() == [True, True]
    assert set(question.payload().arrays) == {"genes", "cells"}


def test_a_question_by_assemblage_shows_no_expression():
    on = np.array([[True, False], [True, True]])
    question = Profiles(on, on / on.sum(axis=1, keepdims=True), np.arange(2))
    payload = question.payload()
    assert (set(payload.arrays), payload.cells) == ({"assemblages"}, None)
    shape = question.shapes(np.ones(2, bool))["profile"]
    assert (shape.dimensions, shape.profile, shape.missing.any()) == ((2, 2), True, False)
    assert {name for name, row in SETS.items() if row.by_assemblage} == {"profile", "transfer"}
    assert issubclass(Transfers, type(question).__mro__[1])


def test_sets_are_answered_by_any_of_their_kinds():
    needs = {name: row.needs for name, row in SETS.items()}
    assert needs == {
        "profile": ("expression",),
        "transfer": ("expression",),
        "singles": ("knockout", "impact", "genes"),
        "response": ("response", "knockout", "impact", "genes"),
        "cells": ("cells", "response", "knockout"),
        "doubles": ("interaction",),
        "triples": ("interaction",),
    }
    assert {name: row.order for name, row in SETS.items() if row.order} == {
        "doubles": 2,
        "triples": 3,
    }
    assert [name for name, row in SETS.items() if row.draws_events] == ["singles"]
    assert [name for name, row in SETS.items() if row.between_groups] == ["transfer"]
    assert SETS["singles"].arrays == ("wild_type", "raw", "propagated", "rows", "gene_scores")
    assert SETS["response"].arrays == ("response", "raw", "propagated", "gene_scores")
    assert SETS["cells"].arrays == ("cells", "response")


def test_what_a_question_says_by_default():
    plain = Question()
    assert (plain.block_names("cell"), plain.excluded(), plain.asks_nothing) == (None, {}, False)
    assert (plain.rows_compared, plain.drawn_events, plain.n_events) == (None, None, 0)
    assert plain.asked_share("impact") == 1.0


def test_a_task_sees_the_question_that_it_was_made_for():
    view = TaskView(responses(), Answers())
    assert view.asked(Responses) is view.question
    with pytest.raises(TypeError, match="needs the single-knockout question, not Responses"):
        view.asked(Singles)
    stored = Answers.of_arrays({"raw": np.ones(2), "no such": np.ones(1)}, max_order=1)
    assert (stored.raw.tolist(), stored.max_order, stored.rows) == ([1, 1], 1, None)
