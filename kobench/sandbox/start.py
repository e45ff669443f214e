"""The harness's side of the launcher: give it a plan, hear its reports, end all that it started."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kobench.sandbox.layers import without_any
from kobench.sandbox.plan import Plan
from kobench.sandbox.variables import KEPT_VARIABLES

#: Seconds after which a launcher that was told to end everything is ended itself.
PATIENCE = 30.0

#: What the launcher's interpreter executes. Its arguments are names of packages, each before the
#: folder in which it lies: nothing else that lies there can be imported, whoever looks for it.
CODE = """
import sys
from importlib.machinery import PathFinder

class Only:
    places = dict(zip(sys.argv[1::2], sys.argv[2::2]))

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if path is None and name in cls.places:
            return PathFinder.find_spec(name, [cls.places[name]])

sys.meta_path.append(Only)
from kobench.sandbox.launch import main
main()
"""


@dataclass
class Launch:
    """A launcher at work. Use it as a context manager: leaving it ends all that was started.

    Attributes
    ----------
    plan : Plan
        What the launcher is to do.
    output : int
        The file descriptor to which standard output and error of the program go.
    layers : dict of str to True or str
        For each layer True, or why it is not there. Reported once the program is shut in.
    keeper : int or None
        The id of the process from which the program and all that it starts descend.
    ended : int or None
        How the program ended: its exit code, or minus the number of the signal that ended it;
        None as long as it runs.
    not_started : str or None
        Why the program could not be executed.
    lost : bool
        Whether nothing more can be heard, because both processes that watch over the program are
        gone.
    """

    plan: Plan
    output: int
    layers: dict[str, Any] = field(
        default_factory=lambda: without_any("the launcher has not reported")
    )
    keeper: int | None = None
    ended: int | None = None
    not_started: str | None = None
    lost: bool = False

    def __enter__(self) -> Launch:
        command = [sys.executable, "-I", "-S", "-c", CODE, *places_of_packages()]
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        self.unread = b""
        self.process = subprocess.Popen(
            command,
            pass_fds=tuple(self.plan.keep),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.output,
            env=kept,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.reports = self.process.stdout.fileno()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write((json.dumps(vars(self.plan)) + "\n").encode())
            self.process.stdin.flush()
        return self

    def hear(self, seconds: float = 0.0) -> None:
        """Take in what the launcher has reported.

        Parameters
        ----------
        seconds : float
            How long to wait where nothing has been reported yet.

        Notes
        -----
        Each report names attributes and their new values. Nobody but the launcher can report:
        the program does not get this pipe.
        """
        if self.lost or not readable(seconds, self.reports):
            return
        piece = os.read(self.reports, 1 << 16)
        self.lost = not piece
        *lines, self.unread = (self.unread + piece).split(b"\n")
        for line in lines:
            for name, value in json.loads(line).items():
                setattr(self, name, value)

    def await_end(self, seconds: float) -> None:
        """Wait until the program has ended, at most this many seconds."""
        deadline = time.monotonic() + seconds
        while self.ended is None and not self.lost and (left := deadline - time.monotonic()) > 0:
            self.hear(left)

    def end(self) -> None:
        """Have all that was started ended, without waiting for it. Any thread may call it."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # the guard ends everything as soon as it sees this

    def __exit__(self, *_: object) -> None:
        assert self.process.stdout is not None
        self.end()
        deadline = time.monotonic() + PATIENCE
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        # where something killed the guard, the keeper is still at it: wait for the end of reports
        while not self.lost and (left := deadline - time.monotonic()) > 0:
            self.hear(left)
        self.process.stdout.close()


def readable(seconds: float, *descriptors: int) -> set[int]:
    """Which of these file descriptors have something to read, or have ended.

    Parameters
    ----------
    seconds : float
        How long to wait for the first of them.
    *descriptors : int
        The file descriptors.
    """
    poll = select.poll()  # unlike select it takes descriptors of any number
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(1000 * seconds)}


def places_of_packages() -> list[str]:
    """The packages that the launcher imports, kobench and landlockpy: name, folder, name, ..."""
    found = ["kobench", str(Path(__file__).resolve().parents[2])]
    spec = importlib.util.find_spec("landlockpy") if sys.platform == "linux" else None
    if spec is not None and spec.origin is not None:
        found += ["landlockpy", str(Path(spec.origin).parents[1])]
    return found
