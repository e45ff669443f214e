"""Which answers of a board are published: all, or a sample of each row that nobody could pick.

Where not all are kept, it is so many of each row: those whose hash with the hash of all answers of
that row is lowest. Whoever changes any of them changes the sample, and a row that comes or goes
leaves the samples of the others as they are. Where there are more rows than answers that fit, it is
so many records of all. (Before, the hash was over all answers of the board.)
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kobench.results.parts import Record
from kobench.results.records import identity
from kobench.results.versions import row_of, spot_of


@dataclass(frozen=True)
class Sample:
    """Which answers are published.

    Attributes
    ----------
    all_answers : str
        Sha256 over the hashes of all answers of predictors.
    of_row : int or None
        How many records of each row have theirs kept; None for all.
    sets : tuple of str
        The question sets whose answers are kept.
    left_out : mapping of str to int
        Question set whose answers are too large -> how many bytes all of them have.
    of_all : int or None
        How many records have theirs kept, whatever their rows, where not even one of each row
        fits; None for no such limit.
    together : tuple of str, or None
        The rows (see `name_of_row`) that were sampled by the hash of the answers of all of them,
        each other one by its own; None for all rows, as older boards were packed.
    """

    all_answers: str
    of_row: int | None
    sets: tuple[str, ...]
    left_out: Mapping[str, int]
    of_all: int | None = None
    together: tuple[str, ...] | None = None


def name_of_row(record: Record) -> str:
    """What a row is called in `sample.json`: its selection, and what else makes it that row."""
    return "|".join(row_of(record.role, record.trial)[1:])


def named_answers(records: Iterable[Record]) -> list[tuple[Record, str, str]]:
    """Record, question set and hash of every answer of predictors, in the order of the hashes.

    Floors and lines are made anew, so theirs are not kept.
    """
    found = [
        (record, name, key)
        for record in records
        if record.role == "predictor"
        for name, key in record.result.answers.items()
    ]
    return sorted(found, key=lambda one: (one[2], one[1], identity(one[0].trial)))


def hash_of_all(records: Iterable[Record]) -> str:
    """Sha256 over the hashes of all answers, whose they are and to what."""
    digest = hashlib.sha256()
    for record, name, key in named_answers(records):
        digest.update(f"{identity(record.trial)}|{name}|{key}\n".encode())
    return digest.hexdigest()


def chosen_answers(records: Iterable[Record], sample: Sample) -> set[str]:
    """The hashes of the answers that are in a sample.

    Parameters
    ----------
    records : iterable of Record
        All records of the board.
    sample : Sample
        How many of a row, and of which question sets.
    """
    every = [record for record in records if record.role == "predictor"]
    hashes = hashes_of_rows(every, sample)
    rows: dict[tuple[object, str], list[tuple[str, str]]] = defaultdict(list)
    for record, name, key in named_answers(every):
        if name in sample.sets:
            whole = hashes[name_of_row(record)]
            lot = hashlib.sha256(f"{whole}|{identity(record.trial)}".encode())
            row = spot_of(record.role, record.trial)._replace(train="")
            rows[row, name].append((lot.hexdigest(), key))
    if sample.of_all is not None:
        every_lot = {lot for of_row in rows.values() for lot, _ in of_row}
        drawn = set(sorted(every_lot)[: sample.of_all])
        return {key for of_row in rows.values() for lot, key in of_row if lot in drawn}
    return {key for lots in rows.values() for _, key in sorted(lots)[: sample.of_row]}


def hashes_of_rows(records: Iterable[Record], sample: Sample) -> dict[str, str]:
    """By row the hash that chooses its answers."""
    rows: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        rows[name_of_row(record)].append(record)
    together = set(rows if sample.together is None else sample.together)
    members = [record for name in rows if name in together for record in rows[name]]
    shared = hash_of_all(members) if members else ""
    return {
        name: shared if name in together else hash_of_all(found) for name, found in rows.items()
    }
