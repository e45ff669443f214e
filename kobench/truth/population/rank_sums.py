"""The rank-sum test of `significance`, of many perturbations against the same reference cells.

It is done gene by gene, for many perturbations at once. Only cells in which the gene is on are
sorted: the others are tied below them. All sums are whole numbers or halves, so p values are those
of `significance.rank_sum_p` to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.truth.population.profiles import Population
from kobench.truth.population.significance import differing, p_of_sums

#: Values of one gene that are sorted at once, about.
VALUES_AT_ONCE = 49_152

#: Batches are worked on together where the largest has less than so many times the cells of the
#: smallest.
ALIKE = 2


@dataclass(frozen=True, eq=False)
class Perturbed:
    """A perturbation to be tested.

    Attributes
    ----------
    rows : (n,) int
        Its cells among the perturbed ones, as `measure.matched` leaves them.
    targets : sequence of int
        Columns of the genes that it removes.
    """

    rows: IntArray
    targets: Sequence[int]


@dataclass(frozen=True, eq=False)
class Reference:
    """The m reference cells, batch by batch, and their values gene by gene.

    The B batches are numbered from the largest to the smallest.

    Attributes
    ----------
    cells : Population
    by_gene : (m, G) CSC
    starts : (B + 1,) int
        Where the cells of each batch begin, and the last ones end.
    labels : (B,) int
        What the batches are called in the populations.
    alike : sequence of slice
        Batches of about one size.
    """

    cells: Population
    by_gene: Any
    starts: IntArray
    labels: IntArray
    alike: Sequence[slice]

    @classmethod
    def of(cls, cells: Population) -> Reference:
        """Sort these reference cells."""
        labels, number, counts = np.unique(cells.batch, return_inverse=True, return_counts=True)
        by_size = np.argsort(-counts, kind="stable")
        place = np.empty_like(by_size)
        place[by_size] = np.arange(len(labels))
        counts = counts[by_size]
        cells = cells[np.argsort(place[number.ravel()], kind="stable")]
        step = np.log(counts.max() / counts) // np.log(ALIKE)
        edges = [0, *(np.flatnonzero(np.diff(step)) + 1).tolist(), len(labels)]
        return cls(
            cells,
            scipy.sparse.csc_matrix(cells.matrix()),
            np.concatenate([[0], np.cumsum(counts)]),
            labels[by_size],
            [slice(a, b) for a, b in pairwise(edges)],
        )

    def batch_of(self, cells: Population) -> IntArray:
        """(n,) number of each cell's batch; -1 where no reference cell is in it."""
        if not len(self.labels):
            return np.full(len(cells), -1)
        order = np.argsort(self.labels)
        place = np.searchsorted(self.labels, cells.batch, sorter=order)
        found = order[np.minimum(place, len(order) - 1)]
        return np.where(self.labels[found] == cells.batch, found, -1)


def rank_sum_ps(
    perturbed: Population, reference: Population, tested: Sequence[Perturbed]
) -> Iterator[FloatArray]:
    """(G,) p values of `significance.rank_sum_p`, of one perturbation after the other.

    Parameters
    ----------
    perturbed, reference : Population
        All perturbed and all reference cells. Reference cells with nothing but targets on are left
        out, as `measure.matched` does.
    tested : sequence of Perturbed
    """
    if not tested:
        return
    against = Reference.of(reference)
    of_gene = max(1, int(against.by_gene.nnz / max(1, against.by_gene.shape[1])))
    step = max(1, VALUES_AT_ONCE // of_gene)
    for start in range(0, len(tested), step):
        together = tested[start : start + step]
        deviation, variance = _sums(perturbed, against, together)
        for one, (d, v) in zip(together, zip(deviation, variance, strict=True), strict=True):
            d[list(one.targets)] = v[list(one.targets)] = 0.0
            yield p_of_sums(d, v, one.targets)


def _sums(
    perturbed: Population, against: Reference, tested: Sequence[Perturbed]
) -> tuple[FloatArray, FloatArray]:
    """(q, G) deviations and variances of the weighted rank sums of q perturbations."""
    q, n_batches, n_genes = len(tested), len(against.labels), against.by_gene.shape[1]
    rest = np.ones((q, len(against.cells) + 1))  # the last one is of no cell
    for of_one, one in zip(rest, tested, strict=True):
        of_one[:-1] = against.cells.rest(one.targets)
    m = np.add.reduceat(rest[:, :-1] > 0, against.starts[:-1], axis=1, dtype=np.int64)
    ours = _Values.of(perturbed, against, tested)
    n = np.bincount(ours.row, minlength=q * n_batches).reshape(q, n_batches)
    weight, factor = _factors(n, m)
    in_order = np.argsort(against.labels)
    deviation, variance = np.empty((q, n_genes)), np.empty((q, n_genes))
    terms, room = np.empty((2, n_batches, q)), _Room()
    with np.errstate(divide="ignore", invalid="ignore"):
        for gene in range(n_genes):
            for batches in against.alike:
                block = _Block.of(against, ours, rest, gene, batches, room)
                sums = block.sums(n[:, batches], m[:, batches])
                terms[0, batches] = (weight[:, batches] * sums[0]).T
                terms[1, batches] = (factor[:, batches] * sums[1]).T
            # batch after batch, as they are numbered in the dataset: no other order of rounding
            added = terms[:, in_order].sum(axis=1)
            deviation[:, gene], variance[:, gene] = added
    return deviation, variance


def _factors(n: IntArray, m: IntArray) -> tuple[FloatArray, FloatArray]:
    """(q, B) what each batch's rank sums, and their squares, count for; 0 where it has no two
    kinds of cells.
    """
    weight, factor = np.zeros(n.shape), np.zeros(n.shape)
    for place in zip(*np.nonzero((n > 0) & (m > 0)), strict=True):
        a, b = int(n[place]), int(m[place])
        one = 1.0 / (a + b + 1)
        weight[place], factor[place] = one, one**2 * a * b / ((a + b) * (a + b - 1))
    return weight, factor


@dataclass(frozen=True, eq=False)
class _Values:
    """Profiles of the perturbed cells of q perturbations, gene by gene.

    row : (c,) number of each cell's perturbation and batch, q after q. ends : (G + 1,) where each
    gene's entries end. of_row, keys, slot : of each entry the row of its cell, its key (see
    `_Block`) and how many entries of this gene and row are before it.
    """

    row: IntArray
    ends: IntArray
    of_row: IntArray
    keys: npt.NDArray[np.int64]
    slot: IntArray

    @classmethod
    def of(cls, perturbed: Population, against: Reference, tested: Sequence[Perturbed]) -> _Values:
        """Those of these perturbations, with each cell over what it expresses beside targets."""
        parts = [perturbed[one.rows] for one in tested]
        batch = np.concatenate([against.batch_of(part) for part in parts])
        row = np.repeat(np.arange(len(tested)), [len(part) for part in parts])
        row = row * len(against.labels) + batch
        rest = np.concatenate(
            [part.rest(one.targets) for part, one in zip(parts, tested, strict=True)]
        )
        kept = np.flatnonzero(batch >= 0)
        kept = kept[np.argsort(row[kept], kind="stable")]
        row, rest = row[kept], rest[kept]
        X = scipy.sparse.csr_matrix(
            perturbed.X[np.concatenate([part.rows for part in parts])[kept]]
        ).tocsc()
        values = X.data.astype(np.float64)
        values /= rest[X.indices]
        keys = values.view(np.int64)
        keys <<= 1
        keys |= 1
        of_row = row.astype(np.int32)[X.indices]
        # the first entry of a row is as far behind it as its own place
        new = np.ones(X.nnz, dtype=bool)
        np.not_equal(of_row[1:], of_row[:-1], out=new[1:])
        new[X.indptr[:-1][np.diff(X.indptr) > 0]] = True
        first = np.flatnonzero(new).astype(np.int32)
        slot = np.arange(X.nnz, dtype=np.int32)
        slot -= np.repeat(first, np.diff(first, append=np.int32(X.nnz)))
        return cls(row, X.indptr, of_row, keys, slot)


class _Room:
    """Memory that is used again and again: to ask for some takes longer than to sort in it."""

    def __init__(self) -> None:
        self._parts = np.empty((2, 0))

    def of(self, rows: int, columns: int) -> tuple[FloatArray, FloatArray]:
        """Two arrays (rows, columns), until the next call."""
        size = rows * columns
        if size > self._parts.shape[1]:
            self._parts = np.empty((2, 2 * size))
        one, other = self._parts[:, :size].reshape(2, rows, columns)
        return one, other


@dataclass(frozen=True, eq=False)
class _Block:
    """One gene in q perturbations and b batches of about one size.

    keys : (q b, w) int64, sorted: the bits of each value, times 2, plus 1 for a perturbed cell;
    behind them some that are larger than any value. spare : (q b, w) int64, of no meaning. on :
    (b,) reference cells in which the gene is on. perturbed_on : (q, b) the same of perturbed cells.
    """

    keys: npt.NDArray[np.int64]
    spare: npt.NDArray[np.int64]
    on: IntArray
    perturbed_on: IntArray

    @classmethod
    def of(
        cls,
        against: Reference,
        ours: _Values,
        rest: FloatArray,
        gene: int,
        batches: slice,
        room: _Room,
    ) -> _Block:
        q, b = len(rest), batches.stop - batches.start
        column = slice(against.by_gene.indptr[gene], against.by_gene.indptr[gene + 1])
        cells = against.by_gene.indices[column]
        cuts = np.searchsorted(cells, against.starts[batches.start : batches.stop + 1])
        on = np.diff(cuts)
        mine = slice(ours.ends[gene], ours.ends[gene + 1])
        row, slot, keys_of_row = ours.of_row[mine], ours.slot[mine], ours.keys[mine]
        if b < len(against.labels):
            perturbation, batch = np.divmod(row, len(against.labels))
            here = (batch >= batches.start) & (batch < batches.stop)
            row = (perturbation * b + batch - batches.start)[here]
            slot, keys_of_row = slot[here], keys_of_row[here]
        width = int(on.max())
        whole = width + int(slot.max(initial=0)) + 2  # two at least, one of them never filled
        # a share is 1 at most: what fills a row is larger, and no two of it are equal
        x = np.tile(1.5 + np.arange(whole) * 2.0**-40, (b, 1))
        cell = np.full((b, whole), rest.shape[1] - 1)
        filled = np.arange(whole) < on[:, None]
        part = slice(cuts[0], cuts[-1])
        x[filled], cell[filled] = against.by_gene.data[column][part], cells[part]
        shares, spare = room.of(q, b * whole)
        rest.take(cell.ravel(), axis=1, out=shares, mode="clip")
        np.divide(x.ravel(), shares, out=shares)
        keys = shares.view(np.int64).reshape(q * b, whole)
        keys <<= 1  # positive floats are in the order of their bits
        keys.ravel()[row * whole + (width + slot)] = keys_of_row
        keys.sort(axis=1)
        counts = np.bincount(row, minlength=q * b).reshape(q, b)
        return cls(keys, spare.view(np.int64).reshape(keys.shape), on, counts)

    def sums(self, n: IntArray, m: IntArray) -> tuple[FloatArray, FloatArray]:
        """(q, b) sums of the perturbed cells' ranks, and of the squares of all, from the middle.

        n, m : (q, b) how many perturbed and reference cells there are.
        """
        cubes, moved = self._ties()
        labels = np.bitwise_and(self.keys, 1, out=self.spare)
        places = np.arange(1, labels.shape[1] + 1)
        ranked = np.einsum("ij,j->i", labels, places) + moved
        zeros = n + m - self.on - self.perturbed_on
        of_zeros = (n - self.perturbed_on) * (zeros + 1) / 2
        sums: FloatArray = ranked.reshape(n.shape) + self.perturbed_on * zeros + of_zeros
        N = n + m
        squares = _without_itself(N) - _without_itself(zeros) - cubes.reshape(n.shape)
        # N^3 - N is 12 times the sum of squares without ties, t^3 - t what ties take off
        from_middle: FloatArray = sums - n * ((N + 1) / 2)
        halves: FloatArray = (squares // 3).astype(np.float64) / 4
        return from_middle, halves

    def _ties(self) -> tuple[IntArray, FloatArray]:
        """(q b,) the sum of t^3 - t over runs of t equal values; and what their average ranks move
        the rank sum of the perturbed cells by.
        """
        n_rows, width = self.keys.shape
        keys, apart = self.keys.ravel(), self.spare.ravel()[1:]
        np.bitwise_xor(keys[1:], keys[:-1], out=apart)  # no row ends as another begins
        equal = np.flatnonzero(apart.view(np.uint64) <= 1)
        if not len(equal):
            return np.zeros(n_rows, np.int64), np.zeros(n_rows, np.float64)
        new = np.ones(len(equal), dtype=bool)
        np.greater(equal[1:] - equal[:-1], 1, out=new[1:])
        first = np.flatnonzero(new)
        row = equal[first] // width
        t = np.diff(first, append=len(equal)) + 1
        # of equal values the c perturbed cells come last, with (t - c) / 2 too much each
        c = np.add.reduceat(keys[equal + 1] & 1, first) + (keys[equal[first]] & 1)
        cubes = np.bincount(row, weights=_without_itself(t), minlength=n_rows)
        moved = np.bincount(row, weights=c * (t - c) / -2, minlength=n_rows)
        return cubes.astype(np.int64), moved.astype(np.float64)


def _without_itself(n: IntArray) -> IntArray:
    """n^3 - n."""
    return n * n * n - n


def responding_all(
    perturbed: Population, reference: Population, tested: Sequence[Perturbed]
) -> Iterator[BoolArray]:
    """(G,) bool, `significance.responding` of one perturbation after the other."""
    for one, p in zip(tested, rank_sum_ps(perturbed, reference, tested), strict=True):
        yield differing(p, one.targets)
