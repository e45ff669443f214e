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
from kobench.board.contests import Contest, contests_of
from kobench.board.headline import FLOOR as BEST
from kobench.board.headline import clause, which
from kobench.board.overview import overview_of
from kobench.board.render import render as render_board
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
    monkeypatch.setattr(command, "consistent", lambda records, *_: (records, ""))
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
        # those that are shown are those that the verdict names, and then the best
        assert {*board.leaders} <= {*found}, width
        others = [name for name in overview.predictors if name not in board.leaders]
        best = {*board.leaders, *others[: len(found) - len(board.leaders)]}
        assert found == [name for name in overview.predictors if name in best]
        assert ("(in brackets)" in text) == bool(re.search(r"\[-?\d", text))
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
        said = board.headline.partition("beat")[0]
        assert any(name in said for name in wins if wins[name] == most)
        assert wins[board.leaders[0]] == most
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
    number = r"0\.50 \[0\.\d\d, 0\.\d\d\]"
    text = render_summary(make_board(records))
    assert re.search(rf"(?m)^up +▲ +{number} +▲ +{number}$", text)
    assert re.search(r"(?m)^both +▲ .* ▼ ", text)
    assert "Two marks" not in text
    # where there is no room for a column each, a mark stands for each in their order
    text = " ".join(render_summary(make_board(records), width=45).split())
    assert re.search(rf" up ▲ ▲ {number} both ▲ ▼ ", text)
    assert "Two marks: grn genes=50, then grn genes=60." in text
    for genes in (70, 80):
        dataset = f"grn:genes={genes}"
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
        records += networks("up", [value + 0.3 for value in FLOOR], dataset=dataset)
        records += networks("both", [value - 0.3 for value in FLOOR], dataset=dataset)
    text = render_summary(make_board(records), width=60)
    assert re.search(rf"(?m)^up +▲4 {number}$", text)
    assert re.search(r"(?m)^both +▲1 ▼3$", text)
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


def test_the_questions_are_asked_in_plain_words_above_the_table():
    board = published(next(folder for folder in FOLDERS if folder.name == "crispr"))
    asked = (
        "Asked: how each gene's mean changes after a knockout (response); which knockouts change"
        " the cells most (response-size); expression of held-out wild-type cells (profile)."
    )
    text = render_summary(board)
    assert asked in " ".join(text.split())
    assert text.index("Asked:") < text.index("────")


def declaring(records, **declared):
    for one in records:
        one["trial"]["predictor"] |= declared
    return records


def test_rows_whose_scores_are_no_evidence_are_marked_and_stand_last():
    records = networks("own-share", FLOOR, role="floor")
    records += declaring(networks("grown", [0.9] * 5), developed_on=["grn"])
    records += declaring(networks("told", [0.8] * 5), equation_of=["grn"])
    records += declaring(networks("else", [0.75] * 5), developed_on=["hipsc-ko"])
    records += networks("fair", [0.7] * 5)
    board = make_board(records)
    assert overview_of(board).predictors == ("else", "fair", "grown †", "told ‡")
    assert board.headline == (
        "Simulated knockouts (knockout-impact on grn): else, fair, grown † and told ‡ beat the best"
        " floor (the best trivial answer); else: skill 0.58. † developed or tuned on these very"
        " data, ‡ given the simulator's own equation, so no evidence."
    )
    for text in (
        render_summary(board),
        render_board(board, "markdown"),
        render_board(board, "html"),
    ):
        assert "grown †" in text
        assert "told ‡" in text
        assert "<html" in text or not re.search(r"\bgrown\b(?= (?!†))", text)
    legend = " ".join(render_board(board, "terminal").split())
    assert (
        "† developed or tuned on these very data, so its scores are no evidence: grown †." in legend
    )
    assert "‡ given the simulator's own equation, so its scores are no evidence: told ‡." in legend
    assert "given the equation of grn, so its scores here" in legend


def test_older_records_of_a_method_that_is_given_the_equation_are_marked():
    records = networks("own-share", FLOOR, role="floor")
    records += declaring(networks("steady-state", [0.9] * 5), distribution="file:theirs.py")
    assert overview_of(make_board(records)).predictors == ("steady-state",)
    ours = declaring(records, distribution="kobench-baselines")
    assert overview_of(make_board(ours)).predictors == ("steady-state ‡",)


def test_the_verdict_says_how_much_better_the_best_is_and_where():
    records = []
    for dataset, shift in (("grn:genes=50", 0.3), ("grn:genes=60", -0.3)):
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
        records += networks("up", [value + shift for value in FLOOR], dataset=dataset)
    assert make_board(records).headline == (
        "Simulated knockouts (knockout-impact on grn genes=50 and grn genes=60): up beats the best"
        " floor (the best trivial answer) in 1 of 2 questions (on grn genes=50; skill 0.50); nobody"
        " on grn genes=60."
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_verdict_on_a_win_has_its_size(folder):
    for said in published(folder).headline.split(": ")[1:]:
        if " beat" in said.partition(".")[0] and "nobody beats" not in said:
            assert re.search(r"skill \d|scores \d", published(folder).headline), folder


def test_a_later_part_of_the_verdict_names_of_many_the_best_alone():
    won = dict.fromkeys("abcde", True)
    contests = [Contest("profile@2", won, place="grn", skills={"e": 0.4, "a": 0.3})]
    assert clause(contests, 0, BEST)[0] == f"e, a, b and 2 more beat {BEST}; e: skill 0.40"
    assert clause(contests, 0, "it") == ("e and 4 more beat it; e: skill 0.40", ["e"])
    del won["e"]
    assert clause(contests, 0, "it")[0].startswith("a, b, c and d beat it")


def test_a_place_that_some_questions_share_is_said_once():
    asked = [Contest(task, {}, place=place) for task, place in ("ra", "sa", "rb")]
    assert which(asked[:2], asked) == "in r and s on a"
    assert which(asked[1:], asked) == "in s on a and r on b"


@pytest.mark.parametrize("name", ["flagship", "grn"])
def test_a_screen_that_is_too_short_still_shows_all_whom_the_verdict_names(name):
    board = published(next(folder for folder in FOLDERS if folder.name == name))
    text = render_summary(board, width=80, lines=1)
    assert {*board.leaders} <= {*named_in(text, overview_of(board))}
    assert "▼ worse (-v says more)" in text
    assert "Two marks" not in text
    assert re.search(r"(?m)^not shown at this width: numbers, ", text)


def test_an_unfinished_run_says_how_far_it_is():
    planned = {
        "networks": {"first": 0, "count": 5},
        "splits": {"first": 0, "count": 1},
        "fit_seeds": 1,
    }
    records = networks("mlp", [0.7, 0.6]) + networks("linear", [0.6])
    for one in records:
        one["run"]["planned"] = planned
    said = make_board(records).headline
    assert said == (
        "Nobody is ranked here yet: 3 of at least 10 trials are done; the same `kobench run` again,"
        " into the same folder, does the others."
    )
    for one in records:
        del one["run"]["planned"]
    assert make_board(records).headline == "Nobody is ranked here."
