"""`kobench show`: why a trial failed, what it scored worst, and the line that asks it again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from command import kobench
from places import REPOSITORY
from planted_bug import PLANTED, TINY

from kobench.cli.run import run_command
from kobench.results.parts import Record
from kobench.results.records import identity, read_records
from kobench.show.facts import facts
from kobench.show.text import outcome_of, show


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plugin file, and results of two networks in `my results`."""
    folder = tmp_path_factory.mktemp("show it")
    (folder / "mine.py").write_text(PLANTED)
    asked = ("-d", TINY, "--plugin", "mine.py", "-p", "mine", "-p", "mine:wrong=true")
    asked = (*asked, "-t", "response", "-t", "response-size", "--networks", 2, "--secret")
    kobench("run", *asked, "--out", "my results", cwd=folder, code=1)
    return folder


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 100 columns, wherever the tests are run."""
    monkeypatch.setenv("COLUMNS", "100")


def shown(made: Path, *words: object, code: int = 0) -> list[str]:
    """The lines that `kobench show` prints."""
    return kobench("show", *words, cwd=made, code=code).stdout.splitlines()


def records(folder: Path) -> dict[str, Record]:
    """The records of the predictor by their own names."""
    found = read_records(folder)
    return {identity(one.trial): one for one in found if one.role == "predictor"}


def repeated(made: Path, line: str) -> Record:
    """What the line to copy gives, with what a shell makes of it."""
    seed = (made / "my results" / "secret-seed.txt").read_text()
    line = line.replace("$(cat 'my results/secret-seed.txt')", seed)
    kobench(*shlex.split(line)[1:], cwd=made, code=None)
    (record,) = records(made / shlex.split(line)[-1]).values()
    return record


def test_a_bug_is_found_on_one_screen(made: Path) -> None:
    every = shown(made, "mine:wrong=true", "my results")
    assert every[0].startswith("2 trials fit.")
    assert "failed in response: ValueError: operands" in every[2]
    name = every[2].split()[0]
    lines = shown(made, name, "my results")
    assert sum(-(-len(line) // 100) for line in lines) <= 24
    assert all(len(line) <= 100 for line in lines[:-1])
    assert lines[0].startswith("mine:wrong=true on grn:cells=120,genes=12,seed=secret-0, holdout")
    assert lines[1].startswith("failed in response: ValueError: operands could not be")
    place = PLANTED[: PLANTED.index("return one + other")].count("\n") + 1
    assert f"  mine.py:{place} in inner: return one + other" in lines
    assert any(line.startswith("the end of what it printed: the last ") for line in lines)
    assert "  fitted 39 \\x1b[31m" in lines
    assert any(line.startswith("used: ") and " of 3,600 s; " in line for line in lines)
    assert any(line.startswith("sandbox: auto, ") for line in lines)
    assert any("kobench 0.1.0, Python 3." in line for line in lines)
    whole = shown(made, name, "my results", "-v")
    assert len(whole) > 30
    assert "the end of what it printed" in whole


@pytest.mark.parametrize("row", ["mine", "mine:wrong=true"])
def test_the_line_to_copy_repeats_just_that_question(made: Path, row: str) -> None:
    for name, record in records(made / "my results").items():
        if record.trial.predictor.selection == row:
            again = repeated(made, shown(made, name[:8], "my results", "-t", "response")[-1])
            assert again.trial.dataset == record.trial.dataset
            assert again.result.status == record.result.status
            assert again.result.message == record.result.message
            for label, scores in again.result.scores.items():
                known = record.result.scores[label].metrics
                assert {n: m.value for n, m in scores.metrics.items()} == {
                    n: m.value for n, m in known.items()
                }
            assert set(again.result.scores) <= {"response@2"}


def test_single_perturbations_are_sorted_and_the_record_that_has_them_is_named(made: Path) -> None:
    names = [
        name
        for name, record in records(made / "my results").items()
        if record.trial.predictor.selection == "mine"
    ]
    both = [shown(made, name, "my results", "-t", "response", "-v") for name in names]
    (table,) = [lines for lines in both if any(" by perturbation, worst " in one for one in lines)]
    (other,) = [lines for lines in both if lines is not table]
    start = next(place for place, line in enumerate(table) if " by perturbation" in line)
    assert "response@2 by perturbation, worst pearson-delta-centred first" in table[start]
    values = [line.split()[1] for line in table[start + 2 : start + 12]]
    known = [float(value) for value in values if value != "-"]
    assert known == sorted(known)
    assert "-" not in values[: len(known)]
    kept = table[0].rpartition("record ")[2].rstrip(")")
    assert f"single perturbations or genes: none kept here, in record {kept} they are" in other


def test_json_has_everything(made: Path) -> None:
    found = json.loads(kobench("show", "mine", "my results", "--json", cwd=made).stdout)
    assert len(found) == 2
    one = next(each for each in found if each["tasks"]["response@2"]["units"])
    assert one["status"] == "ok"
    assert one["sandbox"]["mode"] == "auto"
    assert one["limits"]["seconds"] == 3600
    assert one["versions"]["predictor"]["distribution"] == "file:mine.py"
    rows = one["tasks"]["response@2"]["units"]["rows"]
    known = [row[1] for row in rows if row[1] is not None]
    assert [row[1] for row in rows] == [*sorted(known), *[None] * (len(rows) - len(known))]
    assert len(one["output"]) > 24


def test_mistakes_are_a_sentence(made: Path) -> None:
    for words, said in (
        (("nobody", "my results"), "no record is of 'nobody'; rows: "),
        (("mine", "my results", "-d", "pbmc"), "there are those on grn:"),
        (("mine", "."), "there are no records in ."),
        (("mine", "nowhere"), "'nowhere' does not exist"),
    ):
        assert said in kobench("show", *words, cwd=made, code=2).stderr


BOARDS = sorted(path.parent for path in (REPOSITORY / "leaderboards").glob("*/records.jsonl.gz"))


@pytest.mark.parametrize("folder", BOARDS, ids=lambda path: path.name)
def test_published_boards_are_shown(folder: Path) -> None:
    """One trial of each kind: on a screen, and with a line that the command takes."""
    every = list(read_records(folder))
    kinds = {(one.role, one.result.status, bool(one.result.scores)): one for one in every}
    for record in kinds.values():
        lines = show(facts(record, folder, "", every), 100)
        assert sum(-(-len(line) // 100) for line in lines) <= 24, lines
        assert all(len(line) <= 100 for line in lines[:-1])
        line = lines[-1].replace("$(cat ", "").replace(")", "")
        run_command.make_context("run", shlex.split(line)[2:])


def test_a_published_trial_is_found_by_its_row() -> None:
    folder = min(BOARDS, key=lambda place: (place / "records.jsonl.gz").stat().st_size)
    row = next(one.trial.predictor.selection for one in read_records(folder))
    assert "trials fit" in kobench("show", row, folder).stdout.splitlines()[0]


def test_reasons_are_said_once_and_nothing_is_unknown() -> None:
    board = REPOSITORY / "leaderboards" / "mouse-ko"
    every = list(read_records(board))
    silent = next(one for one in every if one.result.status == "unsupported")
    lines = show(facts(silent, board), 100)
    assert "used: not measured, as it was not run in a process of its own" in lines
    assert "unknown" not in " ".join(lines)
    assert sum("can be derived" in line for line in lines) == 1
    unranked = next(
        one
        for one in every
        if one.role == "predictor" and any(about.unranked for about in one.about.tasks.values())
    )
    text = " ".join(show(facts(unranked, board), 1000))
    reasons = {about.unranked for about in unranked.about.tasks.values() if about.unranked}
    for why in reasons:
        assert text.count(f"nobody is ranked: {why}") == 1
    assert "not ranked (" in outcome_of(unranked, "")
