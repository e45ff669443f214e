"""Real environments from a package registry.

Pins that exclude each other are compared in one run, and the oldest Python and numpy.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import kobench
from wheels import plugin, wheel

from kobench.environments.interpreters import find_interpreter
from kobench.errors import UserError
from kobench.results.records import Record, read_records


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips, saying so, where pip reaches no package registry."""
    folder = tmp_path_factory.mktemp("download")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-input",
        "-d",
        str(folder),
        "numpy==1.26.4",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(
            f"pip can't get numpy from a package registry: {done.stderr.strip().splitlines()[-1:]}"
        )


@pytest.fixture(scope="module")
def home(registry: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which kobench has a folder of environments for this module."""
    folder = tmp_path_factory.mktemp("environments")
    # what is installed is imported a few times only: compiling all of numpy would take longer
    return {**os.environ, "KOBENCH_ENVIRONMENTS": str(folder), "PIP_NO_COMPILE": "1"}


def made(variables: dict[str, str], *arguments: str) -> str:
    return kobench("env", "create", *arguments, env=variables).stdout


def of_predictors(folder: Path) -> dict[str, Record]:
    return {
        record["trial"]["predictor"]["name"]: record
        for record in read_records(folder)
        if record["role"] == "predictor"
    }


def test_two_predictors_whose_pins_exclude_each_other_are_compared_in_one_run(
    home: dict[str, str], tmp_path: Path
) -> None:
    older = wheel(
        tmp_path, "older-plugin", "older_plugin", plugin("older"), ["kobench", "numpy<2,>=1.26"]
    )
    newer = wheel(
        tmp_path, "newer-plugin", "newer_plugin", plugin("newer"), ["kobench", "numpy>=2"]
    )
    said = made(home, "older", "--from", str(older))
    assert "numpy 1.26" in said
    assert "Its predictors: older/older." in said
    assert "numpy 2." in made(home, "newer", "--from", str(newer))
    here = tmp_path / "here.py"
    here.write_text(plugin("here"))
    out = tmp_path / "results"
    asked = (
        "run",
        "-d",
        "grn:genes=12,cells=60",
        "--networks",
        "1",
        "-p",
        "older",
        "-p",
        "newer",
        "--out",
        str(out),
    )
    kobench(*asked, "-p", "here", "--plugin", here, env=home)
    records = of_predictors(out)
    assert {name: record["result"]["status"] for name, record in records.items()} == dict.fromkeys(
        ("older", "newer", "here"), "ok"
    )
    environments: dict[str, Any] = {
        name: record["run"]["environment"] for name, record in records.items()
    }
    assert environments["here"] is None
    assert environments["older"]["packages"]["numpy"].startswith("1.26.")
    assert environments["newer"]["packages"]["numpy"].startswith("2.")
    assert {environments[name]["name"] for name in ("older", "newer")} == {"older", "newer"}
    assert (
        records["older"]["run"]["output"] == f"numpy {environments['older']['packages']['numpy']}"
    )
    # the same predictor: what it answers hangs on neither numpy nor where it lives
    answers = records["here"]["result"]["answers"]
    assert set(answers) >= {"profile", "singles"}
    assert records["older"]["result"]["answers"] == records["newer"]["result"]["answers"] == answers
    kobench(*asked, env=home)
    assert of_predictors(out)["older"] == records["older"]  # nothing was done again
    checked = kobench("env", "check", "older", env=home)
    assert "numpy 1.26" in checked.stdout


def test_the_oldest_python_and_numpy(home: dict[str, str], tmp_path: Path) -> None:
    try:
        find_interpreter("3.9")
    except UserError as error:
        pytest.skip(str(error))
    built = wheel(
        tmp_path, "oldest-plugin", "oldest_plugin", plugin("oldest"), ["kobench", "numpy==1.21.6"]
    )
    said = made(home, "oldest", "--from", str(built), "--python", "3.9")
    assert "Python 3.9." in said
    assert "numpy 1.21.6" in said
    checked = kobench("env", "check", "oldest", env=home)
    assert "oldest survives-worker" in checked.stdout
