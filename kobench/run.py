"""One run: every trial of the plan that its record does not answer yet, several at a time, each costing its own row only."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from kobench.decide import Action, decide
from kobench.errors import UserError
from kobench.plan import Group, Trial
from kobench.prepare import Prepared
from kobench.records import Record, read_record, record_path
from kobench.store import AnswerStore
from kobench.trial import carry_out


class Watcher(Protocol):
    """Who is told how a run goes; called from several threads."""

    def planned(self, total: int) -> None: ...
    def started(self, trial: Trial) -> None: ...
    def logged(self, trial: Trial, message: str, done: int, total: int) -> None: ...
    def finished(self, trial: Trial, action: Action, record: Record) -> None: ...


class Silent:
    """A watcher that says nothing."""

    def planned(self, total: int) -> None: ...
    def started(self, trial: Trial) -> None: ...
    def logged(self, trial: Trial, message: str, done: int, total: int) -> None: ...
    def finished(self, trial: Trial, action: Action, record: Record) -> None: ...


@dataclass
class Outcome:
    """What a run did: counts of actions and the records that are not ok."""

    records: list[Record] = field(default_factory=list)
    actions: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> list[Record]:
        """Records of predictors and floors that ended early. A line that a dataset does not offer is no failure."""
        bad = ("failed", "invalid", "timeout", "out-of-memory")
        return [record for record in self.records if record["result"]["status"] in bad]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a results folder for one run; leftovers of a killed one are cleared away first."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / ".lock", "w")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UserError(f"results can't be written to {folder} ({error.strerror}); name another folder with --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"another kobench run is writing to {folder}; wait for it, or name another folder with --out") from error
        shutil.rmtree(folder / "work", ignore_errors=True)
        for leftover in [*folder.glob("records/.*.tmp"), *folder.glob("answers/.*.tmp")]:
            leftover.unlink(missing_ok=True)
        try:
            yield
        finally:
            shutil.rmtree(folder / "work", ignore_errors=True)


@dataclass
class Bench:
    """A results folder with its stored answers, running trials into it."""

    folder: Path
    fresh: bool = False
    watcher: Watcher = field(default_factory=Silent)
    staged: bool = True

    def __post_init__(self) -> None:
        self.store = AnswerStore(self.folder)
        self.stop = threading.Event()

    def run(self, groups: list[Group], jobs: int = 1) -> Outcome:
        """Do what the plan asks for; raises UserError before any fit when a dataset can't be used."""
        with locked(self.folder):
            self.stored = self.store.keys()
            outcome = Outcome()
            todo = {id(trial): self._decide(trial) for group in groups for trial in (*group.basis, *group.trials)}
            prepared = {id(group): Prepared(group.dataset, (*group.trials, *group.basis)[0].request, group.split) for group in groups}
            self._check_data(groups, todo, prepared)
            self.watcher.planned(sum(action.kind != "nothing" for action in todo.values()))
            with ThreadPoolExecutor(jobs) as pool:
                try:
                    self._run_all(groups, todo, prepared, pool, jobs, outcome)
                except BaseException:
                    self.stop.set()
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise
            return outcome

    def _decide(self, trial: Trial) -> Action:
        path = record_path(self.folder, trial.describe("", "", ()))
        return decide(trial, read_record(path) if path.exists() else None, self.stored, self.fresh)

    def _check_data(self, groups: list[Group], todo: dict[int, Action], prepared: dict[int, Prepared]) -> None:
        """Load what is real once before any fitting starts, so that a bad file ends the run in one sentence."""
        seen = set()
        for group in groups:
            busy = any(todo[id(trial)].kind != "nothing" for trial in (*group.basis, *group.trials))
            if busy and not group.dataset.entry.spec.seeded and group.dataset.selection not in seen:
                seen.add(group.dataset.selection)
                _ = prepared[id(group)].rows
                prepared[id(group)].release()

    def _run_all(self, groups: list[Group], todo: dict[int, Action], prepared: dict[int, Prepared], pool: ThreadPoolExecutor,
                 jobs: int, outcome: Outcome) -> None:  # fmt: skip
        """Keep `jobs` pieces of work going: a group's floors and lines as one piece, then each of its predictors' trials."""
        waiting = iter(groups)
        ready: list[tuple[Group, Trial]] = []
        left = {id(group): len(group.trials) for group in groups}
        going: dict[Future[list[tuple[Action, Record]]], tuple[Group, Trial | None]] = {}
        while True:
            while len(going) < jobs:
                if ready:
                    group, trial = ready.pop(0)
                    going[pool.submit(self._run_some, (trial,), group.basis, todo, prepared[id(group)])] = (group, trial)
                elif (following := next(waiting, None)) is not None:
                    going[pool.submit(self._run_some, following.basis, following.basis, todo, prepared[id(following)])] = (following, None)
                else:
                    break
            if not going:
                return
            done, _ = wait(going, return_when=FIRST_COMPLETED)
            for future in done:
                group, trial_done = going.pop(future)
                for action, record in future.result():
                    outcome.actions[action.kind] = outcome.actions.get(action.kind, 0) + 1
                    outcome.records.append(record)
                if trial_done is None:
                    ready.extend((group, trial) for trial in group.trials)
                else:
                    left[id(group)] -= 1
                if left[id(group)] == 0:
                    prepared[id(group)].release()

    def _run_some(
        self, trials: tuple[Trial, ...], basis: tuple[Trial, ...], todo: dict[int, Action], prepared: Prepared
    ) -> list[tuple[Action, Record]]:
        done = []
        for trial in trials:
            if self.stop.is_set():
                break
            action = todo[id(trial)]
            if action.kind == "nothing":
                done.append((action, read_record(record_path(self.folder, trial.describe("", "", ())))))
                continue
            self.watcher.started(trial)
            log = partial(self.watcher.logged, trial)
            record = carry_out(trial, action, prepared, basis, self.folder, self.store, log, self.staged, self.stop.is_set)
            self.watcher.finished(trial, action, record)
            done.append((action, record))
        return done
