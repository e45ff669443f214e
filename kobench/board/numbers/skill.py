"""Where a score lies between the floor and the ceiling: its skill, and the verdict on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kobench.board.numbers.intervals import (
    Interval,
    Series,
    combine,
    mean_interval,
    ratio_interval,
)
from kobench.board.row import Column, Score
from kobench.cells import FloatArray

#: What no floor counts below (`nothing` in the records) is itself the floor where the best one
#: scores worse than that by more than this.
SLACK = 1e-4

#: Why no skill is printed.
NO_FLOOR, NO_CEILING = "no floor", "no ceiling"
NO_HEADROOM, NO_INTERVAL = "no headroom", "no interval"


def with_skill(
    score: Score, scale: float, column: Column, gain: Series, floor: Series, ceiling: Series | None
) -> tuple[Score, float]:
    """The score with its skill, or the reason why none is printed, and the gap it is a share of.

    Parameters
    ----------
    score : Score
        The score without skill.
    scale : float
        What gains are divided by where no skill is printed.
    column : Column
        The metric.
    gain, floor : Series
        How far the row lies above the floor, and the floor, on the row's units.
    ceiling : Series, or None
        What an answer without error would score on these units.
    """
    if column.reason:
        return replace(score, skill_reason=column.reason), scale
    if ceiling is None:
        return replace(score, skill_reason=NO_CEILING), scale
    gap = gap_of(column, ceiling, floor)
    if why := headroom_reason(column, mean_interval(gap)):
        return replace(score, skill_reason=why), scale
    skill = ratio_interval(gain, gap)
    score = replace(
        score, skill=skill.value, skill_low=skill.low, skill_high=skill.high, skill_reason=""
    )
    return score, gap.mean


def covered(gain: FloatArray, share: FloatArray) -> FloatArray:
    """What a gain is worth where only a share of the units was answered, (n,) float.

    A positive gain shrinks, a negative one stays.

    Parameters
    ----------
    gain, share : (n,) float
        Gains, and the share of units answered, 0 to 1.

    >>> covered(np.array([0.4, -0.4]), np.array([0.5, 0.5])).tolist()
    [0.2, -0.4]
    """
    return np.minimum(gain, share * gain)


def constant(value: float, like: Series) -> Series:
    """The same value in every block and draw of another series."""
    return combine(lambda x: np.full_like(x, value), like)


def or_nothing(column: Column, name: str, floor: Series) -> tuple[str, Series]:
    """A floor, or what no floor counts below where that is better."""
    if column.nothing is None or column.sign * (column.nothing - floor.mean) <= SLACK:
        return name, floor
    return column.level, constant(column.nothing, floor)


def gap_of(column: Column, ceiling: Series, floor: Series) -> Series:
    """How far the ceiling lies above the floor, block by block and draw by draw."""
    return combine(lambda most, least: column.sign * (most - least), ceiling, floor)


def within(interval: Interval, column: Column) -> Interval:
    """The part of an interval that lies in the metric's range, which has all possible values."""
    if interval.low is None or interval.high is None:
        return interval
    low, high = interval.low, interval.high
    if column.low is not None:
        low = max(low, min(column.low, interval.value))
    if column.high is not None:
        high = min(high, max(column.high, interval.value))
    return Interval(interval.value, low, high)


def headroom_reason(column: Column, gap: Interval) -> str:
    """Nothing where skill may be printed, else why not."""
    if gap.value <= column.headroom:
        return NO_HEADROOM
    if gap.low is None:
        return NO_INTERVAL
    return "" if gap.above else NO_HEADROOM


def verdict_of(difference: Interval, smallest: float = 0.0) -> str:
    """What a paired difference to the best floor says; nothing where it has no interval.

    Parameters
    ----------
    difference : Interval
        Of the paired difference, > 0 is better.
    smallest : float
        The smallest difference that is named; a smaller one is "same" however sure it is.

    >>> verdict_of(Interval(0.02, 0.01, 0.03)), verdict_of(Interval(0.02, 0.01, 0.03), 0.025)
    ('better', 'same')
    """
    if difference.low is None:
        return ""
    if abs(difference.value) < smallest:
        return "same"
    return "better" if difference.above else "worse" if difference.below else "same"
