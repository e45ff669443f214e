"""What a metric tells apart on a data set: controls made of its measured responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np

from kobench.checks.metrics.calibration import Ladder, climb, lines_of
from kobench.datasets.split import rows_of
from kobench.errors import UserError
from kobench.plugins.chosen import choose
from kobench.plugins.entry import Entry
from kobench.plugins.load import resolve
from kobench.plugins.registry import Registry
from kobench.question import Answers, Responses, TaskView
from kobench.runner.load import load
from kobench.scoring.bootstrap import Redraw
from kobench.truth.build import Material, build
from kobench.units import NotComputed, ResponseUnits, TaskUnits
from kobench.worker.checks.result import CheckResult

#: The task whose units are scored.
TASK = "response"

#: What says of other units what calibration says of responses.
_INSTEAD = {
    "ranking": " (of sizes, a board of response-size prints how far chance reaches)",
    "screen": " (of vcc2026, the scale itself is one: 0 the mean response, 1 a replicate)",
}


def ladder_on(
    registry: Registry, metric: Entry, dataset: str, variant: str = "", seed: int = 0
) -> Ladder:
    """What a metric gives to controls made of the responses of a data set.

    Parameters
    ----------
    registry : Registry
        What is installed.
    metric : Entry
        A metric of responses.
    dataset : str
        `name:key=value,...`.
    variant : str
        Which of the task's units: "", the detectable perturbations, or "all".
    seed : int
        Of the split of wild-type cells, of the draws and of noise.

    Raises
    ------
    UserError
        Where the metric is of other units, the data set has no responses, or the metric has no
        value for the controls there.
    """
    if metric.spec.of != "response":
        raise UserError(
            f"{metric.full_name} measures {metric.spec.of} units; only metrics of responses are"
            f" calibrated on a data set{_INSTEAD.get(metric.spec.of, '')}. Without -d it is checked"
            " on made-up units"
        )
    question = question_of(registry, dataset, seed)
    units = units_of(registry, question).variants.get(variant)
    if not isinstance(units, ResponseUnits):
        raise UserError(
            f"{dataset} has no {variant or 'detectable'} perturbations to score; choose a data set"
            f" on which {TASK} is asked"
        )
    redraw = Redraw("perturbation", seed=seed, names=question.block_names("perturbation"))
    try:
        return climb(metric.spec, resolve(metric), units, redraw, seed)
    except NotComputed as reason:
        raise UserError(f"{metric.full_name} has no value on {dataset}: {reason}") from reason


def question_of(registry: Registry, dataset: str, seed: int = 0) -> Responses:
    """The population question of a data set: measured where it has perturbed cells."""
    chosen = choose(registry, "datasets", dataset)
    loaded = load(chosen)
    measured = loaded.perturbed is not None
    training, other = rows_of(loaded, "halves" if measured else "holdout", seed)
    material = Material(
        loaded,
        training,
        training if measured else other,
        other if measured else None,
        split_seed=seed,
    )
    question = cast("Responses", build("response", material))
    if question.asks_nothing:
        raise UserError(f"{dataset} has no perturbations that can be asked")
    return question


def units_of(registry: Registry, question: Responses) -> TaskUnits:
    """The task's units of a question, with its truth as the answer."""
    answers = Answers(
        response=np.nan_to_num(question.change)[question.row_perturbation],
        supported=np.ones(question.cells.n_vars, bool),
    )
    units: TaskUnits = resolve(registry.find("tasks", TASK))(TaskView(question, answers))
    return units


def results_on(
    registry: Registry, metric: Entry, dataset: str, variant: str = ""
) -> Iterator[CheckResult]:
    """The ladder as `kobench check` prints it."""
    ladder = ladder_on(registry, metric, dataset, variant)
    for name, status, found in lines_of(ladder, "perturbation"):
        yield CheckResult(name, status, found)
