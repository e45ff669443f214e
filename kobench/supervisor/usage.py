"""Watches what a trial uses while it runs: its processes, their memory, and what it writes.

It is cheap enough for ten looks a second.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path

from kobench.errors import TrialFailed
from kobench.supervisor.disk import full
from kobench.supervisor.limits import THREADS_A_PROCESS, Limits, passed
from kobench.supervisor.memory import Held, memory_of
from kobench.supervisor.open_files import count_open_files, files_in_flight, unnamed_files
from kobench.supervisor.processes import FleetingError, Member, processes_below
from kobench.supervisor.written import Unmeasurable, folder_bytes
from kobench.util.machine import MB

#: The share of the time that each kind of look may take. Where a look takes long (many processes,
#: much memory) there are fewer of its kind.
SHARE = 0.03

#: The same for looks at memory while resident memory, which is never too small, is near the limit.
SHARE_NEAR = 0.4

#: From this share of the limit on, resident memory is near it.
NEAR = 0.8

#: Seconds after which there is another look, however long the last one took: a trial that makes
#: looks slow must not make them rare.
LONGEST = 1.0

#: How many files the processes of a trial may hold open, all together; it bounds what a look takes.
MOST_FILES = 8192

#: Seconds for which files may be on their way from process to process at every look. Programs that
#: pass files receive them at once.
IN_FLIGHT = 1.0

#: Seconds between two readings that must both be above the limit: a process that just forked, or
#: just ended, may be counted twice in one.
AGAIN = 0.02

#: Seconds that a walk through the trial's folder may take at once. A folder with more files is
#: walked in pieces, one at each look.
PIECE = 0.01


class Watch:
    """Measures the processes below one and the folder of a trial, and says where a limit is passed.

    Parameters
    ----------
    pid : int
        The process from which all of the trial's processes descend; it is not counted itself.
    limits : Limits
        What the trial may use. Its time is not looked at here.
    folder : Path
        Where the trial writes.
    share : int or None
        Bytes that it may write before other trials lack them, see `kobench.supervisor.disk.Disk`.

    Attributes
    ----------
    peak_mb : float
        The most memory seen so far, in MB of 2**20 bytes.
    written : int
        Bytes that it was seen to have written.

    Notes
    -----
    Memory is what all processes hold together, with files that lie in memory only, see
    `kobench.supervisor.memory.memory_of`. Written is what the folder holds, see
    `kobench.supervisor.written.folder_bytes`, with files that were removed and are open or mapped.
    """

    def __init__(self, pid: int, limits: Limits, folder: Path, share: int | None = None) -> None:
        self.pid, self.limits, self.folder, self.share = pid, limits, folder, share
        self.peak_mb, self.written = 0.0, 0
        self._members: list[Member] = []
        self._looked: dict[str, tuple[float, float]] = {}
        self._walk: Iterator[int] | None = None
        self._in_flight_since: float | None = None

    def check(self, stage: str, at_once: bool = False) -> None:
        """Look once at all that is due.

        Parameters
        ----------
        stage : str
            What the trial is doing; the failure names it.
        at_once : bool
            Whether to leave out nothing. Else a kind of look is left out that would take too much
            of the time, but not for longer than `LONGEST` seconds.

        Raises
        ------
        TrialFailed
            A limit is passed, or something can't be measured.
        """
        if at_once:
            self._looked.clear()
        try:
            self._check_all(stage)
        except FleetingError as error:
            message = "its threads ended faster than they could be looked at"
            raise TrialFailed("too-many-processes", stage, message, found=message) from error

    def _check_all(self, stage: str) -> None:
        """Look at all that is due."""
        if self._due("processes"):
            with self._timed("processes"):
                self._members = processes_below(self.pid)
            self._check_processes(stage)
            if self._due("files"):
                with self._timed("files"):
                    self._check_open_files(stage)
            if self._due("memory", SHARE_NEAR if self._near_limit() else SHARE):
                with self._timed("memory"):
                    self._check_memory(stage)
        bounded = self.limits.written_mb is not None or self.share is not None
        if bounded and self._due("folder"):
            with self._timed("folder"):
                self._check_folder(stage)

    def _due(self, kind: str, share: float | None = None) -> bool:
        """Whether another look of this kind takes no more than its share, or is due anyway."""
        ended, took = self._looked.get(kind, (0.0, 0.0))
        return time.perf_counter() >= ended + min(LONGEST, took * (1 / (share or SHARE) - 1))

    @contextlib.contextmanager
    def _timed(self, kind: str) -> Iterator[None]:
        """Note when a look of this kind ended, and how long it took."""
        started = time.perf_counter()
        yield
        now = time.perf_counter()
        self._looked[kind] = now, now - started

    def _near_limit(self) -> bool:
        """Whether resident memory is near the limit of memory."""
        most = self.limits.memory_mb
        return most is not None and sum(member.rss for member in self._members) > NEAR * most * MB

    def _check_processes(self, stage: str) -> None:
        """Raise TrialFailed where there are too many processes or threads."""
        most = self.limits.processes
        if most is None:
            return
        processes, threads = len(self._members), sum(member.threads for member in self._members)
        if processes > most:
            found = f"it ran {processes:,} processes at a time"
        elif threads > most * THREADS_A_PROCESS:
            where = "a process" if processes == 1 else counted(processes)
            found = f"it ran {threads:,} threads in {where} at a time"
        else:
            return
        raise passed(self.limits, "too-many-processes", stage, found)

    def _check_open_files(self, stage: str) -> None:
        """Raise TrialFailed where open files can't be measured.

        That is where there are more than can be looked at, and where no process holds them.
        """
        count = count_open_files(self._members)
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
        """Raise TrialFailed where the processes hold too much memory in two readings."""
        held = memory_of(self._members)
        most = self.limits.memory_mb
        if most is not None and held.size > most * MB:
            time.sleep(AGAIN)
            self._members = processes_below(self.pid)
            again = memory_of(self._members)
            held = min(held, again, key=lambda one: one.size)
        self.peak_mb = max(self.peak_mb, held.size / MB)
        if most is not None and held.size > most * MB:
            raise passed(self.limits, "out-of-memory", stage, described(held, len(self._members)))

    def _check_folder(self, stage: str) -> None:
        """Go on with the walk through the folder, for a moment; what it has found so far counts.

        Raises TrialFailed where that is too much, or a folder can't be looked into.
        """
        limit = self.limits.written_mb
        removed = {
            file.key: file.size for file in unnamed_files(self._members) if not file.in_memory
        }
        size_of_removed = sum(removed.values())
        until = time.perf_counter() + PIECE
        walk = self._walk or folder_bytes(self.folder)
        self._walk = None
        try:
            for size in walk:
                self.written = size + size_of_removed
                if limit is not None and self.written > limit * MB:
                    found = f"it wrote {above(self.written):,} MB"
                    raise passed(self.limits, "too-much-written", stage, found)
                if self.share is not None and self.written > self.share:
                    found = f"it wrote {above(self.written):,} MB, its share was"
                    raise full(stage, f"{found} {self.share // MB:,} MB")
                if time.perf_counter() > until:
                    self._walk = walk  # the next look goes on here
                    break
        except Unmeasurable as error:
            message = "it made a folder whose content can't be measured"
            raise TrialFailed(
                "too-much-written", stage, message, found=f"{message}: {error}"
            ) from error


def described(held: Held, processes: int) -> str:
    """What some processes hold, in words."""
    return f"its {counted(processes)} held {above(held.size):,} MB ({held.way})"


def counted(processes: int) -> str:
    """A number of processes, in words."""
    return "process" if processes == 1 else f"{processes:,} processes"


def above(size: int) -> int:
    """Bytes in whole MB, rounded up: what is above a limit is never shown as the limit itself."""
    return math.ceil(size / MB)
