"""How many units a section is about, each counted once however often the same cells are split.

Networks are added up: their units are others. Splits of one network, or of one real dataset, ask
for much the same units, so of them the fewest and the most are told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kobench.board.numbers.series import Numbers
from kobench.board.numbers.values import Slot
from kobench.results.parts import TaskScores

#: What all fits of all rows scored, by slot.
Fits = Mapping[Slot, Sequence[TaskScores]]


@dataclass(frozen=True)
class Count:
    """A number of units over all networks: the fewest and the most that a split has.

    Attributes
    ----------
    low, high : int
        These numbers.
    splits : int
        The most splits that a network, or the dataset, has.
    """

    low: int
    high: int
    splits: int = 1

    def __str__(self) -> str:
        """The number: "11", or "10 to 11" where splits differ."""
        return f"{self.high:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"

    @property
    def each(self) -> str:
        """What is said behind it, nothing where there is one split."""
        return f" in each of {self.splits} splits" if self.splits > 1 else ""


def by_slot(numbers: Numbers) -> dict[Slot, list[TaskScores]]:
    """What all fits of all rows scored, by slot."""
    found: dict[Slot, list[TaskScores]] = defaultdict(list)
    for slots in numbers.scores.values():
        for slot, fits in slots.items():
            found[slot] += fits
    return found


def count(slots: Mapping[Slot, int]) -> Count:
    """The units of a section, from those of each slot.

    >>> count({("pbmc", "0"): 11, ("pbmc", "1"): 11})
    Count(low=11, high=11, splits=2)
    >>> str(count({("a", "0"): 700, ("b", "0"): 700}))
    '1,400'
    """
    found: dict[str, list[int]] = defaultdict(list)
    for (block, _), units in slots.items():
        found[block].append(units)
    return Count(
        sum(min(counts) for counts in found.values()),
        sum(max(counts) for counts in found.values()),
        max((len(counts) for counts in found.values()), default=1),
    )


def left_out(slots: Fits) -> dict[str, Count]:
    """How many units were dropped for everybody, by reason, the reasons in alphabetical order."""
    dropped: dict[Slot, dict[str, int]] = {slot: {} for slot in slots}
    for slot, fits in slots.items():
        for one in fits:
            dropped[slot].update({reason: int(number) for reason, number in one.left_out.items()})
    reasons = sorted({reason for found in dropped.values() for reason in found})
    return {
        reason: count({slot: found.get(reason, 0) for slot, found in dropped.items()})
        for reason in reasons
    }
