"""`kobench score --replay`: forged numbers are found, honest ones agree, nothing is fitted."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from command import kobench
from tiny import PLUGIN

from kobench.errors import UserError
from kobench.plugins.load import load_registry
from kobench.results.answer_store import AnswerStore
from kobench.results.records import read_records
from kobench.results.suite_seed import find_seed
from kobench.runner.by_record import dataset_by_record
from kobench.runner.rebuilt import rebuild

TINY = "grn:genes=12,cells=120"
TASKS = ("-t", "profile", "-t", "keystone", "-t", "response")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A results folder with two networks of a secret seed."""
    folder = tmp_path_factory.mktemp("replay")
    asked = ("-d", TINY, "-p", "good", "--plugin", PLUGIN, *TASKS)
    kobench("run", *asked, "--networks", 2, "--secret", "--out", folder)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy of it to spoil."""
    return shutil.copytree(made, tmp_path / "out")


def record_of(folder, name="good", network="secret-0"):
    """The file of one record, and what it holds."""
    for path in sorted((folder / "records").glob("*.json")):
        record = json.loads(path.read_text())
        record.pop("seal")  # what is forged here shall be read
        trial = record["trial"]
        if trial["predictor"]["name"] == name and network in trial["dataset"]["selection"]:
            return path, record
    raise AssertionError(f"no record of {name} on {network}")


def test_every_record_of_a_run_agrees_without_the_predictor(folder):
    """The plugin file is not given: answers are enough. Floors and lines are made again."""
    done = kobench("score", "--replay", folder)
    assert "differs" not in done.stdout
    assert "not scored" not in done.stdout
    assert "as recorded: good on grn:cells=120,genes=12,seed=secret-0, holdout (3 tasks" in (
        done.stdout
    )
    assert "as recorded: presence-contrast on" in done.stdout
    assert "as recorded: truth on" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(
        "0 with differences, 0 of which something could not be scored."
    )


@pytest.mark.parametrize(
    ("name", "task", "metric"),
    [
        ("good", "profile@2", "bray-curtis"),
        ("abundance", "keystone@1", "spearman"),
        ("truth", "keystone@1", "spearman"),
    ],
)
def test_a_changed_score_is_named_with_both_numbers(folder, name, task, metric):
    path, record = record_of(folder, name)
    entry = record["result"]["scores"][task]["metrics"][metric]
    before, entry["value"] = entry["value"], 0.123
    path.write_text(json.dumps(record))
    done = kobench("score", "--replay", path, code=1)
    assert f"{task} metrics.{metric}.value: 0.123 recorded, {before:.10g} here" in done.stdout
    assert "1 record scored again: 1 with differences" in done.stdout


def test_answers_of_another_and_counts_are_found(folder):
    """Another's answers under its own hash, and a count that was changed, are differences."""
    path, record = record_of(folder)
    store = AnswerStore(folder)
    arrays_of = {name: store.load(key) for name, key in record["result"]["answers"].items()}
    name, arrays = next(found for found in arrays_of.items() if "profile" in found[1])
    profile = np.full_like(arrays["profile"], 1 / arrays["profile"].shape[1])
    record["result"]["answers"][name] = store.save({**arrays, "profile": profile})
    record["result"]["scores"]["response@2"]["left_out"]["made up"] = 3
    path.write_text(json.dumps(record))
    done = kobench("score", "--replay", path, "-v", code=1)
    assert "profile@2 metrics.bray-curtis.value" in done.stdout
    assert "response@2 left_out.made up: 3 recorded, nothing here (exactly that)" in done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: {**a, "profile": a["profile"][:3]}, "profile came as float"),
        (lambda a: {**a, "profile": -a["profile"]}, "expected values >= 0"),
        (lambda a: {**a, "supported": a["supported"][:3]}, "no 12 booleans 'supported'"),
        (lambda a: {**a, "max_order": np.ones(2)}, "'max_order', which is none"),
    ],
)
def test_answers_that_the_contract_refuses_are_not_scored(folder, change, said):
    path, record = record_of(folder)
    store = AnswerStore(folder)
    arrays_of = {name: store.load(key) for name, key in record["result"]["answers"].items()}
    name, arrays = next(found for found in arrays_of.items() if "profile" in found[1])
    record["result"]["answers"][name] = store.save(change(arrays))
    path.write_text(json.dumps(record))
    done = kobench("score", "--replay", path, code=1)
    assert said in done.stdout
    assert "not scored:" in done.stdout


def test_what_is_not_here_is_said(folder, tmp_path):
    path, record = record_of(folder)
    scores = record["result"]["scores"]
    scores["keystone@77"] = {**scores.pop("keystone@1"), "version": 77}
    scores["mine@1"] = {**scores["response@2"], "task": "mine"}
    scores["profile@2"]["metrics"]["rmse"]["version"] = 9
    scores["profile@2"]["metrics"]["made-up"] = scores["profile@2"]["metrics"]["pearson"]
    path.write_text(json.dumps(record))
    done = kobench("score", "--replay", path, code=1)
    assert "keystone@77: the task has version 1 here" in done.stdout
    assert "mine@1: unknown task 'mine'" in done.stdout or "mine@1: " in done.stdout
    assert "the metric rmse has version 1 here, 9 in the record" in done.stdout
    assert "the metric made-up is not here" in done.stdout
    shutil.rmtree(folder / "answers")
    done = kobench("score", "--replay", path, code=1)
    assert "its answers are not stored" in done.stdout
    (folder / "secret-seed.txt").unlink()
    (folder / "secret-seed.sha256").unlink()
    done = kobench("score", "--replay", path, code=1)
    assert "come from a secret seed, which is not in the folder" in done.stdout
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "there are no records in" in kobench("score", "--replay", empty, code=2).stderr


def test_the_meaning_of_answers_is_kept_with_them(tmp_path):
    """A direction has no length: without the predictor, its record says what it gave."""
    plugin = tmp_path / "pointing.py"
    plugin.write_text(
        "import numpy as np\n"
        "from kobench.api import PredictorSpec, hookimpl\n"
        "class Pointing:\n"
        "    def fit(self, cells, context): self.n = cells.n_vars\n"
        "    def predict_response(self, cells, knockouts):\n"
        "        return np.arange(len(knockouts) * self.n, dtype=float).reshape(-1, self.n) % 7\n"
        "@hookimpl\n"
        "def kobench_predictors():\n"
        '    return [PredictorSpec("pointing", Pointing, response="affected", max_order=1)]\n'
    )
    out = tmp_path / "out"
    kobench("run", "-d", TINY, "-p", "pointing", "--plugin", plugin, "-t", "response", "--out", out)
    path, record = record_of(out, "pointing", "grn")
    named = record["trial"]["predictor"]
    assert (named["response"], named["max_order"]) == ("affected", 1)
    assert record["result"]["status"] == "ok"
    assert "as recorded: pointing" in kobench("score", "--replay", path).stdout
    del named["response"]
    path.write_text(json.dumps(record))
    assert "differs: pointing" in kobench("score", "--replay", path, code=1).stdout


#: A predictor's file that also brings a dataset, which leaves a trace where it runs.
SPY = """
import numpy as np
from pathlib import Path
from kobench.api import DatasetSpec, Param, PredictorSpec, hookimpl
class Spy:
    def fit(self, cells, context): self.n = cells.n_vars
    def predict_expression(self, assemblages):
        return assemblages / np.maximum(assemblages.sum(1, keepdims=True), 1)
def load(seed=0):
    Path(__file__).with_name("trace").write_text("ran")
    raise ValueError("ran")
@hookimpl
def kobench_predictors():
    yield PredictorSpec("spy", Spy)
@hookimpl
def kobench_datasets():
    yield DatasetSpec("innocent", load, params={"seed": Param(0)}, seeded=True)
"""


def forged(out, predictor, **dataset):
    """The file of the record of a predictor, its dataset replaced."""
    path, record = record_of(out, predictor, "grn")
    record["trial"]["dataset"].update(dataset)
    path.write_text(json.dumps(record))
    return path


def test_a_record_runs_nobodys_dataset_and_opens_no_file(tmp_path):
    plugin, out = tmp_path / "spy.py", tmp_path / "out"
    plugin.write_text(SPY)
    asked = ("-d", TINY, "-p", "spy", "--plugin", plugin, "-t", "profile")
    kobench("run", *asked, "--out", out)
    path = forged(out, "spy", name="innocent", selection="innocent", group="innocent", version=1)
    trace = tmp_path / "trace"
    replay = ("score", "--replay", path, "--plugin", plugin)
    done = kobench(*replay, code=1)
    assert "would run here because a record names it; name it with -d innocent" in done.stdout
    assert not trace.exists()
    kobench(*replay, "-d", "innocent", code=1)
    assert trace.exists()
    mine = tmp_path / "mine.csv"
    mine.write_text("secret of the user\n")
    record = json.loads(path.read_text())
    record["trial"]["dataset"].update(name="table", selection=f"table:path={mine}", group="table")
    path.write_text(json.dumps(record))
    done = kobench(*replay, code=1)
    assert "a record names a file of yours" in done.stdout
    assert "secret of the user" not in done.stdout + done.stderr


@pytest.mark.parametrize("key", ["path", "obs"])
def test_a_file_that_a_record_names_is_not_opened_before_it_is_refused(tmp_path, monkeypatch, key):
    """A pipe would be waited for, a device read without end."""
    registry = load_registry()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = f"h5ad:{key}={pipe}"
    opened = []
    read = "kobench.plugins.chosen.content_hash"
    monkeypatch.setattr(read, lambda path: opened.append(path) or "")
    with pytest.raises(UserError, match="a record names a file of yours"):
        dataset_by_record(registry, text)
    assert opened == []
    dataset_by_record(registry, text, [text])
    assert opened == [pipe]


def test_a_published_board_runs_nobodys_simulator(tmp_path):
    plugin, out = tmp_path / "spy.py", tmp_path / "out"
    plugin.write_text(SPY)
    asked = ("-d", TINY, "-p", "spy", "--plugin", plugin, "-t", "profile")
    kobench("run", *asked, "--secret", "--out", out)
    registry = load_registry((str(plugin),))
    records = [
        replace(
            record,
            trial=replace(
                record.trial,
                dataset=replace(record.trial.dataset, name="innocent", group="innocent"),
            ),
        )
        for record in read_records(out)
    ]
    found = rebuild(registry, records, find_seed(out))
    assert found.same == 0
    assert "name it with -d innocent" in found.left_out[0]
    assert not (tmp_path / "trace").exists()


def test_a_line_that_is_none_and_a_role_of_another_are_said(folder):
    path, record = record_of(folder)
    record["role"], record["trial"]["predictor"]["name"] = "line", "no-such-line"
    path.write_text(json.dumps(record))
    done = kobench("score", "--replay", path, code=1)
    assert "'no-such-line' is no line of kobench" in done.stdout
