"""One verdict a row, by all metrics that rank; it is said alike wherever the row stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factories import make_board, metric, permuted, record, scores
from sections import only, row

from kobench.board.contests import contests_of
from kobench.board.glance import tally
from kobench.board.overall import overall
from kobench.board.render.formats import render
from kobench.board.render.text.marks import row_mark
from kobench.board.render.text.matrix import glance_text, tally_text

#: What the floor has by both metrics on five networks.
FLOOR = 0.4

#: How far a row is from it for each verdict: level ones stray to both sides.
SHIFTS = {"better": [0.2] * 5, "same": [0.1, -0.1, 0.1, -0.1, 0.0], "worse": [-0.2] * 5}


def by_two(name, first, second, role="predictor", dataset="grn:genes=100", p=None):
    """Five networks by two primary metrics, each at its distance from the floor."""
    more = {} if p is None else {"permuted": permuted(p, 0.4)}
    return [
        record(
            name,
            scores(
                {
                    "a": {**metric(FLOOR + first[seed]), **more},
                    "b": {**metric(FLOOR + second[seed])},
                },
                primary=("a", "b"),
            ),
            role=role,
            seed=seed,
            dataset=dataset,
        )
        for seed in range(5)
    ]


def floor(dataset="grn:genes=100"):
    return by_two("own-share", [0.0] * 5, [0.0] * 5, "floor", dataset)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("better", "better", "better"),
        ("better", "same", "mixed"),
        ("same", "better", "mixed"),
        ("better", "worse", "mixed"),
        ("worse", "better", "mixed"),
        ("same", "same", "same"),
        ("same", "worse", "worse"),
        ("worse", "same", "worse"),
        ("worse", "worse", "worse"),
    ],
)
def test_better_is_who_is_so_by_every_metric(first, second, together):
    section = only([*by_two("mlp", SHIFTS[first], SHIFTS[second]), *floor()])
    mlp = row(section, "mlp")
    assert [mlp.scores[one].verdict for one in ("a", "b")] == [first, second]
    assert overall(section, mlp) == together
    # one mark a cell, and a number with marks for better and worse alone
    signs = {"better": "▲", "same": "≈", "worse": "▼", "mixed": "mixed"}
    assert row_mark(section, mlp) == signs[together]
    assert glance_text(section, mlp).split()[0] == signs[together]
    assert (len(glance_text(section, mlp).split()) > 1) == (together in ("better", "worse"))
    (contest,) = contests_of([section])
    assert contest.winners == (["mlp"] if together == "better" else [])


@pytest.mark.parametrize("silent", ["a", "b"])
@pytest.mark.parametrize("other", ["same", "worse", "better"])
def test_where_one_metric_has_no_interval_the_other_gives_no_level_verdict(silent, other):
    section = only([*by_two("mlp", SHIFTS[other], SHIFTS[other]), *floor()])
    mlp = row(section, "mlp")
    scores = {**mlp.scores, silent: replace(mlp.scores[silent], verdict="")}
    expected = {"same": "", "worse": "worse", "better": "mixed"}
    assert overall(section, replace(mlp, scores=scores)) == expected[other]


def test_a_row_without_an_interval_by_one_metric_has_no_verdict():
    floors = [record("own-share", scores({"a": 0.4, "b": 0.4}, primary=("a", "b")), role="floor")]
    made = [record("mlp", scores({"a": 0.6, "b": 0.6}, primary=("a", "b")))]
    section = only([*made, *floors])
    assert overall(section, row(section, "mlp")) == ""
    assert overall(section, row(section, "own-share")) == ""


def test_better_by_all_and_just_as_well_with_wrong_genes_is_a_word_of_its_own():
    # what permuted answers score is as high: their mean is that of the answers themselves
    section = only([*by_two("mlp", [0.2] * 5, [0.2] * 5, p=0.6), *floor()])
    assert overall(section, row(section, "mlp")) == "unproven"
    (contest,) = contests_of([section])
    assert contest.winners == []
    assert "unproven" in glance_text(section, row(section, "mlp"))


def boards():
    """Two datasets: better by both metrics on one of them, by one metric on the other."""
    return make_board(
        [
            *by_two("mlp", SHIFTS["better"], SHIFTS["better"], dataset="grn:genes=50"),
            *by_two("mlp", SHIFTS["better"], SHIFTS["same"], dataset="grn:genes=60"),
            *floor("grn:genes=50"),
            *floor("grn:genes=60"),
        ]
    )


def test_several_datasets_are_counted_by_the_same_verdict():
    (matrix,) = boards().matrices
    found = tally(matrix, 0, [0, 1])
    assert (found.better, found.mixed, found.same, found.worse) == (1, 1, 0, 0)
    assert tally_text(found).startswith("▲ 1, mixed 1 of 2")


@pytest.mark.parametrize("format", ["terminal", "markdown"])
def test_each_metric_has_its_own_mark_beside_its_score_and_the_word_is_explained_once(format):
    text = " ".join(render(boards(), format).split())
    assert text.count("mixed: better than the best floor by one metric of the task") == 1
    assert "▲ 0.600" in text
    assert "≈ 0.400" in text
    assert "▲≈" not in text


@pytest.mark.parametrize("format", ["terminal", "markdown"])
def test_what_a_board_says_it_says_once(format):
    text = " ".join(render(boards(), format).split())
    for said in ("the order of rows without one means nothing", "Skill: 0 is the best floor"):
        assert text.count(said) == 1, said
