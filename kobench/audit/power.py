"""Power: how small a difference to the best floor this dataset could show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from kobench.audit.floors import FloorValues, floor_values
from kobench.audit.material import Material
from kobench.audit.pictures import power_curve
from kobench.audit.report import Part, Picture, Table, Verdict, counted, plain
from kobench.audit.statistics import (
    smallest_seen,
    smallest_uneven,
    spread_of_uneven,
    units_needed,
)
from kobench.board.numbers.power import POWER
from kobench.board.numbers.rules import least_gap, range_of, smallest_named
from kobench.plugins.load import Registry

KEY, TITLE = "power", "Power: what difference could be seen?"

#: What an answer without error is called among the scores.
PERFECT = "an answer without error"

#: Of a correlation with a ceiling that is estimated no skill is printed below this way to it.
NO_SKILL = least_gap(range_of(-1.0, 1.0, "higher"), estimated=True)

#: Gains for which the number of perturbations needed is told.
WANTED = (0.05, 0.1, 0.2)


def power(material: Material, registry: Registry) -> Part:
    """The smallest gain over the best floor that would be seen, and what would show a smaller."""
    question = material.question
    if question is None:
        return _nothing(material)
    found = floor_values(material, question, registry)
    if found.unranked:
        return Part(
            KEY,
            TITLE,
            "bad",
            f"Nobody can be ranked on these data: {found.unranked}. Use them to look at answers,"
            " not to compare methods.",
            {"unranked": found.unranked},
        )
    if not found.floors or len(found.floors[found.best]) < 2:
        why = found.why or "one perturbation alone has a score"
        return Part(KEY, TITLE, "bad", f"No difference can be seen here: {why}.", {"why": why})
    return part_of(Power.of(found, sharing(question.targets)), material.dataset.kind == "simulated")


@dataclass(frozen=True)
class Power:
    """What differences could be seen.

    The spread of a method's gain over perturbations is not known before the method is there. It is
    bracketed: a gain that all perturbations have alike spreads as floors differ from each other; a
    gain that comes from few perturbations spreads by them, too.

    Attributes
    ----------
    metric, best : str
        The primary metric, and the best floor.
    perturbations : int
        How many carry it.
    scores : mapping of str to float
        Floor -> its score, and that of an answer without error.
    spreads : mapping of str to float
        Other floor -> standard deviation over perturbations of its difference to the best one; of
        the best floor itself where there is no other.
    room : float, or None
        From the best floor to an answer without error; None where that is not known.
    named : float
        The smallest difference that a board names.
    shared : int
        Perturbations that have a target in common with another.
    """

    metric: str
    best: str
    perturbations: int
    scores: Mapping[str, float]
    spreads: Mapping[str, float]
    room: float | None
    named: float
    shared: int = 0

    @classmethod
    def of(cls, found: FloorValues, shared: int = 0) -> Power:
        """What floors and ceiling say."""
        best = found.floors[found.best]
        floor, top = float(best.mean()), None
        scores = {name: float(values.mean()) for name, values in found.floors.items()}
        if found.ceiling is not None:
            top = scores[PERFECT] = float(found.ceiling.mean())
        spreads = {
            name: float(np.std(values - best, ddof=1))
            for name, values in found.floors.items()
            if name != found.best
        } or {found.best: float(np.std(best, ddof=1))}
        return cls(
            found.metric,
            found.best,
            len(best),
            scores,
            spreads,
            None if top is None else top - floor,
            smallest_named(floor, top, 1.0),
            shared,
        )

    @property
    def spread(self) -> float:
        """The largest spread of a floor."""
        return max(self.spreads.values())

    @property
    def even(self) -> float:
        """The smallest gain that is seen where all perturbations have it."""
        return max(self.named, smallest_seen(self.spread, self.perturbations))

    @property
    def uneven(self) -> float | None:
        """The same where few have it; infinite where none is, None where the room is not known."""
        if self.room is None:
            return None
        return max(self.even, smallest_uneven(self.spread, self.room, self.perturbations))

    def needed(self, gain: float) -> tuple[int, int | None]:
        """How many perturbations would show a gain, where all have it and where few have it."""
        even = units_needed(gain, self.spread)
        if self.room is None or gain > self.room:
            return even, None
        return even, units_needed(gain, spread_of_uneven(gain, self.spread, self.room))


def sharing(targets: Sequence[Sequence[int]]) -> int:
    """How many perturbations have a target in common with another.

    >>> sharing([(0,), (1,), (0, 2), (3,)])
    2
    """
    often = Counter(gene for genes in targets for gene in genes)
    return sum(any(often[gene] > 1 for gene in genes) for genes in targets)


def part_of(found: Power, simulated: bool) -> Part:
    """What is said of power."""
    even, uneven, room = found.even, found.uneven, found.room
    verdict: Verdict = "fine"
    if room is not None and uneven is not None:
        verdict = "bad" if even >= room else "look" if uneven > room / 2 else "fine"
        if verdict == "fine" and room <= NO_SKILL:
            verdict = "look"
    if verdict == "bad" and simulated:  # what is averaged is the network, and there may be many
        verdict = "look"
    facts: dict[str, Any] = {
        "metric": found.metric,
        "perturbations": found.perturbations,
        "best_floor": found.best,
        "scores": {name: round(value, 6) for name, value in found.scores.items()},
        "spread_of_differences": {name: round(v, 6) for name, v in found.spreads.items()},
        "room": plain(room),
        "smallest_seen": {"even": plain(even), "uneven": plain(uneven)},
        "smallest_named": plain(found.named),
        "power": POWER,
        "sharing_a_target": found.shared,
        "perturbations_needed": {
            str(gain): dict(zip(("even", "uneven"), found.needed(gain), strict=True))
            for gain in WANTED
        },
    }
    rows = [
        (f"a gain of {gain:g} over the best floor", *map(_count, found.needed(gain)))
        for gain in WANTED
    ]
    order = sorted(found.scores, key=lambda name: (-found.scores[name], name))
    scores = [
        (name, f"{found.scores[name]:.3f}", f"{found.spreads[name]:.3f}")
        if name in found.spreads
        else (name, f"{found.scores[name]:.3f}", "")
        for name in order
    ]
    heads = ("perturbations needed to see", "where all gain alike", "where few gain")
    return Part(
        KEY,
        TITLE,
        verdict,
        _sentence(found, simulated),
        facts,
        Table(heads, rows),
        Picture(
            f"The smallest gain over the best floor seen with {POWER:.0%} power, by the number of"
            " perturbations: where all have it alike, and where few have it",
            lambda: power_curve(found.perturbations, found.spread, found.room),
        ),
        Table(("answer", f"score by {found.metric}", "SD of its gain over perturbations"), scores),
    )


def _sentence(found: Power, simulated: bool) -> str:
    n, even, uneven, room = found.perturbations, found.even, found.uneven, found.room
    stands = (
        f"{counted(n, 'perturbation')} {'carry' if n != 1 else 'carries'} the primary metric"
        f" {found.metric}, where the best floor, {found.best}, has {found.scores[found.best]:.2f}"
    )
    if found.shared:
        stands += f" ({found.shared:,} share a target with another, so they tell less than others)"
    seen = (
        "a method is told from that floor in four boards of five if it is better by"
        f" {_number(even)} in all of them alike"
    )
    if room is None or uneven is None:
        return f"{stands}; {seen}."
    few = (
        f"or by {_number(uneven)} if its gain comes from few of them"
        if isfinite(uneven)
        else "and hardly ever if its gain comes from few of them"
    )
    left = f"an answer without error would be better by {room:.2f}"
    if even >= room:
        advice = (
            "so hardly any method could be told from the floor: bring more perturbations, or"
            " stronger ones"
        )
    elif uneven > room / 2:
        advice = (
            "so only methods that go a good part of that way are told apart: read ranks as ties"
        )
    else:
        advice = "so there is room to tell methods apart"
    if room <= NO_SKILL:
        advice += f"; a board prints no skill where that way is not over {NO_SKILL:.2f}"
    one = " (this is one network: a board averages several)" if simulated else ""
    return f"{stands}; {seen}, {few}; {left}, {advice}{one}."


def _number(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.3f}"


def _count(value: int | None) -> str:
    return "not reached" if value is None else f"{value:,}"


def _nothing(material: Material) -> Part:
    """What is said where no perturbation can be asked."""
    if material.dataset.perturbed is not None:
        return Part(
            KEY,
            TITLE,
            "bad",
            "No perturbation can be asked, so nothing about knockouts can be scored; the table of"
            " what can't be asked says why.",
        )
    if material.dataset.truth is not None:
        return Part(
            KEY,
            TITLE,
            "unknown",
            "The truth of single cells is known without noise; what is averaged is the network, so"
            " take as many networks as docs/intervals.md says a difference needs.",
        )
    return Part(
        KEY,
        TITLE,
        "unknown",
        "All cells are wild type: profiles of cells can be asked, and nothing about knockouts.",
    )
