"""The parent's side of `kobench.worker.describe.child`: starts the child in a sandbox, reads its lines,
ends it and all that it started.

A plugin's module is a stranger's code as soon as it is imported. It may read what is installed for
its interpreter and its own files; it can write nothing, reach no network and no other process, and
leaves none behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from kobench.errors import TrialFailed
from kobench.plugins.discovery import OWN, Problem, Source, normalise
from kobench.plugins.links import importable
from kobench.sandbox.layers import LAYERS
from kobench.sandbox.places import this_interpreter
from kobench.sandbox.plan import Access, Folders, Plan, code_that_runs, make_plan
from kobench.sandbox.start import Launch, signal_name
from kobench.specs import Spec, spec_from_json
from kobench.supervisor.limits import Limits
from kobench.supervisor.usage import Watch
from kobench.util.text import visible
from kobench.worker.describe.validation import faults

#: More bytes than this on the pipe are no description.
MOST_BYTES = 16_000_000

#: Bytes of the child's error output that are kept.
TAIL_BYTES = 16_000

#: Lines of it that are shown.
TAIL_LINES = 12

#: What the child's interpreter executes.
START = code_that_runs("kobench.worker.describe.child")

#: Seconds between two looks at what the child's processes use, and in which its end must be known
#: once its pipe is closed.
LOOK, PATIENCE = 0.2, 2.0

#: What a description may use beside its time.
LIMITS = Limits(seconds=None, memory_mb=4096, processes=64, written_mb=64)


def ask_children(source: Source, limit: float) -> tuple[list[tuple[str, Spec]], list[Problem]]:
    """The (entry point, spec) pairs and the problems of a source.

    When a child crashes or hangs at an entry point, what it said before is kept and the entry
    points after it go to another child.
    """
    specs: list[tuple[str, Spec]] = []
    problems: list[Problem] = []
    first = 0
    while first < len(source.points):
        at, doing, done = first, "starting", False
        child = Child(source, first, limit)
        with contextlib.closing(child.messages()) as messages:
            for message in messages:
                try:
                    if "at" in message:
                        at, doing = range(len(source.points))[message["at"]], str(message["doing"])
                    elif "spec" in message:
                        specs.append(
                            (source.points[at][0], _sound(spec_from_json(message["spec"])))
                        )
                    elif "problem" in message:
                        said = {key: str(text) for key, text in message["problem"].items()}
                        problems.append(Problem(source.distribution, source.points[at][0], **said))
                    else:
                        done = message["done"] is True
                except (KeyError, TypeError, ValueError, IndexError, AttributeError):
                    child.end = "output"
                    break
        if done:
            break
        problems.append(
            Problem(source.distribution, source.points[at][0], *child.fate(doing), child.tail())
        )
        first = at + 1
    return specs, problems


class Child:
    """One run of `kobench.worker.describe.child`."""

    def __init__(self, source: Source, first: int, limit: float) -> None:
        self.source, self.first, self.limit = source, first, limit
        self.errors = b""
        self.end = ""

    def messages(self) -> Generator[dict[str, Any], None, None]:
        """Each message as it comes, until the child is done, dies or a limit is passed; afterwards
        nothing of it is left.
        """
        (pipe, theirs), (errors, their_errors) = os.pipe(), os.pipe()
        with contextlib.ExitStack() as stack:
            for number in (pipe, errors):
                stack.callback(os.close, number)
            try:
                folder = stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="kobench-", ignore_cleanup_errors=True)
                )
                self.launch = stack.enter_context(
                    Launch(self._plan(Path(folder).resolve(), theirs), their_errors)
                )
            finally:
                os.close(theirs)
                os.close(their_errors)
            yield from self._read(pipe, errors, Path(folder))

    def _plan(self, folder: Path, pipe: int) -> Plan:
        """What the launcher is to do: the plugin's interpreter, which imports what is installed
        there or linked, and no more.
        """
        folders = Folders.make(folder)
        points = [
            [self.first + place, name, value]
            for place, (name, value) in enumerate(self.source.points[self.first :])
        ]
        request = json.dumps({"points": points, "file": self.source.file})
        own = self.source.interpreter
        interpreter = own or this_interpreter()
        trusted = normalise(self.source.distribution) == OWN and own is None
        places = folders.link(
            importable(self.source.roots, own, "" if self.source.file else self.source.distribution)
        )
        # -B: nothing changes by being read
        arguments = ["-B", "-X", "faulthandler", "-c", START, str(pipe), request]
        access = Access(read=places, keep=(pipe,))
        return make_plan(interpreter, arguments, folders, access, () if trusted else LAYERS)

    def _read(self, pipe: int, errors: int, folder: Path) -> Generator[dict[str, Any], None, None]:
        until = time.monotonic() + self.limit
        watch, unread, total = None, b"", 0
        with selectors.DefaultSelector() as selector:
            for number in (pipe, errors, self.launch.reports):
                selector.register(number, selectors.EVENT_READ)
            while pipe in selector.get_map():
                left = until - time.monotonic()
                if left <= 0:
                    self.end = "timeout"
                    return
                # a process that the plugin started may keep the pipe open after the child's own end
                ended = self.launch.ended is not None or self.launch.lost
                ready = {key.fd for key, _ in selector.select(0 if ended else min(left, LOOK))}
                if ended and pipe not in ready:
                    break
                if self.launch.reports in ready:
                    self.launch.hear()
                    if self.launch.lost:
                        selector.unregister(self.launch.reports)
                if errors in ready:
                    self._keep_errors(selector, errors)
                if pipe in ready:
                    piece = os.read(pipe, 1 << 16)
                    if not piece:
                        selector.unregister(pipe)
                    total += len(piece)
                    *lines, unread = (unread + piece).split(b"\n")
                    for line in lines:
                        message = self._message(line)
                        if message is None or total > MOST_BYTES:
                            self.end = "output"
                            return
                        yield message
                        if "done" in message:
                            return
                if watch is None and self.launch.keeper is not None:
                    watch = Watch(self.launch.keeper, LIMITS, folder)
                try:
                    if watch is not None:
                        watch.check("describe")
                except TrialFailed as passed:
                    self.end = passed.message
                    return
            self.launch.await_end(PATIENCE)
            while errors in selector.get_map() and any(
                key.fd == errors for key, _ in selector.select(0)
            ):
                self._keep_errors(selector, errors)

    def _keep_errors(self, selector: selectors.BaseSelector, errors: int) -> None:
        piece = os.read(errors, 1 << 16)
        if not piece:
            selector.unregister(errors)
        self.errors = (self.errors + piece)[-TAIL_BYTES:]

    @staticmethod
    def _message(line: bytes) -> dict[str, Any] | None:
        try:
            message = json.loads(line)
            return _visible(message) if isinstance(message, dict) else None
        except (ValueError, RecursionError):
            return None

    def fate(self, doing: str) -> tuple[str, str]:
        """Kind and sentence of the problem that ended the child before it was done."""
        if self.end == "timeout":
            more = "set KOBENCH_PLUGIN_SECONDS higher if it only needs longer"
            return "timeout", f"{doing} took more than {self.limit:g} s and was ended; {more}"
        if self.end == "output":
            return "output", f"{doing} wrote to the pipe that is kobench's own"
        if self.end:
            return "limit", f"{doing}: {self.end.partition(' (--')[0]}"
        code = self.launch.ended
        if code is None:
            return (
                "crash",
                (
                    f"{doing} ended what watches over it"
                    if self.launch.lost
                    else f"{doing} closed the pipe that is kobench's own"
                ),
            )
        if code < 0:
            return "crash", f"{doing} ended the process by {signal_name(-code)}"
        return "exit", f"{doing} ended the process with exit code {code}"

    def tail(self) -> str:
        """What the child's error output says last; after a crash the plugin's own frames, innermost
        first.
        """
        lines = visible(
            self.errors.decode(errors="replace").strip(), TAIL_BYTES * 8, lines=True
        ).splitlines()
        fatal = next(
            (at for at, line in enumerate(lines) if line.startswith("Fatal Python error")), None
        )
        if fatal is None:
            return "\n".join(lines[-TAIL_LINES:])
        machinery = ("<frozen ", f"{os.sep}describe{os.sep}child.py", f"importlib{os.sep}")
        own = [
            line for line in lines[fatal:] if line and not any(part in line for part in machinery)
        ]
        return "\n".join(own[:TAIL_LINES])


def _sound(spec: Spec) -> Spec:
    """A spec as the child should have found it: a plugin can write to the child's pipe itself.

    Raises ValueError.
    """
    for wrong in faults(spec, reference=False):
        raise ValueError(wrong)
    return spec


def _visible(value: Any) -> Any:
    """What a child said with all its text fit to be shown: names, summaries and messages are a
    stranger's.
    """
    if isinstance(value, str):
        return visible(value, MOST_BYTES, lines=True)
    if isinstance(value, list):
        return [_visible(each) for each in value]
    if isinstance(value, dict):
        return {_visible(key): _visible(each) for key, each in value.items()}
    return value
