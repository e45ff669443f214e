"""The task `response`: how the mean of every gene changes in each perturbation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from kobench.api import NotComputed, Parts, Responses, ResponseUnits, TaskUnits, TaskView, Units
from kobench.builtin.metrics.delta import ChosenUnits
from kobench.builtin.metrics.over_perturbations import (
    MIN_RESPONDING,
    MIN_TO_CENTRE,
    NO_CHANGE,
    many_respond,
)
from kobench.builtin.metrics.response import (
    pearson_delta,
    pearson_delta_centred,
    pearson_delta_centred_unit,
)
from kobench.builtin.tasks.population import (
    nothing_note,
    plain,
    predicted_changes,
    supported_perturbations,
    table_of,
    unasked_notes,
    without_rounding,
)
from kobench.builtin.tasks.values import counted
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.util.room import room_for

#: More names than this are not spelt out in a note.
NAMES_SHOWN = 30

#: Metrics whose value for each perturbation is shown in the table.
_IN_TABLE: dict[str, Callable[[ResponseUnits], Parts]] = {
    "pearson-delta-centred": pearson_delta_centred,
    "pearson-delta-centred-unit": pearson_delta_centred_unit,
    "pearson-delta": pearson_delta,
}


#: The one primary metric where the other has no value.
_CENTRED = ("pearson-delta-centred",)


@dataclass(frozen=True)
class Reading:
    """What the truth allows, whatever is answered.

    Attributes
    ----------
    variants : mapping of str to (k,) bool
        The perturbations of each variant.
    primary : tuple of str, or None
        The metrics that rank, see `TaskUnits`.
    notes : tuple of str
        Why it is so.
    unranked : str
        Why nobody is ranked, "" where somebody can be.
    """

    variants: Mapping[str, BoolArray]
    primary: tuple[str, ...] | None
    notes: tuple[str, ...]
    unranked: str = ""


def response(view: TaskView) -> TaskUnits:
    """Mean change of every gene in each perturbation; a unit is a perturbation.

    Variants: "" (the detectable perturbations) and "all"; without noise "" has them all. Where a
    score would not be about the removed gene (confounded, a single perturbation), the one variant
    is named after that, so that numbers are shown but nothing is ranked.
    """
    question, answers = view.asked(Responses), view.answers
    kept = supported_perturbations(view)
    reading = read_response(question)
    silent = int((~_moving(question)).sum())
    left_out = {
        **question.left_out,
        **counted({"perturbations in which nothing changes": silent}),
    }
    found = partial(
        TaskUnits,
        asked=len(kept),
        left_out=left_out,
        primary=reading.primary,
        notes=(*reading.notes, *unasked_notes(question)),
        unranked=reading.unranked,
    )
    if answers.response is None:
        return found({}, answered=0, table=table_of(question, {}))
    signed = answers.response_kind != "affected"
    predicted, true = predicted_changes(view, kept), without_rounding(question.change)

    def units(chosen: BoolArray, halves: FloatArray | None) -> ResponseUnits:
        rows: IntArray = np.flatnonzero(chosen & kept)
        responds = None if question.responds is None else question.responds[rows]
        if halves is None or len(rows) == len(kept):
            return ResponseUnits(predicted[rows], true[rows], rows, signed, halves, responds)
        mine = room_for((*halves.shape[:2], len(rows), halves.shape[3]))
        for split, whole in zip(mine, halves, strict=True):
            split[:] = whole[:, rows]
        return ChosenUnits(
            predicted[rows], true[rows], rows, signed, mine, responds, asked=(halves,)
        )

    variants: dict[str, Units] = {
        name: units(chosen, question.halves) for name, chosen in reading.variants.items()
    }
    everything = units(kept, None)
    columns = {
        metric: _by_perturbation(score, everything, len(kept))
        for metric, score in _IN_TABLE.items()
    }
    return found(variants, answered=int(kept.sum()), table=table_of(question, columns))


def read_response(question: Responses) -> Reading:
    """Which scores the truth of a population question allows."""
    k, moving = len(question.names), _moving(question)
    everything, detectable = np.ones(k, bool), np.asarray(question.detectable, bool)
    notes = _detectable_note(question)
    if question.confounded:
        why = f"confounded: no skill, no rank ({question.confounded})"
        return Reading({"confounded": everything}, _CENTRED, (why, *notes), why)
    if k == 0:
        why = nothing_note(question)
        return Reading({"": everything}, _CENTRED, (why,), why)
    if k == 1:
        why = "a single perturbation: nothing to compare it with, no skill, no rank"
        return Reading({"single": everything}, _CENTRED, (why, *notes), why)
    few = int(moving.sum()) < MIN_TO_CENTRE
    not_specific = f"under {MIN_TO_CENTRE} perturbations: not gene-specific"
    variants = {"": everything}
    if question.noisy:
        variants = {"": detectable, "all": everything}
    if few:
        stands_in = "pearson-delta[all]" if question.noisy else "pearson-delta"
        return Reading(variants, (stands_in,), (not_specific, *notes))
    d = int((detectable & moving).sum())
    if question.noisy and d < MIN_TO_CENTRE:
        why = f"only {d} of {k} perturbations are detectable: no score over them"
        return Reading(variants, ("pearson-delta-centred[all]",), (why, *notes))
    scaled = int((many_respond(question.change, question.responds) & variants[""]).sum())
    said = _scaled_note(scaled, int(variants[""].sum()), question.noisy)
    return Reading(variants, None if scaled >= MIN_TO_CENTRE else _CENTRED, (*notes, said))


def _scaled_note(scaled: int, scored: int, noisy: bool) -> str:
    """A sentence on how many perturbations of those scored the metric of unit lengths is over."""
    kind = "detectable " if noisy else ""
    among = f"{MIN_RESPONDING} genes or more respond in {scaled} of {scored} {kind}perturbations"
    if scaled >= MIN_TO_CENTRE:
        return f"{among}: pearson-delta-centred-unit is over these"
    return (
        f"{among}, too few for pearson-delta-centred-unit, so one primary metric alone: a single"
        " strong perturbation can earn much of it"
    )


def _moving(question: Responses) -> BoolArray:
    """(k,) which perturbations change anything in truth."""
    return np.asarray(np.nanmax(np.abs(question.change), axis=1, initial=0.0) > NO_CHANGE)


def _detectable_note(question: Responses) -> tuple[str, ...]:
    """A sentence on which perturbations are detectable; none where the truth has no noise."""
    if not question.noisy:
        return ()
    names = [name for name, yes in zip(question.names, question.detectable, strict=True) if yes]
    listed = f": {', '.join(names)}" if 0 < len(names) <= NAMES_SHOWN else ""
    return (f"detectable: {len(names)} of {len(question.names)} perturbations{listed}",)


def _by_perturbation(
    score: Callable[[ResponseUnits], Parts], units: ResponseUnits, k: int
) -> list[float | None]:
    """(k,) one value a perturbation, None where there is none."""
    values = np.full(k, np.nan)
    try:
        parts = score(units)
    except NotComputed:
        return plain(values)
    values[parts.ids] = parts.sums
    return plain(values)
