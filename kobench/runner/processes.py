"""Processes of a run, seen from the one that starts them.

Strangers' datasets, tasks and metrics run there and not here, and may have changed all that is
there. So what a process is told is pickled, and what it says is JSON, which can do nothing here.
"""

from __future__ import annotations

import builtins
import contextlib
import json
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from kobench.errors import UserError
from kobench.plugins.chosen import Chosen
from kobench.results.faults import Fault
from kobench.results.parts import Record
from kobench.results.sound import check_sound
from kobench.util.files import parse_json
from kobench.util.lock import Lock
from kobench.util.processes import signal_name

#: Seconds that a process has to end its worker and itself, once it is told to.
PATIENCE = 10.0

#: Bytes of one message at most.
MOST_BYTES = 1 << 30


class JobEndedError(UserError):
    """A process of the harness itself ended early; what it had finished is kept."""

    exit_code = 1


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

    def receive(self) -> list[Any]:
        """What it says next: a word, and what belongs to it, see `say`.

        Raises JobEndedError where it is gone, or says what is none, and what it says was raised.
        """
        try:
            said = self.pipe.recv_bytes(MOST_BYTES)
        except (EOFError, OSError):
            self._ended()
        try:
            what, *rest = parse_json(said.decode())
            if what == "raised":
                rest = [error_from(**rest[0])]
            if what == "finished":
                rest[1] = Record.from_json(rest[1])
                check_sound(rest[1])
        except (ValueError, TypeError, IndexError, Fault) as error:
            raise JobEndedError(
                f"a process of this run said what none says ({type(error).__name__}: {error}); a"
                " dataset, task or metric that was named may have changed kobench there"
            ) from error
        if what == "raised":
            raise rest[0]
        return [what, *rest]

    def _ended(self) -> None:
        code = self.process.wait()
        why = f"was ended by {signal_name(-code)}" if code < 0 else f"exited with code {code}"
        hint = (
            " (often the system running out of memory: try fewer --jobs)"
            if code == -signal.SIGKILL
            else ""
        )
        raise JobEndedError(
            f"a process of this run {why}{hint}; what was finished is kept, the same command goes"
            " on from there"
        )


def say(pipe: Connection, what: str, *rest: Any) -> None:
    """Say something to the process that started this one; records and errors as plain values."""
    plain = [one.to_json() if isinstance(one, Record) else one for one in rest]
    pipe.send_bytes(json.dumps([what, *plain]).encode())


def error_in_words(error: BaseException) -> dict[str, Any]:
    """An error that is being handled, as plain values."""
    return {
        "kind": "UserError" if isinstance(error, UserError) else type(error).__name__,
        "message": str(error),
        "exit_code": getattr(error, "exit_code", 1),
        "system": [error.errno, error.strerror, error.filename and str(error.filename)]
        if isinstance(error, OSError)
        else None,
        "trace": traceback.format_exc(),
    }


def error_from(
    kind: str, message: str, exit_code: int, system: list[Any] | None, trace: str
) -> Exception:
    """The error of which `error_in_words` told: a user's, a built-in one, or RuntimeError."""
    found: Exception
    if kind == "UserError":
        found = UserError(message)
        found.exit_code = int(exit_code)
    else:
        known = getattr(builtins, kind, None)
        is_error = isinstance(known, type) and issubclass(known, Exception)
        try:
            found = known(message) if is_error and known else RuntimeError(f"{kind}: {message}")
        except TypeError:  # one that is made of more than a message
            found = RuntimeError(f"{kind}: {message}")
    if system is not None and isinstance(found, OSError):
        found.errno, found.strerror, found.filename = system
    found.add_note(str(trace))
    return found


@contextlib.contextmanager
def job_processes(parts: Sequence[Any], lock: Lock | None) -> Iterator[list[JobProcess]]:
    """Processes that each know their part of a run (`kobench.runner.work.Work`).

    On leaving all are ended, and each ends its worker first.
    """
    processes: list[JobProcess] = []
    try:
        for _ in parts:
            processes.append(start())
        if lock is not None:  # before any of them writes something
            lock.share([process.process.pid for process in processes])
        for process, part in zip(processes, parts, strict=True):  # all are starting meanwhile
            process.send(sys.path)
            process.send(part)
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


def groups_apart(dataset: Chosen, split: str) -> list[str]:
    """`groups_to_train_on` of a stranger's dataset, found by another process."""
    with job_processes([None], None) as (process,):
        process.send(("groups", dataset, split))
        _, groups = process.receive()
    return [str(group) for group in groups]
