"""The first screen of a board: at most 24 lines, whole names, and an honest verdict."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from factories import make_board, networks, record
from published import FOLDERS, published, published_records
from rich.cells import cell_len
from sections import FLOOR

from kobench.board import make
from kobench.board.contests import contests_of
from kobench.board.overview import overview_of
from kobench.board.render.terminal import SCREEN, render, render_summary
from kobench.board.words import base
from kobench.cli import board as command
from kobench.cli.board import board_command
from kobench.cli.screen import lines_of

WIDTHS = (80, 90, 100, 120)


def named_in(text, overview):
    """The predictors whose row is in a first screen, each name whole in a line of its own."""
    lines = text.splitlines()
    return [
        name
        for name in overview.predictors
        if any(re.match(rf"{re.escape(name)} {{2,}}\S", line) for line in lines)
    ]


def shown_in_a_pipe(monkeypatch, folder, *options, **environment):
    """What `kobench board` prints of a published board where output goes to no terminal."""
    found = SimpleNamespace(
        **{"records": list(published_records(folder)), "older": [], "remark": ""},
        **{"explained": {}, "elsewhere": {}, "more": ()},
    )
    monkeypatch.setattr(command, "all_of", lambda *_: found)
    monkeypatch.setattr(command, "consistent", lambda records: (records, ""))
    monkeypatch.setattr(make, "make_board", lambda *_, **__: published(folder))
    found = CliRunner().invoke(board_command, [str(folder), *options], env=environment)
    assert found.exit_code == 0, found.output
    return found.output


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_first_screen_of_every_published_board_fits(folder):
    board = published(folder)
    overview = overview_of(board)
    for width in WIDTHS:
        text = render_summary(board, width=width)
        lines = text.splitlines()
        assert len(lines) <= SCREEN < 24
        assert max(map(cell_len, lines)) <= width
        assert "…" not in text
        assert " ".join(text.split()).startswith(" ".join(board.headline.split()))
        found = named_in(text, overview)
        more = re.search(r"(?m)^and (\d+) more", text)
        assert len(found) + (int(more[1]) if more else 0) == len(overview.predictors)
        # those that are shown are the best
        assert found == list(overview.predictors[: len(found)])
        for task in overview.tasks:
            heads = "".join(text.partition("\n\n")[2].partition("──")[0].split())
            said = " ".join(text.partition("not shown at this width")[2].split())
            head = base(task.task)
            parts = head.split("-")
            assert head in said or all(part in heads for part in parts), (head, width)
    assert len(render_summary(board, width=80, lines=SCREEN - 4).splitlines()) <= SCREEN - 4


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_pipe_gets_the_same_at_its_width(folder, monkeypatch):
    board = published(folder)
    text = shown_in_a_pipe(monkeypatch, folder, COLUMNS=None, LINES=None)
    assert len(text.splitlines()) < 24
    assert text.startswith(render_summary(board, 120, lines=SCREEN - 1))
    text = shown_in_a_pipe(monkeypatch, folder, COLUMNS="80", LINES="24")
    assert len(text.splitlines()) < 24
    assert max(map(cell_len, text.splitlines())) <= 80
    whole = shown_in_a_pipe(monkeypatch, folder, "-v", COLUMNS=None, LINES=None)
    assert whole == render(board, 120, units=False)
    assert len(whole) > len(text)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_verdict_counts_what_the_sections_say(folder):
    board = published(folder)
    contests = [one for one in contests_of(board.sections, board.transfers) if not one.control]
    first = next(iter(sorted({one.of_knockouts for one in contests}, reverse=True)), None)
    asked = [one for one in contests if one.of_knockouts == first]
    wins = {}
    for one in asked:
        for name in one.winners:
            wins[name] = wins.get(name, 0) + 1
    if not wins:
        assert "nobody beats the best floor (the best trivial answer)" in board.headline
    else:
        most = max(wins.values())
        best = sorted(name for name in wins if wins[name] == most)
        said = board.headline.partition("beat")[0]
        assert best[0] in said
        assert len(asked) == 1 or f" in {most} of {len(asked)}" in board.headline
    overview = overview_of(board)
    total = {name: sum(name in one.winners for one in contests) for name in overview.predictors}
    assert {name: overview.wins[name] for name in overview.predictors} == total


def test_those_that_were_named_are_shown_wherever_they_stand():
    records = networks("own-share", FLOOR, role="floor")
    for i in range(40):
        records += networks(f"other-{i}", [value + 0.3 - 0.001 * i for value in FLOOR])
    records += networks("mine", [value - 0.3 for value in FLOOR])
    board = make_board(records)
    assert "mine" not in named_in(render_summary(board), overview_of(board))
    text = render_summary(board, named=["mine"])
    assert named_in(text, overview_of(board))[-1] == "mine"
    assert len(text.splitlines()) <= SCREEN
    assert re.search(r"(?m)^mine +▼ -\d", text)


def test_cells_of_one_dataset_have_a_number_and_an_interval_and_those_of_several_a_count():
    records = []
    for dataset, shift in (("grn:genes=50", 0.3), ("grn:genes=60", -0.3)):
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
        records += networks("up", [value + 0.3 for value in FLOOR], dataset=dataset)
        records += networks("both", [value + shift for value in FLOOR], dataset=dataset)
    text = render_summary(make_board(records))
    assert re.search(r"(?m)^up +▲2 0\.50 \[0\.\d\d, 0\.\d\d\]$", text)
    assert re.search(r"(?m)^both +▲1 ▼1$", text)
    one = [each for each in records if "genes=50" in each["trial"]["dataset"]["group"]]
    text = render_summary(make_board(one))
    assert re.search(r"(?m)^up +▲ +0\.50 \[0\.\d\d, 0\.\d\d\]$", text)
    assert "Skill: 0 is that floor, 1 the truth." in text


def test_a_control_is_left_out_of_the_table_and_who_is_better_there_is_suspect():
    def on(dataset, value, note=""):
        records = networks("mlp", [value] * 5, dataset=dataset)
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
        for one in records:
            one["trial"]["dataset"]["notes"] = [note] if note else []
        return records

    board = make_board([*on("a", 0.7, "near-null: hardly any effect"), *on("b", 0.3)])
    assert board.headline.startswith("Suspect: mlp is better on a control")
    assert re.search(r"(?m)^mlp +▼ ", render_summary(board))


def test_a_row_without_a_score_has_no_mark():
    records = networks("own-share", FLOOR, role="floor") + networks("mlp", [0.7] * 5)
    records += [
        record("crash", seed=seed, status="failed", stage="fit", message="no") for seed in range(5)
    ]
    text = render_summary(make_board(records))
    assert re.search(r"(?m)^crash +-$", text)


def test_lines_of_a_text_are_counted_as_a_terminal_shows_them(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert [lines_of(text) for text in ("", "a", "a" * 80, "a" * 81, "a\nb")] == [0, 1, 1, 2, 2]
