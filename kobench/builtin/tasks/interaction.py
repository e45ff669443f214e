"""The tasks of several knockouts at once: how far events are from the sum of their singles."""

from __future__ import annotations

from typing import Any

import numpy as np

from kobench.api import Answers, InteractionUnits, Multiples, TaskUnits, TaskView, Units
from kobench.builtin.metrics.interaction import INTERACTS
from kobench.builtin.tasks.values import counted, must_be_finite, supported_genes, without_noise
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.question.base import answerable_events


def multiple_knockout(view: TaskView) -> TaskUnits:
    """Interaction of every event; variants "" (all), "linked" and "random". A unit is an event.

    Linked and random sets of genes are ranked apart, because few random sets interact. Where the
    network has no links, or links everything, the primary metric is that of the one kind there is.
    Events with a gene that is not supported, or with more genes than the predictor can remove at
    once, are left out and count as not answered.
    """
    question, answers = view.asked(Multiples), view.answers
    kept = _covered(question, answers)
    kinds = {"linked": question.linked, "random": ~question.linked}
    asked_kinds = [name for name, inside in kinds.items() if inside.any()]
    variants: dict[str, Units] = {}
    table: dict[str, Any] | None = None
    if answers.interaction is not None:
        predicted = np.asarray(answers.interaction, np.float64)[kept]
        units = _units(question, kept, predicted)
        variants[""] = units
        variants.update({name: _part(units, kinds[name][kept]) for name in asked_kinds})
        table = _table(question, kept, units)
    primary = None
    if len(asked_kinds) < len(kinds):
        primary = tuple(f"auprc[{name}]" for name in asked_kinds) or ("auprc",)
    return TaskUnits(
        variants,
        asked=len(question.events.genes),
        answered=len(kept) if variants else 0,
        left_out=counted({"events without a steady state": question.unsolved}),
        primary=primary,
        notes=tuple(_prevalence(name, question, kinds[name]) for name in asked_kinds),
        table=table,
    )


def _covered(question: Multiples, answers: Answers) -> IntArray:
    """Rows of the events that these answers cover."""
    supported = supported_genes(answers, question.cells.n_vars)
    return np.flatnonzero(answerable_events(question.events, supported, answers.max_order))


def _units(question: Multiples, kept: IntArray, predicted: FloatArray) -> InteractionUnits:
    """The kept events (k,) with their predicted (k,) and true interactions."""
    assert question.events.cells is not None
    return InteractionUnits(
        without_noise(must_be_finite(predicted, "interactions of supported genes")),
        without_noise(question.interaction[kept]),
        question.events.cells[kept].astype(np.int64),
        question.pairs[kept],
    )


def _part(units: InteractionUnits, inside: BoolArray) -> InteractionUnits:
    """The units of some events, (n,) bool."""
    return InteractionUnits(
        units.predicted[inside], units.true[inside], units.cells[inside], units.pairs[inside]
    )


def _prevalence(name: str, question: Multiples, inside: BoolArray) -> str:
    """A sentence on how many events of one kind of sets, (n,) bool, interact."""
    true = question.interaction[inside]
    return (
        f"{name.capitalize()} sets of {question.events.order} genes:"
        f" {float((true > INTERACTS).mean()):.1%} of {len(true):,} events in"
        f" {len(np.unique(question.pairs[inside])):,} sets interact (interaction over"
        f" {INTERACTS:g}), which is the auprc of chance."
    )


def _table(question: Multiples, kept: IntArray, units: InteractionUnits) -> dict[str, Any]:
    """One row a set of genes, strongest first, with its mean true and predicted interaction."""
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
