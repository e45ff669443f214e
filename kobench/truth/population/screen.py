"""A screen: perturbed cells and wild-type cells, from which every perturbation is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kobench.cells import BoolArray, Cells, FloatArray, IntArray
from kobench.dataset import Dataset
from kobench.errors import UserError
from kobench.truth.population.grams import Grams
from kobench.truth.population.grouped import halved, numbers_of, within_groups
from kobench.truth.population.measure import (
    SPLITS,
    Halves,
    agreement,
    change,
    changes_in,
    halved_changes,
    matched,
)
from kobench.truth.population.presummed import HalvedCells, HalvedReference
from kobench.truth.population.profiles import Population
from kobench.truth.population.rank_sums import Perturbed, responding_all
from kobench.truth.population.size import size
from kobench.units import MIN_CELLS

#: Most bytes that sums over halves of all batches may take; with more, each perturbation is summed
#: by itself.
MOST_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class MeasuredChange:
    """What was measured of one perturbation, against the reference cells.

    Attributes
    ----------
    cells : int
        Number of perturbed cells it was measured with.
    change : (G,) float
        Change of the mean profile, NaN at the targets.
    halves : (SPLITS, 2, G) float
        The change measured in halves of the cells, NaN at the targets.
    agreement : float
        How well such halves correlate when all wild-type cells are the reference.
    size : float
        Energy distance.
    size_p : float
        Its p value, not adjusted.
    """

    cells: int
    change: FloatArray
    halves: FloatArray
    agreement: float
    size: float
    size_p: float


@dataclass(frozen=True, eq=False)
class Screen:
    """Perturbed and wild-type cells of a dataset, with batches numbered alike.

    Attributes
    ----------
    perturbed, wild_type : Population
        All perturbed and all wild-type cells.
    reference : (m,) int
        Rows of the wild-type cells that a truth is measured against.
    everyone : (m',) int
        Rows of the wild-type cells that are trained on or in the reference.
    halves, wild_type_halves : Halves
        Cuts of the perturbed and of the wild-type cells.
    n_batches : int
        How many batches there are.
    groups : pair of (n,) and (m,) int, or None
        The groups that perturbed and wild-type cells belong to (donors), numbered alike.
    """

    perturbed: Population
    wild_type: Population
    reference: IntArray
    everyone: IntArray
    halves: Halves
    wild_type_halves: Halves
    n_batches: int
    groups: tuple[IntArray, ...] | None = None

    @classmethod
    def of(
        cls, dataset: Dataset, perturbed: Cells, training: IntArray, reference: IntArray
    ) -> Screen:
        """The screen of a dataset; UserError where perturbed cells lack the batch column."""
        batch, wild_type_batch = batches(dataset.batch_key, perturbed, dataset.cells)
        return cls(
            perturbed=Population.of(perturbed.X, batch),
            wild_type=Population.of(dataset.cells.X, wild_type_batch).by_genes(),
            reference=np.asarray(reference),
            everyone=np.union1d(training, reference),
            halves=Halves.draw(perturbed.n_obs, purpose=0),
            wild_type_halves=Halves.draw(dataset.cells.n_obs, purpose=1),
            n_batches=int(max(batch.max(initial=-1), wild_type_batch.max(initial=-1))) + 1,
            groups=numbers_of(dataset.group_key, perturbed, dataset.cells),
        )

    @property
    def few_reference(self) -> int:
        """Number of batches that hold perturbed cells and too few reference cells."""
        count = np.bincount(self.wild_type.batch[self.reference], minlength=self.n_batches)
        return int((count[np.unique(self.perturbed.batch)] < MIN_CELLS).sum())

    def count(self, rows: IntArray, targets: Sequence[int]) -> IntArray:
        """(n_batches,) how many of a perturbation's cells (rows) it would be measured with."""
        perturbed = self.perturbed[rows]
        ours, _ = matched(perturbed, self.wild_type[self.reference], targets)
        return np.bincount(perturbed.batch[ours], minlength=self.n_batches)

    def measure(self, rows: IntArray, targets: Sequence[int]) -> MeasuredChange:
        """Measure the perturbation with these perturbed cells (rows) and targets (columns)."""
        ours, theirs = self._matched(rows, targets, self.reference)
        perturbed, reference = self.perturbed[ours], self.wild_type[theirs]
        strength, p = size(perturbed, reference, targets, self.grams)
        if self.groups is not None:
            p = size(self._strata(0, ours), self._strata(1, theirs), targets, self.grams)[1]
        everyone = self._matched(rows, targets, self.everyone)
        halves = HalvedCells.of(perturbed, targets, self.halves[ours])
        same = halves if np.array_equal(ours, everyone[0]) else None
        return MeasuredChange(
            cells=len(ours),
            change=change(perturbed, reference, targets),
            halves=self._halved(ours, theirs, targets, self.halved_reference, halves),
            agreement=agreement(self._halved(*everyone, targets, self.halved_everyone, same)),
            size=strength,
            size_p=p,
        )

    def responding(
        self, perturbations: Sequence[tuple[IntArray, Sequence[int]]]
    ) -> Iterator[BoolArray]:
        """(G,) the genes that differ significantly in each of these perturbations.

        Parameters
        ----------
        perturbations : sequence of ((n,) int, sequence of int)
            Perturbed cells (rows) and targets (columns) of each.
        """
        tested = [
            Perturbed(self._matched(rows, targets, self.reference)[0], targets)
            for rows, targets in perturbations
        ]
        perturbed, reference = self.perturbed, self.wild_type[self.reference]
        if self.groups is not None:
            perturbed = self._strata(0, np.arange(len(perturbed)))
            reference = self._strata(1, self.reference)
        return responding_all(perturbed, reference, tested)

    def _strata(self, kind: int, rows: IntArray) -> Population:
        """Perturbed (0) or wild-type (1) cells, with the groups of each batch apart."""
        assert self.groups is not None
        most = max(int(each.max(initial=0)) for each in self.groups)
        cells = (self.perturbed, self.wild_type)[kind][rows]
        return within_groups(cells, self.groups[kind][rows], most)

    def agreement(self, rows: IntArray, targets: Sequence[int]) -> float:
        """How well halves of these perturbed cells (rows) agree, with `everyone` as reference."""
        everyone = self._matched(rows, targets, self.everyone)
        return agreement(self._halved(*everyone, targets, self.halved_everyone))

    @cached_property
    def halved_reference(self) -> HalvedReference | None:
        """Sums over halves of the reference, see `_sums_over`."""
        return self._sums_over(self.reference)

    @cached_property
    def halved_everyone(self) -> HalvedReference | None:
        """Sums over halves of `everyone`, see `_sums_over`."""
        return self._sums_over(self.everyone)

    @cached_property
    def grams(self) -> Grams:
        """Products of the reference cells with each other."""
        return Grams.of(self.wild_type[self.reference])

    def _sums_over(self, against: IntArray) -> HalvedReference | None:
        """What many perturbations have in common; None where halves are a matter of each of them,
        or where the sums are too large.
        """
        bytes_taken = SPLITS * 2 * self.n_batches * self.wild_type.X.shape[1] * 8
        if self.groups is not None or bytes_taken > MOST_BYTES:
            return None
        cells = self.wild_type[against]
        return HalvedReference.of(cells, self.wild_type_halves[against], self.n_batches)

    def _matched(
        self, rows: IntArray, targets: Sequence[int], against: IntArray
    ) -> tuple[IntArray, IntArray]:
        """Which of the perturbed and of the wild-type rows a measurement takes."""
        ours, theirs = matched(self.perturbed[rows], self.wild_type[against], targets)
        return rows[ours], against[theirs]

    def _halved(
        self,
        ours: IntArray,
        theirs: IntArray,
        targets: Sequence[int],
        reference: HalvedReference | None,
        known: HalvedCells | None = None,
    ) -> FloatArray:
        """(SPLITS, 2, G) changes in halves of these perturbed and wild-type rows.

        `reference` has the sums over the wild-type cells, and `known` are the halves of the
        perturbed ones, where they are there already.
        """
        perturbed, wild_type = self.perturbed[ours], self.wild_type[theirs]
        if self.groups is not None:
            groups = self.groups[0][ours], self.groups[1][theirs]
            halves = halved(groups, (perturbed.batch, wild_type.batch))
            if halves is not None:
                return changes_in(perturbed, wild_type, targets, *halves)
        if reference is not None:
            cells = known or HalvedCells.of(perturbed, targets, self.halves[ours])
            means = reference.means(cells.count(self.n_batches), targets)
            if means is not None:
                return cells.means - means
        return halved_changes(
            perturbed, wild_type, targets, self.halves[ours], self.wild_type_halves[theirs]
        )


def batches(key: str | None, perturbed: Cells, wild_type: Cells) -> tuple[IntArray, IntArray]:
    """Number of the batch of each perturbed and each wild-type cell, (n,) and (m,), from 0.

    All are 0 without a batch column (`key` None). UserError where the perturbed cells lack it.
    """
    if key is None:
        return np.zeros(perturbed.n_obs, np.int64), np.zeros(wild_type.n_obs, np.int64)
    if key not in perturbed.obs:
        known = ", ".join(sorted(perturbed.obs)) or "none"
        raise UserError(
            f"the perturbed cells have no batch column {key!r}, only {known}; give them the"
            " wild-type cells' batch column"
        )
    labels = [np.asarray(cells.obs[key], dtype=np.str_) for cells in (perturbed, wild_type)]
    number = np.unique(np.concatenate(labels), return_inverse=True)[1].ravel()
    return number[: perturbed.n_obs], number[perturbed.n_obs :]
