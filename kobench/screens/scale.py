"""What the members of the score are scaled by: the mean response is 0, a replicate is 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kobench.cells import FloatArray, IntArray
from kobench.screens.bulk import summed
from kobench.screens.measure import Counted, Measured, measure
from kobench.screens.members import (
    direction_fidelity,
    direction_reach,
    discrimination,
    fold_error,
    significance_jaccard,
    squared_effect,
    squared_error,
)

#: How often the cells are cut into halves for the replicate.
SPLITS = 5

#: Seed of all that is drawn for the scale.
SEED = 0

#: The members of the score, in the order of the page.
MEMBERS = (
    "pds-cosine",
    "mse-capped",
    "direction-fidelity",
    "direction-reach",
    "significance-jaccard",
    "lfc-nmae",
)

#: Those of which less is better.
ERRORS = ("mse-capped", "lfc-nmae")

#: Between which values the challenge leaves a member, once it is scaled.
LIMITS = dict.fromkeys(MEMBERS, (float("-inf"), float("inf"))) | {
    "mse-capped": (0.0, 1.0),
    "lfc-nmae": (-6.0, float("inf")),
}


@dataclass(frozen=True, eq=False)
class Member:
    """A member of the score as a ratio of sums over k perturbations.

    Attributes
    ----------
    above, below : (k,) float
        The value is sum(above) / sum(below); a mean has `below` 1, and 0 where a perturbation does
        not count.
    """

    above: FloatArray
    below: FloatArray

    @classmethod
    def mean(cls, values: FloatArray) -> Member:
        """The mean of one value a perturbation (k,), over those that have one."""
        known = ~np.isnan(values)
        return cls(np.where(known, values, 0.0), known.astype(np.float64))

    @property
    def value(self) -> float:
        """The member's value; NaN where no perturbation counts."""
        total = float(self.below.sum())
        return float(self.above.sum()) / total if total else float("nan")


def members_of(
    predicted: FloatArray,
    true: FloatArray,
    error: FloatArray,
    true_error: FloatArray,
    control_error: float,
) -> dict[str, Member]:
    """Every member before it is scaled, from tables of `measure` and their sampling variances."""
    left = squared_error(predicted, true, error, true_error)
    there = squared_effect(true, true_error, control_error)
    both = ~np.isnan(left) & ~np.isnan(there)
    each = (
        Member.mean(discrimination(predicted, true)),
        Member(np.where(both, left, 0.0), np.where(both, there, 0.0)),
        Member.mean(direction_fidelity(predicted, true)),
        Member.mean(direction_reach(predicted, true)),
        Member.mean(significance_jaccard(predicted, true)),
        Member.mean(fold_error(predicted, true)),
    )
    return dict(zip(MEMBERS, each, strict=True))


def compared(predicted: Measured, true: Measured) -> dict[str, float]:
    """The value of every member before it is scaled."""
    found = members_of(predicted.table, true.table, predicted.error, true.error, true.control_error)
    return {name: member.value for name, member in found.items()}


def mean_response(cells: Counted) -> Counted:
    """Cells that all respond alike: control cells, each gene times one number.

    As many cells of each perturbation as there are, drawn from the control cells with replacement.
    The number of a gene is the mean over perturbations of its mean count, those that remove it left
    out, over its mean count in the control cells; 0 where these have none. Counts become fractions.
    """
    k, genes = cells.k, cells.counts.shape[1]
    size = np.bincount(cells.group, minlength=k)
    means = summed(cells.counts, cells.group, k) / size[:, None]
    kept = np.ones((k, genes), bool)
    for row, targets in enumerate(cells.targets):
        kept[row, list(targets)] = False
    others = kept.sum(axis=0)
    # a gene that every perturbation removes is left as it is among the controls
    control = np.asarray(cells.control.astype(np.float64).sum(axis=0)).ravel()
    control /= cells.control.shape[0]
    shared = np.divide(
        np.where(kept, means, 0.0).sum(axis=0), others, out=control.copy(), where=others > 0
    )
    factor = np.divide(shared, control, out=np.zeros(genes), where=control > 0)
    rng = np.random.default_rng(SEED)
    drawn = [rng.integers(0, cells.control.shape[0], size=int(n)) for n in size]
    counts = cells.control[np.concatenate(drawn)].astype(np.float32)
    counts.data = (counts.data * factor[counts.indices]).astype(np.float32)
    counts.eliminate_zeros()
    return Counted(counts, np.repeat(np.arange(k), size), cells.control, cells.targets)


def halved(cells: Counted, seed: int, control_at: int) -> tuple[Counted, Counted]:
    """The cells of every perturbation, and the control cells, cut into two halves.

    Parameters
    ----------
    cells : Counted
        What is halved; of an odd number of cells one is left out.
    seed : int
        Seed of the cut.
    control_at : int
        How many perturbations are cut before the control cells: one stream serves all.
    """
    rng = np.random.default_rng(seed)
    rows: list[list[IntArray]] = [[], []]
    of_control: list[IntArray] = []
    for place in [*range(control_at), None, *range(control_at, cells.k)]:
        mine = (
            np.arange(cells.control.shape[0])
            if place is None
            else np.flatnonzero(cells.group == place)
        )
        order = rng.permutation(mine)
        half = len(order) // 2
        parts = order[:half], order[half : 2 * half]
        if place is None:
            of_control = list(parts)
            continue
        for which, part in zip(rows, parts, strict=True):
            which.append(part)
    first, second = (
        Counted(cells.counts[at], cells.group[at], cells.control[theirs], cells.targets)
        for at, theirs in zip(map(np.concatenate, rows), of_control, strict=True)
    )
    return first, second


def replicated(cells: Counted, true: Measured, control_at: int = 0) -> dict[str, float]:
    """What a replicate of the measurement has of every member: one half of the cells for the other.

    Parameters
    ----------
    cells : Counted
        The measured cells.
    true : Measured
        What `measure` makes of them: its responding genes are those of the fold changes, and their
        size is its.
    control_at : int
        See `halved`.

    Notes
    -----
    The mean over `SPLITS` cuts. Each half has control cells of its own: a shared control would make
    halves agree by its noise.
    """
    found: dict[str, list[float]] = {name: [] for name in MEMBERS}
    for seed in np.random.SeedSequence(SEED).generate_state(SPLITS).tolist():
        first, second = map(measure, halved(cells, int(seed), control_at))
        values = compared(second, first)
        values["lfc-nmae"] = Member.mean(fold_error(first.table, second.table, true.table)).value
        for name, value in values.items():
            found[name].append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


@dataclass(frozen=True)
class Scale:
    """What each member is at the ends of the scale.

    Attributes
    ----------
    zero, one : mapping of str to float
        By member the value of the mean response, and that of a replicate.
    """

    zero: Mapping[str, float]
    one: Mapping[str, float]

    @classmethod
    def of(cls, cells: Counted, true: Measured, control_at: int = 0) -> Scale:
        """The scale of measured cells; see `mean_response` and `replicated`."""
        zero = compared(measure(mean_response(cells)), true)
        return cls(zero, replicated(cells, true, control_at))

    def scaled(self, name: str, value: float) -> float:
        """Where a value of a member lies: (value - zero) / (one - zero), within its limits."""
        low, high = LIMITS[name]
        place = (value - self.zero[name]) / (self.one[name] - self.zero[name])
        return min(max(place, low), high)

    def usable(self, name: str) -> bool:
        """Whether a replicate is better than the mean response, so that there is a scale."""
        sign = -1.0 if name in ERRORS else 1.0
        return bool(sign * (self.one[name] - self.zero[name]) > 0)
