"""The change of the mean profile in a perturbation, and how well two halves of cells agree on it.

Perturbed cells are compared with reference cells of the same batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.datasets.split import halve
from kobench.truth.population.profiles import Population
from kobench.units import MIN_CELLS

#: How often both groups of cells are cut in two.
SPLITS = 20

#: A perturbation is detectable where the two halves' changes correlate by this much on average.
DETECTABLE = 0.2

#: Keeps these halves apart from every other use of random numbers.
_STREAM = 0x4A1F


@dataclass(frozen=True, eq=False)
class Halves:
    """`SPLITS` cuts of n cells into halves, by random keys that depend on the cut's number alone.

    Attributes
    ----------
    keys : (SPLITS, n) float
        One random number in [0, 1) a cell.
    first : (SPLITS,) int
        0 or 1, the half that the first cell of a group goes to.
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
        """(SPLITS, 2, n) bool, the cells of either half; every batch of `batch` (n,) is halved."""
        second = halve(batch, self.keys, self.first)
        return np.stack([~second, second], axis=1)


def matched(
    perturbed: Population, reference: Population, targets: Sequence[int]
) -> tuple[BoolArray, BoolArray]:
    """The cells with which a perturbation is measured.

    Cells in which nothing but targets is on have no profile and are left out. A batch counts where
    at least `MIN_CELLS` reference cells and one perturbed cell are left.

    Returns
    -------
    (n,) bool
        Which of the n perturbed cells.
    (m,) bool
        Which of the m reference cells.
    """
    ours, theirs = perturbed.rest(targets) > 0, reference.rest(targets) > 0
    n_batches = max(perturbed.batch.max(initial=-1), reference.batch.max(initial=-1)) + 1
    enough = np.bincount(reference.batch[theirs], minlength=n_batches) >= MIN_CELLS
    ours &= enough[perturbed.batch]
    shared = np.bincount(perturbed.batch[ours], minlength=n_batches) > 0
    theirs &= (enough & shared)[reference.batch]
    return ours, theirs


def change(perturbed: Population, reference: Population, targets: Sequence[int]) -> FloatArray:
    """(G,) mean profile of the perturbed cells minus that of the reference, without the targets.

    NaN at the targets. The reference's mean is taken in each batch and weighted by the share of the
    perturbed cells that are in the batch. Both groups of cells are as `matched` leaves them.
    """
    everyone = np.ones((1, len(perturbed)), dtype=bool), np.ones((1, len(reference)), dtype=bool)
    one: FloatArray = changes(perturbed, reference, targets, *everyone)[0]
    return one


def halved_changes(
    perturbed: Population,
    reference: Population,
    targets: Sequence[int],
    halves: Halves,
    reference_halves: Halves,
) -> FloatArray:
    """The change measured in each half of both groups of cells, with every batch halved.

    Parameters
    ----------
    perturbed, reference : Population
        Of n and m cells, as `matched` leaves them.
    targets : sequence of int
        Columns of the genes that the perturbation removes.
    halves, reference_halves : Halves
        Of n and m cells.

    Returns
    -------
    (SPLITS, 2, G) float64
        NaN at the targets.
    """
    ours, theirs = halves.of(perturbed.batch), reference_halves.of(reference.batch)
    return changes_in(perturbed, reference, targets, ours, theirs)


def changes_in(
    perturbed: Population,
    reference: Population,
    targets: Sequence[int],
    ours: BoolArray,
    theirs: BoolArray,
) -> FloatArray:
    """The change measured in given halves of both groups of cells; see `halved_changes`.

    `ours` (SPLITS, 2, n) and `theirs` (SPLITS, 2, m) say which cells are in either half.
    """
    flat = changes(
        perturbed,
        reference,
        targets,
        ours.reshape(-1, len(perturbed)),
        theirs.reshape(-1, len(reference)),
    )
    return flat.reshape(SPLITS, 2, -1)


def changes(
    perturbed: Population,
    reference: Population,
    targets: Sequence[int],
    chosen: BoolArray,
    reference_chosen: BoolArray,
) -> FloatArray:
    """The change measured with several choices of cells.

    Every choice has the batch mix of its own perturbed cells, over the batches in which it has
    reference cells.

    Parameters
    ----------
    perturbed, reference : Population
        Of n and m cells.
    targets : sequence of int
        Columns of the genes that the perturbation removes.
    chosen : (c, n) bool
        The perturbed cells of each choice.
    reference_chosen : (c, m) bool
        The reference cells of each choice.

    Returns
    -------
    (c, G) float64
        NaN at the targets.
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
    share = mix / np.maximum(reference_count, 1.0)
    for choice, of_batch in zip(theirs, share, strict=True):  # no second array of this size
        choice *= of_batch[place]
    return perturbed.combine(targets, ours) - reference.combine(targets, theirs)


def agreement(halved: FloatArray) -> float:
    """Mean over splits of Pearson's correlation between the two halves' changes.

    Parameters
    ----------
    halved : (splits, 2, G) float
        Genes with NaN are left out. A split in which a half is constant has no correlation and
        counts 0.
    """
    kept = halved[:, :, ~np.isnan(halved).any(axis=(0, 1))]
    centred = kept - kept.mean(axis=2, keepdims=True) if kept.shape[2] else kept
    spread = np.sqrt((centred**2).sum(axis=2)).prod(axis=1)
    together = centred.prod(axis=1).sum(axis=1)
    return float(np.divide(together, spread, out=np.zeros_like(spread), where=spread > 0).mean())
