"""What `kobench env` takes for its own folder, and what it leaves alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kobench.environments.interpreters import _matches, find_interpreter
from kobench.environments.ours import MARK, is_ours, remove_others
from kobench.errors import UserError

ABOUT = json.dumps({"format": 1, "serial": "0123abcd", "kobench": "0.1.0"})


def complete(folder: Path, serial: str = "0123abcd") -> Path:
    """An environment as it is made."""
    (folder / serial / "bin").mkdir(parents=True)
    (folder / serial / MARK).write_text("{}\n")
    (folder / serial / "bin" / "python").write_text("")
    (folder / "environment.json").write_text(ABOUT)
    return folder


def thesis(folder: Path) -> None:
    (folder / "thesis.tex").write_text("years of work")


def folder_called_as_a_file(folder: Path) -> None:
    (folder / "seen.json").mkdir()
    thesis(folder / "seen.json")


def link_called_as_a_file(folder: Path) -> None:
    os.symlink("/etc/hosts", folder / "seen.json")


def date_with_files(folder: Path) -> None:
    (folder / "20240131").mkdir()
    thesis(folder / "20240131")


def link_called_as_a_prefix(folder: Path) -> None:
    os.symlink("/usr", folder / "89abcdef")


def prefix_moved_elsewhere(folder: Path) -> None:
    elsewhere = complete(folder.parent / "elsewhere", "fedcba98")
    os.symlink(elsewhere / "fedcba98", folder / "fedcba98")


def nothing(folder: Path) -> None:
    pass


def half_written(folder: Path) -> None:
    (folder / ".environment.json.12-34.tmp").write_text("{")
    (folder / "seen.json").write_text("{}")
    (folder / "89abcdef" / "lib").mkdir(parents=True)


@pytest.mark.parametrize(
    ("more", "ours"),
    [
        (nothing, True),
        (half_written, True),
        (thesis, False),
        (folder_called_as_a_file, False),
        (link_called_as_a_file, False),
        (date_with_files, False),
        (link_called_as_a_prefix, False),
        (prefix_moved_elsewhere, False),
    ],
)
def test_a_folder_with_anything_else_in_it_is_not_ours(
    tmp_path: Path, more: Callable[[Path], None], ours: bool
) -> None:
    folder = complete(tmp_path / "alpha")
    more(folder)
    assert is_ours(folder) == ours
    os.symlink(folder, tmp_path / "link")
    assert not is_ours(tmp_path / "link")


def test_another_programs_environment_json_alone_is_not_ours(tmp_path: Path) -> None:
    assert is_ours(tmp_path)
    file = tmp_path / "environment.json"
    for content, ours in ((ABOUT, True), ("{}", False), ("[]", False), ("{", False)):
        file.write_text(content)
        assert is_ours(tmp_path) == ours
    assert not is_ours(file)


def test_all_virtual_environments_but_one_are_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = complete(tmp_path / "alpha")
    complete(folder / "x", "aaaaaaaa")
    for serial in ("89abcdef", "01234567"):
        (folder / serial).mkdir()
        (folder / serial / MARK).write_text("{}")
    date_with_files(folder)
    prefix_moved_elsewhere(folder)
    remove_others(folder, "0123abcd")
    assert sorted(path.name for path in folder.iterdir()) == [
        "0123abcd",
        "20240131",
        "environment.json",
        "fedcba98",
        "x",
    ]
    assert (folder / "0123abcd" / "bin" / "python").exists()
    assert (folder / "fedcba98" / "bin" / "python").exists()


@pytest.mark.parametrize(
    ("version", "asked", "fits"),
    [
        ((3, 11, 4), "3.11", True),
        ((3, 11, 4), "3.11.4", True),
        ((3, 11, 4), "3.11.5", False),
        ((3, 12, 4), "3.11", False),
        ((3, 11, 4), "3.1", False),
        ((3, 1, 1), "3.11", False),
    ],
)
def test_a_version_or_its_series(version: tuple[int, ...], asked: str, fits: bool) -> None:
    assert _matches(version, asked) == fits


@pytest.mark.parametrize(
    ("version", "fits"),
    [("3.9.0", True), ("3.10.1", True), ("3.8.20", False), ("2.7.18", False)],
)
def test_an_interpreter_may_be_as_old_as_a_worker_runs_on(
    tmp_path: Path, version: str, fits: bool
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '[{version.replace('.', ', ')}]'\n")
    python.chmod(0o755)
    if fits:
        assert find_interpreter(str(python)) == (python, version)
    else:
        with pytest.raises(UserError, match=rf"is Python {version}; .* needs 3\.9 or newer"):
            find_interpreter(str(python))
