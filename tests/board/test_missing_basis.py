"""Whoever leaves the best floors out of a folder has beaten nobody."""

from __future__ import annotations

import pytest
from factories import networks, read, scores, told

from kobench.board.make import make_board
from kobench.board.render import render

#: The best floor, one by chance, and a method between them.
BEST = networks("own-share", [0.40, 0.42, 0.38, 0.41, 0.39], role="floor")
CHANCE = networks("random", [0.01, -0.02, 0.0, 0.03, -0.01], role="floor")
TRUTH = networks("truth", [1.0] * 5, role="line")
METHOD = networks("lucky", [0.22, 0.24, 0.21, 0.20, 0.23], floors=("own-share", "random"))


def with_lines(records):
    """The method's records name the line truth alone."""
    for one in records:
        for entry in one["result"]["scores"].values():
            entry["lines"] = ["truth"]
    return records


def section_of(*parts):
    (section,) = make_board(read(one for part in parts for one in part)).sections
    return section


def test_with_all_floors_it_is_worse_than_the_best():
    section = section_of(with_lines(METHOD), BEST, CHANCE, TRUTH)
    assert section.unranked_reason == ""
    (row,) = [row for row in section.rows if row.name == "lucky"]
    assert row.scores["spearman"].verdict == "worse"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((CHANCE, TRUTH), "the floor own-share of this task"),
        ((BEST[:4], CHANCE, TRUTH), "the floor own-share of this task"),
        ((TRUTH,), "the floors own-share, random of this task"),
        ((BEST, CHANCE), "the line truth of this task"),
        ((CHANCE,), "the floor own-share and the line truth of this task"),
    ],
)
def test_without_some_of_them_nobody_is_compared(parts, said):
    section = section_of(with_lines(METHOD), *parts)
    assert said in section.unranked_reason
    assert not section.ranked
    board = make_board(read(one for part in (METHOD, *parts) for one in part))
    text = render(board, "markdown")
    assert said[1:] in text  # it begins a sentence there
    assert "\u25b2" not in text.partition("## ")[2].replace("\u25b2 better", "")


@pytest.mark.parametrize("status", ["failed", "timeout", "out-of-memory", "unsupported"])
def test_who_says_of_the_best_floor_that_it_failed_has_beaten_nobody(status):
    failed = networks("own-share", [0.4] * 5, role="floor", status=status)
    for one in failed:
        one["result"]["scores"] = {}
    section = section_of(with_lines(METHOD), failed, CHANCE, TRUTH)
    assert "the floor own-share of this task have no good record" in section.unranked_reason
    assert not section.ranked


def test_a_line_that_is_not_offered_has_a_record():
    none = networks("truth", [1.0] * 5, role="line", status="unsupported")
    for one in none:
        one["result"]["scores"] = {}
    assert section_of(with_lines(METHOD), BEST, CHANCE, none).unranked_reason == ""


def test_the_floors_of_another_split_are_no_floors():
    other = networks("own-share", [0.4] * 5, role="floor", split=("holdout", 1))
    section = section_of(with_lines(METHOD), other, CHANCE, TRUTH)
    assert "the floor own-share" in section.unranked_reason


def test_what_tests_make_up_names_what_is_there():
    records = told(read([*METHOD, *CHANCE]))
    assert {name for one in records for each in one.result.scores.values() for name in each.floors}
    (first,) = {
        tuple(each.floors)
        for one in records
        if one.role == "predictor"
        for each in one.result.scores.values()
    }
    assert first == ("random",)


def test_scores_of_other_tasks_ask_for_nothing_here():
    other = scores({"spearman": 0.5}, "keystone@1", floors=("detection",))
    methods = with_lines(networks("lucky", [0.2] * 5, floors=("random",)))
    methods[0]["result"]["scores"].update(other)
    board = make_board(read([*methods, *CHANCE, *TRUTH]))
    reasons = {section.task: section.unranked_reason for section in board.sections}
    assert reasons["knockout-impact@1"] == ""
    assert "detection" in reasons["keystone@1"]
