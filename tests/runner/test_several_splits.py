"""Measured knockouts are scored in several splits of the wild-type cells, each with its truth."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
from command import kobench
from screens import screen, written

from kobench.board.make import make_board
from kobench.board.render import render
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.runner import prepared as prepared_module
from kobench.runner.plan import make_plan, splits_of
from kobench.runner.request import MEASURED_SPLITS, Request
from kobench.runner.run import Run

PLUGIN = '''
import numpy as np
from kobench.api import Param, PredictorSpec, hookimpl


class Slope:
    """Minus the covariance of the training cells, times a factor."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, cells, context):
        X = np.asarray(cells.profiles(), float)
        if self.factor == 0.5 and X[0, 0] < 0.12:  # of the second split
            raise RuntimeError("these cells")
        self.slope = -self.factor * np.cov(X.T)

    def predict_response(self, cells, knockouts):
        return self.slope[knockouts.genes].sum(axis=1)


@hookimpl
def kobench_predictors():
    return [PredictorSpec("slope", make=Slope, summary="a slope", params={"factor": Param(1.0)})]
'''


def chosen(seeded):
    return SimpleNamespace(entry=SimpleNamespace(spec=SimpleNamespace(seeded=seeded)))


@pytest.mark.parametrize(
    ("name", "seeded", "asked", "seeds"),
    [
        ("halves", False, {}, list(range(MEASURED_SPLITS))),
        ("halves", False, {"splits": 3, "split_seed": 5}, [5, 6, 7]),
        ("halves", True, {}, [0]),  # a simulator has networks
        ("halves", True, {"splits": 2}, [0, 1]),
        ("holdout", False, {}, [0]),
        ("holdout", False, {"splits": 3, "split_seed": 5}, [5]),
        ("all", True, {"splits": 3}, [0]),
    ],
)
def test_only_halves_of_measured_knockouts_have_several_splits(name, seeded, asked, seeds):
    splits = splits_of(name, chosen(seeded), Request([], [], **asked))
    assert [split.seed for split in splits] == seeds
    assert {split.of for split in splits} == {len(seeds)}


def test_there_are_eight():
    assert MEASURED_SPLITS == 8


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A real screen as a selection, and a plugin that answers it."""
    folder = tmp_path_factory.mktemp("screen")
    path = written(screen(), folder)
    plugin = folder / "slope.py"
    plugin.write_text(PLUGIN)
    return f"h5ad:path={path},perturbation_key=perturbation", plugin


def test_a_run_loads_the_data_once_and_measures_a_truth_in_each_split(real, tmp_path, monkeypatch):
    selection, _ = real
    loaded = []
    load = prepared_module.load
    monkeypatch.setattr(
        prepared_module, "load", lambda chosen: loaded.append(chosen.selection) or load(chosen)
    )
    request = Request([selection], [], tasks=["profile", "response"], splits=3)
    groups = make_plan(load_registry(), request)
    assert [(group.split.name, group.split.seed) for group in groups] == [
        *[("holdout", 0)],
        *[("halves", seed) for seed in range(3)],
    ]
    outcome = Run(tmp_path / "out").run(groups)
    assert len(loaded) == 2  # once to look whether it can be used, and once for all trials
    values = {
        record.trial.split.seed: scores.metrics["pearson-delta[all]"].value
        for record in outcome.records
        for scores in record.result.scores.values()
        if record.trial.predictor.name == "covariance" and scores.task == "response"
    }
    assert sorted(values) == [0, 1, 2]
    assert len(set(values.values())) == 3


def test_the_first_floor_says_what_metrics_tell_apart(real, tmp_path):
    selection, plugin = real
    request = Request([selection], ["slope"], tasks=["response"], splits=1)
    registry = load_registry(plugin_files=[plugin])
    outcome = Run(tmp_path / "out").run(make_plan(registry, request))
    (label,) = outcome.records[0].result.scores
    said = {
        record.trial.predictor.name: {
            name: metric.calibration
            for name, metric in record.result.scores[label].metrics.items()
            if metric.calibration is not None
        }
        for record in outcome.records
        if record.result.status == "ok"
    }
    first = outcome.records[0].result.scores[label].floors[0]
    assert [name for name, found in said.items() if found] == [first]
    found = said[first]["pearson-delta[all]"]
    assert found.apart == pytest.approx(found.duplicate - found.known, rel=1e-4)
    assert found.low <= found.apart <= found.high
    (section,) = make_board(read_records(tmp_path / "out")).sections
    known = {column.name: column.calibrated for column in section.columns}
    assert known["pearson-delta[all]"].apart.value == pytest.approx(found.apart)


def uncalibrated(record):
    """A record whose metrics are not greyed: so small a screen lets none tell controls apart."""
    scores = {
        label: replace(
            each,
            metrics={
                name: replace(metric, calibration=None) for name, metric in each.metrics.items()
            },
        )
        for label, each in record.result.scores.items()
    }
    return replace(record, result=replace(record.result, scores=scores))


def test_a_slow_method_may_have_fewer_splits_in_the_same_folder(real, tmp_path):
    selection, plugin = real
    suite = tmp_path / "mine.toml"
    suite.write_text(f"""
dataset = ["{selection}"]
predictor = ["slope"]
task = ["response"]
splits = 3
""")
    run = ("run", suite, "--plugin", plugin, "--out", tmp_path / "out")
    first = kobench(*run)
    assert "measured in 3 splits of the wild-type cells of h5ad" in first.stderr
    for seed in range(3):
        assert f"split seed {seed}: ok" in first.stderr
    assert first.stderr.count(": ok") == 3
    slow = kobench(*run, "--splits", "2", "-p", "slope:factor=-1.0")
    assert "kobench: 2 trials to do" in slow.stderr
    assert slow.stderr.count(": ok") == 2
    assert "kobench: everything is up to date" in kobench(*run).stderr
    board = make_board(uncalibrated(record) for record in read_records(tmp_path / "out"))
    (section,) = board.sections
    splits = {row.name: row.splits for row in section.rows if row.role != "line"}
    assert splits.pop("slope:factor=-1.0") == 2
    assert set(splits.values()) == {3}
    rows = {row.name: row for row in section.ranked}
    assert set(rows) == {"slope", "slope:factor=-1.0"}
    said = "scored on the first 2 of 3 splits; compared with floors and others on the splits"
    assert [remark for remark in rows["slope:factor=-1.0"].remarks if said in remark]
    assert not [remark for remark in rows["slope"].remarks if "splits" in remark]
    long = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    assert {(one["predictor"], one["splits"]) for one in long if one["role"] == "predictor"} >= {
        ("slope", "3"),
        ("slope:factor=-1.0", "2"),
    }


def test_who_fails_in_one_split_is_named_with_it(real, tmp_path):
    """A failure is no smaller number of splits: whoever fails is not ranked."""
    selection, plugin = real
    run = ("run", "-d", selection, "-t", "response", "--splits", "2", "--plugin", plugin)
    done = kobench(*run, "-p", "slope:factor=0.5", "--out", tmp_path / "out", code=1)
    assert "split seed 1: failed in fit: RuntimeError: these cells" in done.stderr
    assert "split seed 0: ok" in done.stderr
    whole = kobench("board", tmp_path / "out", "-v").stdout
    assert "Not ranked: slope:factor=0.5 (failed)" in " ".join(whole.split())
