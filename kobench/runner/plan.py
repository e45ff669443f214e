"""From what was asked for to groups of trials.

Loads no data, but for a transfer: which groups of cells there are to train on is known from the
cells alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kobench.errors import UserError
from kobench.plugins.chosen import Chosen, Task, choose
from kobench.plugins.load import Entry, Registry
from kobench.question import SETS
from kobench.runner.datasets import datasets_of
from kobench.runner.keys import Group, Trial, identity_of
from kobench.runner.load import groups_to_train_on
from kobench.runner.processes import groups_apart
from kobench.runner.readable import contents_of
from kobench.runner.request import BETWEEN_GROUPS, MEASURED_SPLITS, Request, Split
from kobench.runner.tasks import find_tasks
from kobench.specs import PredictorSpec, TaskSpec
from kobench.truth.references import code_hash
from kobench.util.grammar import parse


def split_of(task: TaskSpec, dataset: Chosen, request: Request) -> str | None:
    """The name of the split under which a task is scored on a dataset.

    None where it can't be scored there: the truth is missing, or another split was asked for.
    """
    truth, asked = dataset.entry.spec.truth, request.split
    if SETS[task.asks].between_groups:
        return asked if asked in BETWEEN_GROUPS else None
    if asked in BETWEEN_GROUPS:
        return None
    if task.truth in ("any", "population") and truth == "population":
        return "halves" if asked == "auto" else None
    if task.truth == "wild-type":
        # cells that were trained on are no test of their own profiles
        return None if asked == "all" else "holdout"
    if truth == "counterfactual" and task.truth in ("counterfactual", "any"):
        return "all" if asked == "all" else "holdout"
    return None


def make_plan(
    registry: Registry, request: Request, warn: Callable[[str], None] = lambda message: None
) -> list[Group]:
    """Datasets x seeds x splits x tasks x predictors x fit seeds as groups of trials.

    Parameters
    ----------
    registry : Registry
        Everything that is installed.
    request : Request
        What was asked for.
    warn : callable
        Is told what is left out, and why: tasks that can't be scored, here or at all.

    Raises
    ------
    UserError
        Where a name is unknown or ambiguous, or where nothing would be scored.
    """
    if not request.datasets:
        raise UserError("no dataset was asked for; name one with -d, see `kobench list datasets`")
    for sentence in names_of_strangers(registry, request):
        warn(sentence)
    tasks = find_tasks(registry, request, warn)
    predictors = [
        choose(registry, "predictors", text, despite=True)
        for text in dict.fromkeys(request.predictors)
    ]
    readable = contents_of(request.readable)
    groups: dict[tuple[str, Split], Group] = {}  # a network asked for twice is planned once
    for dataset in datasets_of(registry, request):
        for name, chosen in tasks_by_split(tasks, dataset, request, warn).items():
            for split in splits_of(name, dataset, request):
                if (dataset.selection, split) not in groups:
                    groups[dataset.selection, split] = make_group(
                        registry, dataset, tuple(chosen), predictors, request, split, readable
                    )
    if not groups:
        named = ", ".join(request.tasks or ["any task"])
        raise UserError(
            f"none of the datasets ({', '.join(request.datasets)}) can be scored on {named} with"
            f" split={request.split}; `kobench info DATASET` says what truth it has"
        )
    return list(groups.values())


def names_of_strangers(registry: Registry, request: Request) -> list[str]:
    """What to say of names that were asked for, and that strangers have given to theirs, too."""
    asked = {
        "datasets": request.datasets,
        "predictors": request.predictors,
        "tasks": request.tasks or (),
        "metrics": request.metrics,
    }
    names = [(kind, parse(text).full_name) for kind, texts in asked.items() for text in texts]
    said = (registry.shadowed(kind, name) for kind, name in names)
    return list(dict.fromkeys(sentence for sentence in said if sentence))


def tasks_by_split(
    tasks: list[Task], dataset: Chosen, request: Request, warn: Callable[[str], None]
) -> dict[str, list[Task]]:
    """The tasks that can be scored on a dataset, by the name of their split."""
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
    return by_split


def splits_of(name: str, dataset: Chosen, request: Request) -> list[Split]:
    """The splits of that name: several halvings, or one for each group of cells to train on.

    For groups the dataset is loaded, a stranger's in another process: they are known from its cells
    alone.
    """
    first = request.split_seed
    if name == "halves":
        of = splits_where_measured(dataset, request)
        return [Split(name, seed=seed, of=of) for seed in range(first, first + of)]
    if name not in BETWEEN_GROUPS:
        return [Split(name, seed=first)]
    groups = groups_to_train_on(dataset, name) if dataset.trusted else groups_apart(dataset, name)
    return [Split(name, train, first) for train in groups]


def splits_where_measured(dataset: Chosen, request: Request) -> int:
    """How often the wild-type cells of a dataset are halved where its knockouts are measured.

    As often as the request says. Where it does not say: a simulator has networks, which differ by
    more than splits of one do.
    """
    if request.splits is not None:
        return request.splits
    return 1 if dataset.entry.spec.seeded else MEASURED_SPLITS


def make_group(
    registry: Registry,
    dataset: Chosen,
    tasks: tuple[Task, ...],
    predictors: list[Chosen],
    request: Request,
    split: Split,
    readable: tuple[str, ...] = (),
) -> Group:
    """The trials of one dataset and split.

    They are every floor and line that a task lists, and every predictor asked for. A floor that is
    asked for by name gets every task. `readable` is what `kobench.runner.readable.contents_of` says
    of the folders that predictors may read.
    """
    floors = {
        name: choose(registry, "predictors", name, prefer=task.entry.distribution)
        for task in tasks
        for name in task.spec.floors
    }
    lines = {name: line(name, tasks[0].entry) for task in tasks for name in task.spec.lines}
    asked = {identity_of(predictor) for predictor in predictors}
    basis = []
    for name, floor in floors.items():
        every = identity_of(floor) in asked
        theirs = tuple(task for task in tasks if every or name in task.spec.floors)
        reads = () if floor.entry.trusted else readable  # kobench's own need nothing
        basis.append(Trial("floor", dataset, floor, theirs, request, split, readable=reads))
    for name, found in lines.items():
        theirs = tuple(task for task in tasks if name in task.spec.lines)
        basis.append(Trial("line", dataset, found, theirs, request, split))
    already = {identity_of(floor) for floor in floors.values()}
    trials = [
        Trial("predictor", dataset, predictor, tasks, request, split, fit_seed, readable)
        for predictor in predictors
        if identity_of(predictor) not in already
        for fit_seed in range(request.fit_seeds)
    ]
    return Group(dataset, split, tuple(basis), tuple(trials))


def line(name: str, task: Entry) -> Chosen:
    """A reference line as a choice: it has no predictor behind it, the dataset answers."""
    spec = PredictorSpec(name, make="", summary="answers that the dataset gives")
    return Chosen(replace(task, spec=spec, shadowed=False), {}, name, name, code_hash())
