"""Accuracy beside cost by size: where datasets differ in their number of genes or cells alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.board.row import Cost, Row, Score
from kobench.board.table import Section

#: The parameters that are sizes.
SIZES = ("genes", "cells")

#: The fewest sizes that show a growth.
FEWEST = 3

#: Seconds below which a time is mostly start-up and says nothing of growth.
LEAST = 0.5


@dataclass(frozen=True)
class Grown:
    """What a predictor scores at one size, and what that cost.

    Attributes
    ----------
    score : Score or None
        None where it has no score.
    cost : Cost or None
        None where none was measured.
    hollow : bool
        As in `Row`.
    """

    score: Score | None
    cost: Cost | None
    hollow: bool = False

    @property
    def seconds(self) -> float | None:
        """Seconds of fitting and answering together."""
        parts = [] if self.cost is None else [self.cost.fit_seconds, self.cost.predict_seconds]
        known = [part for part in parts if part is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class Growth:
    """A task on one dataset at s sizes, by p predictors.

    Attributes
    ----------
    dataset, task, split : str
        What the sections have in common.
    size : str
        The parameter that differs.
    metric : str
        The primary metric that the scores are of.
    sizes : (s,) tuple of int
        Its values, the smallest first.
    floors : (s,) tuple of (str, float or None)
        The best floor and its score.
    predictors : (p,) tuple of str
        Names.
    cells : (p, s) tuple of tuple of Grown
        What each predictor does at each size.
    exponents : (p,) tuple of float or None
        The slope of log seconds on log size, None with fewer than three times above `LEAST`.
    """

    dataset: str
    task: str
    split: str
    size: str
    metric: str
    sizes: tuple[int, ...]
    floors: tuple[tuple[str, float | None], ...]
    predictors: tuple[str, ...]
    cells: tuple[tuple[Grown, ...], ...]
    exponents: tuple[float | None, ...]


def growths_of(sections: Sequence[Section]) -> tuple[Growth, ...]:
    """One growth for each task, split and dataset seen at three sizes or more.

    Parameters
    ----------
    sections : sequence of Section
        The sections of a board. Those of one name whose parameters differ in a size alone are
        taken together.

    Returns
    -------
    tuple of Growth
        By task, the most demanding first, then by dataset.
    """
    groups: dict[tuple[Any, ...], list[Section]] = defaultdict(list)
    for section in sections:
        for size in SIZES:
            if section.primary and has_size(section, size):
                groups[group_key(section, size)].append(section)
    return tuple(
        growth_of(group, key[4]) for key, group in sorted(groups.items()) if len(group) >= FEWEST
    )


def has_size(section: Section, size: str) -> bool:
    """Whether a section says how large it is; 0 means all that a file has."""
    value = section.params.get(size)
    return type(value) is int and value > 0


def group_key(section: Section, size: str) -> tuple[Any, ...]:
    """What sections that differ in a size alone have in common; the size is the fifth part."""
    rest = sorted((key, repr(value)) for key, value in section.params.items() if key != size)
    return (
        section.order,
        section.dataset_name,
        section.split,
        section.train,
        size,
        tuple(rest),
    )


def growth_of(sections: Sequence[Section], size: str) -> Growth:
    """The growth of sections that differ in `size`."""
    ordered = sorted(sections, key=lambda section: int(section.params[size]))
    first = ordered[0]
    metric = first.primary[0].name
    rows = [section.predictors for section in ordered]
    names = tuple(dict.fromkeys(name for named in rows for name in named))
    sizes = tuple(int(section.params[size]) for section in ordered)
    cells = tuple(tuple(grown(named.get(name), metric) for named in rows) for name in names)
    return Growth(
        dataset=first.dataset_name,
        task=first.task,
        split=first.split,
        size=size,
        metric=metric,
        sizes=sizes,
        floors=tuple(best_floor(section) for section in ordered),
        predictors=names,
        cells=cells,
        exponents=tuple(exponent(sizes, [cell.seconds for cell in row]) for row in cells),
    )


def grown(row: Row | None, metric: str) -> Grown:
    """Score and cost of a row, where there is one."""
    return Grown(None, None) if row is None else Grown(row.scores.get(metric), row.cost, row.hollow)


def best_floor(section: Section) -> tuple[str, float | None]:
    """The floor that counts and its score."""
    column = section.primary[0]
    name = column.floor or "none"
    row = next((row for row in section.floors if row.name == name), None)
    score = row.scores.get(column.name) if row else None
    return name, score.value if score else None


def exponent(sizes: Sequence[int], seconds: Sequence[float | None]) -> float | None:
    """The slope of log seconds on log size by least squares.

    Parameters
    ----------
    sizes : (s,) sequence of int
        Numbers of genes or cells.
    seconds : (s,) sequence of float or None
        Times; those below `LEAST` do not count.

    Returns
    -------
    float or None
        None with fewer than three sizes that count.

    Examples
    --------
    >>> exponent([100, 200, 400], [1.0, 4.0, 16.0])
    2.0
    """
    points = [
        (math.log(size), math.log(value))
        for size, value in zip(sizes, seconds, strict=True)
        if value is not None and value >= LEAST
    ]
    if len({x for x, _ in points}) < FEWEST:
        return None
    x, y = np.array(points).T
    return round(float(np.polyfit(x, y, 1)[0]), 9)
