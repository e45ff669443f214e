"""What the parts of a data set take: loading it, and knockouts of its truth, by their order.

Checks of a slow simulator are not run where they could not end in time. What is slow is said, and
which smaller parameters would do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from kobench.cells import FloatArray, IntArray, Knockouts
from kobench.dataset import Counterfactual
from kobench.plugins.chosen import Chosen
from kobench.plugins.parameters import canonical

#: What the parts are called.
LOADING, WILD_TYPE = "loading", "wild-type cells"
KNOCKOUTS = {1: "single knockouts", 2: "knockouts of two genes", 3: "knockouts of three genes"}

#: Parameters of a simulator that make it smaller, and the least that is suggested of each.
SIZES = {"genes": 20, "cells": 50}

#: A suggestion is meant to take this share of the time that there is.
AIM = 0.5


@dataclass
class Part:
    """What one part took.

    Attributes
    ----------
    seconds : float
        In all.
    count : int
        Of how many loads, cells or events.
    """

    seconds: float = 0.0
    count: int = 0

    def add(self, count: int, seconds: float) -> None:
        """Count more of them."""
        self.count, self.seconds = self.count + count, self.seconds + seconds

    @property
    def each(self) -> float:
        """Seconds of one of them; 0 where none was measured."""
        return self.seconds / self.count if self.count else 0.0


@dataclass
class Parts:
    """A watch on the parts of a data set.

    Attributes
    ----------
    budget : float or None
        Seconds for all checks together; None for no limit.
    clock : callable
        Seconds since some time.
    say : callable
        Is told of each part that begins, by its name and count, and of each that ends, with its
        seconds; it runs in the process that may be stopped.
    found : dict of str to Part
        What each part took so far.
    """

    budget: float | None = None
    clock: Callable[[], float] = time.perf_counter
    say: Callable[[str, int, float | None], None] = lambda name, count, seconds: None
    found: dict[str, Part] = field(default_factory=dict)
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @contextmanager
    def measure(self, name: str, count: int = 1) -> Iterator[None]:
        """Add what happens inside a `with` block to a part."""
        self.say(name, count, None)
        start = self.clock()
        try:
            yield
        finally:
            seconds = self.clock() - start
            self.found.setdefault(name, Part()).add(count, seconds)
            self.say(name, count, seconds)

    @property
    def left(self) -> float | None:
        """Seconds that are left of the budget; None without one."""
        return None if self.budget is None else self.budget - (self.clock() - self.began)

    def each(self, name: str) -> float:
        """Seconds of one load, cell or event; 0 where none was measured."""
        return self.found.get(name, Part()).each

    def needed(self, counts: Mapping[str, int]) -> float:
        """Seconds that so many loads and events would take, as far as they were measured."""
        return sum(number * self.each(name) for name, number in counts.items())


class Measured:
    """A truth whose knockouts are measured; all else is the truth's own.

    Parameters
    ----------
    truth : Counterfactual
        The truth.
    parts : Parts
        The watch.
    """

    def __init__(self, truth: Counterfactual, parts: Parts) -> None:
        self._truth, self._parts = truth, parts

    def wild_type(self, cells: IntArray) -> FloatArray:
        """As the truth gives it."""
        with self._parts.measure(WILD_TYPE, len(cells)):
            return self._truth.wild_type(cells)

    def knockout(self, knockouts: Knockouts) -> FloatArray:
        """As the truth gives it."""
        with self._parts.measure(part_of(knockouts.order), len(knockouts)):
            return self._truth.knockout(knockouts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._truth, name)


def part_of(order: int) -> str:
    """What knockouts of so many genes are called."""
    return KNOCKOUTS.get(order, f"knockouts of {order} genes")


def told(parts: Mapping[str, Part]) -> str:
    """What each part took, in words, the slowest first.

    >>> told({"loading": Part(4.0, 2), "single knockouts": Part(30.0, 10)})
    '10 single knockouts 30 s (3 s each), loading twice 4 s (2 s each)'
    """
    order = sorted(parts.items(), key=lambda item: (-item[1].seconds, item[0]))
    return ", ".join(said(name, part) for name, part in order if part.count)


def said(name: str, part: Part) -> str:
    """What one part took, in words."""
    times = {1: "", 2: " twice"}.get(part.count, f" {part.count} times")
    counted = name if part.count > 1 else name.replace("knockouts", "knockout")
    what = f"{LOADING}{times}" if name == LOADING else f"{part.count:,} {counted}"
    each = "" if part.count == 1 else f" ({seconds_text(part.each)} each)"
    return f"{what} {seconds_text(part.seconds)}{each}"


def seconds_text(seconds: float) -> str:
    """Seconds with two digits that count.

    >>> seconds_text(0.01234), seconds_text(12.3), seconds_text(4567.0), seconds_text(0.0)
    ('0.012 s', '12 s', '4,600 s', '0 s')
    """
    rounded = float(f"{seconds:.2g}")
    return f"{rounded:,.0f} s" if rounded >= 10 else f"{rounded:.2g} s"


def smaller(chosen: Chosen, factor: float) -> str:
    """What to check instead, where everything takes too long by a factor.

    The spec's own parameters `genes` and `cells` become smaller, as though what is slow grew with
    their product.

    Parameters
    ----------
    chosen : Chosen
        The data set with its parameters.
    factor : float
        How many times too long it takes; over 1.

    Returns
    -------
    str
        A command in words, or what the spec lacks.
    """
    params = chosen.entry.spec.params
    sizes = {
        name: int(chosen.params[name])
        for name in SIZES
        if name in params and isinstance(chosen.params.get(name), int)
    }
    shrunk = {}
    for name, size in sizes.items():
        least = max(SIZES[name], int(params[name].low or 0))
        wanted = int(float(f"{size / factor ** (1 / len(sizes)):.1g}"))
        if max(least, wanted) < size:
            shrunk[name] = max(least, wanted)
    if not shrunk:
        return (
            "its parameters have no smaller genes or cells to offer: give the check more time"
            " (--timeout)"
            if sizes
            else "its spec has no parameter genes or cells that would make it smaller: give it one,"
            " or the check more time (--timeout)"
        )
    found = canonical(chosen.entry.shown_name, {**chosen.params, **shrunk}, params)
    return f"try kobench check {found}, or more time (--timeout)"


def too_long(needed: float, left: float) -> float:
    """How many times too long it takes, against the share of the time that is aimed at."""
    return max(needed / max(AIM * left, 1e-9), sqrt(2.0))
