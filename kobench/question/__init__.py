"""What is asked, and how answers must look; only the harness fills in the truth.

The table of question sets is in `sets`.
"""

from kobench.question.answers import Answers
from kobench.question.base import Payload, Question, Shape
from kobench.question.counted import CountedCells
from kobench.question.sets import (
    SETS,
    Multiples,
    PerturbedCells,
    Profiles,
    QuestionSet,
    Responses,
    Singles,
    Transfers,
)
from kobench.question.view import TaskView

__all__ = [
    "SETS",
    "Answers",
    "CountedCells",
    "Multiples",
    "Payload",
    "PerturbedCells",
    "Profiles",
    "Question",
    "QuestionSet",
    "Responses",
    "Shape",
    "Singles",
    "TaskView",
    "Transfers",
]
