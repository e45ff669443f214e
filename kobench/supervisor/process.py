"""The harness's side of a worker: start it in its sandbox, ask it, watch over it, and end it and
all that it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from kobench.errors import TrialFailed
from kobench.sandbox.finding import refuse_if_open
from kobench.sandbox.folders import FOLDER, remove
from kobench.sandbox.layers import without_any
from kobench.sandbox.places import Interpreter, this_interpreter
from kobench.sandbox.start import Launch, readable, signal_name
from kobench.supervisor.arrays import ANY, Expected, receive
from kobench.supervisor.limits import Limits, passed
from kobench.supervisor.messages import MOST_BYTES, parse
from kobench.supervisor.room import Room
from kobench.supervisor.usage import Watch
from kobench.util.text import visible
from kobench.worker.protocol import PROTOCOL, RENEW

__all__ = ["TrialFailed", "WorkerProcess"]

#: Seconds between two looks at what the worker's processes use.
LOOK = 0.1

#: More results of checks than this nobody asks for.
MOST_CHECKS = 1000

#: Seconds in which the worker's end must be known once its pipe is closed.
PATIENCE = 2.0

#: Characters of the output that are kept.
TAIL = 4000


@dataclass
class WorkerProcess:
    """One worker.

    Use as a context manager; leaving it ends every process that stems from it and removes its
    folder.

    threads : how many its numerical libraries may use. interpreter : whose worker it is, kobench's
    own where None. sandbox : see `kobench.sandbox.MODES`. readable : folders that it may read
    beside the interpreter's. links : modules that must be importable, by name, and where they are.
    cuda : whether it may use NVIDIA GPUs. packages : names of distributions whose versions `hello`
    shall hold. Raises UserError on entering where the sandbox is required and something stays open,
    else TrialFailed.
    """

    work: Path
    threads: int
    limits: Limits = field(default_factory=Limits)
    log: Callable[[str, int, int], None] | None = None
    interpreter: Interpreter | None = None
    sandbox: str = "auto"
    readable: tuple[Path, ...] = ()
    links: Mapping[str, Path] = field(default_factory=dict)
    cuda: bool = False
    packages: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    said: list[dict[str, Any]] = field(default_factory=list)
    hello: dict[str, Any] = field(default_factory=dict)
    launch: Launch | None = field(default=None, init=False)
    watch: Watch | None = field(default=None, init=False)
    output: int | None = field(default=None, init=False)
    tail: str | None = field(default=None, init=False)

    def __enter__(self) -> WorkerProcess:
        seconds = self.limits.seconds
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.next_look, self.unread = 0.0, b""
        self.work.mkdir(parents=True, exist_ok=True)
        self.stack = contextlib.ExitStack()
        try:
            self.folder = Path(
                tempfile.mkdtemp(prefix="trial-", dir=self.work.resolve())
            )  # absolute: a predictor may change its folder
            self.stack.callback(remove, self.folder)
            self._start()
            self.hello = self._reply("start")
            self._check_hello()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    @property
    def report(self) -> dict[str, Any]:
        """The sandbox it ran in, as a record keeps it."""
        layers = (
            without_any("it was not started") if self.launch is None else dict(self.launch.layers)
        )
        layers = without_any("switched off") if self.sandbox == "off" else layers
        return {
            "mode": self.sandbox,
            "layers": layers,
            "readable": [str(folder) for folder in self.readable],
        }

    @property
    def launched(self) -> Launch:
        """The launcher, once it was started."""
        assert self.launch is not None
        return self.launch

    def output_tail(self) -> str | None:
        """The end of what the predictor printed, also after the worker has ended; None where it
        printed nothing.
        """
        if self.output is not None:
            size = os.fstat(self.output).st_size
            last = (
                os.pread(self.output, 4 * TAIL, max(0, size - 4 * TAIL))
                .decode(errors="replace")
                .strip()
            )
            self.tail = visible(last[-TAIL:], 8 * TAIL, lines=True) or None
        return self.tail

    def stage(self, name: str) -> Path:
        """The folder of a stage's questions, made when first asked for.

        The worker may read it, not write into it.
        """
        folder = self.room.given / name
        folder.mkdir(exist_ok=True)
        return folder

    def ask(self, do: str, **request: Any) -> None:
        """Send one request about the stage `do` and wait for its reply; what comes before is logged
        or kept in `said`.

        Raises TrialFailed.
        """
        started = time.monotonic()
        token = secrets.token_hex(8)
        folders = {
            "folder": self.room.given / do,
            "out": self.room.out / do,
            "scratch": self.room.scratch,
        }
        self._send(
            do,
            {
                "do": do,
                "token": token,
                **{name: str(place) for name, place in folders.items()},
                **request,
            },
        )
        reply = self._reply(do)
        while reply["kind"] in ("log", "check"):
            if reply["kind"] == "check":
                if do != "check" or len(self.said) == MOST_CHECKS:
                    raise TrialFailed(
                        "invalid",
                        do,
                        "the worker's reply is the result of a check nobody asked for",
                    )
                self.said.append(reply)
            elif self.log is not None:
                self.log(reply["message"], reply["done"], reply["total"])
            reply = self._reply(do)
        self.seconds[do] = (
            time.monotonic() - started
        )  # by this clock: a predictor can change its own
        self._look(do, at_once=True)  # a stage may be shorter than the time between two looks
        if reply["kind"] == "ready" or reply["for"] != token:
            raise TrialFailed(
                "invalid",
                do,
                "the worker's reply is none to what was asked: something else wrote to its pipe",
            )
        if reply["kind"] == "failed":
            traceback = reply["traceback"] and self._neutral(reply["traceback"])
            raise TrialFailed(reply["status"], do, self._neutral(reply["message"]), traceback)

    def answers(
        self, stage: str, expected: Mapping[str, Expected] | Iterable[str]
    ) -> Mapping[str, Any]:
        """The arrays answered in a stage, None for each not given.

        The stage is sealed: its folders are out of the worker's reach.

        Its processes may still hold folders in there open and rename and write in them. So no path
        leads there: what is read is reached from folders that were open before the worker started.
        All but the arrays that were read is removed when its processes are gone.
        """
        name = f"{stage}-{secrets.token_hex(8)}"
        try:
            with contextlib.suppress(FileNotFoundError):
                os.rename(
                    stage, name, src_dir_fd=self.out, dst_dir_fd=self.taken
                )  # a link stays a link
            wanted = expected if isinstance(expected, Mapping) else dict.fromkeys(expected, ANY)
            return receive(name, stage, wanted, at=self.taken, take=True)
        except OSError as error:
            raise TrialFailed(
                "invalid", stage, f"the answers can't be read: {visible(str(error), 300)}"
            ) from error
        finally:
            remove(self.room.given / stage)

    def _start(self) -> None:
        self.room = Room(self.folder)
        self.out, self.taken = (
            os.open(place, FOLDER) for place in (self.room.out, self.room.taken)
        )
        for number in (self.out, self.taken):
            self.stack.callback(os.close, number)
        child_in, self.write_to = os.pipe()
        self.read_from, child_out = os.pipe()
        for number in (self.write_to, self.read_from):
            self.stack.callback(os.close, number)
        os.set_blocking(self.write_to, False)
        log, self.output = (
            os.open(self.room.log, how, 0o600)
            for how in (os.O_CREAT | os.O_WRONLY | os.O_APPEND, os.O_RDONLY)
        )
        self.stack.callback(os.close, log)
        self.stack.callback(self._close_output)
        try:
            plan = self.room.plan(
                self.interpreter or this_interpreter(),
                self.packages,
                (child_in, child_out),
                self.sandbox,
                self.threads,
                self.readable,
                self.links,
                self.limits.memory_mb,
                self.cuda,
            )
            self.launch = self.stack.enter_context(Launch(plan, log))
        except ValueError as error:
            raise TrialFailed("failed", "start", str(error)) from error
        finally:
            os.close(child_in)
            os.close(child_out)

    def _close_output(self) -> None:
        self.output_tail()
        output, self.output = self.output, None
        assert output is not None
        os.close(output)

    def _neutral(self, text: str) -> str:
        """A text of the worker's without this machine's folders: it is part of a result."""
        return text.replace(str(self.folder), "(its folder)").replace(str(Path.home()) + "/", "~/")

    def _check_hello(self) -> None:
        if self.hello.get("kind") != "ready" or self.hello["protocol"] != PROTOCOL:
            theirs = self.hello.get("protocol", "none")
            raise TrialFailed(
                "failed",
                "start",
                f"the worker speaks protocol {theirs}, this kobench {PROTOCOL}; {RENEW}",
            )

    def _send(self, stage: str, request: dict[str, Any]) -> None:
        left = (json.dumps(request) + "\n").encode()
        while left:
            try:
                left = left[os.write(self.write_to, left) :]
            except BlockingIOError:
                time.sleep(LOOK / 10)
                self._check_limits(stage)
            except BrokenPipeError:
                self._died(stage)

    def _reply(self, stage: str) -> dict[str, Any]:
        while b"\n" not in self.unread:
            self._check_limits(stage)
            if len(self.unread) > MOST_BYTES:
                raise TrialFailed(
                    "invalid",
                    stage,
                    f"a reply of the worker is longer than {MOST_BYTES:,} bytes: something else"
                    " wrote to its pipe",
                )
            launch = self.launched
            ready = readable(LOOK, self.read_from, *([] if launch.lost else [launch.reports]))
            if self.read_from in ready:
                piece = os.read(self.read_from, 1 << 16)
                if not piece:
                    self._died(stage)
                self.unread += piece
            elif ready:
                launch.hear()
            elif (
                launch.ended is not None or launch.lost
            ):  # it died while a child of its own keeps the pipe open
                self._died(stage)
        line, self.unread = self.unread.split(b"\n", 1)
        try:
            return parse(line)
        except ValueError as error:
            raise TrialFailed("invalid", stage, str(error)) from error

    def _check_limits(self, stage: str) -> None:
        """Raise TrialFailed where a limit of the trial is passed; looks at its processes ten times
        a second.
        """
        now = time.monotonic()
        if self.deadline is not None and now >= self.deadline:
            raise passed(self.limits, "timeout", stage)
        if now >= self.next_look:
            self._look(stage)

    def _look(self, stage: str, at_once: bool = False) -> None:
        self.next_look = time.monotonic() + LOOK
        if self.watch is None:
            self.launched.hear()
            if self.launched.keeper is None:
                return
            self.watch = Watch(self.launched.keeper, self.limits, self.room.written)
        try:
            self.watch.check(stage, at_once)
        finally:
            self.peak_mb = self.watch.peak_mb

    def _died(self, stage: str) -> NoReturn:
        """Say how the worker ended; raises TrialFailed, or UserError where it was not started for
        the sake of a required sandbox.
        """
        launch = self.launched
        launch.await_end(PATIENCE)
        if stage == "start":
            refuse_if_open(self.sandbox, launch.layers)
        tail, code = self._neutral(self.output_tail() or "") or None, launch.ended
        if launch.not_started is not None:
            raise TrialFailed(
                "failed", stage, f"its interpreter can't be executed: {visible(launch.not_started)}"
            )
        if code is None:
            what = (
                "what watches over the worker was ended from outside"
                if launch.lost
                else "the worker closed its pipe to kobench"
            )
            raise TrialFailed("failed", stage, what, tail)
        if code < 0:
            hint = " (often the system running out of memory)" if code == -signal.SIGKILL else ""
            raise TrialFailed(
                "failed", stage, f"the process was ended by {signal_name(-code)}{hint}", tail
            )
        why = f": {tail.splitlines()[-1]}" if tail and stage == "start" else ""
        raise TrialFailed("failed", stage, f"the process exited with code {code}{why}", tail)
