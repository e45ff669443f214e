"""What a predictor raised, as a status and a message that can be shown anywhere."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
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


def failure(error: BaseException, own: str = "") -> dict[str, Any]:
    """Status, message and the end of the traceback of what a predictor raised.

    Nothing in it names a folder of this machine. The message ends with the place in the predictor's
    own code.

    Parameters
    ----------
    error : BaseException
        What was raised.
    own : str
        What the predictor's code is called, see `code_of`; "" where that is not known.
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
    every = traceback.extract_tb(error.__traceback__)
    frames = every[-TRACEBACK_LINES:]
    if isinstance(error, PermissionError) and makes_a_lock(frames[-1].filename):
        message = f"{message}: {NO_LOCKS}"
    lines = [
        f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}: {frame.line}"[:300]
        for frame in frames
    ]
    message = f"{message[:2000]}{place_in(every, own, status)}"
    return {"status": status, "message": message, "traceback": "\n".join(lines)}


def code_of(make: str, plugin_file: str | None) -> str:
    """What the code of a predictor is called: its file, or its top-level package or module.

    >>> code_of(":Mine", "folder/mine.py"), code_of("my_method.fast:Mine", None)
    ('mine.py', 'my_method')
    """
    return Path(plugin_file).name if plugin_file else make.partition(":")[0].partition(".")[0]


def place_in(frames: Sequence[traceback.FrameSummary], own: str, status: str) -> str:
    """Where something was raised, in brackets: the deepest line of the predictor's own code.

    Where none of its lines is among them it is the deepest of all; of an answer that is refused,
    which kobench raises itself, that would say nothing.
    """
    mine = [frame for frame in frames if own and is_of(Path(frame.filename), own)]
    if status != "invalid":
        mine = mine or list(frames)
    if not mine:
        return ""
    file, line, name = Path(mine[-1].filename).name, mine[-1].lineno, mine[-1].name
    return f" ({file[:100]}:{line} in {name[:100]})"


def is_of(file: Path, own: str) -> bool:
    """Whether a file has the name of the predictor's code, or lies in a package of that name.

    >>> is_of(Path("site/my_method/fast.py"), "my_method"), is_of(Path("a/mine.py"), "mine.py")
    (True, True)
    >>> is_of(Path("numpy/core.py"), "mine.py")
    False
    """
    return own in file.parts or file.name == f"{own}.py"


def makes_a_lock(file: str) -> bool:
    """Whether a file is the module by which multiprocessing makes locks."""
    return Path(file).parts[-2:] == ("multiprocessing", "synchronize.py")
