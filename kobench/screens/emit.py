"""Counted cells from predicted mean changes, by a stated sampling.

A predicted cell is a control cell, drawn with replacement, whose counts of each gene are multiplied
on average by one number, the gene's factor. So depths, and how genes vary together, are those of
control cells, and the answer that nothing changes gives control cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kobench.cells import Cells, FloatArray, IntArray

#: Keeps these draws apart from every other use of random numbers.
_STREAM = 0xCE11

#: The working scales in which factors are found: the log of 1 + counts, per ten thousand or as they
#: are.
SCALES = ("log1p-cp10k", "log1p")

#: Cells that factors are found with; of more, a fixed draw.
MOST_CELLS = 2000

#: Factors that means are computed for, and 0; what lies between is interpolated.
FACTORS = np.concatenate([[0.0], 2.0 ** (np.arange(-80, 81) / 8.0)])


def no_cells_of(cells: Cells, scale: str) -> str:
    """Why no counted cells can be made of changes in these cells, "" where they can."""
    if "counts" not in cells.layers:
        return "the dataset has no counts, of which cells are made (load counts with scale=counts)"
    if scale not in SCALES:
        return f"the working scale is {scale}; cells are made in {' or '.join(SCALES)}"
    counts = cells.layers["counts"]
    values = getattr(counts, "data", counts) if hasattr(counts, "indptr") else counts
    if (values != np.rint(values)).any():
        return "the dataset's counts are no whole numbers, which raw counts are"
    return ""


class Emitter:
    """Makes counted cells of predicted changes.

    Parameters
    ----------
    cells : Cells
        Control cells with `layers["counts"]`, in one of `SCALES`.
    seed : int
        Seed of the draws.

    Attributes
    ----------
    counts : (m, G) CSR matrix
        Their counts.
    depth : (m,) float
        The sum of each cell's counts.
    share : (G,) float
        Each gene's share of all counts.
    """

    def __init__(self, cells: Cells, seed: int = 0) -> None:
        import scipy.sparse

        self.seed = seed
        self.counts = scipy.sparse.csr_matrix(cells.layers["counts"])
        some: IntArray = np.arange(cells.n_obs)
        if len(some) > MOST_CELLS:
            rng = np.random.default_rng([_STREAM, 0, seed])
            some = np.sort(rng.choice(some, MOST_CELLS, replace=False))
        logs = scipy.sparse.csc_matrix(cells.X[some], dtype=np.float64)
        self._logs = logs
        self._total = np.asarray(logs.sum(axis=1)).ravel()
        self._means = _means_by_factor(logs)
        self.depth = np.asarray(self.counts.sum(axis=1), dtype=np.float64).ravel()
        together = np.asarray(self.counts.sum(axis=0), dtype=np.float64).ravel()
        self.share = together / max(together.sum(), 1.0)

    def factors(self, change: FloatArray, targets: tuple[int, ...]) -> FloatArray:
        """(G,) the factor of each gene.

        Parameters
        ----------
        change : (G,) float
            Predicted change of the mean profile without the targets, NaN at these.
        targets : tuple of int
            Columns of the removed genes; their factor is 0.

        Notes
        -----
        A profile is a cell's values over their sum. So the predicted mean value of a gene is its
        mean value in the control cells plus the change times the mean of these sums (without the
        targets), and 0 where that is negative. The factor is the number that all counts of the gene
        (per ten thousand) must be multiplied by for that mean. It is at most 1024, and 1 for a
        gene that no control cell has.
        """
        own = np.zeros(self.counts.shape[1], bool)
        own[list(targets)] = True
        rest = self._total - np.asarray(self._logs[:, np.flatnonzero(own)].sum(axis=1)).ravel()
        one = int(np.flatnonzero(FACTORS == 1.0)[0])
        before = self._means[one]
        wanted = np.maximum(before + rest.mean() * np.where(own, 0.0, change), 0.0)
        factors = np.ones(len(own))
        for gene in np.flatnonzero((before > 0) & (wanted != before)).tolist():
            factors[gene] = np.interp(wanted[gene], self._means[:, gene], FACTORS)
        factors[own] = 0.0
        return factors

    def draw(self, factors: FloatArray, n: int, place: int) -> Any:
        """n cells whose counts are multiplied by the factors (G,) on average.

        Where a factor is below 1 each molecule stays with that probability. Where it is above, a
        Poisson number is added: its mean is (factor - 1) times the cell's depth times the gene's
        share of all counts of control cells. `place` tells draws of one seed apart.

        Returns
        -------
        (n, G) CSR matrix of float32
            Whole numbers.
        """
        import scipy.sparse

        rng = np.random.default_rng([_STREAM, 1, self.seed, place])
        rows = rng.integers(0, self.counts.shape[0], size=n)
        drawn = self.counts[rows].astype(np.float64)
        kept = np.minimum(factors, 1.0)[drawn.indices]
        drawn.data = rng.binomial(drawn.data.astype(np.int64), kept).astype(np.float64)
        more = np.flatnonzero(factors > 1.0)
        rate = self.depth[rows, None] * (self.share[more] * (factors[more] - 1.0))
        added = scipy.sparse.csr_matrix(rng.poisson(rate))
        added = scipy.sparse.csr_matrix(
            (added.data, more[added.indices], added.indptr), shape=drawn.shape
        )
        cells = scipy.sparse.csr_matrix(drawn + added, dtype=np.float32)
        cells.eliminate_zeros()
        return cells


def _means_by_factor(logs: Any) -> FloatArray:
    """(len(FACTORS), G) the mean of log(1 + factor (e^v - 1)) over the cells of values v (m, G)."""
    linear = np.expm1(logs.data)
    gene = np.repeat(np.arange(logs.shape[1]), np.diff(logs.indptr))
    sums = [
        np.bincount(gene, np.log1p(factor * linear) if factor != 1.0 else logs.data, logs.shape[1])
        for factor in FACTORS
    ]
    means: FloatArray = np.array(sums) / logs.shape[0]
    return means
