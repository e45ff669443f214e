"""`knn`: the wild-type cells most like the asked one among those that lack the removed genes."""

from __future__ import annotations

import numpy as np

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench_baselines.common import (
    Floats,
    Ints,
    Table,
    blocks_of,
    close_on,
    limited_threads,
    sets_of_genes,
)

#: Decimals of an affinity that count. What differs by less is a tie, so that the order in which a
#: sum is taken does not matter.
DECIMALS = 9


class KNN:
    """After a knockout a cell is the mean of the most similar training cells without these genes.

    Similarity is the affinity sum_j sqrt(p_j q_j) of two profiles (Bhattacharyya). The removed
    genes have no part in it: q is 0 there, and leaving them out of p scales the affinity alike
    for all q. A gene's value is its mean share among the neighbours that express it. Genes that
    the cell lacks stay off, and a gene that no neighbour expresses keeps its own share. Where no
    training cell lacks the removed genes, nothing responds.

    Parameters
    ----------
    k : int
        Number of cells to average.
    """

    def __init__(self, k: int = 20) -> None:
        self.k = k

    def fit(self, cells: Cells, context: Context) -> None:
        """Keep the cells (n, G)."""
        self.threads = context.threads
        self.table = Table.of(cells)
        self.roots = np.sqrt(self.table.shares)

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        own = cells.profiles()
        rows = normalise_rows(knockouts.remove_from(own))
        if not knockouts.order:
            return rows
        with limited_threads(self.threads):
            affinity = np.round(np.sqrt(own) @ self.roots.T, DECIMALS)
            for removed, events, asked in sets_of_genes(knockouts):
                without = np.flatnonzero(~self.table.on[:, removed].any(axis=1))
                if len(without):
                    order = np.argsort(-affinity[asked][:, without], axis=1, kind="stable")
                    rows[events] = self._as_neighbours(rows[events], without[order[:, : self.k]])
        return rows

    def _as_neighbours(self, null: Floats, neighbours: Ints) -> Floats:
        """Profiles (n, G) of the neighbours' means, over the genes that are on in `null`."""
        rows = np.empty_like(null)
        for block in blocks_of(len(null), neighbours.shape[1] * null.shape[1]):
            shares = self.table.shares[neighbours[block]]
            count = (shares > 0).sum(axis=1)
            rows[block] = np.where(
                count > 0, shares.sum(axis=1) / np.maximum(count, 1), null[block]
            )
        return close_on(np.where(null > 0, rows, 0.0), null)
