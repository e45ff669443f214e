"""The values of one row by one metric, and the series of block values that they make.

A **slot** is a (block, replicate). For simulated data the block is the network, and replicates are
split seeds. For real data there is one block, the cells, and replicates are data and split seeds.
Several fits in a slot are averaged first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import fsum

import numpy as np

from kobench.board.numbers.intervals import Series
from kobench.cells import FloatArray
from kobench.results.parts import DrawnValue, MetricScore

Slot = tuple[str, str]
Slots = tuple[Slot, ...]
#: What makes a row, see `kobench.board.numbers.series.row_key`.
Key = tuple[str, ...]
Draws = Sequence[float | None]
#: A value and its bootstrap draws.
Level = tuple[float, Draws]

#: The floor whose score stands in where an answer gives no ranking.
STAND_IN: Key = ("floor", "random")

#: What has the score that no floor counts below. The scale of screens begins at the mean response.
NOTHING, MEAN_RESPONSE = "doing nothing", "mean response"

#: Why there is no value: an answer that gives no ranking, one that was not given, a trial not run.
NONE, NOT_ANSWERED, NOT_RUN = "none", "not answered", "not run"


@dataclass(frozen=True, eq=False)
class Value:
    """One fit's value by one metric in one slot.

    Attributes
    ----------
    value : float
        The score.
    draws : (D,) sequence of float or None
        Its bootstrap draws, () for none.
    coverage : float
        Share of units answered.
    units : float
        How many units its draws take, 0 where not known.
    floors : mapping of str to DrawnValue
        Each floor's score on just the units answered.
    ceiling : Level, or None
        What an answer without error scores on the same units, None where that is not known.
    none : bool
        Whether `random` stands in for an answer that gives no ranking.
    """

    value: float
    draws: Draws = ()
    coverage: float = 1.0
    units: float = 0.0
    floors: Mapping[str, DrawnValue] = field(default_factory=dict)
    ceiling: Level | None = None
    none: bool = False


@dataclass(frozen=True, eq=False)
class RowValues:
    """A row by one metric: the values of its fits, in every slot where all of them have one.

    Attributes
    ----------
    values : mapping of Slot to sequence of Value
        By slot the value of each fit there.
    missing : str
        "" or why the other slots have none.
    nones : int
        In how many slots the answer gave no ranking.
    steady : frozenset of str
        The blocks whose draws are of the same units in all their slots.
    """

    values: Mapping[Slot, Sequence[Value]]
    missing: str = ""
    nones: int = 0
    steady: frozenset[str] = frozenset()

    def within(self, slots: Collection[Slot]) -> RowValues:
        """The same in some of its slots."""
        return replace(self, values={slot: self.values[slot] for slot in slots})

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks with a value, by name."""
        return tuple(sorted({block for block, _ in self.values}))

    @cached_property
    def series(self) -> Series:
        """The score of each block, with its draws."""
        series = block_series(
            {slot: [(one.value, one.draws) for one in fits] for slot, fits in self.values.items()},
            self.steady,
        )
        return replace(series, units=self.units)

    @cached_property
    def ceiling(self) -> Series | None:
        """What an answer without error would score on the same units, drawn jointly.

        None where it is not known in one of the slots.
        """
        levels = {
            slot: [one.ceiling for one in fits if one.ceiling is not None]
            for slot, fits in self.values.items()
        }
        if not levels or any(len(levels[slot]) < len(fits) for slot, fits in self.values.items()):
            return None
        return replace(block_series(levels, self.steady), units=self.units)

    @property
    def units(self) -> float:
        """How many units the draws inside a block take: the fewest of any fit.

        0 where one does not say.
        """
        return min((one.units for fits in self.values.values() for one in fits), default=0.0)

    @cached_property
    def coverage(self) -> Series:
        """Share of units answered, by block; draws of one column, which fit any number of draws."""
        found = block_series(
            {slot: [(one.coverage, ()) for one in fits] for slot, fits in self.values.items()},
            self.steady,
        )
        return replace(found, draws=found.values[:, None])

    @property
    def only_none(self) -> bool:
        """Whether no slot has a score of the row's own."""
        return self.nones > 0 and all(one.none for fits in self.values.values() for one in fits)


def mean(values: Sequence[float]) -> float:
    """The mean of a few numbers, the same in any order."""
    return fsum(values) / len(values)


def mean_draws(lists: Sequence[Draws]) -> FloatArray | None:
    """The mean over fits of their bootstrap draws, index by index, (D,).

    None where a fit has none, or their numbers differ.
    """
    if len({len(draws) for draws in lists}) != 1 or not lists[0]:
        return None
    means: FloatArray = np.array(
        [[np.nan if x is None else x for x in draws] for draws in lists], dtype=np.float64
    ).mean(axis=0)
    return means


def block_series(
    slots: Mapping[Slot, Sequence[Level]], steady: Collection[str] = frozenset()
) -> Series:
    """The value of each block: fits are averaged inside a slot, then slots inside a block.

    Parameters
    ----------
    slots : mapping of Slot to sequence of Level
        By slot the value and draws of each fit.
    steady : collection of str
        The blocks whose draws are of the same units in all their slots.

    Notes
    -----
    Where draw b takes the same units in every slot (perturbations, genes), its mean is that of the
    same draw of the units' means: what the slots share stays, and no more; of one block the values
    of its slots are kept, too, as their own spread adds to that. Else (cells) several
    splits still share most of what makes their scores vary, so they must not narrow the interval
    inside a block. The mean of R of them keeps the spread of one: its draws are spread by sqrt(R)
    around the mean.
    """
    blocks: dict[str, list[tuple[float, FloatArray | None]]] = defaultdict(list)
    for (block, _), fits in sorted(slots.items()):
        blocks[block].append(
            (mean([value for value, _ in fits]), mean_draws([draws for _, draws in fits]))
        )
    values, spreads = [], []
    apart: FloatArray | None = None
    for block, pairs in sorted(blocks.items()):
        value = mean([one for one, _ in pairs])
        values.append(value)
        draws = mean_draws([[] if one is None else one.tolist() for _, one in pairs])
        if draws is not None:
            alike = len(pairs) == 1 or block in steady
            spreads.append(draws if alike else value + np.sqrt(len(pairs)) * (draws - value))
        if len(blocks) == 1 and len(pairs) > 1 and block in steady:
            apart = np.array([one for one, _ in pairs])
    joint = len(spreads) == len(values) and len({len(one) for one in spreads}) == 1
    return Series(np.array(values), np.array(spreads) if joint else None, splits=apart)


def ceiling_of(score: MetricScore) -> Level | None:
    """What an answer without error would score, with as many draws as the value.

    As recorded where the truth has noise, else the truth's own value.
    """
    if (ceiling := score.ceiling) is not None:
        return None if ceiling.value is None else (float(ceiling.value), ceiling.draws)
    return None if score.best is None else constant_level(score.best, len(score.draws))


def constant_level(value: float, draws: int) -> Level:
    """A value that no draw changes."""
    return float(value), [float(value)] * draws
