"""One run: every trial of the plan that its record does not answer yet, several at a time, each
costing its own row only.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kobench.errors import BAD, UserError
from kobench.results.answers import AnswerStore
from kobench.results.records import Record, read_record, record_path
from kobench.runner.jobs import Place, Work, work_through
from kobench.runner.keys import Group, Trial
from kobench.runner.prepared import Prepared
from kobench.runner.resume import Action, decide
from kobench.runner.trial import WORK
from kobench.sandbox.finding import refuse_if_open
from kobench.sandbox.folders import remove

#: Seconds that a run waits for the processes of a killed one to be gone.
PATIENCE = 1.0

#: What a killed run leaves behind, folder -> names. All else in a results folder is the user's,
#: whose folder it may have been before.
TRIAL = re.compile(r"trial-[a-z0-9_]{8}")
HALF_WRITTEN = {
    "records": re.compile(r"\.[0-9a-f]{24}\.json\.\d+-\d+\.tmp"),
    "answers": re.compile(r"\.[0-9a-f]{64}\.npz\.\d+-\d+\.tmp"),
}


class Watcher(Protocol):
    """Who is told how a run goes."""

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
        """Records of predictors and floors that ended early.

        A line that a dataset does not offer is no failure.
        """
        return [record for record in self.records if record["result"]["status"] in BAD]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold a results folder for one run; leftovers of a killed one are cleared away first.

    Gives the lock's file descriptor.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / ".lock", "a")  # noqa: SIM115 - closed below; not "w": a file of this name may be another's
    except OSError as error:
        raise UserError(
            f"results can't be written to {folder} ({error.strerror}); name another folder with"
            " --out"
        ) from error
    with file:
        patient = time.monotonic() + PATIENCE
        while not _lock(file.fileno()):
            if time.monotonic() > patient:
                raise UserError(
                    f"another kobench run is writing to {folder}; wait for it, or name another"
                    " folder with --out"
                )
            time.sleep(0.02)
        work = folder / WORK
        if work.is_symlink() or (work.exists() and not work.is_dir()):
            what = "a link" if work.is_symlink() else "a file"
            raise UserError(
                f"{work} is {what}, but a run makes its trials' folders in a folder of this name;"
                " move it, or name another --out"
            )
        clear(folder)
        try:
            yield file.fileno()
        finally:
            clear(folder)


def clear(folder: Path) -> None:
    """Remove trials' folders and half-written files from a locked results folder, and nothing that
    kobench did not make.
    """
    for trial in (folder / WORK).glob("trial-*"):
        if TRIAL.fullmatch(trial.name) and trial.is_dir() and not trial.is_symlink():
            remove(trial)
    with contextlib.suppress(OSError):  # it was never made, or has something else in it
        (folder / WORK).rmdir()
    for place, name in HALF_WRITTEN.items():
        for leftover in (folder / place).glob(".*.tmp"):
            if name.fullmatch(leftover.name) and leftover.is_file() and not leftover.is_symlink():
                leftover.unlink(missing_ok=True)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@dataclass
class Bench:
    """A results folder with its stored answers, running trials into it."""

    folder: Path
    fresh: bool = False
    watcher: Watcher = field(default_factory=Silent)
    staged: bool = True

    def run(self, groups: list[Group], jobs: int = 1) -> Outcome:
        """Do what the plan asks for, `jobs` trials at a time; raises UserError before any fit when
        a dataset can't be used.
        """
        with locked(self.folder) as lock:
            stored = AnswerStore(self.folder).keys()
            decided = {
                (number, place): self._decide(trial, stored)
                for number, group in enumerate(groups)
                for place, trial in enumerate((*group.basis, *group.trials))
            }
            todo = {
                place: action for place, (action, _) in decided.items() if action.kind != "nothing"
            }
            records = {
                place: record
                for place, (_, record) in decided.items()
                if record is not None and place not in todo
            }
            work = Work(groups, todo, self.folder, self.staged)
            check_sandbox(work)
            check_data(work)
            self.watcher.planned(len(todo))

            def hear(what: str, place: Place, *more: Any) -> None:
                if what == "finished":
                    (records[place],) = more
                    self.watcher.finished(work.trial(place), todo[place], *more)
                else:
                    getattr(self.watcher, what)(work.trial(place), *more)

            work_through(work, jobs, hear, lock)
        outcome = Outcome([records[place] for place in decided])
        for action, _ in decided.values():
            outcome.actions[action.kind] = outcome.actions.get(action.kind, 0) + 1
        return outcome

    def _decide(self, trial: Trial, stored: set[str]) -> tuple[Action, Record | None]:
        path = record_path(self.folder, trial.describe("", "", ()))
        record = read_record(path) if path.exists() else None
        return decide(trial, record, stored, self.fresh), record


def check_sandbox(work: Work) -> None:
    """Raise UserError where a sandbox is required that this machine does not have, before anything
    is fitted.
    """
    for place, action in work.todo.items():
        trial = work.trial(place)
        if action.kind != "score" and trial.role != "line" and not trial.predictor.entry.trusted:
            refuse_if_open(trial.request.sandbox)


def check_data(work: Work) -> None:
    """Load what is real once before any fitting starts, so that a bad file ends the run in one
    sentence.
    """
    seen = set()
    for number, trial in sorted(work.todo):
        group = work.groups[number]
        if not group.dataset.entry.spec.seeded and group.dataset.selection not in seen:
            seen.add(group.dataset.selection)
            _ = Prepared(group.dataset, work.trial((number, trial)).request, group.split).rows
