"""What the types of a record's fields can't say: words of a known few, lists of equal length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kobench.errors import BAD, STATUSES
from kobench.results.faults import Fault, shown
from kobench.results.parts import Record
from kobench.util.text import listed

#: What a trial may be of, how it may end, and which end of a metric may be the better one.
ROLES = ("predictor", "floor", "line")
ENDINGS = ("ok", *STATUSES)
DIRECTIONS = ("higher", "lower")


def check_sound(record: Record) -> None:
    """Raise Fault for what a board could not be made of.

    Parameters
    ----------
    record : Record
        A record of the present format.
    """
    one_of(record.role, ROLES, "role")
    one_of(record.result.status, ENDINGS, "result.status")
    if record.result.status in BAD and record.result.scores:
        ended = record.result.status
        raise Fault(
            f"has scores of a trial that ended as {ended!r}, expected none", "result.scores"
        )
    if record.trial.split.seed < 0:
        raise Fault(f"is {record.trial.split.seed}, expected 0 or more", "trial.split.seed")
    for label, scores in record.result.scores.items():
        place = f"result.scores.{label}"
        for name, metric in scores.metrics.items():
            one_of(metric.direction, DIRECTIONS, f"{place}.metrics.{name}.direction")
        equally_long(scores.table or {}, f"{place}.table")
        if points := scores.points:
            equally_long({"true": points.true, "predicted": points.predicted}, f"{place}.points")


def one_of(value: str, known: tuple[str, ...], place: str) -> None:
    """Raise Fault for a value that is none of those that are known."""
    if value not in known:
        raise Fault(f"is {shown(value)}, expected one of {listed(known)}", place)


def equally_long(columns: Mapping[str, Sequence[Any]], place: str) -> None:
    """Raise Fault for columns of different lengths."""
    lengths = sorted({len(values) for values in columns.values()})
    if len(lengths) > 1:
        raise Fault(f"has columns of {lengths[0]} and of {lengths[-1]} values", place)
