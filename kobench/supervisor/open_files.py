"""The open files of processes: how many there are, and those that no folder shows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kobench.supervisor.processes import TRIES, Member, by_any_thread, member_of


@dataclass(frozen=True)
class Opened:
    """An open file.

    Attributes
    ----------
    target : str
        What it leads to.
    found : os.stat_result or None
        What the system says of it where its name was removed.
    flying : int
        How many files wait in it where it is a socket, sent and not received.
    """

    target: str
    found: os.stat_result | None = None
    flying: int = 0


def open_files(member: Member) -> list[Opened]:
    """The open files of a process; none where they can't be seen.

    All its threads have the same: the sandbox refuses a thread others. Where the one by which they
    were read has ended meanwhile, they are read by another.

    Raises
    ------
    FleetingError
        Threads end faster than they can be looked at.
    """
    for _ in range(TRIES):
        found = _opened_by(member.folder)
        if found and member.thread is None:
            return found
        again = member_of(str(member.pid))
        if again is None:
            return found
        if again[1].thread == member.thread and (found or member.thread is None):
            return found
        member = again[1]
    try:
        return by_any_thread(member.pid, _opened_by_living)
    except ProcessLookupError:
        return []


def _opened_by(folder: str) -> list[Opened]:
    """The open files by the folder that /proc has of a process or thread."""
    found: list[Opened] = []
    with contextlib.suppress(OSError):  # it is gone, closed to this one, or not Linux
        for name in os.listdir(f"{folder}/fd"):
            with contextlib.suppress(OSError, ValueError):  # it was closed meanwhile
                found.append(_opened(folder, name))
    return found


def _opened_by_living(folder: str) -> list[Opened]:
    """The same; ProcessLookupError where there are none, as of a thread that has ended."""
    if not (found := _opened_by(folder)):
        raise ProcessLookupError
    return found


def _opened(folder: str, name: str) -> Opened:
    """An open file by its number, in the folder that /proc has of its process."""
    target = os.readlink(f"{folder}/fd/{name}")
    if target.endswith(" (deleted)"):
        return Opened(target, os.stat(f"{folder}/fd/{name}"))
    if target.startswith("socket:"):
        with open(f"{folder}/fdinfo/{name}", "rb") as file:
            count = file.read().partition(b"scm_fds:")[2].split(b"\n")[0]
            return Opened(target, flying=int(count or 0))
    return Opened(target)


def count_open_files(members: Sequence[Member]) -> int:
    """How many files the processes hold open.

    A file that several processes hold counts for each. A process whose files can't be seen counts
    0.
    """
    return sum(len(open_files(member)) for member in members)


def files_in_flight(members: Sequence[Member]) -> int:
    """How many open files wait in the processes' unix sockets, sent and not received.

    Nothing tells what these files are. Their number is `scm_fds` in /proc/PID/fdinfo since Linux
    5.11; before that it is 0. A socket that several processes hold counts for each.
    """
    return sum(opened.flying for member in members for opened in open_files(member))


def socket_bytes(members: Sequence[Member]) -> int:
    """Bytes that the sockets of these processes may hold in the kernel, where no one sees them.

    Notes
    -----
    Each open socket counts with the size that its buffer has at first. In a network namespace of
    their own all its unix sockets count, those too that wait to be accepted; one of datagrams holds
    what several others sent.
    """
    opened, lists, ours = 0, {}, _network("/proc/self")
    for member in members:
        opened += sum(one.target.startswith("socket:") for one in open_files(member))
        network = _network(member.folder)
        if network not in (None, ours) and network not in lists:
            with (
                contextlib.suppress(OSError, IndexError),
                open(f"{member.folder}/net/unix") as file,
            ):
                kinds = [line.split()[4] for line in file.readlines()[1:]]
                lists[network] = sum(MESSAGES if kind == DATAGRAMS else 1 for kind in kinds)
    return max(opened, sum(lists.values())) * _buffer()


#: How many messages wait in a unix socket of datagrams (net.unix.max_dgram_qlen, and the one that
#: is still let in), and its type in /proc/net/unix.
MESSAGES, DATAGRAMS = 11, "0002"


def _network(folder: str) -> str | None:
    """The network namespace of a process by its folder in /proc, None where it can't be seen."""
    try:
        return os.readlink(f"{folder}/ns/net")
    except OSError:
        return None


def _buffer() -> int:
    """Bytes of memory that the buffer of a new socket takes when it is full."""
    try:
        with open("/proc/sys/net/core/wmem_default") as file:
            return int(file.read()) * 5 // 4
    except (OSError, ValueError):
        return 0


@dataclass(frozen=True)
class Unnamed:
    """An open or mapped file that no folder shows.

    Attributes
    ----------
    key : tuple of int
        (device, inode).
    size : int
        Bytes of its blocks; of one that is mapped and can't be looked at, those that are mapped.
    in_memory : bool
        Whether it lies in memory and on no disk.
    """

    key: tuple[int, int]
    size: int
    in_memory: bool


def unnamed_files(members: Sequence[Member]) -> list[Unnamed]:
    """The files that were removed, or never had a name (`memfd_create`), each once.

    A file that is mapped keeps its blocks when it is removed and closed, too.
    """
    found: dict[tuple[int, int], Unnamed] = {}
    unseen: dict[tuple[int, int], Unnamed] = {}
    for member in members:
        for opened in open_files(member):
            if opened.found is not None and opened.found.st_nlink == 0:
                file = _unnamed(opened.found, opened.target)
                found[file.key] = file
        for file, seen in mapped_files(member.folder):
            (found if seen else unseen)[file.key] = file
    inodes = {inode for _, inode in found}
    more = [file for key, file in unseen.items() if key[1] not in inodes]
    return [*found.values(), *more]


def _unnamed(found: os.stat_result, path: str) -> Unnamed:
    return Unnamed((found.st_dev, found.st_ino), found.st_blocks * 512, path.startswith(IN_MEMORY))


#: What the paths of files begin with that lie in memory: /dev/zero is memory that is shared.
IN_MEMORY = ("/memfd:", "/dev/shm/", "/dev/zero", "/SYSV")


def mapped_files(folder: str) -> Iterator[tuple[Unnamed, bool]]:
    """The removed files that a process maps, by the folder that /proc has of it.

    Yields
    ------
    Unnamed
        Each mapping; several may be of one file.
    bool
        Whether the file itself could be looked at, which needs rights over the machine. Else what
        is mapped of it counts, and of files in memory nothing: most of such a mapping may be empty.
    """
    mapped: dict[tuple[int, int], int] = {}
    with contextlib.suppress(OSError), open(f"{folder}/maps", "rb") as maps:
        for line in maps:
            if not line.endswith(b" (deleted)\n"):
                continue
            place, _, _, device, inode, path = line.decode(errors="replace").split(maxsplit=5)
            try:
                found = os.stat(f"{folder}/map_files/{place}")
                yield _unnamed(found, path), True
                continue
            except OSError:
                start, end = (int(one, 16) for one in place.split("-"))
            major, minor = (int(one, 16) for one in device.split(":"))
            key = os.makedev(major, minor), int(inode)
            mapped[key] = mapped.get(key, 0) + end - start
            if not path.startswith(IN_MEMORY):
                yield Unnamed(key, mapped[key], False), False
