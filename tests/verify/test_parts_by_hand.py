"""What contradicts itself in a record, at the edge of each rule, of records made up for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import factories
import pytest

from kobench.plugins.load import load_registry
from kobench.results.parts import TaskScores
from kobench.verify import rescored
from kobench.verify.known import Known
from kobench.verify.origin import check_hashes, check_run
from kobench.verify.outcome import outcomes
from kobench.verify.rescored import Rescored
from kobench.verify.tables import check_table
from kobench.verify.values import check_counts, check_declared, check_lists, check_metric

TASK = factories.TASK


def scores_of(metric=None, **more) -> TaskScores:
    """Scores of one task, with one metric."""
    made = factories.scores({"spearman": metric or factories.metric(0.5)}, **more)
    (record,) = factories.read([factories.record("mlp", made)])
    (scores,) = record.result.scores.values()
    return scores


def metric_with(**more):
    return scores_of({**factories.metric(0.5), **more})


@pytest.mark.parametrize(
    ("coverage", "contradicts"),
    [(0.5, False), (0.5 + 1e-7, False), (0.5 - 1e-7, False), (0.6, True), (0.4, True)],
)
def test_coverage_is_what_was_answered_of_what_was_asked(coverage, contradicts):
    scores = scores_of(asked=10, answered=5, coverage=coverage)
    assert bool(list(check_counts(scores))) == contradicts


@pytest.mark.parametrize(
    ("p", "possible"), [(0.0, False), (-0.1, False), (1.0, True), (1.1, False)]
)
def test_a_p_of_permutations_is_above_0_and_1_at_most(p, possible):
    scores = metric_with(permuted=factories.permuted(0.1, p))
    said = list(check_metric("spearman", scores.metrics["spearman"], scores, None))
    assert said == ([] if possible else [f"has p {p:g}"])


def test_only_what_is_declared_of_the_same_version_counts():
    """What an older version of a metric was may have been another thing."""
    scores = metric_with(direction="lower")
    metric = scores.metrics["spearman"]
    spec = SimpleNamespace(version=1, direction="higher", best=1.0, low=-1.0, high=1.0)
    assert list(check_declared("spearman", metric, scores, spec)) == [
        "is better when lower, expected higher"
    ]
    spec.version = 2
    assert list(check_declared("spearman", metric, scores, spec)) == []


HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (None, []),
        ("scores", [f"it has scores of {TASK}, and no key of them"]),
        ("questions", [f"it has scores of {TASK}, and no key of them"]),
        ("answers", [f"it has scores of {TASK}, and no answers to singles"]),
    ],
)
def test_scores_have_keys_and_answers(missing, said):
    document = factories.record("mlp", 0.5)
    document["trial"]["dataset"]["digest"] = document["trial"]["predictor"]["digest"] = HASH
    document["keys"] = {"fit": HASH, "questions": {"singles": HASH}, "scores": {TASK: HASH}}
    document["result"]["answers"] = {"singles": HASH}
    if missing:
        (document["result"] if missing == "answers" else document["keys"])[missing] = {}
    (record,) = factories.read([document])
    assert list(check_hashes(record)) == said


@pytest.mark.parametrize(
    ("after", "zone", "possible"),
    [(-1, True, True), (0.9, True, True), (1.1, True, False), (-1, False, True), (2, False, False)],
)
def test_no_run_begins_more_than_a_day_from_now(after, zone, possible):
    started = datetime.now(UTC) + timedelta(days=after)
    text = (started if zone else started.replace(tzinfo=None)).isoformat()
    (record,) = factories.read([factories.record("mlp", 0.5, role="floor", run={"started": text})])
    assert list(check_run(record)) == ([] if possible else [f"it started at {text}"])


@pytest.mark.parametrize(
    "name", ["pearson-delta", "pearson-delta-centred", "pearson-delta-centred-unit"]
)
@pytest.mark.parametrize("variant", ["", "[all]"])
def test_each_mean_over_perturbations_is_that_of_its_column(name, variant):
    """Where there is a variant of all perturbations, it is the one that the column has."""
    known = SimpleNamespace(task=lambda _: True)

    def said(value):
        metrics = {name: 0.9, f"{name}{variant}": value}
        made = factories.scores(metrics, "response@2", [name], table={name: [0.2, None, 0.4]})
        (record,) = factories.read([factories.record("mlp", made)])
        (scores,) = record.result.scores.values()
        return list(check_table(record, scores, known))

    assert said(0.3) == []
    assert said(0.31) == [f"{name}{variant} is 0.31, and the mean of its 2 perturbations is 0.3"]


@pytest.mark.parametrize(
    ("changes", "checked"),
    [
        ({}, True),
        ({"left_out": ["no data"]}, False),
        ({"differing": [("t@1", "a")]}, False),
        ({"sampled_out": ["singles"]}, True),
        ({"sampled_out": ["singles"], "labels": []}, False),
        ({"status": "failed"}, False),
    ],
)
def test_a_record_is_checked_where_all_of_it_came_out(monkeypatch, changes, checked):
    (record,) = factories.read([factories.record("mlp", status=changes.get("status", "ok"))])
    sound = {"numbers": 1, "differing": [], "left_out": [], "sampled_out": [], "labels": ["t@1"]}
    done = SimpleNamespace(record=record, row="mlp", no_answers="", **{**sound, **changes})
    monkeypatch.setattr(rescored, "replay", lambda records, source: [done])
    found = rescored.rescore([record], None)
    assert found.checked == ({id(record)} if checked else set())
    assert found.no_answers == {}


@pytest.mark.parametrize(
    ("many", "last"),
    [(1, "d0"), (3, "d2"), (4, "d2, and 1 more numbers"), (9, "d2, and 6 more numbers")],
)
def test_three_differences_of_a_record_are_told_and_the_others_counted(monkeypatch, many, last):
    (record,) = factories.read([factories.record("mlp")])
    differing = [(f"t{number}@1", f"d{number}") for number in range(many)]
    sound = {"left_out": ["no data"], "sampled_out": ["cells"], "labels": [], "no_answers": "gone"}
    done = SimpleNamespace(record=record, row="a row", numbers=5, differing=differing, **sound)
    monkeypatch.setattr(rescored, "replay", lambda records, source: [done, done])
    told: list[object] = []
    found = rescored.rescore([record], None, told.append)
    assert told == [done, done]
    assert found.numbers == 10
    once = found.findings[: len(found.findings) // 2]
    assert len(once) == min(many, 3)
    assert once[-1].reason == last
    assert [one.reason for one in once[:-1]] == [f"d{number}" for number in range(len(once) - 1)]
    assert {(one.record is record, one.what) for one in once} == {(True, "a row")}
    assert [one.task for one in once] == [f"t{number}@1" for number in range(len(once))]
    assert [(one.record, one.what, one.task, one.reason) for one in found.open] == [
        (record, "a row", "", "no data")
    ] * 2
    assert found.sampled_out == {id(record): ["cells"]}
    assert found.no_answers == {id(record): "gone"}
    assert found.checked == set()


def test_what_kobench_knows_of_its_own_tasks_and_metrics():
    known = Known(load_registry())
    task = known.task("response")
    assert task is not None
    assert task.spec.name == "response"
    assert known.task("response") is task  # it is looked for once
    assert known.task("no-such-task") is None
    metric = known.metric("response", "pearson-delta-centred")
    assert metric is not None
    assert metric.name == "pearson-delta-centred"
    assert known.metric("response", "pearson-delta-centred[all]") == metric
    assert known.metric("response", "no-such-metric") is None
    assert known.metric("no-such-task", "pearson-delta-centred") is None
    assert known.ranks_by_impacts("no-such-predictor") is False


def test_what_strangers_declare_is_their_own_word():
    entry = SimpleNamespace(trusted=False)
    assert Known(SimpleNamespace(find=lambda kind, name: entry)).task("response") is None


RESPONSE = SimpleNamespace(
    version=2, floors=("a", "b"), lines=("truth",), primary=("first", "second")
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"floors": ["b", "a"]}, []),
        ({"floors": ["a"]}, ["names the floors a, and the task has a, b"]),
        ({"floors": ["a", "b", "c"]}, ["names the floors a, b, c, and the task has a, b"]),
        ({"lines": []}, ["names the lines none, and the task has truth"]),
        ({"primary": ["first[all]"]}, []),
        ({"primary": ["second"]}, []),
        ({"primary": []}, ["ranks by none, and the task has first, second"]),
        ({"primary": ["other"]}, ["ranks by other, and the task has first, second"]),
        ({"version": 1, "floors": ["a"], "primary": []}, []),  # what it had then is not known
    ],
)
def test_a_record_names_the_floors_and_lines_that_its_task_declares(changes, said):
    (record,) = factories.read([factories.record("mlp", 0.5)])
    (made,) = record.result.scores.values()
    sound = {"version": 2, "floors": ["a", "b"], "lines": ["truth"], "primary": ["first", "second"]}
    scores = replace(made, **{**sound, **changes})
    metrics = dict.fromkeys(RESPONSE.primary)
    known = SimpleNamespace(task=lambda _: SimpleNamespace(spec=RESPONSE, named_metrics=metrics))
    assert list(check_lists(scores, known)) == said
    assert list(check_lists(scores, SimpleNamespace(task=lambda _: None))) == []


def test_a_row_is_scored_again_where_each_of_its_tasks_was():
    """One record that was asked everything stands for the row, none for another task."""
    both = {**factories.scores({"spearman": 0.5}, "keystone@1"), **factories.scores({"x": 1.0})}
    first, second = factories.read(
        [factories.record("mlp", both), factories.record("mlp", 0.5, seed=1)]
    )
    task, other = sorted(both)

    def outcome(of_first, of_second, checked=2):
        done = Rescored(
            checked={id(one) for one in (first, second)[:checked]},
            labels={id(first): frozenset(of_first), id(second): frozenset(of_second)},
        )
        (found,) = outcomes([first, second], [], done)
        return found.word, found.without

    assert outcome({task, other}, {other}) == ("re-scored", ())
    assert outcome({task}, {other}) == ("re-scored", ())
    assert outcome({task}, set(), 1) == ("partly re-scored", (other,))
    assert outcome(set(), {other}) == ("partly re-scored", (task,))
    assert outcome(set(), set(), 0) == ("consistent", ())
