"""One command of a stranger's interpreter, run in the sandbox to its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kobench.sandbox.folders import remove
from kobench.sandbox.layers import LAYERS
from kobench.sandbox.places import Interpreter, readable_by
from kobench.sandbox.start import Launch, Plan, signal_name
from kobench.sandbox.variables import variables
from kobench.util.text import visible

#: More bytes of output than this are not read.
MOST_BYTES = 16_000_000

#: MB that /dev/shm may hold.
SHARED_MB = 64


@dataclass(frozen=True)
class Ran:
    """How a command ended: code, 0 for well, None where it did not end or could not start; why, ""
    for well; and what it printed.
    """

    code: int | None
    why: str
    output: str


def run_once(
    interpreter: Interpreter,
    arguments: Sequence[str],
    readable: Sequence[Path] = (),
    seconds: float = 120.0,
) -> Ran:
    """Run an interpreter with every layer of the sandbox that there is here; it may read its own
    places and `readable`.
    """
    folder = Path(tempfile.mkdtemp(prefix="kobench-")).resolve()
    try:
        tree, temporary, scratch = (folder / name for name in ("tree", "tmp", "scratch"))
        for place in (tree, temporary, scratch):
            place.mkdir()
        plan = Plan(
            command=[str(interpreter.python), *arguments],
            environment=variables(interpreter, scratch, scratch, 1, True, False),
            cwd=str(scratch),
            tree=str(tree),
            temporary=str(temporary),
            read=readable_by(interpreter, tuple(readable), False),
            write=[str(scratch)],
            memory_mb=SHARED_MB,
            layers=LAYERS,
        )
        log = os.open(folder / "output.log", os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        try:
            with Launch(plan, log) as launch:
                launch.await_end(seconds)
                code, not_started = launch.ended, launch.not_started
            output = os.pread(log, MOST_BYTES, 0).decode(errors="replace")
        finally:
            os.close(log)
    finally:
        remove(folder)
    why = ""
    if not_started is not None:
        code, why = None, f"it can't be executed: {visible(not_started)}"
    elif code is None:
        why = f"it took more than {seconds:g} s"
    elif code < 0:
        why = f"it was ended by {signal_name(-code)}"
    elif code:
        last = output.strip().splitlines()[-1:]
        why = f"it ended with exit code {code}" + "".join(
            f": {visible(line, 300)}" for line in last
        )
    return Ran(code, why, output)
