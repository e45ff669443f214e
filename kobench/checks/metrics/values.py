"""Checks of the values a metric gives: their form, and what they must not depend on.

Each is a function of the metric under test. It returns what it found; it raises Wrong,
NotApplicable or NotRun, or what the metric raises. The first line of its docstring is what must
hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from kobench.checks.metrics import variants
from kobench.checks.metrics.tested import EQUAL, MetricUnderTest
from kobench.units import Units
from kobench.worker.checks.random_states import RandomStates
from kobench.worker.checks.result import Wrong


def gives_a_value(tested: MetricUnderTest) -> str:
    """It is a function of units that returns a float or Parts, at least for some made-up units."""
    if not callable(tested.score):
        raise Wrong(f"score is a {type(tested.score).__name__}; expected a function of units")
    tested.compared += len(tested.scored)
    left = [what for what in tested.all_units if what not in tested.scored]
    others = f"; not for {', '.join(left)}" if left else ""
    return f"computed for {', '.join(tested.scored)}{others}"


def unit_order(tested: MetricUnderTest) -> str:
    """Units in another order have the same value."""

    def reordered(given: Units, rng: np.random.Generator) -> Units:
        return variants.taken(given, rng.permutation(len(given.true)))

    return _same_value(tested, "in another order", reordered)


def gene_order(tested: MetricUnderTest) -> str:
    """Genes, cells, pairs and perturbations with other numbers or orders have the same value."""
    how = "with genes, cells and perturbations numbered anew"
    return _same_value(tested, how, variants.genes_reordered)


def _same_value(
    tested: MetricUnderTest, how: str, change: Callable[[Units, np.random.Generator], Units]
) -> str:
    """Wrong where changed units have another value."""
    for what, given in tested.scored.items():
        rng = np.random.default_rng([tested.seed, 18])
        answer = variants.noisy(given, 0.3, rng)
        before = tested.value(what, answer)
        after = tested.value(f"{what} {how}", change(answer, rng))
        if before is None or after is None or not _same(before, after, EQUAL):
            raise Wrong(
                f"{what} {how} score {after}; expected {before}, as before, within {EQUAL:g}"
                " (absolute)"
            )
        tested.compared += 1
    return f"{tested.compared} kinds of units"


def no_value_where_none(tested: MetricUnderTest) -> str:
    """No units have no value, and a truth that is all alike, or a constant answer, is no fault.

    A truth that says one number of everything raises nothing. A constant answer is no reason for
    NotComputed.
    """
    for what, given in tested.scored.items():
        empty = tested.value(f"no {what}", variants.taken(given, np.arange(0)))
        if empty is not None and not math.isnan(empty):
            raise Wrong(
                f"no units at all score {empty:.6g}; raise NotComputed where no answer could be"
                " scored"
            )
        tested.value(f"a truth that is all alike on {what}", variants.alike(given))
        for answer, spoilt in variants.constants(given):
            if tested.value(f"{answer} on {what}", spoilt) is None:
                raise Wrong(
                    f"it raises NotComputed for {answer} on {what}, where other answers are scored;"
                    " return NaN: it is the answer's fault"
                )
        tested.compared += 1
    return "no units: no value; constant answers: a value or NaN"


def in_range(tested: MetricUnderTest) -> str:
    """Every value that it gave is in the declared range."""
    _ = tested.scored
    spec = tested.spec
    values = [(what, value) for what, value in tested.seen if not math.isnan(value)]
    for what, value in values:
        if not spec.low - EQUAL <= value <= spec.high + EQUAL:
            raise Wrong(
                f"it is {value:.6g} for {what}; the spec declares {spec.low:g} to {spec.high:g},"
                f" and {EQUAL:g} more (absolute) is allowed"
            )
    tested.compared += len(values)
    numbers = [value for _, value in values]
    lowest, highest = min(numbers, default=math.nan), max(numbers, default=math.nan)
    return f"{len(values)} values from {lowest:.3g} to {highest:.3g}"


def repeatable(tested: MetricUnderTest) -> str:
    """Scored twice the value is the same, and units and global random states are left alone."""
    for what, given in tested.scored.items():
        answer = variants.noisy(given, 0.3, np.random.default_rng([tested.seed, 20]))
        copy = deepcopy(answer)
        with RandomStates() as states:
            first, second = tested.value(what, answer), tested.value(what, answer)
        if not _same(first, second, 0.0):
            raise Wrong(f"scored twice, {what} have {first} and {second}")
        if states.changed:
            raise Wrong(
                f"it changed the global state of {' and '.join(states.changed)}; use a generator of"
                " its own with a fixed seed"
            )
        if not all(
            np.array_equal(before, after, equal_nan=True)
            for before, after in zip(_arrays(copy), _arrays(answer), strict=True)
        ):
            raise Wrong("it changed the units that it was given; work on a copy")
        tested.compared += 1
    return "twice the same, and nothing else changed"


def _same(one: float | None, other: float | None, apart: float) -> bool:
    """Whether two values are at most so far apart, or both NaN, or both None."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= apart or (math.isnan(one) and math.isnan(other))


def _arrays(given: Units) -> list[Any]:
    """The arrays of units, in the order of their fields."""
    return [values for values in vars(given).values() if isinstance(values, np.ndarray)]
