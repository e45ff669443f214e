"""Which keys of a trial each field of what it is made of changes: a line for every field.

A field that is added later has no line, and fails here until somebody says what it changes.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from factories import read, record
from places import PREDICTORS

from kobench.api import CONTRACT
from kobench.plugins.chosen import Chosen, SecretNetwork
from kobench.plugins.entry import Entry
from kobench.plugins.load import load_registry
from kobench.question import SETS
from kobench.results.parts import SecretSeed
from kobench.results.suite_seed import SuiteSeed
from kobench.runner import keys
from kobench.runner.keys import Trial, facts_of, fit_key
from kobench.runner.plan import make_plan
from kobench.runner.request import Request, Split
from kobench.supervisor.limits import Limits

#: `response` is scored by permutations of its perturbations, `keystone` asks about drawn events.
REQUEST = Request(["grn:genes=12,cells=40"], ["good"], tasks=["profile", "keystone", "response"])


@pytest.fixture(scope="module")
def trial() -> Trial:
    registry = load_registry(plugin_files=[PREDICTORS])
    (group,) = make_plan(registry, REQUEST)
    return group.trials[0]


def changed_in(before: Trial, after: Trial) -> str:
    """What two trials' keys say apart: the first of fit, questions and scores, and of which."""
    one, other = before.keys, after.keys
    assert set(one.questions) == set(other.questions)
    asks = [name for name in one.questions if one.questions[name] != other.questions[name]]
    tasks = [label for label in one.scores if one.scores[label] != other.scores[label]]
    names = [label.partition("@")[0] for label in tasks]
    asked = {task.spec.label: task.spec.asks for task in before.tasks}
    if one.fit != other.fit:
        assert len(asks) == len(one.questions)
    for label, name in asked.items():  # another answer has another score
        assert label in tasks or name not in asks
    if one.fit != other.fit:
        return "fit"
    if asks:
        whole = "" if len(asks) == len(one.questions) else f" {', '.join(asks)}"
        return f"questions{whole}"
    return "scores" + (f" {', '.join(names)}" if len(tasks) < len(asked) else "") if tasks else ""


def with_entry(chosen: Chosen, **changes) -> Chosen:
    return replace(chosen, entry=replace(chosen.entry, **changes))


REQUESTS = {
    "datasets": (["other"], ""),
    "predictors": (["other"], ""),
    "tasks": (["other"], ""),
    "metrics": (["other"], ""),
    "networks": (2, "scores"),
    "fit_seeds": (3, ""),
    "split": ("all", ""),
    "split_seed": (1, "scores"),  # its split is not the first one any more, which is shown
    "splits": (4, ""),
    "threads": (2, "fit"),
    "device": ("cuda", "fit"),
    "row_limit": (100, "questions"),
    "events": (5, "questions singles"),
    "limits": (Limits(seconds=1, memory_mb=2, processes=3, written_mb=4), ""),
    "sandbox": ("require", ""),
    "readable": (("/tmp",), ""),
    "suite_seed": (SuiteSeed("0" * 32), ""),
    "seed_known": (True, ""),
    "tuned": ({("kobench", "good"): ("keystone",)}, ""),
    "jobs": (4, ""),
}


def test_every_field_of_a_request_is_here():
    assert set(REQUESTS) == {each.name for each in fields(Request)}


@pytest.mark.parametrize("name", REQUESTS)
def test_what_a_field_of_the_request_changes(trial, name):
    value, expected = REQUESTS[name]
    other = replace(trial, request=replace(trial.request, **{name: value}))
    assert changed_in(trial, other) == expected


def test_fewer_events_than_asked_before_are_another_question_and_none_are_all(trial):
    def asked(events):
        return replace(trial, request=replace(trial.request, events=events))

    assert changed_in(asked(5), asked(6)) == "questions singles"
    assert changed_in(asked(None), trial) == ""
    assert changed_in(asked(0), trial) == "questions singles"


SPLITS = {"name": "all", "train": "rod", "seed": 1, "of": 3}


@pytest.mark.parametrize("name", SPLITS)
def test_what_a_field_of_the_split_changes(trial, name):
    assert set(SPLITS) == {each.name for each in fields(Split)}
    other = replace(trial, split=replace(trial.split, **{name: SPLITS[name]}))
    assert changed_in(trial, other) == ("" if name == "of" else "fit")


def secret_of(suite_seed="0" * 32, index=0):
    return SecretNetwork(SuiteSeed(suite_seed).commitment, index, 5)


DATASETS = {
    "params": (lambda one: replace(one, params={**one.params, "seed": 5}), "fit"),
    "selection": (lambda one: replace(one, selection="grn:genes=13"), "fit"),
    "group": (lambda one: replace(one, group="other"), "fit"),
    "source": (lambda one: replace(one, source="edited"), "fit"),
    "first": (lambda one: replace(one, first=False), "scores"),
    "planned": (lambda one: replace(one, planned=(0, 9)), ""),
    "version": (lambda one: with_entry(one, version="9"), "fit"),
    "name": (lambda one: with_entry(one, spec=replace(one.entry.spec, name="other")), "fit"),
    "spec version": (lambda one: with_entry(one, spec=replace(one.entry.spec, version=99)), "fit"),
    "truth": (lambda one: with_entry(one, spec=replace(one.entry.spec, truth="none")), "fit"),
    "distribution": (lambda one: with_entry(one, distribution="other", shadowed=False), ""),
    "digest": (lambda one: with_entry(one, digest="edited"), ""),
    "same_cells": (lambda one: replace(one, same_cells=(one.entry,)), ""),
}


@pytest.mark.parametrize("name", DATASETS)
def test_what_a_part_of_the_dataset_changes(trial, name):
    change, expected = DATASETS[name]
    assert changed_in(trial, replace(trial, dataset=change(trial.dataset))) == expected


def strangers(one: Chosen, **changes) -> Chosen:
    return with_entry(one, **{"trusted": False, **changes})


PREDICTOR = {
    "selection": (lambda one: replace(one, selection="good:strength=2"), "fit"),
    "source": (lambda one: replace(one, source="edited"), "fit"),
    "params": (lambda one: replace(one, params={"strength": 9}), ""),  # the selection has them
    "group": (lambda one: replace(one, group="other"), ""),
    "name": (lambda one: with_entry(one, spec=replace(one.entry.spec, name="other")), "fit"),
    "version": (lambda one: with_entry(one, version="9"), "fit"),
    "spec version": (lambda one: with_entry(one, spec=replace(one.entry.spec, version=99)), "fit"),
    "distribution": (lambda one: with_entry(one, distribution="other"), "fit"),
    "environment": (lambda one: with_entry(one, environment="old"), "fit"),
    "digest": (lambda one: with_entry(one, digest="edited"), ""),  # the source has it
    "packages": (lambda one: with_entry(one, packages={"torch": "9"}), ""),
    "trusted": (lambda one: with_entry(one, trusted=not one.entry.trusted), ""),
}


@pytest.mark.parametrize("name", PREDICTOR)
def test_what_a_part_of_the_predictor_changes(trial, name):
    change, expected = PREDICTOR[name]
    assert changed_in(trial, replace(trial, predictor=change(trial.predictor))) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": "floor"}, "fit"),
        ({"role": "line"}, "fit"),
        ({"fit_seed": 1}, "fit"),
        ({"readable": ("a",)}, "fit"),
    ],
)
def test_what_the_trial_itself_changes(trial, changes, expected):
    assert changed_in(trial, replace(trial, **changes)) == expected


def test_readable_folders_count_by_content_and_order(trial):
    a, b, ab, ba = (
        replace(trial, readable=found) for found in (("a",), ("b",), ("a", "b"), ("b", "a"))
    )
    assert len({one.keys.fit for one in (trial, a, b, ab, ba)}) == 5
    assert ab.describe().predictor.readable == ["a", "b"]
    assert trial.describe().predictor.readable is None


def with_task(trial: Trial, place: int, change) -> Trial:
    tasks = list(trial.tasks)
    tasks[place] = change(tasks[place])
    return replace(trial, tasks=tuple(tasks))


def with_metric(place: int, **changes):
    def change(task):
        metrics = list(task.metrics)
        metrics[place] = replace(metrics[place], **changes)
        return replace(task, metrics=tuple(metrics))

    return change


def test_what_each_task_and_each_metric_of_it_changes(trial):
    for place, task in enumerate(trial.tasks):
        own = f"scores {task.spec.name}"
        spec = task.entry.spec
        for entry in (
            replace(task.entry, distribution="other"),
            replace(task.entry, trusted=False, digest="edited"),
            replace(task.entry, spec=replace(spec, name=spec.name, version=spec.version)),
        ):
            other = with_task(trial, place, lambda one, entry=entry: replace(one, entry=entry))
            assert changed_in(trial, other) == ("" if entry == task.entry else own)
        for number, metric in enumerate(task.metrics):
            for changes in (
                {"spec": replace(metric.spec, version=99)},
                {"spec": replace(metric.spec, name="other")},
                {"distribution": "other"},
                {"trusted": False, "digest": "edited"},
            ):
                other = with_task(trial, place, with_metric(number, **changes))
                assert changed_in(trial, other) == own
        fewer = with_task(trial, place, lambda one: replace(one, metrics=one.metrics[:-1]))
        assert changed_in(trial, fewer) == own


def test_what_identifies_a_task_or_metric(trial):
    entry = trial.tasks[0].entry
    own = facts_of(replace(entry, trusted=True, digest="d"))
    assert own == {
        "name": entry.spec.name,
        "version": entry.spec.version,
        "distribution": entry.distribution,
        "digest": "",
    }
    assert facts_of(replace(entry, trusted=False, digest="d")) == {**own, "digest": "d"}


def test_the_version_of_a_question_is_in_its_key_alone(trial, monkeypatch):
    before = trial.keys
    for name in ("profile", "singles", "response"):
        with monkeypatch.context() as patch:
            patch.setitem(SETS, name, replace(SETS[name], version=SETS[name].version + 1))
            after = trial.keys
        assert after.fit == before.fit
        others = {key for key in before.questions if before.questions[key] != after.questions[key]}
        assert others == {name}
    (singles, response) = (
        replace(trial, request=replace(trial.request, events=9)).keys.questions[name]
        for name in ("singles", "response")
    )
    assert singles != before.questions["singles"]
    assert response == before.questions["response"]


def test_how_many_draws_are_kept_is_in_the_key_of_scores(trial, monkeypatch):
    before = trial.keys
    monkeypatch.setattr(keys, "DRAWS", keys.DRAWS + 1)
    after = trial.keys
    assert (after.fit, after.questions) == (before.fit, before.questions)
    assert all(after.scores[label] != before.scores[label] for label in before.scores)


def test_how_answers_are_permuted_is_in_the_scores_of_perturbations_alone(trial, monkeypatch):
    before = trial.keys
    monkeypatch.setattr(keys.permutations, "VERSION", keys.permutations.VERSION + 1)
    after = trial.keys
    assert (after.fit, after.questions) == (before.fit, before.questions)
    changed = {key for key in before.scores if before.scores[key] != after.scores[key]}
    assert changed == {task.spec.label for task in trial.tasks if task.spec.name == "response"}


def test_keys_say_of_which_contract_and_source_they_are(trial):
    found = trial.keys
    assert (found.contract, found.source) == (CONTRACT, trial.dataset.source)
    assert list(found.questions) == list(trial.asks)
    assert trial.asks == tuple(name for name in SETS if name in ("profile", "singles", "response"))
    assert list(found.scores) == [task.spec.label for task in trial.tasks]
    assert len({found.fit, *found.questions.values(), *found.scores.values()}) == 7
    assert found.fit == fit_key(CONTRACT, trial.dataset.source, trial.role, trial.describe())


def test_two_tasks_of_one_question_have_one_key_of_it_and_two_of_scores(trial):
    task = trial.tasks[1]
    other = replace(task, entry=replace(task.entry, spec=replace(task.spec, name="again")))
    both = replace(trial, tasks=(task, other))
    assert list(both.keys.questions) == ["singles"]
    assert len(set(both.keys.scores.values())) == 2


# what a record says


def test_a_trial_is_described_field_by_field(trial):
    entry, chosen = trial.dataset.entry, trial.predictor
    told = trial.describe("simulated", "d" * 64, iter(["one", "two"]))
    dataset = told.dataset
    assert (dataset.name, dataset.selection, dataset.group) == (
        "grn",
        trial.dataset.selection,
        trial.dataset.group,
    )
    second = replace(trial, dataset=replace(trial.dataset, selection="grn:seed=1")).describe()
    assert (second.dataset.selection, second.dataset.group) == ("grn:seed=1", dataset.group)
    assert (dataset.version, dataset.truth) == (
        f"{entry.version}/{entry.spec.version}",
        "counterfactual",
    )
    assert (dataset.kind, dataset.digest, dataset.notes) == ("simulated", "d" * 64, ["one", "two"])
    assert (dataset.seed, dataset.secret) == (0, None)
    split = replace(trial, split=Split("all", "rod", 3)).describe().split
    assert (split.name, split.train, split.seed) == ("all", "rod", 3)
    assert trial.describe().split.train is None
    predictor = told.predictor
    assert (predictor.name, predictor.selection) == ("good", "good")
    assert (predictor.distribution, predictor.digest) == (chosen.entry.distribution, chosen.source)
    assert predictor.digest != ""
    assert (told.fit_seed, told.threads) == (0, 1)
    seventh = replace(trial, fit_seed=7, request=replace(trial.request, threads=5)).describe()
    assert (seventh.fit_seed, seventh.threads) == (7, 5)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({}, {"response": None, "max_order": 2, "prior": None, "developed_on": None}),
        ({"prior": "a list"}, {"prior": "a list"}),
        ({"developed_on": ("grn",)}, {"developed_on": ["grn"]}),
        ({"max_order": 1}, {"max_order": 1}),
    ],
)
def test_what_a_spec_declares_is_in_the_record(trial, declared, said):
    entry = trial.predictor.entry
    entry = replace(entry, spec=replace(entry.spec, **{"max_order": 2, **declared}))
    told = replace(trial, predictor=replace(trial.predictor, entry=entry)).describe().predictor
    assert {name: getattr(told, name) for name in said} == said


@pytest.mark.parametrize("seeded", [True, False])
def test_a_secret_seed_stands_in_no_record(trial, seeded):
    dataset = trial.dataset
    entry = replace(dataset.entry, spec=replace(dataset.entry.spec, seeded=seeded))
    open_one = replace(dataset, entry=entry, params={**dataset.params, "seed": 77})
    told = replace(trial, dataset=open_one).describe().dataset
    assert (told.seed, told.secret) == (77 if seeded else None, None)
    hidden = replace(open_one, secret=secret_of(index=3))
    told = replace(trial, dataset=hidden).describe().dataset
    assert told.seed is None
    assert told.secret == SecretSeed(commitment=SuiteSeed("0" * 32).commitment, index=3)


def test_each_secret_network_has_a_key_that_stays_when_its_seed_is_revealed(trial):
    found = {}
    for name, secret in {
        "first": secret_of(),
        "second": secret_of(index=1),
        "another suite": secret_of("1" * 32),
    }.items():
        other = replace(trial, dataset=replace(trial.dataset, secret=secret))
        found[name] = other.keys.fit
        told = other.describe()
        shown = replace(
            told,
            dataset=replace(told.dataset, secret=replace(told.dataset.secret, seed="0x5")),
        )
        assert shown != told
        for each in (told, shown):
            assert fit_key(CONTRACT, trial.dataset.source, "predictor", each) == found[name]
    assert len({*found.values(), trial.keys.fit}) == 4


def test_the_key_of_a_fit_is_what_it_was():
    """With another one all would be fitted anew, and published records be called written over."""
    plain = read([record("mlp", 0.5)])[0].trial
    assert fit_key(3, "source", "predictor", plain) == (
        "33270e99111874061ed2c15b3ed6659779a2b857020ec27a559a9a15ea5c1c55"
    )
    document = record("env/mlp:width=2", 0.5, dataset="grn:genes=9", seed=None, notes=["n"])
    document["trial"]["dataset"]["secret"] = {"commitment": "c" * 64, "index": 2, "seed": "0x5"}
    document["trial"]["split"] |= {"train": "rod", "seed": 4}
    document["trial"]["predictor"] |= {
        "environment": "env",
        "readable": ["r"],
        "response": "direction",
        "max_order": 2,
        "prior": "genes",
        "developed_on": ["x"],
    }
    whole = read([document])[0].trial
    assert fit_key(3, "source", "floor", whole) == (
        "b26899e3c361e4e5c0cc5d468d8cf673de47327707e0037233762765a28f204d"
    )


# who it is


@pytest.mark.parametrize(
    ("role", "trusted", "expected"),
    [
        ("predictor", False, True),
        ("predictor", True, False),
        ("floor", False, True),
        ("floor", True, False),
        ("line", False, False),
        ("line", True, False),
    ],
)
def test_whose_answers_come_from_code_that_is_not_kobenchs(trial, role, trusted, expected):
    one = replace(trial, role=role, predictor=with_entry(trial.predictor, trusted=trusted))
    assert one.is_strangers == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"role": "floor"}, False),
        ({"role": "line"}, False),
        ({"fit_seed": 1}, False),
    ],
)
def test_who_is_shown_in_full(trial, changes, expected):
    assert replace(trial, **changes).showcase == expected


def test_a_trial_is_named_by_what_a_run_has_several_of(trial):
    def label(fit_seeds=1, **changes):
        request = replace(trial.request, fit_seeds=fit_seeds)
        return replace(trial, request=request, **changes).label

    plain = "good on grn:cells=40,genes=12"
    assert label() == label(fit_seed=3) == label(2, role="floor") == plain
    assert label(2, fit_seed=1) == f"{plain} (fit seed 1)"
    assert label(2, split=Split("all", "rod", 4, of=2), fit_seed=1) == (
        f"{plain}, trained on rod, split seed 4 (fit seed 1)"
    )
    assert label(split=Split("all", "", 4, of=1)) == plain


def test_every_field_of_what_is_chosen_has_been_thought_of():
    """A new field needs a line above, or here, with why it is in no key."""
    of_datasets = {"params", "selection", "group", "source", "first", "same_cells", "planned"}
    nowhere = {"parts", "secret", "entry"}  # by their sources, by themselves, field by field
    assert {each.name for each in fields(Chosen)} == of_datasets | nowhere
    in_keys = {"spec", "distribution", "version", "digest", "trusted", "environment"}
    #: Where code lies and how it is started; what it holds is its digest.
    places = {"plugin_file", "entry_point", "interpreter", "roots", "problem", "caches"}
    assert {each.name for each in fields(Entry)} == {*in_keys, *places, "packages", "shadowed"}
    assert Path(keys.__file__).name == "keys.py"
