"""The memory that processes hold together.

Pages that they share count once where the system can say so.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from kobench.supervisor.open_files import socket_bytes, unnamed_files
from kobench.supervisor.processes import TRIES, Member, by_any_thread, member_of
from kobench.supervisor.written import ENTRY

#: The folder that lies in memory. That of a trial in a file tree of its own is another one than the
#: machine's; its /tmp lies in the folder that counts as written.
SHARED = "/dev/shm"


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
        sockets may hold, see `kobench.supervisor.open_files.socket_bytes`, and its page tables. A
        process whose share can't be read counts with its resident memory, which is never less.
    """
    if not sys.platform.startswith("linux"):
        return _memory_by_psutil(members)
    total = shared = 0
    way = "PSS"
    for member in members:
        total += beside_shares(member)
        try:
            pss, shmem = _share(member)
            total, shared = total + pss, shared + shmem
        except ProcessLookupError:  # it is gone
            continue
        except (OSError, ValueError):
            if member_of(str(member.pid)) is not None:
                total, way = total + member.rss, "RSS"
                shared += in_status(member, b"RssShmem:")
    total += max(0, files_in_memory(members) - shared) + socket_bytes(members)
    return Held(total, way)


def _share(member: Member) -> tuple[int, int]:
    """What `_pss` says of a process; where the thread that was read ends, of its next one.

    Raises ProcessLookupError where the process is gone or ending, and what `by_any_thread` raises.
    """
    for _ in range(TRIES):
        try:
            return _pss(member.folder)
        except (ProcessLookupError, FileNotFoundError):
            again = member_of(str(member.pid))
            if again is None or member.thread is again[1].thread is None:
                raise
            member = again[1]
    return by_any_thread(member.pid, _pss)


def beside_shares(member: Member) -> int:
    """Bytes of a process's page tables and huge pages, which are in no share of it."""
    return in_status(member, b"VmPTE:", b"HugetlbPages:")


def in_status(member: Member, *names: bytes) -> int:
    """The sum of some sizes in /proc/PID/status, in bytes; 0 where that can't be read."""
    size = 0
    with contextlib.suppress(OSError, ValueError), open(f"{member.folder}/status", "rb") as file:
        for line in file:
            if line.startswith(names):
                size += int(line.split()[1]) * 1024
    return size


def _pss(folder: str) -> tuple[int, int]:
    """(all bytes of a process, those of shared memory and files in memory), by its shares."""
    found = {b"Pss:": 0, b"Pss_Shmem:": 0}
    with open(f"{folder}/smaps_rollup", "rb") as file:
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

    They are those in a /dev/shm of their own, where each has `kobench.supervisor.written.ENTRY`
    bytes more, and open files that `memfd_create` made.
    """
    private: dict[int, int] = {}
    for member in members:
        root = f"{member.folder}/root"
        device = _device(root + SHARED)
        if device is None or device in private or device in (_device(SHARED), _device(root)):
            continue
        try:
            used = os.statvfs(root + SHARED)
        except OSError:  # it is gone
            continue
        private[device] = (used.f_blocks - used.f_bfree) * used.f_frsize
        private[device] += (used.f_files - used.f_ffree) * ENTRY
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
