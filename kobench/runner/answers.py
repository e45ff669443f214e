"""The answers of a trial: from a worker, from a floor in this process, or from the dataset."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.cells import BoolArray
from kobench.environments.environment import read
from kobench.errors import TrialFailed, UserError
from kobench.plugins.load import links_of, resolve
from kobench.question import SETS, Answers
from kobench.runner.keys import Trial
from kobench.runner.prepared import Prepared
from kobench.runner.reach import Hidden
from kobench.runner.request import device_kind
from kobench.specs import PredictorSpec
from kobench.supervisor.arrays import Expected
from kobench.supervisor.guard import expected_arrays, guard_answers
from kobench.supervisor.process import WorkerProcess, answers_gone
from kobench.supervisor.settings import WorkerSettings
from kobench.truth.references import line_answers
from kobench.worker.answers import ANSWER
from kobench.worker.derive import source_of
from kobench.worker.failures import failure
from kobench.worker.predictor import Recipe, fit_predictor
from kobench.worker.protocol import write_payload
from kobench.worker.wire import write_cells

Log = Callable[[str, int, int], None]


@dataclass
class Answered:
    """What was answered, what it cost, and where it was made.

    Attributes
    ----------
    arrays : dict
        By question set the arrays that answer it, by name, with `supported` (G,) among them.
    fit_seconds, predict_seconds : float
        Seconds by the harness's clock.
    peak_mb : float or None
        Memory of the whole process tree, where it had one of its own.
    ran : dict
        For the record's run part: sandbox, output, environment.
    """

    arrays: dict[str, dict[str, Any]]
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    peak_mb: float | None = None
    ran: dict[str, Any] = field(default_factory=dict)


def answerable(name: str, answers: Sequence[str]) -> bool:
    """Whether a predictor that gives these answer kinds can say anything to a question set."""
    return any(source_of(kind, answers) is not None for kind in SETS[name].needs)


def get_answers(
    trial: Trial,
    prepared: Prepared,
    asks: Sequence[str],
    work: Path,
    log: Log | None = None,
    staged: bool = True,
    hidden: Hidden | None = None,
    processors: tuple[int, ...] = (),
    asks_next: Callable[[str], None] = lambda _: None,
) -> Answered:
    """The answers of one trial.

    Parameters
    ----------
    trial : Trial
        Whose answers.
    prepared : Prepared
        Its dataset and split.
    asks : sequence of str
        The question sets, in the order of `SETS`.
    work : Path
        The folder in which a worker gets one of its own.
    log : callable or None
        Is told of progress: message, done, total.
    staged : bool
        False asks in the opposite order, so that a predictor has seen the expression of the asked
        cells before the profile is asked. It exists to show what the stages prevent.
    hidden : Hidden or None
        What a worker must not read.
    processors : tuple of int
        On which processors it computes; none where on any.
    asks_next : callable
        Is called with each question set before a worker is handed its question.

    Raises
    ------
    TrialFailed
        Where the trial ends early, with the status and stage that its record gets.
    """
    entry = trial.predictor.entry
    if entry.problem is not None:
        traceback = entry.problem.traceback or None
        raise TrialFailed("failed", "import", entry.problem.message, traceback)
    answers = entry.spec.answers
    if trial.role != "line" and not any(answerable(name, answers) for name in trial.asks):
        wanted = ", ".join(task.spec.label for task in trial.tasks)
        raise TrialFailed(
            "unsupported",
            "plan",
            f"it answers {', '.join(answers) or 'nothing'}, from which none of {wanted} can be"
            " derived",
        )
    ordered = tuple(asks) if staged else tuple(reversed(asks))
    if trial.role == "line":
        return answers_of_line(trial, prepared, ordered)
    if trial.role == "floor" and entry.trusted:
        return answers_in_process(trial, prepared, ordered)
    with worker_of(trial, work, log, hidden, processors) as worker:
        return answers_of_worker(trial, prepared, ordered, worker, asks_next)


def answers_of_line(trial: Trial, prepared: Prepared, asks: Sequence[str]) -> Answered:
    """What the dataset itself answers. It is made of the truth, so it is made in this process."""
    line = trial.predictor.entry.spec.name
    everything = np.ones(prepared.dataset.cells.n_vars, dtype=bool)
    arrays = {}
    for name in asks:
        given = line_answers(line, name, prepared.question(name), prepared.material)
        if given is not None:
            answered = {key: getattr(given, key) for key in SETS[name].arrays}
            arrays[name] = {**answered, "supported": everything}
    if not arrays:
        raise TrialFailed("unsupported", "line", "this dataset does not offer it")
    return Answered(arrays)


def answers_in_process(trial: Trial, prepared: Prepared, asks: Sequence[str]) -> Answered:
    """A floor's answers: trusted and quick, through the same stages in this process.

    It is handed payloads, never a truth.
    """
    spec = trial.predictor.entry.spec
    recipe = Recipe(
        resolve(trial.predictor.entry),
        trial.predictor.params,
        spec.answers,
        spec.wants,
        spec.max_order,
    )
    context = Context(**context_of(trial, prepared))
    stage, answered = "fit", Answered({})
    try:
        started = time.perf_counter()
        fitted = fit_predictor(recipe, prepared.training, context)
        answered.fit_seconds = time.perf_counter() - started
        for stage in asks:
            asked = prepared.question(stage).payload()
            started = time.perf_counter()
            arrays = ANSWER[stage](fitted, asked)
            answered.predict_seconds += time.perf_counter() - started
            answered.arrays[stage] = {**arrays, "supported": fitted.supported}
    except Exception as error:
        what = failure(error)
        raise TrialFailed(what["status"], stage, what["message"], what["traceback"]) from error
    return answered


def answers_of_worker(
    trial: Trial,
    prepared: Prepared,
    asks: Sequence[str],
    worker: WorkerProcess,
    asks_next: Callable[[str], None] = lambda _: None,
) -> Answered:
    """A stranger's answers, from a process of its own.

    Each stage's answers are taken away before the next stage's data is laid out.
    """
    max_order = trial.predictor.entry.spec.max_order
    supported = fit_in(worker, trial, prepared)
    arrays: dict[str, dict[str, Any]] = {}
    try:
        for name in asks:
            question = prepared.question(name)
            asks_next(name)
            write_payload(worker.stage(name), question.payload())
            worker.ask(name)
            given = worker.answers(name, expected_arrays(question.shapes(supported)))
            guard_answers(name, given, question, supported, max_order)
            arrays[name] = {**given, "supported": supported}
    except TrialFailed as ended:
        ended.given = arrays
        raise
    predict = sum(worker.seconds[name] for name in asks)
    return Answered(arrays, worker.seconds["fit"], predict, worker.peak_mb, ran_in(worker))


@contextmanager
def worker_of(
    trial: Trial,
    work: Path,
    log: Log | None = None,
    hidden: Hidden | None = None,
    processors: tuple[int, ...] = (),
) -> Iterator[WorkerProcess]:
    """A process for the trial's predictor, with the limits and the sandbox that were asked for.

    A TrialFailed that is raised inside says where it ran.
    """
    entry, request = trial.predictor.entry, trial.request
    settings = WorkerSettings(
        request.threads,
        request.limits,
        interpreter=entry.interpreter,
        sandbox=request.sandbox,
        readable=tuple(Path(folder) for folder in request.readable),
        hidden=(hidden or Hidden()).of(entry),
        links=links_of(entry),
        cuda=device_kind(request.device) == "cuda",
        packages=tuple(entry.packages) if entry.interpreter else (),
        jobs=request.jobs,
        processors=processors,
    )
    worker = WorkerProcess(work, settings, log)
    try:
        with worker:
            yield worker
    except TrialFailed as ended:
        ended.ran = {**ran_in(worker), "peak_mb": worker.peak_mb or None}
        raise


def fit_in(worker: WorkerProcess, trial: Trial, prepared: Prepared) -> BoolArray:
    """Fit the trial's predictor in a worker.

    Returns
    -------
    (G,) bool
        The genes that it can remove.

    Raises
    ------
    TrialFailed
        Where the fit fails, or its answer is gone.
    """
    entry = trial.predictor.entry
    write_cells(worker.stage("fit"), prepared.training)
    worker.ask(
        "fit",
        make=entry.spec.make,
        plugin_file=entry.plugin_file,
        params=dict(trial.predictor.params),
        answers=list(entry.spec.answers),
        wants=entry.spec.wants,
        max_order=entry.spec.max_order,
        context=context_of(trial, prepared),
    )
    one_a_gene = Expected((prepared.dataset.cells.n_vars,), boolean=True)
    supported: BoolArray | None = worker.answers("fit", {"supported": one_a_gene})["supported"]
    if supported is None:
        raise answers_gone("fit")
    return supported


def context_of(trial: Trial, prepared: Prepared) -> dict[str, Any]:
    """What a predictor may know of its trial, as plain JSON; see `kobench.api.Context`."""
    dataset, request = prepared.dataset, trial.request
    return {
        "seed": trial.fit_seed,
        "threads": request.threads,
        "device": request.device,
        "deadline": request.limits.seconds,
        "scale": dataset.scale,
        "batch_key": dataset.batch_key,
        "cell_type_key": dataset.cell_type_key,
    }


#: What a package and a version may look like, and how many packages are kept.
PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
VERSION = re.compile(r"[0-9][A-Za-z0-9.+!_-]{0,39}")
MOST_PACKAGES = 100


def ran_in(worker: WorkerProcess) -> dict[str, Any]:
    """What a record's run part says of a worker.

    Versions are what the worker says they are: code of its environment may say it in its place. So
    only what looks like names and versions is kept, and no sentence gets onto a board.
    """
    environment, hello, interpreter = None, worker.hello, worker.settings.interpreter
    if interpreter is not None:
        packages, python = hello.get("packages", {}), str(hello.get("python", ""))
        environment = {
            "name": interpreter.environment or "",
            "python": python if VERSION.fullmatch(python) else "unknown",
            "packages": {
                name: str(version)
                for name, version in [*packages.items()][:MOST_PACKAGES]
                if PACKAGE.fullmatch(name) and VERSION.fullmatch(str(version))
            },
            "lock": lock_of(interpreter.environment),
        }
    return {"sandbox": worker.report, "output": worker.output_tail(), "environment": environment}


def lock_of(environment: str | None) -> str | None:
    """The sha256 of an environment's lock file; None where it has none."""
    with suppress(UserError):
        return read(environment or "").about.get("lock")
    return None


def as_answers(arrays: Mapping[str, Any], spec: PredictorSpec | None = None) -> Answers:
    """Stored arrays as what a task sees.

    Parameters
    ----------
    arrays : mapping of str to array or None
        The arrays that answer one question set, with `supported`.
    spec : PredictorSpec or None
        Says what the predictor's response means and how many genes it can remove at once; None for
        a reference line.
    """
    if spec is None:
        return Answers.of_arrays(arrays)
    return Answers.of_arrays(arrays, max_order=spec.max_order, response_kind=spec.meaning)
