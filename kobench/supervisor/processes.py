"""The processes below a process."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kobench.util.processes import has_ended, stat_of

T = TypeVar("T")

#: Bytes of a page of memory.
PAGE = os.sysconf("SC_PAGE_SIZE")

#: How often a process is looked at anew where its first thread has ended and the one that was read
#: has ended, too.
TRIES = 20


class FleetingError(Exception):
    """The threads of a process end faster than they can be looked at."""


@dataclass(frozen=True)
class Member:
    """One process of a tree.

    Attributes
    ----------
    pid : int
        Its id.
    threads : int
        How many threads it has.
    rss : int
        Resident memory in bytes; pages that it shares with others count in full.
    thread : int or None
        A thread that goes on where the process's first one has ended; else None.
    """

    pid: int
    threads: int
    rss: int
    thread: int | None = None

    @property
    def folder(self) -> str:
        """Where Linux tells what it holds.

        Of a process whose first thread has ended /proc/PID says that it holds nothing.
        """
        first = f"/proc/{self.pid}"
        return first if self.thread is None else f"{first}/task/{self.thread}"


def processes_below(pid: int) -> list[Member]:
    """The processes below one, without itself; one that ends meanwhile may be missing."""
    if not sys.platform.startswith("linux"):
        return _processes_by_psutil(pid)
    children: dict[int, list[Member]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (read := member_of(name)) is not None:
            parent, member = read
            children.setdefault(parent, []).append(member)
    found: list[Member] = []
    level = children.pop(pid, [])
    while level:
        found += level
        # popped: an id that is used anew makes no circle
        level = [child for member in level for child in children.pop(member.pid, [])]
    return found


def member_of(pid: str) -> tuple[int, Member] | None:
    """(parent, process) by /proc/PID/stat, PID as text; None where it is gone."""
    try:
        fields = stat_of(pid)
        parent, threads, thread = int(fields[1]), int(fields[17]), None
        if fields[0] == b"Z" and not has_ended(fields):
            thread, fields = _living_thread(pid) or (None, fields)
        return parent, Member(int(pid), threads, int(fields[21]) * PAGE, thread)
    except (OSError, IndexError, ValueError):
        return None


def _living_thread(pid: str) -> tuple[int, list[bytes]] | None:
    """The number and the fields of a thread of a process that has not ended, None without one."""
    for name in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            fields = stat_of(f"{pid}/task/{name}")
            if fields[0] not in (b"Z", b"X"):
                return int(name), fields
    return None


def by_any_thread(pid: int, read: Callable[[str], T]) -> T:
    """What a process holds, by any thread of a process whose threads end one after the other.

    Parameters
    ----------
    pid : int
        The process.
    read : callable
        Reads it from the folder that /proc has of a thread; raises ProcessLookupError or
        FileNotFoundError where that thread has ended.

    Raises
    ------
    ProcessLookupError
        All its threads are ending, so it holds nothing by now: none can be read, and none is new.
    FleetingError
        Its threads end faster than they can be looked at.
    """
    threads = _threads_of(pid)
    for thread in threads:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            return read(f"/proc/{pid}/task/{thread}")
    if _threads_of(pid) <= threads:
        raise ProcessLookupError
    raise FleetingError


def _threads_of(pid: int) -> frozenset[str]:
    """The numbers of a process's threads, as text; none where it is gone."""
    try:
        return frozenset(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return frozenset()


def _processes_by_psutil(pid: int) -> list[Member]:
    """The same on other systems than Linux."""
    import psutil

    found = []
    try:
        for process in psutil.Process(pid).children(recursive=True):
            try:
                found.append(Member(process.pid, process.num_threads(), process.memory_info().rss))
            except psutil.Error:  # it is gone, or a zombie
                continue
    except psutil.Error:
        return []
    return found
