"""A trial that is shown the expression of cells can't tell another one what to answer for them, nor
itself when it is tried again: whatever it leaves in the machine, it leaves too late.

What stands for the machine is a file that every trial can write to, as there is no sandbox here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from kobench.board.make import make_board
from kobench.errors import UserError
from kobench.plugins.load import load_registry
from kobench.results.about import About
from kobench.results.records import read_records, write_record
from kobench.results.suite_seed import SuiteSeed
from kobench.runner.folder import Results
from kobench.runner.late import Shown, shown_in, too_late
from kobench.runner.order import in_parts
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.resume import Action, Policy
from kobench.runner.run import Run
from kobench.runner.shown import REAL, Showing, written_in
from kobench.runner.work import Work
from kobench.supervisor.process import WorkerProcess

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


def late_of(folder: Path) -> dict[str, list[str]]:
    """By predictor the tasks that were asked late, as its records say; [] where none was."""
    found = [one for one in read_records(folder / "out") if one.role == "predictor"]
    return {one.trial.predictor.name: list(one.run.asked_late or ()) for one in found}


LATE = ["profile@2"]


@pytest.mark.parametrize(
    ("added", "late"),
    [
        ({"tasks": BOTH}, {"carrier": LATE}),
        ({"tasks": BOTH, "predictors": ["carrier", "blind"]}, {"carrier": LATE, "blind": LATE}),
        ({"predictors": ["blind"], "tasks": ["profile"]}, {"carrier": [], "blind": LATE}),
    ],
    ids=["a task", "a task and a predictor", "a predictor"],
)
def test_what_is_added_to_a_finished_run_may_have_been_told_and_its_row_says_so(
    tmp_path, added, late
):
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    first = request(tasks=["knockout-impact"], suite_seed=SECRET)
    said: list[str] = []
    finished = Run(tmp_path / "out", note=said.append)
    finished.run(make_plan(registry, first))
    assert (late_of(tmp_path), said) == ({"carrier": []}, [])
    finished.run(make_plan(registry, replace(first, **added)))
    assert late_of(tmp_path) == late
    records = list(read_records(tmp_path / "out"))
    assert min(errors([one for one in records if one.run.asked_late])) == 0  # it was told
    (sentence,) = said
    assert "asked by assemblage after predictors were shown the expression of the same" in sentence
    assert "run all of it into a new folder (--out), with new secret seeds" in sentence
    for section in make_board(records).sections:
        remarks = {row.name: " ".join(row.remarks) for row in section.rows}
        for name in late.keys() & remarks.keys():
            told = section.task in late[name]
            assert ("it may have been told" in remarks[name]) == told, (section.task, name)


def test_answers_that_came_late_stay_so_when_they_are_scored_anew(tmp_path):
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    first = request(tasks=["knockout-impact"], suite_seed=SECRET)
    both = make_plan(registry, replace(first, tasks=BOTH))
    Run(tmp_path / "out").run(make_plan(registry, first))
    Run(tmp_path / "out").run(both)
    (record,) = (one for one in read_records(tmp_path / "out") if one.role == "predictor")
    keys = replace(record.keys, scores={**record.keys.scores, "profile@2": "of older code"})
    write_record(tmp_path / "out", replace(record, keys=keys))
    assert Run(tmp_path / "out").run(both).actions["score"] == 1
    assert late_of(tmp_path) == {"carrier": LATE}


def test_all_that_is_done_anew_comes_late(tmp_path):
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    plan = make_plan(registry, request(suite_seed=SECRET))
    Run(tmp_path / "out").run(plan)
    assert late_of(tmp_path) == {"carrier": []}
    Run(tmp_path / "out", Policy.FRESH).run(plan)
    assert late_of(tmp_path) == {"carrier": LATE}


def test_other_cells_come_in_time_and_so_does_all_in_a_run_that_need_not_hold(tmp_path):
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    said: list[str] = []

    def go(folder: str, **changes) -> None:
        plan = make_plan(registry, request(**changes))
        Run(tmp_path / folder, note=said.append).run(plan)

    go("out", suite_seed=SECRET)
    go("out", suite_seed=SECRET, networks=2)
    go(
        "out",
        suite_seed=SECRET,
        datasets=["planted:genes=15,cells=60,perturbations=3"],
        tasks=["profile"],
    )
    go("open", tasks=["knockout-impact"])
    go("open")
    assert said == []
    found = [one for name in ("out", "open") for one in read_records(tmp_path / name)]
    assert not any(one.run.asked_late for one in found)


def test_records_that_do_not_say_what_their_cells_come_from_count_by_name(tmp_path):
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    Run(tmp_path / "out").run(make_plan(registry, request(suite_seed=SECRET)))
    (record,) = (one for one in read_records(tmp_path / "out") if one.role == "predictor")
    (origin,) = record.about.dataset.origins
    assert origin.endswith("/grn secret-0")
    assert shown_in([record]) == ({"grn"}, {origin}, set())
    assert shown_in([replace(record, about=About())]) == ({"grn"}, set(), {"grn"})
    unseen = replace(record, result=replace(record.result, answers={"profile": "x"}))
    assert shown_in([unseen, replace(record, role="floor")]) == (set(), set(), set())


@pytest.mark.parametrize(("stage", "shown"), [("profile", set()), ("singles", {"grn"})])
def test_who_failed_while_it_was_asked_has_been_shown_what_it_was_asked(tmp_path, stage, shown):
    """It has no answer, and may have left what it saw."""
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    Run(tmp_path / "out").run(make_plan(registry, request(suite_seed=SECRET)))
    (record,) = (one for one in read_records(tmp_path / "out") if one.role == "predictor")
    result = replace(record.result, status="failed", stage=stage, answers={}, scores={})
    assert shown_in([replace(record, result=result)]).names == shown


def test_what_was_shown_of_real_cells_counts_for_every_name_of_theirs(tmp_path):
    """Two paths may lead to one file, and two files may hold one screen."""
    cells = "".join(f"{1 + cell % 3},{1 + cell % 5},{1 + cell % 7}\n" for cell in range(40))
    (tmp_path / "cells.csv").write_text(cells)
    asked = request(
        datasets=[f"table:path={tmp_path / 'cells.csv'}"], tasks=["profile"], sandbox="require"
    )
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    ((trial,),) = (group.trials for group in make_plan(registry, asked))
    (simulated,) = make_plan(registry, replace(asked, datasets=["grn:genes=15,cells=60"]))
    failed = SimpleNamespace(result=SimpleNamespace(status="failed"))
    again = Action("fit", asks=("profile",))

    def stands(trial, *shown: str) -> bool:
        return too_late(
            trial, again, failed, lambda: Shown(frozenset(shown), frozenset(), frozenset())
        )

    assert stands(trial, REAL)
    assert not stands(trial, "grn")
    assert stands(simulated.trials[0], "grn")
    assert not stands(simulated.trials[0], REAL)


def stopped_when_asked(question: str, when: str, run: Run, plan, monkeypatch) -> None:
    """A run that its user stops just before a worker is handed a question, or once it answered."""
    real = getattr(WorkerProcess, when)

    def stop(worker: WorkerProcess, name: str, *more):
        if name == question:
            raise KeyboardInterrupt
        return real(worker, name, *more)

    with monkeypatch.context() as patch:
        patch.setattr(WorkerProcess, when, stop)
        with pytest.raises(KeyboardInterrupt):
            run.run(plan)


def shown_to_somebody(folder: Path) -> set[str]:
    return {showing.name for showing in written_in(folder)}


def test_what_is_shown_is_written_down_before_it_is_shown(tmp_path, monkeypatch):
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    plan = make_plan(registry, request(suite_seed=SECRET))
    for question, written in (("profile", set()), ("singles", {"grn"})):
        folder = tmp_path / question
        stopped_when_asked(question, "stage", Run(folder), plan, monkeypatch)
        assert not (tmp_path / "notes.npy").exists()
        assert shown_to_somebody(folder) == written


def test_what_failed_is_not_tried_again_though_the_run_was_stopped_that_showed(
    tmp_path, monkeypatch
):
    """Who was shown the cells has no record, and has left what it saw."""
    plugin = tmp_path / "failing.py"
    plugin.write_text(FAILS.format(notes=str(tmp_path / "note")))
    registry = load_registry(plugin_files=[plugin])
    asked = request(predictors=["fails"], fit_seeds=2, suite_seed=SECRET)
    plan, said = make_plan(registry, asked), []
    stopped_when_asked("singles", "answers", Run(tmp_path / "out"), plan, monkeypatch)
    assert (tmp_path / "note").exists()
    Run(tmp_path / "out", note=said.append).run(plan)
    found = [one for one in read_records(tmp_path / "out") if one.role == "predictor"]
    assert sorted(one.result.status for one in found) == ["ok", "out-of-memory"]
    assert "1 trial that failed is not tried again, because others have been" in said[0]


@pytest.mark.parametrize("policy", Policy)
def test_what_is_asked_after_a_run_that_was_stopped_comes_late(tmp_path, policy, monkeypatch):
    registry = load_registry(plugin_files=[carrier(tmp_path)])
    first = request(tasks=["knockout-impact"], suite_seed=SECRET)
    plan = make_plan(registry, first)
    stopped_when_asked("singles", "answers", Run(tmp_path / "out"), plan, monkeypatch)
    assert (tmp_path / "notes.npy").exists()
    added = replace(first, tasks=["profile"], predictors=["blind"])
    Run(tmp_path / "out", policy).run(make_plan(registry, added))
    assert late_of(tmp_path) == {"blind": LATE}


@pytest.mark.parametrize("older", [False, True])
def test_what_a_failure_was_shown_is_known_when_an_earlier_failure_takes_its_place(tmp_path, older):
    """Of older folders nothing is written down but records."""
    asked = request(tasks=["knockout-impact"], suite_seed=SECRET)
    registry = load_registry(plugin_files=[carrier(tmp_path, dies=True)])
    (ended,) = run(tmp_path, asked, registry)
    assert ended.result.stage == "singles"
    if older:
        for path in (tmp_path / "out" / "shown").iterdir():
            path.unlink()
    plugin = tmp_path / "carrying.py"
    plugin.write_text(plugin.read_text().replace("self.found = False", "raise OSError"))
    (ended,) = run(tmp_path, asked, load_registry(plugin_files=[plugin]))
    assert (ended.result.stage, ended.result.answers) == ("fit", {})
    found = list(read_records(tmp_path / "out"))
    assert not shown_in(found).names
    written = shown_in(found, written_in(tmp_path / "out"))
    assert (written.names, len(written.origins)) == ({"grn"}, 1)


def test_a_note_of_what_was_shown_that_cannot_be_read_is_named(tmp_path):
    for said in (Showing("grn", None), Showing(REAL, ("a", "b"))):
        said.write(tmp_path)
    assert set(written_in(tmp_path)) == {Showing("grn", None), Showing(REAL, ("a", "b"))}
    path = min((tmp_path / "shown").iterdir())
    for content in ("", "[]", '{"name": 1, "origins": []}', '{"name": "grn", "origins": [1]}'):
        path.write_text(content)
        with pytest.raises(UserError, match=f"{path.name} can't be read .*run into a new folder"):
            list(written_in(tmp_path))
    path.rename(path.with_name("mine.json"))  # the user's own are no such notes
    assert len(list(written_in(tmp_path))) == 1
