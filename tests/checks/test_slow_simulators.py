"""A slow simulator: what is slow is said part by part, with smaller parameters, by its steps."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import steps

from kobench.checks import trusted
from kobench.checks.datasets.catalogue import TAKE_LONG, run_dataset_checks
from kobench.checks.datasets.parts import Part, Parts, smaller, told
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry

PLUGIN = """
import numpy as np
from kobench.api import Cells, Dataset, DatasetSpec, Param, hookimpl
try:
    from steps import taken
except ImportError:  # where it is only described, or checked for real
    taken = [0.0]

class Truth:
    def __init__(self, X, edges): self.X, self.edges = X, edges
    def wild_type(self, cells): return self.X[cells]
    def knockout(self, knockouts):
        taken[0] += len(knockouts) * {1: SINGLE, 2: DOUBLE}[knockouts.order]
        after = self.X[knockouts.cells].copy()
        for genes, row in zip(knockouts.genes, after):
            for regulator, target in EDGES:
                if regulator in genes:
                    row[target] *= 0.5
            row[genes] = 0.0
        return after

def load(cells=400, genes=60, seed=0):
    taken[0] += LOADING
    rng = np.random.default_rng(seed)
    X = rng.lognormal(0, 1, (cells, genes)) + 0.1
    names = np.array([f"g{i}" for i in range(genes)])
    return Dataset(Cells(X, names), "linear", "simulated", Truth(X, TOLD), network=NETWORK)

@hookimpl
def kobench_datasets():
    params = {PARAMS"seed": Param(0)}
    yield DatasetSpec("mine", load, truth="counterfactual", seeded=True, params=params)
"""

EDGES = "[(i, i + 1) for i in range(11)]"
TOLD = "np.array([(i, i + 1) for i in range(11)])"


@pytest.fixture
def plugin(tmp_path):
    """`plugin(loading=1, ...)` -> the file of a simulator that takes so many steps."""

    def make(loading=0, single=0, double=0, sizes=True, told=TOLD, network="''") -> Path:
        path = tmp_path / "mine.py"
        text = PLUGIN
        for word, value in {
            "LOADING": loading,
            "SINGLE": single,
            "DOUBLE": double,
            "PARAMS": '"cells": Param(400), "genes": Param(60), ' if sizes else "",
            "EDGES": EDGES,
            "TOLD": told,
            "NETWORK": network,
        }.items():
            text = text.replace(word, str(value))
        path.write_text(text)
        return path

    steps.taken[0] = 0.0
    return make


def checked(path: Path, budget: float | None = 600.0, only: tuple[str, ...] | None = None):
    """What the checks found, by their names."""
    parts = Parts(budget, steps.clock)
    results = run_dataset_checks(load_registry([path]), "mine", [str(path)], only=only, parts=parts)
    return {each.name: each for each in results}


def test_knockouts_of_two_genes_that_are_slow_are_named_with_smaller_parameters(plugin):
    found = checked(plugin(loading=3, single=0.01, double=50))
    quick = found["quick-enough"]
    assert quick.status == "failed"
    # 4,000 of them are asked, at 50 s
    assert "the checks would take about 200,000 s, and" in quick.found
    assert "are left: 1 knockout of two genes 50 s, loading 3 s" in quick.found
    assert "8 single knockouts 0.08 s (0.01 s each)" in quick.found
    assert quick.found.endswith(
        "try kobench check mine:cells=50,genes=20, or more time (--timeout)"
    )
    # nothing ran into a limit: what takes long was not begun
    assert {name for name, each in found.items() if each.found.startswith("not run")} == {
        *TAKE_LONG
    }
    assert steps.taken[0] < 60


def test_what_is_slow_is_told_the_slowest_first(plugin):
    found = checked(plugin(loading=400))["quick-enough"].found
    assert "200 s are left: loading 400 s," in found
    single = checked(plugin(single=30))["quick-enough"].found
    assert ": 1 single knockout 30 s, " in single


def test_a_quick_simulator_says_what_its_parts_take_and_passes(plugin):
    found = checked(plugin(loading=2, single=0.001, double=0.002), only=("loads", "quick-enough"))
    assert found["quick-enough"].status == "passed"
    assert found["quick-enough"].found.startswith("loading 2 s, 8 knockouts of two genes 0.016 s")
    # without a limit nothing is too slow
    assert (
        checked(plugin(loading=1e9), budget=None, only=("quick-enough",))["quick-enough"].status
        == "passed"
    )


def test_a_spec_without_sizes_is_told_to_have_some(plugin):
    found = checked(plugin(loading=400, sizes=False))["quick-enough"].found
    assert (
        "its spec has no parameter genes or cells that would make it smaller: give it one" in found
    )


def test_suggestions_keep_what_was_chosen_and_are_smaller(plugin):
    path = plugin()
    registry = load_registry([path])
    chosen = choose(registry, "datasets", "mine:cells=1000,genes=500,seed=3")
    assert smaller(chosen, 4.0).startswith("try kobench check mine:cells=500,genes=200,seed=3,")
    small = choose(registry, "datasets", "mine:cells=50,genes=20")
    assert smaller(small, 9.0).startswith("its parameters have no smaller genes or cells to offer")


def test_words_for_parts_by_hand():
    parts = {
        "loading": Part(1200.0, 3),
        "single knockouts": Part(12.0, 2000),
        "never": Part(),
    }
    assert told(parts) == (
        "loading 3 times 1,200 s (400 s each), 2,000 single knockouts 12 s (0.006 s each)"
    )


def test_a_process_that_is_stopped_says_what_it_was_doing(plugin, monkeypatch, tmp_path):
    path = plugin()
    begun = tmp_path / "begun"
    text = path.read_text().replace(
        "    rng =",
        f"    open({str(begun)!r}, 'w').close()\n    import time\n    while True:"
        " time.sleep(1)\n    rng =",
        1,
    )
    path.write_text(text)

    def stop_once_loading(process: Any, request: str, timeout: float | None) -> str:
        process.stdin.write(request)
        process.stdin.close()
        while not begun.exists() and process.poll() is None:
            pass
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"it took longer than {timeout:g} seconds"

    monkeypatch.setattr(trusted, "_finish", stop_once_loading)
    results = trusted.check_trusted("datasets", "mine", plugin_files=[str(path)], timeout=7.0)
    assert results[-1]["name"] == "survives"
    assert results[-1]["found"] == (
        "it took longer than 7 seconds; 0 checks came before; loading had not ended; try kobench"
        " check mine:cells=100,genes=20, or more time (--timeout)"
    )


# what a truth tells of its network


def test_edges_that_point_the_other_way_are_found(plugin):
    only = ("edges-point-on",)
    good = checked(plugin(), only=only)["edges-point-on"]
    assert good.status == "passed"
    assert (
        good.found
        == "11 edges; a knockout changes 100% of the targets and 0% of the regulators of a gene"
    )
    turned = checked(plugin(told=f"{TOLD}[:, ::-1]"), only=only)["edges-point-on"]
    assert turned.status == "failed"
    assert (
        "its edges point the other way: a knockout changes 100% of the regulators" in turned.found
    )


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("np.array([(0, 1), (0, 1)])", "lists 1 of 2 edges twice"),
        ("np.array([(0, 60)])", "that name gene 60; it has the genes 0 to 59"),
        ("np.array([0, 1])", "of shape (2,)"),
        ("np.array([(0.0, np.nan)])", "of type float64"),
    ],
)
def test_edges_of_another_form_fail(told, message, plugin):
    (found,) = checked(plugin(told=told), only=("edges-point-on",)).values()
    assert found.status == "failed"
    assert message in found.found


def test_a_truth_need_not_tell_edges(plugin):
    found = checked(plugin(told="None"), only=("edges-point-on", "networks-as-declared"))
    assert {each.status for each in found.values()} == {"skipped"}


OTHER = "np.array([(i, (i + 1 + seed) % 60) for i in range(11)][:11 - seed])"


@pytest.mark.parametrize(
    ("told", "network", "status", "message"),
    [
        (
            TOLD,
            "''",
            "failed",
            "seeds 0 and 1 have the same edges, so they are draws of one",
        ),
        (TOLD, "f'mine {seed}'", "failed", "have the same edges"),
        (TOLD, "'mine'", "passed", "share one network"),
        (OTHER, "''", "passed", "have networks of their own"),
        (OTHER, "'mine'", "failed", "and their edges differ"),
        ("None", "'mine'", "passed", "share the network 'mine', it says"),
    ],
)
def test_networks_are_compared_with_what_is_declared(told, network, status, message, plugin):
    (found,) = checked(plugin(told=told, network=network), only=("networks-as-declared",)).values()
    assert (found.status, message in found.found) == (status, True), found
