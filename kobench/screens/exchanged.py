"""Every answer beside every truth: the members of the score with answers permuted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.screens.measure import ADJUSTED, BULK, EFFECT, FOLD, P
from kobench.screens.members import (
    LEAST_RESPONDING,
    PURITY,
    alike,
    responding,
    says_direction,
    spread,
    squared_effect,
)
from kobench.units import ScreenUnits


@dataclass(frozen=True, eq=False)
class Exchanged:
    """The k answers of a screen and its k truths, in every pair.

    Genes that any perturbation removes are left out of all, as an answer says nothing of its own.
    In the tables an answer is a row, and a truth a column.

    Attributes
    ----------
    predicted, true : (k, 5, G) float
        See `kobench.units.ScreenUnits`; the genes that are left out are NaN in every row.
    error, true_error : (k,) float
        The sampling variances of the log bulks.
    control_error : float
        That of the control cells' log bulk.
    """

    predicted: FloatArray
    true: FloatArray
    error: FloatArray
    true_error: FloatArray
    control_error: float

    @classmethod
    def of(cls, units: ScreenUnits) -> Exchanged:
        """Those of a screen."""
        predicted, true = np.array(units.predicted, np.float64), np.array(units.true, np.float64)
        gone = np.isnan(predicted[:, EFFECT]).any(axis=0) | np.isnan(true[:, EFFECT]).any(axis=0)
        predicted[:, :, gone] = true[:, :, gone] = np.nan
        return cls(predicted, true, units.error, units.true_error, units.control_error)

    def values(self, orders: IntArray) -> Mapping[str, FloatArray]:
        """By member (n,) values before they are scaled; truth j is given answer `orders[:, j]`.

        Parameters
        ----------
        orders : (n, k) int
        """
        at, there = np.arange(len(self.true)), self._effect
        squared = (self._squared[orders, at] - self.true_error).sum(axis=1) - self._taken(orders)
        total = float(there.sum()) * self._genes
        return {
            "pds-cosine": _mean(alike(self.predicted, self.true)[orders, at]),
            "mse-capped": squared / total if total else np.full(len(orders), np.nan),
            "direction-fidelity": _mean(self._fidelity[orders, at]),
            "direction-reach": _mean(self._reach[orders, at]),
            "significance-jaccard": _mean(self._jaccard[orders, at]),
            "lfc-nmae": _mean(self._fold_error[orders, at]),
        }

    @property
    def _genes(self) -> int:
        """How many genes there are besides those that are left out."""
        return int((~np.isnan(self.true[:1, BULK])).sum())

    @cached_property
    def _effect(self) -> FloatArray:
        """(k,) the mean squared true effects."""
        return squared_effect(self.true, self.true_error, self.control_error)

    @cached_property
    def _squared(self) -> FloatArray:
        """(k, k) squared differences of log bulks, summed over genes."""
        known = ~np.isnan(self.true[0, BULK])
        ours, theirs = self.predicted[:, BULK, known], self.true[:, BULK, known]
        return np.array([((answer - theirs) ** 2).sum(axis=1) for answer in ours])

    def _taken(self, orders: IntArray) -> FloatArray:
        """(n,) what is taken off for the answers' sampling, see `members.squared_error`."""
        weight = np.full(len(self.true), 1 / max(self._genes, 1))
        taken = np.minimum(self.error[orders], self.true_error).sum(axis=1)
        most = spread(self.predicted[:, BULK], weight) * max(self._genes, 1)
        least: FloatArray = np.minimum(taken, np.where(taken > 0, most, 0.0))
        return least

    @cached_property
    def _fidelity(self) -> FloatArray:
        """(k, k) see `members.direction_fidelity`."""
        called, says = responding(self.predicted), says_direction(self.true)
        ours, theirs = np.sign(self.predicted[:, FOLD]), np.sign(self.true[:, FOLD])
        given = called & says_direction(self.predicted)
        right = sum(_counted(given & (ours == way), says & (theirs == way)) for way in (-1.0, 1.0))
        most = np.maximum(_counted(called, says), responding(self.true).sum(axis=1))
        return np.asarray(np.divide(right, most, out=np.full(most.shape, np.nan), where=most > 0))

    @cached_property
    def _reach(self) -> FloatArray:
        """(k, k) see `members.direction_reach`."""
        k, responds, says = len(self.true), responding(self.true), says_direction(self.true)
        ours = says_direction(self.predicted)
        found = np.full((k, k), np.nan)
        for row in np.flatnonzero(responds.any(axis=1)).tolist():
            pool = np.flatnonzero(responds[row] & says[row])
            answer = self.predicted[:, :, pool]
            counts = ~np.isnan(answer[:, ADJUSTED])
            same = np.sign(answer[:, FOLD]) == np.sign(self.true[row, FOLD, pool])
            right = same & ours[:, pool] & counts
            size = np.nan_to_num(np.abs(answer[:, FOLD]), nan=-np.inf)
            first = np.where(counts, answer[:, ADJUSTED], np.inf)
            order = np.lexsort((right, -size, answer[:, P], first), axis=-1)
            depth = np.arange(1, len(pool) + 1)
            rightly = np.cumsum(np.take_along_axis(right, order, axis=1), axis=1) / depth
            pure = (rightly >= PURITY) & (depth <= counts.sum(axis=1)[:, None])
            found[:, row] = (depth * pure).max(axis=1, initial=0) / responds[row].sum()
        return found

    @cached_property
    def _jaccard(self) -> FloatArray:
        """(k, k) see `members.significance_jaccard`."""
        ours, theirs = responding(self.predicted), responding(self.true)
        both = _counted(ours, theirs)
        either = ours.sum(axis=1)[:, None] + theirs.sum(axis=1) - both
        return np.where(either > 0, both / np.maximum(either, 1), 1.0)

    @cached_property
    def _fold_error(self) -> FloatArray:
        """(k, k) see `members.fold_error`."""
        k, responds = len(self.true), responding(self.true)
        found = np.full((k, k), np.nan)
        for row in range(k):
            genes = np.flatnonzero(responds[row] & np.isfinite(self.true[row, FOLD]))
            if len(genes) < LEAST_RESPONDING:
                continue
            answer, theirs = self.predicted[:, :, genes], self.true[row, FOLD, genes]
            known = np.isfinite(answer[:, FOLD]) & ~np.isnan(answer[:, P])
            off = np.abs(np.where(known, answer[:, FOLD], 0.0) - theirs)
            size = np.abs(theirs).mean()
            found[:, row] = off.mean(axis=1) / size if size else np.nan
        return found


def _counted(ours: BoolArray, theirs: BoolArray) -> FloatArray:
    """(k, k) in how many genes both are true, of (k, G) bool each."""
    return np.asarray(ours.astype(np.float64) @ theirs.astype(np.float64).T)


def _mean(values: FloatArray) -> FloatArray:
    """(n,) means of the rows (n, k) over what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0))
