"""A board of another machine passes: its BLAS and its kernels give other last digits."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from command import COMMAND, kobench

from kobench.results.agreement import compare
from kobench.results.records import read_records

#: Kernels of an older processor, for numpy's BLAS and for numpy itself.
OLDER = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"}

#: What says which kernels are at work: sums in another order have other last digits.
DIGITS = """
import hashlib
import numpy as np
rng = np.random.default_rng(0)
a = rng.normal(size=(200, 200))
print(hashlib.sha256((a @ a).tobytes()).hexdigest())
"""

DATASETS = ("grn:genes=20,cells=100", "planted:genes=20,cells=100")


def digits(**more):
    done = subprocess.run(
        [sys.executable, "-c", DIGITS],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A results folder of a process with the kernels of an older processor."""
    if digits() == digits(**OLDER):
        pytest.skip("numpy has the same last digits here with the kernels of an older processor")
    folder = tmp_path_factory.mktemp("elsewhere")
    datasets = [word for name in DATASETS for word in ("-d", name)]
    tasks = [word for name in ("response", "keystone", "profile") for word in ("-t", name)]
    subprocess.run(
        [*COMMAND, "run", *datasets, *tasks, "-p", "linear", "--networks", "2", "--out", folder],
        env={**os.environ, **OLDER},
        capture_output=True,
        check=True,
    )
    return folder


def test_an_honest_board_of_another_machine_is_scored_again(elsewhere):
    done = kobench("verify", elsewhere, "--rescore")
    assert "✗" not in done.stdout
    assert "?" not in done.stdout
    assert "✓ re-scored: linear on planted" in done.stdout


def test_an_honest_method_of_another_machine_is_fitted_again(elsewhere):
    done = kobench("verify", elsewhere, "--rerun", "-p", "linear", "--network", 0)
    assert "✓ re-run: linear on planted" in done.stdout
    assert "✗" not in done.stdout


def test_which_of_two_equal_controls_is_named_is_no_difference(elsewhere):
    """That of response follows from last digits where two are equal."""
    scores = next(
        one.result.scores["response@2"]
        for one in read_records(elsewhere)
        if "response@2" in one.result.scores
        and any(metric.calibration for metric in one.result.scores["response@2"].metrics.values())
    )
    name = next(name for name, metric in scores.metrics.items() if metric.calibration)
    tolerances = dict.fromkeys(scores.metrics, 1e-8)

    def differing(**changes):
        document = json.loads(json.dumps(scores.to_json()))
        document["metrics"][name]["calibration"].update(changes)
        found = compare(scores, type(scores).from_json(document), tolerances)
        return [one.where for one in found.differing]

    assert differing(control="another") == []
    known = scores.metrics[name].calibration.known
    assert differing(control="another", known=known + 0.1) == [f"metrics.{name}.calibration.known"]
