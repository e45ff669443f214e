"""The records of one method beside those of a board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kobench.results.merge import slot_of
from kobench.results.parts import Record
from kobench.results.versions import row_of
from kobench.submit.lacks import asked
from kobench.verify.consistent import check_consistent
from kobench.verify.finding import Finding
from kobench.verify.known import Known


def row_of_all(records: Sequence[Record]) -> tuple[str, ...]:
    """The one row that records are of."""
    return row_of(records[0].role, records[0].trial)


def without(records: Sequence[Record], others: Sequence[Record]) -> list[Record]:
    """The records that are not among others."""
    gone = {id(one) for one in others}
    return [one for one in records if id(one) not in gone]


def with_tasks_of(own: Sequence[Record], board: Sequence[Record]) -> list[Record]:
    """Records with no more than the tasks of a board, and the answers that these need."""
    wanted = asked(board)
    found = []
    for record in own:
        scores = wanted.get(slot_of(record), {})
        asks = {one.asks for one in scores.values()}
        result, keys = record.result, record.keys
        result = replace(
            result,
            scores={label: one for label, one in result.scores.items() if label in scores},
            answers={name: key for name, key in result.answers.items() if name in asks},
        )
        keys = replace(
            keys,
            questions={name: key for name, key in keys.questions.items() if name in asks},
            scores={label: key for label, key in keys.scores.items() if label in scores},
        )
        tasks = {label: one for label, one in record.about.tasks.items() if label in scores}
        about = replace(record.about, tasks=tasks)
        found.append(replace(record, result=result, keys=keys, about=about, seal=None))
    return found


def with_same(records: Sequence[Record]) -> list[Record]:
    """Records with no more than what they say of their results."""
    first = records[0].run
    return [
        replace(
            one,
            run=replace(first, absent=None),
            seal=None,
            trial=replace(one.trial, dataset=replace(one.trial.dataset, secret=None)),
        )
        for one in records
    ]


def findings_of(own: Sequence[Record], board: Sequence[Record], known: Known) -> list[Finding]:
    """What contradicts itself in records beside those of a board, and did not without them."""
    row = row_of_all(own)
    rest = [record for record in board if row_of(record.role, record.trial) != row]
    mine = {id(record) for record in own}
    before = {str(one) for one in check_consistent(rest, known)}
    return [
        one
        for one in check_consistent([*rest, *own], known)
        if (one.record is not None and id(one.record) in mine)
        or (one.record is None and str(one) not in before)
    ]
