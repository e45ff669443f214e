"""Average ranks inside many groups at once, also when entries count several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Groups:
    """n entries brought into the order of their g groups.

    Attributes
    ----------
    ids : (g,) int
        Distinct, sorted.
    order : (n,) int
        Puts entries in group order.
    counts : (g,) int, > 0
        Entries of each group.
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
    """Entries in group order, sorted inside each group, with the r runs of equal values marked.

    Attributes
    ----------
    order : (n,) int
        Sorts the entries.
    run : (n,) int
        The run of each entry, in sorted order.
    last : (r,) int
        Where each run ends in sorted order.
    group : (r,) int
        The group of each run.
    first : (g,) int
        The first run of each group.
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
        """Twice the distance of each entry's average rank from the middle of its group.

        Parameters
        ----------
        multiplicity : (n,) float, or None for 1
            How often every entry counts.

        Returns
        -------
        (n,) float64
            Whole numbers, 0 throughout a constant group.
        """
        if multiplicity is None:
            end: FloatArray = (self.last + 1).astype(np.float64)
        else:
            end = np.cumsum(multiplicity[self.order])[self.last]
        before = np.append(0.0, end[:-1])
        group_middle = before[self.first] + np.append(end[self.first[1:] - 1], end[-1])
        doubled: FloatArray = np.empty(len(self.order))
        doubled[self.order] = (before + end - group_middle[self.group])[self.run]
        return doubled


def sorting_order(values: FloatArray) -> IntArray:
    """(n,) the order that sorts finite `values` (n,), equal ones in any order.

    The same as `np.argsort`, but quicker for millions.

    Notes
    -----
    Numbers sort several times as fast as their places do. So a whole number that compares as the
    value does (the bits of a float, those after the sign turned over where it is set) is sorted,
    with the value's place in its last bits. Values that differ only in the bits that were replaced
    by places are then side by side, and are sorted among themselves.
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
    """Twice each entry's average rank among the known entries of its row, from their middle.

    Parameters
    ----------
    values : (n, G) array
        Finite where known.
    known : (n, G) bool

    Returns
    -------
    (n, G) float64
        Whole numbers, 0 at entries that are not known.
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
    """(n, G) what a tie adds to twice the rank of each of its entries.

    tied : (n, G - 1) bool, whether an entry equals the next one.
    """
    place = np.arange(tied.shape[1] + 1)
    edge = np.ones((len(tied), 1), bool)
    starts = np.where(np.hstack([edge, ~tied]), place, 0)
    ends = np.where(np.hstack([~tied, edge]), place, len(place))
    first = np.maximum.accumulate(starts, axis=1)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    added: IntArray = first + last - 2 * place
    return added
