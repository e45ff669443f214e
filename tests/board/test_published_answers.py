"""What the first lines of published boards say is so, and misleads nobody."""

from __future__ import annotations

from places import REPOSITORY

from kobench.board.make import make_board
from kobench.board.render.text.legend import asked
from kobench.results.records import read_records

BOARDS = REPOSITORY / "leaderboards"


def test_who_is_better_by_one_metric_alone_is_named_and_no_threshold_is():
    """Where some are mixed, what the first metric would have shown says nothing of them."""
    board = make_board(read_records(BOARDS / "planted"))
    (said,) = (one for one in board.answer if "(response)" in one)
    assert "by one metric alone)" in said
    assert "would have been seen" not in said


def test_a_board_without_knockouts_does_not_ask_about_them():
    profiles = make_board(read_records(BOARDS / "transfer-datasets"))
    assert "No gene is removed here." in asked(profiles)
    assert "what removing a gene does" in asked(make_board(read_records(BOARDS / "mouse-ko")))
