"""Metrics of responses: how well the mean change of every gene in each perturbation is predicted,
and whether it is that one's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from kobench.api import NotComputed, Parts, ResponseUnits
from kobench.builtin.metrics.ceiling import Power, reachable
from kobench.builtin.metrics.pairwise import (
    average_precision_pairs,
    average_precision_rows,
    correlate_pairs,
    correlate_rows,
    rank_correlate_pairs,
    rank_correlate_rows,
    spread,
)
from kobench.cells import BoolArray, FloatArray, IntArray

#: The mean over fewer perturbations says little about what they have in common.
MIN_TO_CENTRE = 5

#: A perturbation that moves no gene's share by more than this has changed nothing: it is the
#: rounding of single-precision profiles.
NO_CHANGE = 1e-9

#: Differences under this part of the largest entry are rounding.
ROUNDING = 1e-9

#: Similarities closer than this are tied.
TIE = 1e-12


@dataclass(frozen=True, eq=False)
class ChosenUnits(ResponseUnits):
    """Perturbations chosen by how well their halves agree, so that these promise too much.

    asked : one array (s, 2, K, G), the halves of all that they were chosen from; in a tuple, as it
    has no row for each unit.
    """

    asked: tuple[FloatArray] = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Compared:
    """Answers laid beside truths. kept : (u,) rows of the units whose truth says something. varies
    : whether any answer says anything.

    values : gives the (u,) value of each perturbation. pairs : gives the (u, u) value of answer i
    for truth j; its diagonal is `values`.
    """

    kept: IntArray
    varies: bool
    values: Callable[[], FloatArray]
    pairs: Callable[[], FloatArray]


class OverPerturbations(ABC):
    """A metric that is a mean of one value for each perturbation.

    Perturbations whose truth says nothing are dropped for everybody. One in which only the answer
    is constant counts as chance: dropping it would let a predictor choose its perturbations. An
    answer that is constant in all of them has no value (NaN), and so has one with gaps (NaN)
    elsewhere than at the targets: scoring the rest would let a predictor choose its genes.
    """

    @abstractmethod
    def compare(self, units: ResponseUnits) -> Compared:
        """Lay answers beside truths; raises NotComputed where no answer could be scored.

        Which are kept follows from the truth alone.
        """

    def __call__(self, units: ResponseUnits) -> Parts:
        """The metric: Parts over perturbations."""
        compared = self.compare(units)
        values = (
            compared.values()
            if compared.varies and _complete(units)
            else np.full(len(compared.kept), np.nan)
        )
        return _mean(units, compared.kept, values)

    def permuted(self, units: ResponseUnits, n: int, seed: int) -> FloatArray:
        """(n,) values of the metric with the answers permuted among the perturbations; every order
        is equally likely, the given one too.

        An answer is scored against another perturbation's truth over the genes that are targets of
        neither. The table of every answer against every truth is made once. NaN where the metric
        has no value. Raises what the metric raises.
        """
        compared = self.compare(units)
        if not (compared.varies and _complete(units)):
            return np.full(n, np.nan)
        table, k = compared.pairs(), len(compared.kept)
        by_id = np.argsort(
            units.perturbations[compared.kept], kind="stable"
        )  # the same draws in whatever order the units come
        table = table[np.ix_(by_id, by_id)]
        order = np.random.default_rng(seed).permuted(np.tile(np.arange(k), (n, 1)), axis=1)
        values: FloatArray = table[order, np.arange(k)].mean(axis=1)
        return values


@dataclass(frozen=True)
class DeltaCorrelation(OverPerturbations):
    """Mean over perturbations of the correlation of predicted and true change over the genes that
    are not its targets.

    centred : the mean over perturbations is taken out first, gene by gene, of truths and of
    answers, each its own.
    """

    kind: Literal["pearson", "spearman", "cosine"] = "pearson"
    centred: bool = False

    def compare(self, units: ResponseUnits) -> Compared:
        """Changes as they are correlated; needs an answer with a sign, and 5 perturbations for
        centring.
        """
        _signed(units)
        kept = _enough(_moved(units)) if self.centred else _moved(units)
        true, differs = self._levelled(units.true[kept])
        predicted, varies = self._levelled(units.predicted[kept])
        kept, true, predicted = kept[differs], true[differs], predicted[differs]
        if not len(kept):
            raise NotComputed("in no perturbation does the true change differ between genes")
        return Compared(
            kept,
            bool(varies[differs].any()),
            lambda: self._rows(predicted, true),
            lambda: self._pairs(predicted, true),
        )

    def _levelled(self, changes: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Changes, centred where that is asked, and which rows differ between genes; the others,
        but for rounding, are 0.
        """
        rows: FloatArray = np.asarray(changes, np.float64)
        scale: FloatArray = np.nanmax(np.abs(rows), axis=1, initial=0.0)
        if self.centred:
            rows, scale = centre(rows), np.full(len(rows), scale.max(initial=0.0))
        differs = (
            np.nanmax(np.abs(rows), axis=1, initial=0.0) if self.kind == "cosine" else spread(rows)
        ) > ROUNDING * scale
        return np.where(differs[:, None] | np.isnan(rows), rows, 0.0), differs

    def _rows(self, a: FloatArray, b: FloatArray) -> FloatArray:
        return (
            rank_correlate_rows(a, b)
            if self.kind == "spearman"
            else correlate_rows(a, b, self.kind == "pearson")
        )

    def _pairs(self, a: FloatArray, b: FloatArray) -> FloatArray:
        return (
            rank_correlate_pairs(a, b)
            if self.kind == "spearman"
            else correlate_pairs(a, b, self.kind == "pearson")
        )


class ProductCorrelation(DeltaCorrelation):
    """One of sums of products (Pearson's, the cosine), of which halves of the cells tell what an
    answer without error would score.

    Not so of ranks: genes that do not respond are ranked by noise in the truth, by whatever little
    is there in an exact answer.
    """

    def ceiling(self, units: ResponseUnits) -> Parts:
        """What an answer without error would score against this noisy truth, on average: Parts over
        the perturbations of the metric.

        See `kobench.builtin.metrics.ceiling.reachable`; all perturbations asked are those of
        `ChosenUnits`, else the units themselves. Raises what the metric raises, and NotComputed
        where the truth has no noise.
        """
        if units.halves is None:
            raise NotComputed("the truth has no noise")
        kept = self.compare(units).kept
        scored = Power.of(self._halves(units.halves, kept))
        asked = scored
        if isinstance(units, ChosenUnits):
            asked = Power.of(self._halves(units.asked[0], np.arange(units.asked[0].shape[2])))
        return _mean(units, kept, reachable(scored, asked))

    def _halves(self, halves: FloatArray, rows: IntArray) -> FloatArray:
        """Rows of halves (s, 2, k, G) as they are correlated, 0 at the gaps; a split at a time, as
        there is no larger array.
        """
        prepared = np.empty((*halves.shape[:2], len(rows), halves.shape[3]), halves.dtype)
        for split, changes in zip(prepared, halves, strict=True):
            split[:] = changes[:, rows]
            if self.centred:
                split -= _known_mean(split, axis=1)
            if self.kind == "pearson":
                split -= _known_mean(split, axis=2)
            np.nan_to_num(split, copy=False)
        return prepared


class CentroidAccuracy(OverPerturbations):
    """Mean over perturbations of the share of the others whose truth is less similar to the answer
    than its own truth is; ties count half.

    Similarity is Pearson's correlation of centred changes over the genes that are targets of
    neither. Of fewer than 5 perturbations the shares are so few steps that they are often all the
    same, by chance, and then there is no telling how far they stray.
    """

    def compare(self, units: ResponseUnits) -> Compared:
        """Similarities of every answer to every truth; needs an answer with a sign, and 5
        perturbations as centring does.
        """
        _signed(units)
        kept = _enough(_moved(units))
        correlation = DeltaCorrelation(centred=True)
        true, differs = correlation._levelled(units.true[kept])
        predicted, varies = correlation._levelled(units.predicted[kept])
        if differs.sum() < 2:
            raise NotComputed("the true changes are all alike")
        kept, true, predicted = kept[differs], true[differs], predicted[differs]

        def pairs() -> FloatArray:
            similarity = correlate_pairs(predicted, true)
            shares = np.empty_like(similarity)
            for row, own in zip(shares, similarity, strict=True):
                ahead = own[:, None] - own[None, :]  # of truth j, ahead of truth q
                row[:] = (
                    (ahead > TIE).sum(axis=1) + ((np.abs(ahead) <= TIE).sum(axis=1) - 1) / 2
                ) / (len(own) - 1)
            return shares

        return Compared(
            kept, bool(varies[differs].any()), lambda: np.diagonal(pairs()).copy(), pairs
        )


class SignAccuracy(OverPerturbations):
    """Mean over perturbations of the share of responding genes whose direction is right; a
    predicted 0 counts half.
    """

    def compare(self, units: ResponseUnits) -> Compared:
        """Signs of responding genes; needs an answer with a sign and genes that respond."""
        _signed(units)
        responds = _responding(units) & (np.nan_to_num(units.true) != 0)
        kept = np.flatnonzero(responds.any(axis=1))
        if not len(kept):
            raise NotComputed("no gene responds in any perturbation")
        counted = responds[kept].astype(np.float64)
        known = (~np.isnan(units.predicted[kept])).astype(np.float64)
        predicted, true = (
            np.sign(np.nan_to_num(units.predicted[kept])),
            np.sign(np.nan_to_num(units.true[kept])) * counted,
        )

        def values() -> FloatArray:
            return _right((predicted * true).sum(axis=1), counted.sum(axis=1))

        return Compared(kept, True, values, lambda: _right(predicted @ true.T, known @ counted.T))


class FindingResponders(OverPerturbations):
    """Mean over perturbations of the average precision of finding the responding genes by the size
    of their predicted change.

    Only perturbations with responding and other genes count. Predicted changes of one size get the
    share of responding genes.
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


pearson_delta_centred = ProductCorrelation("pearson", centred=True)
pearson_delta = ProductCorrelation("pearson")
spearman_delta = DeltaCorrelation("spearman")
cosine_delta = ProductCorrelation("cosine")
sign_accuracy = SignAccuracy()
auprc_responding = FindingResponders()
centroid_accuracy = CentroidAccuracy()


def centre(changes: FloatArray) -> FloatArray:
    """(k, G) changes without their mean over the perturbations of which the gene is no target (is
    not NaN).
    """
    centred: FloatArray = changes - _known_mean(changes, axis=0)
    return centred


def _known_mean(values: FloatArray, axis: int) -> FloatArray:
    """Means along an axis, which stays, of the entries that are not NaN; 0 where there are none."""
    known = ~np.isnan(values)
    mean: FloatArray = np.where(known, values, 0.0).sum(axis=axis, keepdims=True) / np.maximum(
        known.sum(axis=axis, keepdims=True), 1
    )
    return mean


def _mean(units: ResponseUnits, kept: IntArray, values: FloatArray) -> Parts:
    return Parts("perturbation", units.perturbations[kept], values, np.ones(len(kept)))


def _complete(units: ResponseUnits) -> bool:
    """Whether the answer says something of every gene whose change is known."""
    return not bool((np.isnan(units.predicted) & ~np.isnan(units.true)).any())


def _signed(units: ResponseUnits) -> None:
    if not units.signed:
        raise NotComputed("this answer says which genes are affected, not in which direction")


def _moved(units: ResponseUnits) -> IntArray:
    """The perturbations that change anything."""
    kept = np.flatnonzero(np.nanmax(np.abs(units.true), axis=1, initial=0.0) > NO_CHANGE)
    if not len(kept):
        raise NotComputed(
            "no perturbation is asked"
            if not len(units.true)
            else "no perturbation changes any gene"
        )
    return kept


def _enough(kept: IntArray) -> IntArray:
    """The same, if they are enough to be centred."""
    if len(kept) < MIN_TO_CENTRE:
        raise NotComputed(
            f"{len(kept)} with a true change; taking out their mean needs {MIN_TO_CENTRE}"
            " perturbations or more"
        )
    return kept


def _responding(units: ResponseUnits) -> BoolArray:
    if units.responds is None:
        raise NotComputed("no gene was tested for a response")
    return np.asarray(units.responds, bool) & ~np.isnan(units.true)


def _right(agreement: FloatArray, counted: FloatArray) -> FloatArray:
    """Share of right signs from their summed products with the true ones; a half where no gene is
    left.
    """
    return 0.5 + 0.5 * np.divide(
        agreement, counted, out=np.zeros(np.shape(agreement)), where=counted > 0
    )
