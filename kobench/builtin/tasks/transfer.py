"""The task `transfer`: profiles of other cell types or datasets than the trained one."""

from __future__ import annotations

import numpy as np

from kobench.api import ProfileUnits, TaskUnits, TaskView, Transfers, Units
from kobench.builtin.tasks.values import counted, must_be_finite
from kobench.cells import BoolArray


def transfer(view: TaskView) -> TaskUnits:
    """Wild-type profiles of every group of cells; a unit is a cell.

    Variants: "", the cells of all groups but the one that was trained on, and one for each group,
    by its name; that of the trained group is what a model of that group itself scores. Coverage
    counts the cells of "". Cells whose true profile is empty are left out for everybody.
    """
    question = view.asked(Transfers)
    expressed = question.true.sum(axis=1) > 0
    other = expressed & (question.groups != question.trained)
    asked = int(other.sum())
    left_out = counted({"cells without expression": int((~expressed).sum())})
    notes = notes_of(question)
    if view.answers.profile is None:
        return TaskUnits({}, asked, 0, left_out, notes=notes)
    predicted = must_be_finite(view.answers.profile, "profiles' values")

    def units(rows: BoolArray) -> ProfileUnits:
        return ProfileUnits(
            predicted[rows], question.true[rows], question.assemblages[rows], question.rows[rows]
        )

    variants: dict[str, Units] = {"": units(other)}
    for group in np.unique(question.groups).tolist():
        variants[group] = units(expressed & (question.groups == group))
    return TaskUnits(variants, asked, asked, left_out, notes=notes)


def notes_of(question: Transfers) -> tuple[str, ...]:
    """Sentences on how many cells train every model, and which groups were too small."""
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
