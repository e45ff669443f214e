"""Floors of the population tasks: trivial directions of change, and scores upside down."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from kobench.api import Cells, Context, Knockouts
from kobench.cells import FloatArray, IntArray


class Covariance:
    """Minus the covariance of every gene's share with that of the removed gene.

    As if removing a gene moved the others as wild-type cells with less of it differ. The covariance
    is over cells, divided by their number less one; 0 with one cell. Several removed genes add up.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Keep the (n, G) shares less their mean; the (G, G) table is never made."""
        shares = cells.profiles()
        self.centred: FloatArray = shares - shares.mean(axis=0)

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """Directions (n, G), 0 at the removed genes."""
        genes, place = np.unique(knockouts.genes, return_inverse=True)
        covariance = self.centred[:, genes].T @ self.centred / max(len(self.centred) - 1, 1)
        directions = -covariance[place.reshape(knockouts.genes.shape)].sum(axis=1)
        return _without_targets(directions, knockouts)


class _Everywhere:
    """One direction for every perturbation.

    Attributes
    ----------
    direction : (G,) float
    """

    direction: FloatArray

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """Directions (n, G), 0 at the removed genes."""
        return _without_targets(np.repeat(self.direction[None], len(knockouts), axis=0), knockouts)


class PlusMean(_Everywhere):
    """The mean profile of wild-type cells: what is highly expressed goes up."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the mean of (n, G) cells."""
        self.direction = cells.profiles().mean(axis=0)


class MinusMean(_Everywhere):
    """Minus the mean profile of wild-type cells: what is highly expressed goes down."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the mean of (n, G) cells."""
        self.direction = -cells.profiles().mean(axis=0)


class BatchTrend(_Everywhere):
    """The trend of wild-type profiles along the batches.

    The least-squares slope of a gene's mean share on the rank of the batch. Each batch counts once.
    Batches are ranked by their labels in natural order (day2 before day10). 0 without batches, or
    with one.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the slopes from (n, G) cells and `context.batch_key`."""
        self.direction = np.zeros(cells.n_vars)
        if context.batch_key is None or context.batch_key not in cells.obs:
            return
        labels = np.asarray(cells.obs[context.batch_key])
        batches = sorted(np.unique(labels).tolist(), key=natural)
        if len(batches) > 1:
            shares = cells.profiles()
            means = np.array([shares[labels == batch].mean(axis=0) for batch in batches])
            rank = np.arange(len(batches)) - (len(batches) - 1) / 2
            self.direction = rank @ means / (rank @ rank)


def natural(label: Any) -> list[tuple[int, float, str]]:
    """A sort key that reads whole numbers inside a label as numbers, and numbers as themselves.

    >>> sorted(["d10", "d2", "a"], key=natural)
    ['a', 'd2', 'd10']
    """
    if isinstance(label, (int, float)):
        return [(0, float(label), "")]
    parts = re.split(r"(\d+)", str(label))
    return [
        (0, float(part), part) if part.isdecimal() else (1, 0.0, part) for part in parts if part
    ]


class MinusAbundance:
    """Minus a gene's mean share over all training cells: rare genes matter."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the means from (n, G) cells."""
        self.scores: FloatArray = -cells.profiles().mean(axis=0)

    def score_genes(self, cells: Cells, genes: IntArray) -> FloatArray:
        """The scores (n,) of some genes (n,)."""
        return self.scores[genes]


class MinusDetection:
    """Minus the share of training cells that express the gene: genes seen in few cells matter."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the shares from (n, G) cells."""
        self.scores: FloatArray = -cells.assemblages().mean(axis=0)

    def score_genes(self, cells: Cells, genes: IntArray) -> FloatArray:
        """The scores (n,) of some genes (n,)."""
        return self.scores[genes]


def _without_targets(directions: FloatArray, knockouts: Knockouts) -> FloatArray:
    """Directions (n, G), in place, with 0 at the genes that each event removes."""
    np.put_along_axis(directions, knockouts.genes.astype(np.intp), 0.0, axis=1)
    return directions
