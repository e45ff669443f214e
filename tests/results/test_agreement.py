"""Two scorings compared: which differences count, by the digits that are kept of each number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kobench.results.agreement import (
    DRAWN,
    VALUE,
    Agreement,
    Difference,
    compare,
    same,
    short,
    tolerance_at,
    walk,
)
from kobench.results.agreement import PERMUTED as PERMUTED_DIGITS
from kobench.results.parts import Calibration, MetricScore, PermutedScores, TaskScores

PERMUTED = PermutedScores(
    mean=0.1, sd=0.2, low=-0.2, high=0.4, p=0.01, draws=999, scores=[0.1234, 0.2], names=["A", "B"]
)
METRIC = MetricScore(
    version=1,
    value=0.5,
    draws=[0.4, None, 0.6],
    direction="higher",
    best=1.0,
    low=-1.0,
    high=1.0,
    missing=None,
    floors={},
    permuted=PERMUTED,
)
SCORES = TaskScores(
    task="response",
    kind="response",
    asks="perturbations",
    primary=["pearson"],
    floors=["plus-mean"],
    lines=[],
    block="perturbation",
    blocks=2,
    asked=2.0,
    answered=2.0,
    coverage=1.0,
    left_out={},
    metrics={"pearson": METRIC},
)


def with_metric(**changes):
    return replace(SCORES, metrics={"pearson": replace(METRIC, **changes)})


def places(here, tolerance=1e-8):
    return [each.where for each in compare(SCORES, here, {"pearson": tolerance}).differing]


def test_the_same_scores_differ_nowhere_and_every_number_was_looked_at():
    agreement = compare(SCORES, SCORES, {"pearson": 1e-8})
    assert agreement.differing == []
    # version, value, best, low, high; 2 draws; 5 and draws, 2 scores of the permuted;
    # version, blocks, asked, answered, coverage of the task
    assert agreement.numbers == 5 + 2 + 6 + 2 + 5


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"value": 0.5 * (1 + 2e-8)}, ["metrics.pearson.value"]),
        ({"value": 0.5 * (1 + 0.9e-8)}, []),
        ({"value": None, "missing": "none"}, ["metrics.pearson.missing", "metrics.pearson.value"]),
        ({"version": 2}, ["metrics.pearson.version"]),
        ({"draws": [0.4, None, 0.6001]}, ["metrics.pearson.draws.2"]),
        ({"draws": [0.4, None, 0.600001]}, []),
        ({"draws": [0.4, 0.1, 0.6]}, ["metrics.pearson.draws.1"]),
        ({"draws": [0.4, None]}, ["metrics.pearson.draws"]),
        ({"direction": "lower"}, ["metrics.pearson.direction"]),
        (
            {"permuted": replace(PERMUTED, p=0.0101, scores=[0.12341, 0.2])},
            ["metrics.pearson.permuted.p"],
        ),
        (
            {"permuted": replace(PERMUTED, scores=[0.1244, 0.2])},
            ["metrics.pearson.permuted.scores.0"],
        ),
        ({"permuted": None}, ["metrics.pearson.permuted"]),
    ],
)
def test_what_differs_of_a_metric(changes, where):
    assert places(with_metric(**changes)) == where


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"answered": 1.9999999}, ["answered"]),
        ({"blocks": 3}, ["blocks"]),
        ({"left_out": {"silent": 1.0}}, ["left_out.silent"]),
        ({"primary": ["other"]}, ["primary.0"]),
        ({"coverage": 1.0000001}, []),
    ],
)
def test_what_differs_of_a_task(changes, where):
    assert places(replace(SCORES, **changes)) == where


CALIBRATION = Calibration(duplicate=0.5, control="mean", known=0.1, apart=0.4, low=0.3, high=0.5)


def test_a_calibration_that_a_record_lacks_or_has_otherwise_is_a_difference():
    """Whoever takes it out would have a metric counted that can't tell anything there."""
    assert places(with_metric(calibration=CALIBRATION)) == ["metrics.pearson.calibration"]
    recorded = with_metric(calibration=CALIBRATION)
    gone, other = with_metric(), with_metric(calibration=replace(CALIBRATION, apart=0.41))
    found = [
        [each.where for each in compare(recorded, here, {"pearson": 1e-8}).differing]
        for here in (gone, other)
    ]
    assert found == [["metrics.pearson.calibration"], ["metrics.pearson.calibration.apart"]]


def test_which_of_two_equal_controls_came_first_is_no_difference():
    recorded = with_metric(calibration=CALIBRATION)

    def found(**changes):
        here = with_metric(calibration=replace(CALIBRATION, **changes))
        return [each.where for each in compare(recorded, here, {"pearson": 1e-8}).differing]

    assert found(control="direction") == []
    assert found(control="direction", known=0.11) == ["metrics.pearson.calibration.known"]
    assert found(control=None) == ["metrics.pearson.calibration.control"]


def test_a_metric_without_tolerance_must_be_equal_to_the_last_digit():
    assert places(with_metric(value=0.500000000001), tolerance=0.0) == ["metrics.pearson.value"]
    assert places(with_metric(value=0.500000000001)) == []


def test_what_is_left_of_sums_that_cancel_is_no_difference():
    assert same(1e-17, -2e-17, 1e-8)
    assert not same(1e-7, 2e-7, 1e-8)
    assert not same(0.0, 1e-300, 0.0)
    assert not same(1, True, 1e-8)


def test_a_difference_says_both_numbers_and_what_was_allowed():
    (difference,) = compare(SCORES, with_metric(value=0.9), {"pearson": 1e-8}).differing
    assert str(difference) == "metrics.pearson.value: 0.5 recorded, 0.9 here (within 1e-08)"


@pytest.mark.parametrize(
    ("recorded", "here", "tolerance", "agree"),
    [
        (0.0, 0.9e-9, 1e-5, True),  # what is left of sums that cancel
        (0.0, 1.1e-9, 1e-5, False),
        (0.0, 5e-6, 1e-5, False),
        (0.0, 5e-10, 1e-11, False),  # no more than a number of size 1 may differ by
        (1.0, 1.0 + 0.9e-5, 1e-5, True),
        (1.0 + 1.1e-5, 1.0, 1e-5, False),
        (-1.0, 1.0, 1.5, False),
        (3, 3.0, 0.0, True),
        (True, 1, 0.0, False),
        (True, 1.0, 1e-5, False),
    ],
)
def test_numbers_near_0_and_what_is_no_number(recorded, here, tolerance, agree):
    assert same(recorded, here, tolerance) == agree


def test_what_only_one_side_has_is_a_number_that_was_compared():
    for recorded, here in ((None, 0.5), (0.5, None)):
        found = Agreement(0, [])
        (difference,) = walk({"a": recorded}, {"a": here}, ("metrics",), {}, found)
        assert (found.numbers, difference.where) == (1, "metrics.a")
        assert (difference.recorded, difference.here) == (recorded, here)


def test_values_in_messages_are_short():
    assert short("x" * 60) == "x" * 60
    assert short("x" * 61) == "x" * 57 + "..."
    assert short(None) == "nothing"
    assert short(0.12345678901) == "0.123456789"
    one = Difference("metrics.mae", 0.5, None, 1e-5)
    assert str(one) == "metrics.mae: 0.5 recorded, nothing here (within 1e-05)"
    assert str(replace(one, tolerance=0.0)).endswith("(exactly that)")


def test_lists_of_other_lengths_are_one_difference_and_numbers_of_either_sign_agree_alike():
    found = [each.where for each in walk([1, 2], [1, 2, 3], ("draws",), {}, Agreement(0, []))]
    assert found == ["draws"]
    for sign in (1.0, -1.0):
        assert same(sign, sign * (1 + 0.9e-5), 1e-5)
        assert not same(sign, sign * (1 + 1.1e-5), 1e-5)
        assert same(sign * (1 + 0.9e-5), sign, 1e-5)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (("asked",), 0.0),
        (("answered",), 0.0),
        (("blocks",), 0.0),
        (("left_out", "silent"), 0.0),
        (("version",), 0.0),
        (("sampled", "of"), 0.0),
        (("events", "drawn"), 0.0),
        (("points", "x"), PERMUTED_DIGITS),
        (("metrics", "mae", "permuted", "scores", "0"), PERMUTED_DIGITS),
        (("metrics", "mae", "permuted", "p"), DRAWN),
        (("metrics", "mae", "value"), 1e-3),
        (("metrics", "exact", "value"), 0.0),
        (("metrics", "strict", "value"), VALUE),
        (("metrics", "mae", "draws", "0"), DRAWN),
        (("metrics", "mae", "floors", "value"), DRAWN),
        (("coverage",), DRAWN),
    ],
)
def test_what_each_place_of_a_score_may_differ_by(path, allowed):
    assert tolerance_at(path, {"mae": 1e-3, "exact": 0.0, "strict": 1e-15}) == allowed
