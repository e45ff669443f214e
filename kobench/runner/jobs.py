"""The jobs of a run: this process alone, or several processes of the harness side by side.

Truth, floors and scores are work of the harness itself. Much of it is Python, which computes in one
thread of a process at a time, so each of several jobs is a process, started as `python -m
kobench.runner.jobs SOCKET`. It holds the data of one group of trials at a time.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection, wait

from kobench.runner.load import groups_to_train_on
from kobench.runner.prepared import Prepared
from kobench.runner.processes import JobEndedError, error_in_words, job_processes, say
from kobench.runner.trial import carry_out
from kobench.runner.work import Place, Turns, Work, shares_of_processors
from kobench.util.lock import Lock
from kobench.worker.main import exit_with_parent

#: Is told "started", "logged" (message, done, total) and "finished" (record) of a trial.
Report = Callable[..., None]


class Job:
    """Carries out trials in this process, one after the other, and reports how it goes."""

    def __init__(self, work: Work, report: Report) -> None:
        self.work, self.report = work, report
        self.holds: int | None = None
        self.prepared: Prepared | None = None

    def hold(self, place: Place) -> Prepared:
        """The dataset of a place, made ready; the one that is held where that is it."""
        group = self.work.groups[place[0]]
        if self.prepared is None or self.holds != place[0]:
            prepared = Prepared(group.dataset, self.work.trial(place).request, group.split)
            if self.prepared is not None:
                prepared.take_over(self.prepared)
            self.prepared, self.holds = prepared, place[0]
        return self.prepared

    def check(self, place: Place) -> None:
        """Load the dataset of a place; raises UserError where it can't be used."""
        _ = self.hold(place).material
        self.report("checked", place)

    def do(self, place: Place) -> None:
        """Carry out the trial at a place; raises UserError for a dataset that can't be used."""
        group, trial = self.work.groups[place[0]], self.work.trial(place)
        prepared = self.hold(place)
        self.report("started", place)
        log = partial(self.report, "logged", place)
        action = self.work.todo[place]
        record = carry_out(trial, action, prepared, group.basis, self.work.results, log)
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
        Is told how it goes, and writes the record of what is finished.
    lock : Lock
        That of the results folder. It stays locked until the last process that writes there is
        gone.

    Raises
    ------
    UserError
        What a trial raises, after all jobs were ended.
    """
    turns = Turns(work, work.apart())
    jobs = min(jobs, len(work.todo))
    apart = work.has_strangers  # their code is not loaded in this process, which writes records
    if jobs <= 1 and not apart:
        job = Job(work, report)
        while (place := turns.next(0)) is not None:
            job.do(place)
        return
    parts = [
        replace(work, results=replace(work.results, processors=share))
        for share in shares_of_processors(jobs)
    ]
    with job_processes(parts, lock) as processes:
        for place in work.with_data(strangers=True):
            processes[0].send(("check", place))
            processes[0].receive()
        busy: dict[int, Place] = {}
        while True:
            for number in sorted(set(range(len(processes))) - set(busy)):
                if (place := turns.next(number)) is not None:
                    busy[number] = place
                    processes[number].send(("do", place))
            if not busy:
                return
            for pipe in wait([processes[number].pipe for number in busy]):
                number = next(number for number in busy if processes[number].pipe is pipe)
                what, place, *rest = processes[number].receive()
                if what not in ("started", "logged", "finished") or tuple(place) != busy[number]:
                    raise JobEndedError(f"a process of this run said {what!r} of another trial")
                report(what, busy[number], *rest)
                if what == "finished":
                    del busy[number]
                    turns.done(number)


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
        work = pipe.recv()
        job = None if work is None else Job(work, partial(say, pipe))
        while True:
            what, *about = pipe.recv()
            if what == "groups":
                say(pipe, "groups", groups_to_train_on(*about))
            elif job is not None:
                getattr(job, what)(*about)
    except (KeyboardInterrupt, EOFError, BrokenPipeError):
        return
    except BaseException as error:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends by itself now
        say(pipe, "raised", error_in_words(error))


if __name__ == "__main__":
    main()
