"""The population question as a trial asks it, and its reference lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kobench.cells import FloatArray
from kobench.question import Answers, QuestionSet, Responses
from kobench.truth.build import Material
from kobench.truth.population.measured import ask_responses
from kobench.truth.population.simulated import ask_simulated_responses


def build(row: QuestionSet, material: Material) -> Responses:
    """The changes of the dataset's perturbations; see `kobench.truth.build.build`.

    Where the split keeps reference cells back, the truth is measured in other cells; else it is
    counterfactual.
    """
    if material.reference is None:
        return ask_simulated_responses(material.dataset, material.asked)
    return ask_responses(material.dataset, material.training, material.reference)


#: Among fewer perturbations the mean true change is mostly that of each of them.
MIN_FOR_DIRECTION = 5


def answer_line(line: str, question: Responses, material: Material) -> Answers | None:
    """What a line answers in every answer row of a perturbation; see `kobench.truth.references`.

    A truth that has noise is no answer to itself.
    """
    if line in ("one-direction", "size-only"):
        return _scaled_direction(line, question)
    change = None
    if line == "true-change":
        change = question.expected
    elif line == "truth" and not question.noisy:
        change = question.change
    if change is None:
        return None
    of_row = question.row_perturbation
    answers = Answers(
        response=np.nan_to_num(change)[of_row], supported=np.ones(question.cells.n_vars, bool)
    )
    if line != "truth" or any(len(targets) > 1 for targets in question.targets):
        return answers
    scores = np.full(question.cells.n_vars, np.nan)
    scores[[targets[0] for targets in question.targets]] = question.size
    return replace(answers, gene_scores=scores)


def _scaled_direction(line: str, question: Responses) -> Answers | None:
    """One direction for all perturbations, in each as long as its true change.

    The lengths are Euclidean, over the genes that are not targets. None where there are too few
    perturbations for a direction that they share, or there is none.
    """
    change = np.nan_to_num(question.change)
    length = np.sqrt((change**2).sum(axis=1))
    direction: FloatArray = change.mean(axis=0) if len(change) else np.zeros(change.shape[1])
    if line == "size-only":
        profile = question.cells.profiles().mean(axis=0, dtype=np.float64)
        direction = profile * np.sign(length @ change @ profile)
    whole = float(np.sqrt((direction**2).sum()))
    if len(change) < MIN_FOR_DIRECTION or whole == 0:
        return None
    answer = np.outer(length, direction / whole)
    return Answers(
        response=answer[question.row_perturbation],
        supported=np.ones(question.cells.n_vars, bool),
    )
