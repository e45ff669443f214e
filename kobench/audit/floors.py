"""What trivial predictors score on each perturbation, and what an answer without error would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kobench.api import Context
from kobench.audit.material import Material
from kobench.cells import FloatArray
from kobench.plugins.chosen import choose
from kobench.plugins.load import Registry, resolve
from kobench.question import Answers, Responses
from kobench.runner.answers import as_answers
from kobench.runner.tasks import task_of
from kobench.scoring.score import units_for, variant_of
from kobench.units import NotComputed, OffersCeiling, Parts, Units
from kobench.worker.answers import ANSWER
from kobench.worker.predictor import Recipe, fit_predictor

#: The task that asks for the change of each gene.
TASK = "response"


@dataclass(frozen=True, eq=False)
class FloorValues:
    """What floors score by the primary metric of the task `response`, perturbation by perturbation.

    Attributes
    ----------
    metric : str
        The primary metric.
    unranked : str
        Why nobody is ranked on this dataset, "" where somebody is.
    floors : mapping of str to (k,) float
        Floor -> its value for each of the k perturbations, with what that perturbation moves the
        others by, as the intervals of boards have it.
    ceiling : (k,) float, or None
        What an answer without error would score; None where nobody can say.
    why : str
        Why there are no values, "" where there are.
    """

    metric: str
    unranked: str
    floors: Mapping[str, FloatArray]
    ceiling: FloatArray | None
    why: str = ""

    @property
    def best(self) -> str:
        """The floor with the highest mean."""
        return max(self.floors, key=lambda name: (float(self.floors[name].mean()), name))


def floor_values(material: Material, question: Responses, registry: Registry) -> FloorValues:
    """Ask the floors of the task `response`, and score them as a run does."""
    metrics = [entry for found in registry.metrics.values() for entry in found if entry.trusted]
    task = task_of(registry.find("tasks", TASK), metrics)
    values: dict[str, FloatArray] = {}
    metric, unranked, ceiling, why = "", "", None, "no floor has a value"
    for floor in task.spec.floors:
        units_of = units_for(task, question, _answers(floor, material, question, registry))[0]
        metric = (task.spec.primary if units_of.primary is None else units_of.primary)[0]
        unranked = units_of.unranked
        units = units_of.variants.get(variant_of((metric,)))
        if units is None:
            continue
        score = resolve(task.named_metrics[metric.partition("[")[0]])
        try:
            parts = score(units)
        except NotComputed as error:
            why = str(error)
            continue
        if ceiling is None:
            ceiling = _ceiling(score, units)
        if isinstance(parts, Parts) and np.isfinite(parts.value):
            values[floor] = _with_moves(parts)
    return FloorValues(metric, unranked, values, ceiling, "" if values else why)


def _answers(floor: str, material: Material, question: Responses, registry: Registry) -> Answers:
    """What a floor answers, fitted to the training cells; it is handed payloads, never a truth."""
    chosen = choose(registry, "predictors", floor)
    spec, dataset = chosen.entry.spec, material.measured
    recipe = Recipe(resolve(chosen.entry), chosen.params, spec.answers, spec.wants, spec.max_order)
    context = Context(
        seed=0,
        scale=dataset.scale,
        batch_key=dataset.batch_key,
        cell_type_key=dataset.cell_type_key,
    )
    fitted = fit_predictor(recipe, dataset.cells[material.rows[0]], context)
    arrays = ANSWER["response"](fitted, question.payload())
    return as_answers({**arrays, "supported": fitted.supported}, spec)


def _ceiling(score: object, units: Units) -> FloatArray | None:
    """What an answer without error would score for each perturbation; None where nobody can say."""
    if not isinstance(score, OffersCeiling):
        return None
    try:
        found = score.ceiling(units)
    except NotComputed:
        return None
    return _with_moves(found) if isinstance(found, Parts) else None


def _with_moves(parts: Parts) -> FloatArray:
    """(k,) values of perturbations, as they are drawn again for intervals."""
    values = np.asarray(parts.sums, np.float64)
    return values if parts.moves is None else values + parts.moves
