"""Holds a running worker to its limits."""

from __future__ import annotations

import time
from pathlib import Path

from kobench.sandbox.start import Launch
from kobench.supervisor.limits import Limits, passed
from kobench.supervisor.usage import Watch

#: Seconds between two looks at what the worker's processes use.
LOOK = 0.1


class Enforcement:
    """The limits of one worker, and how far it is from them.

    Parameters
    ----------
    limits : Limits
        What it may use at most.
    launch : Launch
        Its launcher, which has been started.
    written : Path
        The folder that holds all that it may write.
    started : float
        When it was started, by `time.monotonic`, in seconds.
    """

    def __init__(self, limits: Limits, launch: Launch, written: Path, started: float) -> None:
        self.limits, self.launch, self.written = limits, launch, written
        self.deadline = None if limits.seconds is None else started + limits.seconds
        self._next_look = 0.0
        self._watch: Watch | None = None

    @property
    def peak_mb(self) -> float:
        """The most memory seen so far, in MB of 2**20 bytes."""
        return 0.0 if self._watch is None else self._watch.peak_mb

    def check(self, stage: str) -> None:
        """Look at the clock, and ten times a second at what the processes use.

        Raises
        ------
        TrialFailed
            A limit is passed; the failure names the stage.
        """
        now = time.monotonic()
        if self.deadline is not None and now >= self.deadline:
            raise passed(self.limits, "timeout", stage)
        if now >= self._next_look:
            self.look(stage)

    def look(self, stage: str, at_once: bool = False) -> None:
        """Look at what the processes use, see `kobench.supervisor.usage.Watch.check`.

        Nothing is seen before the launcher has said which processes are the worker's.
        """
        self._next_look = time.monotonic() + LOOK
        if self._watch is None:
            self.launch.hear()
            if self.launch.keeper is None:
                return
            self._watch = Watch(self.launch.keeper, self.limits, self.written)
        self._watch.check(stage, at_once)
