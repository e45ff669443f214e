"""What a run does again: a table of changes to a trial, and how a trial ended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from places import PREDICTORS

from kobench.plugins.chosen import Chosen, Task, own_hash
from kobench.plugins.load import load_registry
from kobench.question import SETS
from kobench.results.answer_store import AnswerStore
from kobench.results.parts import Record
from kobench.results.records import read_record, record_path
from kobench.runner.keys import Group, Trial
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.resume import Policy, decide
from kobench.runner.run import Run
from kobench.specs import MetricSpec
from kobench.supervisor.limits import Limits

REQUEST = Request(["grn:genes=15,cells=60"], ["good"], tasks=["profile", "keystone"])


@pytest.fixture(scope="module")
def registry():
    return load_registry(plugin_files=[PREDICTORS])


@pytest.fixture(scope="module")
def finished(tmp_path_factory, registry):
    """The folder of a finished run, and its only predictor's trial."""
    folder = tmp_path_factory.mktemp("finished")
    (group,) = make_plan(registry, REQUEST)
    Run(folder).run([group])
    return folder, group.trials[0]


def only_trial(registry, request=REQUEST) -> Trial:
    (group,) = make_plan(registry, request)
    return group.trials[0]


def with_entry(chosen: Chosen, **changes) -> Chosen:
    return replace(chosen, entry=replace(chosen.entry, **changes))


def with_spec(chosen, **changes):
    return with_entry(chosen, spec=replace(chosen.entry.spec, **changes))


def change_tasks(trial: Trial, change) -> Trial:
    return replace(trial, tasks=tuple(change(task) for task in trial.tasks))


def newer_metric(task: Task) -> Task:
    first, *rest = task.metrics
    return replace(task, metrics=(replace(first, spec=replace(first.spec, version=99)), *rest))


def newer_task(task: Task) -> Task:
    return replace(task, entry=replace(task.entry, spec=replace(task.spec, version=99)))


def one_more_metric(task: Task) -> Task:
    spec = MetricSpec("another", "math:fsum", of=task.spec.of)
    return replace(task, metrics=(*task.metrics, replace(task.metrics[0], spec=spec)))


def strangers_metric(task: Task) -> Task:
    return replace(
        task,
        metrics=tuple(replace(entry, trusted=False, digest="edited") for entry in task.metrics),
    )


def ask(trial: Trial, **changes) -> Trial:
    return replace(trial, request=replace(trial.request, **changes))


CHANGES = {
    # what decides nothing
    "nothing": (lambda t, r: t, "nothing"),
    "another time limit": (lambda t, r: ask(t, limits=Limits(seconds=60)), "nothing"),
    "more fit seeds asked for": (lambda t, r: ask(t, fit_seeds=3), "nothing"),
    "a second predictor beside it": (
        lambda t, r: only_trial_of(r, replace(REQUEST, predictors=["half", "good"])),
        "nothing",
    ),
    "fewer tasks": (lambda t, r: replace(t, tasks=t.tasks[:1]), "nothing"),
    "the order of tasks": (lambda t, r: replace(t, tasks=t.tasks[::-1]), "nothing"),
    "the dataset written out with its defaults": (
        lambda t, r: only_trial(
            r, replace(REQUEST, datasets=["grn:genes=15,cells=60,sigma=0.1,seed=0"])
        ),
        "nothing",
    ),
    "two networks instead of one": (lambda t, r: ask(t, networks=2), "score"),
    # what needs a new fit
    "the predictor's code": (
        lambda t, r: replace(t, predictor=replace(t.predictor, source="edited")),
        "fit",
    ),
    "the predictor's distribution version": (
        lambda t, r: replace(t, predictor=with_entry(t.predictor, version="9")),
        "fit",
    ),
    "the predictor's own version": (
        lambda t, r: replace(t, predictor=with_spec(t.predictor, version=2)),
        "fit",
    ),
    "the dataset's version": (
        lambda t, r: replace(t, dataset=with_spec(t.dataset, version=99)),
        "fit",
    ),
    "the dataset's file": (
        lambda t, r: replace(t, dataset=replace(t.dataset, source="another sha256")),
        "fit",
    ),
    "asked for anew": (lambda t, r: t, "fresh"),
    # another trial altogether: no record yet
    "a parameter of the predictor": (
        lambda t, r: only_trial(r, replace(REQUEST, predictors=["good:strength=2"])),
        "new",
    ),
    "a parameter of the dataset": (
        lambda t, r: only_trial(r, replace(REQUEST, datasets=["grn:genes=15,cells=60,sigma=0.2"])),
        "new",
    ),
    "another fit seed": (lambda t, r: replace(t, fit_seed=1), "new"),
    "another split seed": (lambda t, r: replace(t, split=replace(t.split, seed=1)), "new"),
    "more threads": (lambda t, r: ask(t, threads=2), "new"),
    "another device": (lambda t, r: ask(t, device="cuda"), "new"),
    # what needs a new question
    "a task that asks the same question": (
        lambda t, r: only_trial(
            r, replace(REQUEST, tasks=["profile", "keystone", "knockout-impact"])
        ),
        "score",
    ),
    "another limit of rows": (lambda t, r: ask(t, row_limit=100), "ask both"),
    "a question's definition": (lambda t, r: t, "ask singles"),
    # what needs a new score
    "a metric's version": (lambda t, r: change_tasks(t, newer_metric), "score"),
    "one more metric": (lambda t, r: change_tasks(t, one_more_metric), "score"),
    "a stranger's metric that was edited": (
        lambda t, r: change_tasks(t, strangers_metric),
        "score",
    ),
    "a task's version": (lambda t, r: change_tasks(t, newer_task), "score"),
    "ten networks, so no draws": (lambda t, r: ask(t, networks=10), "score"),
    "a metric's version, and the answers are gone": (
        lambda t, r: change_tasks(t, newer_metric),
        "ask lost",
    ),
}


def only_trial_of(registry, request) -> Trial:
    (group,) = make_plan(registry, request)
    return next(trial for trial in group.trials if trial.predictor.selection == "good")


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_change_asks_for(what, finished, registry, monkeypatch):
    folder, trial = finished
    change, expected = CHANGES[what]
    changed = change(trial, registry)
    path = record_path(folder, changed.describe("", "", ()))
    record = read_record(path) if path.exists() else None
    stored = set() if expected == "ask lost" else AnswerStore(folder).keys()
    if what == "a question's definition":
        changed_set = replace(SETS["singles"], version=99)
        monkeypatch.setitem(SETS, "singles", changed_set)
    action = decide(changed, record, stored, Policy.FRESH if expected == "fresh" else Policy.RESUME)
    assert (record is None) == (expected == "new")
    asks = {
        "ask both": ("profile", "singles"),
        "ask lost": ("profile", "singles"),
        "ask singles": ("singles",),
    }
    assert action.kind == {"fresh": "fit", "new": "fit"}.get(expected, expected.split()[0])
    assert action.keep == (action.kind != "fit")
    assert action.asks == (
        asks.get(expected) or (("profile", "singles") if action.kind == "fit" else ())
    )


@pytest.mark.parametrize(
    ("status", "limit", "expected"),
    [
        ("failed", None, "fit"),
        ("invalid", None, "fit"),
        ("unsupported", None, "nothing"),
        ("timeout", 10.0, "nothing"),
        ("timeout", 5.0, "nothing"),
        ("timeout", 11.0, "fit"),
        ("timeout", None, "fit"),
    ],
)
@pytest.mark.parametrize("old", [True, False])
def test_what_ended_early_is_tried_again(finished, status, limit, expected, old):
    folder, trial = finished
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"]["status"] = status
    if old:
        del record["run"]["limits"]
    record["run"] |= (
        {"timeout": 10.0} if old else {"limits": {**record["run"]["limits"], "seconds": 10.0}}
    )
    assert (
        decide(ask(trial, limits=Limits(seconds=limit)), Record.from_json(record), ()).kind
        == expected
    )


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("out-of-memory", "memory_mb"),
        ("too-many-processes", "processes"),
        ("too-much-written", "written_mb"),
    ],
)
def test_what_passed_a_limit_is_tried_again_when_that_limit_is_raised(finished, status, name):
    folder, trial = finished
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"]["status"] = status
    record["run"] |= {"limits": Limits(**{name: 100}).to_json(), "found": "it used 101"}
    for limit, expected in ((99, "nothing"), (100, "nothing"), (101, "fit"), (None, "fit")):
        assert (
            decide(ask(trial, limits=Limits(**{name: limit})), Record.from_json(record), ()).kind
            == expected
        ), limit
    others = Limits(**{other: None for other in Limits().to_json() if other != name}, **{name: 100})
    assert decide(ask(trial, limits=others), Record.from_json(record), ()).kind == "nothing"


def test_a_predictor_that_ran_out_of_memory_below_the_limit_is_tried_again(finished):
    folder, trial = finished
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"]["status"] = "out-of-memory"
    record["run"] |= {"limits": Limits(memory_mb=100).to_json(), "found": None}
    assert (
        decide(ask(trial, limits=Limits(memory_mb=100)), Record.from_json(record), ()).kind == "fit"
    )


def test_scoring_again_gives_the_same_scores_and_keeps_the_cost(finished, registry):
    folder, trial = finished
    before = read_record(record_path(folder, trial.describe("", "", ())))
    (group,) = make_plan(
        registry, replace(REQUEST, tasks=["profile", "keystone", "knockout-impact"])
    )
    outcome = Run(folder).run([Group(group.dataset, group.split, (), group.trials)])
    assert outcome.actions == {"score": 1}
    after = read_record(record_path(folder, trial.describe("", "", ())))
    assert after["run"] == before["run"]
    assert set(after["result"]["scores"]) == {"profile@2", "keystone@1", "knockout-impact@2"}
    for task in ("profile@2", "keystone@1"):
        assert after["result"]["scores"][task] == before["result"]["scores"][task]


def test_what_a_predictor_does_not_support_is_not_tried_again_for_another_metric(finished):
    """Its record has no answers, which could otherwise look as though they were lost."""
    folder, trial = finished
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"] |= {"status": "unsupported", "answers": {}, "scores": {}}
    for change in (newer_metric, newer_task, one_more_metric):
        action = decide(change_tasks(trial, change), Record.from_json(record), ())
        assert (action.kind, action.reason) == ("nothing", "the predictor does not support it")


def run_alone(folder, trial):
    """What is done for one trial, and its record then."""
    outcome = Run(folder).run([Group(trial.dataset, trial.split, (), (trial,))])
    return outcome.actions, read_record(record_path(folder, trial.describe("", "", ())))


def test_a_new_fit_keeps_nothing_of_the_one_before(tmp_path, registry):
    """Not its scores in tasks that are no longer asked for: another model had them."""
    trial = only_trial(registry)
    _, before = run_alone(tmp_path, trial)
    assert {name.partition("@")[0] for name in before.result.scores} == {"profile", "keystone"}
    edited = replace(trial, predictor=replace(trial.predictor, source="edited"))
    profile_alone = replace(edited, tasks=edited.tasks[:1])
    actions, after = run_alone(tmp_path, profile_alone)
    assert actions == {"fit": 1}
    assert list(after.result.scores) == [trial.tasks[0].spec.label]
    assert list(after.result.answers) == list(after.keys.questions) == ["profile"]
    assert list(after.keys.scores) == [trial.tasks[0].spec.label]
    assert decide(edited, after, AnswerStore(tmp_path).keys()).asks == ("singles",)


@pytest.mark.parametrize("status", ["failed", "invalid"])
def test_of_what_failed_the_answers_by_assemblage_stand_and_no_others(finished, status):
    folder, trial = finished
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"]["status"] = status
    stored = AnswerStore(folder).keys()
    action = decide(trial, Record.from_json(record), stored)
    assert (action.kind, action.asks, action.keep) == ("ask", ("singles",), True)
    # another question, answers that are gone, and answers that are known nowhere
    anew = ("fit", ("profile", "singles"), False)
    action = decide(ask(trial, row_limit=100), Record.from_json(record), stored)
    assert (action.kind, action.asks, action.keep) == anew
    action = decide(trial, Record.from_json(record), ())
    assert (action.kind, action.asks, action.keep) == anew
    del record["result"]["answers"]["profile"]
    action = decide(trial, Record.from_json(record), stored)
    assert (action.kind, action.asks, action.keep) == anew


def test_what_failed_after_all_was_answered_by_assemblage_is_fitted_anew(finished):
    """As where its answers could not be scored: nothing is left to be asked."""
    folder, trial = finished
    alone = replace(trial, tasks=trial.tasks[:1])
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"]["status"] = "failed"
    action = decide(alone, Record.from_json(record), AnswerStore(folder).keys())
    assert (action.kind, action.asks, action.keep) == ("fit", ("profile",), False)


def test_lost_answers_are_asked_for_again_only_where_a_score_needs_them(finished):
    folder, trial = finished
    first, *others = trial.tasks
    newer = replace(trial, tasks=(newer_metric(first), *others))
    record = read_record(record_path(folder, trial.describe("", "", ())))
    profile, singles = (record.result.answers[name] for name in ("profile", "singles"))
    assert first.spec.asks == "profile"
    assert decide(newer, record, {profile}).kind == "score"
    action = decide(newer, record, {singles})
    assert (action.kind, action.asks) == ("ask", ("profile",))


def test_what_a_smaller_run_does_not_ask_is_not_asked_again_later(tmp_path, registry):
    trial = only_trial(registry)
    run_alone(tmp_path, trial)
    newer = change_tasks(replace(trial, tasks=trial.tasks[:1]), newer_metric)
    actions, record = run_alone(tmp_path, newer)
    assert actions == {"score": 1}
    assert set(record.keys.questions) == {"profile", "singles"}
    assert set(record.result.scores) == {task.spec.label for task in trial.tasks}
    stored = AnswerStore(tmp_path).keys()
    assert decide(newer, record, stored).kind == "nothing"
    assert decide(replace(trial, tasks=trial.tasks[1:]), record, stored).kind == "nothing"
    assert decide(trial, record, stored).kind == "score"  # the older metric


def test_a_changed_metric_changes_its_own_task_alone(tmp_path, registry):
    trial = only_trial(registry)
    _, before = run_alone(tmp_path, trial)
    first, *others = trial.tasks
    actions, after = run_alone(tmp_path, replace(trial, tasks=(newer_metric(first), *others)))
    assert actions == {"score": 1}
    name = next(iter(before.result.scores[first.spec.label].metrics))
    versions = [
        one.result.scores[first.spec.label].metrics[name].version for one in (before, after)
    ]
    assert versions[1] == 99 != versions[0]
    for task in others:
        label = task.spec.label
        assert after.result.scores[label] == before.result.scores[label]


def test_stored_answers_that_are_damaged_are_asked_for_again_and_replaced(tmp_path, registry):
    trial = only_trial(registry)
    _, before = run_alone(tmp_path, trial)
    store = AnswerStore(tmp_path)
    damaged = store.path(before.result.answers["profile"])
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"x" * 9)
    actions, after = run_alone(tmp_path, change_tasks(trial, newer_metric))
    assert actions == {"score": 1}
    assert after.result.answers == before.result.answers  # the same predictor answers the same
    for key in after.result.answers.values():
        assert store.load(key)


def test_floors_have_a_hash_of_their_own_code():
    floors = own_hash("kobench.builtin.floors.impact:OwnShare")
    assert floors == own_hash("kobench.builtin.floors.profile:MaskedMean")
    assert floors != own_hash("kobench.builtin.metrics.impact:mae")
    with pytest.raises(ValueError, match="names no code of kobench"):
        own_hash("kobench.nowhere.floors:OwnShare")
