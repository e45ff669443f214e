"""Accuracy beside cost by size: where datasets differ in nothing but their number of genes or
cells.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kobench.board.table import Grown, Growth, Row, Section

#: From so many sizes on there is a growth to show.
FEWEST = 3

#: Seconds below which a time is mostly start-up and says nothing of growth.
LEAST = 0.5


def growths_of(sections: Sequence[Section]) -> tuple[Growth, ...]:
    """One growth for each task and split of datasets of one name whose parameters differ in a size
    alone, from three sizes on.
    """
    groups: dict[tuple[Any, ...], list[Section]] = defaultdict(list)
    for section in sections:
        params = section.params
        for size in ("genes", "cells") if section.primary else ():
            if size in params:
                rest = tuple(
                    sorted((key, repr(value)) for key, value in params.items() if key != size)
                )
                groups[
                    section.order,
                    section.dataset_name,
                    section.split,
                    section.train,
                    size,
                    rest,
                ].append(section)
    return tuple(
        growth_of(group, key[4]) for key, group in sorted(groups.items()) if len(group) >= FEWEST
    )


def growth_of(sections: Sequence[Section], size: str) -> Growth:
    """The growth of sections that differ in `size`."""
    ordered = sorted(sections, key=lambda section: int(section.params[size]))
    first = ordered[0]
    metric = first.primary[0].name
    names = list(
        dict.fromkeys(
            row.name for section in ordered for row in section.rows if row.role == "predictor"
        )
    )
    sizes = tuple(int(section.params[size]) for section in ordered)
    cells = tuple(
        tuple(grown(rows_of(section).get(name), metric) for section in ordered) for name in names
    )
    return Growth(
        first.dataset_name,
        first.task,
        first.split,
        size,
        metric,
        sizes,
        tuple(best_floor(section) for section in ordered),
        tuple(names),
        cells,
        tuple(exponent(sizes, [cell.seconds for cell in row]) for row in cells),
    )


def rows_of(section: Section) -> Mapping[str, Row]:
    """The section's predictors by name."""
    return {row.name: row for row in section.rows if row.role == "predictor"}


def grown(row: Row | None, metric: str) -> Grown:
    """Score and cost of a row, where there is one."""
    return Grown(None, None) if row is None else Grown(row.scores.get(metric), row.cost, row.hollow)


def best_floor(section: Section) -> tuple[str, float | None]:
    """The floor that counts and its score."""
    name = section.primary[0].floor or "none"
    score = next(
        (row.scores.get(section.primary[0].name) for row in section.floors if row.name == name),
        None,
    )
    return name, None if score is None else score.value


def exponent(sizes: Sequence[int], seconds: Sequence[float | None]) -> float | None:
    """The slope of log seconds on log size by least squares; None with fewer than three seconds of
    `LEAST` or more.

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
