"""From the records of one section to a series of block values for every row and metric."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from kobench.board.numbers.intervals import Series
from kobench.board.numbers.networks import Networks, slot_of
from kobench.board.numbers.splits import Splits, steady_blocks
from kobench.board.numbers.values import (
    MEAN_RESPONSE,
    NONE,
    NOT_ANSWERED,
    NOT_RUN,
    NOTHING,
    STAND_IN,
    Key,
    Level,
    RowValues,
    Slot,
    Slots,
    Value,
    block_series,
    ceiling_of,
    constant_level,
    mean,
    mean_draws,
)
from kobench.results.parts import MetricScore, Record, TaskScores
from kobench.results.versions import row_of

T = TypeVar("T")


def row_key(record: Record) -> Key:
    """What makes a row: role and name.

    For predictors also the parameters, where they come from, threads and device.
    """
    return row_of(record.role, record.trial)


def by_row(records: Iterable[Record]) -> list[Record]:
    """Records by row, slot and seed of the fit, so that the order of files changes no number."""
    return sorted(
        records, key=lambda record: (row_key(record), slot_of(record), record.trial.fit_seed)
    )


class Numbers:
    """The numbers of one section, from its records: rows x metrics x slots.

    Attributes
    ----------
    task : str
        The label of its task.
    records : dict of Key to list of Record
        The records of each row.
    slots : tuple of Slot
        Every slot that a record has.
    blocks : tuple of str
        Their blocks.
    scores : dict of Key to dict of Slot to list of TaskScores
        What each fit of a row scored in a slot.
    all : list of TaskScores
        Every one of them, in a fixed order.
    floors : list of str
        Names of the floors that count for the task.
    steady : frozenset of str
        The blocks whose draws are of the same units in all their slots.
    networks : Networks
        Which blocks are networks of their own.
    splits : Splits
        Which splits of its cells each of them has.
    """

    def __init__(self, records: Iterable[Record], task: str) -> None:
        self.task = task
        self.records: dict[Key, list[Record]] = defaultdict(list)
        for record in by_row(records):
            self.records[row_key(record)].append(record)
        every = [record for fits in self.records.values() for record in fits]
        self.networks = Networks(every)
        self.splits = Splits(every, self.networks)
        self.slots: Slots = tuple(sorted({self.networks.slot(record) for record in every}))
        self.blocks = tuple(sorted({block for block, _ in self.slots}))
        self.scores: dict[Key, dict[Slot, list[TaskScores]]] = {
            key: defaultdict(list) for key in self.records
        }
        for record in every:
            if scores := record.result.scores.get(task):
                self.scores[row_key(record)][self.networks.slot(record)].append(scores)
        self.all = [
            scores
            for key in sorted(self.scores)
            for slot in sorted(self.scores[key])
            for scores in self.scores[key][slot]
        ]
        self.memory: dict[Any, Any] = {}
        self.steady = steady_blocks(self.scores)
        self.floors = sorted({name for scores in self.all for name in scores.floors})

    def metrics(self) -> list[str]:
        """Primary metrics first, in the task's order, then the others by name, variants last."""
        return list(self.remember("metrics", self._metrics))

    def _metrics(self) -> list[str]:
        primary = self.primary()
        others = {name for scores in self.all for name in scores.metrics} - set(primary)
        return [*primary, *sorted(others, key=lambda name: ("[" in name, name))]

    def primary(self) -> list[str]:
        """The metrics that rank, in the task's order.

        Where the truth of some slots allows one more than that of others, it ranks, over these.
        """
        return list(self.remember("primary", self._primary))

    def _primary(self) -> list[str]:
        first = list(self.all[0].primary) if self.all else []
        longer = (
            list(scores.primary) for scores in self.all if scores.primary[: len(first)] == first
        )
        return max(longer, key=len, default=first)

    def example(self, metric: str) -> MetricScore | None:
        """The first record's score by a metric, for what is the same in all of them."""
        return next(self.by_metric(metric), None)

    def by_metric(self, metric: str) -> Iterator[MetricScore]:
        """Every score by a metric, in a fixed order."""
        return (scores.metrics[metric] for scores in self.all if metric in scores.metrics)

    def nothing(self, metric: str) -> float | None:
        """The value of doing nothing by a metric, None where the records name none."""
        return self.remember(("nothing", metric), lambda: self._nothing(metric))

    def _nothing(self, metric: str) -> float | None:
        known = (one.nothing for one in self.by_metric(metric) if one.nothing is not None)
        return next((float(value) for value in known), None)

    @cached_property
    def least_floor(self) -> str:
        """What has the score that no floor counts below."""
        return MEAN_RESPONSE if any(one.kind == "screen" for one in self.all) else NOTHING

    def remember(self, key: Any, make: Callable[[], T]) -> T:
        """A value made once: it is asked for again for every row that is compared with it."""
        if key not in self.memory:
            self.memory[key] = make()
        found: T = self.memory[key]
        return found

    def owed(self, key: Key) -> Slots:
        """The slots where a row must have scores: all, or the first splits; of a floor all."""
        return self.remember(("owed", key), lambda: self._owed(key))

    def _owed(self, key: Key) -> Slots:
        run = {self.networks.slot(record) for record in self.records.get(key, [])}
        return self.slots if key[0] == "floor" else self.splits.owed(run)

    def metric_slots(self, metric: str) -> Slots:
        """Slots where any row has a number: the others allow none, whatever the answer."""
        return self.remember(("slots", metric), lambda: self._metric_slots(metric))

    def _metric_slots(self, metric: str) -> Slots:
        found = {
            slot
            for by_slot in self.scores.values()
            for slot, fits in by_slot.items()
            if any(has_value(fit, metric) for fit in fits)
        }
        return tuple(sorted(found))

    def values(self, key: Key, slot: Slot, metric: str) -> tuple[list[Value], str]:
        """The values of a row's fits in one slot; [] and the reason where one of them has none."""
        values: list[Value] = []
        fits = self.scores.get(key, {}).get(slot, [])
        for fit in fits:
            found = self.value(key, slot, metric, fit)
            if isinstance(found, str):
                return [], found
            values.append(found)
        return values, "" if fits else self.absence(key, slot)

    def value(self, key: Key, slot: Slot, metric: str, fit: TaskScores) -> Value | str:
        """A fit's value, or why there is none; `random` stands in where an answer ranks nothing."""
        score = fit.metrics.get(metric)
        if score is None:
            return NOT_ANSWERED
        coverage = 1.0 if fit.coverage is None else float(fit.coverage)
        # a draw of all the units takes of these, on average, as many as there are
        units = units_of(fit) if score.over is None else float(score.over)
        if score.value is not None:
            return Value(
                float(score.value), score.draws, coverage, units, score.floors, ceiling_of(score)
            )
        if score.missing != NONE or key == STAND_IN:
            return score.missing or NOT_ANSWERED
        level = self.level(STAND_IN, slot, metric) or self.no_change(score, metric)
        if level is None:
            return NONE
        ceiling = self.ceiling(slot, metric)
        return Value(level[0], level[1], coverage, units, ceiling=ceiling, none=True)

    def no_change(self, score: MetricScore, metric: str) -> Level | None:
        """The level of doing nothing, None where the metric knows none.

        It stands in where `random` was not scored. An answer without a value is not given what the
        mean response has, which takes knowledge.
        """
        if score.nothing is None or self.least_floor != NOTHING:
            return None
        return constant_level(score.nothing, self.draws(metric))

    def ceiling(self, slot: Slot, metric: str) -> Level | None:
        """The ceiling in a slot: that of the first row there that has a score.

        All that answered every unit share it.
        """
        for key in self.scores:
            for fit in self.scores[key].get(slot, []):
                if has_value(fit, metric):
                    return ceiling_of(fit.metrics[metric])
        return None

    def absence(self, key: Key, slot: Slot) -> str:
        """Why a row has no scores in a slot.

        The status of its failed trial, "not answered" or "not run".
        """
        statuses = sorted(
            record.result.status
            for record in self.records.get(key, [])
            if self.networks.slot(record) == slot
        )
        failed = [status for status in statuses if status != "ok"]
        if failed:
            return failed[0]
        return NOT_ANSWERED if statuses else NOT_RUN

    def draws(self, metric: str) -> int:
        """How many bootstrap draws the records hold inside each slot, 0 for none."""
        return self.remember(("draws", metric), lambda: self._draws(metric))

    def _draws(self, metric: str) -> int:
        return max((len(score.draws) for score in self.by_metric(metric)), default=0)

    def level(self, key: Key, slot: Slot, metric: str) -> Level | None:
        """The mean value and draws of a row's fits in one slot; None where it has no value."""
        return self.remember(("level", key, slot, metric), lambda: self._level(key, slot, metric))

    def _level(self, key: Key, slot: Slot, metric: str) -> Level | None:
        values, _ = self.values(key, slot, metric)
        if not values:
            return None
        draws = mean_draws([one.draws for one in values])
        return mean([one.value for one in values]), () if draws is None else draws.tolist()

    def measure(self, key: Key, metric: str) -> RowValues:
        """One row by one metric, in every slot that it must have and that allows a number."""
        return self.remember(("measure", key, metric), lambda: self._measure(key, metric))

    def _measure(self, key: Key, metric: str) -> RowValues:
        known: dict[Slot, Sequence[Value]] = {}
        missing: Counter[str] = Counter()
        nones = 0
        owed = self.owed(key)
        for slot in (slot for slot in self.metric_slots(metric) or owed if slot in owed):
            values, why = self.values(key, slot, metric)
            if values:
                known[slot] = values
            else:
                missing[why] += 1
            nones += why == NONE or any(one.none for one in values)
        most = min(missing, key=lambda word: (word == NOT_RUN, -missing[word], word), default="")
        return RowValues(known, most, nones, self.steady)

    def floor(self, name: str, metric: str, row: RowValues) -> Series | None:
        """A floor's score on the units that a row answered.

        From the row's records where it left units out, else from the floor's own.

        Parameters
        ----------
        name : str
            The floor.
        metric : str
            The metric.
        row : RowValues
            The row by that metric.

        Returns
        -------
        Series or None
            None where the floor has no score in one of the row's slots.
        """
        if any(one.coverage < 1 for values in row.values.values() for one in values):
            return self._floor(name, metric, row.values)
        # every unit was answered, so all rows with these slots share the floor, however often they
        # were fitted
        whole = {slot: [Value(0.0)] for slot in row.values}
        return self.remember(
            ("floor", name, metric, tuple(sorted(whole))), lambda: self._floor(name, metric, whole)
        )

    def _floor(
        self, name: str, metric: str, slots: Mapping[Slot, Sequence[Value]]
    ) -> Series | None:
        found: dict[Slot, list[Level]] = {}
        for slot, values in slots.items():
            levels = [self.floor_level(name, metric, slot, value) for value in values]
            known = [level for level in levels if level is not None]
            if len(known) < len(levels):
                return None
            found[slot] = known
        return block_series(found, self.steady) if found else None

    def floor_level(self, name: str, metric: str, slot: Slot, value: Value) -> Level | None:
        """A floor's level on the units behind one value, None where it has no score there."""
        if value.coverage >= 1:
            return self.level(("floor", name), slot, metric)
        own = value.floors.get(name)
        return None if own is None or own.value is None else (float(own.value), own.draws)


def units_of(scores: TaskScores) -> float:
    """How many units draws take; of groups of cells, how many of one size they are worth."""
    if scores.groups is not None:
        return max(1.0, scores.groups.worth or 1.0)
    return float(scores.blocks or 0)


def column_of(scores: Iterable[TaskScores]) -> str:
    """The column of the groups of cells that draws take; "" where they take something else."""
    return next((one.groups.column for one in scores if one.groups is not None), "")


def has_value(scores: TaskScores, metric: str) -> bool:
    """Whether a fit has a value by a metric."""
    score = scores.metrics.get(metric)
    return score is not None and score.value is not None
