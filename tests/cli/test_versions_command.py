"""`kobench versions`, and what `kobench board` makes of a folder with older versions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import kobench
from places import PREDICTORS
from tiny import TINY

from kobench.results.records import read_records
from kobench.results.versions import older_files, read_older


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder of a run before and after the code of its predictor was changed."""
    home = tmp_path_factory.mktemp("versions")
    for code in ("", "# changed\n"):
        (home / "mine.py").write_text(PREDICTORS.read_text() + code)
        words = ("-d", TINY, "-t", "profile", "-p", "good", "--plugin", home / "mine.py")
        kobench("run", *words, "--out", home / "out")
    return home / "out"


@pytest.fixture
def folder(made, tmp_path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "out"))


def newest_code(folder) -> str:
    (code,) = {
        one.trial.predictor.digest for one in read_records(folder) if one.role == "predictor"
    }
    return code[:12]


def older_code(folder) -> str:
    (code,) = {one.trial.predictor.digest for _, one in read_older(folder)}
    return code[:12]


def test_versions_are_listed_and_the_older_ones_removed(folder):
    listed = json.loads(kobench("versions", "out", "--json", cwd=folder.parent).stdout)
    codes = [(one["method"], one["code"], one["kept"]) for one in listed]
    assert ("good", older_code(folder), "older") in codes
    assert ("good", newest_code(folder), "newest") in codes
    text = kobench("versions", "out", cwd=folder.parent).stdout
    assert text.count("good: code") == 2
    assert "uniform" not in text  # has one version
    wrong = kobench("versions", "out", "--remove", newest_code(folder), cwd=folder.parent, code=2)
    assert "no older results of code" in wrong.stderr
    assert older_files(folder)
    shown = list(read_records(folder))
    kobench("versions", "out", "--remove", older_code(folder)[:6], cwd=folder.parent)
    assert older_files(folder) == []
    assert not (folder / "older").exists()
    assert list(read_records(folder)) == shown
    assert "No results of older versions" in kobench("versions", "out", cwd=folder.parent).stdout


def test_a_board_shows_one_version_and_all_when_asked(folder):
    board = kobench("board", "out", "--format", "markdown", cwd=folder.parent).stdout
    assert "Older version kept" in board
    assert board.count("good (code") == 1
    both = kobench("board", "out", "--older", "--format", "markdown", cwd=folder.parent).stdout
    assert f"good (code {older_code(folder)}) | 0." in both
    assert "Older version kept" not in both


def test_what_is_packed_is_one_version_and_says_which(folder):
    done = kobench("board", "out", "--pack", "packed", cwd=folder.parent)
    said = f"is published by its newest version (code {newest_code(folder)}), and not by an older"
    assert said in done.stdout.replace("\n", " ")
    packed = list(read_records(folder.parent / "packed"))
    codes = {one.trial.predictor.digest for one in packed if one.role == "predictor"}
    assert {code[:12] for code in codes} == {newest_code(folder)}
    kobench("board", "packed", "--check", "packed/board.md", cwd=folder.parent)
    assert list(read_older(folder))
    kobench("board", "out", "--pack", "again", "--older", cwd=folder.parent, code=2)
