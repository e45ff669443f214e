"""What comes of fitting a row again, on records and answers made by hand: nothing is fitted."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import factories
import numpy as np
import pytest

from kobench.errors import BAD, WRONG, UserError
from kobench.results.evidence import place_of
from kobench.verify import rerun
from kobench.verify.finding import Finding
from kobench.verify.outcome import NOT_RERUN, evidence_of, outcomes
from kobench.verify.rerun import (
    MOST_TOLERANCE,
    OF_SCORES,
    Rerun,
    difference,
    judge,
    of_networks,
    other_code,
    other_scores,
    predictor_of,
)
from kobench.verify.rescored import Rescored


def made(value=0.5, answers=None, digest="cells", code="0" * 8, seed=0, **more):
    scores = None if value is None else factories.scores({"spearman": value})
    document = factories.record("mlp", scores, seed=seed, **more)
    document["result"]["answers"] = {"singles": "old"} if answers is None else answers
    document["trial"]["dataset"]["digest"] = digest
    document["trial"]["predictor"]["digest"] = code
    return factories.read([document])[0]


def metric_of(record, **changes):
    scores = record.result.scores[factories.TASK]
    metric = replace(scores.metrics["spearman"], **changes)
    scores = replace(scores, metrics={"spearman": metric})
    return replace(record, result=replace(record.result, scores={factories.TASK: scores}))


def store(**kept):
    return SimpleNamespace(has=lambda key: key in kept, load=lambda key: {"a": np.array(kept[key])})


#: By the key of answers their numbers; the second differ by a twentieth of the largest.
OLD, NEAR = [1.0, 4.0], [1.0, 4.2]


def judged(record, here, tolerance=0.0, recorded=None, other=""):
    entry = SimpleNamespace(spec=SimpleNamespace(tolerance=tolerance))
    trial = SimpleNamespace(predictor=SimpleNamespace(entry=entry))
    found = Rerun()
    kept = store(old=OLD) if recorded is None else recorded
    judge(record, here, trial, kept, store(old=OLD, near=NEAR, new=OLD), found, other)
    wrong = [(one.task, one.reason) for one in found.findings]
    unknown = [one.reason for one in found.open]
    assert all(one.record is record for one in (*found.findings, *found.open))
    assert found.checked == (set() if wrong or unknown else {id(record)})
    return wrong, unknown


FINE = ([], [])


def test_the_same_answers_and_scores_are_the_same_row():
    assert judged(made(), made()) == FINE
    assert judged(made(), made(answers={"singles": "new"})) == FINE
    # what nobody scored need not be answered
    assert judged(made(answers={"singles": "old", "profile": "x"}), made()) == FINE


def test_other_answers_are_wrong_within_the_tolerance_of_their_author():
    near = made(answers={"singles": "near"})
    (wrong, unknown) = judged(made(), near, 0.01)
    assert (wrong[0][0], unknown) == ("", [])
    assert wrong[0][1] == (
        "fitted again, its answers to singles differ: a by 0.05 of its largest, its tolerance is"
        " 0.01"
    )
    assert judged(made(), near, 0.06) == FINE
    assert judged(made(), made(answers={}))[0] == [
        ("", "fitted again, it gave no answers to singles")
    ]
    # other cells are the first thing to say of it
    ((_, reason),), _ = judged(made(), made(answers={"singles": "near"}, digest="other"))
    assert reason.endswith("; its dataset has other cells here, too")


@pytest.mark.parametrize(
    ("tolerance", "fine"), [(0.0, True), (MOST_TOLERANCE, True), (0.11, False), (-0.1, False)]
)
def test_what_an_author_may_declare(tolerance, fine):
    wrong, unknown = judged(made(), made(), tolerance)
    assert wrong == []
    assert unknown == (
        [] if fine else [f"it declares tolerance {tolerance:g}, expected 0 to {MOST_TOLERANCE:g}"]
    )


@pytest.mark.parametrize("status", BAD)
def test_a_trial_that_fails_here_says_nothing_of_the_row(status):
    failed = made(None, {}, status=status, stage="fit", message="no\n  room")
    assert judged(made(), failed) == (
        [],
        [f"fitted again, its trial ended as {status!r}: no room"],
    )


def test_answers_that_are_not_there_can_not_be_compared():
    wrong, (unknown,) = judged(made(), made(answers={"singles": "new"}), recorded=store())
    assert wrong == []
    assert "its answers to singles are not there" in unknown
    # their hash alone is enough where it is the same
    assert judged(made(), made(), recorded=store()) == FINE


def test_scores_that_answers_do_not_give_are_wrong():
    ((label, reason),), unknown = judged(made(), made(0.6))
    assert (label, unknown) == (factories.TASK, [])
    assert reason == "spearman is 0.5, fitted again 0.6"
    # answers that differ are said, and not the scores that follow
    wrong, _ = judged(made(), made(0.6, {"singles": "near"}))
    assert len(wrong) == 1
    assert "its answers" in wrong[0][1]


def test_other_code_that_is_installed_here_may_answer_otherwise():
    assert judged(made(), made(0.6), other="of other code") == (
        [],
        ["spearman is 0.5, fitted again 0.6; of other code"],
    )
    assert judged(made(), made(), other="of other code") == FINE


@pytest.mark.parametrize(
    ("before", "now", "share", "differs"),
    [
        # the range is -1 to 1, so a share of 0.01 is 0.02
        ({}, {"value": 0.5199}, 0.01, False),
        ({}, {"value": 0.5201}, 0.01, True),
        ({}, {"value": 0.4799}, 0.01, True),
        ({"low": None}, {"value": 0.509}, 0.01, False),
        ({"low": None}, {"value": 0.511}, 0.01, True),
        ({"high": None}, {"value": 0.511}, 0.01, True),
        ({}, {"value": None, "missing": "x"}, 0.01, True),
        ({"value": None, "missing": "x"}, {}, 0.01, True),
        ({"value": None, "missing": "x"}, {"value": None, "missing": "x"}, 0.01, False),
        ({}, {"value": 0.9, "version": 2}, 0.01, False),
    ],
)
def test_how_far_a_score_may_be(before, now, share, differs):
    one, two = metric_of(made(), **before), metric_of(made(), **now)
    found = list(other_scores(one, two, share))
    assert bool(found) == differs
    assert share > OF_SCORES
    nothing = replace(two, result=replace(two.result, scores={}))
    assert list(other_scores(one, nothing, share)) == []
    if differs:
        assert found[0][0] == factories.TASK
        assert ("none" in found[0][1]) == (None in (before.get("value", 0), now.get("value", 0)))


def test_only_primary_scores_are_compared():
    one, two = made(), made(0.9)
    scores = {label: replace(each, primary=["other"]) for label, each in one.result.scores.items()}
    one = replace(one, result=replace(one.result, scores=scores))
    assert list(other_scores(one, two, 0.01)) == []


def test_answers_differ_by_a_share_of_the_largest_of_their_array():
    def apart(one, two, tolerance):
        return difference({"a": np.array(one)}, {"a": np.array(two)}, tolerance)

    assert apart([1.0, -4.0], [1.0, -4.4], 0.11) == ""
    assert "0.1 of its largest" in apart([1.0, -4.0], [1.0, -4.4], 0.09)
    assert apart([0.0], [0.0], 0.0) == ""
    assert "by inf of its largest" in apart([0.0], [1e-300], 0.1)
    assert apart([np.nan], [np.nan], 0.0) == ""
    assert apart([np.nan, 1.0], [1.0, np.nan], 1.0) == "differ: a has numbers in other places"
    assert apart([1, 2], [1, 2], 0.0) == ""
    assert apart([1, 2], [1, 3], 0.1) == "differ: a is another"
    assert apart([1.0], [1], 0.1) == ""
    assert apart([1.5], [1], 0.1) == "differ: a is another"


# whose method it is


def predictors(*entries):
    found = [
        SimpleNamespace(
            distribution=distribution,
            environment=environment,
            plugin_file=file,
            full_name=f"{distribution}{environment}{file or ''}/mlp",
        )
        for distribution, environment, file in entries
    ]
    return SimpleNamespace(predictors={"mlp": found})


@pytest.mark.parametrize(
    ("selection", "environment", "method", "chosen"),
    [
        ("mlp", None, {}, "d/mlp"),
        ("mlp:width=3", None, {}, "d/mlp:width=3"),
        ("other/mlp", None, {}, "d/mlp"),
        ("mlp", "e", {}, "de/mlp"),
        ("mlp", None, {"environment": "e"}, "de/mlp"),
        ("mlp", None, {"environment": "x"}, None),
        ("mlp", "e", {"plugin_file": "f.py"}, "df.py/mlp"),
        ("mlp", "x", {}, None),
        ("gbm", None, {}, None),
    ],
)
def test_which_method_is_that_of_a_record(monkeypatch, selection, environment, method, chosen):
    monkeypatch.setattr(rerun, "choose", lambda registry, kind, text: (kind, text))
    registry = predictors(("c", "", None), ("d", "", None), ("d", "e", None), ("d", "", "f.py"))
    record = made(distribution="d")
    told = replace(record.trial.predictor, selection=selection, environment=environment)
    record = replace(record, trial=replace(record.trial, predictor=told))
    one = SimpleNamespace(**{"environment": "", "plugin_file": "", "registry": registry, **method})
    if chosen is None:
        where = f"environment {method['environment']}" if method else "d"
        with pytest.raises(UserError, match=rf"its method is not here \({where} brings no"):
            predictor_of(record, one)
    else:
        assert predictor_of(record, one) == ("predictors", chosen)


def test_installed_code_that_is_another_is_told_from_that_of_a_record():
    record = made(distribution="d", code="a" * 16)

    def said(source, distribution="d", environment=""):
        entry = SimpleNamespace(distribution=distribution, environment=environment)
        chosen = SimpleNamespace(entry=entry, source=source)
        return other_code(record, SimpleNamespace(predictor=chosen))

    assert said("a" * 16) == ""
    assert "version 0.1.0, code aaaaaaaaaaaa); say with --from" in said("b" * 16)
    # what was named for it is meant to be that code
    assert said("b" * 16, "other") == said("b" * 16, environment="e") == ""


def test_the_networks_that_are_asked_for():
    records = [made(seed=seed) for seed in (0, 1, 2, None)]
    assert of_networks(records, []) == records
    assert of_networks(records, [1]) == [records[1], records[3]]


# what becomes of the row


ROW = [made(seed=0), made(seed=1)]


def outcome(fitted, findings=()):
    labels = {id(one): frozenset([factories.TASK]) for one in ROW}
    again = Rescored(checked={id(one) for one in ROW}, labels=labels)
    (one,) = outcomes(ROW, findings, again, fitted)
    return one


@pytest.mark.parametrize(
    ("checked", "word", "count", "sampled"),
    [(0, "re-scored", 2, False), (1, "re-run", 1, True), (2, "re-run", 2, False)],
)
def test_a_row_that_was_fitted_again(checked, word, count, sampled):
    found = outcome(Rerun(checked={id(one) for one in ROW[:checked]}))
    assert (found.word, found.checked, found.sampled) == (word, count, sampled)
    kept = evidence_of([found], "me", "2026-01-01")[place_of(ROW[0])]
    assert (kept.outcome, kept.checked) == (word, count)


def test_a_row_that_could_not_be_fitted_again_says_why_once():
    open_ = [Finding(one, "mlp", "", "no method") for one in ROW]
    found = outcome(Rerun(open=open_, checked={id(ROW[0])}))
    assert (found.word, found.open) == (NOT_RERUN, ["mlp: no method"])
    assert evidence_of([found], "me", "2026-01-01") == {}
    assert outcome(Rerun(open=open_)).word == NOT_RERUN
    found = outcome(Rerun(open=open_), [Finding(ROW[1], "mlp", "", "this")])
    assert (found.word, found.open) == (WRONG, [])
