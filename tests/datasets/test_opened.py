"""Cards of files that nobody has opened: what is said of them, and who is believed about them."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import scipy.sparse
from public_layout import GENES, card_of, screen

from kobench.builtin.datasets.formats import bounds
from kobench.datasets import cards, room
from kobench.datasets.opened import NOT_OPENED, is_copy, is_opened, write_opened
from kobench.datasets.room import hardly_fits
from kobench.errors import UserError

FACTS = {"cells": 280, "zeros": 0.25}
CONTENT = f"sha256:{'a' * 64}"


@pytest.fixture
def builtin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as kobench's own, with the card `mine` of a screen."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "own"
    (folder / "public").mkdir(parents=True)
    monkeypatch.setattr(cards, "builtin_folder", lambda: folder)
    path = tmp_path / "screen.h5ad"
    screen().write_h5ad(path)
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path))
    checksum = hashlib.md5(path.read_bytes()).hexdigest()
    (folder / "public" / "mine.toml").write_text(card_of(path, checksum))
    return folder / "public"


def only_spec() -> Any:
    specs, problems = cards.card_specs()
    assert problems == []
    (spec,) = specs
    return spec


def test_scores_on_it_are_told(builtin: Path) -> None:
    spec = only_spec()
    assert not is_opened(spec.card)
    assert NOT_OPENED in spec.load().notes
    card = builtin / "mine.toml"
    card.write_text(card.read_text().replace("opened = false", "opened = true"))
    assert NOT_OPENED not in only_spec().load().notes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "knockout"', 'kind = "overexpression"', "as in knockdown"),
        ('organism = "human"', 'organism = "mouse"', "written as in human"),
        ("[facts]\n", "[facts]\ncells = 281\n", "cells = 281, and 280 were found"),
    ],
)
def test_a_wrong_thing_on_its_card_is_told_on_every_board(
    builtin: Path, old: str, new: str, said: str
) -> None:
    card = builtin / "mine.toml"
    card.write_text(card.read_text().replace(old, new))
    notes = only_spec().load().notes
    (note,) = (note for note in notes if note.startswith("the file differs from its card: "))
    assert said in note


def test_a_part_of_the_cells_is_not_compared_with_their_number(builtin: Path) -> None:
    card = builtin / "mine.toml"
    text = card.read_text().replace("[facts]\n", "[facts]\ncontrol = 120\n")
    card.write_text(text.replace("[parameters]\n", '[parameters]\ncell_type_key = "batch"\n'))
    notes = only_spec().load(cell_type="b1").notes
    assert not [note for note in notes if "differs" in note]


def test_what_was_found_is_written_into_the_card(builtin: Path) -> None:
    card = builtin / "mine.toml"
    before = tomllib.loads(card.read_text())
    keys = only_spec().card["digest"]
    assert write_opened(card, FACTS, CONTENT, cards.user_folder(), in_place=True) == card
    text = card.read_text()
    assert "# A comment that stays." in text
    after = tomllib.loads(text)
    assert after == {
        **before,
        "opened": True,
        "facts": FACTS,
        "file": {**before["file"], "content": CONTENT},
    }
    assert only_spec().card["digest"] == keys  # results stay results of the same data
    # once more changes nothing
    write_opened(card, FACTS, CONTENT, cards.user_folder(), in_place=True)
    assert card.read_text() == text


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("opened = false  # until somebody has\n", "opened=false\n"),
        lambda text: text.replace("[facts]\n", ""),
        lambda text: text.replace("[facts]\n", "[facts]\ncells = 1\ndonors = 2\n"),
        lambda text: text.replace("[facts]\n", "").replace("[parameters]", "facts.donors = 2\n"),
        lambda text: "facts = {donors = 2}\n" + text.replace("[facts]\n", ""),
        lambda text: text.replace('summary = "a screen"', 'summary = """\n[facts]\ncells = 9\n"""'),
        lambda text: text.replace("[file]\n", "[file]\n# [facts]\n").replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
    ],
)
def test_cards_of_any_look_are_marked_without_a_loss(
    builtin: Path, change: Callable[[str], str]
) -> None:
    card = builtin / "mine.toml"
    text = change(card.read_text())
    card.write_text(text)
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        pytest.skip("no card at all")
    write_opened(card, FACTS, CONTENT, cards.user_folder(), in_place=True)
    after = tomllib.loads(card.read_text())
    assert after["facts"] == {**before.get("facts", {}), **FACTS}
    assert after["file"]["content"] == CONTENT
    assert after["opened"] is True
    changed = ("facts", "file", "opened")
    assert {k: v for k, v in after.items() if k not in changed} == {
        k: v for k, v in before.items() if k not in changed
    }


@pytest.fixture
def copied(builtin: Path) -> Path:
    """The user's copy of the card, as `verify` writes it where kobench is installed."""
    return write_opened(builtin / "mine.toml", FACTS, CONTENT, cards.user_folder(), in_place=False)


def test_a_copy_counts_for_a_card_that_can_not_be_written(builtin: Path, copied: Path) -> None:
    assert copied == cards.user_folder() / "mine.toml"
    assert "opened = false" in (builtin / "mine.toml").read_text()
    spec = only_spec()
    assert is_opened(spec.card)
    assert spec.card["facts"] == FACTS
    assert spec.card["verified"] == str(copied)
    assert spec.card["card"] == str(builtin / "mine.toml")
    assert NOT_OPENED not in spec.load().notes


def test_a_copy_decides_nothing_of_the_cells(builtin: Path, copied: Path) -> None:
    """The digest of a content would let another file pass for this one."""
    assert "content" not in only_spec().card["file"]
    assert is_copy(copied, builtin / "mine.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "knockout"', 'kind = "knockdown"'),
        ("version = 1", "version = 2"),
        ('batch_key = "batch"', 'batch_key = "celltype"'),
        ("md5 = ", f'md5 = "{"0" * 32}" #'),
        ('name = "mine"', 'name = "mine"\nnear_null = true'),
        ("opened = true", "opened = false"),
    ],
)
def test_another_card_of_that_name_is_not_believed(
    builtin: Path, copied: Path, old: str, new: str
) -> None:
    text = copied.read_text()
    assert old in text
    copied.write_text(text.replace(old, new, 1))
    specs, (problem,) = cards.card_specs()
    assert not is_opened(specs[0].card)
    assert "two cards are called 'mine'" in problem
    if "opened" not in old:
        with pytest.raises(UserError, match="is another card than"):
            write_opened(builtin / "mine.toml", FACTS, "", cards.user_folder(), in_place=False)


def test_only_the_users_own_copy_counts(
    builtin: Path, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that somebody sends could say of any file that it was opened."""
    sent = tmp_path / "sent"
    sent.mkdir()
    copied.rename(sent / "mine.toml")
    specs, (problem,) = cards.card_specs([sent])
    assert not is_opened(specs[0].card)
    assert "two cards are called 'mine'" in problem


def test_a_copy_counts_for_a_card_of_any_folder(
    builtin: Path, copied: Path, tmp_path: Path
) -> None:
    """The user's folder is read before those that are named."""
    named = tmp_path / "named"
    named.mkdir()
    (builtin / "mine.toml").rename(named / "mine.toml")
    specs, problems = cards.card_specs([named])
    assert problems == []
    assert specs[0].card["card"] == str(named / "mine.toml")
    assert is_opened(specs[0].card)


def test_a_copy_of_an_opened_card_is_a_second_card(builtin: Path, copied: Path) -> None:
    card = builtin / "mine.toml"
    card.write_text(card.read_text().replace("opened = false", "opened = true"))
    assert "two cards are called 'mine'" in cards.card_specs()[1][0]


def test_what_can_not_be_written_is_said(builtin: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    with pytest.raises(UserError, match="what was found can't be written to"):
        write_opened(builtin / "mine.toml", FACTS, CONTENT, blocked / "x", in_place=False)


def test_a_card_whose_layer_fits_loads_however_large_the_rest_of_its_file_is(
    builtin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, data = tmp_path / "screen.h5ad", screen(genes=[*GENES, *map("G{}".format, range(3000))])
    few = data.X.toarray()
    few[:, len(GENES) :] = 0
    data.layers["few"] = scipy.sparse.csr_matrix(few)
    data.write_h5ad(path)
    card = card_of(path, hashlib.md5(path.read_bytes()).hexdigest())
    (builtin / "mine.toml").write_text(card)
    for module in (bounds, room):
        monkeypatch.setattr(module, "available_mb", lambda: 1)
    monkeypatch.setattr(bounds, "HARMLESS", 0)
    with pytest.raises(UserError, match="there are 1 MB for this process"):
        only_spec().load()
    (builtin / "mine.toml").write_text(
        card.replace("[parameters]\n", '[parameters]\nlayer = "few"\n')
    )
    assert only_spec().load().cells.n_obs == 120


def test_a_size_that_is_known_is_told_before_the_file_is_got(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kobench.datasets.room.available_mb", lambda: 1000)
    assert hardly_fits({"file": {"bytes": 1000 << 20}}) == ""
    assert hardly_fits({"file": {}}) == hardly_fits({}) == ""
    assert hardly_fits({"file": {"bytes": 15 << 30}}).startswith("the file has 15,360 MB and")
