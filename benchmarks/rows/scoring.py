"""Scoring, with bootstrap draws, against loops over scipy.

It is every metric of the four single-knockout and profile tasks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from benchmarks.measure import Finding, Row, seconds_of

#: Draws of each primary metric, and how many of them the plain loops do where each draw is ranked
#: again.
DRAWS, PLAIN_DRAWS = 1000, 10

#: The plain loops look at every so many-th row of the profiles after knockouts.
EVERY = 20

TASKS = ("profile", "knockout-profile", "knockout-impact", "keystone")


@dataclass(frozen=True, eq=False)
class Work:
    """A metric on units.

    Attributes
    ----------
    task, metric, variant : str
        Names of the task, the metric and the variant, "" for no variant.
    of : str
        Kind of units.
    score : callable
        The metric's function.
    units : Units
        What it is computed on.
    block : str
        What the bootstrap draws, "" where nothing is drawn.
    names : array
        Names of the blocks.
    """

    task: str
    of: str
    metric: str
    variant: str
    score: Any
    units: Any
    block: Any
    names: Any

    @property
    def label(self) -> str:
        """What it is called in the facts."""
        return f"{self.task} {self.metric}{f'[{self.variant}]' if self.variant else ''}"


@cache
def works() -> tuple[Work, ...]:
    """Every metric of the tasks on the default `grn`.

    All cells are asked; the answers are those of `masked-mean-depth`.
    """
    import kobench.builtin as builtin
    from kobench.api import Context
    from kobench.builtin.datasets.grn import load
    from kobench.builtin.floors.profile import MaskedMeanDepth
    from kobench.question import Question, TaskView
    from kobench.runner.answers import as_answers
    from kobench.truth.build import Material, build
    from kobench.util.resolve import resolve_reference
    from kobench.worker.answers import ANSWER
    from kobench.worker.predictor import Recipe, fit_predictor

    dataset = load()
    everything = np.arange(dataset.cells.n_obs)
    material = Material(dataset, everything, everything)
    questions: dict[str, Question] = {
        name: build(name, material) for name in ("profile", "singles")
    }
    recipe = Recipe(MaskedMeanDepth, {}, ("expression",), "cells")
    fitted = fit_predictor(recipe, dataset.cells, Context(seed=0))
    found = []
    for task in builtin.kobench_tasks():
        if task.name not in TASKS:
            continue
        question = questions[task.asks]
        arrays = ANSWER[task.asks](fitted, question.payload())
        answers = as_answers({**arrays, "supported": fitted.supported})
        units = resolve_reference(str(task.units))(TaskView(question, answers))
        for metric in builtin.kobench_metrics():
            if metric.of == task.of and (metric.tasks is None or task.name in metric.tasks):
                for variant, shown in units.variants.items():
                    block = task.block if metric.name in task.primary and not variant else ""
                    names = question.block_names(task.block)
                    score = resolve_reference(str(metric.score))
                    found.append(
                        Work(task.name, task.of, metric.name, variant, score, shown, block, names)
                    )
    return tuple(found)


def fast(work: Work) -> tuple[float, Any]:
    """Value, NaN where there is none, and draws of one metric."""
    from kobench.scoring.bootstrap import draws
    from kobench.units import NotComputed, Parts

    try:
        result = work.score(work.units)
    except NotComputed:
        return math.nan, None
    value = result.value if isinstance(result, Parts) else result
    if not work.block:
        return value, None
    return value, draws(work.score, work.units, work.block, DRAWS, 0, work.names, result)


def plain_part(work: Work) -> Work:
    """The part of the units that the plain loops look at.

    It is all of them, but for rows of profiles after knockouts.
    """
    if work.task != "knockout-profile":
        return work
    from dataclasses import fields

    columns = {field.name: getattr(work.units, field.name)[::EVERY] for field in fields(work.units)}
    return replace(work, units=replace(work.units, **columns))


def plain_value(work: Work) -> float:
    """The metric from its formula."""
    from benchmarks.plain.scores import SCORES

    return SCORES[work.of, work.metric](work.units)


def plain_draws(work: Work) -> Any:
    """Draws of a primary metric.

    They are all of a ratio of sums, and `PLAIN_DRAWS` where every draw is ranked again.
    """
    from benchmarks.plain import scores
    from kobench.scoring.bootstrap import block_counts, block_of

    distinct, counts = block_counts(block_of(work.units, work.block), DRAWS, 0, work.names)
    if work.metric == "spearman-within-cell":
        return scores.redrawn_within_cell(work.units, counts[:PLAIN_DRAWS], distinct)
    if work.metric == "spearman":
        return scores.redrawn_ranking(work.units, counts[: 10 * PLAIN_DRAWS], distinct)
    sums, weights, ids = plain_sums(work)
    return scores.redrawn_ratio(sums, weights, ids, counts, distinct)


def plain_sums(work: Work) -> tuple[list[float], list[float], Any]:
    """What a primary metric that is a ratio of sums adds up.

    Returns
    -------
    sums, weights : list of float
        Of its rows or groups.
    ids : (n,) int
        Their blocks.
    """
    from scipy.spatial.distance import braycurtis
    from scipy.stats import spearmanr

    from benchmarks.plain import scores

    if work.metric == "explained-change":
        return *scores.explained_parts(work.units), work.units.genes
    if work.metric == "bray-curtis":
        rows = [
            float(braycurtis(a.astype(np.float64), b))
            for a, b in zip(work.units.predicted, work.units.true, strict=True)
        ]
        return rows, [1.0] * len(rows), work.units.cells
    values, genes = [], []
    for gene in np.unique(work.units.genes):
        inside = work.units.genes == gene
        value = scores.mean_correlation(
            spearmanr, [(work.units.predicted[inside], work.units.true[inside])], scores.MIN_CELLS
        )
        if not math.isnan(value):
            values.append(value)
            genes.append(gene)
    return values, [1.0] * len(values), np.array(genes)


def plain_seconds() -> tuple[float, dict[str, tuple[float, Any]]]:
    """Seconds that all of the work would take plainly, and the results of what was done."""
    total, found = 0.0, {}
    for work in map(plain_part, works()):
        part = 1 / EVERY if work.task == "knockout-profile" else 1.0
        seconds, value = seconds_of(lambda work=work: plain_value(work))  # type: ignore[misc]
        total += seconds / part
        drawn = None
        if work.block:
            seconds, drawn = seconds_of(lambda work=work: plain_draws(work))  # type: ignore[misc]
            total += seconds * DRAWS / len(drawn) / part if len(drawn) < DRAWS else seconds
        found[work.label] = (value, drawn)
    return total, found


def differences(found: dict[str, tuple[float, Any]]) -> Iterator[tuple[str, float, float]]:
    """The largest differences between the plain loops and kobench, on the same part.

    Yields
    ------
    tuple of (str, float, float)
        A metric, its difference of values, its difference of draws.
    """
    for work in map(plain_part, works()):
        value, drawn = fast(work)
        plain_value, plain_drawn = found[work.label]
        if math.isnan(value) != math.isnan(plain_value):
            yield work.label, math.inf, 0.0
        elif not math.isnan(value):
            of_draws = 0.0
            if plain_drawn is not None:
                gaps = np.abs(np.asarray(drawn)[: len(plain_drawn)] - plain_drawn)
                of_draws = float(np.nanmax(gaps))
            yield work.label, abs(value - plain_value), of_draws


def measure(runs: int) -> Finding:
    """All scores of 40,000 knockouts of 100 genes, by loops and by kobench, turn by turn."""
    slow, quick = [], []
    found: dict[str, tuple[float, Any]] = {}
    works()
    for _ in range(runs):
        seconds, found = plain_seconds()
        slow.append(seconds)
        quick.append(seconds_of(lambda: [fast(work) for work in works()])[0])
    gaps = list(differences(found))
    value, label = max((gap, label) for label, gap, _ in gaps)
    of_draws, drawn_label = max((gap, label) for label, _, gap in gaps)
    events = max(len(work.units.true) for work in works())
    facts = (
        (
            f"{events:,} events x 100 genes, {len(gaps)} metrics and variants with a value,"
            f" {DRAWS:,} draws of each primary metric"
        ),
        (
            f"largest difference of a value: {value:.1e} ({label}); of a draw: {of_draws:.1e}"
            f" ({drawn_label})"
        ),
        (
            f"plain: every {EVERY}th row of the profiles after knockouts, {PLAIN_DRAWS} draws"
            f" within cells, {10 * PLAIN_DRAWS} of the ranking, and all of the rest; seconds are"
            " scaled to the whole; one thread, but for what BLAS does of itself on either side"
        ),
    )
    return Finding(
        [a / b for a, b in zip(slow, quick, strict=True)],
        20.0,
        "x",
        seconds=quick,
        plain_seconds=slow,
        facts=facts,
    )


ROWS = [
    Row(
        "scoring",
        "all metrics of 40,000 events x 100 genes, with 1,000 bootstrap draws",
        "loops over rows by scipy",
        measure,
    )
]
