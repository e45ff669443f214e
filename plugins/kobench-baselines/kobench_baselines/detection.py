"""How readings are lost: the chance that a value is read as 0, by how high it is for its gene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from kobench_baselines.common import Bools, Floats, Ints

#: Values of a gene fall into so many bins, with as many values in each.
BINS = 10

#: What is supposed before anything is learnt: of the lowest values this part is lost, of the
#: highest none, and a straight line between them.
START = 0.5

#: Below this, nothing is lost at a value.
NEVER = 1e-12


@dataclass(frozen=True, eq=False)
class Detection:
    """The chance that a value is read as 0, a step function of its quantile within its gene.

    Attributes
    ----------
    edges : (BINS - 1, G) float
        Values of each gene between the bins.
    lost : (BINS,) float
        The chance in each bin, the same for all genes.
    """

    edges: Floats
    lost: Floats

    @classmethod
    def supposed(cls, values: Floats, presence: Floats) -> Detection:
        """What is supposed of cells with these values and chances of presence, (n, G) each."""
        return cls(edges_of(values, presence), np.linspace(START, 0.0, BINS))

    def chance(self, values: Floats) -> Floats:
        """(n, G) the chance that each of these values (n, G) is read as 0."""
        return self.lost[self.bins(values)]

    def bins(self, values: Floats) -> Ints:
        """(n, G) the bin of each of these values (n, G)."""
        bins = np.zeros(values.shape, np.intp)
        for edge in self.edges:
            bins += values >= edge
        return bins

    def where_lost(self, said: Floats, spread: Floats, genes: Ints) -> tuple[Floats, Floats]:
        """What is to be expected of values that were not read.

        Parameters
        ----------
        said, spread : (m,) float
            Each value is normal about `said` with the standard deviation `spread`.
        genes : (m,) int
            The gene of each.

        Returns
        -------
        by_bin : (m, BINS) float
            The chance that the value is in a bin and lost; the sum of a row is that of a loss.
        value : (m,) float
            The mean of the value, given that it was lost.
        """
        z = (self.edges[:, genes].T - said[:, None]) / spread[:, None]
        ends = np.zeros((len(said), 1))
        below = np.hstack([ends, ndtr(z), ends + 1])
        density = np.hstack([ends, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), ends])
        inside = np.diff(below, axis=1)
        # the integral of x over a bin of a normal distribution
        first = said[:, None] * inside - spread[:, None] * np.diff(density, axis=1)
        by_bin = inside * self.lost
        chance = by_bin.sum(axis=1)
        value = np.divide(
            (first * self.lost).sum(axis=1), chance, out=said.copy(), where=chance > NEVER
        )
        return by_bin, np.maximum(value, 0.0)

    def learnt(self, values: Floats, presence: Floats, on: Bools, by_bin: Floats) -> Detection:
        """The detection that cells show.

        Parameters
        ----------
        values, presence : (n, G) float
            Values of genes if they are there, and the chance that they are.
        on : (n, G) bool
            What was read.
        by_bin : (BINS,) float
            Expected number of lost readings in each bin.
        """
        read = np.bincount(self.bins(values)[on], minlength=BINS)
        return Detection(edges_of(values, presence), by_bin / np.maximum(by_bin + read, 1.0))


def edges_of(values: Floats, weight: Floats) -> Floats:
    """(BINS - 1, G) weighted quantiles of each gene; 0 for a gene without weight."""
    edges = np.zeros((BINS - 1, values.shape[1]))
    at = np.arange(1, BINS) / BINS
    for gene in range(values.shape[1]):
        rows = np.flatnonzero(weight[:, gene] > 1e-3)
        if not len(rows):
            continue
        rows = rows[np.argsort(values[rows, gene], kind="stable")]
        own = weight[rows, gene]
        up_to = np.cumsum(own)
        edges[:, gene] = np.interp(at, (up_to - own / 2) / up_to[-1], values[rows, gene])
    return edges
