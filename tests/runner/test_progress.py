"""What a run shows while it runs: a line a trial in a log, bars with the predictor's own steps on a
terminal.
"""

from __future__ import annotations

import io

from places import PREDICTORS
from rich.console import Console
from rich.progress import Progress

from kobench.plugins.load import load_registry
from kobench.runner.plan import make_plan
from kobench.runner.progress import Live, Plain
from kobench.runner.request import Request
from kobench.runner.run import Run

PLUGIN = PREDICTORS


def run(folder, watcher):
    registry = load_registry(plugin_files=[PLUGIN])
    groups = make_plan(
        registry, Request(["grn:genes=12,cells=40"], ["good", "raises-in-fit"], tasks=["profile"])
    )
    return Run(folder, watcher=watcher).run(groups)


def test_a_log_has_a_line_a_trial(tmp_path, capsys):
    run(tmp_path, Plain())
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "kobench: 9 trials to do"
    assert [line.partition("] ")[2] for line in lines[1:]] == [
        "good on grn:cells=40,genes=12: ok",
        "raises-in-fit on grn:cells=40,genes=12: failed in fit: RuntimeError: no luck today"
        " (predictors.py:79 in fit)",
    ]
    run(tmp_path, Plain())
    assert (
        capsys.readouterr().err.splitlines()[0] == "kobench: 1 trials to do"
    )  # what failed is tried again


def test_a_terminal_shows_running_trials_with_their_steps(tmp_path):
    seen = []

    class Watched(Live):
        def logged(self, trial, message, done, total):
            super().logged(trial, message, done, total)
            seen.append([task.description for task in self.progress.tasks])

    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Progress(console=console) as progress:
        run(tmp_path, Watched(progress))
        (overall,) = progress.tasks
        assert (overall.completed, overall.total) == (9, 9)
    assert ["trials", "  good on grn:cells=40,genes=12: fitted"] in seen
    assert "RuntimeError: no luck today" in console.file.getvalue()
