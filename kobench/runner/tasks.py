"""The tasks of a run, each with the metrics that score it, and whose code may see the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from kobench.errors import UserError
from kobench.plugins.chosen import Task, choose
from kobench.plugins.load import Entry, Registry
from kobench.question import SETS
from kobench.runner.request import Request
from kobench.specs import MetricSpec, TaskSpec
from kobench.truth.references import LINES
from kobench.util.text import suggestion


def find_tasks(registry: Registry, request: Request, warn: Callable[[str], None]) -> list[Task]:
    """The tasks asked for, or all that can be scored.

    A metric or task runs in a process of kobench's, where the truth is. So a stranger's counts
    where it was named itself, by `request.metrics` or `request.tasks`, and nowhere else: not by
    being installed or in a file of `--plugin`, and not by another name of its distribution. `warn`
    is told what is left out. Raises UserError where a task that was asked for can't be found or is
    broken.
    """
    everything = [entry for entries in registry.metrics.values() for entry in entries]
    named = named_metrics(registry, request.metrics)
    counting = [metric for metric in everything if metric.trusted or metric in named]
    tasks = []
    for entry in tasks_asked(registry, request, warn):
        task = task_of(entry, counting)
        check_task(registry, task)
        tasks.append(task)
    for metric in everything:
        if any(fits(metric.spec, task.spec) and metric not in task.metrics for task in tasks):
            warn(left_out("metric", metric, "--metric"))
    return tasks


def named_metrics(registry: Registry, names: Iterable[str]) -> list[Entry]:
    """What `--metric` names: of one distribution each, though perhaps of several kinds of units."""
    found: list[Entry] = []
    for name in names:
        meant = registry.find_all("metrics", name)
        # two strangers with one name: raises, naming both
        found += (
            meant if len({entry.home for entry in meant}) == 1 else [registry.find("metrics", name)]
        )
    return found


def tasks_asked(
    registry: Registry, request: Request, warn: Callable[[str], None]
) -> Iterator[Entry]:
    """The tasks that were named, or else kobench's own; `warn` is told of the others.

    Those that are scored only where they are named are left out without a word.
    """
    if request.tasks:
        yield from (registry.find("tasks", name) for name in request.tasks)
        return
    for entry in (entry for entries in registry.tasks.values() for entry in entries):
        if entry.trusted and not entry.spec.by_name:
            yield entry
        elif not entry.trusted:
            warn(left_out("task", entry, "-t"))


def left_out(what: str, entry: Entry, flag: str) -> str:
    """That a stranger's metric or task does not count, and how it would."""
    return (
        f"{what} {entry.shown_name} of {entry.distribution} is left out: it would run where the"
        f" truth is; name it with {flag} to have it"
    )


def task_of(entry: Entry, metrics: Sequence[Entry]) -> Task:
    """A task with those of the metrics that score it."""
    spec = Task(entry, ()).spec
    return Task(entry, tuple(metric for metric in metrics if fits(metric.spec, spec)))


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
        if scoring is None and _brings(registry, task, metric):
            raise UserError(
                f"{named} of {task.entry.distribution}, which would run where the truth is, too;"
                f" name it with --metric {metric.partition('[')[0]}"
            )
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


def _brings(registry: Registry, task: Task, metric: str) -> bool:
    """Whether a task's own distribution offers a metric that scores it and was not named."""
    try:
        found = registry.find_all("metrics", metric.partition("[")[0], of=task.spec.of)
    except UserError:
        return False
    return any(one.home == task.entry.home and fits(one.spec, task.spec) for one in found)


def fits(metric: MetricSpec, task: TaskSpec) -> bool:
    """Whether a metric scores a task."""
    return metric.of == task.of and (metric.tasks is None or task.name in metric.tasks)
