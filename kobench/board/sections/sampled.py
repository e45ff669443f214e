"""Records whose knockouts were drawn at random: which can be compared, and what the draw means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kobench.board.numbers.networks import slot_of
from kobench.board.numbers.series import Numbers
from kobench.board.row import Column
from kobench.board.sections.counted import by_slot, count
from kobench.board.written import number
from kobench.results.parts import Record


def with_equal_events(records: Sequence[Record], task: str) -> tuple[list[Record], list[str]]:
    """The records that were asked the same knockouts as the floors, and the names of the others.

    Without floors, the same as the first record. Scores of other knockouts are no paired
    comparison: a row that was asked a sample stands beside floors that were asked the same sample.
    """

    def events(record: Record) -> Any:
        """The draw of a record."""
        return record.result.scores[task].events

    scored = [record for record in records if task in record.result.scores]
    leading = {slot_of(record): events(record) for record in reversed(scored)}
    leading |= {
        slot_of(record): events(record) for record in reversed(scored) if record.role == "floor"
    }
    odd = [record for record in scored if events(record) != leading[slot_of(record)]]
    left_out = {id(record) for record in odd}
    return [record for record in records if id(record) not in left_out], sorted(
        {record.trial.predictor.selection for record in odd}
    )


def warning_of(names: Sequence[str]) -> tuple[str, ...]:
    """What a section says of rows that were asked other knockouts than its floors."""
    if not names:
        return ()
    return (
        (
            "Left out, because other knockouts were asked of them than of the floors:"
            f" {', '.join(names)}. Run all with the same --events."
        ),
    )


def remarks_on_draws(numbers: Numbers, primary: Iterable[Column]) -> list[str]:
    """How many knockouts were drawn, and by how much another draw would move the scores.

    The latter is the largest standard error of any row.
    """
    drawn = {
        slot: known[-1]
        for slot, fits in by_slot(numbers).items()
        if (known := [one.events for one in fits if one.events])
    }
    said = []
    if drawn:
        asked = count({slot: events.asked for slot, events in drawn.items()})
        of = count({slot: events.of for slot, events in drawn.items()})
        said.append(f"{asked} of {of} single knockouts were drawn at random and asked{asked.each}")
    for column in primary:
        errors = [
            float(score.sampling_error)
            for score in numbers.by_metric(column.name)
            if score.sampling_error is not None
        ]
        if errors:
            said.append(
                f"another draw would move a score by {column.name} by up to ±{number(max(errors))}"
                " (one standard error)"
            )
    return said
