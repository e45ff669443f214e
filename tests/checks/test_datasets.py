"""The checks of data sets.

Those that kobench generates pass, and each check fails for a data set that breaks just that.
"""

from __future__ import annotations

import textwrap
import unittest
from pathlib import Path
from typing import Any

import pytest

from kobench.checks.datasets.catalogue import DATASET_CHECKS, run_dataset_checks
from kobench.checks.testing import DatasetTests
from kobench.checks.trusted import check_trusted
from kobench.errors import UserError
from kobench.plugins.load import load_registry

GENERATED = [
    "grn:genes=15,cells=50",
    "grn:genes=15,cells=60,absence=modules,network=sf,dropout=0.3,cell_types=2",
    "planted:genes=20,cells=80,perturbations=5,perturbed_cells=20",
]


@pytest.mark.parametrize("name", GENERATED)
def test_what_kobench_generates_passes(name: str) -> None:
    results = list(run_dataset_checks(load_registry(), name))
    assert [result.name for result in results] == list(DATASET_CHECKS)
    assert {result.name: result.found for result in results if result.status == "failed"} == {}


def test_every_check_passes_for_planted() -> None:
    quick = [name for name in DATASET_CHECKS if name != "floors-run"]
    assert {
        result.status for result in run_dataset_checks(load_registry(), GENERATED[2], only=quick)
    } == {"passed"}


def test_blood_cells_pass() -> None:
    pytest.importorskip("scanpy")
    results = {
        result.name: result for result in run_dataset_checks(load_registry(), "pbmc68k:genes=100")
    }
    assert {
        name: result.found for name, result in results.items() if result.status == "failed"
    } == {}
    assert results["truth-as-declared"].found == "none"


HEAD = """
import random, socket
from dataclasses import replace
import numpy as np
from kobench.api import Cells, Dataset, DatasetSpec, Param, hookimpl

class Truth:
    def __init__(self, X): self.X = X
    def wild_type(self, cells): return self.X[cells]
    def knockout(self, knockouts): return knockouts.remove_from(self.X)

def sound(seed, cells=40, genes=6):
    rng = np.random.default_rng(seed)
    X = rng.lognormal(0, 1, (cells, genes)) * (rng.random((cells, genes)) < 0.8)
    X[:, :2] += 0.1
    names = np.array([f"g{i}" for i in range(genes)])
    return Dataset(Cells(X, names), scale="linear", kind="simulated", truth=Truth(X))

def measured(labels):
    data = sound(0)
    obs = {"perturbation": np.array(labels)[np.arange(40) % len(labels)]}
    return replace(data, truth=None, perturbed=Cells(data.cells.X, data.cells.var_names, obs))

def load(cells=40, seed=0):
    BODY

@hookimpl
def kobench_datasets():
    params = {"cells": Param(40), "seed": Param(0)}
    yield DatasetSpec("mine", load, truth="TRUTH", seeded=True, params=params)
"""

# the body of load, the truth that is declared, the checks that fail, what one of them finds
BROKEN: dict[str, tuple[str, str, set[str], str]] = {
    "sound": ("return sound(seed, cells)", "counterfactual", set(), ""),
    "raises": (
        "raise KeyError('gene')",
        "counterfactual",
        {*DATASET_CHECKS} - {"floors-run"},
        "KeyError: 'gene'",
    ),
    "not a dataset": (
        "return [1, 2]",
        "counterfactual",
        {*DATASET_CHECKS} - {"floors-run"},
        "it gave a list",
    ),
    "unseeded": (
        "return sound(np.random.SeedSequence().entropy, cells)",
        "counterfactual",
        {"same-bytes-again", "same-bytes-elsewhere"},
        "all randomness must come from a seed",
    ),
    "hash order": (
        "return sound([seed, hash('gene') % 1000], cells)",
        "counterfactual",
        {"same-bytes-elsewhere"},
        "loaded by another process",
    ),
    "seed ignored": (
        "return sound(0, cells)",
        "counterfactual",
        {"other-seed-differs"},
        "seeds 0 and 1 give the same cells",
    ),
    "global state": (
        "np.random.seed(seed); return sound(seed, cells)",
        "counterfactual",
        {"global-random-state"},
        "numpy.random",
    ),
    "network": (
        (
            "try:\n    socket.create_connection(('data.example', 80))\nexcept OSError:\n   "
            " pass\nreturn sound(seed, cells)"
        ),
        "counterfactual",
        {"no-network"},
        "loading asked for ('data.example', 80)",
    ),
    "other counts": (
        "return sound(seed, 30)",
        "counterfactual",
        {"counts-as-declared"},
        "it has 30 cells; 40 are declared",
    ),
    "no truth": (
        "return replace(sound(seed, cells), truth=None)",
        "counterfactual",
        {"truth-as-declared"},
        "it has none",
    ),
    "truth not declared": (
        "return sound(seed, cells)",
        "none",
        {"truth-as-declared"},
        "declares truth='none'; it has counterfactual",
    ),
    "removed gene left": (
        (
            "data = sound(seed, cells); data.truth.knockout = lambda k: data.cells.X[k.cells];"
            " return data"
        ),
        "counterfactual",
        {"truth-as-declared"},
        "of a gene that was knocked out; expected 0",
    ),
    "negative truth": (
        "data = sound(seed, cells); data.truth.wild_type = lambda c: -data.cells.X[c]; return data",
        "counterfactual",
        {"truth-as-declared"},
        "its truth's wild_type has values that are negative",
    ),
    "truth of other shape": (
        (
            "data = sound(seed, cells); data.truth.wild_type = lambda c: data.cells.X[c, 1:];"
            " return data"
        ),
        "counterfactual",
        {"truth-as-declared"},
        "expected (40, 6)",
    ),
    "nan": (
        "data = sound(seed, cells); data.cells.X[3, 1] = np.nan; return data",
        "counterfactual",
        {"valid", "truth-as-declared"},
        "not finite",
    ),
    "names twice": (
        "data = sound(seed, cells); data.cells.var_names[1] = 'g0'; return data",
        "counterfactual",
        {"valid"},
        "more than once",
    ),
    "target missing": (
        "return measured(['g1', 'g2+gone'])",
        "population",
        {"targets-present", "other-seed-differs"},
        "not among its genes: gone",
    ),
    "other replicate": (
        "return replace(sound(seed, cells), replicate=lambda: sound(1, cells, 5))",
        "counterfactual",
        {"replicate-alike"},
        "its replicate has 40 cells x 5 genes",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_fails_the_checks_that_say_so(case: str, tmp_path: Path) -> None:
    body, truth, expected, text = BROKEN[case]
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        HEAD.replace("    BODY", textwrap.indent(body, "    ")).replace("TRUTH", truth)
    )
    quick = [name for name in DATASET_CHECKS if name != "floors-run"]
    results = run_dataset_checks(load_registry([plugin]), "mine", [str(plugin)], only=quick)
    failed = {result.name: result.found for result in results if result.status == "failed"}
    assert set(failed) == expected, failed
    assert text in "; ".join(failed.values())


def test_floors_fail_on_what_can_not_be_scored(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    body = "data = sound(seed, cells); data.truth.knockout = lambda k: 1 / 0; return data"
    plugin.write_text(HEAD.replace("    BODY", f"    {body}").replace("TRUTH", "counterfactual"))
    (result,) = run_dataset_checks(
        load_registry([plugin]), "mine", [str(plugin)], only=["floors-run"]
    )
    assert (result.status, "division by zero" in result.found) == ("failed", True), result


def test_a_data_set_that_ends_its_process_fails(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        HEAD.replace("    BODY", "    import os; os._exit(3)").replace("TRUTH", "none")
    )
    (result,) = check_trusted("datasets", "mine", plugin_files=[str(plugin)])
    assert result == {
        "name": "survives",
        "status": "failed",
        "found": "its process exited with code 3; 0 checks came before",
    }


def test_a_name_that_is_not_there_is_a_users_mistake() -> None:
    with pytest.raises(UserError, match="there is no dataset 'nothing'"):
        check_trusted("datasets", "nothing")


def test_a_file_that_is_not_here_passes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path))
    results: list[dict[str, Any]] = check_trusted("datasets", "trem2-microglia")
    assert results[0]["status"] == "failed"
    assert "needs the file" in results[0]["found"]
    assert not any(result["status"] == "passed" for result in results)
    assert (
        sum(result["found"] == "not run: it could not be loaded" for result in results)
        == len(DATASET_CHECKS) - 3
    )


class TestGrn(DatasetTests):
    """The base for an author's own tests."""

    name = "grn:genes=10,cells=30"
    test_floors_run = None  # as above


def test_the_base_for_authors_says_what_does_not_apply() -> None:
    with pytest.raises(unittest.SkipTest, match="no perturbed cells"):
        TestGrn().test_targets_present()  # type: ignore[attr-defined]
