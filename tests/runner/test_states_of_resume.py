"""What is done for a trial, for every state in which its record and its answers may be.

Records are made of the trial itself, so nothing runs.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from factories import read, record
from places import PREDICTORS

from kobench.errors import BAD, LIMIT_OF, STATUSES
from kobench.plugins.load import load_registry
from kobench.results.parts import Record
from kobench.runner.keys import Trial
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.resume import (
    Action,
    Policy,
    answered_for_good,
    decide,
    limits_of,
    passed_a_limit,
)
from kobench.supervisor.limits import FLAGS, Limits

#: Asked by assemblage: profile. Shown cells: singles, by two tasks, and response.
REQUEST = Request(
    ["grn:genes=12,cells=40"],
    ["good"],
    tasks=["profile", "keystone", "knockout-impact", "response"],
    limits=Limits(seconds=10, memory_mb=100, processes=10, written_mb=100),
)
ASKS = ("profile", "singles", "response")

#: By question set the hash of its answers.
ANSWERS = {name: letter * 64 for name, letter in zip(ASKS, "abc", strict=True)}
ALL = frozenset(ANSWERS.values())


@pytest.fixture(scope="module")
def trial() -> Trial:
    (group,) = make_plan(load_registry(plugin_files=[PREDICTORS]), REQUEST)
    return group.trials[0]


def record_of(trial: Trial, status: str = "ok", answers=ANSWERS, **run) -> Record:
    """The record that this trial leaves where it ends so."""
    (one,) = read([record("good", status=status, run=run)])
    result = replace(one.result, answers=dict(answers))
    return replace(one, trial=trial.describe(), keys=trial.keys, result=result)


def without_key(found: Record, part: str, name: str) -> Record:
    keys = {key: value for key, value in getattr(found.keys, part).items() if key != name}
    return replace(found, keys=replace(found.keys, **{part: keys}))


def other_key(found: Record, part: str, name: str) -> Record:
    keys = {**getattr(found.keys, part), name: "other"}
    return replace(found, keys=replace(found.keys, **{part: keys}))


def label_of(trial: Trial, name: str) -> str:
    (label,) = (task.spec.label for task in trial.tasks if task.spec.name == name)
    return label


def told(action: Action):
    return action.kind, action.asks, action.keep, action.goes_on


NOTHING = ("nothing", (), True, False)
SCORE = ("score", (), True, False)
FIT = ("fit", ASKS, False, False)


def ask(*names, goes_on=False):
    return ("ask", names, True, goes_on)


def test_the_trial_has_these_questions(trial):
    assert trial.asks == ASKS


def test_without_a_record_all_is_new(trial):
    for policy in Policy:
        action = decide(trial, None, ALL, policy)
        assert (told(action), action.reason) == (FIT, "no record yet")


@pytest.mark.parametrize("status", ["ok", *STATUSES])
def test_whoever_asks_for_it_anew_gets_it_anew(trial, status):
    found = record_of(trial, status, limits=Limits().to_json(), found="more")
    action = decide(trial, found, ALL, Policy.FRESH)
    assert (told(action), action.reason) == (FIT, "asked for anew")


@pytest.mark.parametrize("status", ["ok", *STATUSES])
def test_another_fit_is_made_however_the_record_ended(trial, status):
    found = record_of(trial, status, limits=Limits(seconds=10, memory_mb=100).to_json(), found="x")
    found = replace(found, keys=replace(found.keys, fit="other"))
    action = decide(trial, found, ALL)
    assert told(action) == FIT
    assert "is another one" in action.reason


def test_what_is_up_to_date_stays_though_its_answers_are_gone(trial):
    for stored in (ALL, frozenset()):
        action = decide(trial, record_of(trial), stored)
        assert (told(action), action.reason) == (NOTHING, "up to date")


@pytest.mark.parametrize("change", [without_key, other_key])
@pytest.mark.parametrize("name", ASKS)
def test_a_question_that_is_new_or_has_changed_is_asked_alone(trial, change, name):
    found = change(record_of(trial), "questions", name)
    action = decide(trial, found, ALL)
    assert (told(action), action.reason) == (ask(name), "a question is new or has changed")
    # whatever scores changed as well, and whatever answers are gone
    found = other_key(found, "scores", label_of(trial, "profile"))
    assert told(decide(trial, found, frozenset())) == ask(name)


def test_several_questions_are_asked_in_the_order_of_question_sets(trial):
    found = record_of(trial)
    for name in ("response", "profile"):
        found = other_key(found, "questions", name)
    assert told(decide(trial, found, ALL)) == ask("profile", "response")


#: By task the question set that it is scored on.
TASKS = {
    "profile": "profile",
    "keystone": "singles",
    "knockout-impact": "singles",
    "response": "response",
}


@pytest.mark.parametrize("change", [without_key, other_key])
@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_is_new_or_has_changed_is_scored_by_its_answers(trial, change, name):
    found = change(record_of(trial), "scores", label_of(trial, name))
    own = ANSWERS[TASKS[name]]
    action = decide(trial, found, {own})
    assert (told(action), action.reason) == (SCORE, "a task or metric is new or has changed")
    action = decide(trial, found, ALL - {own})
    assert (told(action), action.reason) == (ask(TASKS[name]), "the stored answers are gone")
    # answers that the record does not name are none
    nameless = replace(found, result=replace(found.result, answers={}))
    assert told(decide(trial, nameless, ALL)) == ask(TASKS[name])


def test_of_two_tasks_of_one_question_it_is_asked_once(trial):
    found = record_of(trial)
    for name in ("keystone", "knockout-impact", "response"):
        found = other_key(found, "scores", label_of(trial, name))
    assert told(decide(trial, found, frozenset())) == ask("singles", "response")
    assert told(decide(trial, found, {ANSWERS["singles"]})) == ask("response")
    assert told(decide(trial, found, {ANSWERS["response"]})) == ask("singles")
    assert told(decide(trial, found, ALL)) == SCORE


def test_what_a_trial_no_longer_asks_is_not_looked_at(trial):
    fewer = replace(trial, tasks=trial.tasks[:1])
    found = record_of(trial)
    for name in ("singles", "response"):
        found = other_key(found, "questions", name)
    for name in ("keystone", "response"):
        found = other_key(found, "scores", label_of(trial, name))
    assert told(decide(fewer, found, frozenset())) == NOTHING


def test_unsupported_is_for_good(trial):
    found = record_of(trial, "unsupported", {})
    for change in (
        found,
        other_key(found, "questions", "singles"),
        other_key(found, "scores", label_of(trial, "keystone")),
    ):
        action = decide(trial, change, frozenset())
        assert (told(action), action.reason) == (
            NOTHING,
            "the predictor does not support it",
        )


# failures

#: Of an end by a limit the record says which limits there were, and what was measured.
AT_LIMITS = {
    "limits": Limits(seconds=10, memory_mb=100, processes=10, written_mb=100).to_json(),
    "found": "it used more",
}


@pytest.mark.parametrize("status", BAD)
@pytest.mark.parametrize("stored", [ALL, frozenset(), frozenset([ANSWERS["singles"]])])
def test_a_failure_is_tried_again_but_for_what_was_answered_by_assemblage(trial, status, stored):
    """What passed a limit only where that is raised: here all are."""
    higher = replace(trial, request=replace(trial.request, limits=Limits(11, 101, 11, 101)))
    found = record_of(trial, status, **AT_LIMITS)
    action = decide(higher, found, stored)
    if ANSWERS["profile"] in stored:
        assert told(action) == ask("singles", "response", goes_on=True)
        assert action.reason == f"it ended as {status}; what it answered by assemblage alone stands"
    else:
        assert (told(action), action.reason) == (FIT, f"it ended as {status}")


@pytest.mark.parametrize("change", [without_key, other_key])
def test_answers_to_another_question_do_not_stand(trial, change):
    found = record_of(trial, "failed")
    assert answered_for_good(trial, found, ALL) == ["profile"]
    changed = change(found, "questions", "profile")
    assert answered_for_good(trial, changed, ALL) == []
    assert told(decide(trial, changed, ALL)) == FIT
    # of another question it does not matter
    assert answered_for_good(trial, change(found, "questions", "singles"), ALL) == ["profile"]


@pytest.mark.parametrize(
    ("answers", "stored", "stand"),
    [
        (ANSWERS, ALL, ["profile"]),
        (ANSWERS, [ANSWERS["profile"]], ["profile"]),
        (ANSWERS, [], []),
        ({"profile": "d" * 64}, ALL, []),
        ({"singles": ANSWERS["singles"]}, ALL, []),
        ({}, ALL, []),
    ],
)
def test_which_answers_stand(trial, answers, stored, stand):
    found = record_of(trial, "invalid", answers)
    assert answered_for_good(trial, found, stored) == stand


def test_where_nothing_but_assemblages_was_asked_a_failure_is_fitted_anew(trial):
    alone = replace(trial, tasks=trial.tasks[:1])
    assert told(decide(alone, record_of(alone, "failed"), ALL)) == (
        "fit",
        ("profile",),
        False,
        False,
    )
    # and where nothing was asked by assemblage
    rest = replace(trial, tasks=trial.tasks[1:])
    action = decide(rest, record_of(rest, "failed"), ALL)
    assert told(action) == ("fit", ("singles", "response"), False, False)


@pytest.mark.parametrize("status", LIMIT_OF)
@pytest.mark.parametrize(
    ("by", "again"), [(-1, False), (0, False), (1, True), (None, True)], ids=str
)
def test_what_passed_a_limit_is_tried_again_where_that_one_is_higher(trial, status, by, again):
    name = LIMIT_OF[status]
    same = trial.request.limits
    limits = replace(same, **{name: None if by is None else getattr(same, name) + by})
    action = decide(
        replace(trial, request=replace(trial.request, limits=limits)),
        record_of(trial, status, **AT_LIMITS),
        frozenset(),
    )
    assert told(action) == (FIT if again else NOTHING)
    assert action.reason == (
        f"it ended as {status}" if again else f"it passed this limit before ({FLAGS[name]})"
    )


@pytest.mark.parametrize("status", LIMIT_OF)
def test_another_limit_that_is_higher_changes_nothing(trial, status):
    name = LIMIT_OF[status]
    others = {other: None for other in trial.request.limits.to_json() if other != name}
    limits = replace(trial.request.limits, **others)
    higher = replace(trial, request=replace(trial.request, limits=limits))
    assert told(decide(higher, record_of(trial, status, **AT_LIMITS), ALL)) == NOTHING


def test_memory_that_ran_out_below_the_limit_may_do_next_time(trial):
    below = {**AT_LIMITS, "found": None}
    for status in LIMIT_OF:
        found = record_of(trial, status, **below)
        assert passed_a_limit(found) == (status != "out-of-memory")
        assert passed_a_limit(record_of(trial, status, **AT_LIMITS))
        expected = FIT if status == "out-of-memory" else NOTHING
        assert told(decide(trial, found, frozenset())) == expected
    assert not passed_a_limit(record_of(trial, "failed", **AT_LIMITS))
    assert not passed_a_limit(record_of(trial, "ok", **AT_LIMITS))
    assert passed_a_limit(record_of(trial, "out-of-memory", **{**AT_LIMITS, "found": "x"}))


def test_a_record_without_its_limits_has_the_one_of_time(trial):
    found = record_of(trial, "timeout", timeout=10.0)
    assert limits_of(found) == {"seconds": 10.0}
    assert told(decide(trial, found, frozenset())) == NOTHING
    higher = replace(trial, request=replace(trial.request, limits=Limits(seconds=11)))
    assert told(decide(higher, found, frozenset())) == FIT
    assert limits_of(record_of(trial, "timeout", **AT_LIMITS)) == AT_LIMITS["limits"]
