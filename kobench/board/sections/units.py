"""What records say of single perturbations, genes or pairs: a table, and points of pictures.

Records keep them of one network alone, the first; where there are more, the table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from kobench.board.numbers.series import Numbers
from kobench.board.numbers.values import Key, Slot
from kobench.board.sections.seeds import network_of
from kobench.board.table import Points, Units
from kobench.results.parts import TaskScores

T = TypeVar("T")

#: Columns that may name the units, the first that a table has; else the first column of texts.
NAMES = ("perturbation", "gene", "pair", "genes", "group", "cell_type", "cell")

#: Columns that stand first, in this order; the others follow by name.
FIRST = (
    "cells",
    "events",
    "linked",
    "detectable",
    "size",
    "adjusted p",
    "responding genes",
    "true",
    "true_low",
    "true_high",
)

#: A column that starts with one of these is a predictor's own, even where no two predictors differ
#: by it.
OWN = ("score", "predicted")


def units_of(
    numbers: Numbers, names: Mapping[Key, str], keys: Sequence[Key], several: bool
) -> Units | None:
    """One table of these rows' units, from the first slot of which a record has one.

    Parameters
    ----------
    numbers : Numbers
        The numbers of the section.
    names : mapping of Key to str
        What rows are called.
    keys : sequence of Key
        The rows.
    several : bool
        Whether there is more than one network, so that the table must say of which it is.

    Returns
    -------
    Units or None
        None where no record has any.
    """
    tables = first_with(numbers, keys, lambda scores: scores.table)
    if tables is None:
        return None
    slot, found = tables
    columns = sorted({column for table in found.values() for column in table})
    unit = name_column(columns, next(iter(found.values())))
    if unit is None:
        return None
    places: dict[Any, int] = {}
    for table in found.values():
        for name in table.get(unit, ()):
            places.setdefault(str(name), len(places))
    aligned = {
        key: aligned_to(places, unit, table) for key, table in found.items() if unit in table
    }
    order = sorted(
        (column for column in columns if column != unit),
        key=lambda name: (FIRST.index(name) if name in FIRST else 99, name),
    )
    metrics = {name.partition("[")[0] for name in numbers.metrics()}
    shared = {
        column: same_for_all(column, list(aligned.values()))
        for column in order
        if column not in metrics
    }
    facts = {column: values for column, values in shared.items() if values is not None}
    answers: dict[str, Mapping[str, tuple[Any, ...]]] = {}
    scored = set(numbers.metrics())
    for key, table in aligned.items():
        own = {
            over_all(column) if over_all(column) in scored else column: table[column]
            for column in order
            if column in table and column not in facts
        }
        answers |= {names[key]: own} if own else {}
    return Units(unit, of_network(numbers, slot, several), tuple(places), facts, answers)


def over_all(metric: str) -> str:
    """What a metric is called that is scored over all units, where its own name is that over some.

    A table of units has its values: what all units have in common is taken out of each.
    """
    return f"{metric}[all]"


def points_of(
    numbers: Numbers, names: Mapping[Key, str], keys: Sequence[Key], several: bool
) -> tuple[Points, ...]:
    """The sampled predictions of these rows, from the first slot of which a record has some."""
    found = first_with(numbers, keys, lambda scores: scores.points)
    if found is None:
        return ()
    slot, samples = found
    of = of_network(numbers, slot, several)
    return tuple(
        Points(names[key], one.what, of, tuple(one.true), tuple(one.predicted))
        for key, one in samples.items()
        if one.true and len(one.true) == len(one.predicted)
    )


def first_with(
    numbers: Numbers, keys: Sequence[Key], part: Callable[[TaskScores], T | None]
) -> tuple[Slot, dict[Key, T]] | None:
    """The first slot where one of these rows has a part, and the part of every row there.

    Parameters
    ----------
    numbers : Numbers
        The numbers of the section.
    keys : sequence of Key
        The rows.
    part : callable
        Takes the scores of a fit, returns the part or None. The first fit of a row that has it
        counts.
    """
    for slot in numbers.slots:
        found = {}
        for key in keys:
            fits = numbers.scores.get(key, {}).get(slot, [])
            given = next((one for fit in fits if (one := part(fit))), None)
            if given is not None:
                found[key] = given
        if found:
            return slot, found
    return None


def of_network(numbers: Numbers, slot: Slot, several: bool) -> str:
    """Which network a part is of, or which split of it; nothing where there is one."""
    if not several:
        return of_split(numbers, slot)
    datasets = [record.trial.dataset for fits in numbers.records.values() for record in fits]
    named = (network_of(dataset) for dataset in datasets if dataset.selection == slot[0])
    network = next(named, "")
    noun = numbers.networks.noun
    return f"{f'{noun} {network}' if network else 'data set'}, one of {len(numbers.blocks)}"


def of_split(numbers: Numbers, slot: Slot) -> str:
    """Which split of the cells a part is of, nothing where there is one."""
    of = numbers.splits.count(numbers.slots)
    if of < 2:
        return ""
    seed = next(
        record.trial.split.seed
        for fits in numbers.records.values()
        for record in fits
        if numbers.networks.slot(record) == slot
    )
    return f"split seed {seed}, one of {of}"


def name_column(columns: Sequence[str], table: Mapping[str, Sequence[Any]]) -> str | None:
    """The column that names the units."""
    known = [column for column in NAMES if column in columns]
    texts = [
        column
        for column in columns
        if table.get(column) and all(isinstance(value, str) for value in table[column])
    ]
    return next(iter([*known, *texts]), None)


def aligned_to(
    places: Mapping[str, int], unit: str, table: Mapping[str, Sequence[Any]]
) -> dict[str, tuple[Any, ...]]:
    """A table's columns in the order of the places, None where it lacks a unit."""
    rows: dict[int, int] = {places[str(name)]: i for i, name in enumerate(table[unit])}
    return {
        column: tuple(
            values[rows[place]] if place in rows and rows[place] < len(values) else None
            for place in range(len(places))
        )
        for column, values in table.items()
    }


def same_for_all(
    column: str, tables: Sequence[Mapping[str, tuple[Any, ...]]]
) -> tuple[Any, ...] | None:
    """The values of a column that all tables share where both know them.

    None for a predictor's own column.
    """
    if column.startswith(OWN):
        return None
    shared: list[Any] = []
    for values in zip(*(table[column] for table in tables if column in table), strict=True):
        known = [value for value in values if value is not None]
        if any(value != known[0] for value in known):
            return None
        shared.append(known[0] if known else None)
    return tuple(shared)
