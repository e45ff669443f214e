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
