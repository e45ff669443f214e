"""Records may come from anyone: whatever their texts hold, nothing hidden reaches any format."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from factories import genes_table, metric, networks, permuted, points, record, scores
from factories import make_board as board_of

from kobench.board.render.formats import FORMATS, render
from kobench.board.visible import all_visible
from kobench.util.text import hidden_in

#: Steers a terminal, turns writing round, hides, breaks lines, and is markup of every format.
HOSTILE = (
    "\x1b[2J\x1b]0;x\x07\x9b31m\u202e\u2066\u200b\u200f\u061c\u2028\u2029\x85\r\n\t\ud800\x00"
    "<script>alert(1)</script>[red]x[/red] [l](javascript:1) ![i](x) |`*_~$x$ \\input{x} %"
)

#: Texts that a board decides by, which a record may not choose freely.
FIXED = {"schema", "role", "status", "direction", "kind", "truth", "block", "primary", "missing"}


def with_hostile(value, key=""):
    """A record whose texts all end in HOSTILE, its keys too where they are names."""
    if isinstance(value, dict):
        named = key in ("metrics", "floors", "scores", "left_out", "layers", "tasks")
        return {
            (f"{name}{HOSTILE}" if named else name): with_hostile(one, name)
            for name, one in value.items()
        }
    if isinstance(value, list):
        hostile = key not in FIXED
        return [with_hostile(one, key) if hostile else one for one in value]
    if isinstance(value, str) and key not in FIXED:
        return f"={value}{HOSTILE}"
    return value


def documents():
    """A board's records: ranked, failed and partly answered, with tables, notes and remarks."""
    sandbox = {"mode": "off", "layers": {"mounts": "why not"}, "readable": ["/data"]}
    environment = {"name": "old", "python": "3.9", "packages": {"numpy": "1"}}
    run = {"sandbox": sandbox, "environment": environment}
    units = {
        "table": genes_table({"g1": (0.5, 0.4), "g2": (0.2, 0.3)}),
        "points": points([0.1, 0.2], [0.2, 0.3], "gene"),
        "left_out": {"too few cells": 2},
    }
    measured = {"spearman": {**metric(0.5), "permuted": permuted(0.0, 0.001)}, "other": metric(0.1)}
    return [
        *networks("random", [0.1, 0.0, 0.1], role="floor"),
        *networks("own-share", [0.2, 0.3, 0.2], role="floor"),
        *networks("mlp", [0.5, 0.6, 0.5], run=run, notes=["a note"], **units),
        record("some", scores(measured, notes=["another"]), run=run, notes=["a note"]),
        record("broken", status="failed", stage="fit", message="no", traceback="a\nb", run=run),
    ]


def hostile_board():
    found = []
    for one in documents():
        changed = with_hostile(one)
        names = changed["result"]["scores"]
        for task in names.values():
            task["primary"] = [f"{name}{HOSTILE}" for name in task["primary"]]
        found.append(changed)
    return board_of(found)


@pytest.fixture(scope="module")
def board():
    return hostile_board()


def test_the_hostile_board_shows_all_that_the_harmless_one_does(board):
    harmless = board_of(documents())
    assert len(board.sections) == len(harmless.sections) == 1
    assert len(board.sections[0].rows) == len(harmless.sections[0].rows)
    assert board.sections[0].ranked
    assert board.sections[0].units is not None


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_hidden_reaches_a_format(board, form):
    text = render(board, form)
    assert set(hidden_in(text)) <= ({"\n", "\t"} if form == "html" else {"\n"})
    text.encode()
    assert "mlp" in text
    if form != "latex":
        assert r"\x1b[2J" in text.replace("\\\\", "\\").replace("\\[", "[")


@pytest.mark.parametrize("width", [80, 200])
def test_a_terminal_gets_colours_of_ours_alone(board, width):
    text = render(board, "terminal", width=width, color=True)
    assert "\x1b[" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert set(hidden_in(plain)) <= {"\n"}
    assert "[red]x[/red]" in re.sub(r"\s", "", plain)  # no markup: it stands there
    assert not re.search(r"\x1b\[31m[^\x1b]*mlp", text)


def test_markup_of_a_format_is_text_in_it(board):
    harmless = board_of(documents())
    page = render(board, "html")
    assert page.count("<script") == render(harmless, "html").count("<script")
    markdown = render(board, "markdown")
    assert "<script" not in markdown
    assert not re.search(r"(?<!\\)\[l(?<!\\)\]\(", markdown)
    assert not re.search(r"(?<!\\)\$x", markdown)
    latex = render(board, "latex")
    assert r"\input" not in latex
    assert r"\x" not in latex
    assert r"\textbackslash{}x1b" in latex


def test_a_name_makes_no_line_of_its_own(board):
    harmless = render(board_of(documents()), "csv")
    assert render(board, "csv").count("\n") == harmless.count("\n")


def test_cells_of_a_csv_file_are_no_formulas_and_numbers_stay_numbers(board):
    rows = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    cells = [cell for row in rows for cell in row.values() if cell]
    formulas = [cell for cell in cells if cell[0] in "=+-@\t\r"]
    assert all(re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell) for cell in formulas)
    assert any(cell.startswith("'=") for cell in cells)
    negative = board_of(
        [*networks("random", [0.1] * 3, role="floor"), *networks("m", [-0.5, -0.4, -0.6])]
    )
    values = [row["value"] for row in csv.DictReader(io.StringIO(render(negative, "csv")))]
    assert "-0.5" in values


def test_json_is_json(board):
    assert json.loads(render(board, "json"))["rows"]


def test_a_clean_board_is_the_same_object():
    board = board_of(documents())
    assert all_visible(board) is board


def test_what_stood_in_two_places_is_one_object(board):
    for matrix in board.matrices:
        assert all(any(one is other for other in board.sections) for one in matrix.datasets)


def test_pictures_of_hostile_names_are_drawn(board):
    pytest.importorskip("matplotlib")
    from kobench.board.pictures.draw import draw_all

    drawn = draw_all(board)
    assert drawn
    for one in drawn:
        assert re.fullmatch(r"[A-Za-z0-9._-]+", one.name)
        assert set(hidden_in(one.svg)) <= {"\n"}
        assert "<script" not in one.svg
    odd = board_of(
        [
            *networks("random", [0.1] * 3, role="floor"),
            *networks(r"$\frac{", [0.5, 0.4, 0.6]),
        ]
    )
    assert any(r"$\frac{" in one.svg for one in draw_all(odd))
