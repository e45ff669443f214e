"""What a trial may use of time, memory, processes and disk, and how it ends that uses more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kobench.errors import LIMIT_OF, TrialFailed, UserError
from kobench.util.machine import available_mb

#: The flag of `kobench run` that sets each limit.
FLAGS = {
    "seconds": "--timeout",
    "memory_mb": "--memory",
    "processes": "--processes",
    "written_mb": "--written",
}

#: How many threads a trial may have for each process that it may have.
THREADS_A_PROCESS = 16


def default_memory_mb(jobs: int = 1) -> int:
    """The limit of memory of a trial where the user gives none, in MB.

    It is three quarters of the memory of this machine or container, divided by the number of trials
    that run at a time, and at most 16,384.

    Parameters
    ----------
    jobs : int
        How many trials run at a time.
    """
    return max(1, min(16384, available_mb() * 3 // 4 // jobs))


@dataclass(frozen=True)
class Limits:
    """What one trial may use at most; None is no limit.

    Attributes
    ----------
    seconds : float or None
        From the start of its process to its last answer.
    memory_mb : int or None
        Memory of all its processes together, in MB of 2**20 bytes.
    processes : int or None
        How many processes it may have at a time; they may have 16 times as many threads.
    written_mb : int or None
        What it wrote into its folder (answers, scratch files, output), in MB of 2**20 bytes.

    Raises
    ------
    UserError
        A limit is not a number above 0.
    """

    seconds: float | None = 3600
    memory_mb: int | None = field(default_factory=default_memory_mb)
    processes: int | None = 64
    written_mb: int | None = 8192

    def __post_init__(self) -> None:
        for name, value in self.to_json().items():
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UserError(
                    f"the limit {name} is {value}; give a number above 0 ({FLAGS[name]}), or 0"
                    " there for no limit"
                )

    def to_json(self) -> dict[str, Any]:
        """The limits by name, as a record keeps them."""
        return asdict(self)


def passed(limits: Limits, status: str, stage: str, found: str | None = None) -> TrialFailed:
    """How a trial ends that passed a limit.

    Parameters
    ----------
    limits : Limits
        Its limits.
    status : str
        One of `LIMIT_OF`.
    stage : str
        What it was doing.
    found : str, optional
        What was measured. A reader is told this; the message is the same whatever was measured.

    Examples
    --------
    >>> found = "its processes held 2,113 MB (PSS)"
    >>> ended = passed(Limits(memory_mb=2000), "out-of-memory", "fit", found)
    >>> print(ended)
    its processes held 2,113 MB (PSS), the limit is 2,000 MB (--memory)
    >>> ended.message
    'its processes held more than 2,000 MB of memory, the limit (--memory)'
    """
    name = LIMIT_OF[status]
    limit, flag = limits.to_json()[name], FLAGS[name]
    # (what the record says, the limit as the user is shown it)
    messages = {
        "seconds": (f"it took longer than {limit:,.10g} s", f"{limit:,.10g} s"),
        "memory_mb": (f"its processes held more than {limit:,} MB of memory", f"{limit:,} MB"),
        "processes": (
            f"it ran more than {limit:,} processes, or {limit * THREADS_A_PROCESS:,} threads",
            f"{limit:,} processes and {limit * THREADS_A_PROCESS:,} threads",
        ),
        "written_mb": (f"it wrote more than {limit:,} MB", f"{limit:,} MB"),
    }
    message, shown = messages[name]
    return TrialFailed(
        status,
        stage,
        f"{message}, the limit ({flag})",
        found=f"{found}, the limit is {shown} ({flag})" if found else None,
    )


def raised(status: str, now: Limits, before: Mapping[str, Any]) -> bool:
    """Whether the limit that a trial passed has been raised since.

    Parameters
    ----------
    status : str
        How the trial ended, one of `LIMIT_OF`.
    now : Limits
        Its limits now.
    before : mapping of str to number or None
        Its limits then, by name, as its record keeps them.
    """
    name = LIMIT_OF[status]
    limit, old = now.to_json()[name], before.get(name)
    return old is not None and (limit is None or limit > old)
