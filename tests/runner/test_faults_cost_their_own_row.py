"""What hostile or clumsy plugins tried: each costs its own row or column, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from kobench.cells import Cells, Knockouts
from kobench.errors import TrialFailed, UserError
from kobench.plugins.load import load_registry
from kobench.question import Singles
from kobench.results.answer_store import AnswerStore
from kobench.runner.plan import make_plan
from kobench.runner.prepared import Prepared
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.supervisor.guard import guard_answers

TINY = "grn:genes=15,cells=60"

HEAD = """
import os, sys
import numpy as np
from kobench.api import *
from kobench.api import Impacts

class Base:
    def fit(self, cells, context):
        self.context, shares = context, cells.profiles()
        self.mean = shares.sum(0) / np.maximum((shares > 0).sum(0), 1) + 1e-9
    def predict_expression(self, assemblages):
        rows = assemblages * self.mean ** (1 + assemblages.sum(1, keepdims=True) / 50)
        return rows / rows.sum(1, keepdims=True)
"""


@pytest.fixture
def play(tmp_path):
    """Run `base` and other predictors of a plugin on a tiny network; the records by predictor."""

    def run(code, *names, datasets=(TINY,), tasks=None, out="out", **more):
        path = tmp_path / "plugin.py"
        names = ("base", *names)
        specs = "".join(
            f'    yield PredictorSpec("{name}", {name.title().replace("-", "")})\n'
            for name in names
        )
        path.write_text(f"{HEAD}{code}\n@hookimpl\ndef kobench_predictors():\n{specs}")
        registry = load_registry(plugin_files=[path])
        outcome = Run(tmp_path / out).run(
            make_plan(registry, Request(datasets, names, tasks=tasks, **more))
        )
        return {record["trial"]["predictor"]["name"]: record for record in outcome.records}

    return run


def test_huge_but_finite_answers_cost_their_own_row(play):
    rows = play(
        "class Huge(Base):\n    def predict_impact(self, cells, knockouts): return"
        " Impacts(raw=np.full(len(knockouts), 1e308), propagated=np.linspace(0, 1e308,"
        " len(knockouts)))",
        "huge",
    )
    result = rows["huge"]["result"]
    assert result["status"] == "invalid"  # the mean of such impacts is no number
    assert "not finite" in result["message"]
    assert rows["base"]["result"]["status"] == "ok"


def test_scratch_lasts_from_fit_to_the_last_answer_and_paths_survive_a_change_of_folder(play):
    rows = play(
        """
class Saves(Base):
    def fit(self, cells, context):
        super().fit(cells, context)
        assert context.scratch.is_absolute()
        np.save(context.scratch / "mean.npy", self.mean)
    def predict_expression(self, assemblages):
        assert np.load(self.context.scratch / "mean.npy").shape == self.mean.shape
        return super().predict_expression(assemblages)
class Moves(Base):
    def fit(self, cells, context):
        super().fit(cells, context)
        os.chdir("/")
class Quits(Base):
    def fit(self, cells, context): raise GeneratorExit("done")
""",
        "saves",
        "moves",
        "quits",
    )
    assert [rows[name]["result"]["status"] for name in ("saves", "moves", "quits")] == [
        "ok",
        "ok",
        "failed",
    ]
    assert "GeneratorExit" in rows["quits"]["result"]["message"]


ODD = """
class Odd(Base):
    def predict_expression(self, assemblages):
        rows = super().predict_expression(assemblages)
        return {array}
"""


@pytest.mark.parametrize(
    "array",
    ["np.ma.masked_array(rows, rows == 0)", "rows.astype(np.float16)", "rows.view(np.matrix)"],
)
def test_arrays_that_hide_what_they_hold_are_refused(play, array):
    assert play(ODD.format(array=array), "odd")["odd"]["result"]["status"] == "invalid"


METRICS = """
@hookimpl
def kobench_metrics():
    yield MetricSpec("broken", raises, of="ranking")
    yield MetricSpec("quits", quits, of="ranking")
    yield MetricSpec("wordy", wordy, of="ranking")
    yield MetricSpec("endless", endless, of="ranking")
    yield MetricSpec("sound", sound, of="ranking")
def raises(units): raise ValueError("no")
def quits(units): sys.exit(3)
def wordy(units): return "very good"
def endless(units): return float("inf")
def sound(units): return 0.5
"""


def test_a_broken_metric_costs_its_own_column(play):
    rows = play(METRICS, metrics=["broken", "quits", "wordy", "endless", "sound"])
    assert {record["result"]["status"] for record in rows.values() if record["role"] != "line"} == {
        "ok"
    }
    found = rows["base"]["result"]["scores"]["keystone@1"]["metrics"]
    assert found["broken"]["missing"] == "the metric failed: ValueError: no"
    assert found["quits"]["missing"] == "the metric failed: SystemExit: 3"
    assert "wordy" in found
    assert found["wordy"]["value"] is None
    assert found["endless"]["missing"] == "the value is not finite"
    assert found["sound"]["value"] == 0.5


TASKS = """
@hookimpl
def kobench_tasks():
    common = dict(of="ranking", asks="singles", truth="counterfactual")
    yield TaskSpec("raising", raises, primary=("spearman",), floors=("random",), **common)
    yield TaskSpec("empty", nothing, primary=("spearman",), floors=("random",), **common)
    yield TaskSpec("no-floor", nothing, primary=("spearman",), floors=("nobody",), **common)
    yield TaskSpec("no-metric", nothing, primary=("spaerman",), floors=("random",), **common)
    needs = dict(primary=("spearman",), floors=("random",))
    yield TaskSpec("no-line", nothing, lines=("horizon",), **needs, **common)
    yield TaskSpec("no-judge", nothing, primary=("follows",), floors=("random",), **common)
@hookimpl
def kobench_metrics():
    yield MetricSpec("follows", follows, of="ranking", descriptive=True, tasks=("no-judge",))
def follows(units): return 0.5
def raises(view): raise ValueError("no")
def nothing(view): return None
"""


def test_a_broken_task_costs_its_own_board(play, tmp_path):
    rows = play(TASKS, tasks=["raising", "empty", "keystone"])
    assert {record["result"]["status"] for record in rows.values() if record["role"] != "line"} == {
        "ok"
    }
    scores = rows["base"]["result"]["scores"]
    assert (
        scores["raising@1"]["metrics"]["spearman"]["missing"] == "the task failed: ValueError: no"
    )
    assert "NoneType" in scores["empty@1"]["metrics"]["spearman"]["missing"]
    assert scores["keystone@1"]["metrics"]["spearman"]["value"] is not None
    registry = load_registry(plugin_files=[tmp_path / "plugin.py"])
    said = []
    (group,) = make_plan(registry, Request([TINY], []), said.append)
    theirs = ["raising", "empty", "no-floor", "no-metric", "no-line", "no-judge"]
    assert [line.split()[1] for line in said] == theirs
    assert not {task.spec.name for trial in group.basis for task in trial.tasks} & set(theirs)
    wrong = {
        "no-floor": "nobody",
        "no-metric": "did you mean 'spearman'",
        "no-line": "horizon",
        "no-judge": "only describes answers",
    }
    for name, message in wrong.items():
        with pytest.raises(UserError, match=message):
            make_plan(registry, Request([TINY], [], tasks=[name], metrics=["follows"]))


@pytest.mark.parametrize(
    ("body", "message"), [("raise OSError('gone')", "OSError: gone"), ("return 3", "gave a int")]
)
def test_a_broken_dataset_is_named(play, body, message):
    code = (
        "@hookimpl\ndef kobench_datasets():\n    yield DatasetSpec('mine', load)\ndef load():\n   "
        f" {body}\n"
    )
    with pytest.raises(UserError, match=f"dataset mine of file:plugin.py .*{message}"):
        play(code, datasets=("mine",))


def test_a_predictors_own_dataset_metric_and_task_work_together(play):
    code = """
@hookimpl
def kobench_datasets():
    yield DatasetSpec("toy", toy, params={"n": Param(40)})
def toy(n):
    X = np.random.default_rng(0).random((n, 12)).astype(np.float32)
    X[X < 0.3] = 0
    return Dataset(Cells(X, np.array([f"g{i}" for i in range(12)])), scale="linear", kind="real")
@hookimpl
def kobench_metrics():
    lowest = dict(direction="lower", best=0.0)
    yield MetricSpec("worst-gene", worst, of="profile", tasks=("loud",), **lowest)
def worst(units): return float(np.abs(units.predicted - units.true).max())
@hookimpl
def kobench_tasks():
    about = dict(of="profile", asks="profile", truth="wild-type")
    yield TaskSpec("loud", units, primary=("worst-gene",), floors=("uniform",), **about)
def units(view):
    q, a = view.question, view.answers
    n = len(q.true)
    if a.profile is None:
        return TaskUnits({}, n, n)
    return TaskUnits({"": ProfileUnits(a.profile, q.true, q.assemblages, np.arange(n))}, n, n)
"""
    rows = play(code, datasets=("toy:n=60",), tasks=["loud"], metrics=["worst-gene"])
    assert rows["base"]["result"]["scores"]["loud@1"]["metrics"]["worst-gene"]["value"] > 0
    assert rows["base"]["result"]["trusted_with_predictor"] == ["loud", "toy", "worst-gene"]


def test_one_network_asked_for_twice_is_run_once(play):
    registry = load_registry()
    groups = make_plan(registry, Request([f"{TINY},seed=1", TINY, TINY], [], networks=3))
    assert [group.dataset.params["seed"] for group in groups] == [1, 2, 3, 0]


def test_threads_may_store_the_same_answers_at_once(tmp_path):
    store, errors, arrays = AnswerStore(tmp_path), [], {"raw": np.arange(20000.0)}
    gate = threading.Barrier(6)

    def save():
        for _ in range(30):
            gate.wait()
            try:
                store.path(store.save(arrays)).unlink(missing_ok=True)
            except OSError as error:
                errors.append(error)

    threads = [threading.Thread(target=save) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_damaged_answers_are_asked_for_again_and_sound_ones_scored(tmp_path):
    predictor, metric = tmp_path / "predictor.py", tmp_path / "metric.py"
    predictor.write_text(
        f"{HEAD}\n@hookimpl\ndef kobench_predictors():\n    yield PredictorSpec('base', Base)\n"
    )
    metric.write_text(HEAD + METRICS)
    (group,) = make_plan(load_registry(plugin_files=[predictor]), Request([TINY], ["base"]))
    Run(tmp_path).run([group])
    again = Request([TINY], ["base"], metrics=["sound"])
    (later,) = make_plan(load_registry(plugin_files=[predictor, metric]), again)
    damaged, *others = sorted(
        (tmp_path / "answers").glob("*.npz"), key=lambda path: path.stat().st_size
    )[::-1]
    damaged.write_bytes(damaged.read_bytes()[:-200])  # the knockouts'; the profile's stay
    outcome = Run(tmp_path).run([later])
    assert {
        record["result"]["status"] for record in outcome.records if record["role"] != "line"
    } == {"ok"}
    record = next(
        record for record in outcome.records if record["trial"]["predictor"]["name"] == "base"
    )
    assert record["result"]["scores"]["keystone@1"]["metrics"]["sound"]["value"] == 0.5
    assert {path.stem for path in (damaged, *others)} == set(record["result"]["answers"].values())


def test_nothing_in_the_users_folder_is_imported(tmp_path):
    (tmp_path / "kobench").mkdir()
    (tmp_path / "kobench" / "__init__.py").write_text("raise RuntimeError('the wrong kobench')")
    (tmp_path / "json.py").write_text("raise RuntimeError('the wrong json')")
    (tmp_path / "my.py").write_text(
        f"{HEAD}\n@hookimpl\ndef kobench_predictors():\n    yield PredictorSpec('base', Base)\n"
    )
    code = "from kobench.cli import main; main()"
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            code,
            "run",
            "-d",
            TINY,
            "-p",
            "base",
            "--plugin",
            "my.py",
            "-t",
            "profile",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    assert done.returncode == 0, done.stderr


def test_results_that_can_not_be_written_are_a_user_error(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "x", Path("/proc/x"), tmp_path / ("x" * 300)):
        with pytest.raises(UserError, match="can't be written"):
            Run(folder).run([])


def test_the_parent_checks_again_what_a_worker_says():
    events, sample = Knockouts(np.array([[0], [1], [2]]), np.array([0, 0, 0])), np.array([0, 2])
    rows = np.array([[0, 0.5, 0.5], [0.5, 0.5, 0]])
    good = {
        "wild_type": np.full((1, 3), 1 / 3),
        "raw": np.ones(3),
        "propagated": np.ones(3),
        "rows": rows,
        "gene_scores": None,
    }
    cells = Cells(np.ones((1, 3)), np.array(list("abc")))
    question = Singles(cells, events, sample, rows[:1], np.ones(3), np.ones(3), rows, rows)

    def guard(arrays):
        guard_answers("singles", arrays, question, np.ones(3, dtype=bool))

    guard(good)
    bad = {
        "mass at the removed gene": {"rows": rows[::-1]},
        "rows that do not sum to 1": {"rows": rows * 2},
        "not finite": {"raw": np.array([1, np.nan, 1])},
        "negative": {"propagated": -np.ones(3)},
        "another shape": {"wild_type": np.full((3, 1), 1.0)},
        "another type": {"raw": np.array(["a", "b", "c"])},
        "score of an asked gene": {"gene_scores": np.array([1, 2, np.nan])},
    }
    for name, change in bad.items():
        with pytest.raises(TrialFailed) as ended:
            guard({**good, **change})
        assert ended.value.status == "invalid", name


def test_prepared_data_is_made_once_and_can_be_forgotten():
    registry = load_registry()
    (group,) = make_plan(registry, Request([TINY], []))
    prepared = Prepared(group.dataset, group.basis[0].request, group.split)
    first = prepared.dataset
    assert prepared.dataset is first
    prepared.release()
    assert prepared.dataset is not first
    assert json.dumps(prepared.digest)
