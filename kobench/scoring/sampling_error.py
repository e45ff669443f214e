"""How far a score would move if other events had been drawn, where only a sample is asked."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from kobench.question import Answers, Question

#: How often the events are drawn again.
REDRAWS = 20

#: Keeps these draws apart from every other use of a seed.
_STREAM = 0x3E5A3B


def sampling_error(
    score: Callable[[Question, Answers], float],
    question: Question,
    answers: Answers,
    share: float,
    seed: int,
) -> float | None:
    """Standard error of a score by the draw of the events.

    Parameters
    ----------
    score : callable
        What the task and metric make of a question and its answers; NaN for nothing.
    question : Question
        Whose events are a sample.
    answers : Answers
        The answers to it.
    share : float
        The share of all events that was asked, see `Question.asked_share`.
    seed : int
        Seed of the draws.

    Returns
    -------
    float or None
        None where too few draws have a score.

    Notes
    -----
    The standard deviation of the score over `REDRAWS` bootstrap samples of the events, drawn with
    replacement, times sqrt(1 - share): the correction for a sample from a finite number (Cochran,
    Sampling Techniques, 1977, section 2.6).
    """
    rng = np.random.default_rng([_STREAM, seed])
    n = question.n_events
    draws = [np.sort(rng.integers(0, n, n)) for _ in range(REDRAWS)]
    values = np.array([score(*question.take(answers, rows)) for rows in draws])
    values = values[np.isfinite(values)]
    if len(values) < REDRAWS // 2:
        return None
    return float(values.std(ddof=1)) * math.sqrt(1.0 - share)
