"""The numbers behind transfer matrices: explained shares, drops and their means, from records.

explained (A, B) = (floor - score) / (floor - best), model and floor trained on A, asked for B: 0 is
the floor, 1 the truth. Of several floors each pair has its own best one. drop (A, B) = (score (A,
B) - score (B, B)) / (floor (A, B) - best): what a model of B itself, trained on as many cells,
explains more of the same cells. Both are shares of the same floor's error: against their own
floors, a model of B could look worse than one of A that errs more, only because the floor of A errs
even more on B.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kobench.board.numbers.intervals import (
    Interval,
    Series,
    combine,
    mean_interval,
    ratio_interval,
    t_quantile,
)
from kobench.board.numbers.networks import Networks
from kobench.board.numbers.series import by_row, column_of, row_key, units_of
from kobench.board.numbers.values import Key, Slot, block_series
from kobench.results.parts import MetricScore, Record

#: The row that stands for the best of the task's floors on each pair of groups.
FLOOR: Key = ("floor", "")

#: The (value, draws) of every fit, by slot.
Levels = dict[Slot, list[tuple[float, Sequence[float | None]]]]


@dataclass(frozen=True, eq=False)
class Share:
    """A ratio of two means over the same blocks.

    Attributes
    ----------
    top, bottom : Series
        One number for each block.
    blocks : tuple of str
        The blocks.
    """

    top: Series
    bottom: Series
    blocks: tuple[str, ...]

    @property
    def value(self) -> float:
        """The ratio of the means."""
        return self.top.mean / self.bottom.mean

    @property
    def interval(self) -> Interval:
        """The ratio with Fieller's interval."""
        return ratio_interval(self.top, self.bottom)

    def residuals(self, blocks: Sequence[str]) -> Series:
        """How far each of these blocks pulls the ratio from its value, to first order.

        Over all blocks of the ratio their mean is 0.
        """
        value, scale, there = self.value, self.bottom.mean, np.isin(self.blocks, blocks)
        whole = combine(lambda top, bottom: (top - value * bottom) / scale, self.top, self.bottom)
        return replace(
            whole,
            values=whole.values[there],
            draws=None if whole.draws is None else whole.draws[there],
        )


class TransferNumbers:
    """The numbers of one dataset group, split and task.

    They are by row, training group, asked group and block.

    Attributes
    ----------
    dataset, version, split, task : str
        What the records have in common.
    fits : dict of (Key, str) to dict of Slot to list of Record
        The records of each row and training group.
    metric, direction, best, floor
        The primary metric, its better end, the score of the truth, and what the floor is called.
    floors : tuple of str
        The floors; the best one counts, on each pair of groups.
    kind : "simulated" or "real"
        Whether blocks are networks.
    rows : list of Key
        The predictors, by `kobench.board.numbers.series.row_key`.
    groups, blocks : list of str
        The groups of cells, and the networks.
    notes : tuple of str
        What the task says of its truth.
    column : str
        The column of the groups of cells (donors) that draws take; "" where they take cells.
    units : float
        How many of these of one size they are worth, 0 where draws take cells.
    networks : Networks
        Which blocks are networks of their own.
    """

    def __init__(self, records: Sequence[Record], key: tuple[str, str, str, str]) -> None:
        self.dataset, self.version, self.split, self.task = key
        self.fits: dict[tuple[Key, str], dict[Slot, list[Record]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self.networks = Networks(records)
        for record in by_row(records):
            train = record.trial.split.train or ""
            self.fits[row_key(record), train][self.networks.slot(record)].append(record)
        scores = [
            record.result.scores[self.task]
            for record in records
            if self.task in record.result.scores
        ]
        self.metric = scores[0].primary[0]
        example = next(one.metrics[self.metric] for one in scores if self.metric in one.metrics)
        self.best, self.direction = best_of(example), example.direction
        self.floors = tuple(scores[0].floors)
        self.floor = " or ".join(self.floors)
        self.kind = records[0].trial.dataset.kind
        self.rows = sorted({row for row, _ in self.fits if row[0] == "predictor"})
        asked = {
            name[len(self.metric) + 1 : -1]
            for one in scores
            for name in one.metrics
            if name.startswith(f"{self.metric}[")
        }
        self.groups = sorted({train for _, train in self.fits} | asked)
        self.blocks = sorted({slot[0] for by_slot in self.fits.values() for slot in by_slot})
        self.notes = tuple(sorted({note for one in scores for note in one.notes}))
        self.column = column_of(scores)
        drawn = [one for one in scores if one.groups is not None]
        self.units = min((units_of(one) for one in drawn), default=0.0)

    def levels(self, row: Key, train: str, ask: str) -> Levels:
        """The (value, draws) of every fit, by slot; slots where a fit has no value are left out.

        Of `FLOOR` those of the floor with the best mean on this pair.
        """
        if row == FLOOR:
            each = [self.levels(("floor", name), train, ask) for name in self.floors]
            return min(filter(None, each), key=self.distance, default={})
        found: Levels = {}
        for slot, records in self.fits.get((row, train), {}).items():
            scores = [self.score(record, ask) for record in records]
            known = [
                (float(score.value), score.draws)
                for score in scores
                if score is not None and score.value is not None
            ]
            if len(known) == len(scores):
                found[slot] = known
        return found

    def distance(self, levels: Levels) -> float:
        """How far the mean of some levels is from the score of the truth."""
        return abs(self.best - block_series(levels).mean)

    def score(self, record: Record, ask: str) -> MetricScore | None:
        """A record's score on one asked group, None where it has none."""
        scores = record.result.scores.get(self.task)
        return None if scores is None else scores.metrics.get(f"{self.metric}[{ask}]")

    def share(self, first: Levels, second: Levels, floor: Levels) -> Share | None:
        """(first - second) / (best - floor), where all three have scores.

        None where there is no such block, or the floor is the truth.
        """
        common = sorted(set(first) & set(second) & set(floor))
        if not common:
            return None
        one, other, base = (
            replace(block_series({slot: levels[slot] for slot in common}), units=self.units)
            for levels in (first, second, floor)
        )
        if base.mean == self.best:
            return None
        blocks = tuple(sorted({block for block, _ in common}))
        return Share(
            combine(np.subtract, one, other), combine(lambda x: self.best - x, base), blocks
        )

    def explained(self, row: Key, train: str, ask: str) -> Share | None:
        """(score - floor) / (best - floor); None without both scores."""
        floor = self.levels(FLOOR, train, ask)
        return self.share(self.levels(row, train, ask), floor, floor)

    def drop(self, row: Key, train: str, ask: str) -> Share | None:
        """(score of the asked group's own model - score) / (best - floor).

        None without all three.
        """
        return self.share(
            self.levels(row, ask, ask),
            self.levels(row, train, ask),
            self.levels(FLOOR, train, ask),
        )

    @property
    def over_groups(self) -> bool:
        """Whether intervals of the means are over groups of cells.

        That is so where there is one network or data set alone, and three groups or more.
        """
        return len(self.blocks) == 1 and len(self.groups) > 2

    @property
    def label(self) -> str:
        """What the intervals of the means stand for."""
        groups = f"{len(self.groups)} {noun_of(self.split)}s"
        if self.over_groups:
            return f"{groups}, left out one at a time"
        if self.networks.count == 1 and len(self.blocks) > 1:
            return f"{len(self.blocks)} draws of the cells of one network"
        return (
            f"{len(self.blocks)} networks"
            if len(self.blocks) > 1
            else f"the cells{f' (by {self.column})' if self.column else ''} of these {groups}"
        )

    def mean(self, entries: Mapping[tuple[int, int], Share]) -> Interval | None:
        """The mean over some pairs of groups with its interval: over networks, groups or cells.

        Parameters
        ----------
        entries : mapping of (int, int) to Share
            By place of the training and the asked group.

        Returns
        -------
        Interval or None
            None without entries.
        """
        if not entries:
            return None
        if self.over_groups:
            return leave_one_out({at: entry.value for at, entry in entries.items()})
        value = float(np.mean([entry.value for entry in entries.values()]))
        common = sorted(set.intersection(*(set(entry.blocks) for entry in entries.values())))
        if not common:
            return Interval(value)
        around = mean_interval(
            combine(
                lambda *parts: np.mean(parts, axis=0),
                *(one.residuals(common) for one in entries.values()),
            )
        )
        if around.low is None or around.high is None:
            return Interval(value)
        return Interval(
            value, value + around.low - around.value, value + around.high - around.value
        )


def best_of(score: MetricScore) -> float:
    """The score of the truth; 0 where the metric knows none."""
    return 0.0 if score.best is None else float(score.best)


def noun_of(split: str) -> str:
    """What the groups of a split are."""
    return "cell type" if split == "cell-type" else "data set"


def leave_one_out(values: Mapping[tuple[int, int], float]) -> Interval:
    """The mean of entries of a matrix with a jackknife interval over its n groups.

    Parameters
    ----------
    values : mapping of (int, int) to float
        By row and column the entries that there are.

    Returns
    -------
    Interval
        Without ends where leaving one group out leaves nothing.

    Notes
    -----
    Each group is left out as row and as column. Entries that share a row or a column are not
    independent, so a t interval over entries would be too narrow. value -+ t(n-1) s, s^2 = (n-1)/n
    sum (m_i - mean m)^2, m_i the mean without group i; on the diagonal alone it is the t interval.
    The jackknife's variance is too large rather than too small (Efron & Stein, Ann. Stat. 9:586,
    1981).

    >>> leave_one_out({(0, 0): 1.0, (1, 1): 2.0, (2, 2): 3.0}).value
    2.0
    """
    value = float(np.mean(list(values.values())))
    groups = sorted({group for at in values for group in at})
    n = len(groups)
    parts = [[one for at, one in values.items() if group not in at] for group in groups]
    if n < 2 or not all(parts):
        return Interval(value)
    means = np.array([np.mean(part) for part in parts])
    half = t_quantile(n - 1) * float(np.sqrt((n - 1) / n * ((means - means.mean()) ** 2).sum()))
    return Interval(value, value - half, value + half)
