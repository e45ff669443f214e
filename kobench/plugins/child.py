"""The parent's side of `kobench.describe.child`: starts the child, reads its lines, ends it and all it started when the time is up."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any

from kobench.plugins.discovery import Problem, Source
from kobench.specs import Spec, spec_from_json

#: More bytes than this on the pipe are no description.
MOST_BYTES = 16_000_000

#: Bytes of the child's error output that are kept.
TAIL_BYTES = 16_000

#: Lines of it that are shown.
TAIL_LINES = 12


def ask_children(source: Source, limit: float) -> tuple[list[tuple[str, Spec]], list[Problem]]:
    """The (entry point, spec) pairs and the problems of a source.

    When a child crashes or hangs at an entry point, what it said before is kept and the entry points after it go to another child.
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
                        specs.append((source.points[at][0], spec_from_json(message["spec"])))
                    elif "problem" in message:
                        problems.append(Problem(source.distribution, source.points[at][0], **message["problem"]))
                    else:
                        done = message["done"] is True
                except (KeyError, TypeError, ValueError, IndexError):
                    child.end = "output"
                    break
        if done:
            break
        problems.append(Problem(source.distribution, source.points[at][0], *child.fate(doing), child.tail()))
        first = at + 1
    return specs, problems


class Child:
    """One run of `kobench.describe.child`."""

    def __init__(self, source: Source, first: int, limit: float) -> None:
        self.source, self.first, self.limit = source, first, limit
        self.errors = b""
        self.end = ""

    def messages(self) -> Generator[dict[str, Any], None, None]:
        """Each message as it comes, until the child is done, dies or the time is up; afterwards its process group is dead."""
        points = [[self.first + place, name, value] for place, (name, value) in enumerate(self.source.points[self.first :])]
        request = json.dumps({"points": points, "file": self.source.file})
        read, write = os.pipe()
        # no module of the current folder takes the place of an installed one; here sys.path is handed over as it is
        search = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
        own = self.source.interpreter
        interpreter = [sys.executable, "-P"] if own is None else [str(own.python), "-I", "-B"]  # -B: nothing there changes by being read
        try:
            self.process = subprocess.Popen(
                [*interpreter, "-X", "faulthandler", "-m", "kobench.describe.child", str(write), request],
                pass_fds=(write,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": search},
                start_new_session=True,
            )
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        try:
            yield from self._read(read)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            os.close(read)
            assert self.process.stderr is not None
            self.process.stderr.close()

    def _read(self, pipe: int) -> Generator[dict[str, Any], None, None]:
        assert self.process.stderr is not None
        errors = self.process.stderr.fileno()
        until = time.monotonic() + self.limit
        unread, total = b"", 0
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            selector.register(errors, selectors.EVENT_READ)
            while selector.get_map():
                left = until - time.monotonic()
                if left <= 0:
                    self.end = "timeout"
                    return
                ended = self.process.poll() is not None
                ready = selector.select(min(left, 0.2))
                for key, _ in ready:
                    piece = os.read(key.fd, 1 << 16)
                    if not piece:
                        selector.unregister(key.fd)
                    elif key.fd == errors:
                        self.errors = (self.errors + piece)[-TAIL_BYTES:]
                    else:
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
                # a process that the plugin started may keep the pipes open after the child's own end
                if ended and all(key.fd != pipe for key, _ in ready):
                    return

    @staticmethod
    def _message(line: bytes) -> dict[str, Any] | None:
        try:
            message = json.loads(line)
        except ValueError:
            return None
        return message if isinstance(message, dict) else None

    def fate(self, doing: str) -> tuple[str, str]:
        """Kind and sentence of the problem that ended the child before it was done."""
        if self.end == "timeout":
            more = "set KOBENCH_PLUGIN_SECONDS higher if it only needs longer"
            return "timeout", f"{doing} took more than {self.limit:g} s and was ended; {more}"
        if self.end == "output":
            return "output", f"{doing} wrote to the pipe that is kobench's own"
        code = self.process.returncode
        if code < 0:
            return "crash", f"{doing} ended the process by {signal.Signals(-code).name}"
        return "exit", f"{doing} ended the process with exit code {code}"

    def tail(self) -> str:
        """What the child's error output says last; after a crash the plugin's own frames, innermost first."""
        lines = self.errors.decode(errors="replace").strip().splitlines()
        fatal = next((at for at, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
        if fatal is None:
            return "\n".join(lines[-TAIL_LINES:])
        machinery = ("<frozen ", f"{os.sep}describe{os.sep}child.py", f"importlib{os.sep}")
        own = [line for line in lines[fatal:] if line and not any(part in line for part in machinery)]
        return "\n".join(own[:TAIL_LINES])
