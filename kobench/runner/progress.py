"""How a run shows how far it is: live with rich on a terminal, one plain line a trial elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from kobench.results.parts import Record
from kobench.runner.keys import Trial
from kobench.runner.resume import Action
from kobench.util.text import one_line


def verdict(record: Record) -> str:
    """A trial's end in a word or a sentence."""
    result = record.result
    if result.status == "ok":
        return "ok"
    return f"{result.status} in {result.stage}: {result.message}"


#: After so many seconds without a line, a run that is logged says how far it is.
QUIET = 20.0

#: How often that is looked at, s.
EVERY = 1.0


class Plain:
    """One line for each predictor's trial, for logs; floors and lines are only counted.

    Where nothing was written for a while, one line says how many trials are done and which run,
    with what their predictors said last.

    Parameters
    ----------
    clock : callable
        Seconds, from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock, self.total, self.done, self.clock = threading.Lock(), 0, 0, clock
        self.since = self.said = clock()
        self.running: dict[int, tuple[Trial, float, str]] = {}

    def planned(self, total: int) -> None:
        """The run begins; `total` trials are to be done."""
        self.total = total
        print(
            f"kobench: {total} trials to do" if total else "kobench: everything is up to date",
            file=sys.stderr,
            flush=True,
        )

    def started(self, trial: Trial) -> None:
        """A trial begins."""
        with self.lock:
            self.running[id(trial)] = trial, self.clock(), ""

    def logged(self, trial: Trial, message: str, done: int, total: int) -> None:
        """A predictor says how far it is."""
        with self.lock:
            if id(trial) in self.running:
                part = f" {done}/{total}" if total else ""
                self.running[id(trial)] = (*self.running[id(trial)][:2], f", {message}{part}")

    def paused(self, trial: Trial) -> None:
        """A trial was asked its first part."""
        with self.lock:
            self.running.pop(id(trial), None)

    def finished(self, trial: Trial, action: Action, record: Record) -> None:
        """A trial has its record."""
        with self.lock:
            self.done += 1
            self.running.pop(id(trial), None)
            if trial.role == "predictor" or record.result.status not in ("ok", "unsupported"):
                self.say(f"{trial.label}: {verdict(record)}")

    def tick(self) -> None:
        """Say how far the run is, where nothing was written for a while."""
        with self.lock:
            if not self.total or self.clock() - self.said < QUIET:
                return
            now = self.clock()
            running = [
                f"{trial.label} ({now - since:.0f} s{said})"
                for trial, since, said in self.running.values()
            ]
            self.say(f"running: {'; '.join(running)}" if running else "between two trials")

    def say(self, text: str) -> None:
        """Write a line, with how many trials are done, and since when."""
        self.said = self.clock()
        where = f"[{self.done}/{self.total}, {self.said - self.since:.0f} s]"
        print(f"{where} {one_line(text)}", file=sys.stderr, flush=True)


class Live:
    """A bar over all trials, and a line for each that runs, with the steps its predictor logs."""

    def __init__(self, progress: Any) -> None:
        self.progress, self.lock = progress, threading.Lock()
        self.overall: Any = None
        self.running: dict[int, Any] = {}

    def planned(self, total: int) -> None:
        """The run begins; `total` trials are to be done."""
        what = "trials" if total else "everything is up to date"
        self.overall = self.progress.add_task(
            what, total=max(total, 1), completed=0 if total else 1
        )

    def started(self, trial: Trial) -> None:
        """A trial begins."""
        with self.lock:
            self.running[id(trial)] = self.progress.add_task(
                f"  {one_line(trial.label)}", total=None
            )

    def logged(self, trial: Trial, message: str, done: int, total: int) -> None:
        """A predictor says how far it is."""
        if (task := self.running.get(id(trial))) is not None:
            said = one_line(f"{trial.label}: {message}")
            self.progress.update(task, description=f"  {said}", completed=done, total=total or None)

    def paused(self, trial: Trial) -> None:
        """A trial was asked its first part, or is done: its line goes."""
        with self.lock:
            task = self.running.pop(id(trial), None)
        if task is not None:
            self.progress.remove_task(task)

    def finished(self, trial: Trial, action: Action, record: Record) -> None:
        """A trial has its record."""
        self.progress.advance(self.overall)
        self.paused(trial)
        if record.result.status not in ("ok", "unsupported"):
            self.progress.console.print(
                one_line(f"{trial.label}: {verdict(record)}"),
                style="red",
                markup=False,
                highlight=False,
            )


@contextlib.contextmanager
def ticking(plain: Plain) -> Iterator[Plain]:
    """A watcher that is asked again and again whether it is time for a line."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(EVERY):
            plain.tick()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield plain
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def make_watcher() -> Iterator[Plain | Live]:
    """Live on a terminal, plain elsewhere; both write to standard error."""
    if not sys.stderr.isatty():
        with ticking(Plain()) as plain:
            yield plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Live(progress)
