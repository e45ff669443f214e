"""Distances between cells without a target, from products of whole cells that are made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import FloatArray, IntArray
from kobench.truth.population.profiles import Population

#: Most numbers that the products of all batches may take; larger batches go without.
MOST_NUMBERS = 1 << 27


@dataclass(frozen=True, eq=False)
class Grams:
    """Products of all reference cells of a batch with each other.

    Without targets, a profile is a cell less a few of its values over what is left. So products of
    such profiles follow from those of the cells.

    Attributes
    ----------
    batch, place : (N,) int
        Batch of each cell of the matrix, -1 where it has no products, and its place among them.
    rows : mapping of int to (m, G) array or CSR
        The cells of each batch.
    products : mapping of int to (m, m) float64
        Those of each batch.
    """

    batch: IntArray
    place: IntArray
    rows: Mapping[int, Any]
    products: Mapping[int, FloatArray]

    @classmethod
    def of(cls, reference: Population) -> Grams:
        """Multiply these reference cells, batch by batch, the smallest batches first."""
        batch = np.full(reference.X.shape[0], -1)
        place, left = np.zeros_like(batch), MOST_NUMBERS
        rows, products = {}, {}
        labels, counts = np.unique(reference.batch, return_counts=True)
        for label, count in sorted(zip(labels, counts, strict=True), key=lambda each: each[1]):
            left -= int(count) ** 2
            if left < 0:
                break
            cells = reference[reference.batch == label]
            rows[int(label)] = cells.matrix()
            dense = _dense(cells)
            products[int(label)] = dense @ dense.T
            batch[cells.rows], place[cells.rows] = label, np.arange(len(cells))
        return cls(batch, place, rows, products)

    def distances(self, x: Population, y: Population, targets: Sequence[int]) -> FloatArray | None:
        """Euclidean distances between profiles without the targets.

        Parameters
        ----------
        x : Population
            n perturbed cells.
        y : Population
            m reference cells of one batch.
        targets : sequence of int
            Columns of the genes that are taken out.

        Returns
        -------
        (n + m, n + m) float64 or None
            As `size.distances` of the profiles of both, but for rounding. None where the cells have
            no products.
        """
        batch = int(self.batch[y.rows[0]])
        if batch < 0:
            return None
        n, taken, place = len(x), y.columns(targets), self.place[y.rows]
        ours = _dense(x)
        ours[:, list(targets)] = 0.0
        inner = np.empty((n + len(y), n + len(y)))
        inner[:n, :n] = ours @ ours.T
        inner[n:, :n] = (self.rows[batch] @ ours.T)[place]
        inner[:n, n:] = inner[n:, :n].T
        inner[n:, n:] = self.products[batch][np.ix_(place, place)] - taken @ taken.T
        over = 1.0 / np.concatenate([x.rest(targets), y.rest(targets)])
        inner *= over[:, None]
        inner *= over
        return distances_of(inner, np.diagonal(inner).copy())


def distances_of(products: FloatArray, squares: FloatArray) -> FloatArray:
    """(n, n) Euclidean distances from products (n, n), in their place, and squares (n,) of rows."""
    products *= -2.0
    products += squares[:, None]
    products += squares
    np.maximum(products, 0.0, out=products)
    np.sqrt(products, out=products)
    np.fill_diagonal(products, 0.0)
    return products


def _dense(cells: Population) -> FloatArray:
    """(n, G) values of some cells, a float64 copy."""
    rows = cells.matrix()
    return np.array(rows.toarray() if scipy.sparse.issparse(rows) else rows, dtype=np.float64)
