"""Ending a process's descendants, whatever they do not to be ended. Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time


def parents() -> dict[int, int]:
    """The parent of every process there is, without those that have ended and wait to be asked
    how.
    """
    if sys.platform != "linux":
        listed = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=False
        ).stdout
        rows = [line.split() for line in listed.splitlines()]
        return {
            int(row[0]): int(row[1]) for row in rows if len(row) == 3 and not row[2].startswith("Z")
        }
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state not in (b"Z", b"X"):
                    found[int(name)] = int(parent)
    return found


def descendants(of: int) -> set[int]:
    """All living processes that stem from one, without itself."""
    known = parents()
    children: dict[int, list[int]] = {}
    for pid, parent in known.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    new = [of]
    while new:
        new = [child for pid in new for child in children.get(pid, ()) if child not in found]
        found.update(new)
    return found


def reap() -> None:
    """Ask every child that has ended how it ended, so that nothing of it is left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _send(pids: set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end_descendants(of: int, patience: float = 20.0) -> bool:
    """End all that stem from a process; whether none is left after so many seconds.

    They are stopped before they are killed: what is stopped starts no further process while its
    siblings are looked for. Orphans stay descendants of whoever adopts them
    (`kobench.sandbox.kernel.adopt_orphans`).
    """
    deadline = time.monotonic() + patience
    stopped: set[int] = set()
    while time.monotonic() < deadline:
        found = descendants(of)
        if not found:
            reap()
            return True
        if new := found - stopped:
            _send(new, signal.SIGSTOP)
            stopped |= new
            continue
        _send(found, signal.SIGKILL)
        stopped.clear()
        reap()
        time.sleep(0.002)
    return not descendants(of)
