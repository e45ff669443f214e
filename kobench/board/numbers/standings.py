"""The statistics of one section: scores, skill, verdicts and ranks of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kobench.board.numbers.calibrated import CANNOT_TELL, calibration_of
from kobench.board.numbers.intervals import Series, combine, mean_interval
from kobench.board.numbers.pairs import beats, rank_intervals
from kobench.board.numbers.power import detectable
from kobench.board.numbers.rules import smallest_named
from kobench.board.numbers.series import Numbers
from kobench.board.numbers.skill import (
    NO_CEILING,
    NO_FLOOR,
    constant,
    covered,
    gap_of,
    headroom_reason,
    or_nothing,
    verdict_of,
    with_skill,
    within,
)
from kobench.board.numbers.values import NONE, Key, RowValues
from kobench.board.row import Column, Score


@dataclass(frozen=True, eq=False)
class Standing:
    """A row's score, and its gain by which it is ranked.

    Attributes
    ----------
    score : Score
        What is shown.
    gain : Series, or None
        `covered` (score - floor), larger is better, over the gap to the ceiling where there is
        headroom: the row's skill by block. None where nothing can stand in for a row without a
        score. Rows at full coverage share floor and gap, so their gains differ just as their scores
        do.
    """

    score: Score
    gain: Series | None = None


@dataclass(frozen=True)
class Place:
    """Where a row stands among the ranked ones.

    Attributes
    ----------
    key : Key
        The row.
    rank : (int, int)
        The interval of its rank.
    level_with : tuple of Key
        The rows that it can't be told apart from.
    """

    key: Key
    rank: tuple[int, int]
    level_with: tuple[Key, ...]


class Standings:
    """Scores, skill and ranks of a section.

    Attributes
    ----------
    numbers : Numbers
        The numbers of its records.
    columns : dict of str to Column
        By metric its facts, its floor and its headroom.
    section_floors : dict of str to Series
        By metric the best floor on every unit.
    beaten : dict of str to (str, float)
        By metric the best floor and its mean, where doing nothing is better.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.columns: dict[str, Column] = {}
        self.section_floors: dict[str, Series] = {}
        self.beaten: dict[str, tuple[str, float]] = {}
        for metric in numbers.metrics():
            self.columns[metric] = self.column(metric)

    def column(self, metric: str) -> Column:
        """A metric's facts, its best floor over all blocks, and whether that leaves headroom.

        One that can't tell controls apart here does not rank, and has no skill.
        """
        calibrated = calibration_of(self.numbers, metric)
        column = replace(self.with_floor(metric), calibrated=calibrated)
        return replace(column, primary=False, reason=CANNOT_TELL) if column.greyed else column

    def with_floor(self, metric: str) -> Column:
        """A metric's facts, its best floor over all blocks, and whether that leaves headroom."""
        example = self.numbers.example(metric)
        column = Column(
            name=metric,
            version=example.version if example else 1,
            direction=example.direction if example else "higher",
            best=example.best if example else None,
            low=example.low if example else None,
            high=example.high if example else None,
            primary=metric in self.numbers.primary(),
            ranks=metric in self.numbers.primary(),
            nothing=self.numbers.nothing(metric),
            level=self.numbers.least_floor,
            reason=NO_FLOOR,
        )
        slots = set(self.numbers.metric_slots(metric))
        best: tuple[str, RowValues] | None = None
        for name in self.numbers.floors:
            measured = self.numbers.measure(("floor", name), metric)
            complete = bool(slots) and set(measured.values) == slots and not measured.only_none
            if complete and (
                best is None or column.sign * (measured.series.mean - best[1].series.mean) > 0
            ):
                best = name, measured
        if best is None:
            return column
        name, floor = or_nothing(column, best[0], best[1].series)
        if name == column.level:
            self.beaten[metric] = best[0], best[1].series.mean
        self.section_floors[metric] = floor
        ceiling = best[1].ceiling
        if ceiling is None:
            least = smallest_named(floor.mean, column.best, column.span)
            return replace(column, floor=name, reason=NO_CEILING, smallest=least)
        gap = mean_interval(gap_of(column, ceiling, floor))
        column = replace(
            column,
            floor=name,
            ceiling=ceiling.mean,
            gap=gap,
            smallest=smallest_named(floor.mean, ceiling.mean, column.span),
        )
        return replace(column, reason=headroom_reason(column, gap))

    def best_floor(self, metric: str, units: RowValues) -> tuple[str, Series] | None:
        """The floor that scores best on the units that a row answered, or its lowest `level`.

        The first by name among equals; None where no floor has a score there.
        """
        column = self.columns[metric]
        best: tuple[str, Series] | None = None
        for name in self.numbers.floors:
            if self.numbers.measure(("floor", name), metric).only_none:
                continue
            series = self.numbers.floor(name, metric, units)
            if series is not None and (
                best is None or column.sign * (series.mean - best[1].mean) > 0
            ):
                best = name, series
        if best is not None:
            return or_nothing(column, *best)
        if column.floor == column.level and column.nothing is not None:
            return column.level, constant(column.nothing, units.series)
        return None

    def standing(self, key: Key, metric: str) -> Standing:
        """A row's score by a metric, its skill, and how it compares with the floor.

        The floor is scored on the same units and blocks.
        """
        return self.standing_of(self.numbers.measure(key, metric), metric)

    def standing_of(self, measured: RowValues, metric: str) -> Standing:
        """The same of a row's values, of all or of some of its slots."""
        column = self.columns[metric]
        if not measured.values:
            return Standing(Score(missing=measured.missing, skill_reason=measured.missing))
        series = measured.series
        value = within(mean_interval(series), column)
        score = Score(
            value.value,
            value.low,
            value.high,
            measured.missing,
            skill_reason=column.reason or NO_FLOOR,
        )
        best = self.best_floor(metric, measured)
        floor = best[1] if best else self.section_floors.get(metric)
        if floor is None or len(floor) != len(series):
            return Standing(score, combine(lambda x: column.sign * x, series))
        gain = combine(
            lambda x, base, share: covered(column.sign * (x - base), share),
            series,
            floor,
            measured.coverage,
        )
        scale = column.gap.value if column.gap and not column.reason else 1.0
        if best:
            difference = mean_interval(gain)
            score = replace(
                score,
                floor=best[0],
                difference=difference,
                verdict="" if column.greyed else verdict_of(difference, column.smallest),
                detectable=None if column.greyed else detectable(gain, column.smallest),
            )
            score, scale = with_skill(score, scale, column, gain, floor, measured.ceiling)
        if measured.only_none:
            score = Score(
                missing=NONE,
                skill_reason=NONE,
                floor=score.floor,
                difference=score.difference,
                verdict=score.verdict,
                detectable=score.detectable,
            )
        return Standing(score, combine(lambda x: x / scale, gain))

    def pair(
        self, key: Key, other: Key, gains: Mapping[Key, Series], metric: str
    ) -> tuple[Series, Series]:
        """The gains of two rows over the splits that both have."""
        one, two = self.numbers.measure(key, metric), self.numbers.measure(other, metric)
        if set(one.values) == set(two.values):
            return gains[key], gains[other]
        both = sorted(set(one.values) & set(two.values))
        first, second = (self.standing_of(row.within(both), metric).gain for row in (one, two))
        if first is None or second is None:
            return gains[key], gains[other]
        return first, second

    def places(self, standings: Mapping[Key, Standing], metric: str) -> list[Place]:
        """Rows that have every block, best first, by their standing by a metric.

        Rows whose answer gave no ranking, with no `random` to stand in, come last, level with each
        other.
        """
        gains = {
            key: standing.gain
            for key, standing in sorted(standings.items())
            if standing.gain is not None
        }
        first = sorted(gains, key=lambda key: (-gains[key].mean, key))
        keys = [*first, *sorted(set(standings) - set(first))]
        column = self.columns[metric]
        least = column.smallest / (column.gap.value if column.gap and not column.reason else 1.0)
        better = np.zeros((len(keys), len(keys)), dtype=bool)
        better[: len(first), : len(first)] = beats(
            [gains[key] for key in first],
            least,
            lambda i, j: self.pair(first[i], first[j], gains, metric),
            [frozenset(self.numbers.measure(key, metric).values) for key in first],
        )
        better[: len(first), len(first) :] = True
        same = ~(better | better.T)
        np.fill_diagonal(same, False)
        return [
            Place(key, rank, tuple(keys[j] for j in np.flatnonzero(same[i]).tolist()))
            for i, (key, rank) in enumerate(zip(keys, rank_intervals(better), strict=True))
        ]
