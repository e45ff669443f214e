"""Published boards are what they say: their packed answers, scored here, give their numbers."""

from __future__ import annotations

import re

import pytest
from command import kobench
from places import REPOSITORY

from kobench.results.packed_answers import FILE, missing_of, read_sample
from kobench.results.records import read_records

BOARDS = REPOSITORY / "leaderboards"
PACKED = sorted(path.parent.name for path in BOARDS.glob(f"*/{FILE}"))

#: Bytes of all packed answers together.
MOST = 40_000_000


def test_packed_answers_are_not_too_large():
    assert PACKED
    assert sum((BOARDS / name / FILE).stat().st_size for name in PACKED) < MOST


@pytest.mark.parametrize("name", PACKED)
def test_packed_answers_are_those_that_all_of_them_choose(name):
    folder = BOARDS / name
    assert list(missing_of(read_records(folder), folder, read_sample(folder))) == []


@pytest.mark.parametrize(("name", "predictor"), [("planted", "linear"), ("double", "gbm")])
def test_simulated_rows_are_scored_again(name, predictor):
    done = kobench("verify", BOARDS / name, "--rescore", "-p", predictor)
    lines = [line for line in done.stdout.splitlines() if line.startswith("✓ re-scored")]
    assert lines
    assert all(re.search(rf"re-scored: {predictor} on .* \d+ of \d+ records", one) for one in lines)
