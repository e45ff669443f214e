"""The board's numbers, worked out by hand from a few made-up records."""

from __future__ import annotations

import random as random_module
import re

import numpy as np
import pytest
from factories import TASK, check_board, make_board, metric, networks, record, scores
from scipy import stats

from kobench.board.render.formats import FORMATS, render
from kobench.errors import UserError

FLOOR = [0.40, 0.42, 0.38, 0.41, 0.39]


def floors(values=FLOOR, random=0.0):
    return networks("own-share", values, role="floor") + networks(
        "random", [random] * len(values), role="floor"
    )


def only(records, **options):
    (section,) = make_board(records, **options).sections
    return section


def row(section, name):
    (found,) = [row for row in section.rows if row.name == name]
    return found


def score(section, name, metric="spearman"):
    return row(section, name).scores[metric]


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
        "good is above the best floor, own-share, by 0.600 [0.600, 0.600]."
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
        == "up is above the best floor, own-share, by 0.050 [0.050, 0.050]; it can't be told apart"
        " from noisy. Not told apart from the floor: noisy. Below the floor: down."
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
    # range 2, so the gap must be over 0.2; here it is 0.19
    section = only(
        floors([0.81, 0.82, 0.80, 0.81, 0.81])
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
    assert "By b, above its best floor, abundance: mlp." in section.sentence


def partial(name, value, floor, coverage, seed, **more):
    cell = metric(
        value,
        floors={"own-share": {"value": floor, "draws": []}, "random": {"value": 0.0, "draws": []}},
    )
    return record(
        name,
        scores({"spearman": cell}, coverage=coverage, answered=int(1000 * coverage), **more),
        seed=seed,
    )


def test_partial_coverage_is_measured_on_its_own_units_and_multiplied():
    # easy half only: 0.8 there, where the floor has 0.6: (0.8 - 0.6) / (1 - 0.6) = 0.5, times
    # coverage 0.5
    section = only(
        floors()
        + networks("full", [0.70] * 5)
        + [partial("half", 0.8, 0.6, 0.5, seed) for seed in range(5)]
    )
    assert score(section, "half").skill == pytest.approx(0.25)
    assert row(section, "half").coverage == 0.5
    assert score(section, "half").value == pytest.approx(0.8)
    assert [(row.name, row.rank) for row in section.ranked] == [
        ("full", (1, 1)),
        ("half", (2, 2)),
    ]  # by skill, not by score


def test_partial_coverage_without_floors_on_its_units_has_no_skill():
    records = floors() + [record("half", 0.8, seed=seed, coverage=0.5) for seed in range(5)]
    assert score(only(records), "half").skill_reason == "no floor"


def test_none_is_shown_as_none_and_ranked_level_with_random():
    const = [
        record("const", scores({"spearman": metric(None, missing="none")}), seed=seed)
        for seed in range(5)
    ]
    near = networks("near-random", [0.02, -0.02, 0.01, -0.01, 0.0])
    section = only(floors() + const + near + networks("mlp", [0.7, 0.71, 0.72, 0.7, 0.69]))
    assert (score(section, "const").value, score(section, "const").missing) == (None, "none")
    assert row(section, "const").rank == row(section, "near-random").rank == (2, 3)
    assert row(section, "const").remarks == (
        "a constant answer gives no ranking by spearman; ranked level with random",
    )
    assert score(section, "const").verdict == "worse"


def test_none_somewhere_counts_as_random_there():
    records = floors(random=0.1) + networks("mlp", [0.6] * 4)
    records.append(record("mlp", scores({"spearman": metric(None, missing="none")}), seed=4))
    section = only(records)
    assert score(section, "mlp").value == pytest.approx((4 * 0.6 + 0.1) / 5)
    assert "counted there as random" in row(section, "mlp").remarks[0]


def test_none_without_random_is_last():
    const = [
        record("const", scores({"spearman": metric(None, missing="none")}), seed=seed)
        for seed in range(5)
    ]
    section = only(networks("own-share", FLOOR, role="floor") + const + networks("bad", [-0.9] * 5))
    assert [(row.name, row.rank) for row in section.ranked] == [("bad", (1, 1)), ("const", (2, 2))]


def test_a_floor_that_gives_no_ranking_is_never_the_best():
    none = [
        record(
            "abundance", scores({"spearman": metric(None, missing="none")}), role="floor", seed=seed
        )
        for seed in range(5)
    ]
    section = only(floors([-0.5] * 5, random=-0.2) + none + networks("mlp", [0.5] * 5))
    assert (
        section.primary[0].floor == score(section, "mlp").floor == "random"
    )  # abundance stands level with it, and comes first by name


def test_a_metric_that_nobody_can_have_says_why():
    cells = {
        "spearman": metric(0.5),
        "pooled": metric(None, missing="not computed above 60 % zeros"),
    }
    records = [record("mlp", scores(cells), seed=seed) for seed in range(5)]
    found = score(only(floors() + records), "mlp", "pooled")
    assert (found.value, found.missing) == (None, "not computed above 60 % zeros")


def test_a_network_without_truth_to_rank_counts_for_nobody():
    records = floors(FLOOR[:5]) + networks("mlp", [0.6] * 5)
    for role, name in (("predictor", "mlp"), ("floor", "own-share"), ("floor", "random")):
        records.append(
            record(
                name,
                scores({"spearman": metric(None, missing="no gene varies")}),
                role=role,
                seed=5,
            )
        )
    section = only(records)
    assert score(section, "mlp").value == pytest.approx(0.6)
    assert row(section, "mlp").rank == (1, 1)


def test_failures_are_listed_below_with_why():
    records = floors() + networks("mlp", [0.6] * 5) + networks("shaky", [0.9] * 4)
    records.append(
        record("shaky", seed=4, status="timeout", stage="fit", message="no end after 60 s")
    )
    records += [
        record("liar", seed=seed, status="invalid", stage="singles", message="row 3 sums to 1.7")
        for seed in range(5)
    ]
    section = only(records)
    assert [row.name for row in section.ranked] == ["mlp"]
    assert [(row.name, row.status) for row in section.unranked] == [
        ("liar", "invalid"),
        ("shaky", "timeout"),
    ]
    assert row(section, "shaky").problems[0].where == ("seed 4",)
    assert row(section, "shaky").blocks_done == 4
    assert score(section, "liar").value is None
    assert "Not ranked: liar (invalid), shaky (timeout)." in section.sentence


def test_a_missing_network_is_incomplete_and_not_ranked():
    section = only(floors() + networks("mlp", [0.6] * 5) + networks("partly", [0.9] * 3))
    assert row(section, "partly").status == "incomplete"
    assert row(section, "partly").rank is None
    assert row(section, "partly").remarks == ("scored on 3 of 5 networks",)
    assert score(section, "partly").value == pytest.approx(0.9)


def test_no_answer_on_one_network_is_incomplete():
    records = floors() + networks("mlp", [0.6] * 5) + networks("shy", [0.9] * 4)
    records.append(
        record("shy", scores({"spearman": metric(None, missing="not answered")}), seed=4)
    )
    assert row(only(records), "shy").status == "incomplete"
    assert row(only(records), "shy").rank is None


def test_not_answered_is_said_only_of_who_was_asked():
    silent = [record("silent", seed=seed) for seed in range(5)]
    elsewhere = [record("elsewhere", seed=seed) for seed in range(5)]
    for one in elsewhere:
        one["keys"]["questions"] = {"profile": "q"}
    unable = [
        record("unable", scores({"spearman": metric(None, missing="not answered")}), seed=seed)
        for seed in range(5)
    ]
    section = only(floors() + networks("mlp", [0.6] * 5) + silent + elsewhere + unable)
    assert [(row.name, row.status) for row in section.unranked] == [
        ("silent", "not answered"),
        ("unable", "not answered"),
    ]
    assert "elsewhere" not in [row.name for row in section.rows]


def test_a_lost_floor_does_not_count_and_is_said():
    records = (
        networks("own-share", FLOOR[:4], role="floor")
        + networks("abundance", [0.2] * 5, role="floor")
        + networks("mlp", [0.6] * 5)
    )
    records.append(
        record("own-share", role="floor", seed=4, status="failed", stage="fit", message="broke")
    )
    section = only(records)
    assert section.primary[0].floor == "abundance"
    assert section.warnings == ("Floors without a full score do not count here: own-share.",)


def test_only_failures_still_make_a_board():
    section = only([record("mlp", status="failed", stage="fit", message="broke")])
    assert section.unranked[0].status == "failed"
    for format in FORMATS:
        assert "broke" in render(
            make_board([record("mlp", status="failed", stage="fit", message="broke")]), format
        )


def with_draws(
    name,
    value,
    role="predictor",
    seed=None,
    kind="real",
    dataset="pbmc",
    noise=0.01,
    draws=400,
    shared=0,
):
    """A record whose draws share what the cells drawn have in common, and have some noise of their
    own.
    """
    common = np.random.default_rng(shared).normal(0, 0.05, draws)
    own = np.random.default_rng([ord(letter) for letter in name]).normal(0, noise, draws)
    cell = metric(value, draws=(value + common + own).tolist())
    return record(
        name,
        scores({"spearman": cell}, block="cell", blocks=140),
        role=role,
        seed=seed,
        kind=kind,
        dataset=dataset,
    )


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


def everything():
    """Records with a bit of all: two datasets, fits, failures, draws."""
    records = []
    for dataset in ("grn:absence=random,genes=100", "grn:absence=modules,genes=100"):
        records += networks(
            "mlp", [0.6, 0.62, 0.58, 0.61, 0.66], dataset=dataset, notes=["a note", "another"]
        )
        records += networks(
            "linear", [0.61, 0.6, 0.6, 0.62, 0.6], dataset=dataset, notes=["a note"]
        )
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
        records += networks("random", [0.01, 0.0, -0.01, 0.02, 0.0], role="floor", dataset=dataset)
        records += networks("truth", [1.0] * 5, role="line", dataset=dataset)
        records.append(record("mlp", 0.59, fit_seed=1, dataset=dataset))
        records.append(record("boom", status="failed", stage="fit", message="x", dataset=dataset))
    return [
        *records,
        with_draws("mlp", 0.55),
        with_draws("own-share", 0.5, "floor"),
        with_draws("random", 0.0, "floor"),
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_same_records_in_any_order_give_the_same_bytes(format):
    records = everything()
    expected = render(make_board(records), format)
    for seed in range(3):
        shuffled = list(records)
        random_module.Random(seed).shuffle(shuffled)
        assert render(make_board(shuffled), format) == expected
        assert check_board(shuffled, expected.encode(), format)
    assert not check_board(records[1:], expected.encode(), format)


@pytest.mark.parametrize("format", FORMATS)
def test_without_cost_nothing_of_a_run_enters(format):
    records, other = everything(), everything()
    for i, one in enumerate(other):
        one["run"] = {
            "fit_seconds": 100.0 + i,
            "predict_seconds": 7.0,
            "peak_mb": None,
            "host": f"h{i}",
        }
    assert render(make_board(records, cost=False), format) == render(
        make_board(other, cost=False), format
    )
    assert render(make_board(records), format) != render(make_board(other), format)
    assert check_board(
        other, render(make_board(records, cost=False), format).encode(), format, cost=False
    )


def test_seconds_are_means_and_memory_the_largest():
    records = floors() + [
        record(
            "mlp",
            0.6,
            seed=seed,
            run={"fit_seconds": 1.0 + seed, "predict_seconds": 0.5, "peak_mb": 100.0 * seed},
        )
        for seed in range(5)
    ]
    cost = row(only(records), "mlp").cost
    assert (cost.fit_seconds, cost.predict_seconds, cost.peak_mb) == (3.0, 0.5, 400.0)
    assert row(only(records, cost=False), "mlp").cost is None


def test_a_trial_stored_twice_counts_once_and_a_contradiction_is_an_error():
    records = floors() + networks("mlp", [0.5, 0.6, 0.7, 0.8, 0.9])
    again = record("mlp", 0.5, run={"fit_seconds": 99.0})
    assert score(only([*records, again]), "mlp").value == pytest.approx(0.7)
    with pytest.raises(
        UserError,
        match=r"two records of the same trial \(mlp on grn:genes=100,seed=0, fit seed 0\)",
    ):
        make_board([*records, record("mlp", 0.1)])


def test_no_records_say_what_to_run():
    with pytest.raises(UserError, match=r"no records to make a board from.*kobench run"):
        make_board([])


def test_filters_keep_what_is_named_and_refuse_what_is_not_there():
    records = everything()
    board = make_board(records, datasets=["pbmc"])
    assert [section.dataset for section in board.sections] == ["pbmc"]
    assert len(make_board(records, datasets=["grn"]).sections) == 2
    linear = make_board(
        records,
        predictors=["linear"],
        datasets=["grn:absence=random,genes=100"],
        tasks=["knockout-impact"],
    )
    assert [row.name for row in linear.sections[0].ranked] == ["linear"]
    assert [row.name for row in linear.sections[0].floors] == ["own-share", "random"]
    assert make_board(records, tasks=[TASK]).sections == make_board(records).sections
    with pytest.raises(
        UserError, match="no record has the predictor 'linaer'; did you mean 'linear'"
    ):
        make_board(records, predictors=["linaer"])
    with pytest.raises(UserError, match="no record has the task 'profile'"):
        make_board(records, tasks=["profile"])


def test_rows_with_one_selection_are_told_apart_by_what_differs():
    cuda = networks("mlp", [0.65] * 5)
    for one in cuda:
        one["trial"]["device"] = "cuda"
    stranger = networks("linear", [0.5] * 5, distribution="their-package")
    section = only(
        floors() + networks("mlp", [0.6] * 5) + cuda + stranger + networks("linear", [0.55] * 5)
    )
    assert {row.name for row in section.ranked} == {
        "mlp (device=cpu)",
        "mlp (device=cuda)",
        "kobench-baselines/linear",
        "their-package/linear",
    }


def test_matrix_of_several_datasets():
    board = make_board(everything())
    (matrix,) = board.matrices
    assert [section.short for section in matrix.datasets] == [
        "grn absence=modules",
        "grn absence=random",
        "pbmc",
    ]
    assert matrix.predictors == ("mlp", "linear", "boom")
    assert matrix.cells[2][0].status == "failed"
    assert matrix.cells[2][2] is None
    assert not make_board(everything(), datasets=["pbmc"]).matrices


def test_notes_once_and_what_was_asked():
    section = make_board(everything(), datasets=["grn:absence=random,genes=100"]).sections[0]
    assert section.dataset_notes == ("a note", "another")
    assert section.remarks[0] == "5,000 events asked"
    left = [
        record("mlp", 0.6, seed=seed, left_out={"gene in under 10 cells": 3}, sampled=400)
        for seed in range(5)
    ]
    facts = only(floors() + left).remarks
    assert facts == (
        "5,000 events asked",
        "full rows of 2,000 sampled events compared",
        "left out for everybody: 15 (gene in under 10 cells)",
    )


def test_other_data_under_the_same_name_is_a_warning():
    records = floors() + networks("mlp", [0.6] * 5)
    records[-1]["trial"]["dataset"]["digest"] = "other"
    assert "not all made from the same data" in only(records).warnings[0]


def test_trusted_with_a_predictor_is_marked():
    records = floors() + [record("mlp", 0.6, seed=seed) for seed in range(5)]
    for one in records[-5:]:
        one["result"]["trusted_with_predictor"] = ["my-metric"]
    for cost in (True, False):
        assert row(only(records, cost=cost), "mlp").remarks == (
            "its distribution also brings what sees the truth here: my-metric",
        )


def test_a_line_that_a_dataset_does_not_offer_is_not_shown():
    records = [
        *floors(),
        record("replicate", role="line", status="unsupported", stage="line", message="not offered"),
    ]
    assert "replicate" not in [one.name for one in only(records).rows]


def change(
    name,
    value,
    role="predictor",
    dataset="grn:dropout=0.5",
    blocks=5,
    coverage=1.0,
    nothing=0.0,
    **cell,
):
    """Explained change: 0 is what the true null has, 1 the truth."""
    made = metric(value, low=None, nothing=nothing, **cell)
    return [
        record(
            name,
            scores(
                {"change": made},
                primary=("change",),
                floors=("no-effect", "other"),
                coverage=coverage,
            ),
            role=role,
            dataset=dataset,
            seed=seed,
        )
        for seed in range(blocks)
    ]


def test_doing_nothing_is_the_floor_where_the_best_floor_is_worse():
    # above no-effect (-6.4), yet far below doing nothing (0): neither a win nor a positive skill
    records = (
        change("no-effect", -6.4, "floor")
        + change("other", -7.0, "floor")
        + change("poor", -4.8)
        + change("good", 0.5)
    )
    section = only(records + change("replicate", -0.5, "line"))
    assert section.primary[0].floor == "doing nothing"
    poor, good = score(section, "poor", "change"), score(section, "good", "change")
    assert (poor.verdict, poor.skill, poor.floor) == ("worse", pytest.approx(-4.8), "doing nothing")
    assert (good.verdict, good.skill, good.difference.value) == (
        "better",
        pytest.approx(0.5),
        pytest.approx(0.5),
    )
    assert score(section, "no-effect", "change").skill == pytest.approx(-6.4)
    assert score(section, "replicate", "change").skill == pytest.approx(-0.5)
    assert [(one.name, one.best_floor) for one in section.floors] == [
        ("doing nothing", ("change",)),
        ("no-effect", ()),
        ("other", ()),
    ]
    assert (
        score(section, "doing nothing", "change").value
        == score(section, "doing nothing", "change").skill
        == 0.0
    )
    assert (
        "the best floor, no-effect, is below doing nothing (0): it has -6.400, so doing nothing"
        " counts" in section.remarks
    )
    assert section.sentence.startswith(
        "good is above the best floor, doing nothing, by 0.500 [0.500, 0.500]."
    )


def test_a_floor_as_good_as_doing_nothing_counts_itself():
    for value, floor in ((-0.00005, "no-effect"), (0.2, "no-effect"), (-0.0002, "doing nothing")):
        section = only(change("no-effect", value, "floor") + change("mlp", 0.5))
        assert section.primary[0].floor == score(section, "mlp", "change").floor == floor
        assert ("doing nothing" in [one.name for one in section.rows]) == (floor == "doing nothing")
    unknown = only(
        change("no-effect", -6.4, "floor", nothing=None) + change("mlp", 0.5, nothing=None)
    )  # older records do not say
    assert unknown.primary[0].floor == "no-effect"


def test_doing_nothing_where_lower_is_better():
    facts = {"nothing": 0.5, "direction": "lower", "best": 0.0}
    section = only(
        change("no-effect", 0.8, "floor", **facts)
        + change("mlp", 0.6, **facts)
        + change("good", 0.1, **facts)
    )
    assert section.primary[0].floor == "doing nothing"
    assert (score(section, "mlp", "change").verdict, score(section, "good", "change").skill) == (
        "worse",
        pytest.approx(0.4 / 0.5),
    )
    assert (
        "the best floor, no-effect, is above doing nothing (0.5): it has 0.800, so doing nothing"
        " counts" in section.remarks
    )


def test_doing_nothing_at_partial_coverage():
    def half(name, value, floors):
        return change(
            name,
            value,
            coverage=0.5,
            floors={floor: {"value": found, "draws": []} for floor, found in floors.items()},
        )

    records = (
        change("no-effect", -6.4, "floor")
        + half("poor", -2.0, {"no-effect": -5.0})
        + half("good", 0.4, {"no-effect": -5.0})
    )
    section = only(records + half("easy", 0.4, {"no-effect": 0.2}) + half("bare", 0.4, {}))
    found = {name: score(section, name, "change") for name in ("poor", "good", "easy", "bare")}
    assert {name: one.floor for name, one in found.items()} == {
        "poor": "doing nothing",
        "good": "doing nothing",
        "easy": "no-effect",
        "bare": "doing nothing",
    }
    assert (found["poor"].verdict, found["poor"].skill) == ("worse", pytest.approx(-2.0))
    assert found["good"].skill == found["bare"].skill == pytest.approx(0.5 * 0.4)
    assert found["easy"].skill == pytest.approx(
        0.5 * (0.4 - 0.2) / (1 - 0.2)
    )  # on the units it chose, the floor beats doing nothing


def test_doing_nothing_has_draws_as_the_floor_it_stands_for():
    draws = (0.4 + 0.01 * np.arange(-50, 51)).tolist()
    records = change("no-effect", -6.4, "floor", blocks=1, draws=[-6.4] * 101) + change(
        "mlp", 0.4, blocks=1, draws=draws
    )
    found = score(only(records), "mlp", "change")
    assert found.verdict == "same"
    half = (
        stats.t.ppf(0.975, 99) * np.sqrt(100 / 99) * np.std(draws, ddof=1)
    )  # the gap does not vary, so only the score does
    assert (found.skill_low, found.skill_high) == pytest.approx((0.4 - half, 0.4 + half))


def test_abstaining_does_not_improve_what_is_below_the_floor():
    # 0.3 on the half answered, where the floor has 0.6: (0.3 - 0.6) / (1 - 0.6) = -0.75, and not
    # half of that
    records = (
        floors()
        + networks("full", [0.0] * 5)
        + [partial("half", 0.3, 0.6, 0.5, seed) for seed in range(5)]
    )
    section = only(records)
    assert score(section, "half").skill == pytest.approx(-0.75)
    assert score(section, "full").skill == pytest.approx(-0.4 / 0.6)
    assert [row.name for row in section.ranked] == ["full", "half"]


def test_coverage_counts_block_by_block_in_skill_verdict_and_rank():
    # gains 0.4 four times and -0.2 once: shrunk to 0.08 four times, and still -0.2
    records = floors() + [
        partial("shy", value, 0.4, 0.2, seed)
        for seed, value in enumerate([0.8, 0.8, 0.8, 0.8, 0.2])
    ]
    section = only(records + networks("near", [value + 0.03 for value in FLOOR]))
    found = score(section, "shy")
    assert found.difference.value == pytest.approx((4 * 0.08 - 0.2) / 5)
    assert found.skill == pytest.approx((4 * 0.08 - 0.2) / 5 / 0.6)
    assert found.verdict == "same"
    assert [row.name for row in section.ranked] == ["near", "shy"]


def drawn(name, value, count, role="predictor", dataset="grn:genes=100"):
    """Simulated networks whose genes were drawn again."""
    return [
        with_draws(name, value, role, seed, "simulated", dataset, shared=seed)
        for seed in range(count)
    ]


@pytest.mark.parametrize(("count", "here"), [(1, "on this network"), (2, ""), (5, "")])
def test_the_sentence_says_on_how_few_networks(count, here):
    floor = drawn("own-share", 0.4, count, "floor")
    better, level = only(drawn("mlp", 0.7, count) + floor), only(drawn("own", 0.4, count) + floor)
    assert score(better, "mlp").verdict == "better"
    assert row(better, "mlp").hollow == (count == 1)
    assert better.few == (count == 1)
    assert re.search(rf"by 0\.300 \[[-0-9., ]+\]{here and ' '}{here}\.", better.sentence)
    assert level.sentence.startswith(
        f"No predictor is above the best floor, own-share{here and ', '}{here}."
    )
    bare = only(drawn("mlp", 0.7, count))
    assert bare.sentence.startswith(f"mlp comes first{here and ' '}{here}.")


def test_real_cells_and_rows_on_few_of_many_networks():
    assert not row(
        only([with_draws("mlp", 0.55), with_draws("own-share", 0.5, "floor")]), "mlp"
    ).hollow
    section = only(
        floors()
        + networks("mlp", [0.6] * 5)
        + networks("partly", [0.9])
        + networks("half", [0.9] * 2)
    )
    assert [row(section, name).hollow for name in ("mlp", "half", "partly")] == [False, False, True]
    assert not section.few


def test_few_networks_win_nothing_at_a_glance_and_skill_orders_ties():
    values = {  # on one, one and five networks; the floor has 0.4
        "few": (0.9, 0.9, 0.4),  # wins on one network only, which counts for none
        "many": (0.38, 0.38, 0.45),  # one win that counts
        "calm": (0.2, 0.2, 0.2),
        "bold": (0.3, 0.3, -0.9),  # above calm twice, but by its mean skill below
        "even": (0.33, 0.33, 0.33),  # skill -0.07 / 0.6 = -0.117
        "broke": (0.35, None, 0.35),  # -0.083, and calm's -0.333 where it failed: -0.167 in mean
    }
    records = []
    for i, (dataset, count) in enumerate(
        (("grn:genes=50", 1), ("grn:genes=60", 1), ("grn:genes=70", 5))
    ):
        records += drawn("own-share", 0.4, count, "floor", dataset)
        for name, cells in values.items():
            value = cells[i]
            records += drawn(name, value, count, dataset=dataset) if value is not None else []
    records.append(
        record("broke", dataset="grn:genes=60", status="failed", stage="fit", message="x")
    )
    (matrix,) = make_board(records).matrices
    wins = {
        name: [
            one is not None and one.rank is not None and one.scores["spearman"].verdict == "better"
            for one in cells
        ]
        for name, cells in zip(matrix.predictors, matrix.cells, strict=True)
    }
    assert (wins["few"], wins["many"]) == ([True, True, False], [False, False, True])
    assert matrix.predictors == ("many", "few", "even", "broke", "calm", "bold")


def test_no_headroom_is_said_once_with_its_numbers():
    section = only(
        floors([0.91, 0.90, 0.90, 0.90, 0.91])
        + networks("mlp", [0.95] * 5)
        + networks("gbm", [0.96] * 5)
    )
    said = (
        "no headroom: the gap between the best floor and the truth is 0.096, and skill is printed"
        " above 0.2 (a tenth of the metric's range)"
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


def measured(name, value, ceiling, role="predictor", coverage=1.0, blocks=5, floor=None):
    """Networks whose truth has noise: each has a ceiling of its own, below the 1 of the truth
    itself.
    """
    cells = []
    for seed in range(blocks):
        cell = metric(value[seed] if isinstance(value, list) else value)
        top = ceiling[seed] if isinstance(ceiling, list) else ceiling
        cell["ceiling"] = {"value": top, "draws": []}
        if floor is not None:
            cell["floors"] = {"own-share": {"value": floor, "draws": []}}
        cells.append(
            record(name, scores({"spearman": cell}, coverage=coverage), role=role, seed=seed)
        )
    return cells


CEILING = [0.60, 0.70, 0.65, 0.55, 0.75]


def test_skill_is_measured_against_the_ceiling_that_the_records_hold():
    # ceiling 0.65 in mean, floor 0.15: half of the way is 0.40
    section = only(
        measured("own-share", 0.15, CEILING, "floor")
        + measured("mlp", 0.40, CEILING)
        + measured("top", CEILING, CEILING)
    )
    column = section.primary[0]
    assert (column.best, column.ceiling, column.gap.value) == (
        1.0,
        pytest.approx(0.65),
        pytest.approx(0.5),
    )
    half = 2.776445 * np.std(CEILING, ddof=1) / np.sqrt(5)
    assert (column.gap.low, column.gap.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)
    assert score(section, "mlp").skill == pytest.approx(0.5)
    # its score does not vary, the ceiling does: 0.25 / the ends of the gap's interval
    ends = (0.25 / (0.5 + half), 0.25 / (0.5 - half))
    assert (score(section, "mlp").skill_low, score(section, "mlp").skill_high) == pytest.approx(
        ends, abs=1e-6
    )
    top = score(section, "top")  # moves with the ceiling, block by block
    assert (top.skill, top.skill_low, top.skill_high) == pytest.approx((1.0, 1.0, 1.0))


def test_without_a_ceiling_there_is_no_skill_and_rows_are_ranked_by_score():
    unknown = [None] * 5
    section = only(
        measured("own-share", 0.15, unknown, "floor")
        + measured("mlp", 0.40, unknown)
        + measured("linear", 0.30, unknown)
    )
    assert (section.primary[0].reason, section.primary[0].ceiling, section.primary[0].gap) == (
        "no ceiling",
        None,
        None,
    )
    assert (score(section, "mlp").skill, score(section, "mlp").skill_reason) == (None, "no ceiling")
    assert score(section, "mlp").verdict == "better"
    assert [(row.name, row.rank) for row in section.ranked] == [("mlp", (1, 1)), ("linear", (2, 2))]
    lost = only(
        measured("own-share", 0.15, [*CEILING[:4], None], "floor") + measured("mlp", 0.40, CEILING)
    )
    assert lost.primary[0].reason == "no ceiling"  # one network's is unknown, so no mean over them
    own = only(measured("own-share", 0.15, CEILING, "floor") + measured("mlp", 0.40, unknown))
    assert (own.primary[0].reason, score(own, "mlp").skill_reason) == ("", "no ceiling")


def test_a_ceiling_near_the_floor_leaves_no_headroom_and_says_where_it_lies():
    section = only(measured("own-share", 0.15, 0.30, "floor") + measured("mlp", 0.40, 0.30))
    assert score(section, "mlp").skill_reason == "no headroom"
    said = (
        "no headroom: the gap between the best floor and what an answer without error would score"
        " here (0.300) is 0.150, and skill is"
    )
    assert [fact for fact in section.remarks if fact.startswith(said)]
    below = only(
        measured("own-share", 0.35, [0.9, 0.1, 0.8, 0.2, 0.9], "floor")
        + measured("mlp", 0.40, CEILING)
    )
    assert below.primary[0].gap.value == pytest.approx(0.23)
    assert (
        below.primary[0].reason == "no headroom"
    )  # the ceiling's mean is uncertain: on two networks it lies below the floor


def test_each_row_has_the_ceiling_of_the_units_it_answered():
    records = measured("own-share", 0.15, CEILING, "floor") + measured("full", 0.40, CEILING)
    section = only(records + measured("half", 0.40, 0.60, coverage=0.5, floor=0.20))
    assert score(section, "half").skill == pytest.approx(0.5 * (0.40 - 0.20) / (0.60 - 0.20))
    assert score(section, "full").skill == pytest.approx(0.5)


def test_ceiling_and_score_are_drawn_jointly_in_one_data_set():
    rng = np.random.default_rng(5)
    shared = rng.normal(0, 0.1, 300)
    draws = {"own-share": 0.1 + shared, "mlp": 0.3 + shared, "top": 0.5 + shared}

    def one(name, role="predictor"):
        cell = metric(float(np.round(draws[name].mean(), 12)), draws=draws[name].tolist())
        cell["ceiling"] = {
            "value": float(np.round(draws["top"].mean(), 12)),
            "draws": draws["top"].tolist(),
        }
        return record(
            name,
            scores({"spearman": cell}, block="perturbation", blocks=12),
            role=role,
            seed=None,
            kind="real",
            dataset="ko",
        )

    section = only([one("own-share", "floor"), one("mlp"), one("top")])
    found = score(section, "mlp")
    assert section.label == "12 perturbations"
    assert (found.skill, found.skill_low, found.skill_high) == pytest.approx(
        (0.5, 0.5, 0.5)
    )  # what all share cancels
    assert found.high - found.low == pytest.approx(
        2 * stats.t.ppf(0.975, 11) * np.sqrt(12 / 11) * shared.std(ddof=1)
    )


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
