"""Boards from records that once broke them."""

from __future__ import annotations

import pytest
from factories import make_board, metric, record, scores

from kobench.board.render.formats import render

FLOORS = [record("own-share", 0.5, role="floor", seed=seed) for seed in range(6)] + [
    record("random", 0.0, role="floor", seed=seed) for seed in range(6)
]


def row(board, name):
    return next(one for one in board.sections[0].rows if one.name == name)


def constant(seed, missing="none", **more):
    return record("flat", scores({"spearman": metric(None, missing=missing)}, **more), seed=seed)


def test_constant_answers_in_some_networks_only_are_incomplete():
    records = [*FLOORS, *(record("mlp", 0.6, seed=seed) for seed in range(6))]
    records += [
        constant(0),
        constant(1),
        *(constant(seed, missing="no gene is asked in 10 cells or more") for seed in range(2, 6)),
    ]
    board = make_board(records)
    assert row(board, "flat").status == "incomplete"
    assert row(board, "flat").rank is None
    assert row(board, "mlp").rank == (1, 1)


def test_the_coverage_of_a_constant_answer_is_its_own():
    board = make_board(
        [*FLOORS, *(constant(seed, answered=400, coverage=0.4) for seed in range(6))]
    )
    assert row(board, "flat").coverage == pytest.approx(0.4)


def test_a_long_reason_leaves_names_readable():
    reason = (
        "no gene is asked in 10 cells or more with true impacts that differ among them, so that"
        " nothing could be ranked"
    )
    records = [
        *FLOORS,
        record("mlp", 0.6),
        record(
            "other-name", scores({"spearman": metric(0.5), "kendall": metric(None, missing=reason)})
        ),
    ]
    board = make_board([one for one in records if one["trial"]["dataset"]["seed"] == 0])
    for width in (80, 100, 170):
        text = render(board, "terminal", width=width)
        assert "other-name" in text.replace("\n", "")
        assert max(map(len, text.splitlines())) <= width
