"""The few factors along which cells vary more than counting makes them, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg

from kobench_baselines.common import Bools, Floats, Ints

#: Halvings of the cells over which overlaps are averaged.
HALVINGS = 20

#: With fewer cells there are no halves to compare.
FEWEST_TO_HALVE = 4

#: The pooled reliability counts as at least this.
LEAST_RELIABILITY = 0.05

#: One factor for so many cells, at most.
CELLS_A_FACTOR = 10


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of training cells (n, G), and the batch of each.

    Attributes
    ----------
    values : (n, G) float
    batch : (n,) int
    """

    values: Floats
    batch: Ints

    @classmethod
    def of(cls, values: Floats, labels: npt.NDArray[np.str_]) -> Counts:
        """Counts of cells with these batches (n,)."""
        return cls(values, np.unique(labels, return_inverse=True)[1].ravel())

    def centred(self) -> Floats:
        """(n, G) less the mean of each cell's batch."""
        rows = self.values.copy()
        for members in self.by_batch():
            rows[members] -= rows[members].mean(axis=0)
        return rows

    def by_batch(self) -> Iterator[Ints]:
        """The rows of each batch that has cells."""
        for batch in np.unique(self.batch):
            yield np.flatnonzero(self.batch == batch)

    def part(self, rows: Bools) -> Counts:
        """Some of the cells."""
        return Counts(self.values[rows], self.batch[rows])

    def half(self, rng: np.random.Generator) -> Bools:
        """(n,) bool, one half of each batch, drawn."""
        chosen = np.zeros(len(self.values), dtype=bool)
        for members in self.by_batch():
            chosen[rng.permutation(members)[: len(members) // 2]] = True
        return chosen

    def axes(self, most: int) -> tuple[Floats, Floats]:
        """Eigenvectors and values of their covariance less counting noise, in units of that noise.

        Counts with mean m and a log-scale state of covariance T have the covariance
        m_i m_j T_ij, plus m_i where i = j (Poisson). In units of the noise, that is divided by
        sqrt(m_i m_j), the noise is the identity. So the eigenvectors are those of the whitened
        counts, and their eigenvalues are 1 too large.

        Parameters
        ----------
        most : int
            How many, the largest first.

        Returns
        -------
        vectors : (G, k) float
        values : (k,) float
            >= 0.
        """
        rows = self.centred() * noise_units(self.values.mean(axis=0))
        n, genes = rows.shape
        small = rows @ rows.T if n < genes else rows.T @ rows
        k = min(most, len(small))
        span = (len(small) - k, len(small) - 1)
        values, vectors = scipy.linalg.eigh(small, subset_by_index=span)
        values, vectors = values[::-1], vectors[:, ::-1]
        if n < genes:
            size = np.sqrt(np.maximum(values, 0))
            vectors = np.divide(
                rows.T @ vectors, size, out=np.zeros((genes, k)), where=size > 1e-9 * size.max()
            )
        return vectors, np.maximum(values / max(n - 1, 1) - 1, 0.0)


def noise_units(mean: Floats) -> Floats:
    """(G,) one over the standard deviation of a Poisson count of this mean; 0 where that is 0."""
    return np.divide(1.0, np.sqrt(mean), out=np.zeros_like(mean), where=mean > 1e-9)


def overlaps(counts: Counts, most: int, rng: np.random.Generator) -> Floats:
    """How well two halves of the cells agree on their 1, 2, ..., `most` first axes.

    The mean squared cosine between the two subspaces, |Va' Vb|^2 / k, averaged over `HALVINGS`
    halvings, with chance taken out: (o - k / G) / (1 - k / G).

    Returns
    -------
    (most,) float
        1 where they are the same, 0 where they agree as random subspaces would.
    """
    found = np.zeros(most)
    numbers = np.arange(1, most + 1)
    for _ in range(HALVINGS):
        half = counts.half(rng)
        first, second = (counts.part(rows).axes(most)[0] for rows in (half, ~half))
        cosines = np.zeros((most, most))
        cosines[: first.shape[1], : second.shape[1]] = (first.T @ second) ** 2
        found += np.array([cosines[:k, :k].sum() / k for k in numbers])
    chance = numbers / counts.values.shape[1]
    return (found / HALVINGS - chance) / np.maximum(1 - chance, 1e-9)


def reproducible(
    counts: Counts, most: int, least: float, rng: np.random.Generator
) -> tuple[int, Floats]:
    """How many axes are the cells' and not the sample's: the largest k with enough overlap.

    Parameters
    ----------
    counts : Counts
        The cells.
    most : int
        Most axes.
    least : float
        The overlap that k axes must have, see `overlaps`.
    rng : numpy.random.Generator
        Draws the halves.

    Returns
    -------
    int
        k, 1 or more.
    (m,) float
        The overlaps of 1, 2, ..., m axes.
    """
    n, genes = counts.values.shape
    most = max(1, min(most, genes - 1, n // CELLS_A_FACTOR))
    if n < FEWEST_TO_HALVE or not counts.half(np.random.default_rng(0)).any():
        return 1, np.zeros(1)
    found = overlaps(counts, most, rng)
    enough = np.flatnonzero(found >= least)
    return int(enough[-1]) + 1 if len(enough) else 1, found


@dataclass(frozen=True, eq=False)
class States:
    """Log-scale factors of cells, and what the removal of a gene means along them.

    Attributes
    ----------
    loadings : (G, k) float
        Change of each gene's log expression along each factor.
    variances : (k,) float
        Variance of the cells along each factor.
    total : (G,) float
        Variance of each gene's log counts within batches, counting noise included.
    reliability : float
        Share of the counts' variance that isn't counting noise, pooled over genes.
    """

    loadings: Floats
    variances: Floats
    total: Floats
    reliability: float

    @classmethod
    def of(cls, counts: Counts, factors: int) -> States:
        """The first `factors` axes of these cells."""
        mean = counts.values.mean(axis=0)
        vectors, variances = counts.axes(factors)
        variance = (counts.centred() ** 2).sum(axis=0) / max(len(counts.values) - 1, 1)
        total = np.divide(variance, mean**2, out=np.zeros_like(mean), where=mean > 1e-9)
        excess = float((variance - mean).sum() / max(variance.sum(), 1e-300))
        return cls(
            vectors * noise_units(mean)[:, None],
            variances,
            total,
            float(np.clip(excess, LEAST_RELIABILITY, 1.0)),
        )

    def log_change(self, gene: int) -> Floats:
        """(G,) by how much log expression moves when a gene is removed; 0 for the gene itself.

        Minus the covariance with the gene along the factors, over the variance of the gene and the
        pooled reliability: the slope of a regression on a gene whose values have errors (errors in
        variables; Fuller 1987, Measurement Error Models). One gene's own reliability is too noisy
        to divide by.
        """
        if self.total[gene] <= 0:
            return np.zeros(len(self.total))
        change = -self.loadings @ (self.variances * self.loadings[gene])
        change /= self.total[gene] * self.reliability
        change[gene] = 0.0
        return change
