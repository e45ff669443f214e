"""The task `response`: how the mean of every gene changes in each perturbation; and what the two
population tasks have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.api import NotComputed, Responses, ResponseUnits, TaskUnits, TaskView, Units
from kobench.builtin.metrics.response import (
    MIN_TO_CENTRE,
    NO_CHANGE,
    ChosenUnits,
    pearson_delta,
    pearson_delta_centred,
)
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.errors import InvalidAnswerError

#: More names than this are not spelt out in a note.
NAMES_SHOWN = 30


@dataclass(frozen=True)
class Reading:
    """What the truth allows, whatever is answered.

    variants : name of the variant -> which perturbations (k,) it has. primary : see `TaskUnits`.
    notes : why.
    """

    variants: Mapping[str, BoolArray]
    primary: tuple[str, ...] | None
    notes: tuple[str, ...]


def response(view: TaskView) -> TaskUnits:
    """Mean change of every gene in each perturbation; a unit is a perturbation.

    Variants: "" (the detectable perturbations) and "all"; without noise "" has them all. Where a
    score would not be about the removed gene (confounded, a single perturbation), the one variant
    is named after that, so that numbers are shown but nothing is ranked.
    """
    question, answers = view.asked(Responses), view.answers
    kept = supported_perturbations(view)
    reading = read_response(question)
    silent = ~_moving(question)
    left_out = {
        **question.left_out,
        **({"perturbations in which nothing changes": int(silent.sum())} if silent.any() else {}),
    }
    if answers.response is None:
        table = table_of(question, {})
        return TaskUnits({}, len(kept), 0, left_out, reading.primary, reading.notes, table)
    signed = answers.response_kind != "affected"
    predicted, true = predicted_changes(view, kept), _without_rounding(question.change)

    def units(chosen: BoolArray, halves: FloatArray | None) -> ResponseUnits:
        rows: IntArray = np.flatnonzero(chosen & kept)
        responds = None if question.responds is None else question.responds[rows]
        if halves is None or len(rows) == len(kept):
            return ResponseUnits(predicted[rows], true[rows], rows, signed, halves, responds)
        return ChosenUnits(
            predicted[rows], true[rows], rows, signed, halves[:, :, rows], responds, asked=(halves,)
        )

    variants: dict[str, Units] = {
        name: units(chosen, question.halves) for name, chosen in reading.variants.items()
    }
    everything = units(kept, None)
    columns = {
        metric: _by_perturbation(score, everything, len(kept))
        for metric, score in _IN_TABLE.items()
    }
    return TaskUnits(
        variants,
        len(kept),
        int(kept.sum()),
        left_out,
        reading.primary,
        reading.notes,
        table_of(question, columns),
    )


def read_response(question: Responses) -> Reading:
    """Which scores the truth of a population question allows."""
    k, moving = len(question.names), _moving(question)
    everything, detectable = np.ones(k, bool), np.asarray(question.detectable, bool)
    own = ("pearson-delta-centred",)
    notes = _detectable_note(question)
    if question.confounded:
        return Reading(
            {"confounded": everything},
            own,
            (f"confounded: no skill, no rank ({question.confounded})", *notes),
        )
    if k == 0:
        return Reading({"": everything}, own, (nothing_note(question),))
    if k == 1:
        return Reading(
            {"single": everything},
            own,
            ("a single perturbation: nothing to compare it with, no skill, no rank", *notes),
        )
    few = int(moving.sum()) < MIN_TO_CENTRE
    not_specific = f"under {MIN_TO_CENTRE} perturbations: not gene-specific"
    if not question.noisy:
        return (
            Reading({"": everything}, ("pearson-delta",), (not_specific, *notes))
            if few
            else Reading({"": everything}, own, notes)
        )
    variants = {"": detectable, "all": everything}
    if few:
        return Reading(variants, ("pearson-delta[all]",), (not_specific, *notes))
    d = int((detectable & moving).sum())
    if d < MIN_TO_CENTRE:
        return Reading(
            variants,
            ("pearson-delta-centred[all]",),
            (f"only {d} of {k} perturbations are detectable: no score over them", *notes),
        )
    return Reading(variants, None, notes)


def nothing_note(question: Responses) -> str:
    """Why there is no score where no perturbation can be asked."""
    why = "; ".join(f"{reason}: {count}" for reason, count in question.left_out.items())
    return f"no perturbation can be asked, so no score and no rank ({why or 'there is none'})"


def predicted_changes(view: TaskView, kept: BoolArray) -> FloatArray:
    """(k, G) predicted changes of the kept perturbations, NaN at their own targets and in the
    others.
    """
    question, answers = view.asked(Responses), view.answers
    assert answers.response is not None
    predicted = question.of_perturbations(np.asarray(answers.response, np.float64))
    if answers.response_kind == "profile-change":
        predicted = _without_rounding(predicted)
    predicted[~kept] = np.nan
    own = np.zeros(predicted.shape, bool)
    for row, targets in enumerate(question.targets):
        own[row, list(targets)] = True
    must_be_finite(predicted[kept[:, None] & ~own], "predicted changes")
    predicted[own] = np.nan
    return predicted


def _without_rounding(changes: FloatArray) -> FloatArray:
    """Changes of shares; what single precision of profiles blurs is 0, so that ties are ties and
    nothing is correlated with noise.
    """
    return np.where(np.abs(changes) <= NO_CHANGE, 0.0, changes)


def _moving(question: Responses) -> BoolArray:
    """(k,) which perturbations change anything in truth."""
    return np.asarray(np.nanmax(np.abs(question.change), axis=1, initial=0.0) > NO_CHANGE)


def supported_perturbations(view: TaskView) -> BoolArray:
    """(k,) which perturbations these answers cover: no target that the predictor cannot remove, and
    not too many at once.
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


def must_be_finite(values: FloatArray, what: str) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        raise InvalidAnswerError(
            f"{int(bad.sum())} of {bad.size} {what} of supported perturbations are not finite;"
            " expected none"
        )


def _detectable_note(question: Responses) -> tuple[str, ...]:
    """Which perturbations are detectable, where that is a question at all."""
    if not question.noisy:
        return ()
    names = [name for name, yes in zip(question.names, question.detectable, strict=True) if yes]
    listed = f": {', '.join(names)}" if 0 < len(names) <= NAMES_SHOWN else ""
    return (f"detectable: {len(names)} of {len(question.names)} perturbations{listed}",)


_IN_TABLE = {"pearson-delta-centred": pearson_delta_centred, "pearson-delta": pearson_delta}


def _by_perturbation(score: Any, units: ResponseUnits, k: int) -> list[float | None]:
    """(k) one value a perturbation, None where there is none."""
    values = np.full(k, np.nan)
    try:
        parts = score(units)
    except NotComputed:
        return plain(values)
    values[parts.ids] = parts.sums
    return plain(values)


def table_of(
    question: Responses, columns: Mapping[str, Sequence[Any]]
) -> dict[str, Sequence[Any]] | None:
    """What is known of each perturbation, and what these answers say of it; None where there is no
    perturbation.
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
    return [float(value) if np.isfinite(value) else None for value in values]
