"""The order of a dataset's genes changes no value or bootstrap draw of a floor in any task."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from metric_units import SPECS, outcome

import kobench.builtin
from kobench.api import Cells, Context, Dataset, Knockouts, PredictorSpec, TaskSpec, TaskView
from kobench.builtin.datasets.grn import load, load_planted
from kobench.runner.answers import as_answers
from kobench.scoring.bootstrap import draws
from kobench.truth import singles as questions
from kobench.truth.build import Material, build
from kobench.truth.multiples import ask_multiples
from kobench.truth.population import ask_responses, ask_simulated_responses
from kobench.truth.transfer import ask_transfers, groups_of
from kobench.util.resolve import resolve_reference
from kobench.worker.answers import ANSWER
from kobench.worker.predictor import Recipe, fit_predictor


class Moved:
    """A truth whose genes stand in another order: column j is the truth's own column order[j]."""

    def __init__(self, truth, order) -> None:
        self.truth, self.order = truth, order
        self.edges = np.argsort(order)[truth.edges]

    def wild_type(self, cells):
        return self.truth.wild_type(cells)[:, self.order]

    def knockout(self, knockouts):
        return self.truth.knockout(Knockouts(self.order[knockouts.genes], knockouts.cells))[
            :, self.order
        ]


def with_genes_moved(dataset: Dataset, order) -> Dataset:
    def moved(cells):
        return Cells(cells.X[:, order], cells.var_names[order], cells.obs)

    perturbed = None if dataset.perturbed is None else moved(dataset.perturbed)
    truth = None if dataset.truth is None else Moved(dataset.truth, order)
    return dataclasses.replace(
        dataset, cells=moved(dataset.cells), truth=truth, perturbed=perturbed, replicate=None
    )


def asked_of(dataset: Dataset, asks: str):
    """The question set, half of the cells training."""
    n = dataset.cells.n_obs
    training, asked = np.arange(n // 2), np.arange(n // 2, n)
    if asks == "profile":
        return build("profile", Material(dataset, training, asked))
    if asks == "singles":
        return questions.ask_singles(dataset, asked)
    if asks == "transfer":
        labels = dataset.cells.obs["cell_type"]
        return ask_transfers(dataset, labels, groups_of(labels)[0], "type0", 0)
    if asks == "response":
        simulated = dataset.perturbed is None
        return (
            ask_simulated_responses(dataset, asked)
            if simulated
            else ask_responses(dataset, training, asked)
        )
    return ask_multiples(dataset, asked, 2, sets=20)


def floors_score(
    dataset: Dataset, question, task: TaskSpec, floor: PredictorSpec
) -> dict[str, list[float]]:
    """Metric -> value of a floor (infinite: not computed) and, if primary, bootstrap draws.

    It is trained on the first half of the cells.
    """
    n = dataset.cells.n_obs
    recipe = Recipe(resolve_reference(floor.make), {}, floor.answers, floor.wants, floor.max_order)
    context = Context(batch_key=dataset.batch_key)
    fitted = fit_predictor(recipe, dataset.cells[np.arange(n // 2)], context)
    arrays = ANSWER[task.asks](fitted, question.payload())
    answers = as_answers({**arrays, "supported": fitted.supported}, floor)
    given = resolve_reference(task.units)(TaskView(question, answers))
    scores: dict[str, list[float]] = {}
    for spec in SPECS:
        if spec.of != task.of or (spec.tasks is not None and task.name not in spec.tasks):
            continue
        for variant, units in given.variants.items():
            name = f"{spec.name}[{variant}]" if variant else spec.name
            value = outcome(spec, units)
            scores[name] = [math.inf if isinstance(value, str) else value]
            if name in (given.primary or task.primary) and isinstance(value, float):
                names = question.block_names(task.block)
                scores[name] += draws(
                    resolve_reference(spec.score), units, task.block, 20, 1, names
                ).tolist()
    return scores


SMALL = {
    "simulated": lambda: load(genes=25, cells=80, absence="modules", dropout=0.3, seed=3),
    "measured": lambda: load_planted(
        genes=25, cells=120, perturbations=6, perturbed_cells=40, batches=2, seed=3
    ),
    "types": lambda: load(genes=25, cells=110, cell_types=2, seed=3),
}
# screens of counted cells have made data of their own, and tests of their own
BUILT_IN = [
    task
    for task in kobench.builtin.plugin.kobench_tasks()
    if task.asks != "triples" and task.truth != "population"
]
ON = [("types" if task.asks == "transfer" else "simulated", task) for task in BUILT_IN]
ON += [("measured", task) for task in BUILT_IN if task.asks == "response"]


@pytest.mark.parametrize(("kind", "task"), ON, ids=[f"{kind}-{task.name}" for kind, task in ON])
def test_the_order_of_genes_changes_no_score_of_a_floor(kind, task):
    dataset = SMALL[kind]()
    order = np.random.default_rng(0).permutation(25)
    moved = with_genes_moved(dataset, order)
    question = asked_of(dataset, task.asks)
    again = asked_of(moved, task.asks)
    floors = [
        spec
        for spec in kobench.builtin.plugin.kobench_predictors()
        if spec.name in task.floors and spec.name != "random"
    ]  # other luck
    assert floors
    for floor in floors:
        before, after = (
            floors_score(d, q, task, floor) for d, q in ((dataset, question), (moved, again))
        )
        assert sorted(before) == sorted(after)
        assert any(math.isfinite(values[0]) for values in before.values())
        for name, values in before.items():
            assert after[name] == pytest.approx(values, rel=1e-5, abs=1e-7, nan_ok=True), (
                floor.name,
                name,
            )


def test_the_order_of_genes_changes_no_sample_and_no_perturbation():
    dataset = SMALL["simulated"]()
    order = np.random.default_rng(0).permutation(25)
    asked = np.arange(40, 80)
    few, again = (
        questions.ask_singles(one, asked, limit=100 * 25)
        for one in (dataset, with_genes_moved(dataset, order))
    )
    assert len(few.sample) == 100 < len(few.events)
    sampled = [
        sorted(
            zip(
                one.events.cells[one.sample].tolist(),
                one.cells.var_names[one.events.genes[one.sample, 0]].tolist(),
                strict=True,
            )
        )
        for one in (few, again)
    ]
    assert sampled[0] == sampled[1]
    responses = [
        ask_simulated_responses(one, asked) for one in (dataset, with_genes_moved(dataset, order))
    ]
    assert responses[0].names == responses[1].names
    sets = [
        ask_multiples(one, asked, 3, sets=20) for one in (dataset, with_genes_moved(dataset, order))
    ]
    named = [
        [sorted(row) for row in one.cells.var_names[one.events.genes].tolist()] for one in sets
    ]
    assert named[0] == named[1]
    assert sets[0].events.cells.tolist() == sets[1].events.cells.tolist()
