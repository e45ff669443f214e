"""The profile question: held-out wild-type cells, asked by assemblage alone."""

from __future__ import annotations

from kobench.question import Answers, Profiles, QuestionSet
from kobench.question.sets import ByAssemblage
from kobench.truth.build import Material


def build(row: QuestionSet, material: Material) -> Profiles:
    """The profiles of the asked wild-type cells; see `kobench.truth.build.build`."""
    cells = material.dataset.cells[material.asked]
    return Profiles(cells.assemblages(), cells.profiles(), rows=material.asked)


def answer_line(line: str, question: ByAssemblage, material: Material) -> Answers | None:
    """The truth, and the same cells drawn again; see `kobench.truth.references`."""
    if line == "truth":
        return Answers(profile=question.true)
    if line == "replicate" and material.dataset.replicate is not None:
        return Answers(profile=material.dataset.replicate().cells[question.rows].profiles())
    return None
