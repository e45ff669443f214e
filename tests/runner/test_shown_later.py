"""A trial that is shown the expression of cells can't tell another one what to answer for them, nor
itself when it is tried again: whatever it leaves in the machine, it leaves too late.

What stands for the machine is a file that every trial can write to, as there is no sandbox here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.results.suite_seed import SuiteSeed
from kobench.runner.folder import Results
from kobench.runner.order import in_parts
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.resume import Action
from kobench.runner.run import Run
from kobench.runner.work import Work

SECRET = SuiteSeed("000102030405060708090a0b0c0d0e0f")
BOTH = ["profile", "knockout-impact"]

#: Leaves the expression that it is shown, and answers with what it finds; `{dies}`: it ends itself
#: once it has left something.
CARRIER = """
import os
import numpy as np
from kobench.api import Impacts, PredictorSpec, hookimpl

NOTES = {notes!r}

class Carrier:
    def fit(self, cells, context):
        self.found = False

    def predict_expression(self, assemblages):
        shares = np.asarray(assemblages, float)
        with open(NOTES + ".log", "a") as log:
            log.write("asked\\n")
        if os.path.exists(NOTES):
            left = np.load(NOTES)
            if left.shape == shares.shape and ((left > 0) == (shares > 0)).all():
                self.found, shares = True, left
        return shares / shares.sum(1, keepdims=True)

    def predict_impact(self, cells, knockouts):
        if not os.path.exists(NOTES):
            with open(NOTES, "wb") as file:
                np.save(file, np.asarray(cells.X, float))
            if {dies}:
                os.kill(os.getpid(), 9)
        return Impacts(np.ones(len(knockouts)), np.ones(len(knockouts)))

class Blind:
    fit, predict_expression = Carrier.fit, Carrier.predict_expression

@hookimpl
def kobench_predictors():
    yield PredictorSpec("carrier", make=Carrier, summary="Leaves what it is shown.")
    yield PredictorSpec("blind", make=Blind, summary="Reads what another one left.")
"""


def carrier(folder: Path, dies: bool = False) -> Path:
    plugin = folder / "carrying.py"
    plugin.write_text(CARRIER.format(notes=str(folder / "notes.npy"), dies=dies))
    return plugin


def run(folder: Path, request: Request, registry) -> list:
    Run(folder / "out").run(make_plan(registry, request))
    found = list(read_records(folder / "out"))
    return [record for record in found if record.role == "predictor"]


def errors(records) -> list[float]:
    assert {record.result.status for record in records} == {"ok"}, [
        (record.result.message, record.result.traceback) for record in records
    ]
    scores = [record.result.scores["profile@2"].metrics for record in records]
    return [round(float(one["bray-curtis"].value), 6) for one in scores]


def request(**changes) -> Request:
    plain = Request(["grn:genes=15,cells=60"], ["carrier"], tasks=BOTH, sandbox="off")
    return replace(plain, **changes)


@pytest.mark.parametrize("who", [{"fit_seeds": 3}, {"predictors": ["carrier", "blind"]}])
def test_a_later_trial_is_asked_before_any_is_shown(tmp_path, who):
    open_, shut = tmp_path / "open", tmp_path / "shut"
    for folder in (open_, shut):
        folder.mkdir()
    told = run(open_, request(**who), load_registry(plugin_files=[carrier(open_)]))
    assert min(errors(told)) == 0 < max(errors(told))
    secret = request(**who, suite_seed=SECRET)
    kept = run(shut, secret, load_registry(plugin_files=[carrier(shut)]))
    assert {record.result.status for record in kept} == {"ok"}
    assert min(errors(kept)) > 0.01
    for record in kept:
        assert set(record.result.scores) == {"profile@2", "knockout-impact@2"}
        assert min(record.run.fit_seconds, record.run.predict_seconds) > 0
    again = Run(shut / "out").run(make_plan(load_registry(plugin_files=[carrier(shut)]), secret))
    assert set(again.actions) == {"nothing"}


@pytest.mark.parametrize("more", [{}, {"fit_seeds": 2, "suite_seed": SECRET}])
def test_a_trial_that_ended_itself_is_not_asked_again_what_it_has_seen_since(tmp_path, more):
    registry = load_registry(plugin_files=[carrier(tmp_path, dies=True)])
    first = run(tmp_path, request(**more), registry)
    ended = [record.result for record in first if record.result.status == "failed"]
    assert [(one.stage, set(one.answers)) for one in ended] == [("singles", {"profile"})]
    assert min(errors(run(tmp_path, request(**more), registry))) > 0.01


def test_were_it_asked_again_it_would_know(tmp_path, monkeypatch):
    monkeypatch.setattr("kobench.runner.resume.answered_for_good", lambda *_: [])
    registry = load_registry(plugin_files=[carrier(tmp_path, dies=True)])
    run(tmp_path, request(), registry)
    assert errors(run(tmp_path, request(), registry)) == [0]


@pytest.mark.parametrize("other", ["sigma=0.3", "dropout=0.5"])
def test_another_setting_of_the_same_network_is_the_same_data(tmp_path, other):
    """Its assemblages are the same: who has been shown them in one knows them in the other."""
    datasets = ["grn:genes=15,cells=60", f"grn:genes=15,cells=60,{other}"]
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    plan = make_plan(registry, request(datasets=datasets, suite_seed=SECRET))
    every = {
        (number, len(group.basis)): Action("fit", asks=("profile", "singles"))
        for number, group in enumerate(plan)
    }
    first, second = in_parts(Work(plan, every, Results(tmp_path / "out")))
    assert set(first.todo) == set(second.todo) == set(every)
    assert {action.asks for action in first.todo.values()} == {("profile",)}
    assert not any(action.goes_on for action in first.todo.values())
    assert {(one.kind, one.asks, one.keep, one.goes_on) for one in second.todo.values()} == {
        ("ask", ("singles",), True, True)
    }


#: Fails as a busy machine would make it, in the first part of one fit seed, until a note is there.
FAILS = """
import os
from kobench.api import Impacts, PredictorSpec, hookimpl
import numpy as np

NOTES = {notes!r}

class Fails:
    def fit(self, cells, context):
        self.seed = context.seed

    def predict_expression(self, assemblages):
        if self.seed == 1 and not os.path.exists(NOTES):
            raise MemoryError
        shares = np.asarray(assemblages, float)
        return shares / shares.sum(1, keepdims=True)

    def predict_impact(self, cells, knockouts):
        open(NOTES, "w").close()
        return Impacts(np.ones(len(knockouts)), np.ones(len(knockouts)))

@hookimpl
def kobench_predictors():
    yield PredictorSpec("fails", make=Fails)
"""


def test_what_failed_is_not_tried_again_once_others_were_shown(tmp_path):
    """It could answer with what they left."""
    plugin = tmp_path / "failing.py"
    plugin.write_text(FAILS.format(notes=str(tmp_path / "note")))
    registry = load_registry(plugin_files=[plugin])
    asked = request(predictors=["fails"], fit_seeds=2, suite_seed=SECRET)
    statuses = []
    for _ in range(2):
        said = []
        Run(tmp_path / "out", note=said.append).run(make_plan(registry, asked))
        found = [one for one in read_records(tmp_path / "out") if one.role == "predictor"]
        statuses.append(sorted(one.result.status for one in found))
    assert statuses == [["ok", "out-of-memory"]] * 2
    (sentence,) = said
    assert "1 trial that failed is not tried again, because others have been" in sentence


def test_what_failed_before_anybody_was_shown_is_tried_again(tmp_path):
    plugin = tmp_path / "failing.py"
    plugin.write_text(FAILS.format(notes=str(tmp_path / "note")))
    registry = load_registry(plugin_files=[plugin])
    asked = request(predictors=["fails"], fit_seeds=2, tasks=["profile"], suite_seed=SECRET)
    Run(tmp_path / "out").run(make_plan(registry, asked))
    (tmp_path / "note").touch()
    Run(tmp_path / "out").run(make_plan(registry, asked))
    found = [one for one in read_records(tmp_path / "out") if one.role == "predictor"]
    assert {one.result.status for one in found} == {"ok"}
