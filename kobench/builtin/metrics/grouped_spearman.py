"""Spearman's correlation inside many groups at once, also when entries count several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.metrics.ranks import TieRuns
from kobench.cells import BoolArray, FloatArray, IntArray

#: In larger groups counting through the sorted entries of each draw is quicker than comparing every
#: entry with every other one.
MOST_BY_PAIRS = 128

#: Draws in one product of matrices: small enough that BLAS does not share it among threads, which
#: wait for each other on a busy machine.
DRAWS_A_PRODUCT = 16


@dataclass(frozen=True, eq=False)
class Correlations:
    """One correlation for each of g groups, or for each of d draws of each: (g,) or (g, d).

    Attributes
    ----------
    value : (g,) or (g, d) float
        0 where either side is constant: there is nothing to correlate, and the caller decides what
        that means.
    size : (g,) or (g, d) float
        Entries in it.
    true_varies, predicted_varies : (g,) or (g, d) bool
        False where all its values are equal.
    """

    value: FloatArray
    size: FloatArray
    true_varies: BoolArray
    predicted_varies: BoolArray


class GroupedSpearman:
    """Spearman's correlation with average ranks inside each group, for any multiplicities.

    The entries are sorted once.

    Parameters
    ----------
    predicted, true : (n,) array, n > 0
        Finite, in group order.
    counts : (g,) int, > 0
        Entries of each group.
    """

    def __init__(
        self, predicted: npt.NDArray[Any], true: npt.NDArray[Any], counts: IntArray
    ) -> None:
        self.counts = np.asarray(counts)
        self.starts = np.cumsum(self.counts) - self.counts
        self.values = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
        self.predicted, self.true = (TieRuns.of(values, self.counts) for values in self.values)

    def correlations(self, multiplicity: FloatArray | None = None) -> Correlations:
        """Correlations of the groups, (g,).

        `multiplicity` (n,) says how often each entry counts; 0 leaves it out.
        """
        a, b = self.predicted.centred_ranks(multiplicity), self.true.centred_ranks(multiplicity)
        a_weighted, b_weighted, size = a, b, self.counts.astype(np.float64)
        if multiplicity is not None:
            a_weighted, b_weighted = a * multiplicity, b * multiplicity
            size = np.add.reduceat(multiplicity, self.starts)
        return correlations_of_sums(
            np.add.reduceat(a_weighted * b, self.starts),
            np.add.reduceat(a_weighted * a, self.starts),
            np.add.reduceat(b_weighted * b, self.starts),
            size,
        )

    def of_draws(self, often: npt.NDArray[Any], block: IntArray) -> Correlations:
        """Correlations of the groups in each of d draws, (g, d).

        Parameters
        ----------
        often : (b, d) array
            How often each draw has each block.
        block : (n,) int
            The block of each entry.
        """
        if self.counts.max() <= MOST_BY_PAIRS:
            return self._by_pairs(often, block)
        found = [self.correlations(draw[block].astype(np.float64)) for draw in often.T]
        columns = zip(*(vars(one).values() for one in found), strict=True)
        return Correlations(*(np.stack(column, axis=1) for column in columns))

    def _by_pairs(self, often: npt.NDArray[Any], block: IntArray) -> Correlations:
        """The same by comparing every entry with every other one of its group."""
        (predicted, true), stacks = self.values, _stacked(often)
        sums = []
        for start, count in zip(self.starts, self.counts, strict=True):
            part = slice(start, start + count)
            sums.append(_sums_by_pairs(predicted[part], true[part], stacks[:, block[part]]))
        return correlations_of_sums(*np.stack(sums, axis=1)[..., : often.shape[1]])


def _stacked(often: npt.NDArray[Any]) -> FloatArray:
    """(k, b, DRAWS_A_PRODUCT) the columns of often (b, d) in k stacks, filled up with zeros."""
    k = -(-often.shape[1] // DRAWS_A_PRODUCT)
    padded = np.zeros((len(often), k * DRAWS_A_PRODUCT), np.float32)
    padded[:, : often.shape[1]] = often
    return np.ascontiguousarray(padded.reshape(len(often), k, DRAWS_A_PRODUCT).transpose(1, 0, 2))


def _sums_by_pairs(predicted: FloatArray, true: FloatArray, often: FloatArray) -> FloatArray:
    """(4, draws) what `correlations_of_sums` needs of one group (n,).

    often : (k, n, DRAWS_A_PRODUCT) how often each entry is drawn.

    Twice an entry's average rank, counted from the middle, is how many entries are smaller less how
    many are larger: for many draws at once a matrix of signs times how often each entry is drawn.
    The results are whole numbers up to the cube of the entries drawn, hence exact.
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
    """Correlations from centred sums of products, a of the prediction and b of the truth.

    Parameters
    ----------
    ab, aa, bb : (...) float
        Sums of products, of the same shape.
    size : (...) float
        Entries in each.

    Returns
    -------
    Correlations
        ab / sqrt(aa bb); equal sums give exactly 1.
    """
    varies_a, varies_b = aa > 0, bb > 0
    defined = varies_a & varies_b
    value = np.divide(ab, np.sqrt(aa * bb), out=np.zeros(ab.shape), where=defined)
    return Correlations(np.clip(value, -1.0, 1.0), size, varies_b, varies_a)
