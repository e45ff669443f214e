"""What records say together: one dataset, one code a row, the same question, every floor."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kobench.board.make import grouped
from kobench.board.sections.basis import missing_basis
from kobench.results.naming import row_of
from kobench.results.parts import Record
from kobench.results.versions import spot_of
from kobench.verify.finding import Finding
from kobench.verify.planned import check_planned


def check_together(
    records: Sequence[Record], of_suite: Mapping[str, int] | None = None
) -> Iterator[Finding]:
    """Every contradiction between records, and what they lack; `of_suite` as `check_planned`."""
    yield from check_datasets(records)
    yield from check_codes(records)
    yield from check_questions(records)
    yield from check_planned(records, of_suite)
    yield from check_floors(records)


def gathered(records: Iterable[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
    """Records by a key, in the order given."""
    found: dict[Any, list[Record]] = defaultdict(list)
    for record in records:
        found[key(record)].append(record)
    return found


def usual(records: Sequence[Record], fact: Callable[[Record], str]) -> str:
    """A fact as floors have it, which kobench itself makes; without one, as most records have."""
    floors = [record for record in records if record.role == "floor"] or records
    counts = Counter(fact(record) for record in floors)
    return min(counts, key=lambda text: (-counts[text], text))


def others(
    records: Sequence[Record], fact: Callable[[Record], str]
) -> Iterator[tuple[Record, str]]:
    """Every record with another fact than the usual one, and that."""
    expected = usual(records, fact)
    yield from ((record, expected) for record in records if fact(record) != expected)


def check_datasets(records: Sequence[Record]) -> Iterator[Finding]:
    """Rows on other data than the floors: another version, or other cells, of one dataset."""
    for members in gathered(records, lambda record: record.trial.dataset.group).values():
        for record, expected in others(members, lambda record: str(record.trial.dataset.version)):
            found = record.trial.dataset.version
            reason = f"its dataset has version {found}, that of the floors {expected}"
            yield Finding(record, row_of(record), "", reason)
    for members in gathered(records, lambda record: record.trial.dataset.selection).values():
        for record, expected in others(members, lambda record: record.trial.dataset.digest):
            found = record.trial.dataset.digest[:16]
            reason = f"its cells have the digest {found}, those of the floors {expected[:16]}"
            yield Finding(record, row_of(record), "", reason)


def check_codes(records: Sequence[Record]) -> Iterator[Finding]:
    """Rows whose parts come from different code."""

    for members in gathered(records, lambda one: spot_of(one.role, one.trial)).values():
        codes = sorted(
            {(str(one.trial.predictor.version), one.trial.predictor.digest) for one in members}
        )
        if len(codes) < 2 or members[0].role == "line":
            continue
        said = ", ".join(f"version {version} ({digest[:8]})" for version, digest in codes[:4])
        reason = (
            f"the row is made of {len(codes)} versions of its code: {said}; run one of them on all"
        )
        trial = members[0].trial
        what = f"{trial.predictor.selection} on {trial.dataset.group}, {trial.split.name}"
        for record in members:
            yield Finding(record, what, "", reason)


def check_questions(records: Sequence[Record]) -> Iterator[Finding]:
    """Rows that were asked another number of units than the others, or left out others."""
    labels = sorted({label for record in records for label in record.result.scores})
    for label in labels:
        scored = [
            record
            for record in records
            if label in record.result.scores and record.result.scores[label].answered
        ]

        def fact(record: Record, label: str = label) -> str:
            scores = record.result.scores[label]
            left_out = ", ".join(f"{n:g} {why}" for why, n in sorted(scores.left_out.items()))
            return f"{scores.asked:g} units" + (f", {left_out} left out" if left_out else "")

        def place(record: Record) -> tuple[Any, ...]:
            trial = record.trial
            split = trial.split
            return trial.dataset.selection, split.name, split.seed, split.train

        for members in gathered(scored, place).values():
            for record, expected in others(members, fact):
                reason = f"was asked {fact(record)}, the floors {expected}"
                yield Finding(record, row_of(record), label, reason)


def check_floors(records: Sequence[Record]) -> Iterator[Finding]:
    """Floors and lines that a task names and that have no record."""
    for key, members in grouped(records).items():
        for label in sorted({label for one in members for label in one.result.scores}):
            if missing := missing_basis(members, label):
                what = f"{key.dataset}, {key.split}"
                yield Finding(None, what, label, missing, lacking=True)
