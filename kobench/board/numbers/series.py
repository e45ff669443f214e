"""From the records of one section to a series of block values for every row and metric.

A **slot** is a (block, replicate): for simulated data the block is the network and replicates are
split seeds; for real data there is one block, the cells, and replicates are data and split seeds.
Several fits in a slot are averaged first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import fsum
from typing import Any, TypeVar

import numpy as np

from kobench.board.numbers.intervals import Series
from kobench.cells import FloatArray
from kobench.results.records import Record
from kobench.util.files import canonical_json

Slot = tuple[str, str]
Slots = tuple[Slot, ...]
Key = tuple[str, ...]
Draws = Sequence[float | None]
#: A value and its bootstrap draws.
Level = tuple[float, Draws]
T = TypeVar("T")

#: The floor whose score stands in where an answer gives no ranking.
STAND_IN: Key = ("floor", "random")

NOT_ANSWERED = "not answered"
NOT_RUN = "not run"


def slot_of(record: Record) -> Slot:
    """The (block, replicate) of a record."""
    dataset, split = record["trial"]["dataset"], record["trial"]["split"]
    if dataset["kind"] == "simulated":
        return dataset["selection"], str(split["seed"])
    return dataset["group"], canonical_json([dataset["selection"], split["seed"]])


def row_key(record: Record) -> Key:
    """What makes a row: role and name; for predictors also the parameters, where it comes from,
    threads and device.
    """
    trial = record["trial"]
    predictor = trial["predictor"]
    if record["role"] != "predictor":
        return record["role"], predictor["name"]
    origin = (
        f"{predictor['environment']}/{predictor['distribution']}"
        if predictor.get("environment")
        else str(predictor["distribution"])
    )
    return (
        record["role"],
        predictor["selection"],
        origin,
        str(trial["threads"]),
        str(trial["device"]),
    )


@dataclass(frozen=True, eq=False)
class Cell:
    """One fit's value in one slot.

    units : how many units its draws take, 0 where not known. floors : floor name -> {value, draws}
    on just the units answered. ceiling : (value, draws) of an answer without error on the same
    units, None where there is no such value. none : `random` stands in.
    """

    value: float
    draws: Draws = ()
    coverage: float = 1.0
    units: int = 0
    floors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ceiling: Level | None = None
    none: bool = False


@dataclass(frozen=True, eq=False)
class Measured:
    """A row by one metric: the fits' cells of every slot that has a number.

    missing : "" or why the other slots have none. nones : in how many slots the answer gave no
    ranking.
    """

    cells: Mapping[Slot, Sequence[Cell]]
    missing: str = ""
    nones: int = 0

    @property
    def blocks(self) -> tuple[str, ...]:
        return tuple(sorted({block for block, _ in self.cells}))

    @cached_property
    def series(self) -> Series:
        series = block_series(
            {slot: [(cell.value, cell.draws) for cell in fits] for slot, fits in self.cells.items()}
        )
        return replace(series, units=self.units)

    @cached_property
    def ceiling(self) -> Series | None:
        """What an answer without error would score on the same units, drawn jointly; None where any
        slot has no such value.
        """
        levels = {
            slot: [cell.ceiling for cell in fits if cell.ceiling is not None]
            for slot, fits in self.cells.items()
        }
        if not levels or any(len(levels[slot]) < len(fits) for slot, fits in self.cells.items()):
            return None
        return replace(block_series(levels), units=self.units)

    @property
    def units(self) -> int:
        """How many units the draws inside a block take: the fewest of any fit, 0 where one does not
        say.
        """
        return min((cell.units for fits in self.cells.values() for cell in fits), default=0)

    @cached_property
    def coverage(self) -> Series:
        """Share of units answered, by block; draws of one column, which fit any number of draws."""
        values = block_series(
            {slot: [(cell.coverage, ()) for cell in fits] for slot, fits in self.cells.items()}
        ).values
        return Series(values, values[:, None])

    @property
    def only_none(self) -> bool:
        """Whether no slot has a score of the row's own."""
        return self.nones > 0 and all(cell.none for fits in self.cells.values() for cell in fits)


def mean(values: Sequence[float]) -> float:
    """The mean of a few numbers, the same in any order."""
    return fsum(values) / len(values)


def mean_draws(lists: Sequence[Draws]) -> FloatArray | None:
    """The mean over fits of their bootstrap draws, index by index; None where a fit has none or
    their numbers differ.
    """
    if len({len(draws) for draws in lists}) != 1 or not lists[0]:
        return None
    means: FloatArray = np.array(
        [[np.nan if x is None else x for x in draws] for draws in lists], dtype=np.float64
    ).mean(axis=0)
    return means


def block_series(slots: Mapping[Slot, Sequence[Level]]) -> Series:
    """Block values from {slot: [(value, draws) of each fit]}: fits are averaged inside a slot, then
    slots inside a block.

    Several splits of the same cells share most of what makes their scores vary, so they must not
    narrow the interval inside a block: the mean of R of them keeps the spread of one, its draws are
    spread by sqrt(R) around the mean.
    """
    blocks: dict[str, list[tuple[float, FloatArray | None]]] = defaultdict(list)
    for (block, _), fits in sorted(slots.items()):
        blocks[block].append(
            (mean([value for value, _ in fits]), mean_draws([draws for _, draws in fits]))
        )
    values, spreads = [], []
    for _, pairs in sorted(blocks.items()):
        value = mean([one for one, _ in pairs])
        values.append(value)
        draws = mean_draws([[] if one is None else one.tolist() for _, one in pairs])
        if draws is not None:
            spreads.append(
                value + np.sqrt(len(pairs)) * (draws - value) if len(pairs) > 1 else draws
            )
    joint = len(spreads) == len(values) and len({len(one) for one in spreads}) == 1
    return Series(np.array(values), np.array(spreads) if joint else None)


def ceiling_of(entry: Mapping[str, Any], draws: int) -> Level | None:
    """The ceiling of a metric's entry with as many draws as its value: measured where the truth has
    noise, else the truth's own value.
    """
    given = entry.get("ceiling")
    if given is not None:
        return None if given["value"] is None else (float(given["value"]), given.get("draws") or ())
    return (
        None
        if entry.get("best") is None
        else (float(entry["best"]), [float(entry["best"])] * draws)
    )


class Numbers:
    """The numbers of one section, from its records: rows x metrics x slots."""

    def __init__(self, records: Iterable[Record], task: str) -> None:
        self.records: dict[Key, list[Record]] = defaultdict(list)
        order = sorted(
            records,
            key=lambda record: (row_key(record), slot_of(record), record["trial"]["fit_seed"]),
        )
        for record in order:
            self.records[row_key(record)].append(record)
        every = [record for fits in self.records.values() for record in fits]
        self.slots: Slots = tuple(sorted({slot_of(record) for record in every}))
        self.blocks = tuple(sorted({block for block, _ in self.slots}))
        self.scores: dict[Key, dict[Slot, list[dict[str, Any]]]] = {
            key: defaultdict(list) for key in self.records
        }
        for record in every:
            scores = record["result"].get("scores") or {}
            if task in scores:
                self.scores[row_key(record)][slot_of(record)].append(scores[task])
        #: every score entry of the task, in a fixed order
        self.all = [
            scores
            for key in sorted(self.scores)
            for slot in sorted(self.scores[key])
            for scores in self.scores[key][slot]
        ]
        self.memory: dict[Any, Any] = {}
        #: names of the floors that count for the task
        self.floors = sorted({name for scores in self.all for name in scores["floors"]})

    def metrics(self) -> list[str]:
        """Primary metrics first, in the task's order, then the others by name, variants last."""
        primary = self.primary()
        others = {name for scores in self.all for name in scores["metrics"]} - set(primary)
        return [*primary, *sorted(others, key=lambda name: ("[" in name, name))]

    def primary(self) -> list[str]:
        return list(self.all[0]["primary"]) if self.all else []

    def facts(self, metric: str) -> Mapping[str, Any]:
        """What the records say of a metric: version, direction, best, low, high."""
        return next(
            (scores["metrics"][metric] for scores in self.all if metric in scores["metrics"]), {}
        )

    def nothing(self, metric: str) -> float | None:
        """The value of doing nothing by a metric, None where the records name none."""
        entries = (scores["metrics"].get(metric, {}) for scores in self.all)
        return next(
            (float(entry["nothing"]) for entry in entries if entry.get("nothing") is not None), None
        )

    def remember(self, key: Any, make: Callable[[], T]) -> T:
        """A value made once: the same cells are read again for every row that is compared with
        them.
        """
        if key not in self.memory:
            self.memory[key] = make()
        found: T = self.memory[key]
        return found

    def metric_slots(self, metric: str) -> Slots:
        """Slots where any row has a number: the others allow none, whatever the answer."""
        return self.remember(("slots", metric), lambda: self._metric_slots(metric))

    def _metric_slots(self, metric: str) -> Slots:
        found = {
            slot
            for by_slot in self.scores.values()
            for slot, fits in by_slot.items()
            if any(fit["metrics"].get(metric, {}).get("value") is not None for fit in fits)
        }
        return tuple(sorted(found))

    def cells(self, key: Key, slot: Slot, metric: str) -> tuple[list[Cell], str]:
        """The cells of a row's fits in one slot; none and the reason where one of them has no
        number.
        """
        cells: list[Cell] = []
        fits = self.scores.get(key, {}).get(slot, [])
        for fit in fits:
            entry = fit["metrics"].get(metric) or {"value": None, "missing": NOT_ANSWERED}
            coverage = 1.0 if fit.get("coverage") is None else float(fit["coverage"])
            units = int(fit.get("blocks") or 0)
            if entry["value"] is not None:
                draws = entry.get("draws") or ()
                cells.append(
                    Cell(
                        float(entry["value"]),
                        draws,
                        coverage,
                        units,
                        entry.get("floors") or {},
                        ceiling_of(entry, len(draws)),
                    )
                )
            elif entry.get("missing") == "none" and key != STAND_IN:
                level = self.level(STAND_IN, slot, metric) or self.no_change(entry, metric)
                if level is None:
                    return [], "none"
                cells.append(
                    Cell(
                        level[0],
                        level[1],
                        coverage,
                        units,
                        ceiling=self.ceiling(slot, metric),
                        none=True,
                    )
                )
            else:
                return [], str(entry.get("missing") or NOT_ANSWERED)
        return cells, "" if fits else self.absence(key, slot)

    def no_change(self, entry: Mapping[str, Any], metric: str) -> Level | None:
        """The level of doing nothing, for a metric that knows one and a task in which `random` was
        not scored.
        """
        nothing = entry.get("nothing")
        return None if nothing is None else (float(nothing), [float(nothing)] * self.draws(metric))

    def ceiling(self, slot: Slot, metric: str) -> Level | None:
        """The ceiling in a slot, of the first row there that has a score; all that answered every
        unit share it.
        """
        for key in self.scores:
            for fit in self.scores[key].get(slot, []):
                entry = fit["metrics"].get(metric) or {}
                if entry.get("value") is not None:
                    return ceiling_of(entry, len(entry.get("draws") or ()))
        return None

    def absence(self, key: Key, slot: Slot) -> str:
        """Why a row has no scores in a slot: the status of its failed trial, not answered, or not
        run.
        """
        statuses = sorted(
            record["result"]["status"]
            for record in self.records.get(key, [])
            if slot_of(record) == slot
        )
        failed = [status for status in statuses if status != "ok"]
        return failed[0] if failed else NOT_ANSWERED if statuses else NOT_RUN

    def draws(self, metric: str) -> int:
        """How many bootstrap draws the records hold inside each slot, 0 for none."""
        return self.remember(("draws", metric), lambda: self._draws(metric))

    def _draws(self, metric: str) -> int:
        return max(
            (len(scores["metrics"].get(metric, {}).get("draws") or ()) for scores in self.all),
            default=0,
        )

    def level(self, key: Key, slot: Slot, metric: str) -> Level | None:
        """The mean value and draws of a row's fits in one slot, None where it has no number
        there.
        """
        return self.remember(("level", key, slot, metric), lambda: self._level(key, slot, metric))

    def _level(self, key: Key, slot: Slot, metric: str) -> Level | None:
        cells, _ = self.cells(key, slot, metric)
        if not cells:
            return None
        draws = mean_draws([cell.draws for cell in cells])
        return mean([cell.value for cell in cells]), () if draws is None else draws.tolist()

    def measure(self, key: Key, metric: str) -> Measured:
        """One row by one metric, in every slot that allows a number."""
        return self.remember(("measure", key, metric), lambda: self._measure(key, metric))

    def _measure(self, key: Key, metric: str) -> Measured:
        numbers: dict[Slot, Sequence[Cell]] = {}
        missing: Counter[str] = Counter()
        nones = 0
        allowed = self.metric_slots(metric)
        for slot in allowed or self.slots:
            cells, why = self.cells(key, slot, metric)
            if cells:
                numbers[slot] = cells
            else:
                missing[why] += 1
            nones += why == "none" or any(cell.none for cell in cells)
        why = (
            min(missing, key=lambda word: (word == NOT_RUN, -missing[word], word))
            if missing
            else ""
        )
        return Measured(numbers, why, nones)

    def floor(self, name: str, metric: str, units: Measured) -> Series | None:
        """A floor on the units that a row answered: from the row's records where it left units out,
        else from the floor's own.
        """
        if all(cell.coverage >= 1 for cells in units.cells.values() for cell in cells):
            # every unit was answered, so all rows with these slots share the floor, however often
            # they were fitted
            whole = {slot: [Cell(0.0)] for slot in units.cells}
            return self.remember(
                ("floor", name, metric, tuple(sorted(whole))),
                lambda: self._floor(name, metric, whole),
            )
        return self._floor(name, metric, units.cells)

    def _floor(self, name: str, metric: str, units: Mapping[Slot, Sequence[Cell]]) -> Series | None:
        slots: dict[Slot, list[Level]] = {}
        for slot, cells in units.items():
            levels: list[Level | None] = []
            for cell in cells:
                own = cell.floors.get(name, {})
                if cell.coverage >= 1:
                    levels.append(self.level(("floor", name), slot, metric))
                else:
                    levels.append(
                        (float(own["value"]), own.get("draws") or ())
                        if own.get("value") is not None
                        else None
                    )
            known = [level for level in levels if level is not None]
            if len(known) < len(levels):
                return None
            slots[slot] = known
        return block_series(slots) if slots else None
