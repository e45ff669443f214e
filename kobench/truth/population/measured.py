"""The population question with a truth measured in other cells: those in which the genes were
knocked out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kobench.cells import BoolArray, Cells, FloatArray, IntArray
from kobench.dataset import Dataset
from kobench.errors import UserError
from kobench.question import Responses
from kobench.truth.population.events import Events, abundance, events_of, joined, nothing_asked
from kobench.truth.population.labels import perturbations
from kobench.truth.population.measure import (
    DETECTABLE,
    SPLITS,
    Halves,
    agreement,
    change,
    halved_changes,
    matched,
)
from kobench.truth.population.profiles import Group
from kobench.truth.population.significance import adjusted, responding
from kobench.truth.population.simulated import expected_changes
from kobench.truth.population.size import size
from kobench.units import MIN_CELLS

#: A perturbation with fewer perturbed cells than this is not asked.
MIN_PERTURBED = 20


def ask_responses(dataset: Dataset, training: IntArray, reference: IntArray) -> Responses:
    """How the mean profile changes in each perturbation of `dataset.perturbed`, asked in the
    training cells.

    training, reference : rows of the wild-type cells, no row in both (`data.split` by "halves").
    Predictors learn from the training cells and are asked in them; the truth compares perturbed
    cells with the reference cells of the same batches, which predictors never see. Of each
    perturbation the perturbed cells count that lie in a batch with `MIN_CELLS` reference cells or
    more (`measure.matched`). Asked are the training cells that express all its targets and another
    gene and lie in one of these batches; an answer row is one batch, weighted by its share of the
    perturbed cells, over the batches in which a cell is asked. Without a batch column all cells are
    one batch. Perturbations come in alphabetical order.

    `halves` cuts the same cells in two that the truth is measured with; `detectable` cuts all
    wild-type cells in the reference's place, so that it does not depend on how they were split.
    `size_p` is adjusted over the perturbations by Benjamini and Hochberg. `expected` is given where
    the dataset has a counterfactual truth too.

    Where no perturbation is left the question has none (k = 0), and `left_out` says why.
    Raises UserError where the dataset has no perturbed cells, and where they lack the batch column.
    """
    if dataset.perturbed is None:
        raise UserError(
            "this dataset has no perturbed cells, so changes of a population can't be scored; use"
            " `kobench predict` to ask"
        )
    if len(np.intersect1d(training, reference)):
        raise ValueError(
            "a wild-type cell is both trained on and in the reference; give two halves without a"
            " common cell"
        )
    labels = np.asarray(dataset.perturbed.obs["perturbation"], dtype=np.str_)
    targets, number, left_out = perturbations(labels, dataset.cells.var_names)
    populations = Populations(dataset, dataset.perturbed, training, reference)
    asked = Group.of(dataset.cells.X[training], populations.wild_type.batch[training])

    found: dict[str, tuple[Measured, Events]] = {}
    few_perturbed: dict[str, int] = {}
    few_asked: dict[str, int] = {}
    for place, (name, genes) in enumerate(targets.items()):
        rows = np.flatnonzero(number == place)
        per_batch = populations.count(rows, genes)
        if (
            per_batch.sum() < MIN_PERTURBED or per_batch.max() < 2
        ):  # one cell a batch has no spread to measure a size by
            few_perturbed[name] = int(per_batch.sum())
            continue
        events = events_of(asked, genes, per_batch)
        if len(events.cells) < MIN_CELLS:
            few_asked[name] = len(events.cells)
            continue
        found[name] = populations.measure(rows, genes), events
    # names stay out of a reason that is to be added up over networks, and are said where they are
    # all there is to say
    named = examples if not found else lambda few: ""
    counts = {
        **left_out,
        f"perturbations with under {MIN_PERTURBED} perturbed cells{named(few_perturbed)}": len(
            few_perturbed
        ),
        f"perturbations whose targets are expressed together in under {MIN_CELLS} asked cells{named(few_asked)}": len(
            few_asked
        ),
        f"batches with under {MIN_CELLS} reference cells": populations.few_reference,
    }
    counts = {reason: count for reason, count in counts.items() if count}
    if not found:
        return replace(
            nothing_asked(dataset, training, counts),
            halves=np.zeros((SPLITS, 2, 0, dataset.cells.n_vars)),
        )

    measured, events_found = zip(*found.values(), strict=True)
    asked_of = [targets[name] for name in found]
    return Responses(
        cells=dataset.cells[training],
        names=tuple(found),
        targets=tuple(asked_of),
        **joined(events_found, asked_of),
        change=np.array([one.change for one in measured]),
        size=np.array([one.size for one in measured]),
        abundance=abundance(asked, asked_of),
        detectable=np.array([one.agreement >= DETECTABLE for one in measured]),
        perturbed=np.array([one.cells for one in measured]),
        halves=np.stack([one.halves for one in measured], axis=2),
        responds=np.array([one.responds for one in measured]),
        size_p=adjusted(np.array([one.size_p for one in measured])),
        expected=None if dataset.truth is None else expected_changes(dataset, asked_of),
        confounded=dataset.confounded,
        left_out=counts,
    )


def examples(few: Mapping[str, int], most: int = 3) -> str:
    """The first names with their numbers of cells, for a reason.

    >>> examples({"Nkx2-1": 9})
    ': Nkx2-1 in 9'
    """
    shown = [f"{name} in {count}" for name, count in [*few.items()][:most]]
    return f": {', '.join(shown)}{', ...' if len(few) > most else ''}" if shown else ""


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of one perturbation; `agreement` is that of halves with all wild-type
    cells, the rest is with the reference.
    """

    cells: int
    change: FloatArray
    halves: FloatArray
    agreement: float
    responds: BoolArray
    size: float
    size_p: float


class Populations:
    """Perturbed and wild-type cells of a dataset, from which every perturbation is measured."""

    def __init__(
        self, dataset: Dataset, perturbed: Cells, training: IntArray, reference: IntArray
    ) -> None:
        batch, wild_type_batch = batches(dataset.batch_key, perturbed, dataset.cells)
        self.perturbed = Group.of(perturbed.X, batch)
        self.wild_type = Group.of(dataset.cells.X, wild_type_batch)
        self.everyone, self.reference_rows = np.union1d(training, reference), np.asarray(reference)
        self.reference = self.wild_type[self.reference_rows]
        self.halves = Halves.draw(len(self.perturbed), purpose=0)
        self.wild_type_halves = Halves.draw(len(self.wild_type), purpose=1)
        self.n_batches = int(max(batch.max(initial=-1), wild_type_batch.max(initial=-1))) + 1

    @property
    def few_reference(self) -> int:
        """Batches that hold perturbed cells and too few reference cells."""
        reference = np.bincount(self.reference.batch, minlength=self.n_batches)
        return int((reference[np.unique(self.perturbed.batch)] < MIN_CELLS).sum())

    def count(self, rows: IntArray, targets: Sequence[int]) -> IntArray:
        """(n_batches,) how many of a perturbation's cells (rows) the truth is measured with."""
        perturbed = self.perturbed[rows]
        ours, _ = matched(perturbed, self.reference, targets)
        return np.bincount(perturbed.batch[ours], minlength=self.n_batches)

    def measure(self, rows: IntArray, targets: Sequence[int]) -> Measured:
        """The truth of the perturbation with these cells and targets."""
        halves, cells, perturbed, reference = self._halved(rows, targets, self.reference_rows)
        strength, p = size(perturbed, reference, targets)
        return Measured(
            cells=cells,
            change=change(perturbed, reference, targets),
            halves=halves,
            agreement=agreement(self._halved(rows, targets, self.everyone)[0]),
            responds=responding(perturbed, reference, targets),
            size=strength,
            size_p=p,
        )

    def _halved(
        self, rows: IntArray, targets: Sequence[int], against: IntArray
    ) -> tuple[FloatArray, int, Group, Group]:
        """Changes in halves, measured against some wild-type cells; the number of perturbed cells;
        and both groups of cells.
        """
        perturbed, reference = self.perturbed[rows], self.wild_type[against]
        ours, theirs = matched(perturbed, reference, targets)
        rows, against, perturbed, reference = (
            rows[ours],
            against[theirs],
            perturbed[ours],
            reference[theirs],
        )
        halved = halved_changes(
            perturbed, reference, targets, self.halves[rows], self.wild_type_halves[against]
        )
        return halved, len(rows), perturbed, reference


def batches(key: str | None, perturbed: Cells, wild_type: Cells) -> tuple[IntArray, IntArray]:
    """The number of the batch of every perturbed and every wild-type cell, from 0; all 0 without a
    batch column.
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
