"""Floors that answer profiles after a knockout: nothing responds; the presence contrast."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench.cells import FloatArray, IntArray

#: Removed genes whose contrasts are learnt at once.
GENES_AT_ONCE = 256

#: Numbers of an answer that are made at once: they stay in a processor's cache.
NUMBERS_AT_ONCE = 100_000


class NoEffect:
    """Nothing responds: the cell's own profile without the removed genes, renormalised."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn nothing."""

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """Profiles (n, G); order 0 is the cell's own profile."""
        return normalise_rows(knockouts.remove_from(cells.dense()))


class PresenceContrast:
    """The cell's own values, changed by how wild-type cells without the gene differ.

    contrast[g, j] = mean of j over cells with j and without g, minus mean of j over cells with j
    and with g; 0 where either group is empty. It is added to the cell's present genes, and the
    contrasts of several removed genes add up. What falls below 0 is 0, absent genes stay absent,
    and rows are renormalised. A cell in which nothing would be left keeps its own values without
    the removed genes.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Keep the (n, G) cells, and make the (G, G) table of contrasts.

        With many genes, each row of the table is made when its gene is first asked.
        """
        n_genes = cells.n_vars
        self.values = np.asarray(cells.dense(), np.float64)
        # sums of it are numbers of cells, exact in single precision
        self.on = (self.values > 0).astype(np.float32)
        self.total = self.values.sum(axis=0)
        self.cells_with = self.on.sum(axis=0, dtype=np.float64)
        # takes no memory before it is filled
        self.contrast: npt.NDArray[np.float32] = np.empty((n_genes, n_genes), np.float32)
        self.learnt = np.zeros(n_genes, bool)
        if n_genes <= GENES_AT_ONCE:
            self._learn(np.arange(n_genes))

    def _learn(self, genes: IntArray) -> None:
        """Fill the rows of the table that belong to these removed genes."""
        has = self.on[:, genes].T
        n_with, sum_with = has @ self.on, has.astype(np.float64) @ self.values
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
        """Profiles (n, G) after some events; `before` (cells, G) has the cells' values."""
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
