"""The memory that processes hold together.

Pages that they share count once where the system can say so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from kobench.supervisor.open_files import socket_bytes, unnamed_files
from kobench.supervisor.processes import Member, member_of

#: Folders that may lie in memory. A trial in a file tree of its own has other ones than the
#: machine's at these paths.
SHARED = ("/dev/shm", "/tmp")


@dataclass(frozen=True)
class Held:
    """Memory that processes hold together.

    Attributes
    ----------
    size : int
        Bytes.
    way : str
        How it was measured: "PSS" (a page shared by n processes counts 1/n for each), "USS" (pages
        of one process alone) or "RSS" (shared pages count in full).
    """

    size: int
    way: str


def memory_of(members: Sequence[Member]) -> Held:
    """The memory that processes hold together.

    Parameters
    ----------
    members : sequence of Member
        The processes.

    Returns
    -------
    Held
        On Linux by PSS, with the files that lie in memory only, see `files_in_memory`, and what
        sockets may hold, see `kobench.supervisor.open_files.socket_bytes`. A process whose share
        can't be read counts with its resident memory, which is never less.
    """
    if not sys.platform.startswith("linux"):
        return _memory_by_psutil(members)
    total = shared = 0
    way = "PSS"
    for member in members:
        try:
            pss, shmem = _pss(member.pid)
            total, shared = total + pss, shared + shmem
        except ProcessLookupError:  # it is gone
            continue
        except (OSError, ValueError):
            if member_of(str(member.pid)) is not None:
                total, way = total + member.rss, "RSS"
    total += max(0, files_in_memory(members) - shared) + socket_bytes(members)
    return Held(total, way)


def _pss(pid: int) -> tuple[int, int]:
    """(all bytes of a process, those of shared memory and files in memory), by its shares."""
    found = {b"Pss:": 0, b"Pss_Shmem:": 0}
    with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            name, *rest = line.split()
            if name in found:
                found[name] = int(rest[0]) * 1024
    return found[b"Pss:"], found[b"Pss_Shmem:"]


def _memory_by_psutil(members: Sequence[Member]) -> Held:
    """What processes hold together on other systems than Linux."""
    import psutil

    total, way = 0, "USS"
    for member in members:
        try:
            total += psutil.Process(member.pid).memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
        except (psutil.Error, OSError):
            total, way = total + member.rss, "RSS"
    return Held(total, way)


def files_in_memory(members: Sequence[Member]) -> int:
    """Bytes of files that lie in memory and belong to these processes.

    They are those in a /dev/shm and /tmp of their own, and open files that `memfd_create` made.
    """
    private: dict[int, int] = {}
    common = {_device(place) for place in SHARED}
    for member in members:
        root = f"/proc/{member.pid}/root"
        for place in SHARED:
            device = _device(root + place)
            if device is None or device in common or device in private or device == _device(root):
                continue
            try:
                used = os.statvfs(root + place)
            except OSError:  # it is gone
                continue
            private[device] = (used.f_blocks - used.f_bfree) * used.f_frsize
    unnamed = {
        file.key: file.size
        for file in unnamed_files(members)
        if file.in_memory and file.key[0] not in private
    }
    return sum(private.values()) + sum(unnamed.values())


def _device(path: str) -> int | None:
    """The number of the file system on which a path lies; None where there is none."""
    try:
        return os.stat(path).st_dev
    except OSError:
        return None
