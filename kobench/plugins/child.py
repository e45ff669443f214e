"""One describing child: starts it, listens to it, and ends it and all that it started.

A plugin's module is a stranger's code as soon as it is imported, so it is imported in a child
(`kobench.worker.describe.child`), in a sandbox. It may read what is installed for its interpreter
and its own files. It can write nothing, reach no network and no other process, and leaves none
behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from kobench.errors import TrialFailed
from kobench.plugins.links import importable
from kobench.plugins.pipes import TAIL_BYTES, NotAMessageError, Pipes
from kobench.plugins.sources import Source
from kobench.sandbox.layers import LAYERS
from kobench.sandbox.places import this_interpreter
from kobench.sandbox.plan import Access, Folders, Plan, code_that_runs, make_plan
from kobench.sandbox.start import Launch
from kobench.supervisor.held import LIMITS
from kobench.supervisor.usage import Watch
from kobench.util.processes import signal_name
from kobench.util.text import visible

#: Lines of the child's error output that are shown.
TAIL_LINES = 12

#: Parts of the paths of what imports a plugin and calls its hooks: no frames of the plugin's own.
MACHINERY = (
    "<frozen ",
    f"importlib{os.sep}",
    f"{os.sep}worker{os.sep}describe{os.sep}",
    f"{os.sep}pluggy{os.sep}",
)

#: What the child's interpreter executes.
START = code_that_runs("kobench.worker.describe.child")

#: Seconds between two looks at what the child's processes use, and in which its end must be known
#: once its pipe is closed.
LOOK, PATIENCE = 0.2, 2.0


class Child:
    """One run of `kobench.worker.describe.child`.

    Parameters
    ----------
    source : Source
        What it describes.
    first : int
        The entry point that it starts at, an index.
    limit : float
        Seconds it may take.
    hidden : sequence of Path
        What it must not read.

    Attributes
    ----------
    end : str
        Why it was ended: "timeout", "output" (it wrote what is no message), or a sentence on the
        limit that it passed. "" where it was not.
    """

    def __init__(
        self, source: Source, first: int, limit: float, hidden: Sequence[Path] = ()
    ) -> None:
        self.source, self.first, self.limit, self.hidden = source, first, limit, hidden
        self.end = ""
        self._error_tail = b""

    def messages(self) -> Generator[dict[str, Any], None, None]:
        """Run it; afterwards nothing of it is left.

        Yields
        ------
        dict
            Each message as it comes, until the child is done, dies or passes a limit.
        """
        with contextlib.ExitStack() as stack:
            pipes = stack.enter_context(Pipes())
            try:
                made = tempfile.TemporaryDirectory(prefix="kobench-", ignore_cleanup_errors=True)
                folder = Path(stack.enter_context(made)).resolve()
                plan = self._plan(folder, pipes.their_messages)
                self.launch = stack.enter_context(Launch(plan, pipes.their_errors))
            finally:
                pipes.close_theirs()
            try:
                yield from self._listen(pipes, folder)
            finally:
                self._error_tail = pipes.error_tail

    def _plan(self, folder: Path, pipe: int) -> Plan:
        """What the launcher is to do.

        That is to run the plugin's interpreter, which can import what is installed there or linked.
        """
        folders = Folders.make(folder)
        points = [
            [self.first + place, name, value]
            for place, (name, value) in enumerate(self.source.points[self.first :])
        ]
        request = json.dumps({"points": points, "file": self.source.file})
        own = self.source.interpreter
        interpreter = own or this_interpreter()
        trusted = self.source.is_own
        places = folders.link(
            importable(self.source.roots, own, "" if self.source.file else self.source.distribution)
        )
        # -B: nothing changes by being read
        arguments = ["-B", "-X", "faulthandler", "-c", START, str(pipe), request]
        access = Access(read=places, hidden=self.hidden, keep=(pipe,))
        return make_plan(interpreter, arguments, folders, access, () if trusted else LAYERS)

    def _listen(self, pipes: Pipes, folder: Path) -> Generator[dict[str, Any], None, None]:
        """Messages as they come; says in `end` why no more are taken."""
        until = time.monotonic() + self.limit
        watch: Watch | None = None
        pipes.add(self.launch.reports)
        while pipes.is_open:
            left = until - time.monotonic()
            if left <= 0:
                self.end = "timeout"
                return
            # a process that the plugin started may keep the pipe open after the child's own end
            ended = self.launch.ended is not None or self.launch.lost
            ready = pipes.wait(0 if ended else min(left, LOOK))
            if ended and not pipes.has_messages(ready):
                break
            if self.launch.reports in ready:
                self.launch.hear()
                if self.launch.lost:
                    pipes.remove(self.launch.reports)
            pipes.read_errors(ready)
            if pipes.has_messages(ready):
                try:
                    for message in pipes.read_messages():
                        yield message
                        if "done" in message:
                            return
                except NotAMessageError:
                    self.end = "output"
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
        pipes.drain_errors()

    def fate(self, doing: str) -> tuple[str, str]:
        """Say what ended the child before it was done.

        Parameters
        ----------
        doing : str
            What it was doing, in words.

        Returns
        -------
        kind, message : str
            Of the problem.
        """
        if self.end == "timeout":
            more = "set KOBENCH_PLUGIN_SECONDS higher if it only needs longer"
            return "timeout", f"{doing} took more than {self.limit:g} s and was ended; {more}"
        if self.end == "output":
            return "output", f"{doing} wrote to the pipe that is kobench's own"
        if self.end:
            return "limit", f"{doing}: {self.end.partition(' (--')[0]}"
        code = self.launch.ended
        if code is None and self.launch.lost:
            return "crash", f"{doing} ended what watches over it"
        if code is None:
            return "crash", f"{doing} closed the pipe that is kobench's own"
        if code < 0:
            return "crash", f"{doing} ended the process by {signal_name(-code)}"
        return "exit", f"{doing} ended the process with exit code {code}"

    def tail(self) -> str:
        """What the child's error output says last.

        After a crash these are the plugin's own frames, innermost first.
        """
        text = self._error_tail.decode(errors="replace").strip()
        lines = visible(text, TAIL_BYTES * 8, lines=True).splitlines()
        for at, line in enumerate(lines):
            if line.startswith("Fatal Python error"):
                own = [
                    line
                    for line in lines[at:]
                    if line and not any(part in line for part in MACHINERY)
                ]
                return "\n".join(own[:TAIL_LINES])
        return "\n".join(lines[-TAIL_LINES:])
