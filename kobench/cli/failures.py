"""What a run says of trials without a result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kobench.results.parts import Record

#: How many kinds of failures are told.
TOLD = 3

#: How much of a reason is told, in characters.
REASON = 200

#: How a message ends that names a line of code.
PLACE = re.compile(r" \(\S+:\d+ in \S+\)$")


def failures(
    failed: Sequence[Record], records: Sequence[Record], verbose: bool, more: str
) -> list[str]:
    """Why trials have no result, those of one predictor that failed alike in one line.

    Parameters
    ----------
    failed : sequence of Record
        These trials.
    records : sequence of Record
        All records of the run.
    verbose : bool
        Whether to tell each trial, and all of its reason.
    more : str
        How to see the rest.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for record in failed:
        line = failure_line(record, len(splits_of(record, records)) > 1)
        kind = record.trial.predictor.selection, why_of(record)
        found.setdefault(kind, []).append(line)
    if verbose:
        return [line for lines in found.values() for line in lines]
    said = []
    for lines in [*found.values()][:TOLD]:
        first = lines[0] if len(lines[0]) <= REASON else f"{lines[0][: REASON - 3]}..."
        alike = len(lines) - 1
        said.append(f"{first} (and {alike} more alike)" if alike else first)
    rest = len(failed) - sum(map(len, [*found.values()][:TOLD]))
    return [*said, f"{rest} more trials failed ({more})"] if rest else said


def splits_of(record: Record, records: Iterable[Record]) -> set[int]:
    """The seeds of the splits of that name that a run had on the dataset of one of its records."""
    found, split = record.trial.dataset.selection, record.trial.split.name
    return {
        other.trial.split.seed
        for other in records
        if other.trial.dataset.selection == found and other.trial.split.name == split
    }


def failure_line(record: Record, several: bool = False) -> str:
    """Why a trial has no result, in one line; with the split where the run has `several`."""
    trial = record.trial
    what = f"{trial.predictor.selection} on {trial.dataset.selection}"
    what += f", split seed {trial.split.seed}" if several else ""
    return f"{what}: {why_of(record)}"


def why_of(record: Record) -> str:
    """Why a trial has no result, without which trial it is."""
    result = record.result
    why = f"{result.status} in {result.stage}: {record.run.found or result.message}"
    last = (result.traceback or "").splitlines()[-1:] if result.status == "failed" else []
    if PLACE.search(why):
        last = []  # it says already where the predictor's own code was
    return why + "".join(f" ({line})" for line in last)
