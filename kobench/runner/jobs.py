"""The jobs of a run: this process alone, or several processes of the harness side by side.

Truth, floors and scores are work of the harness itself. Much of it is Python, which computes in one
thread of a process at a time, so each of several jobs is a process, started as `python -m
kobench.runner.jobs SOCKET`. It holds the data of one group of trials at a time.
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
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.results.answer_store import AnswerStore
from kobench.runner.keys import Group, Trial
from kobench.runner.prepared import Prepared
from kobench.runner.reach import Hidden
from kobench.runner.resume import Action
from kobench.runner.trial import Results, carry_out
from kobench.util.lock import Claim, Lock
from kobench.worker.main import exit_with_parent

#: Which trial of a run: the number of its group, and its number in the group, floors and lines
#: first.
Place = tuple[int, int]

#: Is told "started", "logged" (message, done, total) and "finished" (record) of a trial.
Report = Callable[..., None]

#: Seconds that a job has to end its worker and itself, once it is told to.
PATIENCE = 10.0


class JobEndedError(UserError):
    """A process of the harness itself ended early; what it had finished is kept."""

    exit_code = 1


@dataclass(frozen=True)
class Work:
    """A run as each of its processes is told.

    Attributes
    ----------
    groups : sequence of Group
        The plan.
    todo : dict of Place to Action
        What is to be done, by the trial's place.
    folder : Path
        The results folder.
    staged : bool
        See `kobench.runner.answers.get_answers`.
    hidden : Hidden
        What predictors must not read.
    claim : Claim or None
        The lock of the results folder.
    """

    groups: Sequence[Group]
    todo: dict[Place, Action]
    folder: Path
    staged: bool = True
    hidden: Hidden = field(default_factory=Hidden)
    claim: Claim | None = None

    def trial(self, place: Place) -> Trial:
        """The trial at a place."""
        group = self.groups[place[0]]
        return (*group.basis, *group.trials)[place[1]]


class Turns:
    """Which trial comes next for which job, so that data is loaded seldom and no job waits long.

    A job goes on with the group whose data it holds. Then it takes a group that no job has begun,
    then a predictor's trial of another job's group, the last one first. The last trial of a group
    is left to the job that holds it, if only a floor or a line keeps that job from it.
    """

    def __init__(self, work: Work) -> None:
        self.left = [
            deque(place for place in sorted(work.todo) if place[0] == number)
            for number in range(len(work.groups))
        ]
        self.new = deque(number for number, places in enumerate(self.left) if places)
        self.floors = [len(group.basis) for group in work.groups]
        self.at: dict[int, Place] = {}

    def next(self, job: int) -> Place | None:
        """The place of a job's next trial; None where there is none to take."""
        held = self.at.get(job)
        if held is not None and self.left[held[0]]:
            place = self.left[held[0]].popleft()
        elif self.new:
            place = self.left[self.new.popleft()].popleft()
        else:
            most = max(range(len(self.left)), key=self._to_share, default=None)
            if most is None or not self._to_share(most):
                return None
            place = self.left[most].pop()
        self.at[job] = place
        return place

    def _to_share(self, group: int) -> int:
        """How many trials of predictors a second job could take over."""
        trials = sum(number >= self.floors[group] for _, number in self.left[group])
        soon_free = any(
            number < self.floors[group] for at, number in self.at.values() if at == group
        )
        return 0 if soon_free and len(self.left[group]) == 1 else trials


class Job:
    """Carries out trials in this process, one after the other, and reports how it goes."""

    def __init__(self, work: Work, report: Report) -> None:
        self.work, self.report = work, report
        self.results = Results(
            work.folder, AnswerStore(work.folder), work.staged, work.hidden, work.claim
        )
        self.holds: int | None = None

    def do(self, place: Place) -> None:
        """Carry out the trial at a place; raises UserError for a dataset that can't be used."""
        group, trial = self.work.groups[place[0]], self.work.trial(place)
        if self.holds != place[0]:
            self.prepared = Prepared(group.dataset, trial.request, group.split)
            self.holds = place[0]
        self.report("started", place)
        log = partial(self.report, "logged", place)
        action = self.work.todo[place]
        record = carry_out(trial, action, self.prepared, group.basis, self.results, log)
        self.report("finished", place, record)


def work_through(work: Work, jobs: int, report: Report, lock: Lock) -> None:
    """Carry out everything there is to do, `jobs` trials at a time.

    Parameters
    ----------
    work : Work
        What is to be done.
    jobs : int
        How many trials at a time.
    report : callable
        Is told how it goes.
    lock : Lock
        That of the results folder. It stays locked until the last process that writes there is
        gone.

    Raises
    ------
    UserError
        What a trial raises, after all jobs were ended.
    """
    turns = Turns(work)
    jobs = min(jobs, len(work.todo))
    if jobs <= 1:
        job = Job(work, report)
        while (place := turns.next(0)) is not None:
            job.do(place)
        return
    with job_processes(work, jobs, lock) as processes:
        busy: dict[int, Place] = {}
        while True:
            for number in sorted(set(range(jobs)) - set(busy)):
                if (place := turns.next(number)) is not None:
                    busy[number] = place
                    processes[number].send(place)
            if not busy:
                return
            for pipe in wait([processes[number].pipe for number in busy]):
                number = next(number for number in busy if processes[number].pipe is pipe)
                what, *rest = processes[number].receive()
                if what == "raised":
                    raise rest[0]
                report(what, *rest)
                if what == "finished":
                    del busy[number]


@dataclass
class JobProcess:
    """A process of the run, seen from the one that started it."""

    process: subprocess.Popen[bytes]
    pipe: Connection

    def send(self, message: Any) -> None:
        """Tell it something; raises JobEndedError where it is gone."""
        try:
            self.pipe.send(message)
        except OSError:
            self._ended()

    def receive(self) -> Any:
        """What it says next; raises JobEndedError where it is gone."""
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
        raise JobEndedError(
            f"a process of this run {why}{hint}; what was finished is kept, the same command goes"
            " on from there"
        )


@contextlib.contextmanager
def job_processes(work: Work, size: int, lock: Lock) -> Iterator[list[JobProcess]]:
    """Processes that know the run; on leaving all are ended, and each ends its worker first."""
    processes: list[JobProcess] = []
    try:
        for _ in range(size):
            processes.append(start())
        # before any of them writes something
        lock.share([process.process.pid for process in processes])
        for process in processes:  # all are starting meanwhile
            process.send(sys.path)
            process.send(work)
        yield processes
    finally:
        for process in processes:
            process.process.terminate()
        for process in processes:
            try:
                process.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.process.kill()
                process.process.wait()
            # not before: that would end it at once, and leave what its worker started
            process.pipe.close()


def start() -> JobProcess:
    """Start a process of the run.

    A session of its own keeps a Ctrl-C from it: this process tells it to stop, once.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        # -P: nothing in the user's folder is imported
        command = [sys.executable, "-P", "-m", "kobench.runner.jobs", str(number)]
        process = subprocess.Popen(
            command, pass_fds=(number,), stdin=subprocess.DEVNULL, start_new_session=True
        )
    return JobProcess(process, Connection(ours.detach()))


def stopped(*_: object) -> None:
    """Leave what is being done in an orderly way; a second signal must not disturb that."""
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
        job = Job(pipe.recv(), lambda *message: pipe.send(message))
        while True:
            job.do(pipe.recv())
    except (KeyboardInterrupt, EOFError, BrokenPipeError):
        return
    except BaseException as error:
        error.add_note(traceback.format_exc())
        pipe.send(("raised", error))


if __name__ == "__main__":
    main()
