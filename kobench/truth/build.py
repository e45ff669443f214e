"""From a dataset and its split to any question of the table, with its truth."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import IntArray
from kobench.dataset import Counterfactual, Dataset
from kobench.question import SETS, Answers, Question

#: Full rows of all events are compared up to this many numbers, else those of a sample of events
#: (in float32: 32 MB).
ROW_LIMIT = 8_000_000


@dataclass(frozen=True, eq=False)
class Material:
    """What a truth is made of: a dataset, the rows of its split, and how much is asked.

    Attributes
    ----------
    dataset : Dataset
        The dataset with its truth.
    training : (t,) int
        Rows of the cells that predictors learn from.
    asked : (m,) int
        Rows of the cells that are asked.
    reference : (r,) int or None
        Rows that a truth measured in other cells is compared with; no predictor sees them. None
        where the split keeps none back.
    labels : (n_cells,) str or None
        The group of each cell, where models of one group are asked about all.
    group : str
        The group that is trained on; "" where there are none.
    split_seed : int
        Seed of the split.
    row_limit : int
        See `ROW_LIMIT`.
    events : int or None
        The most single knockouts that are asked, drawn at random; None for all.
    questions_seed : int or None
        A secret seed by which questions are drawn; None for the same draw in every run.
    """

    dataset: Dataset
    training: IntArray
    asked: IntArray
    reference: IntArray | None = None
    labels: npt.NDArray[np.str_] | None = None
    group: str = ""
    split_seed: int = 0
    row_limit: int = ROW_LIMIT
    events: int | None = None
    questions_seed: int | None = None

    def replicated_truth(self) -> Counterfactual | None:
        """The counterfactual truth of another draw of the same cells; None where there is none."""
        return None if self.dataset.replicate is None else self.dataset.replicate().truth


def build(name: str, material: Material) -> Question:
    """The question set `name` of this material, with its truth.

    Parameters
    ----------
    name : str
        A name in `kobench.question.SETS`. The module that its row names is imported and its
        function `build(row, material)` is called.
    material : Material
        The dataset, its split, and how much is asked.

    Raises
    ------
    UserError
        Where the dataset has not the truth that the question needs.
    """
    question: Question = _module(name).build(SETS[name], material)
    return question


def answer_line(name: str, line: str, question: Question, material: Material) -> Answers | None:
    """What the reference line `line` answers to a question; None where it has no answer.

    Parameters
    ----------
    name : str
        The question set. Its module may have a function `answer_line(line, question, material)`;
        without it the set has no lines.
    line : str
        One of `kobench.truth.references.LINES`.
    question : Question
        What `build` made.
    material : Material
        What it was made of.
    """
    answer = getattr(_module(name), "answer_line", None)
    answers: Answers | None = None if answer is None else answer(line, question, material)
    return answers


def _module(name: str) -> Any:
    return import_module(SETS[name].truth)
