"""Ends a process's descendants, even those that try to survive. Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

from kobench.util.processes import stat_of


def parents() -> dict[int, int]:
    """The parent of every process of the machine, by id; zombies are left out."""
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
            with contextlib.suppress(OSError, ValueError):
                state, parent = stat_of(name)[:2]
                if state not in (b"Z", b"X"):
                    found[int(name)] = int(parent)
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


def reap() -> None:
    """Collect the exit status of every child that has ended, so that no zombie is left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


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
