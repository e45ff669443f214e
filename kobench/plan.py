"""From what was asked for to Trials, each with the keys that decide whether a stored record still
answers it.

Loads no data, but for a transfer: which groups of cells there are to train on is known from the
cells alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from kobench.errors import UserError
from kobench.limits import Limits
from kobench.lines import LINES
from kobench.loading import groups_to_train_on
from kobench.plugins import OWN, Entry, Registry
from kobench.questions import ROW_LIMIT, VERSIONS
from kobench.records import hash_of
from kobench.select import canonical, complete, parse
from kobench.specs import ASKS, MetricSpec, Param, TaskSpec
from kobench.suggest import suggestion

#: From so many independent networks on, intervals are made of the networks' values alone and need
#: no draws inside each of them.
ENOUGH_NETWORKS = 2

#: Bootstrap draws kept for a primary metric where blocks inside a dataset carry the interval.
DRAWS = 300


#: How cells are parted into those trained on and those asked. auto: each task's own, "halves" where
#: other cells are the truth.
SPLITS = ("auto", "holdout", "all", "cell-type", "dataset")


@dataclass(frozen=True)
class Request:
    """What one run asks for; the keys of a suite file and the flags of `kobench run`.

    networks : data seeds for each seeded dataset. fit_seeds : fits of each predictor. split : see
    `SPLITS`. tasks : names, None for every applicable one. metrics : names of metrics of other
    packages, see `may_see_truth`. events : at most so many single knockouts a dataset, drawn at
    random, None for all of them. limits : what each trial may use. sandbox : see
    `kobench.sandbox.MODES`. readable : folders that predictors may read, too. None of these decides
    an answer, so none is in a key.
    """

    datasets: Sequence[str]
    predictors: Sequence[str]
    tasks: Sequence[str] | None = None
    metrics: Sequence[str] = ()
    networks: int = 1
    fit_seeds: int = 1
    split: str = "auto"
    split_seed: int = 0
    threads: int = 1
    device: str = "auto"
    row_limit: int = ROW_LIMIT
    events: int | None = None
    limits: Limits = field(default_factory=Limits)
    sandbox: str = "auto"
    readable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """A dataset or predictor with all its parameters; `selection` is its canonical text, `group`
    that without the seed.

    first : whether it is the first network of its group. parts : the datasets that it joins, for a
    transfer between datasets.
    """

    entry: Entry
    params: Mapping[str, Any]
    selection: str
    group: str
    source: str = ""
    first: bool = True
    parts: tuple[Chosen, ...] = ()


@dataclass(frozen=True)
class Task:
    """A task with the metrics that score it."""

    entry: Entry
    metrics: tuple[Entry, ...]

    @property
    def spec(self) -> TaskSpec:
        spec: TaskSpec = self.entry.spec
        return spec

    @property
    def named_metrics(self) -> dict[str, Entry]:
        """Metrics by the name they are shown under: a stranger's that repeats the name of another
        is `distribution/name`.
        """
        ordered = sorted(
            self.metrics, key=lambda entry: entry.distribution != self.entry.distribution
        )
        named: dict[str, Entry] = {}
        for entry in ordered:
            named[entry.full_name if entry.spec.name in named else entry.spec.name] = entry
        return named


@dataclass(frozen=True)
class Split:
    """Which cells a trial trains on: "holdout" 80 % (the rest is asked), "halves" (the other half
    is the reference of a measured truth), "all", or for "cell-type" and "dataset" those of the
    group `train` alone.
    """

    name: str
    train: str = ""


@dataclass(frozen=True)
class Trial:
    """One predictor, floor or line on one dataset and split, with the tasks it is scored on."""

    role: Literal["predictor", "floor", "line"]
    dataset: Chosen
    predictor: Chosen
    tasks: tuple[Task, ...]
    request: Request
    split: Split = Split("holdout")
    fit_seed: int = 0

    @property
    def asks(self) -> tuple[str, ...]:
        """The question sets it needs, the profile first: it is answered before any expression is
        seen.
        """
        needed = {task.spec.asks for task in self.tasks}
        return tuple(asks for asks in ASKS if asks in needed)

    @property
    def label(self) -> str:
        """How a trial is named to a reader."""
        seed = (
            f" (fit seed {self.fit_seed})"
            if self.request.fit_seeds > 1 and self.role == "predictor"
            else ""
        )
        train = f", trained on {self.split.train}" if self.split.train else ""
        return f"{self.predictor.selection} on {self.dataset.selection}{train}{seed}"

    def describe(self, kind: str, digest: str, notes: Iterable[str]) -> dict[str, Any]:
        """The `trial` part of its record; kind, digest and notes come from the loaded dataset."""
        dataset, predictor, request = self.dataset, self.predictor, self.request
        return {
            "dataset": {
                **self.named(dataset),
                "group": dataset.group,
                "seed": dataset.params.get("seed") if dataset.entry.spec.seeded else None,
                "kind": kind,
                "truth": dataset.entry.spec.truth,
                "digest": digest,
                "notes": list(notes),
            },
            "split": {
                "name": self.split.name,
                "seed": request.split_seed,
                **({"train": self.split.train} if self.split.train else {}),
            },
            "predictor": {
                **self.named(predictor),
                "distribution": predictor.entry.distribution,
                "digest": predictor.source,
                **(
                    {"environment": predictor.entry.environment}
                    if predictor.entry.environment
                    else {}
                ),
            },
            "fit_seed": self.fit_seed,
            "threads": request.threads,
            "device": device_kind(request.device),
        }

    @staticmethod
    def named(chosen: Chosen) -> dict[str, Any]:
        """Name, canonical selection and version of a dataset or predictor."""
        return {
            "name": chosen.entry.spec.name,
            "selection": chosen.selection,
            "version": version_of(chosen.entry),
        }

    @property
    def keys(self) -> dict[str, Any]:
        """Keys of fit, questions and scores. Nothing that only changes cost is in them."""
        from kobench.api import CONTRACT

        description = self.describe("", "", ())
        for part in ("kind", "digest", "notes"):
            del description["dataset"][part]
        fit = hash_of(
            {"contract": CONTRACT, "source": self.dataset.source, "role": self.role, **description}
        )
        limits = {"row_limit": self.request.row_limit}
        sampled = (
            limits if self.request.events is None else {**limits, "events": self.request.events}
        )
        questions = {
            asks: hash_of(
                {
                    "fit": fit,
                    "asks": asks,
                    "version": VERSIONS[asks],
                    **(sampled if asks == "singles" else limits),
                }
            )
            for asks in self.asks
        }
        scores = {
            task.spec.label: hash_of(
                {
                    "task": facts_of(task.entry),
                    "metrics": [facts_of(metric) for metric in task.metrics],
                    "draws": self.draws,
                    "showcase": self.showcase,
                    "question": questions[task.spec.asks],
                }
            )
            for task in self.tasks
        }
        return {"fit": fit, "questions": questions, "scores": scores}

    @property
    def draws(self) -> int:
        """How many bootstrap draws of the blocks inside the dataset are kept for primary
        metrics.
        """
        enough = self.dataset.entry.spec.seeded and self.request.networks >= ENOUGH_NETWORKS
        return 0 if enough else DRAWS

    @property
    def showcase(self) -> bool:
        """Whether single units are written into the record for pictures and tables: of predictors
        on the first network.
        """
        return self.role == "predictor" and self.fit_seed == 0 and self.dataset.first


@dataclass(frozen=True)
class Group:
    """All trials on one dataset and split; floors and lines come first, because scores lean on
    them.
    """

    dataset: Chosen
    split: Split
    basis: tuple[Trial, ...]
    trials: tuple[Trial, ...]


def version_of(entry: Entry) -> str:
    """Version of what an entry defines, the distribution's and its own."""
    return f"{entry.version}/{entry.spec.version}" if entry.version else str(entry.spec.version)


def facts_of(entry: Entry) -> dict[str, Any]:
    """What identifies a task or metric in a key: its own version and, for a stranger's, the code's
    hash.
    """
    spec: TaskSpec | MetricSpec = entry.spec
    return {
        "name": spec.name,
        "version": spec.version,
        "distribution": entry.distribution,
        "digest": "" if entry.trusted else entry.digest,
    }


def device_kind(setting: str) -> str:
    """ "cpu" or "cuda": what `auto` means on this machine, found without importing torch."""
    return ("cuda" if os.path.exists("/dev/nvidiactl") else "cpu") if setting == "auto" else setting


def choose(
    registry: Registry,
    kind: str,
    text: str,
    extra: Mapping[str, Any] | None = None,
    prefer: str = "",
    despite: bool = False,
) -> Chosen:
    """Find and complete one selection; raises UserError for unknown names, keys and values.

    extra : parameters that overrule those in the text. prefer : the distribution that wins where
    two offer the name. despite : find a predictor whose plugin could not be loaded, too, with
    whatever parameters are given.
    """
    selection = parse(text)
    entry = (
        registry.find_despite(selection.full_name)
        if despite
        else registry.find(kind, selection.full_name, prefer=prefer)
    )
    if entry.problem is not None:
        entry = replace(
            entry, spec=replace(entry.spec, params={key: Param(None) for key in selection.params})
        )
    params = {**complete(selection, entry.spec.params, kind[:-1]), **(extra or {})}
    open_params = (
        {key: value for key, value in params.items() if key != "seed"}
        if getattr(entry.spec, "seeded", False)
        else params
    )
    return Chosen(
        entry,
        params,
        canonical(entry.spec.name, params, entry.spec.params),
        canonical(entry.spec.name, open_params, entry.spec.params),
        source_of(kind, entry, params),
    )


def source_of(kind: str, entry: Entry, params: Mapping[str, Any]) -> str:
    """What the content of a dataset or predictor rests on beside its parameters: a file's or the
    code's hash.
    """
    if kind == "predictors":
        return own_hash(str(entry.spec.make)) if entry.trusted else entry.digest
    if isinstance(params.get("path"), str) and params["path"]:
        return file_hash(Path(params["path"]))
    card = str(entry.spec.card.get("digest", ""))  # of a card's loader, parameters and file
    return card or ("" if entry.trusted else entry.digest)


@cache
def own_hash(reference: str) -> str:
    """Hash of the .py files of the folder in which one of kobench's own floors lies; the rest of
    kobench decides nothing in it.
    """
    package = Path(__file__).parent
    module = package.joinpath(*reference.partition(":")[0].split(".")[1:])
    folder = module if module.is_dir() else module.parent
    return hash_of({path.name: file_hash(path) for path in sorted(folder.glob("*.py"))})


def file_hash(path: Path) -> str:
    """sha256 of a file's content; a missing file is reported by its loader, so it hashes to nothing
    here.
    """
    import hashlib

    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


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


def identity_of(predictor: Chosen) -> tuple[str, str, str]:
    """What tells two choices of a predictor apart."""
    return predictor.entry.distribution, predictor.selection, predictor.entry.environment


def line(name: str, task: Entry) -> Chosen:
    """A reference line as a choice: it has no predictor behind it, the dataset gives its
    answers.
    """
    from kobench.specs import PredictorSpec

    spec = PredictorSpec(name, make="", summary="answers that the dataset gives")
    return Chosen(
        replace(task, spec=spec), {}, name, name, file_hash(Path(__file__).with_name("lines.py"))
    )
