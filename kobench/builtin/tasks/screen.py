"""The task `vcc2026`: counted cells of each perturbation, as the challenge of 2026 scores them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from kobench.api import PerturbedCells, ScreenUnits, TaskUnits, TaskView
from kobench.builtin.tasks.counted import (
    answers_cells,
    cells_alike,
    cells_of,
    removed_of,
    truth_of,
    why_not,
    without_removed,
)
from kobench.builtin.tasks.population import (
    plain,
    supported_perturbations,
    unasked_notes,
)
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.screens.measure import Measured, measure
from kobench.screens.members import (
    direction_fidelity,
    discrimination,
    significance_jaccard,
)
from kobench.screens.scale import MEMBERS, Scale


def vcc2026(view: TaskView) -> TaskUnits:
    """Counted cells after each perturbation; a unit is a perturbation.

    Changes of profiles become cells by `kobench.screens.emit`. The truth is measured, scaled and
    kept once for all who answer a question.
    """
    question = view.asked(PerturbedCells)
    kept = supported_perturbations(view)
    why = why_not(question)
    found = partial(
        TaskUnits,
        asked=len(kept),
        left_out=question.left_out,
        notes=(*((why,) if why else ()), *unasked_notes(question)),
        unranked=why,
    )
    rows: IntArray = np.flatnonzero(kept)
    if why or not len(rows) or not answers_cells(view):
        return found({}, answered=0)
    screen, predicted = _prepared(question), measure(cells_of(view, kept))
    units = ScreenUnits(
        predicted.table,
        screen.true.table[rows],
        predicted.error,
        screen.true.error[rows],
        rows,
        screen.true.control_error,
        *screen.ends,
        partial(_alike, view, kept),
    )
    return found(
        {"": units},
        answered=len(rows),
        notes=(*screen.notes, *unasked_notes(question)),
        table=_table(question, rows, units),
    )


def _alike(view: TaskView, kept: BoolArray) -> ScreenUnits:
    """Units in which nothing differs between perturbations but what is predicted."""
    question = view.asked(PerturbedCells)
    rows, true = np.flatnonzero(kept), _prepared(question).without_removed
    predicted = measure(cells_alike(view, kept))
    return ScreenUnits(
        predicted.table,
        true.table[rows],
        predicted.error,
        true.error[rows],
        rows,
        true.control_error,
    )


class _Screen:
    """What the measured cells of a question say, and the scale."""

    def __init__(self, question: PerturbedCells) -> None:
        cells = truth_of(question).cells
        self.true: Measured = measure(cells)
        self.scale = Scale.of(cells, self.true)
        self._cells, self._removed = cells, removed_of(question)

    @cached_property
    def without_removed(self) -> Measured:
        """What the cells say without the genes that any perturbation removes."""
        cells = self._cells
        targets = [self._removed] * cells.k
        return measure(without_removed(replace(cells, targets=targets)))

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


#: The same of all questions that are in memory; each is made once for all who answer.
_screens: WeakKeyDictionary[PerturbedCells, _Screen] = WeakKeyDictionary()


def _prepared(question: PerturbedCells) -> _Screen:
    """What the measured cells of a question say."""
    if question not in _screens:
        _screens[question] = _Screen(question)
    return _screens[question]


#: What the table says of each perturbation.
_IN_TABLE: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "pds-cosine": discrimination,
    "direction-fidelity": direction_fidelity,
    "significance-jaccard": significance_jaccard,
}


def _table(
    question: PerturbedCells, rows: IntArray, units: ScreenUnits
) -> dict[str, Sequence[Any]]:
    """One row a perturbation: cells, and some members before they are scaled."""
    return {
        "perturbation": [question.names[row] for row in rows],
        "cells": [int(question.perturbed[row]) for row in rows],
        **{name: plain(values(units.predicted, units.true)) for name, values in _IN_TABLE.items()},
    }
