"""What a run shows while it runs: a line a trial in a log, bars with the predictor's own steps on a
terminal.
"""

from __future__ import annotations

import io
import threading
from types import SimpleNamespace

from places import PREDICTORS
from rich.console import Console
from rich.progress import Progress

from kobench.plugins.load import load_registry
from kobench.runner import progress
from kobench.runner.plan import make_plan
from kobench.runner.progress import QUIET, Live, Plain
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
    with Progress(console=console) as bars:
        run(tmp_path, Watched(bars))
        (overall,) = bars.tasks
        assert (overall.completed, overall.total) == (9, 9)
    assert ["trials", "  good on grn:cells=40,genes=12: fitted"] in seen
    assert "RuntimeError: no luck today" in console.file.getvalue()


def test_a_log_that_was_quiet_says_what_runs_and_how_far_it_is(capsys):
    now = [0.0]
    plain = Plain(clock=lambda: now[0])
    plain.tick()
    plain.planned(45)
    floor, mine = (
        SimpleNamespace(label=label, role=role)
        for label, role in (("random on grn", "floor"), ("mine on grn", "predictor"))
    )
    fine = SimpleNamespace(result=SimpleNamespace(status="ok"))
    plain.started(floor)
    plain.finished(floor, None, fine)
    now[0] = QUIET - 1
    plain.tick()
    assert capsys.readouterr().err.splitlines() == ["kobench: 45 trials to do"]
    now[0] = QUIET
    plain.tick()
    plain.tick()
    assert capsys.readouterr().err == "[1/45, 20 s] between two trials\n"
    plain.started(mine)
    plain.logged(mine, "epoch", 3, 10)
    now[0] = 3 * QUIET
    plain.tick()
    assert capsys.readouterr().err == "[1/45, 60 s] running: mine on grn (40 s, epoch 3/10)\n"
    plain.finished(mine, None, fine)
    assert capsys.readouterr().err == "[2/45, 60 s] mine on grn: ok\n"
    now[0] = 3.5 * QUIET
    plain.tick()
    assert capsys.readouterr().err == ""


def test_a_watcher_is_asked_by_itself_and_ends(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", 0.01)
    asked = threading.Event()
    plain = Plain()
    plain.tick = asked.set
    before = threading.active_count()
    with progress.ticking(plain):
        assert asked.wait(10)
    assert threading.active_count() == before
