"""The harness's side of the launcher: start it with a plan, hear what it reports, end it and all
that it started.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kobench.sandbox.layers import LAYERS, without_any

#: Seconds after which a launcher that was told to end everything is ended itself.
PATIENCE = 30.0

#: What the launcher's interpreter executes; its arguments are the folders in which it finds kobench
#: and landlockpy.
CODE = "import sys; sys.path += sys.argv[1:]; from kobench.sandbox.launch import main; main()"

#: The variables a clean environment keeps: without it some interpreters do not find their own
#: libraries.
KEPT_VARIABLES = ("LD_LIBRARY_PATH",)


@dataclass(frozen=True)
class Plan:
    """What the launcher is to do.

    command : absolute path of a program, and its arguments. cwd : where it starts. keep : file
    descriptors it is given. read, write, devices : absolute paths, see
    `kobench.sandbox.rules.restrict`. tree : an empty folder that nothing of these lies in.
    temporary : the folder that becomes /tmp in a file tree of its own. memory_mb : how much
    /dev/shm may hold. layers : those to try. required : start nothing where files, network or
    processes stay open.
    """

    command: Sequence[str]
    environment: dict[str, str]
    cwd: str
    tree: str
    temporary: str
    keep: Sequence[int] = ()
    read: Sequence[str] = ()
    write: Sequence[str] = ()
    devices: Sequence[str] = ()
    memory_mb: int = 512
    layers: Sequence[str] = LAYERS
    required: bool = False


@dataclass
class Launch:
    """A launcher at work, as a context manager; leaving it ends all that it started, whatever that
    did not to be ended.

    output : the file descriptor to which standard output and error of what is started go. After it
    has started: `layers` is {layer: True, or why not}, `keeper` the id of the process whose
    descendants are the worker and what it started, `ended` how the worker ended: its exit code, or
    minus the number of the signal; None as long as it runs. `not_started` says why the program
    could not be executed. `lost` is set when nothing more can be heard: both processes that watch
    over the worker are gone.
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
        command = [sys.executable, "-I", "-S", "-c", CODE, *search_path()]
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
        """Take in what was reported, waiting so long for the first of it; at the end of all reports
        `lost` is set.
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
        """Wait so long for the program to end."""
        deadline = time.monotonic() + seconds
        while self.ended is None and not self.lost and (left := deadline - time.monotonic()) > 0:
            self.hear(left)

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # the guard ends everything as soon as it sees this
        deadline = time.monotonic() + PATIENCE
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        while (
            not self.lost and (left := deadline - time.monotonic()) > 0
        ):  # the keeper, where someone killed the guard
            self.hear(left)
        self.process.stdout.close()


def readable(seconds: float, *numbers: int) -> set[int]:
    """Which of these file descriptors have something to read, or have ended, waiting so long for
    the first.
    """
    poll = select.poll()  # unlike select it takes any number
    for number in numbers:
        poll.register(number, select.POLLIN)
    return {number for number, _ in poll.poll(1000 * seconds)}


def signal_name(number: int) -> str:
    """The name of a signal; real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def search_path() -> list[str]:
    """The folders from which the launcher imports kobench and landlockpy."""
    folders = [str(Path(__file__).resolve().parent.parent.parent)]
    found = importlib.util.find_spec("landlockpy") if sys.platform == "linux" else None
    if found is not None and found.origin is not None:
        folders.append(str(Path(found.origin).parent.parent))
    return folders
