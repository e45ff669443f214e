"""One command in the sandbox that is held to limits, for what is run beside trials."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from kobench.errors import TrialFailed
from kobench.sandbox.once import Ran, run_once
from kobench.sandbox.places import Interpreter
from kobench.sandbox.start import Launch
from kobench.supervisor.disk import Disk
from kobench.supervisor.enforcement import LOOK, Enforcement
from kobench.supervisor.limits import Limits
from kobench.util.machine import MB

#: What a description of plugins, or a check of an environment, may use beside its time.
LIMITS = Limits(seconds=None, memory_mb=4096, processes=64, written_mb=64)


def run_held(
    interpreter: Interpreter,
    arguments: Sequence[str],
    readable: Sequence[Path] = (),
    seconds: float = 120.0,
    limits: Limits = LIMITS,
    hidden: Sequence[Path] = (),
) -> Ran:
    """Run an interpreter in the sandbox, held to limits as a trial is.

    Parameters
    ----------
    interpreter, arguments, readable, seconds
        See `kobench.sandbox.once.run_once`.
    limits : Limits
        What it may use beside its time.
    hidden : sequence of Path
        What of all that it must not read.

    Raises
    ------
    NoRoomError
        There is no room on the disk of temporary folders.
    """

    def held(launch: Launch, folder: Path, seconds: float) -> str:
        return await_within(launch, folder, seconds, limits)

    size = None if limits.written_mb is None else limits.written_mb * MB
    return run_once(
        interpreter, arguments, readable, seconds, file_bytes=size, await_end=held, hidden=hidden
    )


def await_within(launch: Launch, folder: Path, seconds: float, limits: Limits) -> str:
    """Wait for the end of a program that writes into a folder; say which limit it passed, if any.

    Parameters
    ----------
    launch : Launch
        What was launched.
    folder : Path
        Where it writes.
    seconds : float
        How long to wait. That these are over is not said.
    limits : Limits
        What it may use.
    """
    started = time.monotonic()
    disk = Disk(folder)
    enforcement = Enforcement(limits, launch, folder, started, disk)
    disk.start(lambda: enforcement.seen_written, launch.end)
    try:
        while launch.ended is None and not launch.lost and time.monotonic() < started + seconds:
            launch.hear(LOOK)
            enforcement.check("start")
        enforcement.check_disk("start", has_failed=launch.ended != 0)
    except TrialFailed as passed:
        return passed.message.partition(" (--")[0]
    finally:
        disk.close()
    return ""
