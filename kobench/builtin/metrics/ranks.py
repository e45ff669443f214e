"""Average ranks and Spearman's correlation inside many groups at once, also when entries count several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Groups:
    """Entries brought into group order. ids : (g,) distinct, sorted. order : (n,) puts entries in group order. counts : (g,), each > 0."""

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

    order : (n,) sorts the entries. run : (n,) the run of each entry (unsorted). last : (r,) where each run ends in sorted order.
    group : (r,) the group of each run. first : (g,) the first run of each group.
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
        if n == width * len(counts):
            order = (np.argsort(values.reshape(-1, width), axis=1) + group_start[:, None]).ravel()
        else:
            # infinite padding sorts last, so a group's entries take its first places; one sort of rows beats a lexsort of everything
            inside = np.arange(width) < counts[:, None]
            padded = np.full(inside.shape, np.inf)
            padded[inside] = values
            order = (np.argsort(padded, axis=1) + group_start[:, None])[inside]
        ordered = values[order]
        new = np.ones(n, bool)
        np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
        new[group_start] = True
        run_in_order = np.cumsum(new) - 1
        run = np.empty(n, np.intp)
        run[order] = run_in_order
        last = np.append(np.flatnonzero(new)[1:] - 1, n - 1)
        first = run_in_order[group_start]
        group = np.repeat(np.arange(len(counts)), np.diff(first, append=len(last)))
        return cls(order, run, last, group, first)

    def centred_ranks(self, multiplicity: FloatArray | None = None) -> FloatArray:
        """(n,) twice the distance of each entry's average rank from the middle of its group: whole numbers, 0 throughout a constant group.

        `multiplicity` (n,) counts every entry that often.
        """
        end = (self.last + 1).astype(np.float64) if multiplicity is None else np.cumsum(multiplicity[self.order])[self.last]
        before = np.append(0.0, end[:-1])
        group_middle = before[self.first] + np.append(end[self.first[1:] - 1], end[-1])
        doubled: FloatArray = (before + end - group_middle[self.group])[self.run]
        return doubled


@dataclass(frozen=True, eq=False)
class Correlations:
    """One correlation a group, (g,). size : entries in it. true_varies, predicted_varies : False where all its values are equal.

    `value` is 0 where either is constant: there is nothing to correlate, and the caller decides what that means.
    """

    value: FloatArray
    size: FloatArray
    true_varies: BoolArray
    predicted_varies: BoolArray


class GroupedSpearman:
    """Spearman's correlation with average ranks inside each group; sorted once, then evaluated for any multiplicities.

    predicted, true : (n,) finite, n > 0, in group order. counts : (g,) entries of each group, each > 0.
    """

    def __init__(self, predicted: npt.NDArray[Any], true: npt.NDArray[Any], counts: IntArray) -> None:
        self.counts = np.asarray(counts)
        self.starts = np.cumsum(self.counts) - self.counts
        self.predicted = TieRuns.of(np.asarray(predicted, np.float64), self.counts)
        self.true = TieRuns.of(np.asarray(true, np.float64), self.counts)

    def correlations(self, multiplicity: FloatArray | None = None) -> Correlations:
        """Correlations (g,); `multiplicity` (n,) counts entries several times, 0 leaves them out."""
        a, b = self.predicted.centred_ranks(multiplicity), self.true.centred_ranks(multiplicity)
        a_weighted, b_weighted, size = a, b, self.counts.astype(np.float64)
        if multiplicity is not None:
            a_weighted, b_weighted, size = a * multiplicity, b * multiplicity, np.add.reduceat(multiplicity, self.starts)
        return correlations_of_sums(
            np.add.reduceat(a_weighted * b, self.starts),
            np.add.reduceat(a_weighted * a, self.starts),
            np.add.reduceat(b_weighted * b, self.starts),
            size,
        )


def correlations_of_sums(ab: FloatArray, aa: FloatArray, bb: FloatArray, size: FloatArray) -> Correlations:
    """Correlations from centred sums of products: a the prediction, b the truth. Equal sums give exactly 1."""
    varies_a, varies_b = aa > 0, bb > 0
    defined = varies_a & varies_b
    value = np.divide(ab, np.sqrt(aa * bb), out=np.zeros(len(ab)), where=defined)
    return Correlations(np.clip(value, -1.0, 1.0), size, varies_b, varies_a)
