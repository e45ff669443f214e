"""The change of the mean profile in a perturbation, matched by batch, and how well two halves of
the cells agree on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.datasets.split import halve
from kobench.truth.population.profiles import Group
from kobench.units import MIN_CELLS

#: How often both groups of cells are cut in two.
SPLITS = 20

#: A perturbation is detectable where the two halves' changes correlate by this much on average.
DETECTABLE = 0.2

#: Keeps these halves apart from every other use of random numbers.
_STREAM = 0x4A1F


@dataclass(frozen=True, eq=False)
class Halves:
    """The second halves of `SPLITS` cuts of n cells by random keys that know nothing but the number
    of the cut.

    keys : (SPLITS, n) in [0, 1), one a cell. first : (SPLITS,) which half a group's first cell goes
    to.
    """

    keys: FloatArray
    first: IntArray

    @classmethod
    def draw(cls, n_cells: int, purpose: int) -> Halves:
        """Keys of n cells; `purpose` keeps two groups of cells apart."""
        streams = [np.random.default_rng([_STREAM, purpose, split]) for split in range(SPLITS)]
        return cls(
            np.array([rng.random(n_cells) for rng in streams]),
            np.array([rng.integers(2) for rng in streams]),
        )

    def __getitem__(self, cells: IntArray | BoolArray) -> Halves:
        return Halves(self.keys[:, cells], self.first)

    def of(self, batch: IntArray) -> BoolArray:
        """(SPLITS, 2, n) bool, the cells of either half, with every batch halved."""
        second = halve(batch, self.keys, self.first)
        return np.stack([~second, second], axis=1)


def matched(
    perturbed: Group, reference: Group, targets: Sequence[int]
) -> tuple[BoolArray, BoolArray]:
    """Which perturbed and which reference cells (n,) bool a perturbation is measured with.

    Cells in which nothing but targets is on have no profile and are left out. A batch counts where
    at least `MIN_CELLS` reference cells and one perturbed cell are left.
    """
    ours, theirs = perturbed.rest(targets) > 0, reference.rest(targets) > 0
    n_batches = max(perturbed.batch.max(initial=-1), reference.batch.max(initial=-1)) + 1
    enough = np.bincount(reference.batch[theirs], minlength=n_batches) >= MIN_CELLS
    ours &= enough[perturbed.batch]
    shared = np.bincount(perturbed.batch[ours], minlength=n_batches) > 0
    theirs &= (enough & shared)[reference.batch]
    return ours, theirs


def change(perturbed: Group, reference: Group, targets: Sequence[int]) -> FloatArray:
    """(G,) mean profile of the perturbed cells minus that of the reference, both without the
    targets; NaN at the targets.

    The reference's mean is taken in each batch and weighted by the share of the perturbed cells
    that are in the batch. Both groups are as `matched` leaves them.
    """
    everyone = np.ones((1, len(perturbed)), dtype=bool), np.ones((1, len(reference)), dtype=bool)
    one: FloatArray = changes(perturbed, reference, targets, *everyone)[0]
    return one


def halved_changes(
    perturbed: Group,
    reference: Group,
    targets: Sequence[int],
    halves: Halves,
    reference_halves: Halves,
) -> FloatArray:
    """(SPLITS, 2, G) the change measured in each half of both groups, every batch halved; NaN at
    the targets.
    """
    ours, theirs = halves.of(perturbed.batch), reference_halves.of(reference.batch)
    flat = changes(
        perturbed,
        reference,
        targets,
        ours.reshape(-1, len(perturbed)),
        theirs.reshape(-1, len(reference)),
    )
    return flat.reshape(SPLITS, 2, -1)


def changes(
    perturbed: Group,
    reference: Group,
    targets: Sequence[int],
    chosen: BoolArray,
    reference_chosen: BoolArray,
) -> FloatArray:
    """(m, G) the change measured with m choices of perturbed cells (m, n) and reference cells (m,
    n'); NaN at the targets.

    Every choice has the batch mix of its own perturbed cells, over the batches in which it has
    reference cells.
    """
    batches = np.unique(perturbed.batch)
    ours = chosen.astype(np.float64)
    theirs = reference_chosen.astype(np.float64)
    count = ours @ (perturbed.batch[:, None] == batches)
    place = np.searchsorted(batches, reference.batch)
    reference_count = theirs @ (reference.batch[:, None] == batches)
    both = np.where(reference_count > 0, count, 0.0)
    ours *= (both > 0)[:, np.searchsorted(batches, perturbed.batch)]
    ours /= np.maximum(ours.sum(axis=1, keepdims=True), 1.0)
    mix = both / np.maximum(both.sum(axis=1, keepdims=True), 1.0)
    theirs *= (mix / np.maximum(reference_count, 1.0))[:, place]
    return perturbed.combine(targets, ours) - reference.combine(targets, theirs)


def agreement(halved: FloatArray) -> float:
    """Mean over the splits of Pearson's correlation between the two halves' changes (splits, 2, G),
    NaN entries left out.

    A split in which a half is constant has no correlation and counts 0.
    """
    kept = halved[:, :, ~np.isnan(halved).any(axis=(0, 1))]
    centred = kept - kept.mean(axis=2, keepdims=True) if kept.shape[2] else kept
    spread = np.sqrt((centred**2).sum(axis=2)).prod(axis=1)
    together = centred.prod(axis=1).sum(axis=1)
    return float(np.divide(together, spread, out=np.zeros_like(spread), where=spread > 0).mean())
