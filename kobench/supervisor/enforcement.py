"""Holds a running worker to its limits."""

from __future__ import annotations

import time
from pathlib import Path

from kobench.sandbox.start import Launch
from kobench.supervisor.disk import Disk
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
    disk : Disk
        What it may fill.
    """

    def __init__(
        self, limits: Limits, launch: Launch, written: Path, started: float, disk: Disk
    ) -> None:
        self.limits, self.launch, self.written, self.disk = limits, launch, written, disk
        self.deadline = None if limits.seconds is None else started + limits.seconds
        self._next_look = 0.0
        self._watch: Watch | None = None

    @property
    def peak_mb(self) -> float:
        """The most memory seen so far, in MB of 2**20 bytes."""
        return 0.0 if self._watch is None else self._watch.peak_mb

    @property
    def seen_written(self) -> int:
        """Bytes that it was seen to have written."""
        return 0 if self._watch is None else self._watch.written

    def check_disk(self, stage: str, has_failed: bool = False) -> None:
        """Raise TrialFailed where the worker ended for want of room on the disk.

        See `kobench.supervisor.disk.Disk.check`.
        """
        self.disk.check(stage, self.seen_written, has_failed)

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
        self.check_disk(stage)
        if self._watch is None:
            self.launch.hear()
            if self.launch.keeper is None:
                return
            self._watch = Watch(self.launch.keeper, self.limits, self.written, self.disk.share)
        self._watch.check(stage, at_once)
