"""Rows that were asked another draw of the knockouts than the floors are left out."""

from __future__ import annotations

from itertools import permutations

import pytest
from factories import record
from sections import only

from kobench.board.sections.sampled import with_equal_events
from kobench.results.records import parse_record

TASK = "knockout-impact@1"
SOME, OTHERS = {"asked": 200, "of": 1000}, {"asked": 300, "of": 1000}


def kept_and_odd(records):
    """The rows that stay, and the names of those that don't."""
    kept, odd = with_equal_events([parse_record(one, "it") for one in records], TASK)
    return {(one.role, one.trial.predictor.selection) for one in kept}, odd


@pytest.mark.parametrize(("asked", "odd"), [(SOME, ["b", "c"]), (None, ["a", "c"])])
def test_floors_decide_in_whatever_order_records_come(asked, odd):
    """Not the rows that come first, nor those that are more."""
    records = [
        record("a", 0.5, events=SOME),
        record("b", 0.5),
        record("c", 0.5, events=OTHERS),
        record("own-share", 0.4, role="floor", events=asked),
    ]
    stays = ({"a", "b", "c"} - set(odd)).pop()
    for order in permutations(records):
        assert kept_and_odd(order) == ({("predictor", stays), ("floor", "own-share")}, odd)


def test_without_floors_the_first_record_decides():
    first, second = record("a", 0.5, events=SOME), record("b", 0.5)
    assert kept_and_odd([first, second]) == ({("predictor", "a")}, ["b"])
    assert kept_and_odd([second, first]) == ({("predictor", "b")}, ["a"])


def test_each_network_has_a_draw_of_its_own():
    """Of one network there may be fewer knockouts to draw from than of another."""
    records = [
        record(name, 0.5, role=role, seed=seed, events=events)
        for name, role in (("a", "predictor"), ("own-share", "floor"))
        for seed, events in enumerate((SOME, OTHERS, None))
    ]
    assert kept_and_odd(records) == ({("predictor", "a"), ("floor", "own-share")}, [])
    records[1] = record("a", 0.5, seed=1, events=SOME)
    kept, odd = with_equal_events([parse_record(one, "it") for one in records], TASK)
    assert (len(kept), odd) == (5, ["a"])


def test_a_record_without_scores_stays():
    """It says why there are none."""
    failed = record("b", status="failed")
    floor = record("own-share", 0.4, role="floor", events=SOME)
    assert kept_and_odd([failed, floor])[1] == []


def test_a_board_names_what_it_leaves_out():
    section = only(
        [
            *(record("own-share", 0.4, role="floor", seed=seed, events=SOME) for seed in range(3)),
            *(record("a", 0.5, seed=seed, events=SOME) for seed in range(3)),
            *(record(name, 0.9, seed=seed) for seed in range(3) for name in ("b", "c")),
        ]
    )
    assert [row.name for row in section.rows] == ["a", "own-share"]
    assert section.warnings == (
        "Left out, because other knockouts were asked of them than of the floors: b, c. Run all"
        " with the same --events.",
    )
    assert "600 of 3,000 single knockouts were drawn at random and asked" in section.remarks
