"""The processes below a process: how many there are, and the memory they hold, shared pages counted
once where the system can say.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PAGE = os.sysconf("SC_PAGE_SIZE")

#: Folders that lie in memory, by path; a trial in a file tree of its own has its own ones.
SHARED = ("/dev/shm", "/tmp")


@dataclass(frozen=True)
class Member:
    """One process of a tree. rss : resident memory in bytes, pages that it shares with others
    counted in full.
    """

    pid: int
    threads: int
    rss: int


@dataclass(frozen=True)
class Held:
    """Memory of a tree in bytes, and how it was measured: "PSS" (a page shared by n processes
    counts 1/n for each), "USS" (pages of one process alone) or "RSS" (shared pages counted in
    full).
    """

    size: int
    way: str


def descendants(pid: int) -> list[Member]:
    """The processes below `pid`, itself left out; one that ends meanwhile may be missing."""
    if not sys.platform.startswith("linux"):
        return _descendants_by_psutil(pid)
    children: dict[int, list[Member]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (read := _member(name)) is not None:
            parent, member = read
            children.setdefault(parent, []).append(member)
    found: list[Member] = []
    level = children.pop(pid, [])
    while level:
        found += level
        level = [
            child for member in level for child in children.pop(member.pid, [])
        ]  # popped: a number used anew makes no circle
    return found


def _member(pid: str) -> tuple[int, Member] | None:
    """(parent, process) by /proc/PID/stat; None when it is gone.

    The fields are counted from the name's last bracket: it may hold any.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[1]), Member(int(pid), int(fields[17]), int(fields[21]) * PAGE)
    except (OSError, IndexError, ValueError):
        return None


def _descendants_by_psutil(pid: int) -> list[Member]:
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


def memory_of(members: Sequence[Member]) -> Held:
    """What processes hold together, with the files that lie in memory only: those shared by name,
    and those without any name.

    A process whose share can't be read counts with its resident memory, which is never less.
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
            if _member(str(member.pid)) is not None:
                total, way = total + member.rss, "RSS"
    return Held(total + max(0, files_in_memory(members) - shared), way)


def _pss(pid: int) -> tuple[int, int]:
    """Bytes of a process by its share of each page: all of them, and those of shared memory and
    files in memory.
    """
    found = {b"Pss:": 0, b"Pss_Shmem:": 0}
    with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            name, *rest = line.split()
            if name in found:
                found[name] = int(rest[0]) * 1024
    return found[b"Pss:"], found[b"Pss_Shmem:"]


def _memory_by_psutil(members: Sequence[Member]) -> Held:
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
    """Bytes of files that lie in memory and are the tree's own: private /dev/shm and /tmp, and open
    files made by `memfd_create`.
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
    try:
        return os.stat(path).st_dev
    except OSError:
        return None


def open_files(members: Sequence[Member]) -> int:
    """How many files the processes hold open, one that several hold counted for each; 0 for those
    whose files can't be seen.
    """
    count = 0
    for member in members:
        with contextlib.suppress(OSError):
            count += len(os.listdir(f"/proc/{member.pid}/fd"))
    return count


def files_in_flight(members: Sequence[Member]) -> int:
    """How many open files wait in the processes' unix sockets, sent and not received: nothing tells
    what they are.

    Linux says so since 5.11 (`scm_fds` in /proc/PID/fdinfo); 0 before. A socket that several
    processes hold counts for each.
    """
    count = 0
    for member in members:
        folder = f"/proc/{member.pid}"
        with contextlib.suppress(OSError):  # the process is gone, or closed to this one
            for name in os.listdir(f"{folder}/fd"):
                with contextlib.suppress(OSError, ValueError):
                    if os.readlink(f"{folder}/fd/{name}").startswith("socket:"):
                        with open(f"{folder}/fdinfo/{name}", "rb") as file:
                            count += int(file.read().partition(b"scm_fds:")[2].split(b"\n")[0] or 0)
    return count


@dataclass(frozen=True)
class Unnamed:
    """An open file that no folder shows. key : (device, inode). size : bytes of its blocks.
    in_memory : whether no disk holds it.
    """

    key: tuple[int, int]
    size: int
    in_memory: bool


def unnamed_files(members: Sequence[Member]) -> Iterator[Unnamed]:
    """The open files that were removed, or never had a name (`memfd_create`); one that several
    processes hold comes several times.
    """
    for member in members:
        folder = f"/proc/{member.pid}/fd"
        try:
            names = os.listdir(folder)
        except OSError:  # the process is gone, or no other system than Linux tells
            continue
        for name in names:
            try:
                target = os.readlink(f"{folder}/{name}")
                if target.endswith(" (deleted)"):
                    found = os.stat(f"{folder}/{name}")
                    if found.st_nlink == 0:
                        in_memory = target.startswith(("/memfd:", "/dev/shm/"))
                        yield Unnamed(
                            (found.st_dev, found.st_ino), found.st_blocks * 512, in_memory
                        )
            except OSError:  # it was closed meanwhile
                continue
