"""Ends a process's descendants, even those that try to survive. Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

from kobench.util.processes import has_ended, stat_of


def parents() -> dict[int, int]:
    """The parent of every process of the machine, by id; those that have ended are left out."""
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
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = stat_of(name)
                if not has_ended(fields):
                    found[int(name)] = int(fields[1])
    return found


def descendants(of: int) -> set[int]:
    """The ids of all living processes that stem from one; its own is not among them."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    new = [of]
    while new:
        new = [child for pid in new for child in children.get(pid, ()) if child not in found]
        found.update(new)
    return found


def reap() -> bool:
    """Collect the exit status of every child that has ended, so that no zombie is left.

    Returns
    -------
    bool
        Whether there are children that have not ended.
    """
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _send(pids: set[int], number: int) -> None:
    """Send a signal to processes; some may be gone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end_descendants(of: int, patience: float = 20.0) -> bool:
    """End all processes that stem from one.

    Parameters
    ----------
    of : int
        The id of the process, which is not ended itself.
    patience : float
        Seconds after which it is given up.

    Returns
    -------
    bool
        Whether none is left.

    Notes
    -----
    They are stopped before they are killed: a stopped process starts no further one while its
    siblings are looked for. Orphans stay descendants of whoever adopts them, see
    `kobench.sandbox.kernel.adopt_orphans`.
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


def end_domain(patience: float = 20.0) -> bool:
    """End all processes that this one may send a signal to, seen or not, in one call.

    Call it only where `kobench.sandbox.rules.enclose` has said that these are all of its own.

    Parameters
    ----------
    patience : float
        Seconds after which it is given up.

    Returns
    -------
    bool
        Whether none is left.

    Notes
    -----
    No list of processes is needed, in which one could hide, and none can fork away: the kernel
    sends the signal to all at once, and a process with such a signal starts no other one. Whoever
    adopts orphans has ended all when it has no child any more.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(-1, signal.SIGKILL)
        if not reap():
            return True
        time.sleep(0.002)
    return False
