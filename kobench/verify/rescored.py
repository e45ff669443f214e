"""The middle level: stored answers scored again, here, against the truth made or loaded here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kobench.errors import BAD
from kobench.results.parts import Record
from kobench.runner.recorded import Source
from kobench.runner.replay import Replayed, replay
from kobench.verify.finding import Finding

#: Differences of one record that are told one by one.
TOLD = 3


@dataclass
class Rescored:
    """What came of scoring the records of a folder again.

    Attributes
    ----------
    findings : list of Finding
        Numbers that come out otherwise.
    open : list of Finding
        What could not be scored again, and why: no answers, no data, another version.
    checked : set of int
        The `id` of each record of which every score that could be made came out as recorded.
    sampled_out : dict of int to list of str
        The `id` of a record -> the question sets whose answers were not published.
    no_answers : dict of int to str
        The `id` of a record -> why there are no answers of which to make its scores.
    labels : dict of int to frozenset of str
        The `id` of a record -> the tasks that were scored again.
    numbers : int
        How many numbers were compared.
    """

    findings: list[Finding] = field(default_factory=list)
    open: list[Finding] = field(default_factory=list)
    checked: set[int] = field(default_factory=set)
    sampled_out: dict[int, list[str]] = field(default_factory=dict)
    labels: dict[int, frozenset[str]] = field(default_factory=dict)
    no_answers: dict[int, str] = field(default_factory=dict)
    numbers: int = 0


def rescore(
    records: Iterable[Record], source: Source, tell: Callable[[Replayed], None] = lambda _: None
) -> Rescored:
    """Score the stored answers of records again; floors and lines are made anew.

    Parameters
    ----------
    records : iterable of Record
        The records.
    source : Source
        Where datasets, tasks, metrics and answers are found.
    tell : callable
        Is given each record as soon as it is done.
    """
    found = Rescored()
    for done in replay(records, source):
        record = done.record
        found.numbers += done.numbers
        for label, difference in done.differing[:TOLD]:
            more = len(done.differing) - TOLD
            rest = (
                f", and {more} more numbers"
                if more > 0 and difference is done.differing[TOLD - 1][1]
                else ""
            )
            found.findings.append(Finding(record, done.row, label, f"{difference}{rest}"))
        found.open += [Finding(record, done.row, "", why) for why in done.left_out]
        if done.sampled_out:
            found.sampled_out[id(record)] = done.sampled_out
        if done.no_answers:
            found.no_answers[id(record)] = done.no_answers
        fine = not done.differing and not done.left_out and record.result.status not in BAD
        if fine and (done.labels or not done.sampled_out):
            found.checked.add(id(record))
        found.labels[id(record)] = frozenset(done.labels)
        tell(done)
    return found
