"""Scores above what is possible: no skill but a leak, until somebody says why.

Three tests, each of a row against what an answer can reach that does not know the truth:

ceiling
    The score lies above the ceiling, which is what an answer without error would score against a
    truth that is measured with noise. The interval (at the confidence `BEYOND`) of the paired
    difference lies above 0.
replicate
    Where cells are predicted from their assemblage alone, the noise of a cell can't be seen. The
    error lies below half of a replicate's, which no such answer reaches in expectation: a distance
    d holds d(x, x') <= d(x, a) + d(a, x') for two draws x and x' of a cell and any answer a. The
    replicate itself is no bound: the middle of all draws is nearer to each of them than they are to
    each other, by a factor of 1.4 where the noise is Gaussian. Where the cell itself is given, its
    noise can be seen, and an honest answer may come nearer than any replicate.
equal
    The answer is the truth but for a thousandth of a replicate's error (of the best floor's, where
    cells are real). Simulated cells have noise of their own that no cell gives away in full, real
    ones that of counting.

docs/intervals.md has how often an answer without error is called too good by them.
"""

from __future__ import annotations

import numpy as np

from kobench.board.numbers.intervals import TIE, Series, combine, mean_interval
from kobench.board.numbers.rules import BEYOND
from kobench.board.numbers.standings import Standings
from kobench.board.numbers.values import Key, RowValues
from kobench.board.row import Column
from kobench.board.written import number

REPLICATE: Key = ("line", "replicate")

#: Questions that show an assemblage and no values, so that nobody can see a cell's noise.
UNSEEN = ("profile",)

#: Metrics that are distances, so that they hold the triangle inequality.
DISTANCES = ("bray-curtis",)

#: Kinds of units of which an answer has so many that none is the truth by luck.
MANY = ("profile", "impact")

#: An error under this share of a replicate's is none.
EQUAL = 1e-3


def beyond(standings: Standings, key: Key, metric: str, kind: str) -> str:
    """Why a row's score is above what is possible; "" where it is not.

    Parameters
    ----------
    standings : Standings
        The section.
    key : Key
        The row.
    metric : str
        A metric of the section.
    kind : "simulated" or "real"
        The kind of the dataset.
    """
    numbers, column = standings.numbers, standings.columns[metric]
    row = numbers.measure(key, metric)
    if not row.values or row.only_none or column.best is None:
        return ""
    value = number(row.series.mean)
    if over_ceiling(row, column):
        top = number(row.ceiling.mean) if row.ceiling else ""
        return f"{metric} {value}, where an answer without error would have {top}"
    scores = numbers.all[0]
    replicate = numbers.measure(REPLICATE, metric)
    paired = replicate if set(replicate.values) >= set(row.values) else None
    if scores.asks in UNSEEN and metric in DISTANCES and paired and under_half(row, paired):
        least = number(paired.series.mean / 2)
        return (
            f"{metric} {value}, where no answer that can't see the noise of a cell stays under"
            f" {least}, half of what two simulations of one cell differ by"
        )
    scale = paired or (standings.section_floors.get(metric) if kind == "real" else None)
    if scores.kind in MANY and scale is not None and equals_truth(row, column.best, scale):
        return f"{metric} {value}: the answer is the truth, with the noise that nobody can know"
    return ""


def over_ceiling(row: RowValues, column: Column) -> bool:
    """Whether a row scores above the ceiling of its units, where the truth has noise."""
    ceiling = row.ceiling
    if ceiling is None or column.best is None or abs(ceiling.mean - column.best) <= TIE:
        return False
    over = combine(lambda x, top: column.sign * (x - top), row.series, ceiling)
    return mean_interval(over, BEYOND).above


def under_half(row: RowValues, replicate: RowValues) -> bool:
    """Whether an error lies below half of a replicate's, in the blocks that the row has."""
    found = {block: i for i, block in enumerate(replicate.blocks)}
    places = [found[block] for block in row.blocks]
    theirs = replicate.series
    half = Series(
        theirs.values[places] / 2,
        None if theirs.draws is None else theirs.draws[places] / 2,
        theirs.units,
    )
    return mean_interval(combine(np.subtract, half, row.series), BEYOND).above


def equals_truth(row: RowValues, best: float, scale: RowValues | Series) -> bool:
    """Whether an error is under `EQUAL` of another one."""
    other = scale.series if isinstance(scale, RowValues) else scale
    error = float(np.abs(row.series.values - best).max())
    against = float(np.abs(other.values - best).min())
    return against > TIE and error <= EQUAL * against
