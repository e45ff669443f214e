"""One run: every trial of the plan that no record answers yet, several at a time.

A trial that fails costs its own row and no other.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from kobench.errors import BAD
from kobench.plugins.in_harness import code_here, refuse_code_here
from kobench.plugins.sources import Source
from kobench.results.left_out import LeftOut, UnreadableError
from kobench.results.parts import Record
from kobench.results.records import read_record, record_path, write_record
from kobench.results.versions import spot_of
from kobench.runner.described import refuse_told
from kobench.runner.folder import Results, locked
from kobench.runner.jobs import work_through
from kobench.runner.kept import Kept
from kobench.runner.keys import Group, Trial
from kobench.runner.late import look_for_late
from kobench.runner.older import Older
from kobench.runner.order import in_parts, is_asked
from kobench.runner.prepared import Prepared
from kobench.runner.reach import hidden_from, refuse_written
from kobench.runner.readable import refuse_libraries
from kobench.runner.resume import Action, Policy, decide
from kobench.runner.seeds import settle_seeds
from kobench.runner.shown import keep_shown
from kobench.runner.trust import trusted_with_predictor, vouched
from kobench.runner.work import Place, Work
from kobench.sandbox.finding import refuse_if_open
from kobench.supervisor.disk import NoRoomError
from kobench.util.files import set_aside


class Watcher(Protocol):
    """Who is told how a run goes."""

    def planned(self, total: int) -> None:
        """The run begins; `total` trials are to be done."""

    def started(self, trial: Trial) -> None:
        """A trial begins."""

    def logged(self, trial: Trial, message: str, done: int, total: int) -> None:
        """A predictor says how far it is."""

    def paused(self, trial: Trial) -> None:
        """A trial was asked its first part; the rest comes after the first part of all others."""

    def finished(self, trial: Trial, action: Action, record: Record) -> None:
        """A trial has its record."""


class Silent:
    """A watcher that says nothing."""

    def planned(self, total: int) -> None: ...
    def started(self, trial: Trial) -> None: ...
    def logged(self, trial: Trial, message: str, done: int, total: int) -> None: ...
    def paused(self, trial: Trial) -> None: ...
    def finished(self, trial: Trial, action: Action, record: Record) -> None: ...


@dataclass
class Outcome:
    """What a run did: counts of actions, the records that are not ok, and what it set aside.

    Attributes
    ----------
    records : list of Record
        The record of each trial, in the order of the plan.
    actions : dict of str to int
        How many trials there were of each kind of action.
    set_aside : LeftOut
        Earlier records of these trials that can't be read. The trials were done anew.
    kept : list of str
        Which earlier records of these trials were good, as they are not now, in sentences.
    """

    records: list[Record] = field(default_factory=list)
    actions: dict[str, int] = field(default_factory=dict)
    set_aside: LeftOut = field(default_factory=LeftOut)
    kept: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Record]:
        """Records of predictors and floors that ended early.

        A line that a dataset does not offer is no failure.
        """
        return [record for record in self.records if record.result.status in BAD]


@dataclass
class Run:
    """Runs trials into a results folder.

    Attributes
    ----------
    folder : Path
        The results folder.
    policy : Policy
        Which records of earlier runs still count.
    watcher : Watcher
        Is told how it goes.
    staged : bool
        See `kobench.runner.answers.get_answers`.
    cards : tuple of path
        Folders of dataset cards beside the usual ones: no predictor may read their files.
    sources : sequence of Source
        What offers plugins: a predictor whose description may hold data is described once more.
    note : callable
        Is told what a reader should know of the run, in a sentence.
    """

    folder: Path
    policy: Policy = Policy.RESUME
    watcher: Watcher = field(default_factory=Silent)
    staged: bool = True
    cards: tuple[str | os.PathLike[str], ...] = ()
    sources: Sequence[Source] = ()
    note: Callable[[str], None] = lambda _: None

    def run(self, groups: list[Group], jobs: int = 1) -> Outcome:
        """Do what the plan asks for, `jobs` trials at a time.

        Raises UserError before any fit when a dataset can't be used, or when the folder holds
        results of other seeds, and NoRoomError where the disk is full.
        """
        trials = {
            (number, place): trial
            for number, group in enumerate(groups)
            for place, trial in enumerate((*group.basis, *group.trials))
        }
        if strangers := [trial for trial in trials.values() if trial.is_strangers]:
            refuse_written(strangers, self.folder, "--out")
        with sentence_if_full(self.folder), locked(self.folder) as lock:
            if lock.after:
                self.note(
                    f"a run that is gone had left its lock in {self.folder} ({lock.after}); this"
                    " run took the folder over"
                )
            settle_seeds(self.folder, groups)
            older = Older(self.folder)
            older.bring_back(trials.values())
            results = Results(self.folder, self.staged, claim=lock.claim)
            stored = results.store.keys()
            unreadable: dict[Path, UnreadableError] = {}
            decided = {
                place: self._decide(trial, stored, unreadable) for place, trial in trials.items()
            }
            late = look_for_late(decided, trials, self.folder, self.note)
            todo = {
                place: action for place, (action, _) in decided.items() if action.kind != "nothing"
            }
            records = {
                place: record
                for place, (_, record) in decided.items()
                if record is not None and place not in todo
            }
            work = Work(groups, todo, results)
            # before any stranger's code is loaded, which is not loaded in this process
            brought = {place: trusted_with_predictor(work.trial(place)) for place in todo}
            here = {place: code_here(work.trial(place).predictor.entry) for place in todo}
            theirs = started(work)
            check_sandbox(theirs)
            check_data(work)
            hidden = hidden_from(theirs, self.cards)
            work = replace(work, results=replace(results, hidden=hidden))
            refuse_told(theirs, hidden, self.sources, self.cards)
            for path in unreadable:
                set_aside(path)  # not lost: a newer kobench may read it, or its owner mend it
            keep_shown(
                self.folder,
                [record for place in todo if (record := decided[place][1]) is not None],
            )
            older.look(
                {
                    spot_of(trial.role, trial.describe())
                    for place in todo
                    if (trial := work.trial(place))
                },
                {
                    record_path(self.folder, record.trial): record
                    for _, record in decided.values()
                    if record is not None
                },
            )
            self.watcher.planned(len(todo))

            left = in_parts(work)
            kept = Kept(
                self.folder,
                {
                    place: record
                    for place, (_, record) in decided.items()
                    if place in todo and record is not None and record.result.status == "ok"
                },
            )

            def report(what: str, place: Place, *more: Any) -> None:
                trial = work.trial(place)
                if what == "finished":
                    records[place] = vouched(
                        more[0], trial, brought[place], here[place], late.get(place, ())
                    )
                    results.refuse_if_lost()  # it was not when the trial ended, in whatever process
                    status = records[place].result.status
                    goes_on = any(place in part.todo for part in left)
                    labels = [task.spec.label for task in trial.tasks]
                    older.before(records[place], labels, not todo[place].keep)
                    if record_path(self.folder, records[place].trial) not in older.moved:
                        kept.before(place, status, not goes_on)
                    write_record(self.folder, records[place])
                    kept.after(place, status, not goes_on)
                    if goes_on:
                        if status == "ok":
                            self.watcher.paused(trial)
                            return
                        for part in left:  # what failed is not asked the rest
                            part.todo.pop(place, None)
                    self.watcher.finished(trial, todo[place], records[place])
                else:
                    getattr(self.watcher, what)(trial, *more)

            while left:
                work_through(left.pop(0), jobs, report, lock)
            for sentence in older.end():
                self.note(sentence)
        outcome = Outcome([records[place] for place in decided])
        for path, error in unreadable.items():
            outcome.set_aside.add(f"records/{path.name}", error)
        outcome.kept = [*kept.sentences(), *older.sentences(outcome.records)]
        for action, _ in decided.values():
            outcome.actions[action.kind] = outcome.actions.get(action.kind, 0) + 1
        return outcome

    def _decide(
        self, trial: Trial, stored: set[str], unreadable: dict[Path, UnreadableError]
    ) -> tuple[Action, Record | None]:
        """What to do for a trial, and its record; one that can't be read is none.

        That is noted in `unreadable`, but for a fresh run, which replaces records unseen.
        """
        path = record_path(self.folder, trial.describe())
        record = None
        try:
            record = read_record(path) if os.path.lexists(path) else None
        except UnreadableError as error:
            if self.policy is not Policy.FRESH:
                unreadable[path] = error
        action = decide(trial, record, stored, self.policy)
        if path in unreadable:
            action = replace(action, reason="its record can't be read")
        return action, record


@contextlib.contextmanager
def sentence_if_full(folder: Path) -> Iterator[None]:
    """Say in a sentence that a file of a run could not be written because the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NoRoomError(
            f"the disk of {folder} is full ({error.strerror}): what could not be written whole was"
            " left out. Make room; what was finished is kept, the same command goes on from there"
        ) from error


def check_sandbox(trials: Sequence[Trial]) -> None:
    """Raise UserError where a required sandbox is not to be had here, before anything is fitted."""
    for trial in trials:
        refuse_code_here(trial.predictor.entry, trial.request.sandbox)
        refuse_if_open(trial.request.sandbox)
        refuse_libraries(trial.request)


def started(work: Work) -> list[Trial]:
    """The trials for which a predictor is started in a process of its own."""
    return [work.trial(place) for place in work.todo if is_asked(work, place)]


def check_data(work: Work) -> None:
    """Load what is real once before any fit, so that a bad file ends the run in a sentence.

    Datasets of strangers are loaded by the process that carries out their trials.
    """
    for place in work.with_data():
        group = work.groups[place[0]]
        _ = Prepared(group.dataset, work.trial(place).request, group.split).material
