"""The transfer task: profiles of another cell type or data set, asked of a model that was trained
on one of them.
"""

from __future__ import annotations

import numpy as np

from kobench.api import ProfileUnits, TaskUnits, TaskView, Transfers, Units
from kobench.cells import BoolArray
from kobench.errors import InvalidAnswerError


def transfer(view: TaskView) -> TaskUnits:
    """Wild-type profiles of every group of cells; a unit is a cell.

    Variants: "", the cells of all groups but the one that was trained on, and one for each group,
    by its name; that of the trained group is what a model of that group itself scores. Coverage
    counts the cells of "". Cells whose true profile is empty are left out for everybody.
    """
    question = view.asked(Transfers)
    expressed = question.true.sum(axis=1) > 0
    other = expressed & (question.groups != question.trained)
    empty = int((~expressed).sum())
    found = TaskUnits(
        variants={},
        asked=int(other.sum()),
        answered=0,
        left_out={"cells without expression": empty} if empty else {},
        notes=notes_of(question),
    )
    predicted = view.answers.profile
    if predicted is None:
        return found
    bad = ~np.isfinite(predicted)
    if bad.any():
        raise InvalidAnswerError(
            f"{int(bad.sum())} of {bad.size} profiles' values are not finite; expected none"
        )

    def units(rows: BoolArray) -> ProfileUnits:
        return ProfileUnits(
            predicted[rows], question.true[rows], question.assemblages[rows], question.rows[rows]
        )

    variants: dict[str, Units] = {"": units(other)}
    for group in np.unique(question.groups).tolist():
        variants[group] = units(expressed & (question.groups == group))
    return TaskUnits(variants, found.asked, found.asked, found.left_out, notes=found.notes)


def notes_of(question: Transfers) -> tuple[str, ...]:
    """With how many cells every model is trained, and which groups were too small."""
    groups = np.unique(question.groups)
    notes = [
        f"each of the {len(groups)} groups trains with {question.training_cells:,} cells, those of"
        " the smallest"
    ]
    if question.left_out:
        named = ", ".join(
            f"{name} ({count:,})" for name, count in sorted(question.left_out.items())
        )
        notes.append(f"groups left out, as they have too few cells: {named}")
    return tuple(notes)
