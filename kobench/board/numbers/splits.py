"""Which splits of its cells a section has, and which of them a row must have to be compared.

A method that is too slow for all splits may have the first few. Which ones is no choice: whoever
could leave splits out would keep those that suit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile

from kobench.board.numbers.networks import Networks, Slot
from kobench.board.numbers.values import Key
from kobench.results.parts import Record, TaskScores


class Splits:
    """The splits of a section's records.

    Parameters
    ----------
    records : iterable of Record
        Of one dataset, split and task.
    networks : Networks
        Which block each of them is in.

    Attributes
    ----------
    slots : sequence of sequence of Slot
        Of each draw of the cells its slots, in the order of the splits' seeds.
    """

    def __init__(self, records: Iterable[Record], networks: Networks) -> None:
        found: dict[tuple[str, str], dict[int, Slot]] = defaultdict(dict)
        for record in records:
            slot, trial = networks.slot(record), record.trial
            found[slot[0], trial.dataset.selection][trial.split.seed] = slot
        self.slots = [[seeds[seed] for seed in sorted(seeds)] for _, seeds in sorted(found.items())]

    def owed(self, run: Collection[Slot]) -> tuple[Slot, ...]:
        """The slots where a row must have scores, given those where it was run.

        All of them, unless it was run on the first splits of every draw of the cells: then these.
        """
        first = [list(takewhile(lambda slot: slot in run, slots)) for slots in self.slots]
        begun = [slot for slots in first for slot in slots]
        if not all(first) or set(begun) != set(run):
            begun = [slot for slots in self.slots for slot in slots]
        return tuple(sorted(begun))

    def count(self, slots: Collection[Slot]) -> int:
        """How many splits these slots are of, at most, of one draw of the cells."""
        return max((sum(slot in slots for slot in every) for every in self.slots), default=0)


def steady_blocks(scores: Mapping[Key, Mapping[Slot, Sequence[TaskScores]]]) -> frozenset[str]:
    """The blocks in which each row was drawn from the same units in all slots, as records say."""
    drawn: dict[str, dict[Key, set[str | None]]] = defaultdict(lambda: defaultdict(set))
    for key, slots in scores.items():
        for (block, _), fits in slots.items():
            drawn[block][key] |= {fit.blocks_digest for fit in fits}
    return frozenset(
        block
        for block, rows in drawn.items()
        if all(len(found) == 1 and None not in found for found in rows.values())
    )
