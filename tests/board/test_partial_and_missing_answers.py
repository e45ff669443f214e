"""What was answered in part, gives no ranking or failed: its score, and whether it is ranked."""

from __future__ import annotations

import pytest
from factories import make_board, metric, networks, record, scores
from sections import FLOOR, floors, only, partial, row, score

from kobench.board.render.formats import FORMATS, render


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


def test_one_network_answered_in_part_has_the_floor_of_that_part_there():
    # 0.8 on half of the last network, where the floor has 0.6, and 0.7 on all of the others: gains
    # of 0.30, 0.28, 0.32 and 0.29, and 0.5 * 0.2
    records = floors() + networks("mlp", [0.7] * 4) + [partial("mlp", 0.8, 0.6, 0.5, 4)]
    found = score(only(records), "mlp")
    assert found.difference.value == pytest.approx((0.30 + 0.28 + 0.32 + 0.29 + 0.5 * 0.2) / 5)
    assert found.floor == "own-share"


def test_partial_coverage_without_floors_on_its_units_has_no_skill():
    records = floors() + [record("half", 0.8, seed=seed, coverage=0.5) for seed in range(5)]
    assert score(only(records), "half").skill_reason == "no floor"


@pytest.mark.parametrize("kind", ["run", "answered"])
def test_networks_without_a_score_say_whether_they_were_run(kind):
    """What a row lacks on a network is told by its records there, not by those of others."""
    rest = [record("mlp", seed=seed) for seed in range(2, 5)]
    section = only(floors() + networks("mlp", [0.6, 0.7]) + (rest if kind == "answered" else []))
    assert score(section, "mlp").missing == f"not {kind}"
    assert (row(section, "mlp").status, row(section, "mlp").rank) == ("incomplete", None)


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


def test_with_a_lost_floor_nobody_is_compared():
    records = (
        networks("own-share", FLOOR[:4], role="floor")
        + networks("abundance", [0.2] * 5, role="floor")
        + networks("mlp", [0.6] * 5)
    )
    records.append(
        record("own-share", role="floor", seed=4, status="failed", stage="fit", message="broke")
    )
    section = only(records)
    assert "the floor own-share of this task" in section.unranked_reason
    assert not section.ranked


def test_only_failures_still_make_a_board():
    section = only([record("mlp", status="failed", stage="fit", message="broke")])
    assert section.unranked[0].status == "failed"
    for format in FORMATS:
        assert "broke" in render(
            make_board([record("mlp", status="failed", stage="fit", message="broke")]), format
        )


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


def test_a_failed_floor_has_a_row_only_in_the_sections_that_list_it():
    broken = [record(name, role="floor", status="failed") for name in ("own-share", "covariance")]
    section = only([record("mlp", 0.6, floors=("own-share", "random")), *broken])
    assert {row.name: row.status for row in section.rows} == {"mlp": "ok", "own-share": "failed"}


def test_a_predictor_that_was_never_asked_has_no_row():
    """Who was asked another question set only is not in the section; who failed at it is."""
    elsewhere = record("elsewhere")
    elsewhere["keys"]["questions"] = {"profile": "q"}
    asked, unknown, failed = record("asked"), record("unknown"), record("failed", status="failed")
    unknown["keys"]["questions"] = {}
    failed["keys"]["questions"] = {"profile": "q"}
    section = only([record("mlp", 0.6), elsewhere, asked, unknown, failed])
    assert {row.name: row.status for row in section.rows} == {
        "mlp": "ok",
        "asked": "not answered",
        "unknown": "not answered",
        "failed": "failed",
    }


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["failed", "timeout", "timeout", "ok"], "timeout"),
        (["timeout", "failed", "failed", "ok"], "failed"),
        (["invalid", "timeout", "ok", "ok"], "invalid"),
        (["timeout", "invalid", "ok", "ok"], "invalid"),
        (["ok", "ok", "ok", "unsupported"], "unsupported"),
    ],
)
def test_a_row_of_mixed_failures_has_the_most_frequent_one(statuses, expected):
    mixed = [
        record("mixed", *([0.5] if status == "ok" else []), seed=seed, status=status)
        for seed, status in enumerate(statuses)
    ]
    section = only([*networks("mlp", [0.6] * 4), *mixed])
    assert row(section, "mixed").status == expected
    assert row(section, "mixed").rank is None
