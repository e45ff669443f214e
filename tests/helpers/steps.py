"""A clock that moves by the steps of a simulator, so that a test of slowness takes no time."""

from __future__ import annotations

#: Seconds since the start, by the count of steps; a simulator adds to the only entry.
taken = [0.0]


def clock() -> float:
    """Seconds, as far as steps were taken."""
    return taken[0]
