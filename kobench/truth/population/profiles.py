"""Cells as profiles without the targets of a perturbation; a sparse X stays sparse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.datasets.matrices import tidy
from kobench.datasets.parts import row_sums

#: Most numbers of a dense copy that is worked on at once (32 MB in float64).
NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Population:
    """n cells, with what is needed to take any genes out of their profiles.

    Attributes
    ----------
    X : (n, G) array or canonical CSR
        Expression in the working scale.
    batch : (n,) int
        Number of each cell's batch, from 0.
    total : (n,) float
        Sum of each cell over all genes.
    detected : (n,) int
        Number of genes that are on in each cell.
    """

    X: Any
    batch: IntArray
    total: FloatArray
    detected: IntArray

    @classmethod
    def of(cls, X: Any, batch: IntArray) -> Population:
        """The cells of a matrix X (n, G) in batches (n,)."""
        X = tidy(X)
        if scipy.sparse.issparse(X):
            return cls(X, np.asarray(batch), row_sums(X), np.diff(X.indptr))
        return cls(X, np.asarray(batch), X.sum(axis=1, dtype=np.float64), (X > 0).sum(axis=1))

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, rows: IntArray | BoolArray) -> Population:
        return Population(self.X[rows], self.batch[rows], self.total[rows], self.detected[rows])

    def columns(self, genes: Sequence[int]) -> FloatArray:
        """(n, len(genes)) values of some genes, float64."""
        values = self.X[:, list(genes)]
        return np.asarray(
            values.toarray() if scipy.sparse.issparse(values) else values, dtype=np.float64
        )

    def rest(self, targets: Sequence[int]) -> FloatArray:
        """(n,) summed expression of all genes but the targets; exactly 0 where none is on."""
        taken = self.columns(targets)
        others: BoolArray = self.detected > (taken > 0).sum(axis=1)
        return np.where(others, self.total - taken.sum(axis=1), 0.0)

    def profiles(self, targets: Sequence[int]) -> FloatArray:
        """(n, G) profiles in which the targets are 0; a row without any other gene is 0."""
        rows = np.array(
            self.X.toarray() if scipy.sparse.issparse(self.X) else self.X, dtype=np.float64
        )
        rest = self.rest(targets)
        rows[:, list(targets)] = 0.0
        profiles: FloatArray = np.divide(
            rows, rest[:, None], out=np.zeros_like(rows), where=rest[:, None] > 0
        )
        return profiles

    def combine(self, targets: Sequence[int], weights: FloatArray) -> FloatArray:
        """Weighted sums of the profiles without the targets.

        Parameters
        ----------
        targets : sequence of int
            Columns of the genes that are taken out.
        weights : (m, n) float64
            m choices of weights, one weight a cell.

        Returns
        -------
        (m, G) float64
            NaN at the targets. No dense (n, G) copy is made.
        """
        rest = self.rest(targets)
        scaled = np.divide(weights, rest, out=np.zeros_like(weights), where=rest > 0)
        if scipy.sparse.issparse(self.X):
            sums = np.asarray(scaled @ self.X)
        else:
            sums = np.empty((len(weights), self.X.shape[1]))
            step = max(1, NUMBERS_AT_ONCE // max(1, len(self)))
            for start in range(0, self.X.shape[1], step):
                part = slice(start, start + step)
                sums[:, part] = scaled @ self.X[:, part].astype(np.float64)
        sums[:, list(targets)] = np.nan
        return sums
