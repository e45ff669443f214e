"""Changes in halves of the cells, for many perturbations against the same wild-type cells.

The wild-type profiles are summed once for each batch and half. The sums for one perturbation differ
from these only by the cells in which a target is on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.truth.population.measure import SPLITS, Halves
from kobench.truth.population.profiles import Population

#: Most bytes that the wild-type cells may take as dense arrays; with more, they stay sparse.
MOST_BYTES = 1 << 30

#: Where targets are less than this share of what every cell expresses beside them, what changes
#: without them is worked out in single precision: its rounding is a billionth of a mean profile.
FEW = 1 / 64


@dataclass(frozen=True, eq=False)
class HalvedCells:
    """The n cells of one perturbation, halved.

    Attributes
    ----------
    batch : (n,) int
        Their batches.
    halves : (SPLITS, 2, n) bool
        The cells of either half.
    means : (SPLITS, 2, G) float64
        The mean profile of each half, NaN at the targets.
    """

    batch: IntArray
    halves: BoolArray
    means: FloatArray

    @classmethod
    def of(cls, perturbed: Population, targets: Sequence[int], halves: Halves) -> HalvedCells:
        """The halves of these cells (n,), as `measure.matched` leaves them."""
        chosen = halves.of(perturbed.batch)
        weights = chosen.reshape(-1, len(perturbed)).astype(np.float64)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
        means = perturbed.combine(targets, weights)
        return cls(perturbed.batch, chosen, means.reshape(SPLITS, 2, -1))

    def count(self, n_batches: int) -> FloatArray:
        """(SPLITS, 2, n_batches) how many cells of each half are in each batch."""
        batches = self.batch[:, None] == np.arange(n_batches)
        counted: FloatArray = self.halves.astype(np.float64) @ batches
        return counted


@dataclass(frozen=True, eq=False)
class HalvedReference:
    """Sums of profiles over the wild-type cells of B batches, in halves of each.

    In `SPLITS` splits the cells of a batch, sorted by their keys, go to the two halves by turns. So
    the halves of a batch are its cells at even and at odd places, however many cells other batches
    have; `measure.Halves.of` only decides which of the two is called the first.

    Attributes
    ----------
    cells : Population
        The n wild-type cells that have a profile, batch by batch.
    starts : (B + 1,) int
        Where the cells of each batch begin, and the last ones end.
    even : (SPLITS, n) bool
        The cells at even places.
    sums : (SPLITS, 2 B, G) float64
        Sums of the profiles of each batch over the even, then over the odd cells.
    first : (SPLITS,) int
        See `measure.Halves`.
    blocks : sequence of (m, G) array
        The cells of each batch, dense; none where they would take more than `MOST_BYTES`.
    """

    cells: Population
    starts: IntArray
    even: BoolArray
    sums: FloatArray
    first: IntArray
    blocks: Sequence[Any]

    @classmethod
    def of(cls, cells: Population, halves: Halves, n_batches: int) -> HalvedReference:
        """Add up these wild-type cells (n,), with their own halves."""
        order = np.argsort(cells.batch, kind="stable")
        order = order[cells.rest(())[order] > 0]
        cells, halves = cells[order], halves[order]
        starts = np.searchsorted(cells.batch, np.arange(n_batches + 1))
        by_key = np.argsort(cells.batch + halves.keys, axis=1)
        place = np.arange(len(cells)) - starts[cells.batch]
        even: BoolArray = np.empty(halves.keys.shape, dtype=bool)
        np.put_along_axis(even, by_key, (place % 2 == 0)[None], axis=1)
        sums = np.empty((SPLITS, 2 * n_batches, cells.X.shape[1]))
        for batch in range(n_batches):
            part = slice(starts[batch], starts[batch + 1])
            chosen = np.concatenate([even[:, part], ~even[:, part]]).astype(np.float64)
            both = cells[np.arange(part.start, part.stop)].combine((), chosen)
            sums[:, 2 * batch], sums[:, 2 * batch + 1] = both[:SPLITS], both[SPLITS:]
        blocks = []
        if len(cells) * cells.X.shape[1] * cells.X.dtype.itemsize <= MOST_BYTES:
            rows = [cells.X[cells.rows[a:b]] for a, b in pairwise(starts)]
            blocks = [part.toarray() if scipy.sparse.issparse(part) else part for part in rows]
        return cls(cells, starts, even, sums, halves.first, blocks)

    def means(self, count: FloatArray, targets: Sequence[int]) -> FloatArray | None:
        """Mean profiles of halves of the wild-type cells, as `measure.changes` takes them.

        Parameters
        ----------
        count : (SPLITS, 2, B) float
            How many perturbed cells of each half are in each batch; 0 throughout for batches that
            do not count.
        targets : sequence of int
            Columns of the genes that the perturbation removes.

        Returns
        -------
        (SPLITS, 2, G) float64 or None
            NaN at the targets. None where a cell of these batches expresses nothing but targets:
            then other cells make the halves than those of the sums.
        """
        used = np.flatnonzero(count.any(axis=(0, 1)))
        on = np.isin(self.cells.batch, used) & (self.cells.columns(targets) > 0).any(axis=1)
        rest = self.cells[on].rest(targets)
        if not (rest > 0).all():
            return None
        sizes = np.diff(self.starts)[used]
        before = np.cumsum(sizes) - sizes
        swapped = (before + self.first[:, None]) % 2 == 1  # (SPLITS, b) the odd are the first half
        of_half = np.stack([np.where(swapped, sizes // 2, -(-sizes // 2))] * 2, axis=1)
        of_half[:, 1] = sizes - of_half[:, 0]
        mix = count[:, :, used] / np.maximum(count.sum(axis=2, keepdims=True), 1.0)
        share = mix / of_half
        weight = np.zeros((SPLITS, 2, self.sums.shape[1]))
        for half in (0, 1):  # of the even and of the odd cells
            odd = swapped ^ (half == 1)
            weight[:, half, 2 * used] = np.where(odd, 0.0, share[:, half])
            weight[:, half, 2 * used + 1] = np.where(odd, share[:, half], 0.0)
        means: FloatArray = weight @ self.sums
        absent = means == 0.0
        means += self._beyond(on, rest, weight)
        means[absent] = 0.0  # and not what rounding leaves of it
        means[:, :, list(targets)] = np.nan
        return means

    def _beyond(self, on: BoolArray, rest: FloatArray, weight: FloatArray) -> FloatArray:
        """(SPLITS, 2, G) what some cells add to the means where they go without the targets.

        Parameters
        ----------
        on : (n,) bool
            Which of the n cells, m in all.
        rest : (m,) float
            What each expresses beside the targets.
        weight : (SPLITS, 2, 2 B) float
            Weight of the even and odd cells of each batch in each mean.
        """
        total = self.cells.total[on]
        more = np.zeros(len(on))
        more[on] = 1.0 / rest - 1.0 / total
        few = bool((more[on] * total < FEW).all())
        batches = np.unique(self.cells.batch[on])
        sums = np.empty((SPLITS + 1, len(batches), self.cells.X.shape[1]), self._precision(few))
        for place, batch in enumerate(batches):
            part = slice(self.starts[batch], self.starts[batch + 1])
            here = np.flatnonzero(on[part])
            # the odd cells are all of them less the even ones: half the products
            chosen = np.vstack([self.even[:, part.start + here], np.ones(len(here), bool)])
            rows = self._rows(batch, here).astype(sums.dtype, copy=False)
            sums[:, place] = (chosen * more[part][here]).astype(sums.dtype) @ rows
        weight = weight.astype(sums.dtype)
        even, odd = weight[:, :, 2 * batches], weight[:, :, 2 * batches + 1]
        added: FloatArray = (even - odd) @ sums[:SPLITS]
        added += odd @ sums[SPLITS]
        return added

    def _rows(self, batch: int, places: IntArray) -> Any:
        """(m, G) the cells at some places (m,) of a batch, dense or CSR."""
        if self.blocks:
            return self.blocks[batch].take(places, axis=0)
        return self.cells.X[self.cells.rows[self.starts[batch] + places]]

    def _precision(self, few: bool) -> type[np.floating[Any]]:
        """Of products with cells: the double one, unless there is little to add to `few` digits."""
        return np.float32 if few and self.cells.X.dtype == np.float32 else np.float64
