"""`kobench versions`, and what `kobench board` makes of a folder with older versions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from command import kobench
from factories import networks, read

from kobench.results.records import read_record, read_records, write_record
from kobench.results.versions import older_files, older_path, read_older

OLD, NEW = ("a" * 64, "2026-01-01T00:00:00Z"), ("b" * 64, "2026-01-02T00:00:00Z")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A results folder with one predictor in two versions, and one floor."""
    out = tmp_path / "out"
    for value, (digest, started) in ((0.9, OLD), (0.5, NEW)):
        documents = networks("mlp", [value] * 3)
        for one in documents:
            one["trial"]["predictor"]["digest"] = digest
            one["run"]["started"] = started
        for record in read(documents):
            path = write_record(out, replace(record, keys=replace(record.keys, fit=digest)))
            if (digest, started) == OLD:
                older = older_path(out, read_record(path))
                older.parent.mkdir(parents=True, exist_ok=True)
                path.rename(older)
    for record in read(networks("own-share", [0.4] * 3, role="floor")):
        write_record(out, record)
    return out


def test_versions_are_listed_and_the_older_ones_removed(folder):
    listed = json.loads(kobench("versions", "out", "--json", cwd=folder.parent).stdout)
    codes = [(one["method"], one["code"], one["kept"]) for one in listed]
    assert ("mlp", "a" * 12, "older") in codes
    assert ("mlp", "b" * 12, "newest") in codes
    text = kobench("versions", "out", cwd=folder.parent).stdout
    assert text.count("mlp: code") == 2
    assert "own-share" not in text  # has one version
    wrong = kobench("versions", "out", "--remove", "bbbb", cwd=folder.parent, code=2)
    assert "no older results of code 'bbbb'" in wrong.stderr
    assert len(older_files(folder)) == 3
    shown = list(read_records(folder))
    kobench("versions", "out", "--remove", "aaaa", cwd=folder.parent)
    assert older_files(folder) == []
    assert not (folder / "older").exists()
    assert list(read_records(folder)) == shown
    assert "No results of older versions" in kobench("versions", "out", cwd=folder.parent).stdout


def test_a_board_shows_one_version_and_all_when_asked(folder):
    board = kobench("board", "out", "--format", "markdown", cwd=folder.parent).stdout
    assert "Older version kept" in board
    assert "mlp (code aaaaaaaaaaaa) |" not in board
    both = kobench("board", "out", "--older", "--format", "markdown", cwd=folder.parent).stdout
    assert "mlp (code aaaaaaaaaaaa)" in both
    assert "Older version kept" not in both


def test_what_is_packed_is_one_version_and_says_which(folder):
    done = kobench("board", "out", "--pack", "packed", cwd=folder.parent)
    assert "mlp on grn:genes=100 is published by its newest version (code bbbbbbbbbbbb)" in (
        done.stdout.replace("\n", " ")
    )
    packed = list(read_records(folder.parent / "packed"))
    assert {one.trial.predictor.digest[0] for one in packed if one.role == "predictor"} == {"b"}
    kobench("board", "packed", "--check", "packed/board.md", cwd=folder.parent)
    assert len(list(read_older(folder))) == 3
    kobench("board", "out", "--pack", "again", "--older", cwd=folder.parent, code=2)
