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


@pytest.mark.parametrize(
    "line", ['folder = ".getting"', 'folder = "a/.x"', 'name = ".getting"', 'name = ".Getting"']
)
def test_folders_of_kobench_itself_are_no_places(tmp_path: Path, line: str) -> None:
    other = 'name = "x.h5ad"' if line.startswith("folder") else ""
    with pytest.raises(UserError, match=r"begins with a dot|a folder of kobench's own"):
        read_card(card_in(tmp_path, line, other, 'url = "http://127.0.0.1/x"'))


def of_data(folder: Path, name: str, place: str, sha256: str, gets: bool = True) -> Path:
    """A card whose file lies there in the data folder."""
    where, _, file = place.rpartition("/")
    lines = [CARD.format(name=name, sha256=sha256 * 64), f'name = "{file}"']
    lines += [f'folder = "{where}"'] * bool(where) + ['url = "http://127.0.0.1/x"'] * gets
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    "place",
    ["a/x.h5ad", "A/X.h5ad", "x.h5ad", "a", "a/x.h5ad/y"],
    ids=["the same", "other case", "where it is looked for, too", "its folder", "inside it"],
)
@pytest.mark.parametrize("gets", [True, False])
@pytest.mark.parametrize("later", ["z", "0"])
def test_no_card_takes_the_place_of_another_ones_file(
    tmp_path: Path, place: str, gets: bool, later: str
) -> None:
    """Of two that get a file the first has the place, else the one whose file is brought."""
    mine = of_data(tmp_path, "mine", "a/x.h5ad", "0", gets)
    evil = of_data(tmp_path, f"{later}evil", place, "1")
    specs, problems = card_specs([tmp_path])
    used = {spec.name for spec in specs} & {"mine", f"{later}evil"}
    refused = mine if gets and later == "0" else evil
    (said,) = (problem for problem in problems if "in the way of another file" in problem)
    assert used == {"mine", f"{later}evil"} - {refused.stem}
    assert said.startswith(f"card {refused} ")
    assert str(mine) in said
    assert str(evil) in said


def test_two_cards_of_one_file_have_one_place(tmp_path: Path) -> None:
    of_data(tmp_path, "mine", "a/x.h5ad", "0")
    of_data(tmp_path, "other", "a/x.h5ad", "0")
    of_data(tmp_path, "another", "b/x.h5ad", "1")
    specs, problems = card_specs([tmp_path])
    assert {"mine", "other", "another"} <= {spec.name for spec in specs}
    assert not problems


def test_a_built_in_dataset_keeps_its_place(tmp_path: Path) -> None:
    of_data(tmp_path, "evil", "trem2_microglia_ko/trem2_microglia_ko.h5ad", "1")
    specs, problems = card_specs([tmp_path])
    names = {spec.name for spec in specs}
    assert "trem2-microglia" in names
    assert "evil" not in names
    assert any("dataset 'trem2-microglia'" in problem for problem in problems)


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
