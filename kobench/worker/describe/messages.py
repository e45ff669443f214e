"""What a describing child says is wrong: problems, as messages for its pipe."""

from __future__ import annotations

import os
import traceback
from typing import Any

#: Lines of a traceback that are kept.
TRACEBACK_LINES = 12

#: Characters of a message that are kept.
MESSAGE_CHARACTERS = 2000

#: Parts of the paths of what imports a plugin and calls its hooks. Their frames tell the plugin's
#: author nothing.
MACHINERY = (
    "importlib",
    f"{os.sep}pluggy{os.sep}",
    os.path.dirname(__file__) + os.sep,
)

#: One JSON object, a line on the pipe.
Message = dict[str, Any]


def problem(kind: str, message: str, error: BaseException | None = None, name: str = "") -> Message:
    """Say that something is wrong with a plugin.

    Parameters
    ----------
    kind : str
        See `kobench.plugins.sources.PluginProblem`.
    message : str
        One sentence.
    error : BaseException or None
        What was raised; the end of its traceback goes with the message.
    name : str
        The spec it is about, "" where it is about more.

    Returns
    -------
    dict
        The message.
    """
    return {
        "problem": {
            "kind": kind,
            "message": message[:MESSAGE_CHARACTERS],
            "traceback": _tail(error) if error else "",
            "name": name,
        }
    }


def what_happened(error: BaseException) -> str:
    """Say in words what was raised, to follow the name of what raised it.

    Examples
    --------
    >>> what_happened(ValueError("no cells")), what_happened(SystemExit(3))
    ('raised ValueError: no cells', 'called sys.exit(3)')
    """
    if isinstance(error, SystemExit):
        return f"called sys.exit({error.code!r})"
    name = type(error).__name__
    return f"raised {name}: {error}" if str(error) else f"raised {name}"


def _tail(error: BaseException) -> str:
    """The end of a traceback, without the frames of the machinery."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(part in frame.filename for part in MACHINERY)
    ]
    said = traceback.format_exception_only(type(error), error)  # Python 3.9 needs both
    text = "".join([*traceback.format_list(frames), *said])
    return "\n".join(text.rstrip().splitlines()[-TRACEBACK_LINES:])
