"""The task `profile`: profiles of held-out wild-type cells."""

from __future__ import annotations

from kobench.api import Profiles, ProfileUnits, TaskUnits, TaskView
from kobench.builtin.tasks.values import counted, must_be_finite


def profile(view: TaskView) -> TaskUnits:
    """Held-out wild-type profiles; a unit is a cell.

    Cells whose true profile is empty are left out for everybody.
    """
    question, answers = view.asked(Profiles), view.answers
    asked = question.true.sum(axis=1) > 0
    left_out = counted({"cells without expression": int((~asked).sum())})
    if answers.profile is None:
        return TaskUnits({}, int(asked.sum()), 0, left_out)
    units = ProfileUnits(
        predicted=must_be_finite(answers.profile[asked], "profiles of supported genes"),
        true=question.true[asked],
        present=question.assemblages[asked],
        cells=question.rows[asked],
    )
    return TaskUnits({"": units}, len(units.cells), len(units.cells), left_out)
