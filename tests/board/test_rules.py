"""What is named and what is not: the range of headroom, and the smallest difference."""

from __future__ import annotations

import json

import pytest
from factories import make_board, metric, networks, record, scores
from sections import floors, only, score

from kobench.board.numbers.rules import RULES, range_of, smallest_named
from kobench.board.render.formats import render


def of_range(name, value, low, high, role="predictor"):
    """Five networks by a metric of this range, which vary a little."""
    return [
        record(
            name,
            scores({"spearman": metric(value + 1e-3 * seed, low=low, high=high)}),
            role=role,
            seed=seed,
        )
        for seed in range(5)
    ]


@pytest.mark.parametrize("low", [-1.0, 0.0])
@pytest.mark.parametrize(("floor", "why"), [(0.88, ""), (0.92, "no headroom")])
def test_a_correlation_has_the_headroom_of_a_metric_from_0_to_1(low, floor, why):
    section = only(
        of_range("own-share", floor, low, 1.0, "floor") + of_range("mlp", 0.95, low, 1.0)
    )
    assert section.primary[0].reason == why
    assert (score(section, "mlp").skill is None) == bool(why)


def test_ranges_by_hand():
    assert range_of(-1.0, 1.0, "higher") == range_of(0.0, 1.0, "higher") == 1.0
    assert range_of(0.0, 4.0, "lower") == 4.0
    assert range_of(-1.0, 1.0, "lower") == 2.0  # 0 is no floor where lower is better
    assert range_of(-3.0, -1.0, "higher") == 2.0  # a range without 0
    assert range_of(None, 1.0, "higher") == range_of(0.0, None, "lower") == 1.0


def test_smallest_differences_by_hand():
    assert smallest_named(0.4, 1.0, 1.0) == pytest.approx(0.006)  # a hundredth of the way
    assert smallest_named(0.12, 0.0, 1.0) == pytest.approx(0.0012)  # errors end at 0
    assert smallest_named(0.8, 0.8, 1.0) == pytest.approx(0.0008)  # no way to go
    assert smallest_named(0.4, None, 5.0) == pytest.approx(0.05)


@pytest.mark.parametrize(("shift", "verdict"), [(0.0055, "same"), (0.0065, "better")])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_sure_difference_is_named_from_a_hundredth_of_the_way_on(shift, verdict, sign):
    # the floor has 0.4 in mean and the truth 1: 0.006 is the smallest difference with a name
    floor = [0.40, 0.42, 0.38, 0.41, 0.39]
    section = only(
        networks("own-share", floor, "floor")
        + networks("mlp", [value + sign * shift for value in floor])
    )
    found = score(section, "mlp")
    assert found.difference.above if sign > 0 else found.difference.below  # it is sure
    assert found.verdict == (verdict if sign > 0 or verdict == "same" else "worse")
    assert section.primary[0].smallest == pytest.approx(0.006)


def test_a_tiny_win_stands_in_no_headline():
    floor = [0.40, 0.42, 0.38, 0.41, 0.39]
    records = networks("own-share", floor, "floor") + networks("up", [x + 1e-5 for x in floor])
    board = make_board(records)
    assert "nobody beats the best floor" in board.answer[0]
    for format in ("terminal", "markdown", "html", "latex"):
        assert "▲ up" not in render(board, format)
    found = json.loads(render(board, "json"))
    assert found["rules"] == RULES
    assert found["sections"][0]["metrics"][0]["smallest"] == pytest.approx(0.006)


def test_rows_that_differ_by_too_little_to_name_share_their_ranks():
    floor = [0.40, 0.42, 0.38, 0.41, 0.39]
    far, near = [x + 0.3 for x in floor], [x + 0.305 for x in floor]
    section = only(floors(floor) + networks("far", far) + networks("near", near))
    assert {row.rank for row in section.ranked} == {(1, 2)}
    apart = only(floors(floor) + networks("far", far) + networks("top", [x + 0.31 for x in floor]))
    assert [(row.name, row.rank) for row in apart.ranked] == [("top", (1, 1)), ("far", (2, 2))]


@pytest.mark.parametrize(("top", "why"), [(0.29, "no headroom"), (0.31, "")])
def test_an_estimated_ceiling_needs_twice_the_gap(top, why):
    # the floor has 0.1: a gap of 0.19 is within what an estimate shows of nothing at all
    def measured(name, value, role="predictor"):
        found = []
        for seed in range(5):
            cell = metric(value + 1e-3 * seed)
            cell["ceiling"] = {"value": top + 1e-3 * seed, "draws": []}
            found.append(record(name, scores({"spearman": cell}), role=role, seed=seed))
        return found

    section = only(measured("own-share", 0.1, "floor") + measured("mlp", 0.25))
    assert section.primary[0].reason == why
    assert (score(section, "mlp").skill is None) == bool(why)
