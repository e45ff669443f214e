"""From transfer records to matrices: what a model trained on one group of cells explains of another, and what it loses by that.

explained = (floor - score) / (floor - best), the floor trained on the same cells: 0 is the floor, 1 the truth. It is the skill of the
board's sections, group by group. drop of (A, B) = explained of (B, B) - explained of (A, B), on the same cells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
from kobench.board.series import NOT_ANSWERED, NOT_RUN, Key, Slot, block_series, row_key, slot_of
from kobench.cells import BoolArray, FloatArray
from kobench.records import Record, hash_of


@dataclass(frozen=True)
class TransferCell:
    """One model on one group of cells.

    explained : None with the reason in `missing`. score : the metric itself. drop : against a model of the asked group; None on the
    diagonal, and where that model has no score. done : on how many blocks (networks) both it and the floor have a score.
    """

    explained: Interval | None = None
    score: float | None = None
    drop: Interval | None = None
    missing: str = ""
    done: int = 0


@dataclass(frozen=True)
class TransferMatrix:
    """A predictor, trained on each group of a dataset and asked for each: `cells[trained][asked]`, both in the order of `groups`.

    floors : the floor's own score, the same way. own, other, drop : means of the diagonal, of the rest, and of the drops, each with the
    interval that `label` names. blocks : how many networks (1 for real data). notes : what tasks said of the question.
    """

    dataset: str
    dataset_version: str
    kind: str
    split: str
    task: str
    metric: str
    direction: str
    floor: str
    predictor: str
    groups: tuple[str, ...]
    cells: tuple[tuple[TransferCell, ...], ...]
    floors: tuple[tuple[float | None, ...], ...]
    own: Interval | None
    other: Interval | None
    drop: Interval | None
    label: str
    blocks: int
    notes: tuple[str, ...] = ()

    @property
    def few(self) -> bool:
        """Whether these are so few simulated networks that the results say little about others."""
        return self.kind == "simulated" and self.blocks < ENOUGH


@dataclass(frozen=True, eq=False)
class Sampled:
    """A number and its values under each resample (B,), None where there is nothing to resample."""

    value: float
    draws: FloatArray | None = None


def transfer_matrices(records: Iterable[Record], names: Mapping[Key, str] | None = None) -> tuple[TransferMatrix, ...]:
    """A matrix for each dataset group, split, task and predictor among the records of transfers; of a dataset, the best transfer first.

    names : what rows are called, by `kobench.board.series.row_key`; None: by their selection. Records of other splits are passed over.
    """
    groups: dict[tuple[str, str, str, str], list[Record]] = defaultdict(list)
    for record in records:
        trial = record["trial"]
        if "train" in trial["split"]:
            labels = [label for label, scores in (record["result"].get("scores") or {}).items() if scores["asks"] == "transfer"]
            dataset = trial["dataset"]
            for label in labels or [""]:  # a failed trial has no scores; it belongs to every task of its dataset
                groups[dataset["group"], str(dataset["version"]), trial["split"]["name"], label].append(record)
    found = []
    for key, members in sorted(groups.items()):
        if key[3]:
            table = Table([*members, *groups.get((*key[:3], ""), [])], key)
            found += sorted((table.matrix(row, names) for row in table.rows), key=lambda matrix: (-mean_of(matrix.other), matrix.predictor))
    return tuple(found)


def mean_of(interval: Interval | None) -> float:
    """The value of an interval; the lowest number where there is none, so that it is sorted last."""
    return -np.inf if interval is None else interval.value


class Table:
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
        self.rows = sorted({row for row, _ in self.fits if row[0] == "predictor"})
        asked = {name[len(self.metric) + 1 : -1] for one in scores for name in one["metrics"] if name.startswith(f"{self.metric}[")}
        self.groups = sorted({train for _, train in self.fits} | asked)
        self.blocks = sorted({slot[0] for by_slot in self.fits.values() for slot in by_slot})
        self.notes = tuple(sorted({str(note) for one in scores for note in one.get("notes") or ()}))
        draws = max((len(entry.get("draws") or ()) for one in scores for name, entry in one["metrics"].items() if "[" in name), default=0)
        self.plan = make_resampling(len(self.blocks), draws, int(hash_of([*key, "transfer"])[:15], 16))

    def levels(self, row: Key, train: str, ask: str) -> dict[Slot, list[tuple[float, Sequence[float | None]]]]:
        """The (value, draws) of every fit, by slot; slots where a fit has no value are left out."""
        found = {}
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

    def pair(self, row: Key, train: str, ask: str) -> tuple[Series, Series] | None:
        """Scores of a row and of the floor over all blocks, NaN where one of them has none; None without any block."""
        own, floor = self.levels(row, train, ask), self.levels(("floor", self.floor), train, ask)
        both = sorted(set(own) & set(floor))
        if not both:
            return None
        there = np.isin(self.blocks, [block for block, _ in both])
        first, second = (self.spread(block_series({slot: side[slot] for slot in both}), there) for side in (own, floor))
        return first, second

    @staticmethod
    def spread(series: Series, there: BoolArray) -> Series:
        """A series of some of the blocks as one of all, NaN elsewhere."""
        values = np.full(len(there), np.nan)
        values[there] = series.values
        if series.draws is None:
            return Series(values)
        draws = np.full((len(there), series.draws.shape[1]), np.nan)
        draws[there] = series.draws
        return Series(values, draws)

    def explained(self, pair: tuple[Series, Series], among: BoolArray | None = None) -> Sampled:
        """1 - (score - best) / (floor - best), a ratio of two means over the blocks (`among`: over some of them)."""
        score, floor = (mean_over(series, self.plan, among) for series in pair)
        if floor.value == self.best:
            return Sampled(float("nan"))
        value = 1.0 - (score.value - self.best) / (floor.value - self.best)
        if score.draws is None or floor.draws is None:
            return Sampled(value)
        gap = floor.draws - self.best
        return Sampled(value, 1.0 - np.divide(score.draws - self.best, gap, out=np.full_like(gap, np.nan), where=gap != 0))

    def interval(self, sampled: Sampled) -> Interval:
        """From five blocks on by Student's t, as `kobench.board.intervals.ratio_interval`; with fewer the percentiles of the draws."""
        k = len(self.blocks)
        if sampled.draws is None or k < ENOUGH:
            return percentile_interval(sampled.value, sampled.draws)
        half = t_quantile(k - 1) * np.sqrt(k / (k - 1)) * float(np.nanstd(sampled.draws))
        return Interval(sampled.value, float(sampled.value - half), float(sampled.value + half))

    def matrix(self, row: Key, names: Mapping[Key, str] | None) -> TransferMatrix:
        """The matrix of one predictor."""
        n = len(self.groups)
        pairs = {(a, b): self.pair(row, train, ask) for a, train in enumerate(self.groups) for b, ask in enumerate(self.groups)}
        shares = {at: self.explained(pair) for at, pair in pairs.items() if pair is not None}
        shares = {at: share for at, share in shares.items() if np.isfinite(share.value)}
        drops = {at: self.drop(pairs[at], pairs[at[1], at[1]]) for at in shares if at[0] != at[1] and (at[1], at[1]) in shares}
        lost = {at: drop for at, drop in drops.items() if drop is not None and np.isfinite(drop.value)}
        cells = []
        for a, b in np.ndindex(n, n):
            pair, share = pairs[a, b], shares.get((a, b))
            cells.append(
                TransferCell(
                    explained=self.interval(share) if share else None,
                    score=float(np.nanmean(pair[0].values)) if pair else None,
                    drop=self.interval(lost[a, b]) if (a, b) in lost else None,
                    missing="" if share else self.missing(row, self.groups[a], self.groups[b], pair),
                    done=int(np.isfinite(pair[0].values).sum()) if pair else 0,
                )
            )
        diagonal = {at: share for at, share in shares.items() if at[0] == at[1]}
        rest = {at: share for at, share in shares.items() if at[0] != at[1]}
        return TransferMatrix(
            dataset=self.dataset,
            dataset_version=self.version,
            kind=self.kind,
            split=self.split,
            task=self.task,
            metric=self.metric,
            direction=self.direction,
            floor=self.floor,
            predictor=(names or {}).get(row, row[1]),
            groups=tuple(self.groups),
            cells=tuple(tuple(cells[a * n : (a + 1) * n]) for a in range(n)),
            floors=tuple(tuple(self.floor_score(train, ask) for ask in self.groups) for train in self.groups),
            own=self.mean(diagonal),
            other=self.mean(rest),
            drop=self.mean(lost),
            label=self.label,
            blocks=len(self.blocks),
            notes=self.notes,
        )

    def drop(self, pair: tuple[Series, Series] | None, own: tuple[Series, Series] | None) -> Sampled | None:
        """How much less is explained than by a model of the asked group, over the blocks that have both."""
        if pair is None or own is None:
            return None
        among = np.isfinite(pair[0].values) & np.isfinite(own[0].values)
        if not among.any():
            return None
        here, there = self.explained(pair, among), self.explained(own, among)
        draws = None if here.draws is None or there.draws is None else there.draws - here.draws
        return Sampled(there.value - here.value, draws)

    def missing(self, row: Key, train: str, ask: str, pair: object) -> str:
        """Why a cell has no explained share."""
        fits = [record for records in self.fits.get((row, train), {}).values() for record in records]
        if pair is not None:
            return "the floor is the truth"
        if not fits:
            return NOT_RUN
        failed = sorted(record["result"]["status"] for record in fits if record["result"]["status"] != "ok")
        if failed:
            return str(failed[0])
        if self.levels(row, train, ask):
            return "no floor"
        return next((str(said) for record in fits if (said := self.entry(record, ask).get("missing"))), NOT_ANSWERED)

    def floor_score(self, train: str, ask: str) -> float | None:
        """The floor's own score, its mean over blocks."""
        levels = self.levels(("floor", self.floor), train, ask)
        return block_series(levels).mean if levels else None

    @property
    def over_groups(self) -> bool:
        """Whether the groups are what a mean over the matrix is sure of: there is but one network or data set, and three groups or more."""
        return len(self.blocks) == 1 and len(self.groups) > 2

    @property
    def label(self) -> str:
        """What the intervals of the means stand for."""
        noun = "cell types" if self.split == "cell-type" else "data sets"
        if self.over_groups:
            return f"{len(self.groups)} {noun}, left out one at a time"
        if len(self.blocks) > 1:
            return f"{len(self.blocks)} networks" if self.plan else f"{len(self.blocks)} networks, too few for an interval"
        return f"the cells of these {len(self.groups)} {noun}" if self.plan else "nothing"

    def mean(self, entries: Mapping[tuple[int, int], Sampled]) -> Interval | None:
        """The mean over some cells of the matrix with its interval, over networks, else over groups, else over cells."""
        if not entries:
            return None
        if self.over_groups:
            return leave_one_out({at: entry.value for at, entry in entries.items()}, len(self.groups))
        value = float(np.mean([entry.value for entry in entries.values()]))
        draws = [entry.draws for entry in entries.values() if entry.draws is not None]
        return self.interval(Sampled(value, np.mean(draws, axis=0) if len(draws) == len(entries) else None))


def mean_over(series: Series, plan: Resampling | None, among: BoolArray | None) -> Sampled:
    """The mean over the blocks that have a value, and under each resample of all blocks (NaN where it drew none of those)."""
    keep = np.isfinite(series.values) & (True if among is None else among)
    value = float(series.values[keep].mean())
    if plan is None:
        return Sampled(value)
    if plan.inner is None:
        drawn = series.values[plan.blocks]
    elif series.draws is not None and series.draws.shape[1] == plan.draws:
        drawn = series.draws[plan.blocks, plan.inner]
    else:
        return Sampled(value)
    weight = keep[plan.blocks] & np.isfinite(drawn)
    count = weight.sum(axis=1)
    total = np.where(weight, drawn, 0.0).sum(axis=1)
    return Sampled(value, np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def leave_one_out(values: Mapping[tuple[int, int], float], n: int, level: float = LEVEL) -> Interval:
    """The mean of the entries of an (n, n) matrix, with a jackknife interval over its n groups: each is left out as row and as column.

    Entries that share a row or a column are not independent, so a t interval over entries would be too narrow. value -+ t(n-1) s,
    s^2 = (n-1)/n sum (m_i - mean m)^2, m_i the mean without group i; on the diagonal alone it is the t interval. The jackknife's variance
    is too large rather than too small (Efron & Stein, Ann. Stat. 9:586, 1981). No interval where leaving one out leaves nothing.

    >>> leave_one_out({(0, 0): 1.0, (1, 1): 2.0, (2, 2): 3.0}, 3).value
    2.0
    """
    value = float(np.mean(list(values.values())))
    parts = [[one for at, one in values.items() if i not in at] for i in range(n)]
    if not all(parts):
        return Interval(value)
    means = np.array([np.mean(part) for part in parts])
    half = t_quantile(n - 1, level) * float(np.sqrt((n - 1) / n * ((means - means.mean()) ** 2).sum()))
    return Interval(value, value - half, value + half)


def drop_verdict(drop: Interval | None) -> str:
    """ "loses" or "gains" against a model of the asked group, "same" where it can't be told apart, "" without an interval."""
    if drop is None or drop.low is None:
        return ""
    return "loses" if drop.above else "gains" if drop.below else "same"
