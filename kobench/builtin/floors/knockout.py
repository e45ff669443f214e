"""Floors of the knockout tasks that answer whole profiles: nothing responds, and the contrast of
cells with and without the gene.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench.cells import FloatArray, IntArray

#: Contrasts of so many removed genes are learnt at once ...
GENES_AT_ONCE = 256
#: ... and answers of so many numbers made at once, which stay in a processor's cache.
NUMBERS_AT_ONCE = 100_000


class NoEffect:
    """Nothing responds: the cell's own profile without the removed genes, renormalised."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Nothing to learn."""

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """Profiles (n, G); order 0 is the cell's own profile."""
        return normalise_rows(knockouts.remove_from(cells.dense()))


class PresenceContrast:
    """The change of each gene's mean between wild-type cells without and with the removed gene,
    added to the cell's own values.

    contrast[g, j] = mean of j over cells with j and without g, minus mean of j over cells with j
    and with g; 0 where either group is empty. The cell's present genes get it, below 0 is 0, absent
    genes stay absent, rows are renormalised. Several removed genes add up. A cell in which nothing
    would be left keeps its own values without the removed genes.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Keep the (n, G) cells.

        Of few genes the (G, G) table of contrasts is made, of more each row when its gene is asked.
        """
        self.values = np.asarray(cells.dense(), np.float64)
        self.on = (self.values > 0).astype(
            np.float32
        )  # counts of cells are whole numbers, exact in single precision
        self.total, self.cells_with = self.values.sum(axis=0), self.on.sum(axis=0, dtype=np.float64)
        self.contrast: npt.NDArray[np.float32] = np.empty(
            (cells.n_vars, cells.n_vars), np.float32
        )  # takes no memory before it is filled
        self.learnt = np.zeros(cells.n_vars, bool)
        if cells.n_vars <= GENES_AT_ONCE:
            self._learn(np.arange(cells.n_vars))

    def _learn(self, genes: IntArray) -> None:
        """Fill the rows of the table that belong to these removed genes."""
        n_with, sum_with = (
            self.on[:, genes].T @ self.on,
            self.on[:, genes].T.astype(np.float64) @ self.values,
        )
        n_without, sum_without = self.cells_with - n_with, self.total - sum_with
        known = (n_with > 0) & (n_without > 0)
        change = sum_without / np.maximum(n_without, 1) - sum_with / np.maximum(n_with, 1)
        change[~known] = 0.0
        change[np.arange(len(genes)), genes] = 0.0
        self.contrast[genes], self.learnt[genes] = change, True

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """Profiles (n, G); order 0 is the cell's own profile."""
        asked = np.unique(knockouts.genes)
        new = asked[~self.learnt[asked]]
        for start in range(0, len(new), GENES_AT_ONCE):
            self._learn(new[start : start + GENES_AT_ONCE])
        before, profiles = cells.dense(), np.empty((len(knockouts), cells.n_vars))
        step = max(1, NUMBERS_AT_ONCE // cells.n_vars)
        for start in range(0, len(knockouts), step):
            profiles[start : start + step] = self._after(before, knockouts[start : start + step])
        return profiles

    def _after(self, before: FloatArray, knockouts: Knockouts) -> FloatArray:
        own: npt.NDArray[Any] = knockouts.remove_from(before)
        rows = own.astype(np.float64)
        present = own > 0
        for place in range(knockouts.order):
            rows += self.contrast[knockouts.genes[:, place]]
        np.maximum(rows, 0.0, out=rows)
        rows *= present
        empty = ~rows.any(axis=1)
        rows[empty] = own[empty]
        return normalise_rows(rows)
