"""What the system says of a process, and whether one that was known once is still running."""

from __future__ import annotations

import os
import signal
import sys


def stat_of(pid: int | str) -> list[bytes]:
    """The fields of /proc/PID/stat from the process's state on; OSError where it is gone."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        # counted from the last bracket: a process's name may hold brackets and spaces
        return file.read().rpartition(b")")[2].split()


def has_ended(fields: list[bytes]) -> bool:
    """Whether a process has ended, by the fields that `stat_of` gives.

    One whose first thread alone has ended is said to be a zombie, too, and goes on in its others.
    """
    return fields[0] == b"X" or (fields[0] == b"Z" and int(fields[17]) < 2)


def start_of(pid: int) -> str | None:
    """When a process was started, in a unit of this system; None where it is gone or not seen.

    A number is given again to later processes; together with its start it means one process only.
    One that has ended and was not waited for is gone.
    """
    if sys.platform.startswith("linux"):
        try:
            fields = stat_of(pid)
            return None if has_ended(fields) else fields[19].decode()
        except (OSError, IndexError, ValueError):
            return None
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None


def runs(pid: int, start: str) -> bool | None:
    """Whether a process still runs.

    Parameters
    ----------
    pid : int
        Its number.
    start : str
        When it was started, as `start_of` said.

    Returns
    -------
    bool or None
        None where it can't be seen: a system may show nobody the processes of other users.
    """
    found = start_of(pid)
    if found is not None:
        return found == start
    return None if _is_there(pid) else False


def _is_there(pid: int) -> bool:
    """Whether there is a process of this number that `start_of` says nothing of."""
    if not sys.platform.startswith("linux"):
        import psutil

        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.AccessDenied:
            return True
        except (psutil.Error, ValueError, OverflowError):
            return False
    if pid <= 0:  # it would stand for many
        return False
    try:
        stat_of(pid)
        return False  # it has ended, and was not waited for
    except (FileNotFoundError, ProcessLookupError):
        pass  # it is gone, or hidden
    except OSError:
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def signal_name(number: int) -> str:
    """The name of a signal; real-time signals have none and are shown by number.

    >>> signal_name(9), signal_name(42)
    ('SIGKILL', 'signal 42')
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
