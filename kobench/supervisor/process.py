"""The harness's side of a worker: start it, ask it, take its answers, end it."""

from __future__ import annotations

import contextlib
import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from kobench.errors import TrialFailed
from kobench.sandbox.finding import layers_here, refuse_if_open
from kobench.sandbox.folders import remove
from kobench.sandbox.layers import without_any
from kobench.sandbox.start import Launch, readable
from kobench.supervisor.arrays import Expected
from kobench.supervisor.disk import Disk
from kobench.supervisor.ended import failure_of
from kobench.supervisor.enforcement import LOOK, Enforcement
from kobench.supervisor.messages import Pipe
from kobench.supervisor.output import Output
from kobench.supervisor.room import Room
from kobench.supervisor.settings import WorkerSettings
from kobench.worker.protocol import PROTOCOL, RENEW

#: More results of checks than this nobody asks for.
MOST_CHECKS = 1000

#: Seconds in which the worker's end must be known once its pipe is closed.
PATIENCE = 2.0


def answers_gone(stage: str) -> TrialFailed:
    """The failure of a worker that replied, and whose answers are not there."""
    message = "the worker's answers are gone: something removed or moved its folder"
    return TrialFailed("failed", stage, message)


class WorkerProcess:
    """One worker.

    Use it as a context manager. Entering starts it; it raises UserError where the sandbox is
    required and something stays open, or the disk is nearly full, else TrialFailed. Leaving ends
    every process that stems from it and removes its folder.

    Parameters
    ----------
    work : Path
        Where its folder is made.
    settings : WorkerSettings, optional
        How it is run.
    log : callable, optional
        Called with (message, done, total) for the progress that its predictor reports.

    Attributes
    ----------
    hello : dict of str to object
        What it said when it had started: protocol, and versions of Python and packages.
    said : list of dict
        The results of checks that it replied.
    seconds : dict of str to float
        How long each stage took, by the harness's clock.
    room : Room
        Its folders, once it was started.
    """

    def __init__(
        self,
        work: Path,
        settings: WorkerSettings | None = None,
        log: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.work, self.settings, self.log = work, settings or WorkerSettings(), log
        self.hello: dict[str, Any] = {}
        self.said: list[dict[str, Any]] = []
        self.seconds: dict[str, float] = {}
        self._launch: Launch | None = None
        self._output: Output | None = None
        self._enforcement: Enforcement | None = None

    def __enter__(self) -> WorkerProcess:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self.hello = self._reply("start")
            self._check_hello()
            self._check_layers()
            if self._enforced.launch.layers.get("mounts") is not True:
                self._enforced.disk.watch_common()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def peak_mb(self) -> float:
        """The most memory that its processes held together, in MB of 2**20 bytes."""
        return 0.0 if self._enforcement is None else self._enforcement.peak_mb

    @property
    def report(self) -> dict[str, Any]:
        """The sandbox it ran in, as a record keeps it."""
        mode = self.settings.sandbox
        if mode == "off":
            layers = without_any("switched off")
        elif self._launch is None:
            layers = without_any("it was not started")
        else:
            layers = dict(self._launch.layers)
        readable_folders = [str(folder) for folder in self.settings.readable]
        return {"mode": mode, "layers": layers, "readable": readable_folders}

    def output_tail(self) -> str | None:
        """The end of what its predictor printed, also after it has ended; None for nothing."""
        return None if self._output is None else self._output.tail()

    def stage(self, name: str) -> Path:
        """The folder of a stage's questions, which the worker can only read."""
        return self.room.stage(name)

    def ask(self, do: str, **request: Any) -> None:
        """Send one request and wait until it is done.

        Parameters
        ----------
        do : str
            What is asked; it also names the stage, with its folders of questions and answers.
        **request
            What else the request says, as JSON.

        Raises
        ------
        TrialFailed
            The predictor failed, a limit is passed, the worker has ended, or what came is no reply
            to this request.
        """
        started = time.monotonic()
        token = secrets.token_hex(8)
        folders = {
            "folder": str(self.room.given / do),
            "out": str(self.room.out / do),
            "scratch": str(self.room.scratch),
        }
        self._send(do, {"do": do, "token": token, **folders, **request})
        reply = self._last_reply(do)
        # by this clock: a predictor can change its own
        self.seconds[do] = time.monotonic() - started
        # a stage may be shorter than the time between two looks
        self._enforced.look(do, at_once=True)
        if reply["kind"] == "ready" or reply["for"] != token:
            raise TrialFailed(
                "invalid",
                do,
                "the worker's reply is none to what was asked: something else wrote to its pipe",
            )
        if reply["kind"] == "failed":
            self._enforced.check_disk(do, has_failed=True)
            traceback = reply["traceback"] and self._neutral(reply["traceback"])
            raise TrialFailed(reply["status"], do, self._neutral(reply["message"]), traceback)

    def answers(
        self, stage: str, expected: Mapping[str, Expected] | Iterable[str]
    ) -> Mapping[str, Any]:
        """The arrays that were answered in a stage, see `kobench.supervisor.room.Room.take`."""
        return self.room.take(stage, expected)

    def _start(self, stack: contextlib.ExitStack) -> None:
        """Make the worker's folder and start it there; `stack` gets what is to be undone."""
        started = time.monotonic()
        self.work.mkdir(parents=True, exist_ok=True)
        disk = Disk(self.work.resolve(), self.settings.jobs)
        stack.callback(disk.refuse_if_not_back)
        folder = Path(tempfile.mkdtemp(prefix="trial-", dir=disk.folder))
        stack.callback(remove, folder)
        self.room = Room(folder)
        stack.callback(self.room.close)
        self._output = Output(self.room.log)
        stack.callback(self._output.close)
        self._pipe = Pipe()
        stack.callback(self._pipe.close)
        try:
            plan = self.room.plan(self.settings, self._pipe.worker_ends, disk.share)
            self._wanted = plan.layers
            self._launch = stack.enter_context(Launch(plan, self._output.number))
        except ValueError as error:
            raise TrialFailed("failed", "start", str(error)) from error
        finally:
            self._pipe.close_worker_ends()
        enforcement = Enforcement(
            self.settings.limits, self._launch, self.room.written, started, disk
        )
        self._enforcement = enforcement
        disk.start(lambda: enforcement.seen_written, self._launch.end)
        stack.callback(disk.close)

    @property
    def _enforced(self) -> Enforcement:
        """The limits, once the worker was started."""
        assert self._enforcement is not None
        return self._enforcement

    def _neutral(self, text: str) -> str:
        """A text of the worker's without this machine's folders: it is part of a result."""
        folder = str(self.room.folder)
        return text.replace(folder, "(its folder)").replace(str(Path.home()) + "/", "~/")

    def _check_hello(self) -> None:
        """Raise TrialFailed where the worker speaks another protocol."""
        if self.hello.get("kind") != "ready" or self.hello["protocol"] != PROTOCOL:
            theirs = self.hello.get("protocol", "none")
            raise TrialFailed(
                "failed",
                "start",
                f"the worker speaks protocol {theirs}, this kobench {PROTOCOL}; {RENEW}",
            )

    def _check_layers(self) -> None:
        """Raise TrialFailed where a required sandbox has fewer layers than this machine gives.

        What a predictor brings can make one fail: a path that is too long to be covered, or more
        folders than can be mounted.
        """
        if self.settings.sandbox != "require":
            return
        have, here = self._enforced.launch.layers, layers_here()
        lost = [one for one in self._wanted if here.get(one) is True and have.get(one) is not True]
        if lost:
            raise TrialFailed(
                "failed",
                "start",
                "--sandbox require: what it brings keeps the sandbox from"
                f" {' and '.join(lost)}, which this machine gives"
                f" ({have.get(lost[0], 'not put on')})",
            )

    def _send(self, stage: str, request: dict[str, Any]) -> None:
        """Write a request; the worker may take its time to read it."""
        left = (json.dumps(request) + "\n").encode()
        while left:
            try:
                left = self._pipe.write(left)
            except BrokenPipeError:
                self._died(stage)
            if left:
                time.sleep(LOOK / 10)
                self._enforced.check(stage)

    def _last_reply(self, stage: str) -> dict[str, Any]:
        """The reply that ends a request; progress before it is logged, results of checks kept."""
        reply = self._reply(stage)
        while reply["kind"] in ("log", "check"):
            if reply["kind"] == "check":
                if stage != "check" or len(self.said) == MOST_CHECKS:
                    raise TrialFailed(
                        "invalid",
                        stage,
                        "the worker's reply is the result of a check nobody asked for",
                    )
                self.said.append(reply)
            elif self.log is not None:
                self.log(reply["message"], reply["done"], reply["total"])
            reply = self._reply(stage)
        return reply

    def _reply(self, stage: str) -> dict[str, Any]:
        """Wait for the next reply, and hold the worker to its limits meanwhile."""
        launch, pipe = self._enforced.launch, self._pipe
        while True:
            try:
                reply = pipe.reply()
            except ValueError as error:
                raise TrialFailed("invalid", stage, str(error)) from error
            if reply is not None:
                return reply
            self._enforced.check(stage)
            ready = readable(LOOK, pipe.replies, *([] if launch.lost else [launch.reports]))
            if pipe.replies in ready:
                if not pipe.read():
                    self._died(stage)
            elif ready:
                launch.hear()
            elif launch.ended is not None or launch.lost:
                # it died while a child of its own keeps the pipe open
                self._died(stage)

    def _died(self, stage: str) -> NoReturn:
        """Say how the worker ended.

        Raises TrialFailed, or UserError where it was not started because a required sandbox leaves
        something open.
        """
        self._enforced.check_disk(stage, has_failed=True)
        launch = self._enforced.launch
        launch.await_end(PATIENCE)
        if stage == "start":
            refuse_if_open(self.settings.sandbox, launch.layers)
        raise failure_of(launch, stage, self._neutral(self.output_tail() or "") or None)
