"""Metrics of the genes that respond: their direction, and finding them."""

from __future__ import annotations

import numpy as np

from kobench.api import NotComputed, ResponseUnits
from kobench.builtin.metrics.average_precision import (
    average_precision_pairs,
    average_precision_rows,
)
from kobench.builtin.metrics.over_perturbations import (
    ROUNDING,
    Compared,
    OverPerturbations,
    must_be_signed,
)
from kobench.builtin.metrics.pairwise import spread
from kobench.cells import BoolArray, FloatArray


class SignAccuracy(OverPerturbations):
    """Mean over perturbations of the share of responding genes whose direction is right.

    A predicted 0 counts half.
    """

    def compare(self, units: ResponseUnits) -> Compared:
        """Signs of responding genes; needs an answer with a sign and genes that respond."""
        must_be_signed(units)
        responds = _responding(units) & (np.nan_to_num(units.true) != 0)
        kept = np.flatnonzero(responds.any(axis=1))
        if not len(kept):
            raise NotComputed("no gene responds in any perturbation")
        counted = responds[kept].astype(np.float64)
        known = (~np.isnan(units.predicted[kept])).astype(np.float64)
        predicted = np.sign(np.nan_to_num(units.predicted[kept]))
        true = np.sign(np.nan_to_num(units.true[kept])) * counted
        return Compared(
            kept,
            True,
            lambda: _share_right((predicted * true).sum(axis=1), counted.sum(axis=1)),
            lambda: _share_right(predicted @ true.T, known @ counted.T),
        )


class FindingResponders(OverPerturbations):
    """Mean over perturbations of the average precision of finding the responding genes.

    They are found by the size of their predicted change. Only perturbations with responding and
    other genes count. Predicted changes of one size get the share of responding genes.
    """

    def compare(self, units: ResponseUnits) -> Compared:
        """Sizes of predicted changes; needs genes that respond and genes that do not."""
        responds, known = _responding(units), ~np.isnan(units.true)
        kept = np.flatnonzero(responds.any(axis=1) & (known & ~responds).any(axis=1))
        if not len(kept):
            raise NotComputed("in no perturbation do some genes respond and others not")
        sizes = np.abs(np.asarray(units.predicted[kept], np.float64))
        differs = spread(sizes) > ROUNDING * np.nanmax(sizes, axis=1, initial=0.0)
        sizes = np.where(differs[:, None] | np.isnan(sizes), sizes, 0.0)
        found = responds[kept]
        return Compared(
            kept,
            bool(differs.any()),
            lambda: average_precision_rows(sizes, found),
            lambda: average_precision_pairs(sizes, found),
        )


def _responding(units: ResponseUnits) -> BoolArray:
    """(k, G) bool, the genes that respond; NotComputed where none was tested."""
    if units.responds is None:
        raise NotComputed("no gene was tested for a response")
    return np.asarray(units.responds, bool) & ~np.isnan(units.true)


def _share_right(agreement: FloatArray, counted: FloatArray) -> FloatArray:
    """Share of right signs; a half where no gene is left.

    agreement : sums of products of predicted and true signs. counted : how many signs there are.
    """
    return 0.5 + 0.5 * np.divide(
        agreement, counted, out=np.zeros(np.shape(agreement)), where=counted > 0
    )
