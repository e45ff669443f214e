"""Counted cells of a question, measured and answered: what the tasks of cells have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from kobench.api import PerturbedCells, TaskView
from kobench.builtin.tasks.population import nothing_note, predicted_changes
from kobench.builtin.tasks.values import must_be_finite
from kobench.cells import BoolArray
from kobench.errors import InvalidAnswerError
from kobench.question import CountedCells
from kobench.screens.emit import Emitter, no_cells_of
from kobench.screens.measure import Counted


class CountedTruth:
    """The measured cells of a question, and what makes cells of changes.

    Attributes
    ----------
    cells : Counted
        The measured cells.
    emitter : Emitter
        Makes cells of predicted changes, from the control cells that train.
    """

    def __init__(self, question: PerturbedCells) -> None:
        assert question.counted is not None
        self.cells = counted_cells(question.counted, question.targets)
        self.emitter = Emitter(question.cells)


#: The truths of questions that are in memory; each is made once for all who answer.
_truths: WeakKeyDictionary[PerturbedCells, CountedTruth] = WeakKeyDictionary()


def truth_of(question: PerturbedCells) -> CountedTruth:
    """The measured cells of a question."""
    if question not in _truths:
        _truths[question] = CountedTruth(question)
    return _truths[question]


def counted_cells(counted: CountedCells, targets: Sequence[tuple[int, ...]]) -> Counted:
    """The counts of a measured screen, copied."""
    import scipy.sparse

    perturbed, control = (
        scipy.sparse.csr_matrix(counts[rows], dtype=np.float32)
        for counts, rows in (
            (counted.perturbed, counted.rows),
            (counted.wild_type, counted.control),
        )
    )
    return Counted(perturbed, counted.group, control, targets)


def answers_cells(view: TaskView) -> bool:
    """Whether there is an answer that has cells, or that cells can be made of."""
    answers = view.answers
    sized = answers.response is not None and answers.response_kind == "profile-change"
    return answers.cells is not None or sized


def cells_of(view: TaskView, kept: BoolArray) -> Counted:
    """Of each perturbation that is kept as many cells as were measured, from the answers.

    Parameters
    ----------
    view : TaskView
        Its answers have cells, or changes in units of the profile. Of a predictor's own cells the
        first ones are taken, and all where fewer were asked than measured.
    kept : (k,) bool
        The perturbations that the answers cover.

    Raises
    ------
    InvalidAnswerError
        Where given cells are no counts.
    """
    import scipy.sparse

    question = view.asked(PerturbedCells)
    truth, rows = truth_of(question), np.flatnonzero(kept).tolist()
    size = np.bincount(truth.cells.group, minlength=len(kept))
    if view.answers.cells is not None:
        size = np.minimum(size, question.each)
        drawn = [given_cells(view, row, int(size[row])) for row in rows]
    else:
        changes, emitter = predicted_changes(view, kept), truth.emitter
        drawn = [
            emitter.draw(emitter.factors(changes[row], question.targets[row]), int(size[row]), row)
            for row in rows
        ]
    group = np.repeat(np.arange(len(rows)), size[rows])
    targets = [question.targets[row] for row in rows]
    return Counted(scipy.sparse.vstack(drawn, format="csr"), group, truth.cells.control, targets)


def cells_alike(view: TaskView, kept: BoolArray) -> Counted:
    """The answers' cells with nothing that differs but what is predicted.

    There are as many of each perturbation, the median of what was measured, made by the same draws,
    and no gene is left in them that any perturbation removes. So answers that say the same of all
    perturbations have the same cells. Of a predictor's own cells the first ones are taken.

    Parameters
    ----------
    view : TaskView
        As in `cells_of`.
    kept : (k,) bool
        The perturbations that the answers cover.
    """
    import scipy.sparse

    question = view.asked(PerturbedCells)
    truth, rows = truth_of(question), np.flatnonzero(kept).tolist()
    every = removed_of(question)
    n = int(np.median(np.bincount(truth.cells.group, minlength=len(kept))))
    if view.answers.cells is not None:
        n = min(n, question.each)
        drawn = [given_cells(view, row, n) for row in rows]
    else:
        changes, emitter = np.nan_to_num(predicted_changes(view, kept)), truth.emitter
        drawn = [emitter.draw(emitter.factors(changes[row], every), n, 0) for row in rows]
    counts = scipy.sparse.vstack(drawn, format="csr")
    group = np.repeat(np.arange(len(rows)), n)
    return without_removed(Counted(counts, group, truth.cells.control, [every] * len(rows)))


def removed_of(question: PerturbedCells) -> tuple[int, ...]:
    """Columns of the genes that any perturbation of a question removes."""
    return tuple(sorted({gene for targets in question.targets for gene in targets}))


def without_removed(cells: Counted) -> Counted:
    """The same cells, and control cells, without counts of the first perturbation's targets."""
    import scipy.sparse

    left = np.ones(cells.counts.shape[1], np.float32)
    left[list(cells.targets[0])] = 0
    counts, control = (
        scipy.sparse.csr_matrix(each @ scipy.sparse.diags(left))
        for each in (cells.counts, cells.control)
    )
    for each in (counts, control):
        each.eliminate_zeros()
    return Counted(counts, cells.group, control, cells.targets)


def given_cells(view: TaskView, row: int, n: int) -> Any:
    """The first n cells (CSR matrix) that a predictor gave of a perturbation, which must be counts.

    Raises
    ------
    InvalidAnswerError
        Where they are none.
    """
    import scipy.sparse

    assert view.answers.cells is not None
    start = row * view.asked(PerturbedCells).each
    block = np.asarray(view.answers.cells[start : start + n], np.float32)
    must_be_finite(block, "counts of supported perturbations")
    if (block < 0).any() or (block != np.rint(block)).any():
        raise InvalidAnswerError("predicted cells hold what is no count; expected 0, 1, 2, ...")
    return scipy.sparse.csr_matrix(block)


def why_not(question: PerturbedCells) -> str:
    """Why counted cells can't be scored on a question, "" where they can."""
    if not question.names:
        return nothing_note(question)
    if question.confounded:
        return f"confounded: no skill, no rank ({question.confounded})"
    if why := no_cells_of(question.cells, question.scale):
        return why
    if question.counted is None:
        return "the perturbed cells have no counts"
    if len(question.names) < 2:
        return "a single perturbation: nothing to tell it from, no score"
    return ""
