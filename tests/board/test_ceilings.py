"""Skill against the ceiling that records hold, where the truth is measured with noise."""

from __future__ import annotations

import numpy as np
import pytest
from factories import metric, record, scores
from scipy import stats
from sections import only, score


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
    section = only(measured("own-share", 0.12, 0.30, "floor") + measured("mlp", 0.30, 0.30))
    assert score(section, "mlp").skill_reason == "no headroom"
    said = (
        "no headroom: the gap between the best floor and what an answer without error would score"
        " here (0.300) is 0.180, and skill is"
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
