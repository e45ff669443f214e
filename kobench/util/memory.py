"""A wall against libraries that allocate far more than what they read can need."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

#: Where Linux says how much a process has allocated: in pages, the sixth number.
ALLOCATED = Path("/proc/self/statm")

#: Bytes of a thread's stack where nothing limits it.
STACK = 8 << 20

#: A limit belongs to the whole process, so one at a time is set and taken back.
_LOCK = threading.RLock()


@contextlib.contextmanager
def allocating(most: int, threads: int = 0) -> Iterator[None]:
    """Let this process allocate no more than so much beyond what it has, while this lasts.

    What asks for more gets none, so that it raises MemoryError, or what its library makes of that.
    A limit that is lower already stays. It does nothing on systems other than Linux.

    Parameters
    ----------
    most : int
        Bytes.
    threads : int
        How many threads may be started meanwhile: the stack of each counts, used or not.
    """
    with _LOCK:
        try:
            import resource

            there = int(ALLOCATED.read_text().split()[5]) * resource.getpagesize()
            before = resource.getrlimit(resource.RLIMIT_DATA)
        except (ImportError, OSError, ValueError, IndexError):
            yield
            return
        stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
        most += threads * (STACK if stack == resource.RLIM_INFINITY else stack)
        wanted = there + most
        lower = before[0] != resource.RLIM_INFINITY and before[0] <= wanted
        if not lower:
            resource.setrlimit(resource.RLIMIT_DATA, (wanted, before[1]))
        try:
            yield
        finally:
            if not lower:
                resource.setrlimit(resource.RLIMIT_DATA, before)
