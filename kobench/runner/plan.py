"""From what was asked for to Trials, each with the keys that decide whether a stored record still
answers it.

Loads no data, but for a transfer: which groups of cells there are to train on is known from the
cells alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from kobench.errors import UserError
from kobench.plugins.chosen import Chosen, Task, choose, version_of
from kobench.plugins.load import OWN, Entry, Registry
from kobench.runner.keys import Group, Trial, identity_of
from kobench.runner.load import groups_to_train_on
from kobench.runner.request import Request, Split
from kobench.specs import MetricSpec, TaskSpec
from kobench.truth import references
from kobench.truth.references import LINES
from kobench.util.files import file_hash, hash_of
from kobench.util.text import suggestion


def split_of(task: TaskSpec, dataset: Chosen, request: Request) -> str | None:
    """The split under which a task is scored on a dataset; None where it can't be: the truth is
    missing, or another split was asked for.
    """
    truth, asked = dataset.entry.spec.truth, request.split
    if task.asks == "transfer":
        return asked if asked in ("cell-type", "dataset") else None
    if asked in ("cell-type", "dataset"):
        return None
    if task.truth == "any" and truth == "population":
        return "halves" if asked == "auto" else None
    if task.truth == "wild-type":
        return (
            "holdout" if asked != "all" else None
        )  # cells that were trained on are no test of their own profiles
    if truth == "counterfactual" and task.truth in ("counterfactual", "any"):
        return "all" if asked == "all" else "holdout"
    return None


def make_plan(
    registry: Registry, request: Request, warn: Callable[[str], None] = lambda message: None
) -> list[Group]:
    """Datasets x seeds x splits x tasks x predictors x fit seeds as groups of trials.

    warn : is told what is left out, and why: tasks that can't be scored, here or at all.
    Raises UserError where a name is unknown or ambiguous, or where nothing would be scored.
    """
    if not request.datasets:
        raise UserError("no dataset was asked for; name one with -d, see `kobench list datasets`")
    tasks = find_tasks(registry, request, warn)
    predictors = [
        choose(registry, "predictors", text, despite=True)
        for text in dict.fromkeys(request.predictors)
    ]
    groups: dict[tuple[str, Split], Group] = {}  # a network asked for twice is planned once
    for dataset in datasets_of(registry, request):
        by_split: dict[str, list[Task]] = {}
        for task in tasks:
            name = split_of(task.spec, dataset, request)
            if name is not None:
                by_split.setdefault(name, []).append(task)
            elif request.tasks and dataset.first:
                truth = dataset.entry.spec.truth
                warn(
                    f"{dataset.selection} is not asked for {task.spec.label}: its truth is"
                    f" {truth!r}, split={request.split}"
                )
        for name, chosen in by_split.items():
            for split in splits_of(name, dataset, request):
                if (dataset.selection, split) not in groups:
                    groups[dataset.selection, split] = make_group(
                        registry, dataset, tuple(chosen), predictors, request, split
                    )
    if not groups:
        named = ", ".join(request.tasks or ["any task"])
        raise UserError(
            f"none of the datasets ({', '.join(request.datasets)}) can be scored on {named} with"
            f" split={request.split}; `kobench info DATASET` says what truth it has"
        )
    return list(groups.values())


def datasets_of(registry: Registry, request: Request) -> list[Chosen]:
    """The datasets asked for, one for each data seed; for a transfer between datasets, one that
    joins them all.
    """
    by_text = [seeds_of(registry, text, request) for text in dict.fromkeys(request.datasets)]
    if request.split != "dataset":
        return [dataset for seeds in by_text for dataset in seeds]
    if len(by_text) < 2:
        raise UserError("split=dataset needs two datasets or more; name another one with -d")
    longest = max(len(seeds) for seeds in by_text)
    return [
        join([seeds[min(step, len(seeds) - 1)] for seeds in by_text], step == 0)
        for step in range(longest)
    ]


def join(parts: Sequence[Chosen], first: bool) -> Chosen:
    """Several datasets as one, in which each is a group of cells."""
    seeded = next((part for part in parts if part.entry.spec.seeded), parts[0])
    spec = replace(seeded.entry.spec, truth="none")
    return Chosen(
        replace(seeded.entry, spec=spec),
        seeded.params,
        " + ".join(part.selection for part in parts),
        " + ".join(part.group for part in parts),
        hash_of([[part.selection, version_of(part.entry), part.source] for part in parts]),
        first,
        tuple(parts),
    )


def splits_of(name: str, dataset: Chosen, request: Request) -> list[Split]:
    """The splits of that name: one for each training group of a transfer, which takes a look into
    the data.
    """
    if name not in ("cell-type", "dataset"):
        return [Split(name)]
    return [Split(name, train) for train in groups_to_train_on(dataset, name)]


def find_tasks(registry: Registry, request: Request, warn: Callable[[str], None]) -> list[Task]:
    """The tasks asked for, or all that can be scored: a stranger's broken task may not end a run
    that never asked for it.
    """
    named = [entry for name in request.metrics for entry in registry.find_all("metrics", name)]
    homes = {registry.find("tasks", name).distribution for name in request.tasks or ()}
    metrics = [entry for name in registry.metrics for entry in registry.metrics[name]]
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
            task = Task(
                entry,
                tuple(
                    metric
                    for metric in metrics
                    if fits(metric.spec, entry.spec)
                    and (may_see_truth(metric) or metric in named or metric.distribution in homes)
                ),
            )
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


def may_see_truth(entry: Entry) -> bool:
    """Whether a metric or task counts without being named: kobench's own, and those of a file that
    the command line names.

    Others' code would run in kobench's own process because it happens to be installed, perhaps with
    a predictor that competes.
    """
    return entry.trusted or entry.plugin_file is not None


def check_task(registry: Registry, task: Task) -> None:
    """Raise UserError where a task names a metric, floor or line that is not there, or is to be
    ranked by one that describes only.
    """
    spec, where = task.spec, f"task {task.entry.full_name}"
    for metric in spec.primary:
        scoring, named = (
            task.named_metrics.get(metric.partition("[")[0]),
            f"{where} has the primary metric {metric!r}",
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


def fits(metric: MetricSpec, task: TaskSpec) -> bool:
    """Whether a metric scores a task."""
    return metric.of == task.of and (metric.tasks is None or task.name in metric.tasks)


def seeds_of(registry: Registry, text: str, request: Request) -> list[Chosen]:
    """One choice for each data seed of a dataset."""
    first = choose(registry, "datasets", text)
    if not first.entry.spec.seeded:
        return [first]
    start = int(first.params["seed"])
    chosen = [
        choose(registry, "datasets", text, {"seed": start + step})
        for step in range(request.networks)
    ]
    return [replace(dataset, first=step == 0) for step, dataset in enumerate(chosen)]


def make_group(
    registry: Registry,
    dataset: Chosen,
    tasks: tuple[Task, ...],
    predictors: list[Chosen],
    request: Request,
    split: Split,
) -> Group:
    """The trials of one dataset and split: every floor and line that a task lists, and every
    predictor asked for.
    """
    floors = {
        name: choose(registry, "predictors", name, prefer=task.entry.distribution)
        for task in tasks
        for name in task.spec.floors
    }
    lines = {name: line(name, tasks[0].entry) for task in tasks for name in task.spec.lines}
    asked = {
        identity_of(predictor) for predictor in predictors
    }  # a floor asked for by name gets every task
    basis = [
        *(
            Trial(
                "floor",
                dataset,
                floor,
                tuple(t for t in tasks if name in t.spec.floors or identity_of(floor) in asked),
                request,
                split,
            )
            for name, floor in floors.items()
        ),
        *(
            Trial(
                "line",
                dataset,
                found,
                tuple(t for t in tasks if name in t.spec.lines),
                request,
                split,
            )
            for name, found in lines.items()
        ),
    ]
    already = {identity_of(floor) for floor in floors.values()}
    trials = [
        Trial("predictor", dataset, predictor, tasks, request, split, fit_seed)
        for predictor in predictors
        if identity_of(predictor) not in already
        for fit_seed in range(request.fit_seeds)
    ]
    return Group(dataset, split, tuple(basis), tuple(trials))


def line(name: str, task: Entry) -> Chosen:
    """A reference line as a choice: it has no predictor behind it, the dataset gives its
    answers.
    """
    from kobench.specs import PredictorSpec

    spec = PredictorSpec(name, make="", summary="answers that the dataset gives")
    return Chosen(replace(task, spec=spec), {}, name, name, file_hash(Path(references.__file__)))
