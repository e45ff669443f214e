"""Where every floor is worse than predicting no effect, predicting none is the floor."""

from __future__ import annotations

import numpy as np
import pytest
from factories import metric, record, scores
from scipy import stats
from sections import change, only, score


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
        "good is better than the best floor, doing nothing, by 0.500 [0.500, 0.500]."
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


def screens(name, value, role="predictor", **cell):
    """A score on the scale of screens: 0 is what the mean response has."""
    made = metric(value, low=None, nothing=0.0, **cell)
    entry = scores({"six": made}, primary=("six",), floors=("no-effect",), kind="screen")
    return [record(name, entry, role=role, seed=seed) for seed in range(5)]


def test_of_screens_the_mean_response_is_the_floor_where_the_best_floor_is_worse():
    records = screens("no-effect", -0.4, "floor") + screens("constant", -0.1)
    section = only(records + screens("good", 0.3))
    assert section.primary[0].floor == "mean response"
    assert [one.name for one in section.floors] == ["mean response", "no-effect"]
    assert score(section, "constant", "six").verdict == "worse"
    assert score(section, "good", "six").verdict == "better"
    assert "so mean response counts" in " ".join(section.remarks)


def test_an_answer_without_a_value_is_not_given_that_of_the_mean_response():
    gaps = screens("gaps", None, missing="none")
    section = only(screens("no-effect", -0.4, "floor") + screens("good", 0.3) + gaps)
    found = score(section, "gaps", "six")
    assert (found.value, found.verdict) == (None, "")
