"""What only the answers can tell: scores that follow from nothing, and floors written over."""

from __future__ import annotations

import json
import shutil

import pytest
from command import kobench
from tiny import PLUGIN

TINY = "grn:genes=12,cells=120"
TASKS = ("-t", "profile", "-t", "keystone")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A results folder with two networks."""
    folder = tmp_path_factory.mktemp("rescored")
    asked = ("-d", TINY, "-p", "good", "--plugin", PLUGIN, *TASKS)
    kobench("run", *asked, "--networks", 2, "--out", folder)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "out")


def forge(folder, name, task, metric, value):
    """Write over one value on one network, with the seal taken off."""
    for path in sorted((folder / "records").glob("*.json")):
        record = json.loads(path.read_text())
        trial = record["trial"]
        if trial["predictor"]["name"] == name and trial["dataset"]["seed"] == 1:
            del record["seal"]
            record["result"]["scores"][task]["metrics"][metric]["value"] = value
            path.write_text(json.dumps(record))
            return
    raise AssertionError(name)


def test_an_honest_folder_passes_without_the_predictor(folder):
    done = kobench("verify", folder, "--rescore")
    assert "✓ re-scored: good on grn:cells=120,genes=12, holdout, 2 records" in done.stdout
    assert "✓ re-scored: presence-contrast (floor) on" in done.stdout
    assert "✗" not in done.stdout


@pytest.mark.parametrize(
    ("name", "task", "metric"),
    [
        ("good", "profile@2", "bray-curtis"),
        ("abundance", "keystone@1", "spearman"),
        ("masked-mean", "profile@2", "bray-curtis"),
        ("truth", "keystone@1", "spearman"),
    ],
)
def test_a_value_that_contradicts_nothing_is_found_by_its_answers(folder, name, task, metric):
    """On the second network there is no table and there are no draws beside it."""
    forge(folder, name, task, metric, 0.25)
    assert "✗" not in kobench("verify", folder).stdout
    done = kobench("verify", folder, "--rescore", code=1)
    assert f"✗ wrong: {name}" in done.stdout
    assert f"{task}: metrics.{metric}.value: 0.25 recorded" in done.stdout


def test_without_answers_a_row_is_not_called_verified(folder):
    shutil.rmtree(folder / "answers")
    done = kobench("verify", folder, "--rescore", "-p", "good", code=1)
    assert "? not re-scored: good on" in done.stdout
    assert "its answers are not stored" in done.stdout


def test_answers_may_lie_elsewhere(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    shutil.move(folder / "answers", other / "answers")
    done = kobench("verify", folder, "--rescore", "--answers", other)
    assert "✓ re-scored: good on" in done.stdout
