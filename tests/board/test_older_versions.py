"""A row of a board is of one version: the newest; what is kept of older ones is said."""

from __future__ import annotations

import pytest
from factories import make_board, metric, networks, read, record, scores

from kobench.board.sections.older import as_rows
from kobench.results.versions import newest

FLOORS = networks("own-share", [0.4, 0.41, 0.39], role="floor")
OLD = "2026-01-01T00:00:00Z"
NEW = "2026-01-02T00:00:00Z"
FIRST, SECOND = "a" * 64, "b" * 64


def of(documents, digest, started, version="0.1.0"):
    for one in documents:
        one["trial"]["predictor"].update(digest=digest, version=version)
        one["run"]["started"] = started
    return documents


def said(board):
    return [remark for remark in board.remarks if remark.startswith("Older version kept")]


def row_of(board, name="mlp"):
    (found,) = (one for section in board.sections for one in section.rows if one.name == name)
    return found


@pytest.mark.parametrize("first_is_newer", [False, True])
def test_networks_of_two_versions_never_make_one_row(first_is_newer):
    old = of(networks("mlp", [0.9, 0.9, 0.9]), FIRST, NEW if first_is_newer else OLD)
    new = of(networks("mlp", [0.5, 0.5])[1:], SECOND, OLD if first_is_newer else NEW)
    # another network of the same row, as where a run of new code had fewer networks
    board = make_board([*old, *new, *FLOORS])
    shown = row_of(board)
    assert shown.scores["spearman"].value == (0.9 if first_is_newer else 0.5)
    assert shown.blocks_done == (3 if first_is_newer else 1)
    (remark,) = said(board)
    assert ("bbbbbbbbbbbb" if first_is_newer else "aaaaaaaaaaaa") in remark


def test_a_new_number_of_the_same_code_is_no_other_version():
    old = of(networks("mlp", [0.5, 0.6]), FIRST, OLD, "1.0")
    new = of([networks("mlp", [0, 0, 0.7])[2]], FIRST, NEW, "1.1")
    board = make_board([*old, *new, *FLOORS])
    assert row_of(board).blocks_done == 3
    assert row_of(board).versions == ("1.0", "1.1")


def test_the_tasks_that_only_the_older_version_has_are_counted():
    tasks = {}
    for task in ("knockout-impact@1", "keystone@3", "profile@1"):
        tasks |= scores({"spearman": metric(0.7)}, task)
    (old,) = of([record("mlp", tasks)], FIRST, OLD)
    (new,) = of([record("mlp", 0.6)], SECOND, NEW)
    floors = [record("own-share", 0.4, role="floor")]
    for board in (
        make_board([old, new, *floors]),  # as in a folder of an older kobench
        make_board([new, *floors], older=read([old])),
    ):
        assert {section.task for section in board.sections} == {"knockout-impact@1"}
        (remark,) = said(board)
        assert "mlp (code aaaaaaaaaaaa; 2 tasks that the newer was not asked)" in remark
    (same,) = said(make_board([new, *floors], older=read(of([record("mlp", 0.1)], FIRST, OLD))))
    assert "mlp (code aaaaaaaaaaaa; 1 task)" in same
    others = make_board([new, *floors], older=read(of([record("x", 0.1)], FIRST, OLD)))
    assert said(others) == []


def test_an_older_version_is_shown_as_a_row_of_its_own():
    old = of(networks("mlp", [0.9, 0.9, 0.9]), FIRST, OLD)
    new = of(networks("mlp", [0.5, 0.5, 0.5]), SECOND, NEW)
    shown, before = newest(read([*old, *new, *FLOORS]))
    board = make_board([*shown, *as_rows(before, shown)])
    assert row_of(board).scores["spearman"].value == 0.5
    assert row_of(board, "mlp (code aaaaaaaaaaaa)").scores["spearman"].value == 0.9
    assert said(board) == []
    # of cells that are others by now it is not
    for one in old:
        one["trial"]["dataset"]["digest"] = "of other cells"
    assert as_rows(read(old), shown) == []


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_results_of_one_older_version_the_later_one_is_shown(reverse):
    """Such as where it was fitted anew by another kobench."""
    old = [
        *of([record("mlp", 0.7)], FIRST, OLD),
        *of([record("mlp", 0.8)], FIRST, "2026-01-01T12:00:00Z"),
    ]
    shown = read(of([record("mlp", 0.5)], SECOND, NEW))
    (row,) = as_rows(read(old[::-1] if reverse else old), shown)
    assert row.result.scores["knockout-impact@1"].metrics["spearman"].value == 0.8
    assert row.trial.predictor.selection == "mlp (code aaaaaaaaaaaa)"


def test_floors_of_two_versions_are_not_mixed_either():
    old = of(networks("own-share", [0.8, 0.8, 0.8], role="floor"), FIRST, OLD)
    new = of(networks("own-share", [0.2], role="floor"), SECOND, NEW)
    board = make_board([*old, *new, *networks("mlp", [0.5, 0.5, 0.5])])
    assert row_of(board, "own-share").scores["spearman"].value == 0.2
    assert "own-share (code aaaaaaaaaaaa; 1 task)" in " ".join(board.remarks)
