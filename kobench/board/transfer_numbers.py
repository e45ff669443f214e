"""The numbers behind transfer matrices: explained shares, drops and their means, with intervals, from records.

explained (A, B) = (floor - score) / (floor - best), model and floor trained on A, asked for B: 0 is the floor, 1 the truth; the skill of
the board's sections, group by group. drop (A, B) = (score (A, B) - score (B, B)) / (floor (A, B) - best): what a model of B itself, trained
on as many cells, explains more of the same cells. Both are shares of the same floor's error: against their own floors, a model of B could
look worse than one of A that errs more, only because the floor of A errs even more on B.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.board.intervals import (
    ENOUGH,
    LEVEL,
    Interval,
    Resampling,
    Series,
    make_resampling,
    percentile_interval,
    t_quantile,
)
from kobench.board.series import Key, Slot, block_series, row_key, slot_of
from kobench.cells import BoolArray, FloatArray
from kobench.records import Record, hash_of

#: The (value, draws) of every fit, by slot.
Levels = dict[Slot, list[tuple[float, Sequence[float | None]]]]


@dataclass(frozen=True, eq=False)
class Sampled:
    """A number, on how many blocks it rests, and its values under each resample (B,), None where there is nothing to resample."""

    value: float
    blocks: int
    draws: FloatArray | None = None


class TransferNumbers:
    """The numbers of one dataset group, split and task: rows x training groups x asked groups x blocks."""

    def __init__(self, records: Sequence[Record], key: tuple[str, str, str, str]) -> None:
        self.dataset, self.version, self.split, self.task = key
        self.fits: dict[tuple[Key, str], dict[Slot, list[Record]]] = defaultdict(lambda: defaultdict(list))
        for record in sorted(records, key=lambda record: (row_key(record), slot_of(record), record["trial"]["fit_seed"])):
            self.fits[row_key(record), record["trial"]["split"]["train"]][slot_of(record)].append(record)
        scores = [record["result"]["scores"][self.task] for record in records if self.task in (record["result"].get("scores") or {})]
        self.metric = str(scores[0]["primary"][0])
        facts = next(one["metrics"][self.metric] for one in scores if self.metric in one["metrics"])
        self.best, self.direction = float(facts["best"]), str(facts["direction"])
        self.floor = str(scores[0]["floors"][0])
        self.kind = str(records[0]["trial"]["dataset"]["kind"])
        #: the predictors, by `kobench.board.series.row_key`
        self.rows = sorted({row for row, _ in self.fits if row[0] == "predictor"})
        asked = {name[len(self.metric) + 1 : -1] for one in scores for name in one["metrics"] if name.startswith(f"{self.metric}[")}
        self.groups = sorted({train for _, train in self.fits} | asked)
        self.blocks = sorted({slot[0] for by_slot in self.fits.values() for slot in by_slot})
        self.notes = tuple(sorted({str(note) for one in scores for note in one.get("notes") or ()}))
        draws = max((len(entry.get("draws") or ()) for one in scores for name, entry in one["metrics"].items() if "[" in name), default=0)
        self.plan = make_resampling(len(self.blocks), draws, int(hash_of([*key, "transfer"])[:15], 16))

    def levels(self, row: Key, train: str, ask: str) -> Levels:
        """The (value, draws) of every fit, by slot; slots where a fit has no value are left out."""
        found: Levels = {}
        for slot, records in self.fits.get((row, train), {}).items():
            entries = [self.entry(record, ask) for record in records]
            if all(entry.get("value") is not None for entry in entries):
                found[slot] = [(float(entry["value"]), entry.get("draws") or ()) for entry in entries]
        return found

    def entry(self, record: Record, ask: str) -> Mapping[str, Any]:
        """What a record says of one asked group, {} where nothing."""
        scores: Mapping[str, Any] = (record["result"].get("scores") or {}).get(self.task, {})
        found: Mapping[str, Any] = scores.get("metrics", {}).get(f"{self.metric}[{ask}]", {})
        return found

    def aligned(self, *levels: Levels) -> tuple[Sampled, ...] | None:
        """The means over the blocks where all of these have scores, resampled jointly; None where there is no such block."""
        common = sorted(set.intersection(*map(set, levels)))
        if not common:
            return None
        there = np.isin(self.blocks, [block for block, _ in common])
        return tuple(mean_over(block_series({slot: one[slot] for slot in common}), there, self.plan) for one in levels)

    def share(self, gained: tuple[Sampled, Sampled], floor: Sampled) -> Sampled | None:
        """(first - second) / (best - floor) of two means; None where the floor is the truth."""
        first, second = gained
        if floor.value == self.best:
            return None
        value = (first.value - second.value) / (self.best - floor.value)
        if first.draws is None or second.draws is None or floor.draws is None:
            return Sampled(value, floor.blocks)
        gap = self.best - floor.draws
        return Sampled(value, floor.blocks, np.divide(first.draws - second.draws, gap, out=np.full_like(gap, np.nan), where=gap != 0))

    def explained(self, row: Key, train: str, ask: str) -> Sampled | None:
        """(score - floor) / (best - floor), a ratio of two means over the blocks that have both; None without any."""
        found = self.aligned(self.levels(row, train, ask), self.levels(("floor", self.floor), train, ask))
        return None if found is None else self.share((found[0], found[1]), found[1])

    def drop(self, row: Key, train: str, ask: str) -> Sampled | None:
        """(score of the asked group's own model - score) / (best - floor), over the blocks that have all three."""
        sides = self.levels(row, ask, ask), self.levels(row, train, ask), self.levels(("floor", self.floor), train, ask)
        found = self.aligned(*sides)
        return None if found is None else self.share((found[0], found[1]), found[2])

    def interval(self, sampled: Sampled) -> Interval:
        """From five blocks on by Student's t, as `kobench.board.intervals.ratio_interval`; with fewer the percentiles of the draws."""
        if len(self.blocks) < ENOUGH:
            return percentile_interval(sampled.value, sampled.draws)
        k = sampled.blocks
        if sampled.draws is None or k < ENOUGH:  # resamples of few of many blocks say nothing
            return Interval(sampled.value)
        half = t_quantile(k - 1) * np.sqrt(k / (k - 1)) * float(np.nanstd(sampled.draws))
        return Interval(sampled.value, float(sampled.value - half), float(sampled.value + half))

    @property
    def over_groups(self) -> bool:
        """Whether the groups are what a mean over the matrix is sure of: there is but one network or data set, and three groups or more."""
        return len(self.blocks) == 1 and len(self.groups) > 2

    @property
    def label(self) -> str:
        """What the intervals of the means stand for."""
        groups = f"{len(self.groups)} {noun_of(self.split)}s"
        if self.over_groups:
            return f"{groups}, left out one at a time"
        if len(self.blocks) > 1:
            return f"{len(self.blocks)} networks" if self.plan else f"{len(self.blocks)} networks, too few for an interval"
        return f"the cells of these {groups}" if self.plan else "nothing"

    def mean(self, entries: Mapping[tuple[int, int], Sampled]) -> Interval | None:
        """The mean over some cells of the matrix with its interval, over networks, else over groups, else over cells."""
        if not entries:
            return None
        if self.over_groups:
            return leave_one_out({at: entry.value for at, entry in entries.items()})
        value = float(np.mean([entry.value for entry in entries.values()]))
        draws = [entry.draws for entry in entries.values() if entry.draws is not None]
        fewest = min(entry.blocks for entry in entries.values())
        return self.interval(Sampled(value, fewest, np.mean(draws, axis=0) if len(draws) == len(entries) else None))


def noun_of(split: str) -> str:
    """What the groups of a split are."""
    return "cell type" if split == "cell-type" else "data set"


def mean_over(series: Series, there: BoolArray, plan: Resampling | None) -> Sampled:
    """The mean of a series, and under each resample of all blocks; `there` (K,) says for which of them the series has a value.

    A resample that draws none of those is NaN.
    """
    if plan is None:
        return Sampled(series.mean, len(series))
    place = np.cumsum(there) - 1  # of each block in the series
    if plan.inner is None:
        drawn = series.values[place[plan.blocks]]
    elif series.draws is not None and series.draws.shape[1] == plan.draws:
        drawn = series.draws[place[plan.blocks], plan.inner]
    else:
        return Sampled(series.mean, len(series))
    known = there[plan.blocks] & np.isfinite(drawn)
    count = known.sum(axis=1)
    total = np.where(known, drawn, 0.0).sum(axis=1)
    means: FloatArray = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return Sampled(series.mean, len(series), means)


def leave_one_out(values: Mapping[tuple[int, int], float], level: float = LEVEL) -> Interval:
    """The mean of entries {(row, column): value} with a jackknife interval over the n groups: each is left out as row and as column.

    Entries that share a row or a column are not independent, so a t interval over entries would be too narrow. value -+ t(n-1) s,
    s^2 = (n-1)/n sum (m_i - mean m)^2, m_i the mean without group i; on the diagonal alone it is the t interval. The jackknife's variance
    is too large rather than too small (Efron & Stein, Ann. Stat. 9:586, 1981). No interval where leaving one out leaves nothing.

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
    half = t_quantile(n - 1, level) * float(np.sqrt((n - 1) / n * ((means - means.mean()) ** 2).sum()))
    return Interval(value, value - half, value + half)
