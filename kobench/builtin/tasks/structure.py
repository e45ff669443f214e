"""The task `cell-structure`: how genes vary together among the cells of each perturbation."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from weakref import WeakKeyDictionary

import numpy as np

from kobench.api import PerturbedCells, StructureUnits, TaskUnits, TaskView
from kobench.builtin.tasks.counted import (
    answers_cells,
    given_cells,
    removed_of,
    truth_of,
    why_not,
    without_removed,
)
from kobench.builtin.tasks.population import (
    predicted_changes,
    supported_perturbations,
    unasked_notes,
)
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.screens.all_cells import AllCells
from kobench.screens.measure import Counted
from kobench.screens.pairs import MIN_CELLS, correlations, varying_genes


def cell_structure(view: TaskView) -> TaskUnits:
    """Correlations of pairs of genes among the cells of each perturbation, which is a unit.

    The genes are chosen by the control cells alone. Perturbations with few cells are left out.
    Changes are made into cells by `kobench.screens.all_cells`.
    """
    question = view.asked(PerturbedCells)
    kept, why = supported_perturbations(view), why_not(question)
    notes, left_out = unasked_notes(question), question.left_out
    if why:
        return TaskUnits({}, len(kept), 0, left_out, notes=(why, *notes), unranked=why)
    screen = _prepared(question)
    enough, genes = screen.enough, screen.genes
    if not enough.all():
        few = f"perturbations with under {MIN_CELLS} cells"
        left_out = {**left_out, few: int((~enough).sum())}
    asked, rows = int(enough.sum()), np.flatnonzero(kept & enough)
    said = f"{len(genes)} genes, the most variable in the control cells, and all their pairs"
    if not len(rows) or len(genes) < 3 or not answers_cells(view):
        return TaskUnits({}, asked, 0, left_out, notes=(said, *notes))
    units = StructureUnits(
        _answered(view, kept, rows),
        screen.true[rows],
        rows,
        partial(_alike, view, kept, rows),
    )
    return TaskUnits({"": units}, asked, len(rows), left_out, notes=(said, *notes))


def _alike(view: TaskView, kept: BoolArray, rows: IntArray) -> StructureUnits:
    """Units in which nothing differs between perturbations but what is predicted.

    No gene is left that any perturbation removes, and all cells are made by the same draws.
    """
    screen = _prepared(view.asked(PerturbedCells))
    predicted = _answered(view, kept, rows, alike=True)
    return StructureUnits(predicted, screen.without_removed[rows], rows)


def _answered(view: TaskView, kept: BoolArray, rows: IntArray, alike: bool = False) -> FloatArray:
    """(len(rows), pairs) the correlations among the cells that were answered."""
    question = view.asked(PerturbedCells)
    screen, every = _prepared(question), removed_of(question)
    found = np.empty((len(rows), screen.true.shape[1]))
    given, one = view.answers.cells is not None, np.array([0])
    changes = None if given else np.nan_to_num(predicted_changes(view, kept))
    for place, row in enumerate(rows.tolist()):
        if changes is None:
            counts = given_cells(view, row, question.each)
            group = np.zeros(question.each, int)
            cells = Counted(counts, group, counts[:0], [every])
            found[place] = correlations(
                without_removed(cells) if alike else cells, one, screen.genes
            )[0]
        else:
            factors = screen.all_cells.emitter.factors(
                changes[row], every if alike else question.targets[row]
            )
            found[place] = screen.all_cells.correlations(factors, 0 if alike else row)
    return found


class _Structure:
    """How genes vary together in the measured cells of a question."""

    def __init__(self, question: PerturbedCells) -> None:
        truth = truth_of(question)
        self._cells, self._removed = truth.cells, removed_of(question)
        self.genes = varying_genes(truth.cells)
        size = np.bincount(truth.cells.group, minlength=len(question.names))
        self.enough: BoolArray = size >= MIN_CELLS
        self.all_cells = AllCells(truth.emitter, self.genes)

    @cached_property
    def true(self) -> FloatArray:
        """(k, pairs) correlations; of perturbations with few cells nothing is looked at."""
        return self._of(self._cells)

    @cached_property
    def without_removed(self) -> FloatArray:
        """The same without the counts of any gene that a perturbation removes."""
        targets = [self._removed] * self._cells.k
        return self._of(without_removed(replace(self._cells, targets=targets)))

    def _of(self, cells: Counted) -> FloatArray:
        """(k, pairs) correlations among cells; 0 for perturbations with few."""
        rows, g = np.flatnonzero(self.enough), len(self.genes)
        found = np.zeros((len(self.enough), g * (g - 1) // 2))
        found[rows] = correlations(cells, rows, self.genes)
        return found


#: What is measured of questions that are in memory; each once for all who answer.
_structures: WeakKeyDictionary[PerturbedCells, _Structure] = WeakKeyDictionary()


def _prepared(question: PerturbedCells) -> _Structure:
    """What is measured of a question."""
    if question not in _structures:
        _structures[question] = _Structure(question)
    return _structures[question]
