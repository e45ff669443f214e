"""The outcome of one check, and where in a predictor an exception was raised."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Literal

#: The folder of kobench.
OWN = Path(__file__).parents[2]


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one check. found : what was measured, what is wrong, or why it does not apply."""

    name: str
    status: Literal["passed", "failed", "skipped"]
    found: str


def place_of(error: BaseException) -> str:
    """ " (file.py:12 in fit: the line)", where a predictor raised something; "" where kobench
    did.
    """
    frames = [
        frame
        for frame in extract_tb(error.__traceback__)
        if OWN not in Path(frame.filename).parents
    ]
    return (
        f" ({Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}: {frames[-1].line})"[
            :300
        ]
        if frames
        else ""
    )
