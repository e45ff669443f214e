"""Every control cell, its counts changed as predicted: no luck in which cells are drawn."""

from __future__ import annotations

import numpy as np

from kobench.cells import FloatArray, IntArray
from kobench.screens.emit import Emitter
from kobench.screens.pairs import pairs_of, scaled_logs

#: Keeps these draws apart from every other use of random numbers.
_STREAM = 0xA11


class AllCells:
    """All control cells that an emitter has, of some genes.

    Parameters
    ----------
    emitter : Emitter
        Its control cells.
    genes : (g,) int
        Columns of the genes.
    """

    def __init__(self, emitter: Emitter, genes: IntArray) -> None:
        self.emitter, self.genes = emitter, genes
        self._counts = np.asarray(emitter.counts[:, genes].toarray(), np.float64)

    def correlations(self, factors: FloatArray, place: int) -> FloatArray:
        """(pairs,) Pearson's correlation of each pair of genes among all cells.

        Counts are multiplied by the factors (G,) on average, by the draws of `Emitter.draw`; where
        a factor is 1 nothing is drawn. The sum of a cell's counts is what it is on average.
        """
        emitter, own = self.emitter, factors[self.genes]
        rng = np.random.default_rng([_STREAM, emitter.seed, place])
        more = np.maximum(factors - 1.0, 0.0)
        total = emitter.counts @ np.minimum(factors, 1.0) + emitter.depth * (emitter.share @ more)
        counts = self._counts.copy()
        for gene in np.flatnonzero(own < 1.0).tolist():
            counts[:, gene] = rng.binomial(counts[:, gene].astype(np.int64), own[gene])
        for gene in np.flatnonzero(own > 1.0).tolist():
            rate = emitter.depth * (emitter.share[self.genes[gene]] * (own[gene] - 1.0))
            counts[:, gene] += rng.poisson(rate)
        return pairs_of(scaled_logs(counts, total))
