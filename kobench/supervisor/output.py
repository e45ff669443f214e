"""What a worker prints: a file to which its processes append, of which the end is kept."""

from __future__ import annotations

import os
from pathlib import Path

from kobench.util.text import visible

#: Characters of the output that are kept.
TAIL = 4000


class Output:
    """The file that gets what a predictor prints.

    Attributes
    ----------
    number : int
        The file descriptor that the worker writes to.
    """

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._reading: int | None = os.open(path, os.O_RDONLY)
        self._tail: str | None = None

    def tail(self) -> str | None:
        """The end of it, fit to be shown; None where nothing was printed.

        Once this is closed, it is the end as it was then.
        """
        if self._reading is not None:
            most = 4 * TAIL  # bytes: a character takes four at most
            start = max(0, os.fstat(self._reading).st_size - most)
            last = os.pread(self._reading, most, start).decode(errors="replace").strip()
            self._tail = visible(last[-TAIL:], 8 * TAIL, lines=True) or None
        return self._tail

    def close(self) -> None:
        """Keep the end, and close the file."""
        self.tail()
        reading, self._reading = self._reading, None
        assert reading is not None
        os.close(reading)
        os.close(self.number)
