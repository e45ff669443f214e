"""Every rule of `kobench verify` on the scores of one task: just inside, just outside.

Each rule has numbers on both of its sides, worked out by hand.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import factories
import pytest

from kobench.results.parts import Record
from kobench.verify.values import (
    check_counts,
    check_declared,
    check_draws,
    check_metric,
    check_scores,
    check_versions,
    drawn_of,
    numbers_of,
    range_of,
)

TASK = factories.TASK

NOTHING_KNOWN = SimpleNamespace(
    task=lambda _: None,
    metric=lambda task, shown: None,
    names_of=lambda *_: frozenset(),
    ranks_by_impacts=lambda _: False,
)


def read(document) -> Record:
    (one,) = factories.read([document])
    return one


def scores_of(metric=None, **more):
    made = factories.scores({"spearman": metric or factories.metric(0.5)}, **more)
    return next(iter(read(factories.record("mlp", made)).result.scores.values()))


def metric_with(**more):
    return scores_of({**factories.metric(0.5), **more}).metrics["spearman"]


def said_of(metric, scores=None, spec=None):
    return list(check_metric("spearman", metric, scores or scores_of(), spec))


# counts


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"asked": 10, "answered": 0, "coverage": 0.0}, None),
        ({"asked": 0, "answered": 0, "coverage": 0.0}, None),
        ({"asked": 10, "answered": 10.5, "coverage": 1.05}, "answered 10.5 of 10 units"),
        ({"asked": 10, "answered": -1, "coverage": -0.1}, "answered -1 of 10 units"),
        ({"asked": 10, "answered": 5, "coverage": None}, None),
        ({"asked": 10, "answered": 5, "coverage": 0.5 + 9e-7}, None),
        (
            {"asked": 10, "answered": 5, "coverage": 0.5 + 2e-6},
            "has coverage 0.500002, and answered 5 of 10 units",
        ),
        ({"left_out": {"silent": 0}}, None),
        ({"left_out": {"silent": 2, "none": -1}}, "left out -1 units (none)"),
        ({"events": {"asked": 1, "of": 1}}, None),
        ({"events": {"asked": 1, "of": 9}}, None),
        ({"events": {"asked": 0, "of": 9}}, "asked 0 of 9 events"),
        ({"events": {"asked": 10, "of": 9}}, "asked 10 of 9 events"),
    ],
)
def test_counts_add_up(changes, said):
    assert list(check_counts(scores_of(**changes))) == ([said] if said else [])


# one metric


@pytest.mark.parametrize(
    ("value", "missing", "fine"),
    [(0.5, None, True), (None, "none", True), (None, None, False), (0.5, "none", False)],
)
def test_there_is_a_value_or_a_reason(value, missing, fine):
    metric = replace(metric_with(), value=value, missing=missing)
    assert bool(said_of(metric)) != fine


OUT = "outside of its range, -1 to 1"


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        (1.0, True),
        (-1.0, True),
        (1 + 9e-7, True),
        (-1 - 9e-7, True),
        (1 + 2e-6, False),
        (-1 - 2e-6, False),
    ],
)
@pytest.mark.parametrize("what", ["the value", "the floor own-share", "the ceiling"])
def test_each_number_lies_in_the_range_of_its_metric(value, fine, what):
    drawn = {"value": value, "draws": []}
    changes = {
        "the value": {"value": value},
        "the floor own-share": {"floors": {"own-share": drawn}},
        "the ceiling": {"ceiling": drawn},
    }[what]
    scores = scores_of(asked=10, answered=5, coverage=0.5)
    said = said_of(metric_with(**changes), scores)
    assert said == ([] if fine else [f"{what} is {value:g}, {OUT}"])


@pytest.mark.parametrize("what", ["mean", "scores"])
@pytest.mark.parametrize("value", [1.5, -1.5])
def test_so_do_the_answers_of_permutations(what, value):
    permuted = {**factories.permuted(0.0, 0.5, scores=[0.1, 0.2]), "low": -2.0, "high": 2.0}
    permuted[what] = value if what == "mean" else [0.1, value]
    (said,) = said_of(metric_with(permuted=permuted))
    name = "the mean of permuted answers" if what == "mean" else "a permuted answer"
    assert said == f"{name} is {value:g}, {OUT}"


def test_of_several_numbers_out_of_range_the_first_is_told():
    metric = metric_with(value=2.0, ceiling={"value": 3.0, "draws": []})
    assert said_of(metric) == [f"the value is 2, {OUT}"]


def test_what_has_to_lie_within_the_range_and_what_has_draws():
    metric = metric_with(
        draws=[0.4, 7.0],
        floors={"a": {"value": 0.1, "draws": [0.2]}, "b": {"value": None, "draws": []}},
        ceiling={"value": 0.9, "draws": [0.8]},
        permuted=factories.permuted(0.3, 0.5, scores=[0.1, 0.2], names=["A", "B"]),
    )
    assert [(what, each.value, list(each.draws)) for what, each in drawn_of(metric)] == [
        ("the value", 0.5, [0.4, 7.0]),
        ("the floor a", 0.1, [0.2]),
        ("the floor b", None, []),
        ("the ceiling", 0.9, [0.8]),
    ]
    assert [value for _, value in numbers_of(metric)] == [0.5, 0.1, None, 0.9, 0.3, 0.1, 0.2]
    assert len(list(drawn_of(metric_with()))) == len(list(numbers_of(metric_with()))) == 1


def spec_with(**changes):
    usual = {"version": 1, "direction": "higher", "best": 1.0, "low": -1.0, "high": 1.0}
    return SimpleNamespace(**{**usual, **changes})


def test_the_range_is_the_declared_one_of_the_same_version_else_the_recorded_one():
    metric = metric_with(low=None, high=3.0)
    assert range_of(metric, spec_with()) == (-1.0, 1.0)
    for spec in (spec_with(version=2), None):
        assert range_of(metric, spec) == (-math.inf, 3.0)
    assert range_of(metric_with(low=-3.0, high=None), None) == (-3.0, math.inf)


@pytest.mark.parametrize(
    ("declared", "primary", "said"),
    [
        ({}, True, []),
        ({"direction": "lower"}, True, ["is better when higher, expected lower"]),
        ({"best": 0.9}, True, ["is 1 for the truth, expected 0.9"]),
        ({"best": 1 + 1e-12}, True, []),
        ({"low": 0.0}, True, ["has the range -1 to 1, expected 0 to 1"]),
        ({"high": 2.0}, True, ["has the range -1 to 1, expected -1 to 2"]),
        ({"high": 2.0}, False, []),
        ({"direction": "lower", "version": 2}, True, []),
    ],
)
def test_what_is_declared_is_what_is_recorded(declared, primary, said):
    scores = scores_of(primary=["spearman"] if primary else ["other"])
    metric = metric_with()
    assert list(check_declared("spearman", metric, scores, spec_with(**declared))) == said
    assert list(check_declared("spearman", metric, scores, None)) == []
    # a record from before the best value was written down says nothing of it
    nothing = replace(metric, best=None)
    assert list(check_declared("spearman", nothing, scores, spec_with(best=0.9))) == []


def draws_of(value, draws):
    return list(check_draws("the value", SimpleNamespace(value=value, draws=draws)))


#: Fifty draws of mean 0.5 and standard deviation 0.1.
FIFTY = [0.4, 0.6] * 25


@pytest.mark.parametrize(
    ("value", "draws", "fine"),
    [
        (0.5, FIFTY, True),
        (0.6, FIFTY, True),
        (0.6 + 9e-7, FIFTY, True),  # within rounding of the largest
        (0.6 + 2e-6, FIFTY, False),
        (0.4 - 9e-7, FIFTY, True),
        (0.4 - 2e-6, FIFTY, False),
        (0.9, FIFTY[:48], True),  # too few to tell
        (0.9, [*FIFTY[:48], None, None], True),
        (0.9, [*FIFTY, None], False),
        (None, FIFTY, True),
        # inside of all draws: 98 of 0.5, one of 0, one of 1: standard deviation 0.0707
        (0.5 + 0.141, [0.5] * 98 + [0.0, 1.0], True),
        (0.5 + 0.142, [0.5] * 98 + [0.0, 1.0], False),
        (0.5 - 0.142, [0.5] * 98 + [0.0, 1.0], False),
        # rounding is relative for what is large
        (1000.0009, [1000.0] * 50, True),
        (1000.002, [1000.0] * 50, False),
    ],
)
def test_a_value_lies_among_its_draws(value, draws, fine):
    said = draws_of(value, draws)
    assert bool(said) != fine
    if not fine:
        many = len([draw for draw in draws if draw is not None])
        assert f"the value is {value:g}, and its {many} bootstrap draws are" in said[0]


def test_draws_of_every_kind_are_looked_at():
    drawn = {"value": 0.9, "draws": FIFTY}
    scores = scores_of(asked=10, answered=5, coverage=0.5)
    metric = metric_with(value=0.9, draws=FIFTY, floors={"a": drawn}, ceiling=drawn)
    said = said_of(metric, scores)
    assert [text.partition(" is ")[0] for text in said] == [
        "the value",
        "the floor a",
        "the ceiling",
    ]
    assert "are 0.4 to 0.6 with mean 0.5" in said[0]


@pytest.mark.parametrize(
    ("coverage", "floors", "fine"),
    [(1.0, False, True), (1.0, True, False), (0.5, True, True), (None, True, True)],
)
def test_floors_of_an_answer_stand_beside_part_of_one_alone(coverage, floors, fine):
    scores = scores_of(asked=10, answered=5 if coverage == 0.5 else 10, coverage=coverage)
    metric = metric_with(floors={"a": {"value": 0.1, "draws": []}} if floors else {})
    assert bool(said_of(metric, scores)) != fine


# permutations


@pytest.mark.parametrize(
    ("changes", "fine"),
    [
        ({}, True),
        ({"low": 0.1}, True),
        ({"high": 0.1}, True),
        ({"low": 0.1 + 9e-7}, True),
        ({"low": 0.1 + 2e-6}, False),
        ({"high": 0.1 - 9e-7}, True),
        ({"high": 0.1 - 2e-6}, False),
        ({"p": 1.0}, True),
        ({"p": 1.0001}, False),
        ({"p": 0.0}, False),
        ({"p": 0.0001}, True),
    ],
)
def test_the_band_of_permuted_answers_has_their_mean_in_it_and_p_is_a_share(changes, fine):
    permuted = {**factories.permuted(0.1, 0.5), **changes}
    assert bool(said_of(metric_with(permuted=permuted))) != fine


def permutations(p, better, worse, direction="higher"):
    """Of so many permutations better and worse than the value 0.5."""
    high, low = (0.9, 0.1) if direction == "higher" else (0.1, 0.9)
    scores = [high] * better + [low] * worse
    names = [str(number) for number in range(len(scores))]
    permuted = {**factories.permuted(0.5, p, scores=scores, names=names), "low": -1, "high": 1}
    metric = metric_with(permuted=permuted, direction=direction)
    return [text for text in said_of(metric) if "permuted answers are as good" in text]


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_p_is_the_share_of_permutations_that_are_as_good(direction):
    # of 100 that give p = 0.1: four standard errors of 0.03, and two permutations, make 0.14
    assert permutations(0.1, 23, 77, direction) == []
    (said,) = permutations(0.1, 25, 75, direction)
    assert said == ("has p 0.1, and 25% of its permuted answers are as good as its 0.5")
    # of 100 that give p = 0.9 it is the same downwards
    assert permutations(0.9, 77, 23, direction) == []
    assert len(permutations(0.9, 75, 25, direction)) == 1
    # p = 0.001: the error is at least that of one permutation, 0.01: 0.04 and 0.02
    assert permutations(0.001, 6, 94, direction) == []
    assert len(permutations(0.001, 7, 93, direction)) == 1
    # fewer than fifty say nothing
    assert permutations(0.001, 49, 0, direction) == []
    assert len(permutations(0.001, 50, 0, direction)) == 1


def test_a_permuted_answer_of_the_same_value_is_as_good():
    scores, names = [0.5] * 50 + [0.1] * 50, [str(number) for number in range(100)]
    permuted = {**factories.permuted(0.3, 0.5, scores=scores, names=names), "low": -1, "high": 1}
    assert said_of(metric_with(permuted=permuted)) == []
    assert len(said_of(metric_with(permuted={**permuted, "p": 0.001}))) == 1


def test_without_a_value_there_is_nothing_to_permute():
    metric = metric_with(permuted={**factories.permuted(0.3, 0.5), "p": 7.0})
    assert len(said_of(metric)) == 1
    assert said_of(replace(metric, value=None, missing="none")) == []


# versions


def known_with(task=None, metric=None, **more):
    made = {
        "task": lambda name: None if task is None else SimpleNamespace(spec=task),
        "metric": lambda name, shown: metric,
    }
    return SimpleNamespace(**{**vars(NOTHING_KNOWN), **made, **more})


@pytest.mark.parametrize(
    ("label", "version", "known", "said"),
    [
        ("response@2", 2, 2, []),
        ("response@2", 2, 3, []),
        ("response@2", 2, None, []),
        ("response@2", 2, 1, ["the task has version 2, expected 1 to 1, which are known here"]),
        ("response@0", 0, 1, ["the task has version 0, expected 1 to 1, which are known here"]),
        ("response@1", 1, 1, []),
        ("response@3", 2, 2, ["is called 'response@3' and is response@2"]),
        ("other@2", 2, 2, ["is called 'other@2' and is response@2"]),
    ],
)
def test_a_task_has_a_version_that_is_known_and_is_called_so(label, version, known, said):
    scores = replace(scores_of(), task="response", version=version)
    declared = None if known is None else SimpleNamespace(version=known)
    assert list(check_versions(label, scores, known_with(declared))) == said


@pytest.mark.parametrize(("version", "fine"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_metric_has_a_version_that_is_known(version, fine):
    scores = scores_of()
    scores = replace(scores, metrics={"spearman": replace(metric_with(), version=version)})
    known = known_with(metric=spec_with(version=2))
    said = list(check_versions(TASK, scores, known))
    assert said == (
        [] if fine else [f"spearman has version {version}, expected 1 to 2, which are known here"]
    )
    assert list(check_versions(TASK, scores, known_with())) == []


def test_all_rules_are_asked_and_each_metric_is_named():
    scores = scores_of({**factories.metric(2.0)}, asked=1, answered=2, coverage=2.0)
    assert list(check_scores("other@1", scores, NOTHING_KNOWN)) == [
        f"is called 'other@1' and is {TASK}",
        "answered 2 of 1 units",
        f"spearman the value is 2, {OUT}",
    ]


def test_a_permuted_answer_that_is_the_same_but_for_its_digits_may_be_as_good():
    """Of four perturbations one order in 24 gives the score itself, kept with four digits."""
    scores, names = [0.4999] * 50 + [0.1] * 50, [str(number) for number in range(100)]
    permuted = {**factories.permuted(0.3, 0.5, scores=scores, names=names), "low": -1, "high": 1}
    for p, fine in ((0.5, True), (0.01, True), (0.9, False)):
        assert (said_of(metric_with(permuted={**permuted, "p": p})) == []) == fine
    scores = [0.49] * 50 + [0.1] * 50
    permuted = {**factories.permuted(0.3, 0.5, scores=scores, names=names), "low": -1, "high": 1}
    assert len(said_of(metric_with(permuted=permuted))) == 1
