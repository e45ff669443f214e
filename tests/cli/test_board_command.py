"""`kobench board`: every format, checks, filters and packed records."""

from __future__ import annotations

import os

import pytest
from command import kobench
from tiny import PLUGIN, TINY

from kobench.cli.board import agrees
from kobench.errors import UserError


def test_board_from_records_in_every_format(tmp_path):
    kobench("run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "--out", tmp_path / "out")
    for ending in ("md", "csv", "json", "tex", "html", "txt"):
        path = tmp_path / f"board.{ending}"
        kobench("board", tmp_path / "out", "-o", path)
        assert "good" in path.read_text()
        assert "agrees" in kobench("board", tmp_path / "out", "--check", path).stdout
    changed = tmp_path / "board.csv"
    changed.write_text(changed.read_text().replace("good", "best"))
    assert "differs" in kobench("board", tmp_path / "out", "--check", changed, code=1).stderr
    kobench("board", tmp_path / "out", "--pack", tmp_path / "published", "--no-cost")
    packed = kobench("board", tmp_path / "published", "--no-cost", "--format", "json").stdout
    assert packed == kobench("board", tmp_path / "out", "--no-cost", "--format", "json").stdout
    assert "best floor" in kobench("board", tmp_path / "out", "-t", "profile").stdout
    for text in (
        "grn:genes=12,cells=40",
        "grn[genes=12, cells=40]",
        "kobench/grn:cells=40,genes=12",
    ):
        assert "good" in kobench("board", tmp_path / "out", "-d", text).stdout
    assert (
        "no record has the dataset"
        in kobench("board", tmp_path / "out", "-d", "grn:genes=12,cells=41", code=2).stderr
    )
    assert (
        "these records have: good"
        in kobench("board", tmp_path / "out", "-p", "godo", code=2).stderr
    )


@pytest.mark.parametrize("put", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_compared_and_is_no_file_is_not_waited_for(put, tmp_path):
    put(tmp_path / "board.md")
    with pytest.raises(UserError, match=r"board\.md can't be compared \(is no file\)"):
        agrees([], tmp_path / "board.md", "markdown", tmp_path, {})
