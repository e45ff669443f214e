"""Average ranks and Spearman's correlation inside many groups at once, also when entries count
several times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, FloatArray, IntArray

#: In larger groups counting through the sorted entries of each draw is quicker than comparing every
#: entry with every other one.
MOST_BY_PAIRS = 128

#: Draws in one product of matrices: small enough that BLAS does not share it among threads, which
#: wait for each other on a busy machine.
DRAWS_A_PRODUCT = 16


@dataclass(frozen=True, eq=False)
class Groups:
    """Entries brought into group order. ids : (g,) distinct, sorted. order : (n,) puts entries in
    group order. counts : (g,), each > 0.
    """

    ids: IntArray
    order: IntArray
    counts: IntArray

    @classmethod
    def of(cls, ids: IntArray) -> Groups:
        """Groups of entries by their id, (n,); entries of a group keep their order."""
        distinct, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
        return cls(distinct, np.argsort(inverse, kind="stable"), counts)


@dataclass(frozen=True, eq=False)
class TieRuns:
    """Entries that lie in group order, sorted inside each group, with runs of equal values marked.

    order : (n,) sorts the entries. run : (n,) the run of each entry, in sorted order. last : (r,)
    where each run ends in sorted order. group : (r,) the group of each run. first : (g,) the first
    run of each group.
    """

    order: IntArray
    run: IntArray
    last: IntArray
    group: IntArray
    first: IntArray

    @classmethod
    def of(cls, values: FloatArray, counts: IntArray) -> TieRuns:
        """Sort finite `values` (n,), n > 0, inside groups of `counts` (g,) entries, each > 0."""
        n, width = len(values), int(counts.max())
        group_start = np.cumsum(counts) - counts
        if len(counts) == 1:
            order = sorting_order(values)
        elif n == width * len(counts):
            order = (np.argsort(values.reshape(-1, width), axis=1) + group_start[:, None]).ravel()
        else:
            # infinite padding sorts last, so a group's entries take its first places; one sort of
            # rows beats a lexsort of everything
            inside = np.arange(width) < counts[:, None]
            padded = np.full(inside.shape, np.inf, values.dtype)
            padded[inside] = values
            order = (np.argsort(padded, axis=1) + group_start[:, None])[inside]
        ordered = values[order]
        new = np.ones(n, bool)
        np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
        new[group_start] = True
        run = np.cumsum(new) - 1
        last = np.append(np.flatnonzero(new)[1:] - 1, n - 1)
        first = run[group_start]
        group = np.repeat(np.arange(len(counts)), np.diff(first, append=len(last)))
        return cls(order, run, last, group, first)

    def centred_ranks(self, multiplicity: FloatArray | None = None) -> FloatArray:
        """(n,) twice the distance of each entry's average rank from the middle of its group: whole
        numbers, 0 throughout a constant group.

        `multiplicity` (n,) counts every entry that often.
        """
        end = (
            (self.last + 1).astype(np.float64)
            if multiplicity is None
            else np.cumsum(multiplicity[self.order])[self.last]
        )
        before = np.append(0.0, end[:-1])
        group_middle = before[self.first] + np.append(end[self.first[1:] - 1], end[-1])
        doubled: FloatArray = np.empty(len(self.order))
        doubled[self.order] = (before + end - group_middle[self.group])[self.run]
        return doubled


def sorting_order(values: FloatArray) -> IntArray:
    """(n,) the order that sorts finite `values` (n,), equal ones in any order: `np.argsort`,
    quicker for millions.

    Numbers sort several times as fast as their places do. So a whole number that compares as the
    value does (the bits of a float, those after the sign turned over where it is set) is sorted,
    with the value's place in its last bits. Values that differ in nothing but the bits which gave
    way to places lie side by side then, and are sorted among themselves.
    """
    bits: npt.NDArray[np.int64] = np.ascontiguousarray(values, np.float64).view(np.int64)
    width = (len(values) - 1).bit_length()
    packed = bits >> 63
    packed &= np.iinfo(np.int64).max
    packed ^= bits
    packed &= -1 << width
    packed |= np.arange(len(values))
    packed.sort()
    order: IntArray = packed & ((1 << width) - 1)
    ordered = values[order]
    wrong = np.flatnonzero(ordered[1:] < ordered[:-1])
    if len(wrong):
        alike = packed >> width
        groups = np.unique(alike[wrong])
        inside = np.zeros(len(values) + 1, np.int8)
        inside[np.searchsorted(alike, groups, side="left")] += 1
        inside[np.searchsorted(alike, groups, side="right")] -= 1
        places = np.flatnonzero(np.cumsum(inside[:-1]))
        order[places] = order[places[np.lexsort((ordered[places], alike[places]))]]
    return order


def rank_rows(values: npt.NDArray[Any], known: BoolArray) -> FloatArray:
    """(n, G) twice each entry's average rank among the known entries of its row, counted from their
    middle; 0 at the others.

    values, known : (n, G); known values are finite. Whole numbers.
    """
    n, width = values.shape
    padded = np.where(known, values, np.inf)  # sorts behind the known ones
    order = np.argsort(padded, axis=1) + np.arange(0, n * width, width)[:, None]
    ordered = padded.ravel()[order]
    ranks = np.arange(1.0, 2 * width, 2) - known.sum(axis=1, keepdims=True)
    tied = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] < np.inf)
    rows = np.flatnonzero(tied.any(axis=1))
    ranks[rows] += _shared(tied[rows])
    doubled = np.empty(n * width)
    doubled[order.ravel()] = ranks.ravel()
    return doubled.reshape(n, width) * known


def _shared(tied: BoolArray) -> IntArray:
    """(n, G) what a tie adds to twice the rank of each of its entries; tied : (n, G - 1), whether
    an entry equals the next one.
    """
    place = np.arange(tied.shape[1] + 1)
    edge = np.ones((len(tied), 1), bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, ~tied]), place, 0), axis=1)
    last = np.minimum.accumulate(
        np.where(np.hstack([~tied, edge]), place, len(place))[:, ::-1], axis=1
    )[:, ::-1]
    added: IntArray = first + last - 2 * place
    return added


@dataclass(frozen=True, eq=False)
class Correlations:
    """One correlation a group, (g,), or (g, d) in each of d draws.

    size : entries in it. true_varies, predicted_varies : False where all its values are equal.
    `value` is 0 where either is constant: there is nothing to correlate, and the caller decides
    what that means.
    """

    value: FloatArray
    size: FloatArray
    true_varies: BoolArray
    predicted_varies: BoolArray


class GroupedSpearman:
    """Spearman's correlation with average ranks inside each group; sorted once, then evaluated for
    any multiplicities.

    predicted, true : (n,) finite, n > 0, in group order. counts : (g,) entries of each group, each
    > 0.
    """

    def __init__(
        self, predicted: npt.NDArray[Any], true: npt.NDArray[Any], counts: IntArray
    ) -> None:
        self.counts = np.asarray(counts)
        self.starts = np.cumsum(self.counts) - self.counts
        self.values = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
        self.predicted, self.true = (TieRuns.of(values, self.counts) for values in self.values)

    def correlations(self, multiplicity: FloatArray | None = None) -> Correlations:
        """Correlations (g,); `multiplicity` (n,) counts entries several times, 0 leaves them
        out.
        """
        a, b = self.predicted.centred_ranks(multiplicity), self.true.centred_ranks(multiplicity)
        a_weighted, b_weighted, size = a, b, self.counts.astype(np.float64)
        if multiplicity is not None:
            a_weighted, b_weighted, size = (
                a * multiplicity,
                b * multiplicity,
                np.add.reduceat(multiplicity, self.starts),
            )
        return correlations_of_sums(
            np.add.reduceat(a_weighted * b, self.starts),
            np.add.reduceat(a_weighted * a, self.starts),
            np.add.reduceat(b_weighted * b, self.starts),
            size,
        )

    def of_draws(self, often: npt.NDArray[Any], block: IntArray) -> Correlations:
        """Correlations (g, d) in each of d draws: often (b, d) is how often a draw has each block,
        block (n,) the block of each entry.
        """
        if self.counts.max() <= MOST_BY_PAIRS:
            (predicted, true), stacks = self.values, _stacked(often)
            parts = [
                slice(start, start + count)
                for start, count in zip(self.starts, self.counts, strict=True)
            ]
            sums = [
                _sums_by_pairs(predicted[part], true[part], stacks[:, block[part]])
                for part in parts
            ]
            return correlations_of_sums(*np.stack(sums, axis=1)[..., : often.shape[1]])
        found = [self.correlations(draw[block].astype(np.float64)) for draw in often.T]
        return Correlations(
            *(
                np.stack(columns, axis=1)
                for columns in zip(*(vars(one).values() for one in found), strict=True)
            )
        )


def _stacked(often: npt.NDArray[Any]) -> FloatArray:
    """(k, b, DRAWS_A_PRODUCT) the columns of often (b, d) in k stacks, filled up with zeros."""
    k = -(-often.shape[1] // DRAWS_A_PRODUCT)
    padded = np.zeros((len(often), k * DRAWS_A_PRODUCT), np.float32)
    padded[:, : often.shape[1]] = often
    return np.ascontiguousarray(padded.reshape(len(often), k, DRAWS_A_PRODUCT).transpose(1, 0, 2))


def _sums_by_pairs(predicted: FloatArray, true: FloatArray, often: FloatArray) -> FloatArray:
    """(4, draws) what `correlations_of_sums` needs of one group (n,), drawn as `often`, (k, n,
    DRAWS_A_PRODUCT), says.

    Twice an entry's average rank, counted from the middle, is how many entries are smaller less how
    many are larger: for many draws at once a matrix of signs times how often each entry is drawn.
    Whole numbers up to the cube of the entries drawn, hence exact.
    """
    size = often.sum(axis=1)
    if int(size.max(initial=0)) ** 3 > 2**24:  # single precision would round
        often = often.astype(np.float64)
    a, b = (
        np.sign(np.subtract.outer(values, values)).astype(often.dtype) @ often
        for values in (predicted, true)
    )
    a_weighted, b_weighted = a * often, b * often
    ab, aa, bb = (
        np.einsum("knd,knd->kd", x, y)
        for x, y in ((a_weighted, b), (a_weighted, a), (b_weighted, b))
    )
    return np.stack([ab, aa, bb, size]).astype(np.float64).reshape(4, -1)


def correlations_of_sums(
    ab: FloatArray, aa: FloatArray, bb: FloatArray, size: FloatArray
) -> Correlations:
    """Correlations from centred sums of products: a the prediction, b the truth.

    Equal sums give exactly 1.
    """
    varies_a, varies_b = aa > 0, bb > 0
    defined = varies_a & varies_b
    value = np.divide(ab, np.sqrt(aa * bb), out=np.zeros(ab.shape), where=defined)
    return Correlations(np.clip(value, -1.0, 1.0), size, varies_b, varies_a)
