"""The tasks of a run, each with the metrics that score it, and whose code may see the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kobench.errors import UserError
from kobench.plugins.chosen import Task, choose
from kobench.plugins.load import OWN, Entry, Registry
from kobench.question import SETS
from kobench.runner.request import Request
from kobench.specs import MetricSpec, TaskSpec
from kobench.truth.references import LINES
from kobench.util.text import suggestion


def find_tasks(registry: Registry, request: Request, warn: Callable[[str], None]) -> list[Task]:
    """The tasks asked for, or all that can be scored.

    A stranger's broken task does not end a run that never asked for it: `warn` is told. Raises
    UserError where a task that was asked for can't be found or is broken.
    """
    named = [entry for name in request.metrics for entry in registry.find_all("metrics", name)]
    homes = {registry.find("tasks", name).distribution for name in request.tasks or ()}
    metrics = [entry for name in registry.metrics for entry in registry.metrics[name]]
    counting = [
        metric
        for metric in metrics
        if may_see_truth(metric) or metric in named or metric.distribution in homes
    ]
    tasks = []
    for name in request.tasks or list(registry.tasks):
        try:
            entry = registry.find("tasks", name, prefer="" if request.tasks else OWN)
            if not request.tasks and not may_see_truth(entry):
                warn(
                    f"task {name} of {entry.distribution} is left out: it would run where the truth"
                    " is; name it with -t to have it"
                )
                continue
            task = task_of(entry, counting)
            check_task(registry, task)
            tasks.append(task)
        except UserError as error:
            if request.tasks:
                raise
            warn(f"task {name} is left out: {error}")
    for entry in metrics:
        if any(fits(entry.spec, task.spec) and entry not in task.metrics for task in tasks):
            where = "it would run where the truth is; name it with --metric to have it"
            warn(f"metric {entry.spec.name} of {entry.distribution} is left out: {where}")
    return tasks


def task_of(entry: Entry, metrics: Sequence[Entry]) -> Task:
    """A task with those of the metrics that score it."""
    return Task(entry, tuple(metric for metric in metrics if fits(metric.spec, entry.spec)))


def may_see_truth(entry: Entry) -> bool:
    """Whether a metric or task counts without being named.

    kobench's own do, and those of a file that the command line names. Others' code would run in
    kobench's own process because it happens to be installed, perhaps with a predictor that
    competes.
    """
    return entry.trusted or entry.plugin_file is not None


def check_task(registry: Registry, task: Task) -> None:
    """Raise UserError for a task that can't be scored.

    Its question set, metrics, floors and lines must be there, and none of its primary metrics may
    be one that only describes.
    """
    spec, where = task.spec, f"task {task.entry.full_name}"
    if spec.asks not in SETS:
        raise UserError(
            f"{where} asks the question set {spec.asks!r}; {suggestion(spec.asks, SETS)}"
        )
    for metric in spec.primary:
        scoring = task.named_metrics.get(metric.partition("[")[0])
        named = f"{where} has the primary metric {metric!r}"
        if scoring is None:
            raise UserError(
                f"{named}, which does not score it; {suggestion(metric, task.named_metrics)}"
            )
        if scoring.spec.descriptive:
            raise UserError(
                f"{named}, which only describes answers; name one that compares them with the truth"
            )
    for floor in spec.floors:
        choose(registry, "predictors", floor, prefer=task.entry.distribution)
    for name in spec.lines:
        if name not in LINES:
            raise UserError(f"{where} has the line {name!r}; {suggestion(name, LINES)}")


def fits(metric: MetricSpec, task: TaskSpec) -> bool:
    """Whether a metric scores a task."""
    return metric.of == task.of and (metric.tasks is None or task.name in metric.tasks)
