"""What is wrong with a row of a board, and with which of its records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kobench.results.parts import Record


@dataclass(frozen=True)
class Finding:
    """One thing that can't be so.

    Attributes
    ----------
    record : Record or None
        The record that says it; None for what several say together.
    what : str
        The row, or the dataset, that a reader knows it by.
    task : str
        Label of the task, "" where it is about the whole record.
    reason : str
        What was found and what was expected, in one sentence without a full stop.
    lacking : bool
        Whether something is not there, which boards say themselves: a floor, or a trial of a row.
    """

    record: Record | None
    what: str
    task: str
    reason: str
    lacking: bool = False

    def __str__(self) -> str:
        place = f", {self.task}" if self.task else ""
        return f"{self.what}{place}: {self.reason}"


def by_record(findings: Iterable[Finding]) -> dict[int, list[Finding]]:
    """Findings by the `id` of the record that they are about; those of no single one left out."""
    found: dict[int, list[Finding]] = {}
    for finding in findings:
        if finding.record is not None:
            found.setdefault(id(finding.record), []).append(finding)
    return found
