"""What a task is shown: a question with its truth, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from kobench.question.answers import Answers
from kobench.question.base import Question

Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True, eq=False)
class TaskView:
    """What a task turns into units: the question with its truth, and one set of answers."""

    question: Question
    answers: Answers

    def asked(self, record: type[Q]) -> Q:
        """The question, as the record that the task is made for.

        Parameters
        ----------
        record : type
            The record of the question set that the task asks, such as `Singles`.

        Raises
        ------
        TypeError
            Where the task was given another question.
        """
        if not isinstance(self.question, record):
            raise TypeError(f"this task needs {record.called}, not {type(self.question).__name__}")
        return self.question
