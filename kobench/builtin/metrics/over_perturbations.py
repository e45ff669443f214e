"""Metrics of responses that are a mean of one value for each perturbation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kobench.api import NotComputed, Parts, ResponseUnits, orders_among
from kobench.cells import BoolArray, FloatArray, IntArray

#: The mean over fewer perturbations says little about what they have in common.
MIN_TO_CENTRE = 5

#: Where fewer genes respond, what a change has of a direction is mostly noise once its length is
#: taken out.
MIN_RESPONDING = 5

#: A perturbation that moves no gene's share by more than this has changed nothing: it is the
#: rounding of single-precision profiles.
NO_CHANGE = 1e-9

#: Differences under this part of the largest entry are rounding.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Compared:
    """Answers beside truths, for the u perturbations whose truth says something.

    Attributes
    ----------
    kept : (u,) int
        Rows of these perturbations among the units.
    varies : bool
        Whether any answer says anything.
    values : callable
        Gives the (u,) value of each perturbation.
    pairs : callable
        Gives the (u, u) value of answer i for truth j; its diagonal is `values`.
    moves : callable or None
        Gives the (u,) `moves` of `kobench.api.Parts`.
    """

    kept: IntArray
    varies: bool
    values: Callable[[], FloatArray]
    pairs: Callable[[], FloatArray]
    moves: Callable[[], FloatArray] | None = None


class OverPerturbations(ABC):
    """A metric that is a mean of one value for each perturbation.

    Perturbations whose truth says nothing are dropped for everybody. One in which only the answer
    is constant counts as chance: dropping it would let a predictor choose its perturbations. An
    answer that is constant in all of them has no value (NaN). Nor has one with gaps (NaN) elsewhere
    than at the targets: scoring the rest would let a predictor choose its genes.
    """

    @abstractmethod
    def compare(self, units: ResponseUnits) -> Compared:
        """Put answers beside truths; NotComputed where no answer could be scored.

        Which perturbations are kept follows from the truth alone.
        """

    def __call__(self, units: ResponseUnits) -> Parts:
        """The metric: Parts over perturbations."""
        compared = self.compare(units)
        if not (compared.varies and _complete(units)):
            return mean_over(units, compared.kept, np.full(len(compared.kept), np.nan))
        parts = mean_over(units, compared.kept, compared.values())
        return parts if compared.moves is None else replace(parts, moves=compared.moves())

    def permuted(self, units: ResponseUnits, orders: IntArray) -> FloatArray:
        """Values of the metric with the answers permuted among the perturbations.

        An answer is scored against another perturbation's truth over the genes that are targets of
        neither. The table of every answer against every truth is made once.

        Parameters
        ----------
        units : ResponseUnits
        orders : (n, k) int
            Whose answer each of the k perturbations is given, in n permutations. Those that are
            dropped are skipped, see `kobench.units.orders_among`.

        Returns
        -------
        (n,) float64
            NaN where the metric has no value.

        Raises
        ------
        NotComputed
            Where the metric raises it.
        """
        compared = self.compare(units)
        if not (compared.varies and _complete(units)):
            return np.full(len(orders), np.nan)
        table = compared.pairs()
        order = orders_among(orders, compared.kept)
        values: FloatArray = table[order, np.arange(len(table))].mean(axis=1)
        return values


def mean_over(units: ResponseUnits, kept: IntArray, values: FloatArray) -> Parts:
    """The mean of one value (u,) for each of the kept perturbations (u,), as Parts."""
    return Parts("perturbation", units.perturbations[kept], values, np.ones(len(kept)))


def must_be_signed(units: ResponseUnits) -> None:
    """NotComputed where the answer does not say in which direction genes change."""
    if not units.signed:
        raise NotComputed("this answer says which genes are affected, not in which direction")


def moved(units: ResponseUnits) -> IntArray:
    """(u,) rows of the perturbations that change anything; NotComputed where none does."""
    kept = np.flatnonzero(np.nanmax(np.abs(units.true), axis=1, initial=0.0) > NO_CHANGE)
    if not len(kept):
        nothing_asked = not len(units.true)
        raise NotComputed(
            "no perturbation is asked" if nothing_asked else "no perturbation changes any gene"
        )
    return kept


def enough_to_centre(kept: IntArray) -> IntArray:
    """The same rows (u,); NotComputed where they are too few to take out their mean."""
    if len(kept) < MIN_TO_CENTRE:
        raise NotComputed(
            f"{len(kept)} with a true change; taking out their mean needs {MIN_TO_CENTRE}"
            " perturbations or more"
        )
    return kept


def many_respond(true: FloatArray, responds: BoolArray | None) -> BoolArray:
    """(k,) bool, the changes in which `MIN_RESPONDING` genes respond or more.

    Parameters
    ----------
    true : (k, G) float
        NaN at the targets, which do not count.
    responds : (k, G) bool or None
        The genes that respond. None where none was tested: then those do that change at all.
    """
    sizes = np.nan_to_num(np.abs(true))
    found = sizes > NO_CHANGE if responds is None else responds & ~np.isnan(true)
    enough = found.sum(axis=1) >= MIN_RESPONDING
    return np.asarray(enough & (sizes.max(axis=1, initial=0.0) > NO_CHANGE))


def _complete(units: ResponseUnits) -> bool:
    """Whether the answer says something of every gene whose change is known."""
    return not bool((np.isnan(units.predicted) & ~np.isnan(units.true)).any())
