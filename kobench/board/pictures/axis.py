"""What stands on the axis of scores: skill where everybody has one, else the score itself."""

from __future__ import annotations

from typing import NamedTuple

from kobench.board.row import Row
from kobench.board.table import Section


class Ends(NamedTuple):
    """A value with the ends of its interval, None where there is none."""

    value: float
    low: float | None
    high: float | None


def skilled(section: Section) -> bool:
    """Whether skill is printed for everyone ranked, so that it can be the axis."""
    name = section.primary[0].name
    return all(row.scores[name].skill is not None for row in section.ranked)


def value_of(row: Row, section: Section) -> Ends | None:
    """What a row has on the axis: its skill or score, with its interval; None without."""
    score = row.scores.get(section.primary[0].name)
    if score is None:
        return None
    if skilled(section):
        return None if score.skill is None else Ends(score.skill, score.skill_low, score.skill_high)
    return None if score.value is None else Ends(score.value, score.low, score.high)


def spread(row: Row, section: Section) -> tuple[float, float] | None:
    """A row's interval; None without one, and where it is a point."""
    ends = value_of(row, section)
    if ends is None or ends.low is None or ends.high is None or ends.low >= ends.high:
        return None
    return ends.low, ends.high
