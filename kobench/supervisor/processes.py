"""The processes below a process."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from kobench.util.processes import stat_of

#: Bytes of a page of memory.
PAGE = os.sysconf("SC_PAGE_SIZE")


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
    """

    pid: int
    threads: int
    rss: int


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
        return int(fields[1]), Member(int(pid), int(fields[17]), int(fields[21]) * PAGE)
    except (OSError, IndexError, ValueError):
        return None


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
