"""Who carries out which trial of a run: this process alone, or several processes of the harness
side by side.

Truth, floors and scores are work of the harness itself, much of it in Python, which computes in one
thread of a process at a time. So each of several jobs is a process (a "hand"), started as `python
-m kobench.runner.jobs SOCKET`. It holds the data of one group of trials at a time.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.results.answers import AnswerStore
from kobench.runner.keys import Group, Trial
from kobench.runner.prepared import Prepared
from kobench.runner.resume import Action
from kobench.runner.trial import carry_out
from kobench.worker.main import exit_with_parent

#: Which trial of a run: the number of its group, and its number in the group, floors and lines
#: first.
Place = tuple[int, int]

#: Is told "started", "logged" (message, done, total) and "finished" (record) of a trial.
Hear = Callable[..., None]

#: Seconds that a hand has to end its worker and itself, once it is told to.
PATIENCE = 10.0


class HandEndedError(UserError):
    """A process of the harness itself ended early; what it had finished is kept."""

    exit_code = 1


@dataclass(frozen=True)
class Work:
    """A run as each of its processes is told: what is to be done for every trial, by its place, and
    the folder of the results.
    """

    groups: Sequence[Group]
    todo: dict[Place, Action]
    folder: Path
    staged: bool = True

    def trial(self, place: Place) -> Trial:
        group = self.groups[place[0]]
        return (*group.basis, *group.trials)[place[1]]


class Turns:
    """Which trial comes next for whom, so that data is loaded as rarely, and nobody idle as little,
    as can be.

    A hand goes on with the group whose data it holds, then takes a group that nobody has begun,
    then a predictor's trial of another's group, the last one first. The last trial of a group is
    left to the hand that holds it, if all that keeps it is a floor or a line.
    """

    def __init__(self, work: Work) -> None:
        self.left = [
            deque(place for place in sorted(work.todo) if place[0] == number)
            for number in range(len(work.groups))
        ]
        self.new = deque(number for number, places in enumerate(self.left) if places)
        self.floors = [len(group.basis) for group in work.groups]
        self.at: dict[int, Place] = {}

    def next(self, hand: int) -> Place | None:
        """The place of this hand's next trial; None where it would only be in the way."""
        held = self.at.get(hand)
        if held is not None and self.left[held[0]]:
            place = self.left[held[0]].popleft()
        elif self.new:
            place = self.left[self.new.popleft()].popleft()
        else:
            most = max(range(len(self.left)), key=self._to_share, default=None)
            if most is None or not self._to_share(most):
                return None
            place = self.left[most].pop()
        self.at[hand] = place
        return place

    def _to_share(self, group: int) -> int:
        """How many trials of predictors a second hand could take over."""
        trials = sum(number >= self.floors[group] for _, number in self.left[group])
        soon_free = any(
            number < self.floors[group] for at, number in self.at.values() if at == group
        )
        return 0 if soon_free and len(self.left[group]) == 1 else trials


class Hand:
    """Carries out trials in this process, one after the other, and says how it goes."""

    def __init__(self, work: Work, hear: Hear) -> None:
        self.work, self.hear = work, hear
        self.store = AnswerStore(work.folder)
        self.holds: int | None = None

    def do(self, place: Place) -> None:
        """Carry out the trial at a place; raises UserError for a dataset that can't be used."""
        group, trial = self.work.groups[place[0]], self.work.trial(place)
        if self.holds != place[0]:
            self.prepared = Prepared(group.dataset, trial.request, group.split)
            self.holds = place[0]
        self.hear("started", place)
        log = partial(self.hear, "logged", place)
        action = self.work.todo[place]
        record = carry_out(
            trial,
            action,
            self.prepared,
            group.basis,
            self.work.folder,
            self.store,
            log,
            self.work.staged,
        )
        self.hear("finished", place, record)


def work_through(work: Work, jobs: int, hear: Hear, lock: int) -> None:
    """Carry out everything there is to do, `jobs` trials at a time; raises what a trial raises,
    after all of them were ended.

    lock : the file descriptor that locks the folder; it stays locked until the last process that
    writes there is gone.
    """
    turns = Turns(work)
    jobs = min(jobs, len(work.todo))
    if jobs <= 1:
        hand = Hand(work, hear)
        while (place := turns.next(0)) is not None:
            hand.do(place)
        return
    with crew(work, jobs, lock) as hands:
        busy: dict[int, Place] = {}
        while True:
            for number in sorted(set(range(jobs)) - set(busy)):
                if (place := turns.next(number)) is not None:
                    busy[number] = place
                    hands[number].send(place)
            if not busy:
                return
            for pipe in wait([hands[number].pipe for number in busy]):
                number = next(number for number in busy if hands[number].pipe is pipe)
                what, *rest = hands[number].receive()
                if what == "raised":
                    raise rest[0]
                hear(what, *rest)
                if what == "finished":
                    del busy[number]


@dataclass
class Employed:
    """A hand, seen from the process that told it to work."""

    process: subprocess.Popen[bytes]
    pipe: Connection

    def send(self, message: Any) -> None:
        try:
            self.pipe.send(message)
        except OSError:
            self._ended()

    def receive(self) -> Any:
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self._ended()

    def _ended(self) -> None:
        code = self.process.wait()
        why = (
            f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        )
        hint = (
            " (often the system running out of memory: try fewer --jobs)"
            if code == -signal.SIGKILL
            else ""
        )
        raise HandEndedError(
            f"a process of this run {why}{hint}; what was finished is kept, the same command goes"
            " on from there"
        )


@contextlib.contextmanager
def crew(work: Work, size: int, lock: int) -> Iterator[list[Employed]]:
    """So many hands that know the run; all are ended on leaving, and each ends its worker first."""
    hands: list[Employed] = []
    try:
        for _ in range(size):
            hands.append(employ(lock))
        for hand in hands:  # all are starting meanwhile
            hand.send(sys.path)
            hand.send(work)
        yield hands
    finally:
        for hand in hands:
            hand.process.terminate()
        for hand in hands:
            try:
                hand.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                hand.process.kill()
                hand.process.wait()
            # not before: that would end it at once, and leave what its worker started
            hand.pipe.close()


def employ(lock: int) -> Employed:
    """Start a hand.

    A session of its own keeps a Ctrl-C from it: it is told by this process, once.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        command = [
            sys.executable,
            "-P",
            "-m",
            "kobench.runner.jobs",
            str(number),
        ]  # -P: nothing in the user's folder is imported
        process = subprocess.Popen(
            command, pass_fds=(number, lock), stdin=subprocess.DEVNULL, start_new_session=True
        )
    return Employed(process, Connection(ours.detach()))


def stopped(*_: object) -> None:
    """Leave what is being done in an orderly way; being told twice must not disturb that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    """Carry out trials until told to stop, or until the process that tells is gone."""
    signal.signal(signal.SIGTERM, stopped)
    number = int(sys.argv[1])
    threading.Thread(target=exit_with_parent, args=(number,), daemon=True).start()
    pipe = Connection(number)
    try:
        sys.path[:] = pipe.recv()
        hand = Hand(pipe.recv(), lambda *message: pipe.send(message))
        while True:
            hand.do(pipe.recv())
    except (KeyboardInterrupt, EOFError, BrokenPipeError):
        return
    except BaseException as error:
        error.add_note(traceback.format_exc())
        pipe.send(("raised", error))


if __name__ == "__main__":
    main()
