"""Skill, verdicts, floors and ranks, worked out by hand from a few made-up records."""

from __future__ import annotations

import numpy as np
import pytest
from factories import TASK, make_board, metric, networks, record, scores
from sections import FLOOR, change, floors, only, partial, row, score

from kobench.board.render.formats import render


def test_value_and_interval_are_over_networks_with_fits_averaged_first():
    # network 0 was fitted three times (0.5, 0.6, 0.7 -> 0.6), so it still counts once: the mean is
    # that of 0.6, 0.7, 0.8, 0.9, 1.0
    records = floors() + networks("mlp", [0.5, 0.7, 0.8, 0.9, 1.0])
    records += [record("mlp", 0.6, fit_seed=1), record("mlp", 0.7, fit_seed=2)]
    found = score(only(records), "mlp")
    assert found.value == pytest.approx(0.8)
    half = 2.776445 * np.sqrt(0.025 / 5)  # variance of 0.6 ... 1.0 is 0.025
    assert (found.low, found.high) == pytest.approx((0.8 - half, 0.8 + half), abs=1e-6)


def test_skill_by_hand():
    # floor 0.40, ceiling 1, mlp 0.70 on every network: skill 0.5; in mean (0.7 - 0.4) / (1 - 0.4)
    section = only(
        floors() + networks("mlp", [0.70] * 5) + networks("truth", [1.0] * 5, role="line")
    )
    assert score(section, "mlp").skill == pytest.approx(0.5)
    assert score(section, "mlp").floor == "own-share"
    assert score(section, "truth").skill == pytest.approx(1.0)
    assert score(section, "own-share").skill == pytest.approx(0.0)
    assert score(section, "random").skill == pytest.approx(-0.4 / 0.6)
    assert score(section, "mlp").skill_low < 0.5 < score(section, "mlp").skill_high
    assert section.primary[0].gap.value == pytest.approx(0.6)
    assert row(section, "own-share").best_floor == ("spearman",)


def test_skill_is_not_clipped():
    section = only(floors() + networks("bad", [-0.8] * 5))
    assert score(section, "bad").skill == pytest.approx(-1.2 / 0.6)


def test_lower_is_better_flips_difference_skill_and_order():
    def error(name, value, role="predictor"):
        return [
            record(
                name,
                scores(
                    {
                        "rmse": metric(
                            value + 0.001 * seed, direction="lower", best=0.0, low=0.0, high=None
                        )
                    },
                    primary=("rmse",),
                ),
                role=role,
                seed=seed,
            )
            for seed in range(5)
        ]

    section = only(
        error("good", 0.2)
        + error("bad", 0.9)
        + error("own-share", 0.8, "floor")
        + error("abundance", 0.85, "floor")
    )
    assert section.primary[0].floor == "own-share"  # the smaller error is the better floor
    assert score(section, "good", "rmse").difference.value == pytest.approx(0.6)
    assert score(section, "good", "rmse").skill == pytest.approx(0.6 / 0.802)
    assert score(section, "good", "rmse").verdict == "better"
    assert score(section, "bad", "rmse").verdict == "worse"
    assert [row.name for row in section.ranked] == ["good", "bad"]
    assert section.sentence.startswith(
        "good is better than the best floor, own-share, by 0.600 [0.600, 0.600]."
    )


def test_verdicts_come_from_the_paired_difference():
    shifted = [
        value + 0.05 for value in FLOOR
    ]  # the intervals overlap, the paired difference is 0.05 everywhere
    noisy = [0.5, 0.3, 0.5, 0.3, 0.45]
    lower = [value - 0.05 for value in FLOOR]
    section = only(
        floors() + networks("up", shifted) + networks("noisy", noisy) + networks("down", lower)
    )
    verdicts = {name: score(section, name).verdict for name in ("up", "noisy", "down")}
    assert verdicts == {"up": "better", "noisy": "same", "down": "worse"}
    assert (
        section.sentence
        == "up is better than the best floor, own-share, by 0.050 [0.050, 0.050]; it can't be told"
        " apart from noisy. Not told apart from it: noisy (a difference of 0.20 would have been"
        " seen). Worse: down."
    )


def test_rank_intervals_by_hand():
    # a and b share networks' ups and downs; a is 0.1 above c everywhere; b crosses both
    a, b, c = [0.7, 0.6, 0.8, 0.7, 0.75], [0.5, 0.75, 0.6, 0.8, 0.55], [0.6, 0.5, 0.7, 0.6, 0.65]
    section = only(floors() + networks("a", a) + networks("b", b) + networks("c", c))
    assert [(row.name, row.rank) for row in section.ranked] == [
        ("a", (1, 2)),
        ("b", (1, 3)),
        ("c", (2, 3)),
    ]
    assert row(section, "a").level_with == ("b",)
    assert row(section, "b").level_with == ("a", "c")


def test_equal_predictors_share_a_rank():
    section = only(
        floors()
        + networks("a", [0.5, 0.6, 0.7, 0.6, 0.5])
        + networks("b", [0.5, 0.6, 0.7, 0.6, 0.5])
    )
    assert {row.rank for row in section.ranked} == {(1, 2)}


def test_no_headroom_shows_raw_scores_and_ranks_by_them():
    # no floor counts below 0, so the range is 1 and the gap must be over 0.1; here it is 0.09
    section = only(
        floors([0.91, 0.92, 0.90, 0.91, 0.91])
        + networks("mlp", [0.95] * 5)
        + networks("linear", [0.94] * 5)
    )
    found = score(section, "mlp")
    assert (found.value, found.skill, found.skill_reason) == (
        pytest.approx(0.95),
        None,
        "no headroom",
    )
    assert [(row.name, row.rank) for row in section.ranked] == [("mlp", (1, 1)), ("linear", (2, 2))]
    for format in ("terminal", "markdown", "csv", "html", "latex"):
        assert "no headroom" in render(
            make_board(floors([0.9] * 5) + networks("mlp", [0.95] * 5)), format
        )


def test_no_headroom_where_the_gaps_interval_reaches_zero():
    # the floor is above the ceiling on two networks: gap 0.32 in mean but not surely above 0
    section = only(floors([0.2, 1.4, 0.1, 1.3, 0.4]) + networks("mlp", [0.95] * 5))
    assert section.primary[0].gap.value == pytest.approx(0.32)
    assert section.primary[0].reason == "no headroom"


def test_no_floor_is_said():
    section = only(networks("mlp", [0.5] * 5))
    assert score(section, "mlp").skill_reason == "no floor"
    assert score(section, "mlp").verdict == ""
    assert "No floor was scored" in section.sentence


def test_the_best_floor_is_the_best_by_each_metric():
    def both(name, first, second, role="predictor"):
        return [
            record(
                name, scores({"a": first, "b": second}, primary=("a", "b")), role=role, seed=seed
            )
            for seed in range(5)
        ]

    section = only(
        both("mlp", 0.8, 0.5)
        + both("own-share", 0.5, 0.1, "floor")
        + both("abundance", 0.2, 0.3, "floor")
    )
    assert [(column.name, column.floor) for column in section.primary] == [
        ("a", "own-share"),
        ("b", "abundance"),
    ]
    assert score(section, "mlp", "a").skill == pytest.approx(0.3 / 0.5)
    assert score(section, "mlp", "b").skill == pytest.approx(0.2 / 0.7)
    assert section.sentence.startswith(
        "mlp is better than the best floors, own-share and abundance, by both metrics"
    )


def test_no_headroom_is_said_once_with_its_numbers():
    section = only(
        floors([0.91, 0.90, 0.90, 0.90, 0.91])
        + networks("mlp", [0.95] * 5)
        + networks("gbm", [0.96] * 5)
    )
    said = (
        "no headroom: the gap between the best floor and the truth is 0.096, and skill is printed"
        " above 0.1 (a tenth of the metric's range)"
    )
    assert section.remarks.count(said) == 1
    wide = only(floors([0.2, 1.4, 0.1, 1.3, 0.4]) + networks("mlp", [0.95] * 5))
    assert wide.remarks[-1].startswith(
        "no headroom: the gap between the best floor and the truth is 0.320 [-0."
    )
    assert wide.remarks[-1].endswith("], and skill is printed where the interval lies above 0")
    assert not [
        fact for fact in only(floors() + networks("mlp", [0.95] * 5)).remarks if "headroom" in fact
    ]
    open_range = only(change("no-effect", 0.95, "floor") + change("mlp", 0.97))
    assert (
        "is 0.050, and skill is printed above 0.1 (the metric's range is open)"
        in open_range.remarks[-1]
    )


def test_two_primary_metrics_say_which_lacks_headroom():
    def both(name, role="predictor"):
        return [
            record(name, scores({"a": 0.9, "b": 0.5}, primary=("a", "b")), role=role, seed=seed)
            for seed in range(5)
        ]

    (fact,) = [
        fact
        for fact in only(both("mlp") + both("own-share", "floor")).remarks
        if "headroom" in fact
    ]
    assert fact.startswith(
        "no headroom by a: the gap between the best floor and the truth is 0.100,"
    )


def test_a_floor_that_the_task_does_not_name_is_shown_and_never_counts():
    uniform = networks("uniform", [0.9] * 5, role="floor") + networks(
        "uniform", [-0.9] * 5, role="floor", dataset="grn:genes=500"
    )
    other = networks("own-share", [0.1] * 5, role="floor", dataset="grn:genes=500") + networks(
        "mlp", [0.3] * 5, dataset="grn:genes=500"
    )
    half = partial("half", 0.8, 0.6, 0.5, 0)
    half["result"]["scores"][TASK]["metrics"]["spearman"]["floors"]["uniform"] = {
        "value": 0.99,
        "draws": [],
    }
    section, second = make_board(
        floors() + networks("mlp", [0.7] * 5) + uniform + other + [half]
    ).sections
    assert [one.name for one in section.floors] == ["uniform", "own-share", "random"]
    assert [one.name for one in second.floors] == ["own-share", "uniform"]
    assert (
        section.primary[0].floor
        == score(section, "mlp").floor
        == score(section, "half").floor
        == "own-share"
    )
    assert row(section, "uniform").best_floor == ()
    assert row(section, "own-share").best_floor == ("spearman",)
    assert score(section, "mlp").verdict == "better"


def test_ranks_say_that_their_comparisons_are_not_corrected():
    said = "ranks come from pairwise comparisons at 95 % each, not corrected for their number"
    assert only(floors() + networks("a", [0.6] * 5) + networks("b", [0.5] * 5)).remarks[-1] == said
    assert said not in only(floors() + networks("a", [0.6] * 5)).remarks  # nothing to compare


def test_the_interval_of_skill_excludes_zero_exactly_where_the_verdict_does():
    rng = np.random.default_rng(8)
    verdicts = set()
    for _ in range(60):
        values = (rng.normal(0.4, 0.1, 4) + rng.choice([-0.08, 0.0, 0.1])).tolist()
        floor = rng.normal(0.4, 0.05, 4).tolist()
        found = score(
            only(networks("own-share", floor, role="floor") + networks("mlp", values)), "mlp"
        )
        if found.skill is not None:
            said = "better" if found.skill_low > 0 else "worse" if found.skill_high < 0 else "same"
            assert said == found.verdict
            assert found.skill_low <= found.skill <= found.skill_high
            verdicts.add(said)
    assert verdicts == {"better", "same", "worse"}
