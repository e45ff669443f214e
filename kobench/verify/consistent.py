"""The lowest level: a board's records by themselves, in milliseconds, without data or answers.

It finds what contradicts itself, what a metric can't give and what no kobench writes. Who forges
all that follows from a number, too, is found only by scoring the answers again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from kobench.errors import INCONSISTENT, UNVERIFIABLE, WRONG
from kobench.results.evidence import Evidence, Place, place_of
from kobench.results.naming import row_of
from kobench.results.parts import Record
from kobench.verify.finding import Finding, by_record
from kobench.verify.known import Known
from kobench.verify.origin import check_origin
from kobench.verify.tables import check_table
from kobench.verify.together import check_together
from kobench.verify.values import check_scores

#: Where nobody looked further.
NO_EVIDENCE: Mapping[Place, Evidence] = MappingProxyType({})


def check_consistent(
    records: Sequence[Record], known: Known, of_suite: Mapping[str, int] | None = None
) -> list[Finding]:
    """What is wrong with records, as far as they show it themselves.

    Parameters
    ----------
    records : sequence of Record
        All records of a folder.
    known : Known
        What kobench declares here.
    of_suite : mapping of str to int, or None
        How many networks each dataset has in the suite of a published folder.

    Returns
    -------
    list of Finding
        First those of single records, in their order, then those of several.
    """
    found = []
    for record in records:
        row = row_of(record)
        found += [Finding(record, row, "", reason) for reason in check_origin(record, known)]
        for label, scores in record.result.scores.items():
            reasons = [*check_scores(label, scores, known), *check_table(record, scores, known)]
            found += [Finding(record, row, label, reason) for reason in reasons]
    return [*found, *check_together(records, of_suite)]


def without(
    records: Sequence[Record],
    findings: Iterable[Finding],
    evidence: Mapping[Place, Evidence] = NO_EVIDENCE,
) -> list[Record]:
    """The records, those that nobody has to believe as records of a trial that ended so.

    Their scores are taken out, and the first reason stands where these would.

    Parameters
    ----------
    records : sequence of Record
        The records.
    findings : iterable of Finding
        What is wrong with some.
    evidence : mapping of Place to Evidence
        What somebody found out of rows, and of just these records.
    """
    wrong = by_record(findings)
    refuted = {
        place: one for place, one in evidence.items() if one.outcome in (WRONG, UNVERIFIABLE)
    }

    def believed(record: Record) -> Record:
        if found := wrong.get(id(record)):
            first, more = found[0], len(found) - 1
            task = f"{first.task}: " if first.task else ""
            message = f"{task}{first.reason}{f', and {more} more' if more else ''}"
            return struck(record, INCONSISTENT, message)
        one = refuted.get(place_of(record)) if refuted else None
        if one is None:
            return record
        return struck(record, one.outcome, f"{one.reason} (found by {one.by} on {one.on})")

    return [believed(record) for record in records]


def struck(record: Record, status: str, message: str) -> Record:
    """A record without its scores, which says why."""
    result = replace(
        record.result, status=status, stage="verify", message=message, scores={}, answers={}
    )
    return replace(record, result=result)
