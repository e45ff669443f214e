"""`isolation`: what watching over a predictor and shutting it in add to a trial."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.measure import Finding, Row, seconds_of
from benchmarks.plain.worker import PlainWorker
from benchmarks.rows.harness import PLUGIN, without_board
from kobench.api import Cells
from kobench.sandbox.layers import uncovered
from kobench.supervisor.process import WorkerProcess
from kobench.supervisor.settings import WorkerSettings
from kobench.worker.wire import write_arrays, write_cells

#: Cells x genes that the worker is fitted on, and asked for the profiles of.
SHAPE = (500, 100)

#: Million steps of a loop in the fit of a predictor that keeps a core busy, to see what being
#: watched costs meanwhile.
MILLIONS = 40


def asked(worker: PlainWorker | WorkerProcess, predictor: str, params: dict[str, Any]) -> None:
    """A whole trial's conversation: fit on cells, then their profiles."""
    X = np.random.default_rng(0).gamma(1.0, size=SHAPE).astype(np.float32)
    cells = Cells(X, np.array([f"g{gene}" for gene in range(SHAPE[1])]))
    write_cells(worker.stage("fit"), cells)
    context = {
        "seed": 0,
        "threads": 1,
        "device": "cpu",
        "deadline": None,
        "scale": "linear",
        "batch_key": None,
        "cell_type_key": None,
    }
    worker.ask(
        "fit",
        make=f":{predictor}",
        plugin_file=str(PLUGIN),
        params=params,
        answers=["expression"],
        wants="dense",
        max_order=None,
        context=context,
    )
    write_arrays(worker.stage("profile"), {"assemblages": X > 1})
    worker.ask("profile")


def plainly(predictor: str, params: dict[str, Any]) -> None:
    """The conversation with a child process and nothing around it."""
    with TemporaryDirectory() as folder, PlainWorker(Path(folder)) as worker:
        asked(worker, predictor, params)


def isolated(sandbox: str, predictor: str, params: dict[str, Any], found: dict[str, Any]) -> None:
    """The same with limits watched, every process ended at its end, and a sandbox."""
    settings = WorkerSettings(sandbox=sandbox, links={PLUGIN.stem: PLUGIN})
    with TemporaryDirectory() as folder:
        with WorkerProcess(Path(folder), settings) as worker:
            asked(worker, predictor, params)
        found[sandbox] = worker.report["layers"]


def isolation(runs: int) -> Finding:
    """Seconds that isolation adds to a trial that does nothing else.

    It is measured turn by turn with the plain worker; the first turn warms caches.
    """
    found: dict[str, Any] = {}
    ways: dict[str, Callable[[str, dict[str, Any]], None]] = {
        "plain": plainly,
        "off": lambda predictor, params: isolated("off", predictor, params, found),
        "auto": lambda predictor, params: isolated("auto", predictor, params, found),
    }
    trivial: dict[str, list[float]] = {way: [] for way in ways}
    busy: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(2 * runs + 1):
        for way, work in ways.items():
            trivial[way].append(seconds_of(partial(work, "Trivial", {}))[0])
            if turn <= runs:
                busy[way].append(seconds_of(partial(work, "Busy", {"millions": MILLIONS}))[0])
    trivial, busy = ({way: times[1:] for way, times in all_.items()} for all_ in (trivial, busy))
    added = [
        sealed - plain for sealed, plain in zip(trivial["auto"], trivial["plain"], strict=True)
    ]
    watched = [other - plain for other, plain in zip(trivial["off"], trivial["plain"], strict=True)]
    longer = [sealed - plain for sealed, plain in zip(busy["auto"], busy["plain"], strict=True)]
    on = [layer for layer, there in found["auto"].items() if there is True]
    facts = (
        (
            f"layers in force: {', '.join(on)}; left open:"
            f" {', '.join(uncovered(found['auto'])) or 'nothing'}"
        ),
        f"limits and supervision alone (--sandbox off) add {median(watched):.3f} s",
        (
            f"to a fit that keeps a core busy for {median(busy['plain']):.1f} s isolation adds"
            f" {median(longer):.2f} s ({min(longer):.2f} to {max(longer):.2f})"
        ),
        whole_trials(runs),
    )
    return Finding(
        added,
        0.5,
        "s",
        lower=True,
        seconds=trivial["auto"],
        plain_seconds=trivial["plain"],
        facts=facts,
    )


def whole_trials(runs: int) -> str:
    """The process of one trial of the real harness on `grn`, in the sandbox and without."""
    walls: dict[str, list[float]] = {"auto": [], "off": []}
    with TemporaryDirectory() as place:
        folder = Path(place)
        without_board(folder, "trivial")  # floors and lines are on record from here on
        for _ in range(runs):
            for sandbox, times in walls.items():
                for path in (folder / "records").glob("*.json"):
                    if '"role": "predictor"' in path.read_text():
                        path.unlink()
                times.append(without_board(folder, "trivial", sandbox=sandbox).wall)
    return (
        f"one trial on grn by the real harness: {median(walls['auto']):.2f} s in the sandbox,"
        f" {median(walls['off']):.2f} s without"
    )


ROWS = [
    Row(
        "isolation",
        "what limits, supervision and the sandbox add to a trial",
        "a child process with nothing around it",
        isolation,
    )
]
