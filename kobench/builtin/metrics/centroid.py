"""Whose truth an answer is most like: every answer beside all truths, two by two."""

from __future__ import annotations

import numpy as np

from kobench.api import NotComputed, ResponseUnits
from kobench.builtin.metrics.delta import DeltaCorrelation
from kobench.builtin.metrics.over_perturbations import (
    Compared,
    OverPerturbations,
    enough_to_centre,
    moved,
    must_be_signed,
)
from kobench.builtin.metrics.similarity import Similarities
from kobench.cells import BoolArray, FloatArray, IntArray

#: Similarities closer than this are tied.
TIE = 1e-12


class CentroidAccuracy(OverPerturbations):
    """How often an answer is more like its own truth than like another perturbation's.

    Mean over perturbations of the share of the others whose truth is less similar to the answer
    than its own truth is; ties count half. Similarity is Pearson's correlation of centred changes.
    Its own truth and the other one are compared over the same genes, those that are targets of
    neither perturbation: else a target that the other truth lacks would speak for one side alone.
    Of fewer than 5 perturbations the shares have so few steps that they are often all the same by
    chance, and then nothing tells how far they stray.

    Notes
    -----
    Viñas Torné et al., Nat. Biotechnol. (2025), doi:10.1038/s41587-025-02777-8.
    """

    def compare(self, units: ResponseUnits) -> Compared:
        """Similarities of every answer to every truth.

        Needs an answer with a sign, and `MIN_TO_CENTRE` perturbations.
        """
        must_be_signed(units)
        kept = enough_to_centre(moved(units))
        correlation = DeltaCorrelation(centred=True)
        true, differs = correlation.levelled(units.true[kept])
        predicted, varies = correlation.levelled(units.predicted[kept])
        if differs.sum() < 2:
            raise NotComputed("the true changes are all alike")
        kept, true, predicted = kept[differs], true[differs], predicted[differs]
        return Compared(
            kept,
            bool(varies[differs].any()),
            lambda: _own_shares(Similarities.of_rows(predicted, true)),
            lambda: _shares(Similarities.of_rows(predicted, true)),
        )


def _own_shares(similar: Similarities) -> FloatArray:
    """(k,) the share of other truths that each answer is less similar to than to its own."""
    everyone, shares = np.arange(similar.n_truths), np.empty(similar.n_truths)
    for own in range(len(shares)):
        here = everyone[own : own + 1]
        of_own = similar.of(own, here, everyone)[0]
        of_others = similar.of(own, everyone, here)[:, 0]
        ahead = of_own - of_others
        less, more = int((ahead > TIE).sum()), int((ahead < -TIE).sum())
        shares[own] = _share(np.array(less), np.array(more), len(shares))
    return shares


def _shares(similar: Similarities) -> FloatArray:
    """(n, k) the share of other truths that answer i is less similar to than to truth j.

    Truths j and q are compared with an answer over the same genes, which are others for each two
    of them. So there is a comparison for every three perturbations, each of a few operations on
    numbers; what goes over genes are products of matrices, once.
    """
    k = similar.n_truths
    shares = np.empty((similar.n_answers, k))
    similarity, ahead = np.empty((k, k)), np.empty((k, k))
    greater: BoolArray = np.empty((k, k), dtype=bool)
    for answer, row in enumerate(shares):
        for rows, block in similar.blocks(answer):
            similarity[rows] = block
        np.subtract(similarity, similarity.T, out=ahead)  # of truth j, ahead of truth q
        np.greater(ahead, TIE, out=greater)
        row[:] = _share(np.count_nonzero(greater, axis=1), np.count_nonzero(greater, axis=0), k)
    return shares


def _share(less: IntArray, more: IntArray, k: int) -> FloatArray:
    """The share of k - 1 others that are less similar; those that are neither count half."""
    share: FloatArray = (less + (k - 1 - less - more) / 2) / (k - 1)
    return share
