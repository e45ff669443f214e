"""A results folder held by one run at a time, and cleared of what a killed run left behind."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kobench.errors import UserError
from kobench.results.answer_store import AnswerStore
from kobench.results.versions import OLDER
from kobench.runner.reach import Hidden
from kobench.sandbox.folders import remove
from kobench.util import lock
from kobench.util.lock import BusyError, Lock
from kobench.util.lock_file import STALE, Claim, NoLockError

#: The folder of a results folder in which trials have theirs while they run.
WORK = ".work"

#: The folder of a results folder in which is written down what predictors are about to be shown,
#: see `kobench.runner.shown`, and what a run does there, for a reader.
SHOWN, NOTED = "shown", "notes which cells it shows"

#: The file in a results folder by which one run holds it, see `kobench.util.lock`.
LOCK = ".kobench-lock"

#: Seconds that a run waits for the processes of a killed one to be gone.
PATIENCE = 1.0

#: What a killed run leaves behind, folder -> names. All else in a results folder is the user's,
#: whose folder it may have been before.
TRIAL = re.compile(r"trial-[a-z0-9_]{8}")
HALF_WRITTEN = {
    "records": re.compile(r"\.[0-9a-f]{24}\.json\.\d+-\d+\.tmp"),
    "answers": re.compile(r"\.[0-9a-f]{64}\.npz\.\d+-\d+\.tmp"),
    SHOWN: re.compile(r"\.[0-9a-f]{24}\.json\.\d+-\d+\.tmp"),
}


class LostError(UserError):
    """The results folder is another run's by now; what was finished is kept."""

    exit_code = 1


@dataclass(frozen=True)
class Results:
    """Where the results of trials go, and how each process of a run carries out trials for it.

    Attributes
    ----------
    folder : Path
        The results folder.
    staged : bool
        See `kobench.runner.answers.get_answers`.
    hidden : Hidden
        What predictors must not read.
    claim : Claim or None
        The lock of the results folder.
    processors : tuple of int
        On which processors predictors compute; none where on any.
    """

    folder: Path
    staged: bool = True
    hidden: Hidden = field(default_factory=Hidden)
    claim: Claim | None = None
    processors: tuple[int, ...] = ()

    @property
    def store(self) -> AnswerStore:
        """The stored answers in it."""
        return AnswerStore(self.folder)

    def refuse_if_lost(self) -> None:
        """Raise LostError where the results folder is no longer this run's."""
        if self.claim is not None and not self.claim.holds():
            raise LostError(
                f"this run has lost {self.folder}: its lock {self.claim.path.name} was removed, or"
                " another run took it over because it had heard nothing of this one for"
                f" {STALE:.0f} s; what was finished is kept, the same command goes on from there"
            )


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Lock]:
    """Hold a results folder for one run; leftovers of a killed one are cleared away first.

    Raises
    ------
    UserError
        Another run holds it, or it can't be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held = stack.enter_context(lock.locked(folder / LOCK, PATIENCE))
        except BusyError as busy:
            raise UserError(
                f"another kobench run is writing to {folder} ({busy}); wait for it, or name another"
                " folder with --out"
            ) from None
        except NoLockError as error:
            raise UserError(f"{error}; move it, or name another folder with --out") from None
        except OSError as error:
            raise UserError(
                f"results can't be written to {folder} ({error.strerror}); name another folder with"
                " --out"
            ) from error
        _refuse_other_work(folder)
        clear(folder)
        try:
            yield held
        finally:
            if held.claim.holds():
                clear(folder)


def _refuse_other_work(folder: Path) -> None:
    """Raise UserError where a run can't have its own folders where they must be."""
    places = {WORK: "makes its trials' folders", SHOWN: NOTED, OLDER: "keeps older results"}
    for place, what_for in ((folder / name, what_for) for name, what_for in places.items()):
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            what = "a link" if place.is_symlink() else "a file"
            raise UserError(
                f"{place} is {what}, but a run {what_for} in a folder of this name; move it, or"
                " name another --out"
            )


def clear(folder: Path) -> None:
    """Remove trials' folders and half-written files, and nothing that kobench did not make.

    The results folder must be locked.
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
