"""Metrics of interactions: finding the events that interact, rank correlation, absolute error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kobench.api import InteractionUnits, NotComputed, Parts
from kobench.builtin.metrics.grouped_spearman import GroupedSpearman
from kobench.builtin.metrics.ranks import Groups
from kobench.cells import BoolArray, FloatArray, IntArray

#: A true interaction over this is one: sums of changes are never quite exact in shares, which
#: always add up to 1.
INTERACTS = 1e-3


class AveragePrecision:
    """Average precision of finding the events whose true interaction is over `INTERACTS`.

    They are found by the predicted interaction: the sum over distinct thresholds of (recall gained)
    x (precision), without interpolation; tied predictions enter together. Not computed where all
    events interact or none does; NaN for a constant answer.
    """

    def __call__(self, units: InteractionUnits) -> float:
        """The metric, a float."""
        positive = units.true > INTERACTS
        if not len(positive):
            raise NotComputed("no event was asked")
        if positive.all() or not positive.any():
            which = "every" if positive.all() else "no"
            raise NotComputed(f"{which} true interaction is over {INTERACTS:g}")
        return self.prepare(units)(np.ones(len(positive), np.int64))

    def prepare(self, units: InteractionUnits) -> Callable[[IntArray], float]:
        """Sort the n answers once, for a bootstrap that draws sets of genes again.

        Returns
        -------
        callable
            Multiplicity (n,) of the events -> the metric, as if each event stood there that often;
            NaN where it has no value.
        """
        scores = np.asarray(units.predicted, np.float64)
        order = np.argsort(-scores, kind="stable")
        last_of_tie = np.flatnonzero(np.append(scores[order][1:] != scores[order][:-1], True))
        positive: BoolArray = (units.true > INTERACTS)[order]

        def value(multiplicity: IntArray) -> float:
            often = multiplicity[order]
            taken = np.cumsum(often)[last_of_tie]
            found = np.cumsum(often * positive)[last_of_tie]
            gained: FloatArray = np.diff(taken, prepend=0)
            if (gained > 0).sum() < 2 or found[-1] in (0, taken[-1]):
                return float("nan")
            # events tied at a place of which none is drawn gain no recall; before the first that
            # is drawn there is nothing to divide by
            precision = found / np.maximum(taken, 1)
            return float(np.sum(precision * np.diff(found, prepend=0)) / found[-1])

        return value


class PooledSpearman:
    """Spearman's correlation of predicted and true interactions over all events at once.

    Ties have their average rank. Not computed where all true interactions are equal; NaN for a
    constant answer.
    """

    def __call__(self, units: InteractionUnits) -> float:
        """The metric, a float."""
        if not len(units.true):
            raise NotComputed("no event was asked")
        if (units.true == units.true[0]).all():
            raise NotComputed("the true interactions are all equal")
        return self.prepare(units)(np.ones(len(units.true), np.int64))

    def prepare(self, units: InteractionUnits) -> Callable[[IntArray], float]:
        """Sort the answers once, as `AveragePrecision.prepare` does."""
        spearman = GroupedSpearman(units.predicted, units.true, np.array([len(units.true)]))

        def value(multiplicity: IntArray) -> float:
            correlations = spearman.correlations(multiplicity.astype(np.float64))
            if not (correlations.predicted_varies[0] and correlations.true_varies[0]):
                return float("nan")
            return float(correlations.value[0])

        return value


auprc = AveragePrecision()
spearman = PooledSpearman()


def mae(units: InteractionUnits) -> Parts:
    """Mean absolute error over events: sum |predicted - true| / n."""
    if len(units.true) == 0:
        raise NotComputed("no event was asked")
    groups = Groups.of(units.pairs)
    errors = np.abs(np.asarray(units.predicted, np.float64) - units.true)[groups.order]
    return Parts(
        "pair",
        groups.ids,
        np.add.reduceat(errors, np.cumsum(groups.counts) - groups.counts),
        groups.counts.astype(np.float64),
    )
