"""`kobench datasets verify`, and what other commands say of a file that nobody has opened."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import kobench
from file_server import FileServer, serving
from public_layout import card_of, screen

from kobench.cli.verify import write
from kobench.datasets import cards
from kobench.datasets.content import content_of_file
from kobench.datasets.opened import NOT_OPENED
from kobench.datasets.room import hardly_fits


class Folder:
    """A folder of cards, with the screen of the card `mine` in a data folder."""

    def __init__(self, folder: Path) -> None:
        self.card, self.file = folder / "cards" / "mine.toml", folder / "data" / "screen.h5ad"
        self.card.parent.mkdir()
        self.file.parent.mkdir()
        self.variables = {**os.environ, "KOBENCH_DATA": str(self.file.parent)}

    def bring(self, *lines: str, parameters: str = "", facts: str = "", **more: Any) -> None:
        """Write the screen and its card."""
        screen(**more).write_h5ad(self.file)
        checksum = hashlib.md5(self.file.read_bytes()).hexdigest()
        text = card_of(self.file, checksum, *lines, parameters=parameters, facts=facts)
        self.card.write_text(text)

    def kobench(self, *words: object, code: int = 0) -> Any:
        return kobench(*words, "--datasets", self.card.parent, code=code, env=self.variables)

    def verify(self, *words: object, code: int = 0) -> str:
        done = self.kobench("datasets", "verify", "mine", *words, code=code)
        return f"{done.stdout}{done.stderr}"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_true_card_is_marked_with_what_was_found(folder: Folder) -> None:
    folder.bring(facts="cells = 280")
    said = folder.verify()
    assert f"{folder.file}: {folder.file.stat().st_size:,} bytes" in said
    assert "askable       4 of 4 perturbations" in said
    assert f"Nothing differs. Wrote opened = true and what was found to {folder.card}." in said
    card = tomllib.loads(folder.card.read_text())
    assert card["opened"] is True
    assert card["file"]["content"] == content_of_file(folder.file)
    assert card["facts"] == {
        "cells": 280,
        "genes": 16,
        "control": 120,
        "perturbed": 160,
        "perturbations": 4,
        "targets_measured": 4,
        "zeros": card["facts"]["zeros"],
        "askable": 4,
    }
    assert "was opened" in folder.verify()


@pytest.mark.parametrize(
    ("bring", "said"),
    [
        ({"lines": ['kind = "overexpression"']}, "kind = overexpression, and of 3 measured"),
        ({"kind": "overexpression"}, "kind = knockout, and of 3 measured targets 0 fell"),
        ({"lines": ['organism = "mouse"']}, "genes are written as in human"),
        ({"facts": "cells = 281"}, "the card says cells = 281, and 280 were found"),
        ({"parameters": 'control = "NT"'}, "no cell has 'NT'"),
        ({"parameters": 'cell_type_key = "kind_of_cell"'}, "obs has no column 'kind_of_cell'"),
        ({"parameters": "raw = true"}, ".raw"),
        ({"targets": ()}, "no cell of the file is perturbed"),
        ({"targets": ("sg1", "sg2")}, "none of the perturbed genes is among the genes"),
        ({"facts": 'cells = "a\\u001b[2J"'}, "cells = a\\x1b[2J"),
    ],
    ids=str,
)
def test_what_differs_is_named_and_nothing_is_written(
    folder: Folder, bring: dict[str, Any], said: str
) -> None:
    folder.bring(*bring.pop("lines", ()), **bring)
    before = folder.card.read_bytes()
    found = folder.verify(code=1)
    assert said in found.replace("\n  ", " ")
    assert "differs: " in found
    assert "Traceback" not in found
    assert folder.card.read_bytes() == before


def test_another_file_is_not_opened(folder: Folder) -> None:
    folder.bring()
    screen(seed=8).write_h5ad(folder.file)
    found = folder.verify(code=1)
    assert "has md5" in found
    assert "askable" not in found


@pytest.fixture
def away(folder: Folder) -> Iterator[tuple[FileServer, str]]:
    """A server that has the file of the card, which is not here; and its path there."""
    folder.bring()
    place = f"/127.0.0.1:1/{folder.file.name}"
    folder.variables |= {"no_proxy": "127.0.0.1", "XDG_CACHE_HOME": str(folder.file.parent)}
    with serving({place: folder.file.read_bytes()}) as server:
        folder.file.unlink()
        folder.variables["KOBENCH_MIRROR"] = server.url
        yield server, place


def test_a_file_that_is_not_here_is_got(folder: Folder, away: tuple[FileServer, str]) -> None:
    said = folder.verify()
    assert "To get: 1 of 1 datasets" in said
    assert "Wrote opened = true" in said
    assert tomllib.loads(folder.card.read_text())["opened"] is True
    assert folder.file.is_file()


@pytest.mark.parametrize("fault", ["other", "gone", "page", "cut 100"])
def test_what_can_not_be_got_is_said_and_nothing_is_written(
    folder: Folder, away: tuple[FileServer, str], fault: str
) -> None:
    server, place = away
    before = folder.card.read_bytes()
    if fault == "other":
        server.files[place] = b"\x89HDF\r\n\x1a\n" + b"x" * 1000
    elif fault == "gone":
        del server.files[place]
    else:
        server.faults[place] = [fault] * 20
    said = folder.verify(code=1)  # as of `get`
    assert "screen.h5ad" in said
    assert "askable" not in said
    assert folder.card.read_bytes() == before
    assert not folder.file.exists()


def test_all_means_all_that_somebody_has_opened(
    folder: Folder, away: tuple[FileServer, str]
) -> None:
    said = folder.kobench("datasets", "get", "--all", "--dry-run").stdout
    assert "hipsc-ko" in said
    assert "mine" not in said.split()
    named = folder.kobench("datasets", "get", "mine", "--dry-run").stdout
    assert "mine" in named.split()


def test_a_size_that_hardly_fits_is_said_before_anything_is_got() -> None:
    done = kobench("datasets", "get", "vcc2025-h1", "--dry-run")
    assert "15.5 GB" in done.stdout
    if hardly_fits({"file": {"bytes": 15_482_497_461}}):
        assert "vcc2025-h1: mind that the file has 14,765 MB and there are" in done.stdout


def test_a_check_writes_nothing(folder: Folder) -> None:
    folder.bring()
    before = folder.card.read_bytes()
    assert "Nothing was written: --check." in folder.verify("--check")
    assert folder.card.read_bytes() == before


def test_what_is_no_file_of_a_card_is_refused() -> None:
    done = kobench("datasets", "verify", "grn", code=2)
    assert "is made by code, not read from the file of a card" in done.stdout + done.stderr


@pytest.mark.parametrize("installed", [False, True])
def test_the_files_of_an_installed_kobench_are_not_changed(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    own = tmp_path / ("cards" if installed else "datasets")
    monkeypatch.setattr(cards, "builtin_folder", lambda: own)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder.bring()
    own.mkdir(exist_ok=True)
    card = own / "mine.toml"
    card.write_bytes(folder.card.read_bytes())
    before = card.read_bytes()
    write(dict(cards.read_card(card).card), folder.file, {"cells": 280})
    assert (card.read_bytes() == before) == installed
    copy = cards.user_folder() / "mine.toml"
    assert copy.exists() == installed
    if installed:
        assert tomllib.loads(copy.read_text())["opened"] is True


def test_lists_info_and_runs_say_that_nobody_has_opened_it(folder: Folder, tmp_path: Path) -> None:
    folder.bring()
    short = folder.kobench("list").stdout
    assert "that nobody has opened yet: kobench list datasets" in short
    assert "  mine" not in short
    long = folder.kobench("list", "datasets").stdout
    assert long.index("nobody has opened yet") < long.index("  mine")
    rows = json.loads(folder.kobench("list", "datasets", "--json").stdout)["datasets"]
    opened = {row["name"]: row["opened"] for row in rows}
    assert not opened["mine"]
    assert opened["hipsc-ko"]
    assert NOT_OPENED in folder.kobench("info", "mine").stdout
    run = ("run", "-d", "mine", "-p", "masked-mean", "-t", "profile", "--out", tmp_path / "out")
    done = folder.kobench(*run)
    assert f"Dataset mine: {NOT_OPENED}; `kobench datasets verify mine` looks." in done.stderr
    (record, *_) = (tmp_path / "out" / "records").glob("*.json")
    assert NOT_OPENED in record.read_text()

    asked = ("predict", "mine", "-p", "linear", "--what", "keystone", "--events", 200)
    done = folder.kobench(*asked, "-o", tmp_path / "answers.csv")
    assert f"Dataset mine: {NOT_OPENED}" in done.stderr

    folder.verify()
    assert "  mine" in folder.kobench("list").stdout
    assert NOT_OPENED not in folder.kobench("info", "mine").stdout
    done = folder.kobench(*run, "--fresh")
    assert "nobody has opened" not in done.stdout + done.stderr
