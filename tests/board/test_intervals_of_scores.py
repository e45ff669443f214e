"""Intervals of scores over networks, and over cells and perturbations that were drawn again."""

from __future__ import annotations

import numpy as np
import pytest
from factories import TASK, networks
from scipy import stats
from sections import change, floors, only, score, with_draws


def test_real_cells_have_t_intervals_with_the_spread_of_their_draws_jointly():
    records = [
        with_draws("mlp", 0.55),
        with_draws("own-share", 0.50, "floor"),
        with_draws("random", 0.0, "floor"),
    ]
    section = only(records)
    assert section.label == "140 cells"
    draws = np.array(records[0]["result"]["scores"][TASK]["metrics"]["spearman"]["draws"])
    floor = np.array(records[1]["result"]["scores"][TASK]["metrics"]["spearman"]["draws"])
    found = score(section, "mlp")
    t = stats.t.ppf(0.975, 139) * np.sqrt(140 / 139)
    half = t * draws.std(ddof=1)
    assert (found.low, found.high) == pytest.approx((0.55 - half, 0.55 + half))
    assert found.difference.low == pytest.approx(0.05 - t * (draws - floor).std(ddof=1))
    assert found.verdict == "better"  # 0.05 apart, each +- 0.1, but the cells are the same
    # both ends of the skill's interval: gain - skill x gap is just t standard errors from 0 there
    for end in (found.skill_low, found.skill_high):
        away = abs((0.55 - 0.50) - end * (1 - 0.50)) / ((draws - floor) - end * (1 - floor)).std(
            ddof=1
        )
        assert away == pytest.approx(t)
    assert found.skill == pytest.approx(0.1)
    assert found.skill_low < 0.1 < found.skill_high


def test_few_perturbations_have_the_wider_interval_of_their_number():
    widths = []
    for blocks in (5, 500):
        records = [with_draws("mlp", 0.55), with_draws("own-share", 0.5, "floor")]
        for one in records:
            one["result"]["scores"][TASK]["blocks"] = blocks
        widths.append(score(only(records), "mlp").high - 0.55)
    assert widths[0] / widths[1] == pytest.approx(
        (2.776445 * np.sqrt(5 / 4)) / (1.964729 * np.sqrt(500 / 499)), rel=1e-5
    )


def test_several_splits_of_the_same_cells_do_not_narrow_the_interval():
    one = [with_draws("mlp", 0.55), with_draws("own-share", 0.5, "floor")]
    several = []
    for split in range(4):
        for base in (
            with_draws("mlp", 0.55, shared=split),
            with_draws("own-share", 0.5, "floor", shared=split),
        ):
            base["trial"]["split"]["seed"] = split
            several.append(base)
    width = [score(only(records), "mlp") for records in (one, several)]
    assert width[1].high - width[1].low == pytest.approx(width[0].high - width[0].low, rel=0.25)


def test_few_networks_say_what_their_intervals_stand_for():
    def some(n):
        return [
            with_draws(name, value, role, seed, "simulated", "grn:genes=100", shared=seed)
            for seed in range(n)
            for name, value, role in (("mlp", 0.7, "predictor"), ("own-share", 0.4, "floor"))
        ]

    assert only(some(1)).label == "cells inside 1 network; they say nothing of other networks"
    assert [only(some(n)).label for n in (2, 5)] == ["2 networks", "5 networks"]
    one = score(only(some(1)), "mlp")
    assert one.low < 0.7 < one.high
    assert one.verdict == "better"
    assert "no draws inside, so no interval" in only(networks("mlp", [0.6])).label
    assert score(only(floors([0.4]) + networks("mlp", [0.6])), "mlp").skill_reason == "no interval"


def test_from_two_networks_on_a_t_interval_over_them_whatever_was_drawn_inside():
    def drawn_apart(name, values, role="predictor"):
        return [
            with_draws(name, value, role, seed, "simulated", "grn:genes=100", shared=seed)
            for seed, value in enumerate(values)
        ]

    with_them = only(
        drawn_apart("mlp", [0.5, 0.6, 0.7]) + drawn_apart("own-share", [0.3, 0.35, 0.31], "floor")
    )
    without = only(
        networks("mlp", [0.5, 0.6, 0.7]) + networks("own-share", [0.3, 0.35, 0.31], role="floor")
    )
    assert score(with_them, "mlp") == score(without, "mlp")
    half = 4.302653 * 0.1 / np.sqrt(3)
    assert (score(without, "mlp").low, score(without, "mlp").high) == pytest.approx(
        (0.6 - half, 0.6 + half), abs=1e-6
    )
    two = score(only(networks("mlp", [0.5, 0.6]) + floors([0.3, 0.31])), "mlp")
    assert (two.low, two.high) == (
        pytest.approx(0.55 - 12.7062 * 0.05, abs=1e-4),
        1.0,
    )  # cut at the end of the range


def test_an_interval_ends_with_the_metrics_range():
    section = only(floors() + networks("mlp", [0.999, 0.9, 0.999, 0.95, 0.999]))
    assert score(section, "mlp").high == 1.0
    assert score(section, "mlp").low > 0.9
    open_range = only(
        [
            *change("no-effect", 0.0, "floor"),
            *change("mlp", 0.99, blocks=4),
            *change("mlp", -9.0, blocks=5)[4:],
        ]
    )
    half = 2.776445 * np.std([0.99] * 4 + [-9.0], ddof=1) / np.sqrt(5)
    assert score(open_range, "mlp", "change").low == pytest.approx(-1.008 - half, abs=1e-5)
    assert score(open_range, "mlp", "change").high == 1.0


def test_draws_without_a_value_count_for_nothing():
    """Not as 0: the interval is that of the other draws alone."""
    full = [with_draws("mlp", 0.55), with_draws("own-share", 0.5, "floor")]
    gaps = [with_draws("mlp", 0.55), with_draws("own-share", 0.5, "floor")]
    metrics = [one["result"]["scores"][TASK]["metrics"]["spearman"] for one in (*full, *gaps)]
    for one in metrics[:2]:
        one["draws"] = one["draws"][:300]
    for one in metrics[2:]:
        one["draws"] = [None] * 50 + one["draws"][:300] + [None] * 50
    found, expected = score(only(gaps), "mlp"), score(only(full), "mlp")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.difference.low == pytest.approx(expected.difference.low)
    half = stats.t.ppf(0.975, 139) * np.sqrt(140 / 139) * np.std(metrics[0]["draws"], ddof=1)
    assert found.high == pytest.approx(0.55 + half)


def test_the_fit_with_the_fewest_units_decides_how_wide():
    """Two fits of one network, one of which answered 5 units: t with 4 degrees of freedom."""
    fits = [with_draws("mlp", 0.55, kind="simulated", dataset="grn", seed=0) for _ in range(2)]
    for fit_seed, (one, blocks) in enumerate(zip(fits, (500, 5), strict=True)):
        one["trial"]["fit_seed"] = fit_seed
        one["result"]["scores"][TASK]["blocks"] = blocks
    draws = fits[0]["result"]["scores"][TASK]["metrics"]["spearman"]["draws"]
    found = score(only(fits), "mlp")
    half = stats.t.ppf(0.975, 4) * np.sqrt(5 / 4) * np.std(draws, ddof=1)
    assert found.high - 0.55 == pytest.approx(min(half, 0.45))
    assert half < 0.45
