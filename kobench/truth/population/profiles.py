"""Cells as profiles without the targets of a perturbation; a sparse X stays sparse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.datasets.matrices import tidy
from kobench.datasets.parts import row_blocks, row_sums, rows_between

#: Most bytes of the values of a sparse X of which a second copy is made, by gene.
MOST_COPIED = 1 << 29

#: Most numbers of a dense copy that is worked on at once (32 MB in float64).
NUMBERS_AT_ONCE = 4_000_000

#: Most values of a sparse copy that is worked on at once (10 MB with their columns and float64).
VALUES_AT_ONCE = 500_000


@dataclass(frozen=True, eq=False)
class Population:
    """n cells, with what is needed to take any genes out of their profiles.

    Some cells of a population share its matrix: their values are never copied all at once.

    Attributes
    ----------
    X : (N, G) array or canonical CSR
        Expression in the working scale, of these cells and maybe of others.
    rows : (n,) int
        Which rows of X these cells are.
    batch : (n,) int
        Number of each cell's batch, from 0.
    total : (n,) float
        Sum of each cell over all genes.
    detected : (n,) int
        Number of genes that are on in each cell.
    by_gene : (N, G) canonical CSC or None
        X once more, gene by gene, where genes are looked up again and again.
    """

    X: Any
    rows: IntArray
    batch: IntArray
    total: FloatArray
    detected: IntArray
    by_gene: Any = None

    @classmethod
    def of(cls, X: Any, batch: IntArray) -> Population:
        """The cells of a matrix X (n, G) in batches (n,)."""
        X = tidy(X)
        rows, batch = np.arange(X.shape[0]), np.asarray(batch)
        if scipy.sparse.issparse(X):
            return cls(X, rows, batch, row_sums(X), np.diff(X.indptr))
        return cls(X, rows, batch, X.sum(axis=1, dtype=np.float64), (X > 0).sum(axis=1))

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, chosen: IntArray | BoolArray) -> Population:
        return Population(
            self.X,
            self.rows[chosen],
            self.batch[chosen],
            self.total[chosen],
            self.detected[chosen],
            self.by_gene,
        )

    def by_genes(self) -> Population:
        """The same cells; of a sparse X, genes are found without going through all of it.

        That takes a second copy, so a large X stays as it is.
        """
        if not scipy.sparse.issparse(self.X) or self.X.data.nbytes > MOST_COPIED:
            return self
        return replace(self, by_gene=self.X.tocsc())

    def matrix(self) -> Any:
        """(n, G) the values of these cells alone, a copy; for few cells."""
        return self.X[self.rows]

    def columns(self, genes: Sequence[int]) -> FloatArray:
        """(n, len(genes)) values of some genes, float64."""
        chosen: IntArray = np.array(genes, dtype=np.intp)
        if not scipy.sparse.issparse(self.X):
            # a gene's cells side by side, as numpy takes columns: sums over cells depend on it
            return np.asfortranarray(self.X[np.ix_(self.rows, chosen)], dtype=np.float64)
        if self.by_gene is not None:
            whole = np.zeros((self.X.shape[0], len(chosen)))
            for column, gene in zip(whole.T, chosen, strict=True):
                of_gene = slice(self.by_gene.indptr[gene], self.by_gene.indptr[gene + 1])
                column[self.by_gene.indices[of_gene]] = self.by_gene.data[of_gene]
            return whole[self.rows]
        values = np.empty((len(self), len(chosen)))
        for place, part in self._parts(VALUES_AT_ONCE):
            values[place] = part[:, chosen].toarray()
        return values

    def rest(self, targets: Sequence[int]) -> FloatArray:
        """(n,) summed expression of all genes but the targets; exactly 0 where none is on."""
        taken = self.columns(targets)
        others: BoolArray = self.detected > (taken > 0).sum(axis=1)
        return np.where(others, self.total - taken.sum(axis=1), 0.0)

    def profiles(self, targets: Sequence[int]) -> FloatArray:
        """(n, G) profiles in which the targets are 0; a row without any other gene is 0."""
        values = self.matrix()
        rows = np.array(
            values.toarray() if scipy.sparse.issparse(values) else values, dtype=np.float64
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
            m choices of weights >= 0, one weight a cell.

        Returns
        -------
        (m, G) float64
            NaN at the targets. Neither a dense (n, G) copy is made, nor a sparse one.
        """
        rest = self.rest(targets)
        if scipy.sparse.issparse(self.X):
            sums = self._sparse_sums(weights, rest)
        else:
            scaled = _scaled(weights, rest)
            sums = np.empty((len(weights), self.X.shape[1]))
            step = max(1, NUMBERS_AT_ONCE // max(1, len(self)))
            for start in range(0, self.X.shape[1], step):
                part = slice(start, start + step)
                sums[:, part] = scaled @ self.X[:, part][self.rows].astype(np.float64)
        sums[:, list(targets)] = np.nan
        return sums

    def _sparse_sums(self, weights: FloatArray, rest: FloatArray) -> FloatArray:
        """(m, G) weighted sums of the cells of a sparse X, each cell over its `rest` (n,).

        The product adds up cell by cell. So that parts of the cells give the very same sums as all
        of them at once, the sums so far stand before a part as its first cells, each with weight 1
        in its own choice and 0 in the others.
        """
        m, genes = len(weights), self.X.shape[1]
        sums, so_far = np.zeros((m, genes)), np.eye(m)
        every, ends = np.tile(np.arange(genes, dtype=np.int32), m), np.arange(m + 1) * genes
        # the sums so far are to be the smaller part of a product
        for place, part in self._parts(max(VALUES_AT_ONCE, 2 * sums.size)):
            scaled = _scaled(weights[:, place], rest[place])
            if place.start:
                first = scipy.sparse.csr_matrix((sums.ravel(), every, ends), sums.shape)
                part = scipy.sparse.vstack([first, part], format="csr")
                scaled = np.hstack([so_far, scaled])
            sums = np.asarray(scaled @ part)
        return sums

    def _parts(self, at_once: int) -> Iterator[tuple[slice, Any]]:
        """Parts of the cells of a sparse X, with about so many values each: which, and their rows.

        The rows may share memory with X.
        """
        lengths = self.X.indptr[self.rows + 1] - self.X.indptr[self.rows]
        ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        for first, behind in row_blocks(ends, at_once):
            rows = self.rows[first:behind]
            if rows[-1] - rows[0] + 1 == len(rows) and (np.diff(rows) == 1).all():
                yield slice(first, behind), rows_between(self.X, rows[0], rows[-1] + 1)
            else:
                yield slice(first, behind), self.X[rows]


def _scaled(weights: FloatArray, rest: FloatArray) -> FloatArray:
    """(m, n) weights over what each cell expresses beside the targets, 0 where that is nothing."""
    return np.divide(weights, rest, out=np.zeros_like(weights), where=rest > 0)
