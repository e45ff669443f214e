"""Metrics of impacts: rank correlation in cells, in genes and pooled, error, finding responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kobench.api import ImpactUnits, NotComputed, Parts, RankingUnits
from kobench.builtin.metrics.average_precision import average_precision
from kobench.builtin.metrics.grouped_spearman import Correlations, GroupedSpearman
from kobench.builtin.metrics.ranks import Groups
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.units import MIN_CELLS

#: Correlations of a bootstrap that are held at once.
NUMBERS_A_PART = 1_000_000


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's correlation of predicted and true values: mean over groups, or over everything.

    A group whose truth is constant is left out for everybody. A group in which only the prediction
    is constant counts as 0: dropping it would let a predictor choose its groups. Where the
    prediction is constant in every group there is no value (NaN).

    Attributes
    ----------
    by : "cell", "gene", or None for one group
        Which id makes the groups.
    what : str
        What the values are called in a reason.
    minimum : int
        Groups with fewer entries are left out.
    """

    by: Literal["cell", "gene"] | None
    what: str
    minimum: int = 2

    def __call__(self, units: ImpactUnits | RankingUnits) -> Parts | float:
        """The metric: Parts over `by` (mean of one correlation a group), or a float."""
        if len(units.true) == 0:
            raise NotComputed(self._reason())
        groups, spearman = self._sorted(units)
        correlations = spearman.correlations()
        counted = self._counted(correlations)
        if not counted.any():
            raise NotComputed(self._reason())
        if not correlations.predicted_varies[counted].any():
            return float("nan")
        if self.by is None:
            return float(correlations.value[0])
        return Parts(
            self.by, groups.ids[counted], correlations.value[counted], np.ones(int(counted.sum()))
        )

    def redrawn(
        self, units: ImpactUnits | RankingUnits, often: IntArray, block: IntArray
    ) -> FloatArray:
        """The metric in each of d draws; the values are sorted once.

        Parameters
        ----------
        units : ImpactUnits or RankingUnits
            n units.
        often : (b, d) int
            How often each block is drawn in each draw: each unit counts as often as its block.
        block : (n,) int
            The block of each unit.

        Returns
        -------
        (d,) float64
            NaN where a draw has no value.
        """
        groups, spearman = self._sorted(units)
        values = np.full(often.shape[1], np.nan)
        step = max(100, NUMBERS_A_PART // len(groups.ids))
        for start in range(0, len(values), step):
            part = values[start : start + step]
            correlations = spearman.of_draws(often[:, start : start + step], block[groups.order])
            counted = self._counted(correlations)
            for draw in np.flatnonzero((counted & correlations.predicted_varies).any(axis=0)):
                part[draw] = correlations.value[counted[:, draw], draw].mean()
        return values

    def _sorted(self, units: ImpactUnits | RankingUnits) -> tuple[Groups, GroupedSpearman]:
        """The groups, and the units sorted in them."""
        groups = Groups.of(self._ids(units))
        return groups, GroupedSpearman(
            units.predicted[groups.order], units.true[groups.order], groups.counts
        )

    def _ids(self, units: ImpactUnits | RankingUnits) -> IntArray:
        """(n,) the group of each unit."""
        if self.by is None:
            return np.zeros(len(units.true), np.int64)
        if self.by == "gene":
            return units.genes
        if isinstance(units, RankingUnits):
            raise TypeError("a ranking of genes has no cells to correlate within; use by=None")
        return units.cells

    def _counted(self, correlations: Correlations) -> BoolArray:
        """(g,) bool, the groups that count."""
        return correlations.true_varies & (correlations.size >= self.minimum)

    def _reason(self) -> str:
        """Why no group counts."""
        if self.by is None:
            return f"the true {self.what} are all equal"
        if self.minimum <= 2:
            return f"in no {self.by} do the true {self.what} differ"
        other = "cells" if self.by == "gene" else "genes"
        return (
            f"no {self.by} is asked in {self.minimum} {other} or more with true {self.what} that"
            " differ"
        )


spearman_within_cell = RankCorrelation("cell", "impacts")
spearman_within_gene = RankCorrelation("gene", "impacts", minimum=MIN_CELLS)
spearman_pooled = RankCorrelation(None, "impacts")


def mae(units: ImpactUnits) -> Parts:
    """Mean absolute error over events: sum |predicted - true| / n."""
    if len(units.true) == 0:
        raise NotComputed("no event was asked")
    groups = Groups.of(units.genes)
    errors = np.abs(np.asarray(units.predicted, np.float64) - units.true)[groups.order]
    return Parts(
        "gene",
        groups.ids,
        np.add.reduceat(errors, np.cumsum(groups.counts) - groups.counts),
        groups.counts.astype(np.float64),
    )


def auprc(units: ImpactUnits) -> float:
    """Average precision of finding the events whose true impact is above 0.

    They are found by the predicted impact; see `average_precision`. NaN for a constant answer.
    """
    positive = units.true > 0
    if not positive.any():
        raise NotComputed("no true impact is above 0")
    if positive.all():
        raise NotComputed("every true impact is above 0")
    return average_precision(np.asarray(units.predicted, np.float64), positive)
