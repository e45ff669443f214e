"""What a predictor raised, as a status and a message that can be shown anywhere."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from kobench.errors import InvalidAnswerError

#: Lines of a traceback that are kept.
TRACEBACK_LINES = 12

#: What is said where multiprocessing can't make a lock.
NO_LOCKS = (
    "multiprocessing can make no locks, queues and pools where the sandbox has no /dev/shm, which"
    " is so on a machine without namespaces: see docs/sandbox.md, and use threads"
)


def failure(error: BaseException) -> dict[str, Any]:
    """Status, message and the end of the traceback of what a predictor raised.

    Nothing in it names a folder of this machine.
    """
    status = "failed"
    if isinstance(error, InvalidAnswerError):
        status = "invalid"
    elif isinstance(error, MemoryError):
        status = "out-of-memory"
    name = type(error).__name__
    try:
        said = str(error)
    except BaseException:  # it is the predictor's own text
        said = "(its message can't be shown)"
    if isinstance(error, SystemExit):
        message = f"it called sys.exit({said})"
    else:
        message = (
            said if isinstance(error, InvalidAnswerError) else f"{name}: {said}" if said else name
        )
    frames = traceback.extract_tb(error.__traceback__)[-TRACEBACK_LINES:]
    if isinstance(error, PermissionError) and makes_a_lock(frames[-1].filename):
        message = f"{message}: {NO_LOCKS}"
    lines = [
        f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}: {frame.line}"[:300]
        for frame in frames
    ]
    return {"status": status, "message": message[:2000], "traceback": "\n".join(lines)}


def makes_a_lock(file: str) -> bool:
    """Whether a file is the module by which multiprocessing makes locks."""
    return Path(file).parts[-2:] == ("multiprocessing", "synchronize.py")
