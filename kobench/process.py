"""The harness's side of a worker: start it, ask it, and end it and what it started (all that stays in its process group)."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kobench.wire import PROTOCOL, read_array

#: Names of the variables by which numerical libraries are told how many threads to use.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class TrialFailed(Exception):  # noqa: N818 - a result, not a mistake of this program
    """A trial ended early; becomes the status of its record."""

    def __init__(self, status: str, stage: str, message: str, traceback: str | None = None) -> None:
        super().__init__(message)
        self.status, self.stage, self.message, self.traceback = status, stage, message, traceback


@dataclass
class WorkerProcess:
    """One worker. Use as a context manager; leaving it kills the process group and removes its folders.

    threads : how many its numerical libraries may use. timeout : seconds from its start after which it is ended, None = never.
    """

    work: Path
    threads: int
    timeout: float | None = None
    log: Callable[[str, int, int], None] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    said: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> WorkerProcess:
        self.deadline = None if self.timeout is None else time.monotonic() + self.timeout
        self.work.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="trial-", dir=self.work.resolve()))  # absolute: a predictor may change its folder
        (self.folder / "scratch").mkdir()
        child_in, self.write_to = os.pipe()
        self.read_from, child_out = os.pipe()
        environment = {
            **os.environ,
            **dict.fromkeys(THREAD_VARIABLES, str(self.threads)),
            "PYTHONHASHSEED": "0",
            "PYTHONSAFEPATH": "1",  # nothing in the folder where the user happens to stand is imported
        }
        try:
            with open(self.folder / "output.log", "wb") as output:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "kobench.worker", str(child_in), str(child_out)],
                    pass_fds=(child_in, child_out),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    start_new_session=True,
                )
        except BaseException:
            self._close()
            raise
        finally:
            os.close(child_in)
            os.close(child_out)
        self.unread = b""
        try:
            hello = self._reply("start")
            if hello.get("protocol") != PROTOCOL:
                raise TrialFailed("failed", "start", f"the worker speaks protocol {hello.get('protocol')}, this kobench {PROTOCOL}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._close()

    def _close(self) -> None:
        os.close(self.write_to)
        os.close(self.read_from)
        shutil.rmtree(self.folder, ignore_errors=True)

    def stage(self, name: str) -> Path:
        """The folder of a stage, made when first asked for."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def ask(self, do: str, **request: Any) -> None:
        """Send one request about the stage `do` and wait for its reply; what comes before is logged or kept in `said`.

        Raises TrialFailed.
        """
        try:
            told = {"do": do, "folder": str(self.folder / do), "scratch": str(self.folder / "scratch"), **request}
            os.write(self.write_to, (json.dumps(told) + "\n").encode())
        except BrokenPipeError:
            self._died(do)
        reply = self._reply(do)
        while reply["kind"] in ("log", "check"):
            if reply["kind"] == "check":
                self.said.append(reply)
            elif self.log is not None:
                self.log(reply["message"], reply["done"], reply["total"])
            reply = self._reply(do)
        self.seconds[do] = reply["seconds"]
        self.peak_mb = max(self.peak_mb, reply["peak_mb"])
        if reply["kind"] == "failed":
            raise TrialFailed(reply["status"], do, reply["message"], reply["traceback"])

    def answers(self, stage: str, names: tuple[str, ...]) -> Mapping[str, Any]:
        """The arrays answered in a stage, None for each not given; the stage's folder is removed: it is sealed."""
        folder = self.folder / stage / "answers"
        try:
            found = {name: read_array(folder, name) for name in names}
        except (ValueError, OSError) as error:
            raise TrialFailed("invalid", stage, f"the answers can't be read: {error}") from error
        shutil.rmtree(self.folder / stage, ignore_errors=True)
        return found

    def _reply(self, stage: str) -> dict[str, Any]:
        while b"\n" not in self.unread:
            left = None if self.deadline is None else self.deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TrialFailed("timeout", stage, "the time limit of the trial was reached")
            ready, _, _ = select.select([self.read_from], [], [], 1.0 if left is None else min(left, 1.0))
            if not ready:
                if self.process.poll() is not None:  # it died while a child of its own keeps the pipe open
                    self._died(stage)
                continue
            piece = os.read(self.read_from, 1 << 16)
            if not piece:
                self._died(stage)
            self.unread += piece
        line, self.unread = self.unread.split(b"\n", 1)
        try:
            reply = json.loads(line)
        except ValueError as error:
            raise TrialFailed("invalid", stage, "the worker's reply is not JSON: something else wrote to its pipe") from error
        assert isinstance(reply, dict)
        return reply

    def _died(self, stage: str) -> None:
        code = self.process.wait()
        if code < 0:
            name = signal.Signals(-code).name
            hint = " (often the system running out of memory)" if name == "SIGKILL" else ""
            raise TrialFailed("failed", stage, f"the process was ended by {name}{hint}", self._output_tail())
        tail = self._output_tail()
        why = f": {tail.splitlines()[-1]}" if tail and stage == "start" else ""
        raise TrialFailed("failed", stage, f"the process exited with code {code}{why}", tail)

    def _output_tail(self, size: int = 1500) -> str | None:
        text = (self.folder / "output.log").read_bytes()[-size:].decode(errors="replace").strip()
        return text or None
