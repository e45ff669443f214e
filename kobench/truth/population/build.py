"""The population question as a trial asks it, and its reference lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

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


def answer_line(line: str, question: Responses, material: Material) -> Answers | None:
    """The true change in every answer row of its perturbation; see `kobench.truth.references`.

    A truth that has noise is no answer to itself.
    """
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
