"""Watches what a trial uses while it runs: its processes, their memory, and what it writes; cheap
enough for ten looks a second.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

from kobench.errors import TrialFailed
from kobench.supervisor.limits import MB, THREADS_A_PROCESS, Limits, passed
from kobench.supervisor.processes import (
    Held,
    Member,
    descendants,
    files_in_flight,
    memory_of,
    open_files,
    unnamed_files,
)

#: Each kind of look may take this share of the time: where it takes long (many processes, much
#: memory) it is done less often.
SHARE = 0.03

#: The same where resident memory, which is never too small, comes near the limit.
SHARE_NEAR = 0.4

#: From this share of the limit on, resident memory is near it.
NEAR = 0.8

#: Seconds after which there is another look, whatever the last one took: what a trial does must not
#: make looks rare.
LONGEST = 1.0

#: Files that the processes of a trial may hold open, all together; it bounds what a look takes.
MOST_FILES = 8192

#: Seconds for which files may be on their way from process to process at every look. Programs that
#: pass files receive them at once.
IN_FLIGHT = 1.0

#: Seconds between two readings that must both be above the limit: a process that just forked, or
#: just ended, may be counted twice in one.
AGAIN = 0.02

#: Seconds that a walk through the trial's folder may take at once; a folder with more files is
#: walked in pieces, one a look.
PIECE = 0.01

#: Bytes that a file or folder counts beside its blocks: a million empty files are something
#: written, too.
ENTRY = 1024


class Watch:
    """Measures the processes below a supervisor and the folder of a trial, and ends the trial where
    a limit is passed.

    pid : the supervisor, which is not counted itself. folder : where the trial writes. peak_mb :
    the most memory seen so far, in MB.

    Time is the caller's to measure. Memory is what all processes hold together (PSS where the
    system has it), with files that lie in memory only. Written is what the folder holds by the
    blocks of its files, each counted once however many names it has, with files that were removed
    but are still open.
    """

    def __init__(self, pid: int, limits: Limits, folder: Path) -> None:
        self.pid, self.limits, self.folder = pid, limits, folder
        self.peak_mb = 0.0
        self._members: list[Member] = []
        self._looked: dict[str, tuple[float, float]] = {}
        self._walk: Iterator[int] | None = None
        self._in_flight_since: float | None = None

    def check(self, stage: str, at_once: bool = False) -> None:
        """Look once; raises TrialFailed where a limit is passed.

        A look that would take too much of the time is left out, but not for longer than LONGEST
        seconds: what a trial does can't keep the next look away. at_once : leave out none.
        """
        if at_once:
            self._looked.clear()
        if self._due("processes"):
            with self._timed("processes"):
                self._members = descendants(self.pid)
            self._check_processes(stage)
            if self._due("files"):
                with self._timed("files"):
                    self._check_open_files(stage)
            most = self.limits.memory_mb
            near = (
                most is not None and sum(member.rss for member in self._members) > NEAR * most * MB
            )
            if self._due("memory", SHARE_NEAR if near else SHARE):
                with self._timed("memory"):
                    self._check_memory(stage)
        if self.limits.written_mb is not None and self._due("folder"):
            with self._timed("folder"):
                self._check_folder(stage, self.limits.written_mb * MB)

    def _due(self, what: str, share: float | None = None) -> bool:
        """Whether the last look of a kind is so long ago that another one would not take more than
        its share of the time.
        """
        ended, took = self._looked.get(what, (0.0, 0.0))
        return time.perf_counter() >= ended + min(LONGEST, took * (1 / (share or SHARE) - 1))

    @contextlib.contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        now = time.perf_counter()
        self._looked[what] = now, now - started

    def _check_processes(self, stage: str) -> None:
        most = self.limits.processes
        if most is None:
            return
        processes, threads = len(self._members), sum(member.threads for member in self._members)
        if processes > most:
            raise passed(
                self.limits,
                "too-many-processes",
                stage,
                f"it ran {processes:,} processes at a time",
            )
        if threads > most * THREADS_A_PROCESS:
            raise passed(
                self.limits,
                "too-many-processes",
                stage,
                f"it ran {threads:,} threads in"
                f" {'a process' if processes == 1 else counted(processes)} at a time",
            )

    def _check_open_files(self, stage: str) -> None:
        """What can't be measured ends a trial: more open files than can be looked at, and files
        that no process holds.
        """
        count = open_files(self._members)
        if count > MOST_FILES:
            message = f"its processes held more than {MOST_FILES:,} files open"
            raise TrialFailed("too-many-processes", stage, message, found=f"{message}: {count:,}")
        if self.limits.memory_mb is None and self.limits.written_mb is None:
            return
        flying, now = files_in_flight(self._members), time.perf_counter()
        if not flying:
            self._in_flight_since = None
        elif self._in_flight_since is None:
            self._in_flight_since = now
        elif now - self._in_flight_since > IN_FLIGHT:
            message = (
                "it kept open files in sockets, sent and not received, where what they hold can't"
                " be measured"
            )
            raise TrialFailed("out-of-memory", stage, message, found=f"{message}: {flying:,}")

    def _check_memory(self, stage: str) -> None:
        held = memory_of(self._members)
        most = self.limits.memory_mb
        if most is not None and held.size > most * MB:
            time.sleep(AGAIN)
            self._members = descendants(self.pid)
            again = memory_of(self._members)
            held = min(held, again, key=lambda one: one.size)
        self.peak_mb = max(self.peak_mb, held.size / MB)
        if most is not None and held.size > most * MB:
            raise passed(self.limits, "out-of-memory", stage, described(held, len(self._members)))

    def _check_folder(self, stage: str, most: int) -> None:
        """Go on with the walk through the folder, for a moment; what is found so far counts, the
        rest is seen by the next look.
        """
        open_files = {
            file.key: file.size for file in unnamed_files(self._members) if not file.in_memory
        }
        removed = sum(open_files.values())
        until = time.perf_counter() + PIECE
        walk = self._walk or folder_bytes(self.folder)
        self._walk = None
        try:
            for size in walk:
                if size + removed > most:
                    raise passed(
                        self.limits,
                        "too-much-written",
                        stage,
                        f"it wrote {above(size + removed):,} MB",
                    )
                if time.perf_counter() > until:
                    self._walk = walk
                    break
        except Unmeasurable as error:
            message = "it made a folder whose content can't be measured"
            raise TrialFailed(
                "too-much-written", stage, message, found=f"{message}: {error}"
            ) from error


class Unmeasurable(Exception):  # noqa: N818 - a finding, not a mistake of this program
    """A folder that can't be looked into."""


def folder_bytes(folder: Path) -> Iterator[int]:
    """Bytes in a folder, as a sum that grows entry by entry; links are not followed.

    Raises Unmeasurable.

    Blocks count, not lengths (a file may have holes), and a file with several names counts once.
    What goes away meanwhile is left out.
    """
    total, seen = 0, set()
    waiting = [str(folder)]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except (FileNotFoundError, NotADirectoryError):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    key = found.st_dev, found.st_ino
                    if key not in seen:
                        if found.st_nlink > 1:
                            seen.add(key)
                        total += found.st_blocks * 512 + ENTRY
                    yield total
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:  # closed to the harness, or nested too deep for a path
            raise Unmeasurable(error.strerror or "unknown") from error
    yield total


def described(held: Held, processes: int) -> str:
    """What a tree holds, in words."""
    return f"its {counted(processes)} held {above(held.size):,} MB ({held.way})"


def counted(processes: int) -> str:
    """So many processes, in words."""
    return "process" if processes == 1 else f"{processes:,} processes"


def above(size: int) -> int:
    """Whole MB, rounded up: what is above a limit is never shown as the limit itself."""
    return math.ceil(size / MB)
