"""The members of the score of the Virtual Cell Challenge 2026, scaled, and their mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from kobench.api import NotComputed, Parts, ScreenUnits
from kobench.cells import FloatArray, IntArray
from kobench.screens.exchanged import Exchanged
from kobench.screens.scale import LIMITS, MEMBERS, Member, members_of


class Scaled:
    """A member of the score: 0 is the mean response, 1 is a replicate of the measurement.

    Parameters
    ----------
    name : str
        One of `MEMBERS`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, units: ScreenUnits) -> Parts | float:
        """Parts over perturbations; a number where that is outside of the member's limits."""
        parts = scaled_parts(units, self.name)
        low, high = LIMITS[self.name]
        value = parts.value
        return parts if not value < low and not value > high else min(max(value, low), high)

    def permuted(self, units: ScreenUnits, orders: IntArray) -> FloatArray:
        """(n,) values with the answers permuted, see `permuted_members`."""
        result = self(units)
        value = result.value if isinstance(result, Parts) else result
        low, high = LIMITS[self.name]
        changed = value + permuted_members(units, orders, (self.name,))[0]
        return np.asarray(np.clip(changed, low, high))


class MeanOfSix:
    """The mean of the six members, which is what the challenge ranks by."""

    def __call__(self, units: ScreenUnits) -> Parts | float:
        """Parts over perturbations.

        In the draws of intervals what each member is divided by is held as it is in the units.
        """
        found = [scaled_parts(units, name) for name in MEMBERS]
        values = [
            min(max(parts.value, LIMITS[name][0]), LIMITS[name][1])
            for name, parts in zip(MEMBERS, found, strict=True)
        ]
        if any(math.isnan(value) for value in values):
            return float("nan")
        k = len(units.true)
        sums = np.zeros(k)
        for value, parts in zip(values, found, strict=True):
            total = float(parts.weights.sum())
            sums += parts.sums / total + (value - parts.value) / k
        return Parts("perturbation", units.perturbations, sums * k / len(MEMBERS), np.ones(k))

    def permuted(self, units: ScreenUnits, orders: IntArray) -> FloatArray:
        """(n,) values with the answers permuted, see `permuted_members`."""
        result = self(units)
        value = result.value if isinstance(result, Parts) else result
        return np.asarray(value + permuted_members(units, orders, MEMBERS).mean(axis=0))


def permuted_members(units: ScreenUnits, orders: IntArray, names: Sequence[str]) -> FloatArray:
    """By how much scaled members change when the answers are permuted among the perturbations.

    Parameters
    ----------
    units : ScreenUnits
        Their `alike` are permuted, so that answers which say the same of all perturbations change
        nothing.
    orders : (n, k) int
        Whose answer each perturbation is given.
    names : sequence of str
        m members.

    Returns
    -------
    (m, n) float

    Raises
    ------
    NotComputed
        Where a member has no scale.
    """
    if any(name not in units.zero or name not in units.one for name in names):
        raise NotComputed("no scale: a replicate is no better than the mean response")
    if not _complete(units):
        return np.full((len(names), len(orders)), np.nan)
    if units not in _exchanged:
        _exchanged[units] = Exchanged.of(units if units.alike is None else units.alike())
    own = np.arange(len(units.true))[None]
    values = _exchanged[units].values(np.concatenate([own, orders]))
    changes = []
    for name in names:
        scaled = (values[name] - units.zero[name]) / (units.one[name] - units.zero[name])
        scaled = np.clip(scaled, *LIMITS[name])
        changes.append(scaled[1:] - scaled[0])
    return np.array(changes)


#: Every answer beside every truth, of units that are in memory; made once for all members.
_exchanged: WeakKeyDictionary[ScreenUnits, Exchanged] = WeakKeyDictionary()


def scaled_parts(units: ScreenUnits, name: str) -> Parts:
    """A member on its scale as a ratio of sums over perturbations, without its limits.

    Raises
    ------
    NotComputed
        Where there is no perturbation, or no scale.
    """
    if not len(units.true):
        raise NotComputed("no perturbation is asked")
    if name not in units.zero or name not in units.one:
        raise NotComputed("no scale: a replicate is no better than the mean response")
    zero, one = units.zero[name], units.one[name]
    member = _members(units)[name]
    if not member.below.sum():
        raise NotComputed(f"no perturbation has enough responding genes for {name}")
    if not _complete(units):
        gone = np.full(len(units.true), np.nan)
        return Parts("perturbation", units.perturbations, gone, np.ones(len(units.true)))
    above, width = member.above - zero * member.below, one - zero
    return Parts("perturbation", units.perturbations, above / width, member.below)


def _members(units: ScreenUnits) -> dict[str, Member]:
    """Every member before it is scaled."""
    predicted: FloatArray = np.asarray(units.predicted, np.float64)
    return members_of(predicted, units.true, units.error, units.true_error, units.control_error)


def _complete(units: ScreenUnits) -> bool:
    """Whether the answer says something of all that the truth does."""
    return not bool((np.isnan(units.predicted) & ~np.isnan(units.true)).any())


mean_of_six = MeanOfSix()
pds_cosine = Scaled("pds-cosine")
mse_capped = Scaled("mse-capped")
fidelity = Scaled("direction-fidelity")
reach = Scaled("direction-reach")
jaccard = Scaled("significance-jaccard")
lfc_nmae = Scaled("lfc-nmae")
