"""The tasks of several knockouts at once: how far each event is from what its single knockouts add
up to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kobench.api import InteractionUnits, Multiples, TaskUnits, TaskView, Units
from kobench.builtin.metrics.interaction import INTERACTS
from kobench.builtin.tasks.singles import DIGITS
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.errors import InvalidAnswerError
from kobench.units import TOLERANCE


def multiple_knockout(view: TaskView) -> TaskUnits:
    """Interaction of every event; variants "" (all), "linked" and "random". A unit is an event.

    Linked and random sets are ranked apart, because few random sets interact; where the network has
    no links, or links everything, the primary metric is that of the half there is. Events with a
    gene that is not supported, or more genes than the predictor can remove at once, are left out
    and count as not answered.
    """
    question, answers = view.asked(Multiples), view.answers
    assert question.events.cells is not None
    genes, order = question.events.genes, question.events.order
    covered: BoolArray = np.ones(len(genes), bool)
    if answers.supported is not None:
        covered &= np.asarray(answers.supported, bool)[genes].all(axis=1)
    if answers.max_order is not None and answers.max_order < order:
        covered[:] = False
    kept: IntArray = np.flatnonzero(covered)
    halves = {"linked": question.linked, "random": ~question.linked}
    asked_halves = [name for name, inside in halves.items() if inside.any()]
    variants: dict[str, Units] = {}
    table: dict[str, Any] | None = None
    if answers.interaction is not None:
        predicted = np.asarray(answers.interaction, np.float64)[kept]
        if not np.isfinite(predicted).all():
            raise InvalidAnswerError(
                f"{int((~np.isfinite(predicted)).sum())} of {predicted.size} interactions of"
                " supported genes are not finite; expected none"
            )
        units = InteractionUnits(
            _clipped(predicted),
            _clipped(question.interaction[kept]),
            question.events.cells[kept].astype(np.int64),
            question.pairs[kept],
        )
        variants[""] = units
        variants.update({name: _part(units, halves[name][kept]) for name in asked_halves})
        table = _table(question, kept, units)
    return TaskUnits(
        variants,
        asked=len(genes),
        answered=len(kept) if variants else 0,
        left_out={"events without a steady state": question.unsolved} if question.unsolved else {},
        primary=(
            None
            if len(asked_halves) == len(halves)
            else tuple(f"auprc[{name}]" for name in asked_halves) or ("auprc",)
        ),
        notes=tuple(_prevalence(name, question, halves[name]) for name in asked_halves),
        table=table,
    )


def _clipped(interactions: FloatArray) -> FloatArray:
    """Ties are ties: below the tolerance is 0, and the last digits, which are rounding noise, rank
    nothing.
    """
    return np.where(interactions < TOLERANCE, 0.0, np.round(interactions, DIGITS))


def _part(units: InteractionUnits, inside: BoolArray) -> InteractionUnits:
    return InteractionUnits(
        units.predicted[inside], units.true[inside], units.cells[inside], units.pairs[inside]
    )


def _prevalence(name: str, question: Multiples, inside: BoolArray) -> str:
    true = question.interaction[inside]
    return (
        f"{name.capitalize()} sets of {question.events.order} genes:"
        f" {float((true > INTERACTS).mean()):.1%} of {len(true):,} events in"
        f" {len(np.unique(question.pairs[inside])):,} sets interact (interaction over"
        f" {INTERACTS:g}), which is the auprc of chance."
    )


def _table(question: Multiples, kept: IntArray, units: InteractionUnits) -> dict[str, Any]:
    """One row a set of genes, strongest first: its names, how it was drawn, events, mean true and
    predicted interaction.
    """
    ids, first, place, events = np.unique(
        units.pairs, return_index=True, return_inverse=True, return_counts=True
    )
    true, predicted = (
        np.bincount(place, values, len(ids)) / events for values in (units.true, units.predicted)
    )
    order = np.argsort(-true, kind="stable")
    of_set = kept[first[order]]
    names = question.cells.var_names[question.events.genes[of_set]]
    return {
        "gene set": ["+".join(str(name) for name in row) for row in names],
        "linked": question.linked[of_set].tolist(),
        "events": events[order].tolist(),
        "true": true[order].tolist(),
        "predicted": predicted[order].tolist(),
    }
