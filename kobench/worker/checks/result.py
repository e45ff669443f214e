"""The outcome of one check, what a check may raise, and where a tested object raised something."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Literal

#: The folder of kobench.
OWN = Path(__file__).parents[2]


class Wrong(Exception):  # noqa: N818 - a finding
    """What a check found to be wrong."""


class NotApplicable(Exception):  # noqa: N818 - a finding
    """Why a check does not apply to what is tested."""


class NotRun(Exception):  # noqa: N818 - a finding
    """Why a check could not be run at all."""


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one check.

    Attributes
    ----------
    name : str
        Name of the check.
    status : {"passed", "failed", "skipped"}
        "skipped" is a check that does not apply.
    found : str
        What was measured, what is wrong, or why the check does not apply.
    """

    name: str
    status: Literal["passed", "failed", "skipped"]
    found: str


def place_of(error: BaseException) -> str:
    """Where code outside kobench raised something.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    str
        " (file.py:12 in fit: the line)", at most 300 characters; "" where kobench itself raised it.
    """
    frames = [
        frame
        for frame in extract_tb(error.__traceback__)
        if OWN not in Path(frame.filename).parents
    ]
    if not frames:
        return ""
    last = frames[-1]
    return f" ({Path(last.filename).name}:{last.lineno} in {last.name}: {last.line})"[:300]
