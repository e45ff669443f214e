"""Floors of the impact tasks: one number for each gene, or for each gene of a cell."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Impacts, Knockouts
from kobench.cells import FloatArray, IntArray


class OwnShare:
    """The removed genes' own share of the cell's profile: the raw impact if nothing responds."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn nothing."""

    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """The share (n,), as raw and as propagated impact.

        Where the knockouts name no cells, it is the mean share over all of them.
        """
        shares = cells.profiles()
        if knockouts.cells is None:
            rows = shares.mean(axis=0)[knockouts.genes]
        else:
            rows = shares[knockouts.cells[:, None], knockouts.genes]
        impact: FloatArray = rows.sum(axis=1)
        return Impacts(raw=impact, propagated=impact.copy())


class RelativeShare:
    """The removed genes' own share over the mean share of the genes that are on in the cell.

    The mean share is 1 over their number. A cell in which few genes are on has large shares, and
    no more to lose.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn nothing."""

    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """The ratio (n,), as raw and as propagated impact.

        Where the knockouts name no cells, it is the mean over all of them.
        """
        shares = cells.profiles()
        ratios = shares * (shares > 0).sum(axis=1, keepdims=True)
        if knockouts.cells is None:
            rows = ratios.mean(axis=0)[knockouts.genes]
        else:
            rows = ratios[knockouts.cells[:, None], knockouts.genes]
        impact: FloatArray = rows.sum(axis=1)
        return Impacts(raw=impact, propagated=impact.copy())


class _OfGenes:
    """One score for each gene, the same in every cell; several removed genes add up.

    Attributes
    ----------
    scores : (G,) float
    """

    scores: FloatArray

    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """The score (n,) of each event, as raw and as propagated impact."""
        impact: FloatArray = self.scores[knockouts.genes].sum(axis=1)
        return Impacts(raw=impact, propagated=impact.copy())

    def score_genes(self, cells: Cells, genes: IntArray) -> FloatArray:
        """The scores (n,) of some genes (n,)."""
        return self.scores[genes]


class Abundance(_OfGenes):
    """A gene's mean share over all training cells, 0 where it is absent."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the means from (n, G) cells."""
        self.scores = cells.profiles().mean(axis=0)


class Detection(_OfGenes):
    """The share of training cells that express the gene."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the shares from (n, G) cells."""
        self.scores = cells.assemblages().mean(axis=0)


class AbsCorrelation(_OfGenes):
    """The mean absolute Pearson correlation of the gene with every other gene.

    Over the training cells; the sum of the absolute correlations over G - 1.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the correlations from (n, G) cells.

        A gene that does not vary correlates with none.
        """
        values = np.asarray(cells.dense(), np.float64)
        varies = np.ptp(values, axis=0) > 0
        centred = np.where(varies, values - values.mean(axis=0), 0.0)
        norm = np.sqrt((centred * centred).sum(axis=0))
        unit = centred / np.where(norm > 0, norm, 1.0)
        total = np.empty(cells.n_vars)
        for start in range(0, cells.n_vars, 512):  # in parts: no gene-by-gene table is kept
            part = slice(start, start + 512)
            total[part] = np.abs(unit[:, part].T @ unit).sum(axis=1)
        own = varies.astype(np.float64)
        self.scores = np.maximum(total - own, 0.0) / max(cells.n_vars - 1, 1)


class Random:
    """Random numbers from 0 to 1.

    They depend on the seed, the cells' values and the removed genes, never on the order of events.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Make a key of the seed and the cells' values: another dataset gives other numbers."""
        seed = _mixed(np.array([context.seed], np.uint64))[0]
        self.key = seed ^ np.bitwise_xor.reduce(_cell_keys(cells))

    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """Two independent numbers (n,) an event, the raw and the propagated impact.

        Where the knockouts name no cells, they are those of the population.
        """
        event = self._events(cells, knockouts)
        return Impacts(
            raw=_unit(_mixed(event ^ np.uint64(1))), propagated=_unit(_mixed(event ^ np.uint64(2)))
        )

    def predict_interaction(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """A number (n,) an event, independent of its impacts."""
        return _unit(_mixed(self._events(cells, knockouts) ^ np.uint64(3)))

    def score_genes(self, cells: Cells, genes: IntArray) -> FloatArray:
        """A number (n,) for each of some genes (n,)."""
        return _unit(_mixed(_mixed(genes.astype(np.uint64) + np.uint64(1)) ^ self.key))

    def _events(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[np.uint64]:
        """(n,) number of each event, from the seed, the cell's values and the set of genes."""
        of_genes = _mixed(knockouts.genes.astype(np.uint64) + np.uint64(1))
        event = _mixed(of_genes.sum(axis=1, dtype=np.uint64) ^ self.key)
        if knockouts.cells is not None:
            event = _mixed(event ^ _cell_keys(cells)[knockouts.cells])
        return event


def _cell_keys(cells: Cells) -> npt.NDArray[np.uint64]:
    """(cells,) number of each cell, from its values alone."""
    rows = np.ascontiguousarray(cells.dense(), np.float64)
    digests = b"".join(hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Each number scrambled, by the finaliser of SplitMix64.

    Steele, Lea & Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def _unit(values: npt.NDArray[np.uint64]) -> FloatArray:
    """Numbers in [0, 1), from the upper 53 bits of each."""
    numbers: FloatArray = (values >> np.uint64(11)).astype(np.float64) / 2.0**53
    return numbers
