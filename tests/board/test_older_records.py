"""Records without the newer parts still make boards; the newer parts are checked."""

from __future__ import annotations

import pytest
from factories import fault, make_board, permuted
from places import REPOSITORY
from sections import made, tabled

from kobench.board.render.formats import FORMATS, render
from kobench.errors import UserError
from kobench.results.records import read_records

LEADERBOARDS = REPOSITORY / "leaderboards"


@pytest.mark.parametrize("name", ["quick", "paper-grn"])
def test_records_without_the_newer_parts_still_make_boards(name):
    records = list(read_records(LEADERBOARDS / name))[:400]
    board = make_board(records)
    for format in FORMATS:
        assert len(render(board, format)) > 1000


def test_the_newer_parts_of_records_are_read_and_checked():
    table = {"gene": ["A"], "true": [0.1], "detectable": [True], "p": [None]}
    parts = {
        "notes": ["a"],
        "table": table,
        "points": {"what": "impact", "true": [0.1], "predicted": [1]},
    }
    good = made(
        "mlp",
        0.6,
        more={"permuted": permuted(0.0, 0.1), "ceiling": {"value": None, "draws": []}},
        **parts,
    )
    good["trial"]["split"]["train"] = "rod"
    assert fault(good) == ""
    for part, value, said in (
        (
            "table",
            {"gene": "A"},
            'result.scores.knockout-impact@1.table.gene is "A", expected a list',
        ),
        (
            "points",
            {"what": "impact", "true": ["x"], "predicted": []},
            'points.true holds "x", expected a number',
        ),
        ("notes", "no", 'notes is "no", expected a list'),
    ):
        assert said in fault(made("mlp", 0.6, **{part: value}))
    assert "permuted.p is missing" in fault(
        made("mlp", 0.6, more={"permuted": {"mean": 0.1, "sd": 0.1, "low": 0.0, "high": 0.1}})
    )
    assert (
        fault(made("mlp", 0.6, more={"permuted": None, "ceiling": None}, table=None, points=None))
        == ""
    )


def test_an_unknown_task_is_still_an_error():
    with pytest.raises(UserError, match="no record has the task"):
        make_board(tabled(), tasks=["profile"])
