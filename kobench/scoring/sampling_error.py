"""How far a score would move if other events had been drawn, where only a sample of them is
asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kobench.cells import IntArray
from kobench.question import Answers, Singles

#: How often the events are drawn again.
REDRAWS = 20

#: Keeps these draws apart from every other use of a seed.
_STREAM = 0x3E5A3B


def asked_share(question: Singles, of: str) -> float:
    """The share of all events that a task sees: those drawn, and for tasks on profiles those of
    them whose full rows are compared.
    """
    seen = len(question.sample) if of == "profile" else len(question.events)
    return seen / max(1, question.available or len(question.events))


def sampling_error(
    score: Callable[[Singles, Answers], float],
    question: Singles,
    answers: Answers,
    share: float,
    seed: int,
) -> float | None:
    """Standard error of a score by the draw of the events, None where too few draws have a score.

    score : what the task and metric make of a question and its answers, NaN for nothing. share :
    see `asked_share`. The standard deviation of the score over `REDRAWS` bootstrap samples of the
    events, drawn with replacement, times sqrt(1 - share), the correction for a sample from a finite
    number (Cochran, Sampling Techniques, 1977, section 2.6).
    """
    rng = np.random.default_rng([_STREAM, seed])
    n = len(question.events)
    draws = [np.sort(rng.integers(0, n, n)) for _ in range(REDRAWS)]
    values = np.array(
        [score(taken(question, rows), taken_answers(answers, question, rows)) for rows in draws]
    )
    values = values[np.isfinite(values)]
    return (
        float(values.std(ddof=1)) * math.sqrt(1.0 - share) if len(values) >= REDRAWS // 2 else None
    )


def taken(question: Singles, rows: IntArray) -> Singles:
    """The question with the events at `rows`, which may repeat; full rows of the sampled events go
    with them.
    """
    places, sample = sampled_among(question, rows)
    return replace(
        question,
        events=question.events[rows],
        sample=sample,
        raw=question.raw[rows],
        propagated=question.propagated[rows],
        knockout=question.knockout[places],
        null=question.null[places],
    )


def taken_answers(answers: Answers, question: Singles, rows: IntArray) -> Answers:
    """The answers to `taken(question, rows)`."""
    places, _ = sampled_among(question, rows)
    return replace(
        answers,
        raw=None if answers.raw is None else answers.raw[rows],
        propagated=None if answers.propagated is None else answers.propagated[rows],
        rows=None if answers.rows is None else answers.rows[places],
    )


def sampled_among(question: Singles, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Which full rows belong to the events at `rows`, and where these events stand among `rows`."""
    place = np.full(len(question.events), -1, np.int64)
    place[question.sample] = np.arange(len(question.sample))
    with_row = np.flatnonzero(place[rows] >= 0)
    return place[rows[with_row]], with_row
