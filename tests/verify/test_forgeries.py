"""Forged boards: each ends in a line that names the row and the reason, and loses its score.

They are made of published records. What follows from a number is forged with it or not, as it says;
those that only the answers can tell are in test_rescored.py.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from command import kobench

from kobench.errors import INCONSISTENT
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.verify.consistent import check_consistent, without
from kobench.verify.known import Known

BOARDS = Path(__file__).parents[2] / "leaderboards"
PUBLISHED = sorted(path.parent.name for path in BOARDS.glob("*/records.jsonl.gz"))

#: Names of the rows that are forged, by board.
ROW = {"crispr": "covariance-shift", "quick": "gbm"}


@pytest.fixture(scope="module")
def known():
    return Known(load_registry())


@pytest.fixture(scope="module")
def boards():
    """The documents of the records of two boards."""
    found = {}
    for name in ROW:
        with gzip.open(BOARDS / name / "records.jsonl.gz", "rt") as file:
            found[name] = file.read().splitlines()
    return found


def packed(folder, lines):
    """A published folder of these records."""
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / "records.jsonl.gz", "wt") as file:
        file.writelines(f"{line}\n" for line in lines)
    return folder


def of(documents, name, task=None, role="predictor"):
    """The records of one row that have a task's scores."""
    found = [
        one
        for one in documents
        if one["role"] == role
        and one["trial"]["predictor"]["name"].endswith(name)
        and (task is None or task in one["result"]["scores"])
    ]
    assert found
    return found


def metric_of(document, task, metric):
    return document["result"]["scores"][task]["metrics"][metric]


def set_value(value, task="response@2", metric="pearson-delta-centred", draws=False):
    """Write over a score, and its draws by as much where wanted."""

    def forge(documents, name):
        one = metric_of(of(documents, name, task)[0], task, metric)
        by, one["value"] = value - one["value"], value
        if draws:
            one["draws"] = [draw + by for draw in one["draws"]]

    return forge


def change(role, task, function):
    """Change the first record of the row, or of a floor, that has a task's scores."""

    def forge(documents, name):
        function(of(documents, name if role == "predictor" else "", task, role)[0])

    return forge


def everywhere(function):
    """Change every record of the row."""

    def forge(documents, name):
        for one in of(documents, name):
            function(one)

    return forge


def put(*path_and_value):
    """Write over one place of a record."""
    *path, last, value = path_and_value

    def function(document):
        for key in path:
            document = document[key]
        document[last] = value

    return function


def best_floor_deleted(documents, name):
    documents[:] = [
        one
        for one in documents
        if one["role"] != "floor" or one["trial"]["predictor"]["name"] != "presence-contrast"
    ]


def wholly_forged(documents, name):
    for one in of(documents, name):
        one["keys"]["fit"] = "0" * 64
        one["trial"]["predictor"].update(digest="0" * 64, name="miracle", selection="miracle")


def network_dropped(documents, name):
    documents[:] = [
        one for one in documents if "secret-1" not in one["trial"]["dataset"]["selection"]
    ]


def two_codes(documents, name):
    of(documents, name, "keystone@1")[0]["trial"]["predictor"]["digest"] = "0123456789abcdef" * 4


def answers_gone(document):
    document["result"]["answers"] = {}


def p_written_over(document):
    metric_of(document, "response@2", "pearson-delta-centred")["permuted"]["p"] = 0.001


SCORES = ("result", "scores")
RESPONSE = (*SCORES, "response@2")
CENTRED = (*RESPONSE, "metrics", "pearson-delta-centred")
PROFILE = (*SCORES, "profile@2")
BRAY = (*PROFILE, "metrics", "bray-curtis")

#: Name -> board, forgery, what the line says. The first ones are of the list of those that passed.
FORGERIES = {
    "a value raised": ("crispr", set_value(0.9), "bootstrap draws are"),
    "value and draws raised": (
        "crispr",
        set_value(0.9, draws=True),
        "of its permuted answers are as good",
    ),
    "a correlation of 7": ("quick", set_value(7.0), "outside of its range, -1 to 1"),
    "a distance of -5": (
        "quick",
        set_value(-5.0, "profile@2", "bray-curtis"),
        "outside of its range, 0 to 1",
    ),
    "a method renamed": (
        "quick",
        everywhere(put("trial", "predictor", "name", "marvel")),
        "brings no 'marvel'",
    ),
    "a stranger called kobench's": (
        "crispr",
        lambda documents, name: put("trial", "predictor", "distribution", "kobench")(
            of(documents, "cipher")[0]
        ),
        "which brings no 'cipher'",
    ),
    "the best floor deleted": ("quick", best_floor_deleted, "presence-contrast"),
    "a method of zeros": ("quick", wholly_forged, "expected a sha256"),
    "no answers": ("quick", everywhere(answers_gone), "no answers to"),
    "a network dropped for everybody": ("quick", network_dropped, "Networks may have been chosen"),
    "another dataset version": (
        "quick",
        change("predictor", "profile@2", put("trial", "dataset", "version", "0.1.0/9")),
        "its dataset has version 0.1.0/9, that of the floors",
    ),
    "other cells": (
        "quick",
        change("predictor", "profile@2", put("trial", "dataset", "digest", "fedcba9876543210" * 4)),
        "its cells have the digest fedcba9876543210, those of the floors",
    ),
    "two versions mixed": ("quick", two_codes, "is made of 2 versions of its code"),
    "metric version 77": (
        "quick",
        change("predictor", "profile@2", put(*BRAY, "version", 77)),
        "has version 77",
    ),
    "3 answered at coverage 1": (
        "quick",
        change("predictor", "response@2", put(*RESPONSE, "answered", 3)),
        "has coverage 1, and answered 3 of",
    ),
    "no code": (
        "quick",
        change("predictor", None, put("trial", "predictor", "digest", "0" * 64)),
        "its code has the digest '00000000000000000000', expected a hash",
    ),
    "kobench of tomorrow": (
        "quick",
        change("predictor", None, put("run", "kobench", "99.0")),
        "which is newer than",
    ),
    "no sandbox": (
        "quick",
        change("predictor", None, lambda one: one["run"].pop("sandbox")),
        "says nothing of the sandbox",
    ),
    # ten more
    "the other end is better": (
        "quick",
        change("predictor", "profile@2", put(*BRAY, "direction", "higher")),
        "is better when higher, expected lower",
    ),
    "a smaller range": (
        "quick",
        change("predictor", "response@2", put(*CENTRED, "high", 0.5)),
        "has the range -1 to 0.5, expected -1 to 1",
    ),
    "the truth is worth less": (
        "quick",
        change("predictor", "response@2", put(*CENTRED, "best", 0.5)),
        "is 0.5 for the truth, expected 1",
    ),
    "units not of the value": (
        "quick",
        set_value(0.95),
        "the mean of its",
    ),
    "p written over": ("crispr", change("predictor", "response@2", p_written_over), "has p 0.001"),
    "fewer units asked": (
        "quick",
        change(
            "predictor",
            "response@2",
            lambda one: one["result"]["scores"]["response@2"].update(asked=5, answered=5),
        ),
        "was asked 5 units",
    ),
    "a task of tomorrow": (
        "quick",
        change("predictor", "response@2", put(*RESPONSE, "version", 9)),
        "the task has version 9, expected 1 to",
    ),
    "begun before kobench": (
        "quick",
        change("predictor", None, put("run", "started", "1999-01-01T00:00:00+00:00")),
        "it started at 1999",
    ),
    "a sandbox without layers": (
        "quick",
        change("predictor", None, put("run", "sandbox", "layers", {})),
        "its sandbox has no layers",
    ),
    "a reason beside a value": (
        "quick",
        change("predictor", "profile@2", put(*BRAY, "missing", "none")),
        "has a value and a reason why there is none",
    ),
    "a ceiling out of its draws": (
        "crispr",
        change(
            "predictor",
            "response@2",
            lambda one: metric_of(one, "response@2", "pearson-delta-centred")["ceiling"].update(
                value=0.2
            ),
        ),
        "the ceiling is 0.2, and its",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_named_and_loses_its_score(name, boards, known, tmp_path):
    board, forge, said = FORGERIES[name]
    documents = [json.loads(line) for line in boards[board]]
    forge(documents, ROW[board])
    records = list(read_records(packed(tmp_path / "board", map(json.dumps, documents))))
    findings = check_consistent(records, known)
    named = [finding for finding in findings if said in str(finding)]
    assert named, sorted({str(finding) for finding in findings})[:5]
    for record, shown in zip(records, without(records, findings), strict=True):
        if any(finding.record is record for finding in findings):
            assert shown.result.status == INCONSISTENT
            assert not shown.result.scores
        else:
            assert shown is record


@pytest.mark.parametrize("board", PUBLISHED)
def test_published_boards_contradict_nothing(board, known):
    assert [
        str(found) for found in check_consistent(list(read_records(BOARDS / board)), known)
    ] == []


def test_a_floor_that_contradicts_itself_does_not_lower_the_bar(boards, known, tmp_path):
    """Who spoils the best floor has not beaten it: nothing is compared without it."""
    documents = [json.loads(line) for line in boards["quick"]]
    for one in of(documents, "presence-contrast", "keystone@1", role="floor"):
        metric_of(one, "keystone@1", "spearman")["value"] = 7.0
    folder = packed(tmp_path / "board", map(json.dumps, documents))
    for name in ("secret-seed.txt", "secret-seed.sha256"):
        (folder / name).write_bytes((BOARDS / "quick" / name).read_bytes())
    done = kobench("board", folder, "-t", "keystone", "--format", "csv", code=1)
    assert "presence-contrast" in done.stderr
    assert "outside of its range" in done.stderr
    ranks = [line.split(",") for line in done.stdout.splitlines()]
    place = ranks[0].index("rank_low")
    assert {row[place] for row in ranks[1:]} == {""}


def test_verify_says_a_line_for_each_row(boards, tmp_path):
    documents = [json.loads(line) for line in boards["quick"]]
    set_value(7.0)(documents, "gbm")
    folder = packed(tmp_path / "board", map(json.dumps, documents))
    done = kobench("verify", folder, code=1)
    lines = done.stdout.splitlines()
    assert any(line.startswith("✗ wrong: gbm on grn") for line in lines)
    assert any(line.startswith("✓ consistent: mlp on grn") for line in lines)
    assert "pearson-delta-centred the value is 7, outside of its range" in done.stdout
    assert lines[-1].startswith("66 rows: ")


def test_an_edited_record_of_a_results_folder_is_done_anew(tmp_path):
    """Its score is no longer up to date, even where nothing contradicts it."""
    out = tmp_path / "out"
    asked = ("run", "-d", "grn:genes=12,cells=60", "-p", "linear", "-t", "profile", "--out", out)
    kobench(*asked)
    (path,) = [
        path
        for path in sorted((out / "records").glob("*.json"))
        if json.loads(path.read_text())["trial"]["predictor"]["name"] == "uniform"
    ]
    honest = path.read_bytes()
    path.write_bytes(honest.replace(b'"value": 0.', b'"value": 0.0', 1))
    assert path.read_bytes() != honest
    done = kobench("board", out, code=1)
    assert "was changed after it was written" in done.stderr
    done = kobench(*asked, code=1)
    assert json.loads(path.read_text())["result"] == json.loads(honest)["result"]
