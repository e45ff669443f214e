"""`python -c` from a process that has imported kobench already, so that what a test starts is at
work at once.

For tests that start, kill and start again the same command many times: each is a process of its
own, forked from one that holds nothing but modules.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

#: Modules of a run, down to the ones that it imports late.
MODULES = (
    "kobench.cli.run",
    "kobench.runner.run",
    "kobench.runner.plan",
    "kobench.plugins.load",
    "kobench.plugins.child",
    "kobench.board.make",
    "kobench.board.render.formats",
    "kobench.board.render.terminal",
    "kobench.builtin.plugin",
    "scipy.sparse",
    "scipy.special",
)

#: What runs as the command; its words are in `sys.argv`.
COMMAND = "from kobench.cli import main; main()"


class Warm:
    """Starts processes that have imported kobench; to be used in a `with` block."""

    def __enter__(self) -> Warm:
        self.process = subprocess.Popen(
            [sys.executable, "-P", __file__, *MODULES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.communicate()  # it ends with its input

    def start(self, words: Sequence[object], code: str = COMMAND) -> Started:
        """Start `python -c CODE WORDS...` in a session of its own."""
        file, errors = tempfile.mkstemp()
        os.close(file)
        return Started(
            self, self.ask(code=code, words=[str(word) for word in words], errors=errors), errors
        )

    def run(self, words: Sequence[object], code: str = COMMAND) -> subprocess.CompletedProcess[str]:
        """The same, and wait for its end."""
        started = self.start(words, code)
        ended = started.wait()
        return subprocess.CompletedProcess([*map(str, words)], ended, "", started.stderr())

    def ask(self, **question: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Started:
    """A process that was started, as `subprocess.Popen` would show it."""

    def __init__(self, warm: Warm, pid: int, errors: str) -> None:
        self.warm, self.pid, self.errors = warm, pid, Path(errors)
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, or minus the signal that ended it; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self.returncode = self.warm.ask(pid=self.pid, timeout=timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def stderr(self) -> str:
        """What it wrote to its standard errors; to be asked once, after its end."""
        text = self.errors.read_text(errors="replace")
        self.errors.unlink()
        return text


def child(code: str, words: list[str], errors: str) -> None:
    """Become `python -c CODE WORDS...`, with nothing of the process that was forked but modules."""
    os.setsid()
    nothing, written = os.open(os.devnull, os.O_RDWR), os.open(errors, os.O_WRONLY)
    for number, file in enumerate((nothing, nothing, written)):
        os.dup2(file, number)
    os.closerange(3, 64)
    sys.argv = ["-c", *words]
    status = 1
    try:
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def waited(pid: int, timeout: float | None) -> int | None:
    """How a child ended; None if it did not within so many seconds."""
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        found, status = os.waitpid(pid, 0 if until is None else os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if until is not None and time.monotonic() > until:
            return None
        time.sleep(0.002)


def main() -> None:
    """Fork whenever it is asked for, until the input ends."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # as the command does before it imports numpy
    for name in sys.argv[1:]:
        importlib.import_module(name)
    out = os.dup(1)
    for line in sys.stdin:
        question = json.loads(line)
        if "pid" in question:
            answer = waited(**question)
        else:
            answer = os.fork()
            if answer == 0:
                child(**question)
        os.write(out, (json.dumps(answer) + "\n").encode())


if __name__ == "__main__":
    main()
