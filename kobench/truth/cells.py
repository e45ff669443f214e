"""The question of counted cells: the population question, and how many cells are asked."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from kobench.question import PerturbedCells, QuestionSet
from kobench.truth.build import Material
from kobench.truth.population.build import build as build_responses

#: The most cells of a perturbation that are asked.
MOST_CELLS = 256

#: The most numbers in all cells that are asked (800 MB in float32).
MOST_NUMBERS = 200_000_000


def build(row: QuestionSet, material: Material) -> PerturbedCells:
    """The changes of the dataset's perturbations; see `kobench.truth.build.build`.

    As many cells of each are asked as the largest has, up to `MOST_CELLS`: one number for all, so
    that nobody is told how many cells a perturbation has left alive.
    """
    asked = build_responses(row, material)
    most = int(np.max(asked.perturbed, initial=0))
    room = MOST_NUMBERS // max(1, len(asked.names) * asked.cells.n_vars)
    each = max(1, min(most, MOST_CELLS, room)) if asked.names else 0
    known = {field.name: getattr(asked, field.name) for field in fields(asked)}
    return PerturbedCells(**known, each=each)
