"""The task `vcc2026`: counted cells of each perturbation, as the challenge of 2026 scores them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from kobench.api import Responses, ScreenUnits, TaskUnits, TaskView
from kobench.builtin.tasks.population import (
    nothing_note,
    plain,
    predicted_changes,
    supported_perturbations,
    unasked_notes,
)
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.question import CountedCells
from kobench.screens.emit import SCALE, Emitter
from kobench.screens.measure import Counted, Measured, measure
from kobench.screens.members import (
    direction_fidelity,
    discrimination,
    significance_jaccard,
)
from kobench.screens.scale import MEMBERS, Scale


def vcc2026(view: TaskView) -> TaskUnits:
    """Counted cells after each perturbation; a unit is a perturbation.

    Changes of profiles become cells by `screens.emit`. The truth is measured, scaled and kept once
    for all who answer a question.
    """
    question = view.asked(Responses)
    kept = supported_perturbations(view)
    why = _why_not(question)
    found = partial(
        TaskUnits,
        asked=len(kept),
        left_out=question.left_out,
        notes=(*((why,) if why else ()), *unasked_notes(question)),
        unranked=why,
    )
    if why or view.answers.response is None or view.answers.response_kind != "profile-change":
        return found({}, answered=0)
    screen = _prepared(question)
    rows: IntArray = np.flatnonzero(kept)
    if not len(rows):
        return found({}, answered=0)
    predicted = measure(_cells_of(view, kept, screen))
    units = ScreenUnits(
        predicted.table,
        screen.true.table[rows],
        predicted.error,
        screen.true.error[rows],
        rows,
        screen.true.control_error,
        *screen.ends,
    )
    return found(
        {"": units},
        answered=len(rows),
        notes=(*screen.notes, *unasked_notes(question)),
        table=_table(question, rows, units),
    )


class _Screen:
    """The truth of a question: its cells, what they say, the scale, and what makes cells of it."""

    def __init__(self, question: Responses) -> None:
        assert question.counted is not None
        self.cells = counted_cells(question.counted, question.targets)
        self.true: Measured = measure(self.cells)
        self.scale = Scale.of(self.cells, self.true)
        self.emitter = Emitter(question.cells)

    @property
    def usable(self) -> list[str]:
        """The members that have a scale."""
        return [name for name in MEMBERS if self.scale.usable(name)]

    @property
    def ends(self) -> tuple[dict[str, float], dict[str, float]]:
        """What the usable members are at 0 and at 1."""
        both = self.scale.zero, self.scale.one
        zero, one = ({name: end[name] for name in self.usable} for end in both)
        return zero, one

    @property
    def notes(self) -> tuple[str, ...]:
        """The ends of the scale in words."""
        said = [
            f"{name} {self.scale.zero[name]:.4g} and {self.scale.one[name]:.4g}" for name in MEMBERS
        ]
        notes = ["before scaling the mean response and a replicate have: " + ", ".join(said)]
        lost = [name for name in MEMBERS if name not in self.usable]
        if lost:
            notes.append(
                "no scale, as a replicate is no better than the mean response: " + ", ".join(lost)
            )
        return tuple(notes)


#: The truths of questions that are in memory; each is made once for all who answer.
_screens: WeakKeyDictionary[Responses, _Screen] = WeakKeyDictionary()


def _prepared(question: Responses) -> _Screen:
    """The truth of a question."""
    if question not in _screens:
        _screens[question] = _Screen(question)
    return _screens[question]


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


def _cells_of(view: TaskView, kept: BoolArray, screen: _Screen) -> Counted:
    """Of each perturbation that is kept as many cells as were measured, from its change."""
    import scipy.sparse

    question, rows = view.asked(Responses), np.flatnonzero(kept).tolist()
    changes = predicted_changes(view, kept)
    size = np.bincount(screen.cells.group, minlength=len(kept))
    drawn = [
        screen.emitter.draw(
            screen.emitter.factors(changes[row], question.targets[row]), int(size[row]), row
        )
        for row in rows
    ]
    group = np.repeat(np.arange(len(rows)), size[rows])
    targets = [question.targets[row] for row in rows]
    return Counted(scipy.sparse.vstack(drawn, format="csr"), group, screen.cells.control, targets)


def _why_not(question: Responses) -> str:
    """Why a question can't be scored so, "" where it can."""
    if not question.names:
        return nothing_note(question)
    if question.confounded:
        return f"confounded: no skill, no rank ({question.confounded})"
    if question.counted is None or "counts" not in question.cells.layers:
        return "the dataset has no counts; no score of cells (load it with scale=counts)"
    if question.scale != SCALE:
        return f"the working scale is {question.scale}; cells are made in {SCALE} alone"
    if len(question.names) < 2:
        return "a single perturbation: nothing to tell it from, no score"
    return ""


#: What the table says of each perturbation.
_IN_TABLE: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "pds-cosine": discrimination,
    "direction-fidelity": direction_fidelity,
    "significance-jaccard": significance_jaccard,
}


def _table(question: Responses, rows: IntArray, units: ScreenUnits) -> dict[str, Sequence[Any]]:
    """One row a perturbation: cells, and some members before they are scaled."""
    return {
        "perturbation": [question.names[row] for row in rows],
        "cells": [int(question.perturbed[row]) for row in rows],
        **{name: plain(values(units.predicted, units.true)) for name, values in _IN_TABLE.items()},
    }
