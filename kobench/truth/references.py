"""Reference lines: answers that the dataset itself gives, to show the scale of the scores."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kobench.question import Answers, Question
from kobench.truth.build import Material, answer_line
from kobench.util.files import file_hash, hash_of

#: The reference lines and what each answers. A question set offers those that it can.
LINES = {
    "truth": "the question's own truth, where that has no noise",
    "true-change": "the change without noise, where the truth has noise and the dataset knows it",
    "replicate": "the same cells drawn again with new noise",
    "gene-oracle": "for every event the true mean impact of its gene, the same for all cells",
    "one-direction": (
        "for every perturbation the mean true change of all, as long as the true change of its own"
    ),
    "size-only": (
        "for every perturbation the mean wild-type profile, up or down alike for all, as long as"
        " the true change of its own"
    ),
}


def line_answers(line: str, name: str, question: Question, material: Material) -> Answers | None:
    """What a reference line answers to a question.

    Parameters
    ----------
    line : str
        A name in `LINES`.
    name : str
        The question set, a name in `kobench.question.SETS`.
    question : Question
        What `kobench.truth.build.build` made.
    material : Material
        What it was made of.

    Returns
    -------
    Answers or None
        None where the dataset or the question set offers no such line.

    Raises
    ------
    ValueError
        For an unknown line.
    """
    if line not in LINES:
        raise ValueError(f"unknown line {line!r}; known lines are {', '.join(LINES)}")
    return answer_line(name, line, question, material)


@cache
def code_hash() -> str:
    """A hash of the code that answers lines: the modules of `kobench.truth`."""
    folder = Path(__file__).parent
    files = sorted(folder.rglob("*.py"))
    return hash_of({path.relative_to(folder).as_posix(): file_hash(path) for path in files})
