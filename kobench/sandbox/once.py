"""One command, run in the sandbox to its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobench.sandbox.folders import remove
from kobench.sandbox.layers import LAYERS
from kobench.sandbox.places import Interpreter
from kobench.sandbox.plan import FILE_BYTES, Access, Folders, make_plan
from kobench.sandbox.start import Launch
from kobench.util.processes import signal_name
from kobench.util.text import visible

#: More bytes of output than this are not read.
MOST_BYTES = 16_000_000


def plainly(launch: Launch, folder: Path, seconds: float) -> str:
    """Wait for the end of what was launched, and hold it to nothing else."""
    launch.await_end(seconds)
    return ""


@dataclass(frozen=True)
class Ran:
    """How a command ended.

    Attributes
    ----------
    code : int or None
        0 where all went well, minus the number of the signal that ended it; None where it did not
        end in time or could not be started.
    why : str
        What went wrong, "" where nothing did.
    output : str
        What it printed, errors included.
    layers : mapping of str to True or str
        Which layers of the sandbox it had: True, or why not.
    """

    code: int | None
    why: str
    output: str
    layers: Mapping[str, Any]


def run_once(
    interpreter: Interpreter,
    arguments: Sequence[str],
    readable: Sequence[Path] = (),
    seconds: float = 120.0,
    layers: Sequence[str] = LAYERS,
    file_bytes: int | None = None,
    await_end: Callable[[Launch, Path, float], str] = plainly,
    hidden: Sequence[Path] = (),
) -> Ran:
    """Run an interpreter in the sandbox, in a folder that is removed afterwards.

    Parameters
    ----------
    interpreter : Interpreter
        What is run. It may read its own places.
    arguments : sequence of str
        Its arguments.
    readable : sequence of Path
        What else it may read.
    seconds : float
        How long it may take, in seconds.
    layers : sequence of str
        The layers to try; those that this machine does not allow are left out.
    file_bytes : int or None
        How large a file may become that it writes, in bytes.
    await_end : callable
        Waits for its end, given its launch, its folder and the seconds; says why it is to be ended
        before, "" where it isn't. What strangers wrote is run by `kobench.supervisor.held`.
    hidden : sequence of Path
        What of all that it must not read.
    """
    folder = Path(tempfile.mkdtemp(prefix="kobench-")).resolve()
    try:
        size = FILE_BYTES if file_bytes is None else file_bytes
        access = Access(read=readable, hidden=hidden, file_bytes=size)
        plan = make_plan(interpreter, arguments, Folders.make(folder), access, layers)
        log = os.open(folder / "output.log", os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        try:
            with Launch(plan, log) as launch:
                ended = await_end(launch, folder, seconds)
                code, not_started = launch.ended, launch.not_started
            output = os.pread(log, MOST_BYTES, 0).decode(errors="replace")
        finally:
            os.close(log)
    finally:
        remove(folder)
    if not_started is not None:
        why = f"it can't be executed: {visible(not_started)}"
        return Ran(None, why, output, launch.layers)
    if ended:
        return Ran(None, ended, output, launch.layers)
    return Ran(code, _why(code, output, seconds), output, launch.layers)


def _why(code: int | None, output: str, seconds: float) -> str:
    """What went wrong with a command that was started, "" where nothing did."""
    if code is None:
        return f"it took more than {seconds:g} s"
    if code < 0:
        return f"it was ended by {signal_name(-code)}"
    if code == 0:
        return ""
    last = output.strip().splitlines()[-1:]
    return f"it ended with exit code {code}" + "".join(f": {visible(line, 300)}" for line in last)
