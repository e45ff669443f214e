"""`kobench check`: a good predictor passes, a bad one fails the check it breaks.

One that ends its process is reported. Metrics and data sets are checked, too.
"""

from __future__ import annotations

import json

import pytest
from command import kobench
from places import PREDICTORS

from kobench.checks.predictors import Setting, check_predictor
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.supervisor.limits import Limits
from kobench.worker.checks.catalogue import CHECKS

PLUGIN = PREDICTORS


@pytest.fixture(scope="module")
def check():
    registry = load_registry(plugin_files=[PLUGIN])
    return lambda name, **more: {
        result["name"]: result
        for result in check_predictor(choose(registry, "predictors", name), **more)
    }


def test_a_good_predictor_passes(check):
    results = check("good")
    assert {result["status"] for result in results.values()} <= {"passed", "skipped"}
    assert sum(result["status"] == "passed" for result in results.values()) >= 12


def test_the_broken_check_is_named(check):
    failed = {name for name, result in check("rubbish").items() if result["status"] == "failed"}
    assert "finite" in failed
    assert "no luck today" in check("raises-in-fit")["fits"]["found"]


@pytest.mark.parametrize(
    ("name", "found"), [("kills-itself", "SIGKILL"), ("exits-at-once", "code 7")]
)
def test_a_predictor_that_ends_its_process_fails(check, name, found):
    assert found in check(name)["survives"]["found"]


def test_a_time_limit(check):
    assert (
        "longer than 2 s"
        in check("sleeps", setting=Setting(limits=Limits(seconds=2.0)))["survives"]["found"]
    )


ODD = """
from pathlib import Path
import numpy as np
from kobench.api import PredictorSpec, hookimpl, normalise_rows

class Sound:
    answer = 0.0
    def fit(self, cells, context):
        self.mean = cells.profiles().mean(axis=0) + 1e-3
        self.held = open(__file__)  # a state that no pickle takes
        self.lambdas = [lambda: self.answer]
    def predict_expression(self, assemblages):
        return normalise_rows(assemblages * (self.mean + self.lambdas[0]()))

fits = 0

class CountsFits(Sound):
    # the sixth fit of a process answers otherwise: the one after those of the checks
    def fit(self, cells, context):
        global fits
        fits += 1
        super().fit(cells, context)
        self.late = fits > 5
    def predict_expression(self, assemblages):
        return normalise_rows(assemblages * (self.mean + self.late))

@hookimpl
def kobench_predictors():
    yield PredictorSpec("sound", Sound)
    yield PredictorSpec("counts-fits", CountsFits)
    yield PredictorSpec("spearman", Sound)
"""


@pytest.fixture
def odd(tmp_path):
    plugin = tmp_path / "odd.py"
    plugin.write_text(ODD)
    return plugin


def check_command(*words, code=0):
    return kobench("check", *words, code=code)


def test_it_survives_a_worker_with_a_state_that_no_pickle_takes(odd):
    results = {
        result["name"]: result
        for result in json.loads(check_command("sound", "--plugin", odd, "--json").stdout)
    }
    assert list(results) == [*CHECKS, "survives-worker"]
    assert results["survives-worker"] == {
        "name": "survives-worker",
        "status": "passed",
        "found": "693 numbers in 10 arrays, as asked directly",
    }


def test_what_a_run_would_be_answered_is_compared(odd):
    results = {
        result["name"]: result
        for result in json.loads(
            check_command("counts-fits", "--plugin", odd, "--json", code=1).stdout
        )
    }
    assert {name for name, result in results.items() if result["status"] == "failed"} == {
        "survives-worker"
    }
    assert (
        "has other values when it is asked directly than in a worker of its own"
        in results["survives-worker"]["found"]
    )


def test_a_name_of_several_kinds_asks_which(odd):
    assert (
        "spearman is the name of a predictor and a metric; say --kind predictor or --kind metric"
        in check_command("spearman", "--plugin", odd, code=2).stderr
    )
    assert check_command("spearman", "--kind", "predictor", "--plugin", odd).stdout.endswith(
        " 0 failed, 3 skipped\n"
    )
    assert (
        "say of which, 'profile' or"
        in check_command("spearman", "--kind", "metric", "--plugin", odd, code=2).stderr
    )
    said = check_command("spearman", "--kind", "metric", "--of", "ranking", "--plugin", odd).stdout
    assert "ok    truth-scores-best: 1\n" in said
    assert (
        "keystone is a task, of which there are no checks"
        in check_command("keystone", code=2).stderr
    )


def test_a_dataset_that_is_not_here_fails(monkeypatch, tmp_path):
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path))
    said = check_command("trem2-microglia", code=1).stdout.splitlines()
    assert said[0].startswith("FAIL  loads: dataset 'trem2-microglia' needs the file")
    assert said[-1] == "0 passed, 1 failed, 2 skipped, 12 not run"


TRUSTED = """
import os
from kobench.api import DatasetSpec, MetricSpec, hookimpl

def ran(*words, **more):
    open({place!r}, "w").write(str(os.getpid()))
    return 0.0

@hookimpl
def kobench_metrics():
    yield MetricSpec(
        "yours", ran, of="profile", direction="higher", best=1.0, low=0.0, high=1.0, summary="mine"
    )

@hookimpl
def kobench_datasets():
    yield DatasetSpec("ours", ran, summary="mine")
"""


@pytest.mark.parametrize(("name", "kind"), [("yours", "metric"), ("ours", "dataset")])
def test_a_plugin_does_not_say_for_itself_that_it_may_see_the_truth(tmp_path, name, kind):
    plugin, place = tmp_path / "theirs.py", tmp_path / "ran"
    plugin.write_text(TRUSTED.format(place=str(place)))
    words = (name, "--plugin", plugin)
    what = f"file:theirs.py/{name} is a {kind}, says file:theirs.py"
    said = check_command(*words, code=2).stderr
    assert what in said
    assert f"Say --kind {kind} if you trust its code" in said
    said = check_command(*words, "--kind", kind, "--sandbox", "require", code=2).stderr
    assert f"--sandbox require: {what}" in said
    assert not place.exists()
    check_command(*words, "--kind", kind, code=1)  # it is a bad one
    assert place.exists()


def test_a_module_in_the_folder_of_a_check_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("open('ran', 'w')\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    check_command("spearman", "--of", "ranking")
    assert not (tmp_path / "ran").exists()
