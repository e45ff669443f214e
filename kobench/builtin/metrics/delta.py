"""Correlations of predicted and true changes, and whose truth an answer is most like."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np

from kobench.api import NotComputed, Parts, ResponseUnits
from kobench.builtin.metrics.ceiling import Power, reachable
from kobench.builtin.metrics.leave_one_out import moves_of_others
from kobench.builtin.metrics.over_perturbations import (
    MIN_RESPONDING,
    MIN_TO_CENTRE,
    ROUNDING,
    Compared,
    OverPerturbations,
    enough_to_centre,
    many_respond,
    mean_over,
    moved,
    must_be_signed,
)
from kobench.builtin.metrics.pairwise import (
    correlate_pairs,
    correlate_rows,
    rank_correlate_pairs,
    rank_correlate_rows,
    spread,
)
from kobench.cells import BoolArray, FloatArray, IntArray

#: Most numbers of halves that are worked on at once (128 MB).
NUMBERS_AT_ONCE = 16_000_000


@dataclass(frozen=True, eq=False)
class ChosenUnits(ResponseUnits):
    """Perturbations chosen by how well their halves agree, so that these halves promise too much.

    Attributes
    ----------
    asked : tuple of one (s, 2, K, G) array
        The halves of all K perturbations that they were chosen from; in a tuple, as it has no row
        for each unit.
    """

    asked: tuple[FloatArray] = field(kw_only=True)


@dataclass(frozen=True)
class DeltaCorrelation(OverPerturbations):
    """Mean over perturbations of the correlation of predicted and true change.

    Over the genes that are not targets.

    Attributes
    ----------
    kind : "pearson", "spearman" or "cosine"
    centred : bool
        Whether the mean over perturbations is taken out first, gene by gene, of truths and of
        answers, each its own.
    """

    kind: Literal["pearson", "spearman", "cosine"] = "pearson"
    centred: bool = False

    def compare(self, units: ResponseUnits) -> Compared:
        """Changes as they are correlated.

        Needs an answer with a sign, and `MIN_TO_CENTRE` perturbations to centre.
        """
        must_be_signed(units)
        kept = self.chosen(units)
        true, differs = self.levelled(units.true[kept])
        predicted, varies = self.levelled(units.predicted[kept])
        kept, true, predicted = kept[differs], true[differs], predicted[differs]
        if not len(kept):
            raise NotComputed("in no perturbation does the true change differ between genes")
        return Compared(
            kept,
            bool(varies[differs].any()),
            lambda: self._rows(predicted, true),
            lambda: self._pairs(predicted, true),
            partial(moves_of_others, predicted, true) if self.centred else None,
        )

    def chosen(self, units: ResponseUnits) -> IntArray:
        """Rows of the perturbations that are scored; NotComputed where they are too few."""
        return enough_to_centre(moved(units)) if self.centred else moved(units)

    def levelled(self, changes: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Changes as they are correlated, and which of them differ between genes.

        Parameters
        ----------
        changes : (k, G) float
            NaN at the gaps.

        Returns
        -------
        (k, G) float64
            Centred where that is asked. Rows that do not differ, but for rounding, are 0.
        (k,) bool
            The rows that do differ. For the cosine: that are not 0 throughout.
        """
        rows: FloatArray = np.asarray(changes, np.float64)
        scale: FloatArray = np.nanmax(np.abs(rows), axis=1, initial=0.0)
        if self.centred:
            rows, scale = centre(rows), np.full(len(rows), scale.max(initial=0.0))
        if self.kind == "cosine":
            size: FloatArray = np.nanmax(np.abs(rows), axis=1, initial=0.0)
        else:
            size = spread(rows)
        differs = size > ROUNDING * scale
        return np.where(differs[:, None] | np.isnan(rows), rows, 0.0), differs

    def _rows(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """(k,) correlation of each row of a with that of b, both (k, G)."""
        if self.kind == "spearman":
            return rank_correlate_rows(a, b)
        return correlate_rows(a, b, self.kind == "pearson")

    def _pairs(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """(k, k) correlation of every row of a with every row of b, both (k, G)."""
        if self.kind == "spearman":
            return rank_correlate_pairs(a, b)
        return correlate_pairs(a, b, self.kind == "pearson")


class ProductCorrelation(DeltaCorrelation):
    """A correlation of sums of products: Pearson's, or the cosine.

    Halves of the cells tell what an answer without error would score by it. They do not for ranks:
    genes that do not respond are ranked by noise in the truth, and by whatever little is there in
    an exact answer.
    """

    def ceiling(self, units: ResponseUnits) -> Parts:
        """What an answer without error would score against this noisy truth, on average.

        All perturbations asked are those of `ChosenUnits`, else the units themselves; see
        `kobench.builtin.metrics.ceiling.reachable`.

        Returns
        -------
        Parts
            Over the perturbations of the metric.

        Raises
        ------
        NotComputed
            Where the truth has no noise, and where the metric raises it.
        """
        if units.halves is None:
            raise NotComputed("the truth has no noise")
        kept = self.compare(units).kept
        scored = self._power(units.halves, kept)
        asked = scored
        if isinstance(units, ChosenUnits):
            asked = self._power(units.asked[0], np.arange(units.asked[0].shape[2]))
        return mean_over(units, kept, reachable(scored, asked))

    def _power(self, halves: FloatArray, rows: IntArray) -> Power:
        """Signal and noise of some rows (u,) of halves (s, 2, k, G), as they are correlated.

        Some perturbations after the other, as there is no larger array.
        """
        s, _, _, n_genes = halves.shape
        mean = np.zeros((s, 2, 1, n_genes))
        if self.centred:
            for of_split, changes in zip(mean, halves, strict=True):
                of_split[:] = _known_mean(self._scaled(changes[:, rows]), axis=1)
        step = max(1, NUMBERS_AT_ONCE // max(1, 2 * s * n_genes))
        parts = (rows[start : start + step] for start in range(0, max(1, len(rows)), step))
        return Power.joined([Power.of(self._halves(halves, part, mean)) for part in parts])

    def _halves(self, halves: FloatArray, rows: IntArray, mean: FloatArray) -> FloatArray:
        """(s, 2, u, G) some rows (u,) of halves, less their mean (s, 2, 1, G), 0 at the gaps."""
        prepared = np.empty((*halves.shape[:2], len(rows), halves.shape[3]), halves.dtype)
        for split, changes, middle in zip(prepared, halves, mean, strict=True):
            split[:] = self._scaled(changes[:, rows]) - middle
            if self.kind == "pearson":
                split -= _known_mean(split, axis=2)
            np.nan_to_num(split, copy=False)
        return prepared

    def _scaled(self, pair: FloatArray) -> FloatArray:
        """(2, u, G) changes in two halves on the scale on which they are centred."""
        return pair


class UnitCorrelation(ProductCorrelation):
    """Pearson's correlation of centred changes, each scaled to unit length before.

    Over the perturbations in which `MIN_RESPONDING` genes respond or more; their mean is the one
    that is taken out. Unscaled, that mean is mostly what the strongest perturbation changes, and so
    is what it leaves of the weak ones: an answer that knows the strongest alone, or which ones are
    strong, has most of the score. Scaled, every perturbation has the same part in the mean.
    """

    def chosen(self, units: ResponseUnits) -> IntArray:
        """Rows of the perturbations that are scored; NotComputed where they are too few."""
        moved(units)  # says why, where nothing moves
        kept = np.flatnonzero(many_respond(units.true, units.responds))
        if len(kept) < MIN_TO_CENTRE:
            raise NotComputed(
                f"{len(kept)} in which {MIN_RESPONDING} genes or more respond; taking out their"
                f" mean needs {MIN_TO_CENTRE} perturbations or more"
            )
        return kept

    def compare(self, units: ResponseUnits) -> Compared:
        """As for other correlations.

        Changes that are the same for every perturbation say nothing here, too: without its target
        one is not as long as another, so scaled they would differ by that alone.
        """
        found = super().compare(units)
        varies, differs = (
            super(UnitCorrelation, self).levelled(changes[found.kept])[1].any()
            for changes in (units.predicted, units.true)
        )
        if not differs:
            raise NotComputed("the true changes are all alike")
        return replace(found, varies=found.varies and bool(varies))

    def levelled(self, changes: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Changes of unit length, centred, and which of them differ between genes."""
        return super().levelled(unit_length(changes))

    def _scaled(self, pair: FloatArray) -> FloatArray:
        """Changes over the length of the mean of both halves.

        That is what the truth is measured with, so it is what the truth was scaled by.
        """
        length = np.sqrt(np.nansum(pair.mean(axis=0) ** 2, axis=1, keepdims=True))
        scaled: FloatArray = pair / np.where(length > 0, length, 1.0)
        return scaled


def centre(changes: FloatArray) -> FloatArray:
    """(k, G) changes without their mean over perturbations, from changes (k, G).

    The mean of a gene is over the perturbations of which it is no target (is not NaN).
    """
    centred: FloatArray = changes - _known_mean(changes, axis=0)
    return centred


def unit_length(changes: FloatArray) -> FloatArray:
    """(k, G) changes over their Euclidean length, from changes (k, G) with NaN at the gaps.

    0 stays 0.
    """
    largest = np.nanmax(np.abs(changes), axis=1, initial=0.0, keepdims=True)
    rows = changes / np.where(largest > 0, largest, 1.0)  # so that no square vanishes
    length = np.sqrt(np.nansum(rows**2, axis=1, keepdims=True))
    scaled: FloatArray = rows / np.where(length > 0, length, 1.0)
    return scaled


def _known_mean(values: FloatArray, axis: int) -> FloatArray:
    """Means along an axis, which stays, of the entries that are not NaN; 0 where there are none."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=axis, keepdims=True), 1)
    mean: FloatArray = np.where(known, values, 0.0).sum(axis=axis, keepdims=True) / count
    return mean
