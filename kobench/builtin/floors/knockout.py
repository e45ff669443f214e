"""Floors of the knockout tasks that answer whole profiles: nothing responds, and the contrast of cells with and without the gene."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench.cells import FloatArray


class NoEffect:
    """Nothing responds: the cell's own profile without the removed genes, renormalised."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Nothing to learn."""

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """Profiles (n, G); order 0 is the cell's own profile."""
        return normalise_rows(knockouts.remove_from(cells.dense()))


class PresenceContrast:
    """The change of each gene's mean between wild-type cells without and with the removed gene, added to the cell's own values.

    contrast[g, j] = mean of j over cells with j and without g, minus mean of j over cells with j and with g; 0 where either group is
    empty. The cell's present genes get it, below 0 is 0, absent genes stay absent, rows are renormalised. Several removed genes add up.
    A cell in which nothing would be left keeps its own values without the removed genes.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the contrasts from (n, G) cells: a (G, G) table."""
        values = np.asarray(cells.dense(), np.float64)
        on = (values > 0).astype(np.float64)
        total, cells_with = values.sum(axis=0), on.sum(axis=0)
        self.contrast: npt.NDArray[np.float32] = np.empty((cells.n_vars, cells.n_vars), np.float32)
        for start in range(0, cells.n_vars, 512):  # removed genes in parts, so that one table is all the memory it takes
            part = slice(start, start + 512)
            n_with, sum_with = on[:, part].T @ on, on[:, part].T @ values
            n_without, sum_without = cells_with - n_with, total - sum_with
            known = (n_with > 0) & (n_without > 0)
            change = sum_without / np.maximum(n_without, 1) - sum_with / np.maximum(n_with, 1)
            self.contrast[part] = np.where(known, change, 0.0)
        np.fill_diagonal(self.contrast, 0.0)

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """Profiles (n, G); order 0 is the cell's own profile."""
        own: npt.NDArray[Any] = knockouts.remove_from(cells.dense())
        rows = own.astype(np.float64)
        present = own > 0
        for place in range(knockouts.order):
            rows += self.contrast[knockouts.genes[:, place]]
        np.maximum(rows, 0.0, out=rows)
        rows *= present
        empty = ~rows.any(axis=1)
        rows[empty] = own[empty]
        return normalise_rows(rows)
