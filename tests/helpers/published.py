"""The published boards, each made once for all tests of a process."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from places import REPOSITORY

from kobench.board.board import Board
from kobench.board.explained import read_explained
from kobench.board.make import make_board
from kobench.results.evidence import fitting, read_evidence
from kobench.results.parts import Record
from kobench.results.records import read_records

FOLDERS = sorted(path for path in (REPOSITORY / "leaderboards").iterdir() if path.is_dir())


@lru_cache(maxsize=1)
def published_records(folder: Path) -> tuple[Record, ...]:
    """The records of a published board."""
    return tuple(read_records(folder))


@cache
def published(folder: Path) -> Board:
    """A published board."""
    records = published_records(folder)
    evidence = fitting(read_evidence(folder), records)
    return make_board(records, explained=read_explained(folder), evidence=evidence)
