"""What a predictor raised, as a status and a message that can be shown anywhere."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from kobench.errors import InvalidAnswerError

#: Lines of a traceback that are kept.
TRACEBACK_LINES = 12


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
    lines = [
        f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}: {frame.line}"[:300]
        for frame in frames
    ]
    return {"status": status, "message": message[:2000], "traceback": "\n".join(lines)}
