"""Which records are meant by the name of a row, a dataset, a task, or by their own names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobench.board.words import base, unmarked
from kobench.errors import BAD, UserError
from kobench.results.left_out import LeftOut, NothingReadableError
from kobench.results.parts import Record
from kobench.results.records import identity, read_record, read_records
from kobench.util.grammar import parse
from kobench.util.text import suggestion

#: Letters of a record's name that are enough to name it.
ENOUGH = 4

#: Letters of a record's name that are shown.
SHOWN = 8


@dataclass(frozen=True)
class Asked:
    """Which trial somebody wants to see.

    Attributes
    ----------
    trial : str
        The name of a row, with or without parameters, or that of a record, or its beginning.
    dataset, task : str
        Name or selection of the dataset, name or label of the task; "" for any.
    split_seed, fit_seed : int or None
        Seeds; None for any.
    """

    trial: str
    dataset: str = ""
    task: str = ""
    split_seed: int | None = None
    fit_seed: int | None = None


def records_in(place: Path) -> tuple[list[Record], str]:
    """The records of a results folder or a published one, or the one of a file.

    Returns
    -------
    records : list of Record
        All that can be read.
    remark : str
        What could not, "" for nothing.

    Raises
    ------
    UserError
        Where there are none.
    """
    if place.is_file():
        return [read_record(place)], ""
    left_out = LeftOut()
    records = list(read_records(place, left_out))
    if records:
        return records, left_out.remark()
    if left_out.count:
        raise NothingReadableError(
            f"there is no record in {place} that can be read. {left_out.remark()}"
        )
    raise UserError(
        f"there are no records in {place}; make some with `kobench run quick`, or name another"
        " folder"
    )


def matching(records: Iterable[Record], asked: Asked) -> list[Record]:
    """The records that are meant: those that failed first, then by dataset and seeds.

    Where a name is exactly that of a row, rows of the same predictor with other parameters are not
    meant.

    Raises
    ------
    UserError
        Where there are none, with what there is.
    """
    every = list(records)
    named = [record for record in every if is_named(record, asked.trial)]
    exact = [record for record in named if record.trial.predictor.selection == asked.trial]
    named = exact or named
    if not named:
        known = {record.trial.predictor.selection for record in every}
        raise UserError(
            f"no record is of {asked.trial!r}; {suggestion(asked.trial, known, 'rows')}"
        )
    found = [record for record in named if fits(record, asked)]
    if not found:
        there = sorted({place_of(record) for record in named})
        more = f" and {len(there) - 12} more" if len(there) > 12 else ""
        raise UserError(
            f"no record of {asked.trial!r} is on what was asked for; there are those on"
            f" {'; '.join(there[:12])}{more}"
        )
    return sorted(found, key=rank)


def rank(record: Record) -> tuple[bool, list[tuple[int, str]], str, int, int]:
    """Where a record stands among others; networks and splits by number."""
    trial = record.trial
    parts = re.split(r"([0-9]+)", trial.dataset.selection)
    return (
        record.result.status not in BAD,
        [(int(part), "") if part.isdigit() else (-1, part) for part in parts],
        trial.split.name,
        trial.split.seed,
        trial.fit_seed,
    )


def keeping_units(records: Iterable[Record], like: Record, task: str) -> str:
    """The name of a record of the same row that keeps single units; "" where there is none."""
    for record in sorted(records, key=rank):
        same = record.trial.predictor == like.trial.predictor
        if same and any(
            record.result.scores[label].table
            for label in tasks_of(record, task)
            if label in record.result.scores
        ):
            return identity(record.trial)[:SHOWN]
    return ""


def is_named(record: Record, text: str) -> bool:
    """Whether a text names the trial of a record: its row, or the record itself."""
    if len(text) >= ENOUGH and identity(record.trial).startswith(text):
        return True
    predictor = record.trial.predictor
    row = unmarked(text)
    for part in (f" (threads={record.trial.threads}", f" (device={record.trial.device}"):
        row = row.partition(part)[0]
    own = [predictor.name, predictor.selection]
    whose = [predictor.distribution, *([predictor.environment] if predictor.environment else [])]
    return (
        row in own
        or any(row == f"{other}/{name}" for other in whose for name in own)
        or selects(row, predictor.selection)
    )


def selects(text: str, selection: str) -> bool:
    """Whether two selections say the same, whatever the order of their keys."""
    try:
        return parse(text) == parse(selection)
    except UserError:
        return False


def fits(record: Record, asked: Asked) -> bool:
    """Whether a record is on the dataset, task and seeds that were asked for."""
    trial = record.trial
    dataset = {trial.dataset.name, trial.dataset.group, trial.dataset.selection}
    return (
        (
            not asked.dataset
            or asked.dataset in dataset
            or any(selects(asked.dataset, text) for text in dataset)
        )
        and (not asked.task or bool(tasks_of(record, asked.task)))
        and asked.split_seed in (None, trial.split.seed)
        and asked.fit_seed in (None, trial.fit_seed)
    )


def tasks_of(record: Record, task: str = "") -> Sequence[str]:
    """Labels of the tasks of a record, or of the one that is named, with or without its version."""
    every = sorted({*record.keys.scores, *record.result.scores})
    return [label for label in every if not task or task in (label, base(label))]


def place_of(record: Record) -> str:
    """The dataset and split of a record, in a few words."""
    trial = record.trial
    train = f", trained on {trial.split.train}" if trial.split.train else ""
    seed = f", fit seed {trial.fit_seed}" if trial.fit_seed else ""
    return f"{trial.dataset.selection}, {trial.split.name} {trial.split.seed}{train}{seed}"
