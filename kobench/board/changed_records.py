"""What changed between the records of two boards: results, versions, and what changes no number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kobench.board.board import Board
from kobench.board.words import base
from kobench.results.agreement import compare
from kobench.results.merge import Tolerance
from kobench.results.parts import Record, TaskScores
from kobench.results.records import identity
from kobench.results.versions import code_of
from kobench.util.files import canonical_json

#: What is said of records that differ neither in results nor in the run.
AS_BEFORE = "with the same results, and other facts in the record"


def other_results(
    old: Mapping[str, TaskScores], new: Mapping[str, TaskScores], tolerance: Tolerance
) -> bool:
    """Whether the trials of a row are others, or have other scores than machines differ by."""
    return old.keys() != new.keys() or any(
        differ(one, new[trial], tolerance) for trial, one in old.items()
    )


def differ(old: TaskScores, new: TaskScores, tolerance: Tolerance) -> bool:
    """Whether two scorings of one trial differ by more than machines do."""
    if old.metrics.keys() != new.metrics.keys():
        return True
    tolerances = {name: tolerance(name.partition("[")[0]) for name in old.metrics}
    return bool(compare(old, new, tolerances).differing)


def versions_between(
    old: tuple[Board, Sequence[Record]], new: tuple[Board, Sequence[Record]]
) -> Iterator[str]:
    """Versions that are others from one board, and its records, to another."""
    facts: tuple[dict[str, set[str]], dict[str, set[str]]] = (defaultdict(set), defaultdict(set))
    for (board, records), known in zip((old, new), facts, strict=True):
        for section in board.sections:
            known[f"dataset {section.dataset_name}"].add(section.dataset_version)
            known[f"task {base(section.task)}"].add(section.task.rpartition("@")[2])
            for column in section.columns:
                what = f"metric {column.name.partition('[')[0]} of {base(section.task)}"
                known[what].add(str(column.version))
        for record in records:
            predictor = record.trial.predictor
            if record.role == "predictor":
                known[predictor.selection].add(f"{predictor.version} (code {code_of(predictor)})")
            if record.run.kobench:
                known["kobench"].add(record.run.kobench)
    for what in sorted(facts[0].keys() & facts[1].keys()):
        before, after = (", ".join(sorted(known[what])) for known in facts)
        if before != after:
            yield f"{what}: {before} -> {after}"


def run_again(old: Iterable[Record], new: Iterable[Record], tolerance: Tolerance) -> Iterator[str]:
    """How many trials have records that differ in nothing that counts."""
    before = {record.role + identity(record.trial): record for record in old}
    counts: Counter[str] = Counter()
    for record in new:
        other = before.get(record.role + identity(record.trial))
        if other is None or other == record:
            continue
        if other.result == record.result:
            again = canonical_json(other.run.to_json()) != canonical_json(record.run.to_json())
            counts["run again, with the same results" if again else AS_BEFORE] += 1
        elif other.result.scores.keys() == record.result.scores.keys() and not any(
            differ(one, record.result.scores[label], tolerance)
            for label, one in other.result.scores.items()
        ):
            counts["with last digits or answers that differ, and no score"] += 1
    yield from (f"{count} trial{'s' * (count != 1)} {what}" for what, count in counts.items())
