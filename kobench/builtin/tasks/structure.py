"""The task `cell-structure`: how genes vary together among the cells of each perturbation."""

from __future__ import annotations

import numpy as np

from kobench.api import PerturbedCells, StructureUnits, TaskUnits, TaskView
from kobench.builtin.tasks.counted import answers_cells, cells_of, truth_of, why_not
from kobench.builtin.tasks.population import supported_perturbations, unasked_notes
from kobench.cells import IntArray
from kobench.screens.pairs import MIN_CELLS, correlations, varying_genes


def cell_structure(view: TaskView) -> TaskUnits:
    """Correlations of pairs of genes among the cells of each perturbation, which is a unit.

    The genes are chosen by the control cells alone. Perturbations with few cells are left out.
    """
    question = view.asked(PerturbedCells)
    kept, why = supported_perturbations(view), why_not(question)
    notes, left_out = unasked_notes(question), question.left_out
    if why:
        return TaskUnits({}, len(kept), 0, left_out, notes=(why, *notes), unranked=why)
    truth = truth_of(question).cells
    enough = np.bincount(truth.group, minlength=len(kept)) >= MIN_CELLS
    if not enough.all():
        few = f"perturbations with under {MIN_CELLS} cells"
        left_out = {**left_out, few: int((~enough).sum())}
    asked, rows, genes = int(enough.sum()), np.flatnonzero(kept & enough), varying_genes(truth)
    said = f"{len(genes)} genes, the most variable in the control cells, and all their pairs"
    if not len(rows) or len(genes) < 3 or not answers_cells(view):
        return TaskUnits({}, asked, 0, left_out, notes=(said, *notes))
    place: IntArray = np.arange(len(rows))
    predicted = correlations(cells_of(view, kept & enough), place, genes)
    units = StructureUnits(predicted, correlations(truth, rows, genes), rows)
    return TaskUnits({"": units}, asked, len(rows), left_out, notes=(said, *notes))
