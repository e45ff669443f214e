"""The published boards are what their records give, each is a suite that comes with kobench, and
the README shows one of them.
"""

from __future__ import annotations

import gzip

import pytest
from places import REPOSITORY

from kobench.board import make
from kobench.board.explained import read_explained
from kobench.cli.suites import built_in, published_as_secret
from kobench.results.evidence import fitting, read_evidence
from kobench.results.records import read_records
from kobench.results.revealed import unfounded
from kobench.results.suite_seed import find_seed

FOLDERS = sorted(path for path in (REPOSITORY / "leaderboards").iterdir() if path.is_dir())


def test_every_published_board_is_of_a_suite():
    assert {folder.name for folder in FOLDERS} >= {"quick", "paper-grn"}
    assert {folder.name for folder in FOLDERS} <= set(built_in())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_published_boards_are_rebuilt_byte_for_byte(folder, monkeypatch):
    records = list(read_records(folder))
    chosen = {
        "explained": read_explained(folder),
        "evidence": fitting(read_evidence(folder), records),
    }
    board = make.make_board(records, **chosen)

    def made_once(given, **options):
        assert given is records
        assert options == chosen
        return board

    monkeypatch.setattr(make, "make_board", made_once)
    assert {record["result"]["status"] for record in records} <= {"ok", "unsupported", "timeout"}
    forms = {"md": "markdown", "csv": "csv", "html": "html", "tex": "latex", "json.gz": "json"}
    for ending, form in forms.items():
        name = f"board.{ending}"
        published = (folder / name).read_bytes()
        published = gzip.decompress(published) if ending.endswith("gz") else published
        assert make.check_board(records, published, form, **chosen), (
            f"{name}: make it again with `kobench board {folder} --pack` into a new folder"
        )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_boards_on_secret_seeds_reveal_them(folder):
    records = list(read_records(folder))
    secret = [record for record in records if record.trial.dataset.secret is not None]
    if not secret:
        assert find_seed(folder) is None
        # real data have no seeds
        assert not published_as_secret(folder.name)
        return
    assert published_as_secret(folder.name)
    assert all(record.trial.dataset.secret.seed is not None for record in secret)
    assert unfounded(records, find_seed(folder)) == []


def test_the_readme_shows_the_published_board():
    readme = (REPOSITORY / "README.md").read_text()
    shown = (
        readme.partition("<!-- leaderboard -->")[2].partition("<!-- /leaderboard -->")[0].strip()
    )
    assert shown
    assert (
        shown.replace("### At a glance", "## At a glance")
        in (REPOSITORY / "leaderboards" / "quick" / "board.md").read_text()
    )
