"""What a measurement is.

The same work is done plainly and fast, turn by turn in one run.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Where a process says how much memory it takes, on Linux.
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Finding:
    """What came out of one row of the table.

    Attributes
    ----------
    reached : sequence of float
        One value a run, in `unit`.
    target : float
        What it must reach.
    unit : str
        "x" for how often as fast as the plain work of the same run; "events/s", "s" or "MB".
    lower : bool
        Whether less is better.
    seconds, plain_seconds : sequence of float
        Of each run; empty where there was none.
    facts : sequence of str
        What else was found, in words and numbers, for the lines under the table (equal results,
        sizes, memory).
    """

    reached: Sequence[float]
    target: float
    unit: str
    lower: bool = False
    seconds: Sequence[float] = ()
    plain_seconds: Sequence[float] = ()
    facts: Sequence[str] = field(default_factory=tuple)

    @property
    def median(self) -> float:
        """The median of the runs."""
        return statistics.median(self.reached)

    @property
    def met(self) -> bool:
        """Whether the median reaches the target."""
        return self.median <= self.target if self.lower else self.median >= self.target


@dataclass(frozen=True)
class Row:
    """A piece of work to measure.

    Attributes
    ----------
    name : str
        For `--only`.
    work : str
        What is done.
    plain : str
        What it is compared with, "" for nothing.
    measure : callable
        Number of runs -> Finding; raises Skipped where this machine lacks what it needs.
    """

    name: str
    work: str
    plain: str
    measure: Callable[[int], Finding]


class Skipped(Exception):  # noqa: N818 - a finding, not a fault
    """Raised by a row that can't be measured here; its text is the reason."""


def memory_of(line: str) -> int:
    """Bytes that this process takes, by a line of its status: "VmRSS:" now, "VmHWM:" at most.

    getrusage would count what the parent held when it forked.
    """
    found = next(each for each in STATUS.read_text().splitlines() if each.startswith(line))
    return int(found.split()[1]) << 10


def said_alone(code: str, *arguments: str) -> str:
    """What code prints in a fresh process of its own, which can import `benchmarks`."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    ).stdout


def seconds_of(work: Callable[[], Any]) -> tuple[float, Any]:
    """Wall seconds of one call, garbage collected before, and what the call returned.

    >>> seconds_of(lambda: 3)[1]
    3
    """
    gc.collect()
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def turn_by_turn(
    plain: Callable[[], Any], fast: Callable[[], Any], runs: int
) -> tuple[list[float], list[float]]:
    """Seconds of the plain and of the fast work in each run.

    Both are done in every run, so that a busy machine slows both.
    """
    slow, quick = [], []
    for _ in range(runs):
        slow.append(seconds_of(plain)[0])
        quick.append(seconds_of(fast)[0])
    return slow, quick


def ratio(
    plain: Callable[[], Any],
    fast: Callable[[], Any],
    runs: int,
    target: float,
    part: float = 1.0,
    facts: Sequence[str] = (),
) -> Finding:
    """The finding "so many times as fast as the plain work".

    Parameters
    ----------
    plain, fast : callable
        The work, done plainly and fast.
    runs : int
        Number of runs.
    target : float
        The ratio to reach.
    part : float
        The share of the work that `plain` does, where all of it would take hours. Its seconds are
        divided by it (say so in `facts`).
    facts : sequence of str
        See `Finding`.
    """
    slow, quick = turn_by_turn(plain, fast, runs)
    slow = [seconds / part for seconds in slow]
    return Finding(
        [a / b for a, b in zip(slow, quick, strict=True)],
        target,
        "x",
        seconds=quick,
        plain_seconds=slow,
        facts=facts,
    )
