"""A score's interval as a small picture in the table of a section."""

from __future__ import annotations

from typing import NamedTuple

from kobench.board.row import Column, Score
from kobench.board.table import Section


class Bar(NamedTuple):
    """Where an interval, its value and the best floor stand, in percent from the worse end.

    Attributes
    ----------
    low, value, high, floor : str
        A number as CSS has it; "" for what there is not. low is the left end.
    """

    low: str
    value: str
    high: str
    floor: str


def bar(section: Section, column: Column, score: Score | None) -> Bar | None:
    """The interval as a bar; better is to the right, what lies outside is cut.

    Parameters
    ----------
    section : Section
        The section, whose predictors and best floor give the scale.
    column : Column
        The metric.
    score : Score or None
        A row's score by it.

    Returns
    -------
    Bar or None
        None without a value, an interval or a scale.
    """
    if score is None or score.value is None or score.low is None or score.high is None:
        return None
    ends = scale(section, column)
    if ends is None:
        return None
    worst, best = ends

    def place(value: float | None) -> str:
        if value is None:
            return ""
        share = min(1.0, max(0.0, (value - worst) / (best - worst)))
        return f"{100 * share:.0f}"

    left, right = sorted((score.low, score.high), reverse=column.sign < 0)
    return Bar(place(left), place(score.value), place(right), place(best_floor(section, column)))


def scale(section: Section, column: Column) -> tuple[float, float] | None:
    """The worst and the best end of all predictors and the best floor; None where they are one."""
    if column.name not in section.scales:
        section.scales[column.name] = scale_of(section, column)
    return section.scales[column.name]


def scale_of(section: Section, column: Column) -> tuple[float, float] | None:
    """The same, from the rows."""
    ends = [
        end
        for row in section.rows
        if row.role == "predictor" or column.name in row.best_floor
        if (score := row.scores.get(column.name))
        for end in (score.value, score.low, score.high)
        if end is not None
    ]
    if not ends or min(ends) == max(ends):
        return None
    return (min(ends), max(ends)) if column.sign > 0 else (max(ends), min(ends))


def best_floor(section: Section, column: Column) -> float | None:
    """The score of the floor that counts."""
    rows = (row for row in section.floors if column.name in row.best_floor)
    return next((row.scores[column.name].value for row in rows), None)
