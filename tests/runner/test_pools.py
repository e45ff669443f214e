"""A single-file predictor may compute in processes of its own, however these are started.

Where the file could not be imported in them, a pool would wait for ever: the limit here is short.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY

from kobench.checks.predictors import Setting, check_predictor
from kobench.plugins.chosen import choose
from kobench.plugins.load import Registry, load_registry
from kobench.results.parts import Record
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.supervisor.limits import Limits
from kobench.util.plugin_files import load_file

POOLS = REPOSITORY / "tests/helpers/pools.py"

LIMITS = Limits(seconds=40)

WAYS = (
    "spawn-pool",
    "forkserver-pool",
    "spawn-executor",
    "forkserver-executor",
    "spawn-process",
    "loky",
)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(plugin_files=[POOLS])


def ran(registry: Registry, folder: Path, *ways: str, sandbox: str = "auto") -> list[Record]:
    request = Request(
        ["grn:genes=10,cells=40"],
        [f"in-processes:way={way}" for way in ways],
        tasks=["profile"],
        limits=LIMITS,
        sandbox=sandbox,
    )
    outcome = Run(folder).run(make_plan(registry, request))
    return [record for record in outcome.records if record.role == "predictor"]


@pytest.mark.parametrize("way", WAYS)
def test_a_pool_of_a_single_file_works(registry: Registry, tmp_path: Path, way: str) -> None:
    if way == "loky":
        pytest.importorskip("joblib")
    (record,) = ran(registry, tmp_path, way)
    result = record.result
    assert (result.status, result.message, result.traceback) == ("ok", None, None)


def test_it_works_without_a_sandbox_too(registry: Registry, tmp_path: Path) -> None:
    (record,) = ran(registry, tmp_path, "spawn-pool", sandbox="off")
    assert (record.result.status, record.result.message) == ("ok", None)


def test_the_checks_pass_as_well(registry: Registry) -> None:
    chosen = choose(registry, "predictors", "in-processes:way=spawn-pool")
    results = check_predictor(chosen, Setting(limits=LIMITS))
    assert [result for result in results if result["status"] == "failed"] == []
    assert results[-1]["name"] == "survives-worker"


@pytest.mark.parametrize("name", ["my method.py", "a_b__c.py", "\u00fcber-_.py", "x\udcff.py"])
def test_another_process_finds_the_file_by_the_name_of_its_module(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "a folder_with_ (all) sorts"
    folder.mkdir()
    try:
        (folder / name).write_text("class Mine:\n    x = 3\n")
    except OSError:
        pytest.skip("this file system has no such names")
    module = load_file(folder / name)
    sent = pickle.dumps([module.Mine(), module.Mine])
    code = (
        "import pickle, sys; one, cls = pickle.load(sys.stdin.buffer); print(one.x, cls.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        input=sent,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=False,
    )
    assert done.stdout.decode() == "3 Mine\n", done.stderr.decode()


@pytest.mark.parametrize("name", ["nothing", "no_thing1", "a_b_c8"])
def test_a_name_that_is_no_files_is_no_module(name: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        __import__(f"kobench.util.plugin_files.{name}")
