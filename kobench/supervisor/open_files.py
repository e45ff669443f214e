"""The open files of processes: how many there are, and those that no folder shows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kobench.supervisor.processes import Member


def count_open_files(members: Sequence[Member]) -> int:
    """How many files the processes hold open.

    A file that several processes hold counts for each. A process whose files can't be seen counts
    0.
    """
    count = 0
    for member in members:
        with contextlib.suppress(OSError):
            count += len(os.listdir(f"/proc/{member.pid}/fd"))
    return count


def files_in_flight(members: Sequence[Member]) -> int:
    """How many open files wait in the processes' unix sockets, sent and not received.

    Nothing tells what these files are. Their number is `scm_fds` in /proc/PID/fdinfo since Linux
    5.11; before that it is 0. A socket that several processes hold counts for each.
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


def socket_bytes(members: Sequence[Member]) -> int:
    """Bytes that the sockets of these processes may hold in the kernel, where no one sees them.

    Notes
    -----
    Each open socket counts with the size that its buffer has at first. In a network namespace of
    their own all its unix sockets count, those too that wait to be accepted; one of datagrams holds
    what several others sent.
    """
    opened, lists, ours = 0, {}, _network("self")
    for member in members:
        folder = f"/proc/{member.pid}"
        with contextlib.suppress(OSError):
            for name in os.listdir(f"{folder}/fd"):
                with contextlib.suppress(OSError):
                    opened += os.readlink(f"{folder}/fd/{name}").startswith("socket:")
        network = _network(member.pid)
        if network not in (None, ours) and network not in lists:
            with contextlib.suppress(OSError, IndexError), open(f"{folder}/net/unix") as file:
                kinds = [line.split()[4] for line in file.readlines()[1:]]
                lists[network] = sum(MESSAGES if kind == DATAGRAMS else 1 for kind in kinds)
    return max(opened, sum(lists.values())) * _buffer()


#: How many messages wait in a unix socket of datagrams (net.unix.max_dgram_qlen, and the one that
#: is still let in), and its type in /proc/net/unix.
MESSAGES, DATAGRAMS = 11, "0002"


def _network(pid: int | str) -> str | None:
    """The network namespace of a process, None where it can't be seen."""
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
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
    """An open file that no folder shows.

    Attributes
    ----------
    key : tuple of int
        (device, inode).
    size : int
        Bytes of its blocks.
    in_memory : bool
        Whether it lies in memory and on no disk.
    """

    key: tuple[int, int]
    size: int
    in_memory: bool


def unnamed_files(members: Sequence[Member]) -> Iterator[Unnamed]:
    """The open files that were removed, or never had a name (`memfd_create`).

    A file that several processes hold comes several times.
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
                        key, size = (found.st_dev, found.st_ino), found.st_blocks * 512
                        yield Unnamed(key, size, target.startswith(("/memfd:", "/dev/shm/")))
            except OSError:  # it was closed meanwhile
                continue
