"""The file of a lock: who holds it, whether that one still lives, and whether it is still his.

`kobench.util.lock` says how such a file is made and taken over.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobench.util.bounded import read_bounded
from kobench.util.files import parse_json
from kobench.util.processes import runs
from kobench.util.text import visible

#: Seconds without a sign of life after which an owner on another machine counts as gone. File
#: systems of networks may show a change a minute late.
STALE = 300.0


#: Bytes of such a file that are read.
MOST = 1 << 16


class NoLockError(Exception):
    """A file of a lock's name is none of kobench's locks."""


@dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    Attributes
    ----------
    token : str
        Tells this lock from every other one.
    host : str
        The name of its machine.
    machine : str
        What tells that machine from others, and its numbers of processes from those of others.
    processes : tuple of (int, str)
        Number and start of each process that belongs to the owner.
    """

    token: str
    host: str
    machine: str
    processes: tuple[tuple[int, str], ...]

    def written(self) -> bytes:
        """The content of its file."""
        return (json.dumps({"kobench-lock": 1, **vars(self)}) + "\n").encode()

    @classmethod
    def read(cls, content: bytes) -> Owner:
        """The owner that a file names; raises ValueError, KeyError, TypeError where it is none."""
        found = parse_json(content.decode())
        if found["kobench-lock"] != 1:
            raise ValueError("it is written by a newer kobench")
        processes = tuple((int(pid), str(start)) for pid, start in found["processes"])
        if not processes:
            raise ValueError("it names no process")
        return cls(str(found["token"]), str(found["host"]), str(found["machine"]), processes)


@dataclass(frozen=True)
class Seen:
    """The file of a lock as it was at one moment.

    Attributes
    ----------
    content : bytes
        What it holds. It is empty where its owner was ended while he wrote it.
    touched : float
        When its owner gave a sign of life, by the clock of the file system.
    """

    content: bytes
    touched: float

    def owner(self, path: Path) -> Owner | None:
        """Who is named, None where it is empty; raises NoLockError for another's file."""
        if not self.content.strip(b"\0 \n"):
            return None
        try:
            return Owner.read(self.content)
        except (ValueError, KeyError, TypeError) as error:
            raise NoLockError(f"{path} is no lock of kobench's") from error

    def alive(self, path: Path, now: float) -> str:
        """Who holds the lock, as part of a sentence; "" where its owner is gone."""
        owner = self.owner(path)
        beats = now - self.touched < STALE
        if owner is not None and owner.machine == this_machine():
            running = [runs(pid, start) for pid, start in owner.processes]
            if True in running or None not in running:
                beats = True in running
        return self.described(path, now) if beats else ""

    def described(self, path: Path, now: float) -> str:
        """Whose lock it is, as part of a sentence."""
        owner, silent = self.owner(path), max(0.0, now - self.touched)
        name = "a process that did not say which"
        if owner is not None:
            name = f"process {owner.processes[0][0]} on {visible(owner.host, 100)}"
        return f"{name}, last heard of {silent:.0f} s ago"


@dataclass(frozen=True)
class Claim:
    """What a process needs to know whether a lock is still its owner's.

    Attributes
    ----------
    path : Path
        The file.
    token : str
        That of the owner.
    """

    path: Path
    token: str

    def holds(self) -> bool:
        """Whether the lock is still its owner's, and nobody took it over or removed it."""
        try:
            owner = Owner.read(read_bounded(self.path, MOST))
        except FileNotFoundError:
            return False
        except OSError:  # a file system that is out of reach for a while says nothing
            return True
        except (ValueError, KeyError, TypeError):
            return False
        return owner.token == self.token


@functools.cache
def this_machine() -> str:
    """What tells this machine, since it was started, from others.

    Two containers of one machine number their processes on their own, so they count as two.
    """
    parts: list[Any] = [socket.gethostname()]
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
            parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)
