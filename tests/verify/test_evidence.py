"""Evidence beside records: boards show who looked how far, as long as the records are the same."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace

import pytest
from command import kobench
from tiny import PLUGIN

from kobench.errors import UserError
from kobench.results.evidence import (
    Evidence,
    digest_of,
    fitting,
    joined,
    place_of,
    read_evidence,
    write_evidence,
)
from kobench.results.records import read_records, write_record

TINY = "grn:genes=12,cells=120"
SAID = (
    "--by",
    "Ann of the board",
    "--date",
    "2026-11-30",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A results folder of two secret networks, of which every row was scored again."""
    folder = tmp_path_factory.mktemp("evidence")
    asked = ("-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile", "--secret")
    kobench("run", *asked, "--networks", 2, "--out", folder)
    done = kobench("verify", folder, "--rescore", "-o", folder / "verified.json", *SAID)
    assert "Wrote" in done.stdout
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "out")


def test_tasks_that_nobody_could_score_again_have_no_level(folder):
    """What `without` names is of a row that was scored again in its other tasks."""
    path = folder / "verified.json"
    document = json.loads(path.read_text())
    for row in document["rows"]:
        row["without"] = ["profile@2"] if row["row"][1] == "good" else None
    path.write_text(json.dumps(document))
    rows = list(csv.DictReader(io.StringIO(kobench("board", folder, "--format", "csv").stdout)))
    levels = {row["predictor"]: row["verified"] for row in rows}
    assert levels["good"] == ""
    assert levels["masked-mean"] == "re-scored"


def test_every_form_of_a_board_says_who_looked(folder):
    said = "re-scored by Ann of the board on 2026-11-30 (kobench"
    for form in ("markdown", "html", "json", "latex", "terminal"):
        text = kobench("board", folder, "--format", form).stdout
        assert said in " ".join(text.split()), form
    rows = list(csv.DictReader(io.StringIO(kobench("board", folder, "--format", "csv").stdout)))
    known = {
        (row["verified"], row["verified_by"], row["verified_on"])
        for row in rows
        if row["role"] == "predictor"
    }
    assert known == {("re-scored", "Ann of the board", "2026-11-30")}
    table = kobench("board", folder, "--format", "markdown").stdout
    assert "| verified |" in table


def test_a_board_without_evidence_says_nothing_of_it(folder):
    (folder / "verified.json").unlink()
    for form in ("markdown", "html", "csv", "json", "terminal"):
        assert "verified" not in kobench("board", folder, "--format", form).stdout.casefold()


def test_evidence_goes_with_the_board_that_is_published(folder, tmp_path):
    kobench("board", folder, "--pack", tmp_path / "packed")
    before, after = read_evidence(folder), read_evidence(tmp_path / "packed")
    assert before == after != []
    table = (tmp_path / "packed" / "board.md").read_text()
    assert "re-scored by Ann of the board" in table
    kobench("board", tmp_path / "packed", "--check", tmp_path / "packed" / "board.csv")


def reseal(folder, name, change):
    """Change the first record of a row, with a new seal, as whoever runs it anew would."""
    record = next(one for one in read_records(folder) if one.trial.predictor.name == name)
    write_record(folder, change(record))


def test_evidence_lapses_with_the_records(folder, tmp_path):
    """A second more or less of a fit is other records: nobody looked at these."""
    reseal(
        folder, "good", lambda record: replace(record, run=replace(record.run, fit_seconds=77.0))
    )
    rows = list(csv.DictReader(io.StringIO(kobench("board", folder, "--format", "csv").stdout)))
    assert {row["verified"] for row in rows if row["predictor"] == "good"} == {""}
    assert {row["verified"] for row in rows if row["role"] == "line"} == {"re-scored"}
    kobench("board", folder, "--pack", tmp_path / "packed")
    kept = {one.place.row[1] for one in read_evidence(tmp_path / "packed")}
    assert "good" not in kept
    assert "uniform" in kept


def test_a_row_found_wrong_has_no_score(folder):
    """It stands where its score would."""

    def forge(record):
        scores = record.result.scores["profile@2"]
        metric = scores.metrics["bray-curtis"]
        metrics = {**scores.metrics, "bray-curtis": replace(metric, value=metric.value / 2)}
        scored = {"profile@2": replace(scores, metrics=metrics, table=None, points=None)}
        return replace(record, result=replace(record.result, scores=scored))

    reseal(folder, "good", forge)
    before = kobench("board", folder, "--format", "csv").stdout
    done = kobench("verify", folder, "--rescore", "-o", folder / "verified.json", *SAID, code=1)
    assert "✗ wrong: good on" in done.stdout
    done = kobench("board", folder, "--format", "csv", code=1)
    assert "is wrong: good on" in done.stderr
    shown = [row for row in csv.DictReader(io.StringIO(done.stdout)) if row["predictor"] == "good"]
    assert {row["status"] for row in shown} == {"wrong"}
    assert {row["value"] for row in shown} == {""}
    assert all("recorded" in row["reason"] for row in shown)
    assert all("found by Ann of the board on 2026-11-30" in row["reason"] for row in shown)
    then = [row for row in csv.DictReader(io.StringIO(before)) if row["predictor"] == "good"]
    assert all(row["value"] for row in then if row["primary"] == "true")


def test_a_row_without_answers_is_unverifiable(folder):
    shutil.rmtree(folder / "answers")
    assert kobench("board", folder).returncode == 0  # it was scored again while they were there
    (folder / "verified.json").unlink()
    kobench("verify", folder, "--rescore", "-o", folder / "verified.json", *SAID, code=1)
    rows = kobench("board", folder, "--format", "csv", code=1).stdout
    shown = [row for row in csv.DictReader(io.StringIO(rows)) if row["predictor"] == "good"]
    assert {row["status"] for row in shown} == {"unverifiable"}
    assert all("its answers are not there" in row["reason"] for row in shown)


def test_evidence_that_cannot_be_read_ends_in_a_sentence(folder):
    path = folder / "verified.json"
    document = json.loads(path.read_text())
    document["rows"][0]["outcome"] = "blessed"
    path.write_text(json.dumps(document))
    done = kobench("board", folder, code=2)
    assert "an outcome is 'blessed', expected one of wrong, unverifiable, re-scored" in done.stderr
    path.write_text("[]")
    assert "it has no schema 1" in kobench("board", folder, code=2).stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("-o", "verified.json", "--by", "Ann"), "-o keeps what --rescore or --rerun found"),
        (("-o", "verified.json", "--rescore"), "under the name of --by"),
        (("-o", "ann.json", "--rescore", "--by", "Ann"), "is the file verified.json"),
        (("--date", "yesterday"), "'yesterday' is no day"),
    ],
)
def test_what_is_asked_wrongly(made, flags, said):
    done = kobench("verify", made, *flags, "-p", "good", code=2)
    assert said in " ".join(done.stderr.split())


# what counts of several


@pytest.fixture(scope="module")
def records(made):
    return [one for one in read_records(made) if one.trial.predictor.name == "good"]


def evidence(records, outcome, by="Ann", reason=""):
    return Evidence(
        **{**place_of(records[0])._asdict(), "outcome": outcome, "by": by, "on": "2026-11-30"},
        **{"records": digest_of(records), "checked": 2, "of": 2, "reason": reason},
        **{"kobench": "1", "python": "3", "numpy": "2", "blas": "b"},
    )


def test_the_highest_level_counts_and_what_is_wrong_before_all(records):
    found = [evidence(records, one) for one in ("re-run", "re-scored", "unverifiable")]
    for given in (found, found[::-1]):
        assert [one.outcome for one in fitting(given, records).values()] == ["re-run"]
    found.insert(1, evidence(records, "wrong"))
    assert [one.outcome for one in fitting(found, records).values()] == ["wrong"]
    assert fitting(found, records[:1]) == {}


def test_newer_evidence_takes_the_place_of_what_is_no_higher(records):
    place = place_of(records[0])

    def after(before, now):
        return [
            (one.outcome, one.by) for one in joined(before, {place: evidence(records, now, "Bob")})
        ]

    assert after([evidence(records, "re-scored")], "re-scored") == [("re-scored", "Bob")]
    assert after([evidence(records, "re-run")], "re-scored") == [("re-run", "Ann")]
    assert after([evidence(records, "re-run")], "wrong") == [("wrong", "Bob")]
    assert after([evidence(records, "wrong")], "re-scored") == [("re-scored", "Bob")]


def test_the_same_evidence_gives_the_same_bytes(records, tmp_path):
    found = [evidence(records, "re-run"), evidence(records, "wrong", reason="it is")]
    first, second = tmp_path / "a" / "verified.json", tmp_path / "b" / "verified.json"
    for path, given in ((first, found), (second, found[::-1])):
        path.parent.mkdir()
        write_evidence(path, given)
    assert first.read_bytes() == second.read_bytes()
    assert read_evidence(tmp_path / "a") == read_evidence(tmp_path / "b")
    write_evidence(first, [])
    assert read_evidence(tmp_path / "a") == []


def test_a_seed_that_is_revealed_is_no_other_record(records):
    def revealed(record):
        dataset = record.trial.dataset
        secret = replace(dataset.secret, seed="0x0", absent=())
        return replace(record, trial=replace(record.trial, dataset=replace(dataset, secret=secret)))

    assert digest_of(map(revealed, records)) == digest_of(records)


def test_a_folder_without_evidence_has_none(tmp_path):
    assert read_evidence(tmp_path) == []
    (tmp_path / "verified.json").write_text('{"schema": 1, "rows": [{"row": 1}]}')
    with pytest.raises(UserError, match="can't be read"):
        read_evidence(tmp_path)
