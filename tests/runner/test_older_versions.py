"""Results of an older version of a method are kept, come back with its code, and don't pile up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kobench.plugins.load import load_registry
from kobench.results.records import read_record, read_records, record_path
from kobench.results.versions import OLDER, code_of, older_files
from kobench.runner import older
from kobench.runner.plan import make_plan
from kobench.runner.reach import RESULTS
from kobench.runner.request import Request
from kobench.runner.resume import Policy
from kobench.runner.run import Outcome, Run
from kobench.runner.search import search

METHOD = """
from kobench.api import Impacts, PredictorSpec, hookimpl
import numpy as np

class Mine:
    def fit(self, cells, context):
        {body}
    def predict_expression(self, assemblages):
        shares = np.asarray(assemblages, float)
        return shares / shares.sum(1, keepdims=True)
    def predict_impact(self, cells, knockouts):
        return Impacts(np.ones(len(knockouts)), np.ones(len(knockouts)))

@hookimpl
def kobench_predictors():
    yield PredictorSpec("mine", Mine)
"""

TASKS = ["profile", "keystone", "knockout-impact"]
REQUEST = Request(["grn:genes=15,cells=60"], ["mine"], tasks=TASKS, sandbox="off")


def run(folder: Path, body: str, policy: Policy = Policy.RESUME, **changes) -> Outcome:
    plugin = folder / "mine.py"
    plugin.write_text(METHOD.format(body=body))
    registry = load_registry(plugin_files=[plugin])
    notes: list[str] = []
    done = Run(folder / "out", policy, note=notes.append)
    outcome = done.run(make_plan(registry, replace(REQUEST, **changes)))
    outcome.notes = notes
    return outcome


def shown(folder: Path):
    return [one for one in read_records(folder / "out") if one.role == "predictor"]


def kept(folder: Path):
    return [
        one
        for path in older_files(folder / "out")
        if (one := read_record(path)).role == "predictor"
    ]


def test_one_task_of_new_code_does_not_cost_the_scores_of_the_others(tmp_path):
    first = run(tmp_path, "one = 1")
    (before,) = shown(tmp_path)
    run(tmp_path, "two = 2", tasks=["keystone"])
    (now,) = shown(tmp_path)
    assert [label.partition("@")[0] for label in now.result.scores] == ["keystone"]
    (old,) = kept(tmp_path)
    assert old == before
    assert len(old.result.scores) == 3
    assert code_of(old.trial.predictor) != code_of(now.trial.predictor)
    assert older_files(tmp_path / "out")[0].parent.name == code_of(old.trial.predictor)
    # the code comes back, and with it its results: nothing is fitted
    back = run(tmp_path, "one = 1")
    assert set(back.actions) == {"nothing"}
    assert shown(tmp_path) == [before]
    assert kept(tmp_path) == [now]
    assert len(first.records) == len(back.records)


def test_a_row_is_of_one_version_also_on_the_networks_that_were_not_run_again(tmp_path):
    run(tmp_path, "one = 1", networks=3, tasks=["keystone"])
    run(tmp_path, "two = 2", networks=1, tasks=["keystone"])
    assert [one.trial.dataset.seed for one in shown(tmp_path)] == [0]
    assert sorted(one.trial.dataset.seed for one in kept(tmp_path)) == [0, 1, 2]
    back = run(tmp_path, "one = 1", networks=1, tasks=["keystone"])
    assert "fit" not in back.actions
    assert sorted(one.trial.dataset.seed for one in shown(tmp_path)) == [0, 1, 2]
    assert [one.trial.dataset.seed for one in kept(tmp_path)] == [0]


def test_other_datasets_keep_the_version_that_they_were_run_with(tmp_path):
    run(tmp_path, "one = 1", datasets=["grn:genes=15,cells=60", "grn:genes=12,cells=60"])
    run(tmp_path, "two = 2", datasets=["grn:genes=12,cells=60"])
    codes = {one.trial.dataset.group: code_of(one.trial.predictor) for one in shown(tmp_path)}
    assert len(codes) == len(set(codes.values())) == 2
    assert len(kept(tmp_path)) == 1


def test_what_is_done_anew_for_one_task_keeps_the_others_too(tmp_path):
    run(tmp_path, "one = 1")
    (before,) = shown(tmp_path)
    run(tmp_path, "one = 1", Policy.FRESH, tasks=["keystone"])
    assert kept(tmp_path) == [before]
    run(tmp_path, "one = 1", Policy.FRESH, tasks=["keystone"])
    assert len(kept(tmp_path)) == 1


def test_a_failure_of_older_code_is_not_kept(tmp_path):
    run(tmp_path, "raise RuntimeError('no')")
    run(tmp_path, "two = 2")
    assert kept(tmp_path) == []
    assert [one.result.status for one in shown(tmp_path)] == ["ok"]


@pytest.mark.parametrize("named_elsewhere", [False, True])
def test_older_versions_do_not_pile_up_nor_do_their_answers(tmp_path, monkeypatch, named_elsewhere):
    monkeypatch.setattr(older, "KEPT", 1)
    run(tmp_path, "number = 0", tasks=["keystone"])
    (first,) = shown(tmp_path)
    (answers,) = (tmp_path / "out" / "answers").glob("*.npz")
    own = answers.with_name("0" * 64 + ".npz")  # such as no other version gives
    own.write_bytes(answers.read_bytes())
    path = record_path(tmp_path / "out", first.trial)
    document = json.loads(path.read_text().replace(answers.stem, own.stem))
    del document["seal"]  # it is broken by now
    document["run"]["started"] = "2026-01-01T00:00:00+00:00"  # the others begin in one second
    path.write_text(json.dumps(document))
    if named_elsewhere:  # by one that is set aside
        path.with_name("other.json.aside-1").write_text(json.dumps(document))
    for number in (1, 2):
        outcome = run(tmp_path, f"number = {number}", tasks=["keystone"])
    codes = {code_of(one.trial.predictor) for one in kept(tmp_path)}
    assert len(codes) == len(kept(tmp_path)) == 1
    assert code_of(first.trial.predictor) not in codes
    assert any(code_of(first.trial.predictor) in note for note in outcome.notes)
    # answers that a record still names stay
    assert own.exists() == named_elsewhere
    assert answers.is_file()


def test_they_are_hidden_from_predictors_as_results_are(tmp_path):
    theirs = tmp_path / "readable" / "older" / "abc"
    theirs.mkdir(parents=True)
    readable = [str(tmp_path / "readable")]
    (theirs / "notes.json").write_text("{}")
    assert search([], [], readable) == []
    (theirs / f"{'0' * 24}-{'1' * 8}.json").write_text("{}")
    assert search([], [], readable) == [theirs.parent]
    assert OLDER in RESULTS


def test_the_users_own_files_in_a_folder_of_that_name_stay(tmp_path):
    mine = tmp_path / "out" / "older" / "car" / "notes.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}")
    run(tmp_path, "one = 1", tasks=["keystone"])
    run(tmp_path, "two = 2", tasks=["keystone"])
    assert mine.read_text() == "{}"
    assert len(kept(tmp_path)) == 1
