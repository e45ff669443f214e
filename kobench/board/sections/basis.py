"""Floors and lines that a task names and that a folder of records lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kobench.board.numbers.networks import Slot, slot_of
from kobench.errors import DISBELIEVED
from kobench.results.parts import Record


def missing_basis(records: Iterable[Record], task: str) -> str:
    """Why nothing is compared where floors or lines of a task have no record, "" where all have.

    A board that merely left them out would compare with the best floor that is there, and whoever
    takes the best ones out of a folder, or says of them that they failed, would have beaten the
    others. A line that the dataset does not offer has a record, too. One that nobody has
    to believe counts for none, and so does a floor without scores: floors are quick, and fail where
    something is wrong.

    Parameters
    ----------
    records : iterable of Record
        All records of one dataset, split and training group.
    task : str
        The task's label.
    """
    there: dict[Slot, set[tuple[str, str]]] = defaultdict(set)
    wanted: dict[Slot, set[tuple[str, str]]] = defaultdict(set)
    for record in records:
        slot = slot_of(record)
        if record.result.status in DISBELIEVED:
            continue
        if record.role == "floor" and record.result.status != "ok":
            continue
        if record.role != "predictor":
            there[slot].add((record.role, own_name(record.trial.predictor.name)))
        elif task in record.result.scores:
            scores = record.result.scores[task]
            wanted[slot] |= {("floor", own_name(name)) for name in scores.floors}
            wanted[slot] |= {("line", name) for name in scores.lines}
    lacking = sorted({each for slot in wanted for each in wanted[slot] - there[slot]})
    if not lacking:
        return ""
    named = " and ".join(
        f"the {role}{'s' * (len(found) > 1)} {', '.join(found)}"
        for role in ("floor", "line")
        if (found := [name for kind, name in lacking if kind == role])
    )
    return (
        f"{named} of this task have no good record for all of the rows, so nothing is compared; the"
        " command of the run makes them"
    )


def own_name(name: str) -> str:
    """A name without the distribution that may stand before it."""
    return name.rpartition("/")[2]
