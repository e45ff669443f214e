"""Cells as profiles from which the targets of a perturbation have been taken out; sparse X stays
sparse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.datasets.validate import tidy

#: Most numbers of a dense copy that is worked on at once (32 MB in float64).
NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Group:
    """n cells, with what is needed to take any genes out of their profiles.

    X : (n, G) array or canonical CSR, in the working scale. batch : (n,) number of each cell's
    batch. total : (n,) sum over all genes. detected : (n,) number of genes that are on.
    """

    X: Any
    batch: IntArray
    total: FloatArray
    detected: IntArray

    @classmethod
    def of(cls, X: Any, batch: IntArray) -> Group:
        """The cells of a matrix."""
        X = tidy(X)
        if scipy.sparse.issparse(X):  # whose own sum adds float32 up in float32
            return cls(X, np.asarray(batch), X @ np.ones(X.shape[1]), np.diff(X.indptr))
        return cls(X, np.asarray(batch), X.sum(axis=1, dtype=np.float64), (X > 0).sum(axis=1))

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, rows: IntArray | BoolArray) -> Group:
        return Group(self.X[rows], self.batch[rows], self.total[rows], self.detected[rows])

    def columns(self, genes: Sequence[int]) -> FloatArray:
        """(n, len(genes)) values of some genes, float64."""
        values = self.X[:, list(genes)]
        return np.asarray(
            values.toarray() if scipy.sparse.issparse(values) else values, dtype=np.float64
        )

    def rest(self, targets: Sequence[int]) -> FloatArray:
        """(n,) summed expression of all genes but the targets; exactly 0 where no other gene is
        on.
        """
        taken = self.columns(targets)
        others: BoolArray = self.detected > (taken > 0).sum(axis=1)
        return np.where(others, self.total - taken.sum(axis=1), 0.0)

    def profiles(self, targets: Sequence[int]) -> FloatArray:
        """(n, G) profiles without the targets, which are 0; a row in which no other gene is on is
        0.
        """
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
        """(m, G) sums of the profiles without the targets, weighted by (m, n); no (n, G) copy is
        made. NaN at the targets.
        """
        rest = self.rest(targets)
        scaled = np.divide(weights, rest, out=np.zeros_like(weights), where=rest > 0)
        if scipy.sparse.issparse(self.X):
            sums = np.asarray(scaled @ self.X)
        else:
            sums = np.empty((len(weights), self.X.shape[1]))
            step = max(1, NUMBERS_AT_ONCE // max(1, len(self)))
            for start in range(0, self.X.shape[1], step):
                sums[:, start : start + step] = scaled @ self.X[:, start : start + step].astype(
                    np.float64
                )
        sums[:, list(targets)] = np.nan
        return sums
