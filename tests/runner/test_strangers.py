"""What a stranger's metric, task or dataset can do to a run: nothing unless it is named, and then
not take back what the record says of it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from kobench.board.make import make_board
from kobench.errors import UserError
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.runner.datasets import join
from kobench.runner.keys import Trial
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.runner.trust import has_strangers, trusted_with_predictor

TINY = "grn:genes=10,cells=40"

#: A competitor that brings a judge of each kind, leaves a note of every process in which its
#: module runs beside the truth, and there takes away what a record could say of that.
THIEF = """
import os, sys
from pathlib import Path

import numpy as np

from kobench.api import (
    Cells, Dataset, DatasetSpec, MetricSpec, Param, PredictorSpec, ProfileUnits, TaskSpec,
    TaskUnits, hookimpl,
)

NOTES = Path(NOTES_AT)
if "kobench.runner" in sys.modules:
    (NOTES / str(os.getpid())).write_text("")
    from dataclasses import replace

    def silent(record):
        return replace(record, result=replace(record.result, trusted_with_predictor=[]))

    for module in list(sys.modules.values()):
        if not getattr(module, "__name__", "").startswith("kobench."):
            continue
        for name in ("trusted_with_predictor", "vouched", "record_of", "write_record", "seeing"):
            theirs = getattr(module, name, None)
            if theirs is None:
                continue
            if name == "trusted_with_predictor":
                setattr(module, name, lambda trial: [])
            if name == "seeing":
                setattr(module, name, lambda trial: iter(()))
            if name == "record_of":
                setattr(module, name, lambda *given, f=theirs: silent(f(*given)))
            if name == "vouched":
                setattr(module, name, lambda record, trial, brought: silent(record))
            if name == "write_record":
                setattr(module, name, lambda folder, record, f=theirs: f(folder, silent(record)))


class Mine:
    def fit(self, cells, context): ...
    def predict_expression(self, assemblages):
        return assemblages / assemblages.sum(1, keepdims=True)


def load(genes, types):
    X = np.random.default_rng(0).random((120, genes)).astype(np.float32)
    X[X < 0.3] = 0
    X[:, 0] = 1
    kinds = np.array(["one", "two"])[np.arange(120) % 2]
    cells = Cells(X, np.array([f"g{i}" for i in range(genes)]), {"kind": kinds})
    return Dataset(cells, scale="linear", kind="real", cell_type_key="kind")


def best(units):
    return 0.0


def units(view):
    question, answers = view.question, view.answers
    n = len(question.true)
    if answers.profile is None:
        return TaskUnits({}, n, n)
    rows = ProfileUnits(answers.profile, question.true, question.assemblages, np.arange(n))
    return TaskUnits({"": rows}, n, n)


@hookimpl
def kobench_predictors():
    yield PredictorSpec("mine", Mine)


@hookimpl
def kobench_datasets():
    yield DatasetSpec("their-data", load, params={"genes": Param(12), "types": Param(2)})


@hookimpl
def kobench_metrics():
    yield MetricSpec("lenient", best, of="profile", direction="lower", best=0.0)
    yield MetricSpec("unnamed", best, of="profile", direction="lower", best=0.0)


@hookimpl
def kobench_tasks():
    yield TaskSpec(
        "their-task", units, of="profile", asks="profile", truth="wild-type",
        primary=("bray-curtis",), floors=("uniform",),
    )
"""


class Play:
    def __init__(self, folder: Path) -> None:
        self.folder, self.notes, self.said = folder, folder / "notes", []
        self.notes.mkdir()
        self.file = folder / "thief.py"
        self.file.write_text(THIEF.replace("NOTES_AT", repr(str(self.notes))))

    def run(self, jobs: int = 1, **asked: Any) -> dict[str, Any]:
        """The record of the competitor, as it lies in the folder, and as the board has it."""
        request = Request(**{"datasets": [TINY], "predictors": ["mine"], **asked})
        groups = make_plan(load_registry([self.file]), request, self.said.append)
        out = self.folder / "out"
        outcome = Run(out).run(groups, jobs)
        (mine,) = (one for one in outcome.records if one.role == "predictor")
        (stored,) = (one for one in read_records(out) if one.role == "predictor")
        assert json.dumps(stored.to_json(), sort_keys=True) == json.dumps(
            mine.to_json(), sort_keys=True
        )
        assert stored.result.status == "ok"
        return {
            "brought": list(stored.result.trusted_with_predictor),
            "remarks": [
                remark
                for section in make_board(list(read_records(out))).sections
                for row in section.rows
                if row.name == "mine"
                for remark in row.remarks
            ],
            "scores": stored.result.scores,
        }

    @property
    def ran_in(self) -> set[int]:
        """The processes in which the module ran beside the truth."""
        return {int(note.name) for note in self.notes.iterdir()}


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


def test_nothing_of_a_plugin_file_runs_beside_the_truth_unasked(play: Play) -> None:
    found = play.run()
    assert play.ran_in == set()
    assert found["brought"] == []
    assert not any("distribution" in remark for remark in found["remarks"])
    assert [line.split(" is left out")[0] for line in play.said] == [
        "task their-task of file:thief.py",
        "metric lenient of file:thief.py",
        "metric unnamed of file:thief.py",
    ]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("asked", "brought"),
    [
        ({"metrics": ["lenient"]}, "lenient"),
        ({"tasks": ["their-task"]}, "their-task"),
        ({"datasets": ["their-data"]}, "their-data"),
    ],
    ids=["metric", "task", "dataset"],
)
def test_what_is_named_runs_elsewhere_and_can_not_take_its_remark_back(
    play: Play, asked: dict[str, Any], brought: str, jobs: int
) -> None:
    found = play.run(jobs, **asked)
    assert play.ran_in
    assert os.getpid() not in play.ran_in
    assert not any("thief" in name for name in sys.modules)
    assert found["brought"] == [brought]
    (remark,) = {one for one in found["remarks"] if "its distribution also brings" in one}
    assert remark.endswith(f"what sees the truth here: {brought}")
    # and it is named alone: no other object of its distribution counts
    metrics = {name for scores in found["scores"].values() for name in scores.metrics}
    assert metrics & {"lenient", "unnamed"} <= {brought}
    assert ("their-task@1" in found["scores"]) == (brought == "their-task")


def test_a_strangers_dataset_is_not_loaded_to_plan_a_transfer(play: Play) -> None:
    request = Request(["their-data"], ["mine"], split="cell-type")
    groups = make_plan(load_registry([play.file]), request)
    assert [group.split.train for group in groups] == ["one", "two"]
    assert len(play.ran_in) == 1
    assert os.getpid() not in play.ran_in


def test_of_joined_datasets_each_counts(play: Play) -> None:
    registry, request = load_registry([play.file]), Request([], [])
    ours, theirs = (choose(registry, "datasets", name) for name in ("planted", "their-data"))
    mine = choose(registry, "predictors", "mine")
    for parts in ([ours, theirs], [theirs, ours]):
        trial = Trial("predictor", join(parts, first=True), mine, (), request)
        assert has_strangers(trial)
        assert trusted_with_predictor(trial) == ["their-data"]
    assert not has_strangers(Trial("predictor", join([ours, ours], first=True), mine, (), request))


def test_a_broken_dataset_of_a_stranger_ends_the_run_before_any_fit(play: Play) -> None:
    text = play.file.read_text().replace("    X[X < 0.3] = 0\n", "    raise OSError('gone')\n")
    play.file.write_text(text)
    request = Request(["their-data"], ["mine"])
    groups = make_plan(load_registry([play.file]), request)
    with pytest.raises(UserError, match=r"their-data .*can't be loaded: OSError: gone"):
        Run(play.folder / "out").run(groups)
    assert not list(read_records(play.folder / "out"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        # what a process of the run says is data, whatever runs there
        (
            "import pickle; sys.modules['kobench.runner.processes'].Connection.send_bytes = "
            "lambda pipe, data: pipe._send_bytes(pickle.dumps(print))",
            "said what none says",
        ),
        (
            "j = sys.modules['kobench.runner.trial']; f = j.record_of; "
            "j.record_of = lambda trial, *more: replace(f(trial, *more), role='line')",
            "gave the record of another trial",
        ),
        (
            "j = sys.modules['kobench.runner.trial']; f = j.record_of; "
            "j.record_of = lambda trial, *more: replace(f(trial, *more), role='nobody')",
            "said what none says",
        ),
    ],
    ids=["pickled", "another", "unsound"],
)
def test_a_process_that_says_something_else_ends_the_run(
    play: Play, code: str, message: str
) -> None:
    head, middle, tail = play.file.read_text().partition("    from dataclasses import replace\n")
    play.file.write_text(f"{head}{middle}    {code}\n{tail}")
    groups = make_plan(load_registry([play.file]), Request(["their-data"], ["mine"]))
    with pytest.raises(UserError, match=message):
        Run(play.folder / "out").run(groups)
