"""The check that a data set is quick enough for the other checks to end in time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kobench.cells import Knockouts
from kobench.checks.datasets.contents import TRUTHS
from kobench.checks.datasets.floors import EVENTS
from kobench.checks.datasets.parts import KNOCKOUTS, LOADING, seconds_text, smaller, told, too_long
from kobench.checks.datasets.tested import DatasetUnderTest
from kobench.truth.multiples import CELLS_A_SET, SETS
from kobench.worker.checks.result import NotRun, Wrong

#: How many knockouts of each order are tried: one, and if that is quick this many more, as many at
#: once may cost a simulator less each.
TRIED = 8

#: One is quick that takes less than this share of the time that is left.
QUICK = 0.01

#: What the checks after this one load and ask, beside what the floors are asked.
LOADS = 4
ROUNDS = 3


def quick_enough(tested: DatasetUnderTest) -> str:
    """The other checks can end in time; else it says what is slow, and what to check instead."""
    try_knockouts(tested)
    tested.compared += 1
    parts = tested.parts
    counts = counts_of(tested)
    needed, left = parts.needed(counts), parts.left
    if left is not None and needed > left:
        tested.slow = (
            f"the checks would take about {seconds_text(needed)}, and {seconds_text(max(left, 0))}"
            f" are left: {told(parts.found)}; {smaller(tested.chosen, too_long(needed, left))}"
        )
        raise Wrong(tested.slow)
    return told(parts.found)


def refuse_slow(tested: DatasetUnderTest) -> None:
    """Raise NotRun where `quick_enough` found that there is no time."""
    if tested.slow:
        raise NotRun("there is not enough time, see quick-enough")


def try_knockouts(tested: DatasetUnderTest) -> None:
    """Measure some knockouts of one gene and of two, as many as are quick."""
    dataset = tested.dataset
    if dataset.truth is None:
        return
    on = dataset.cells[: min(50, dataset.cells.n_obs)].assemblages()
    for order in (1, 2):
        able = np.flatnonzero(on.sum(axis=1) > order)[:TRIED]
        if not len(able):
            return
        genes = np.array([np.flatnonzero(on[cell])[:order] for cell in able], dtype=np.int32)
        events = Knockouts(genes, able.astype(np.int32))
        dataset.truth.knockout(events[np.array([0])])
        left = tested.parts.left
        if left is None or tested.parts.each(KNOCKOUTS[order]) < QUICK * left:
            tested.parts.found.pop(KNOCKOUTS[order], None)
            dataset.truth.knockout(events)


def counts_of(tested: DatasetUnderTest) -> Mapping[str, int]:
    """How many loads and knockouts the other checks need, at the most."""
    dataset = tested.dataset
    if dataset.truth is None:
        return {LOADING: LOADS}
    asked = int(dataset.cells.assemblages().sum()) // 5
    singles, sets = min(EVENTS, asked), SETS * min(CELLS_A_SET, max(1, dataset.cells.n_obs // 5))
    times = 2 if dataset.replicate is not None else 1  # of the reference line that draws again
    return {
        LOADING: LOADS + times - 1,
        KNOCKOUTS[1]: ROUNDS * min(TRUTHS, asked) + times * (singles + 2 * sets),
        KNOCKOUTS[2]: times * sets,
    }
