"""What the keys of a trial see: code of floors, files of datasets, and who is shown in full."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from places import PREDICTORS

from kobench.errors import UserError
from kobench.plugins import chosen
from kobench.plugins.chosen import choose, own_hash
from kobench.plugins.load import load_registry
from kobench.results.answer_store import AnswerStore
from kobench.results.records import read_record, record_path
from kobench.runner import keys
from kobench.runner.by_record import dataset_by_record
from kobench.runner.origins import origins_of
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.resume import decide
from kobench.runner.run import Run
from kobench.util.files import file_hash

GRN = "grn:genes=12,cells=40"


@pytest.fixture(scope="module")
def registry():
    return load_registry(plugin_files=[PREDICTORS])


def trials_of(registry, request):
    """Every trial of a plan by role and predictor, in order of networks and fit seeds."""
    found = {}
    for group in make_plan(registry, request):
        for trial in (*group.basis, *group.trials):
            found.setdefault((trial.role, trial.predictor.entry.spec.name), []).append(trial)
    return found


@pytest.fixture
def copied_package(tmp_path, monkeypatch):
    """kobench's own floors in another place, where they can be edited; the hashes are of these."""
    package = tmp_path / "kobench"
    there = package / "builtin" / "floors"
    there.mkdir(parents=True)
    for path in (Path(chosen.__file__).parents[1] / "builtin" / "floors").glob("*.py"):
        (there / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(chosen, "__file__", str(package / "plugins" / "chosen.py"))
    own_hash.cache_clear()
    yield there
    monkeypatch.undo()
    own_hash.cache_clear()


def test_an_edited_floor_is_fitted_anew(registry, copied_package):
    request = Request([GRN], ["good"], tasks=["knockout-impact"])
    before = trials_of(registry, request)["floor", "own-share"][0].keys
    own_hash.cache_clear()
    assert trials_of(registry, request)["floor", "own-share"][0].keys == before
    edited = copied_package / "impact.py"
    edited.write_text(edited.read_text() + "\n# edited\n")
    own_hash.cache_clear()
    after = trials_of(registry, request)["floor", "own-share"][0].keys
    assert after.fit != before.fit
    assert after.questions["singles"] != before.questions["singles"]
    assert after.scores.keys() == before.scores.keys()
    assert not after.scores.items() & before.scores.items()


def test_a_renamed_or_new_file_of_floors_counts(copied_package):
    make = "kobench.builtin.floors.impact:OwnShare"
    hashes = [own_hash(make)]
    (copied_package / "knockout.py").rename(copied_package / "knockouts.py")
    own_hash.cache_clear()
    hashes.append(own_hash(make))
    (copied_package / "another.py").write_text("")
    own_hash.cache_clear()
    hashes.append(own_hash(make))
    assert len(set(hashes)) == 3


def test_an_edited_single_file_is_fitted_anew(tmp_path):
    path = tmp_path / "mine.py"
    request = Request([GRN], ["good"], tasks=["profile"])
    found = []
    for text in (PREDICTORS.read_text(), PREDICTORS.read_text() + "\n# edited\n"):
        path.write_text(text)
        registry = load_registry(plugin_files=[path])
        found.append(trials_of(registry, request)["predictor", "good"][0].keys.fit)
    assert found[0] != found[1]


#: Twenty genes in sixty cells.
TABLE = "".join(",".join(str(1 + cell % top) for cell in range(60)) + "\n" for top in range(3, 23))
EDITED = "7" + TABLE[1:]


def table(folder, name, text=TABLE):
    path = folder / f"{name}.csv"
    path.write_text(text)
    return path


def fit_keys(registry, datasets, **more):
    request = Request([f"table:path={path}" for path in datasets], ["good"], **more)
    return [trial.keys.fit for trial in trials_of(registry, request)["predictor", "good"]]


def test_a_changed_file_under_the_same_name_is_seen(registry, tmp_path):
    path = table(tmp_path, "one")
    (before,) = fit_keys(registry, [path], tasks=["profile"])
    assert fit_keys(registry, [path], tasks=["profile"]) == [before]
    table(tmp_path, "one", EDITED)
    assert fit_keys(registry, [path], tasks=["profile"]) != [before]


@pytest.mark.parametrize("changed", ["one", "two"])
def test_a_changed_file_of_joined_datasets_is_seen(registry, tmp_path, changed):
    paths = [table(tmp_path, name) for name in ("one", "two")]
    more = {"tasks": ["transfer"], "split": "dataset"}
    before = fit_keys(registry, paths, **more)
    assert len(set(before)) == 2  # a model of each dataset
    assert fit_keys(registry, paths, **more) == before
    table(tmp_path, changed, EDITED)
    after = fit_keys(registry, paths, **more)
    assert not set(before) & set(after)


def test_another_version_of_a_joined_dataset_is_seen(registry, tmp_path):
    from kobench.runner.datasets import join

    parts = [choose(registry, "datasets", f"table:path={table(tmp_path, n)}") for n in "ab"]
    sources = {join(parts, True).source, join(parts[::-1], True).source}
    for number in (0, 1):
        changed = list(parts)
        entry = parts[number].entry
        newer = replace(entry, spec=replace(entry.spec, version=99))
        changed[number] = replace(parts[number], entry=newer)
        sources.add(join(changed, True).source)
    assert len(sources) == 4


def test_the_source_of_a_dataset_is_its_file_or_its_card(registry, tmp_path):
    path = table(tmp_path, "one")
    assert choose(registry, "datasets", f"table:path={path}").source == file_hash(path)
    card = choose(registry, "datasets", "pbmc68k")
    assert card.source == card.entry.spec.card["digest"] != ""
    strangers = replace(
        card.entry, trusted=False, digest="d", spec=replace(card.entry.spec, card={})
    )
    assert chosen.source_of("datasets", strangers, {}) == "d"
    assert chosen.source_of("datasets", replace(strangers, trusted=True), {}) == ""
    assert chosen.source_of("predictors", replace(strangers, digest="e"), {}) == "e"


def sources(registry, text: str, files: list[Path]) -> list[str]:
    """The source of a dataset, before and after the last byte of each file is another one."""
    found = [choose(registry, "datasets", text).source]
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        found.append(choose(registry, "datasets", text).source)
    return found


def test_every_file_that_a_loader_of_ours_is_given_is_in_its_source(registry, tmp_path):
    """Whatever says `a file` in its help is given one, and a byte of it is changed."""
    seen = set()
    every = [entry for entries in registry.of_kind("datasets").values() for entry in entries]
    for spec in [each.spec for each in every if each.trusted and not each.spec.card]:
        for key, param in spec.params.items():
            if param.default != "" or not re.search(r"\bfile\b(?!')", param.help):
                continue
            file = tmp_path / f"{spec.name}-{key}.csv"
            file.write_text("1,2\n3,4\n")
            found = sources(registry, f"{spec.name}:{key}={file}", [file])
            assert "" not in found
            assert len(set(found)) == 2, (spec.name, key)
            seen.add((spec.name, key))
    assert {("h5ad", "path"), ("h5ad", "obs"), ("table", "path")} <= seen


def test_every_file_of_a_folder_and_both_files_are_in_the_source(registry, tmp_path):
    folder, labels = tmp_path / "cells.zarr", tmp_path / "labels.csv"
    (folder / "X").mkdir(parents=True)
    files = [folder / ".zgroup", folder / "X" / "0.0", labels]
    for file in files:
        file.write_text("{}")
    found = sources(registry, f"h5ad:path={folder},obs={labels}", files)
    assert "" not in found
    assert len(set(found)) == 4


def test_a_strangers_dataset_rests_on_its_code_and_on_the_files_it_is_given(registry, tmp_path):
    strangers = replace(
        choose(registry, "datasets", "pbmc68k").entry, trusted=False, digest="d", problem=None
    )
    strangers = replace(strangers, spec=replace(strangers.spec, card={}))
    file = tmp_path / "graph.txt"
    file.write_text("a b")
    found = []
    for digest, content in (("d", "a b"), ("e", "a b"), ("d", "a c")):
        file.write_text(content)
        entry = replace(strangers, digest=digest)
        found.append(chosen.source_of("datasets", entry, {"graph": str(file), "word": "word"}))
        assert chosen.source_of("datasets", entry, {"word": "word"}) == digest
    assert len(set(found)) == 3


def test_labels_beside_a_file_make_no_other_cells(registry, tmp_path):
    """Two data sets of one file have cells in common, whichever labels they are given."""
    paths = [tmp_path / name for name in ("cells.csv", "one.csv", "two.csv")]
    for path in paths:
        path.write_text(path.name)
    one, two = (
        choose(registry, "datasets", f"h5ad:path={paths[0]},obs={path}") for path in paths[1:]
    )
    assert one.source != two.source
    assert origins_of(one) & origins_of(two)


@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_a_record_has_no_file_opened(registry, tmp_path, kind):
    """Not to be refused afterwards, either: a pipe would be waited for, a device has no end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = pipe if kind == "pipe" else Path("/dev/zero")
    opened: list[str] = []
    monkeypatched = pytest.MonkeyPatch()
    monkeypatched.setattr(chosen, "content_hash", lambda path: opened.append(path) or "")
    for text in (f"h5ad:path={path}", f"h5ad:obs={path}", f"table:path={path}"):
        with pytest.raises(UserError, match="a record names a file of yours"):
            dataset_by_record(registry, text, named=["h5ad", "table"])
    monkeypatched.undo()
    assert not opened
    # and where it is named, nothing is waited for
    assert dataset_by_record(registry, f"table:path={path}", [f"table:path={path}"]).source == ""


def test_one_fit_on_one_network_is_shown_in_full(registry):
    request = Request([GRN], ["good"], tasks=["profile"], networks=2, fit_seeds=2)
    found = trials_of(registry, request)
    shown = [trial for trials in found.values() for trial in trials if trial.showcase]
    assert [(one.role, one.predictor.entry.spec.name, one.fit_seed) for one in shown] == [
        ("predictor", "good", 0)
    ]
    assert shown[0].dataset.params["seed"] == 0
    # of several splits the first, whichever number that has
    later = replace(shown[0], split=replace(shown[0].split, seed=1))
    assert not later.showcase
    assert replace(later, request=replace(request, split_seed=1)).showcase
    # what is shown is written into the record, so it is scored again where that changes
    (task,) = shown[0].tasks
    other = replace(shown[0], dataset=replace(shown[0].dataset, first=False))
    assert other.keys.fit == shown[0].keys.fit
    assert other.keys.scores[task.spec.label] != shown[0].keys.scores[task.spec.label]


def test_only_the_answers_that_a_changed_score_needs_must_be_there(registry, tmp_path):
    """Answers that nobody scores again may be gone: nothing is fitted for them."""
    (group,) = make_plan(registry, Request([GRN], ["good"], tasks=["profile", "keystone"]))
    (trial,) = group.trials
    Run(tmp_path).run([replace(group, basis=())])
    record = read_record(record_path(tmp_path, trial.describe()))
    answers = record.result.answers
    assert set(answers) == {"profile", "singles"}
    stored = AnswerStore(tmp_path).keys()
    assert stored == set(answers.values())

    def changed(name):
        tasks = []
        for task in trial.tasks:
            newer = replace(task.entry, spec=replace(task.entry.spec, version=99))
            tasks.append(replace(task, entry=newer) if task.spec.name == name else task)
        return replace(trial, tasks=tuple(tasks))

    for task, asks, other in (
        ("profile", "profile", "singles"),
        ("keystone", "singles", "profile"),
    ):
        assert decide(changed(task), record, stored - {answers[other]}).kind == "score"
        action = decide(changed(task), record, stored - {answers[asks]})
        assert (action.kind, action.asks) == ("ask", (asks,))
        assert decide(changed(task), record, ()).asks == (asks,)
    assert decide(trial, record, ()).kind == "nothing"


def test_every_part_of_a_trial_is_in_its_keys(registry):
    base = trials_of(registry, Request([GRN], ["good"], tasks=["profile"]))["predictor", "good"][0]
    entry = base.predictor.entry
    trials = {
        "base": base,
        "role": replace(base, role="floor"),
        "fit seed": replace(base, fit_seed=1),
        "split": replace(base, split=replace(base.split, name="all")),
        "group": replace(base, split=replace(base.split, train="rod")),
        "split seed": replace(base, split=replace(base.split, seed=1)),
        "threads": replace(base, request=replace(base.request, threads=2)),
        "device": replace(base, request=replace(base.request, device="cuda")),
        "environment": replace(
            base, predictor=replace(base.predictor, entry=replace(entry, environment="old"))
        ),
        "distribution": replace(
            base, predictor=replace(base.predictor, entry=replace(entry, distribution="file:b.py"))
        ),
        "selection": replace(base, predictor=replace(base.predictor, selection="good:strength=2")),
        "code": replace(base, predictor=replace(base.predictor, source="edited")),
        "dataset": replace(base, dataset=replace(base.dataset, selection="grn:seed=1")),
        "file": replace(base, dataset=replace(base.dataset, source="edited")),
    }
    for (one, a), (other, b) in combinations(trials.items(), 2):
        assert a.keys.fit != b.keys.fit, (one, other)


@pytest.mark.parametrize(
    "declared",
    [
        {"prior": "a list of genes"},
        {"developed_on": ("grn",)},
        {"equation_of": ("grn",)},
        {"response": "direction", "answers": ("response",)},
        {"max_order": 1},
    ],
)
def test_what_a_spec_declares_is_in_the_keys_by_its_code_alone(registry, declared):
    """Records from before it could be declared have the keys that they would have today."""
    (trial,) = trials_of(registry, Request([GRN], ["good"], tasks=["profile"]))["predictor", "good"]
    entry = trial.predictor.entry
    entry = replace(entry, spec=replace(entry.spec, **declared))
    other = replace(trial, predictor=replace(trial.predictor, entry=entry))
    assert other.describe() != trial.describe()
    assert other.keys == trial.keys


def test_what_only_describes_a_dataset_is_in_no_key(registry):
    (trial,) = trials_of(registry, Request([GRN], ["good"], tasks=["profile"]))["predictor", "good"]
    told = trial.describe("simulated", "of the cells", ["a note"])
    assert told != trial.describe()
    found = trial.keys
    assert keys.fit_key(found.contract, found.source, trial.role, told) == found.fit


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_device_of_a_trial_is_the_one_that_is_there(registry, monkeypatch, device):
    """Who leaves it open has the same keys, row and record as who names what is there."""
    monkeypatch.setattr(keys, "device_kind", lambda asked: device if asked == "auto" else asked)
    request = Request([GRN], ["good"], tasks=["profile"], device="auto")
    (trial,) = trials_of(registry, request)["predictor", "good"]
    assert trial.describe().device == device
    named = replace(trial, request=replace(request, device=device))
    assert named.keys == trial.keys


def test_another_contract_is_fitted_anew(registry, monkeypatch):
    request = Request([GRN], ["good"], tasks=["profile"])
    (trial,) = trials_of(registry, request)["predictor", "good"]
    before = trial.keys
    monkeypatch.setattr(keys, "CONTRACT", keys.CONTRACT + 1)
    after = trial.keys
    assert after.fit != before.fit
    assert after.questions["profile"] != before.questions["profile"]


def test_how_many_events_are_asked_is_in_the_key_of_their_question_alone(registry):
    found = []
    for events in (None, 20, 30):
        request = Request([GRN], ["good"], tasks=["profile", "keystone"], events=events)
        (trial,) = trials_of(registry, request)["predictor", "good"]
        found.append(trial.keys)
    assert len({one.questions["singles"] for one in found}) == 3
    assert len({one.questions["profile"] for one in found}) == 1
    assert len({one.fit for one in found}) == 1


def test_a_network_that_was_one_of_several_is_scored_again_where_it_is_alone(registry):
    """Several keep no draws, and of one alone the interval is made of them."""

    def trials(networks):
        request = Request([GRN], ["good"], tasks=["profile", "keystone"], networks=networks)
        return trials_of(registry, request)

    alone, two, three = map(trials, (1, 2, 3))
    for who, (one,) in alone.items():
        first, second = two[who][0], three[who][0]
        assert (one.draws, first.draws, second.draws) == (keys.DRAWS, 0, 0)
        assert first.keys == second.keys
        assert (one.keys.fit, one.keys.questions) == (first.keys.fit, first.keys.questions)
        assert set(one.keys.scores) == set(first.keys.scores)
        for label, key in one.keys.scores.items():
            assert key != first.keys.scores[label]


def test_how_answers_are_permuted_is_in_the_keys_of_perturbations_alone(registry, monkeypatch):
    request = Request([GRN], ["good"], tasks=["response", "keystone"])
    (trial,) = trials_of(registry, request)["predictor", "good"]
    before = trial.keys
    monkeypatch.setattr(keys.permutations, "VERSION", 99)
    after = trial.keys
    labels = {task.spec.name: task.spec.label for task in trial.tasks}
    assert after.scores[labels["keystone"]] == before.scores[labels["keystone"]]
    assert after.scores[labels["response"]] != before.scores[labels["response"]]
    assert (after.fit, after.questions) == (before.fit, before.questions)


def test_an_edited_metric_or_task_of_a_stranger_is_scored_again(registry):
    """What kobench itself brings is known by its version alone: it changes with every release."""
    request = Request([GRN], ["good"], tasks=["profile"])
    (trial,) = trials_of(registry, request)["predictor", "good"]
    (task,) = trial.tasks

    def keys_with(trusted, edited, *, metric):
        def other(entry, here):
            digest = "edited" if here and edited else "as it was"
            return replace(entry, trusted=trusted or not here, digest=digest)

        first, *rest = task.metrics
        metrics = (other(first, metric), *rest)
        tasks = (replace(task, entry=other(task.entry, not metric), metrics=metrics),)
        return replace(trial, tasks=tasks).keys

    for metric in (True, False):
        mine, again, edited = (
            keys_with(False, change, metric=metric) for change in (False, False, True)
        )
        assert mine == again
        assert edited.scores[task.spec.label] != mine.scores[task.spec.label]
        assert (edited.fit, edited.questions) == (mine.fit, mine.questions)
        own, newer = (keys_with(True, change, metric=metric) for change in (False, True))
        assert newer == own


def test_only_many_networks_make_draws_inside_each_needless(registry, tmp_path):
    real = f"table:path={table(tmp_path, 'one')}"
    for dataset, networks, draws in (
        (GRN, keys.ENOUGH_NETWORKS, 0),
        (GRN, keys.ENOUGH_NETWORKS - 1, keys.DRAWS),
        (real, keys.ENOUGH_NETWORKS, keys.DRAWS),
    ):
        request = Request([dataset], ["good"], tasks=["profile"], networks=networks)
        for trials in trials_of(registry, request).values():
            assert {trial.draws for trial in trials} == {draws}, (dataset, networks)


def test_two_choices_of_a_predictor_are_told_apart(registry):
    """By whose they are, by their parameters, and by the environment that they live in."""
    one = choose(registry, "predictors", "good")
    others = [
        replace(one, selection="good:strength=2"),
        replace(one, entry=replace(one.entry, distribution="another")),
        replace(one, entry=replace(one.entry, environment="old")),
        replace(one, entry=replace(one.entry, environment="new")),
    ]
    assert len({keys.identity_of(choice) for choice in (one, *others)}) == 5
    newer = replace(one, source="edited", entry=replace(one.entry, version="2"))
    assert keys.identity_of(newer) == keys.identity_of(one)
