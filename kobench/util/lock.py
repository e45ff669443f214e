"""A lock that one process holds at a time, on every file system.

It is a file that names its owner. `flock` has no part in it: some file systems lack it, some wait
for it without an end, and some grant it to everybody.

The file is written under another name and linked to its own, which succeeds for one process only.
Its owner touches it every `BEAT` seconds. On the owner's machine it is stale as soon as the
processes that it names are gone; seen from another machine, when nobody touched it for `STALE`
seconds. Whoever finds a stale one replaces it by his own in one step. He does so under a second
lock, whose name has a "+" more: so no two take over the same, and none takes over a fresh one.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kobench.util.bounded import open_plain
from kobench.util.lock_file import MOST, Claim, NoLockError, Owner, Seen, this_machine
from kobench.util.processes import start_of

#: Seconds between two signs of life of an owner.
BEAT = 10.0

#: Seconds between two tries of who waits for a lock.
POLL = 0.05

#: What a file system says that has no hard links.
NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL)


class BusyError(Exception):
    """A lock is held by another process; the text says by which."""


@dataclass
class Lock:
    """A lock that this process holds.

    Attributes
    ----------
    path : Path
        Its file.
    owner : Owner
        What the file says.
    after : str
        Whose stale lock this one took the place of, as part of a sentence; "" for nobody's.
    """

    path: Path
    owner: Owner
    after: str = ""

    @property
    def claim(self) -> Claim:
        """What other processes of the owner need to know."""
        return Claim(self.path, self.owner.token)

    def share(self, pids: list[int]) -> None:
        """Have the lock count as held as long as any of these processes runs, too."""
        more = tuple((pid, start_of(pid) or "") for pid in pids)
        owner = replace(self.owner, processes=self.owner.processes + more)
        aside = aside_of(self.path)
        try:
            aside.write_bytes(owner.written())
            if self.claim.holds():
                os.replace(aside, self.path)
                self.owner = owner
        finally:
            aside.unlink(missing_ok=True)

    def release(self) -> None:
        """Give it back; nothing happens where it is somebody else's by now."""
        if self.claim.holds():
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path, patience: float | None = 0.0) -> Iterator[Lock]:
    """Hold a lock.

    Parameters
    ----------
    path : Path
        Its file, in a folder that is there.
    patience : float or None
        Seconds to wait for another owner; None waits as long as that one lives.

    Raises
    ------
    BusyError
        Another process holds it.
    NoLockError
        A file of this name is there that is no lock.
    OSError
        The file can't be written.
    """
    lock, stop = take(path, patience), threading.Event()
    beats = threading.Thread(target=_beat, args=(lock.claim, stop), daemon=True)
    beats.start()
    try:
        yield lock
    finally:
        stop.set()
        lock.release()


def take(path: Path, patience: float | None = 0.0) -> Lock:
    """Take a lock without giving signs of life; see `locked`."""
    patient = None if patience is None else time.monotonic() + patience
    while True:
        try:
            lock = _try(path)
        except BusyError:
            if patient is not None and time.monotonic() >= patient:
                raise
            # not all at the same moments
            time.sleep(POLL * (0.5 + secrets.randbelow(100) / 100))
        else:
            _clear(path)
            return lock


def is_held(path: Path) -> bool:
    """Whether some process holds a lock now."""
    seen = _look(path)
    return seen is not None and bool(seen.alive(path, time.time()))


def _try(path: Path) -> Lock:
    """Take a lock now, or raise BusyError."""
    pid = os.getpid()
    owner = Owner(
        secrets.token_hex(8), socket.gethostname(), this_machine(), ((pid, start_of(pid) or ""),)
    )
    aside = aside_of(path)
    try:
        aside.write_bytes(owner.written())
        now = aside.stat().st_mtime  # the clock by which signs of life are dated, too
        while not _link(aside, path, owner):
            seen = _look(path)
            if seen is None:
                continue  # it was given back at this moment
            if holder := seen.alive(path, now):
                raise BusyError(holder)
            over = _try(path.with_name(path.name + "+"))
            try:
                if _look(path) == seen:
                    os.replace(aside, path)
                    return Lock(path, owner, seen.described(path, now))
            finally:
                over.release()
        return Lock(path, owner)
    finally:
        aside.unlink(missing_ok=True)


def _link(aside: Path, path: Path, owner: Owner) -> bool:
    """Give a file the name of a lock, where no file has it; whether that was done."""
    try:
        os.link(aside, path)
        return True
    except FileExistsError:
        # over a network the answer may be lost, and the second try finds what the first one did
        return aside.stat().st_nlink > 1
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
    try:
        number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    with open(number, "wb") as file:
        file.write(owner.written())
    return True


def _look(path: Path) -> Seen | None:
    """The file of a lock as it is now, None where there is none."""
    try:
        with open_plain(path) as file:
            content = file.read(MOST)
            return Seen(content, os.fstat(file.fileno()).st_mtime)
    except FileNotFoundError:
        return None
    except ValueError as error:  # a pipe, say, which would be waited for
        raise NoLockError(f"{path} {error}, and so no lock of kobench's") from error


def _beat(claim: Claim, stop: threading.Event) -> None:
    """Give signs of life until told to stop, or until the lock is somebody else's."""
    while not stop.wait(BEAT) and claim.holds():
        with contextlib.suppress(OSError):
            os.utime(claim.path)


def _clear(path: Path) -> None:
    """Remove what processes left behind that were ended while they took this lock."""
    with contextlib.suppress(OSError):
        now = path.stat().st_mtime
        for left in path.parent.glob(f"{glob.escape(path.name)}*.aside"):
            with contextlib.suppress(NoLockError):
                seen = _look(left)
                if seen is not None and not seen.alive(left, now):
                    left.unlink(missing_ok=True)


def aside_of(path: Path) -> Path:
    """A name beside a lock's that nobody else has."""
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}.aside")
