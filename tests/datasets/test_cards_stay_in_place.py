"""A card is data that may come from anyone: what it names leads out of no folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kobench.datasets.cards import card_specs, read_card
from kobench.errors import UserError

CARD = """
name = "{name}"
version = 1
summary = "cells"
loader = "h5ad"
scale = "counts"
[file]
sha256 = "{sha256}"
"""


def card_in(folder: Path, *lines: str, name: str = "mine") -> Path:
    """A card with these lines in its table [file]."""
    path = folder / "mine.toml"
    path.write_text(CARD.format(name=name, sha256="0" * 64) + "\n".join(lines) + "\n")
    return path


#: Names that leave a folder, as TOML writes them.
OUTSIDE = [
    '"../evil"',
    '"/tmp/evil"',
    '".."',
    '"."',
    '""',
    '"a/../../evil"',
    '"a\\\\..\\\\..\\\\evil"',
    '"C:evil"',
    '"nul"',
    '"CON.h5ad"',
    '"a\\u0000b"',
    '"a\\u001b[2Jb"',
    '"a\\nb"',
]


@pytest.mark.parametrize(
    ("key", "written"),
    [
        (key, written)
        for key in ("name", "folder")
        for written in OUTSIDE
        if (key, written) != ("folder", '""')  # that is the data folder itself
    ],
)
def test_a_file_or_folder_outside_is_refused(tmp_path: Path, key: str, written: str) -> None:
    other = 'name = "x.h5ad"' if key == "folder" else 'folder = "x"'
    path = card_in(tmp_path, f"{key} = {written}", other, 'url = "http://127.0.0.1/x"')
    with pytest.raises(UserError, match=rf"\[file\]: {key} is .*; give (the name|a folder)"):
        read_card(path)
    specs, problems = card_specs([tmp_path])
    assert "mine" not in {spec.name for spec in specs}
    assert any(str(path) in problem for problem in problems)


@pytest.mark.parametrize("package", ["os.path", "../x", "", "a b", "1x"])
def test_a_package_is_a_name_that_nothing_is_imported_for(tmp_path: Path, package: str) -> None:
    path = card_in(tmp_path, 'name = "x.h5ad"', f'package = "{package}"')
    with pytest.raises(UserError, match=r"package is .* no name of a package"):
        read_card(path)


@pytest.mark.parametrize("name", ["../mine", "a/b", "", "mine ", "Mine", "a\\u001b"])
def test_a_dataset_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        UserError, match=r"name is .*; give what the dataset is called: lower-case letters"
    ):
        read_card(card_in(tmp_path, 'name = "x.h5ad"', name=name))


@pytest.mark.parametrize(
    "content",
    [
        b"a = " + b"[" * 100_000,
        b"version = 1" + b"0" * 10_000,
        b"\x00\x05\x16\x07\xff",
        b"# " + b"x" * (1 << 20),
        b"",
    ],
)
def test_what_is_no_card_costs_itself_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    card_in(tmp_path, 'name = "x.h5ad"')
    specs, problems = card_specs([tmp_path])
    assert "mine" in {spec.name for spec in specs}
    assert [problem for problem in problems if "bad.toml" in problem]


def test_a_card_that_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    problems = "\n".join(card_specs([tmp_path])[1])
    for name in ("pipe", "folder", "zero"):
        assert f"{name}.toml cannot be read (is " in problems
