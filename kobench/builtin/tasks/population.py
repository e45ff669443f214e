"""What the two population tasks share: predicted changes, coverage, notes and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kobench.api import Responses, TaskView
from kobench.builtin.metrics.over_perturbations import NO_CHANGE
from kobench.builtin.tasks.values import must_be_finite
from kobench.cells import BoolArray, FloatArray
from kobench.util.text import by_reason


def supported_perturbations(view: TaskView) -> BoolArray:
    """(k,) bool, the perturbations that these answers cover.

    The predictor can remove all targets of a covered perturbation, and that many genes at once.
    """
    supported, most = view.answers.supported, view.answers.max_order
    return np.array(
        [
            (supported is None or bool(np.all(supported[list(targets)])))
            and (most is None or len(targets) <= most)
            for targets in view.asked(Responses).targets
        ],
        bool,
    )


def predicted_changes(view: TaskView, kept: BoolArray) -> FloatArray:
    """Predicted changes of the mean of every gene.

    Parameters
    ----------
    view : TaskView
        Its answers have a response.
    kept : (k,) bool
        The perturbations that the answers cover.

    Returns
    -------
    (k, G) float64
        NaN at a perturbation's own targets, and throughout the perturbations that are not kept.

    Raises
    ------
    InvalidAnswerError
        Where a change is not finite.
    """
    question, answers = view.asked(Responses), view.answers
    assert answers.response is not None
    predicted = question.of_perturbations(np.asarray(answers.response, np.float64))
    if answers.response_kind == "profile-change":
        predicted = without_rounding(predicted)
    predicted[~kept] = np.nan
    own = np.zeros(predicted.shape, bool)
    for row, targets in enumerate(question.targets):
        own[row, list(targets)] = True
    must_be_finite(predicted[kept[:, None] & ~own], "predicted changes of supported perturbations")
    predicted[own] = np.nan
    return predicted


def without_rounding(changes: FloatArray) -> FloatArray:
    """Changes of shares, any shape, in which what single precision blurs is 0.

    So ties are ties, and nothing is correlated with noise.
    """
    return np.where(np.abs(changes) <= NO_CHANGE, 0.0, changes)


def nothing_note(question: Responses) -> str:
    """A sentence on why there is no score where no perturbation can be asked."""
    why = "; ".join(f"{reason}: {count}" for reason, count in question.left_out.items())
    return f"no perturbation can be asked, so no score and no rank ({why or 'there is none'})"


def unasked_notes(question: Responses) -> tuple[str, ...]:
    """A sentence for each reason why perturbations can't be asked, with their names."""
    return tuple(f"not asked, {said}" for said in by_reason(question.unasked))


def table_of(
    question: Responses, columns: Mapping[str, Sequence[Any]]
) -> dict[str, Sequence[Any]] | None:
    """A table of one row a perturbation, for readers.

    Parameters
    ----------
    question : Responses
        It gives the columns that are the same whatever was answered.
    columns : mapping of str to (k,) sequence
        What these answers say of each perturbation.

    Returns
    -------
    dict of str to (k,) sequence, or None where there is no perturbation
    """
    if not question.names:
        return None
    table: dict[str, Sequence[Any]] = {
        "perturbation": list(question.names),
        "cells": [int(count) for count in question.perturbed],
        "detectable": [bool(yes) for yes in question.detectable],
        "size": plain(question.size),
    }
    if question.size_p is not None:
        table["adjusted p"] = plain(question.size_p)
    if question.responds is not None:
        table["responding genes"] = [int(count) for count in question.responds.sum(axis=1)]
    return {**table, **columns}


def plain(values: FloatArray) -> list[float | None]:
    """Numbers (n,) as JSON has them: None where they are not finite."""
    return [float(value) if np.isfinite(value) else None for value in values]
