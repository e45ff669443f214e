"""Getting answers for a trial: from a worker process, from a trusted floor in this process, or from
the dataset itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.cells import BoolArray
from kobench.errors import TrialFailed
from kobench.plugins.load import links_of, resolve
from kobench.question import Answers, Multiples, Profiles, Question, Responses, Singles, Transfers
from kobench.runner.keys import Trial
from kobench.runner.prepared import Prepared, answerable
from kobench.runner.request import device_kind
from kobench.specs import PredictorSpec
from kobench.supervisor.arrays import Expected
from kobench.supervisor.guard import expected_of, guard_answers
from kobench.supervisor.process import WorkerProcess
from kobench.truth.references import line_answers
from kobench.worker.failures import failure
from kobench.worker.predictor import Session
from kobench.worker.wire import write_arrays, write_cells

#: The arrays of each question set.
FIELDS = {
    "profile": ("profile",),
    "transfer": ("profile",),
    "singles": ("wild_type", "raw", "propagated", "rows", "gene_scores"),
    "response": ("response", "raw", "propagated", "gene_scores"),
    "doubles": ("interaction",),
    "triples": ("interaction",),
}

Log = Callable[[str, int, int], None]


@dataclass
class Answered:
    """Arrays answered by question set (with `supported`), what they cost, and where they were made
    (`ran`, for the record's run part).
    """

    arrays: dict[str, dict[str, Any]]
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    peak_mb: float | None = None
    ran: dict[str, Any] = field(default_factory=dict)


def context_of(trial: Trial, prepared: Prepared) -> dict[str, Any]:
    """What the predictor may know, as plain JSON."""
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


def get_answers(
    trial: Trial,
    prepared: Prepared,
    asks: Sequence[str],
    work: Path,
    log: Log | None = None,
    staged: bool = True,
) -> Answered:
    """Answers of one trial to the question sets `asks`; raises TrialFailed.

    `staged=False` hands over the cells with their expression before the profile is asked; it exists
    to show what the stages prevent.
    """
    answers, problem = trial.predictor.entry.spec.answers, trial.predictor.entry.problem
    if problem is not None:
        raise TrialFailed("failed", "import", problem.message, problem.traceback or None)
    if trial.role != "line" and not any(answerable(name, answers) for name in asks):
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
    if trial.role == "floor" and trial.predictor.entry.trusted:
        return answers_in_process(trial, prepared, ordered)
    return answers_of_worker(trial, prepared, ordered, work, log)


def answers_of_line(trial: Trial, prepared: Prepared, asks: Sequence[str]) -> Answered:
    """What the dataset itself answers: the truth, a replicate, a gene-oracle.

    None of them in a worker: they are made of the truth.
    """
    name_of_line = trial.predictor.entry.spec.name
    everything = np.ones(prepared.dataset.cells.n_vars, dtype=bool)
    arrays = {}
    for name in asks:
        given = line_answers(
            name_of_line, prepared.question(name), prepared.dataset, prepared.rows[1]
        )
        if given is not None:
            arrays[name] = {
                **{key: getattr(given, key) for key in FIELDS[name]},
                "supported": everything,
            }
    if not arrays:
        raise TrialFailed("unsupported", "line", "this dataset does not offer it")
    return Answered(arrays)


def answers_in_process(trial: Trial, prepared: Prepared, asks: Sequence[str]) -> Answered:
    """A floor, trusted and quick, through the same stages in this process.

    It is handed cells, never a truth.
    """
    entry, stage = trial.predictor.entry, "fit"
    context = Context(**context_of(trial, prepared))
    session = Session(
        resolve(entry),
        trial.predictor.params,
        entry.spec.answers,
        entry.spec.wants,
        context,
        entry.spec.max_order,
    )
    answered = Answered({})
    started = time.perf_counter()
    try:
        supported = session.fit(prepared.training)
        answered.fit_seconds = time.perf_counter() - started
        for stage in asks:
            question = prepared.question(stage)
            started = time.perf_counter()
            arrays = ask_session(session, question, supported)
            answered.predict_seconds += time.perf_counter() - started
            answered.arrays[stage] = {**arrays, "supported": supported}
    except Exception as error:
        what = failure(error)
        raise TrialFailed(what["status"], stage, what["message"], what["traceback"]) from error
    return answered


def ask_session(session: Session, question: Question, supported: BoolArray) -> dict[str, Any]:
    """The arrays with which a fitted session answers a question."""
    if isinstance(question, (Profiles, Transfers)):
        return {"profile": session.profile(question.assemblages)}
    if isinstance(question, Responses):
        rows = len(question.row_perturbation)
        return dict(
            vars(session.responses(question.cells, question.events, question.rows, rows, supported))
        )
    if isinstance(question, Multiples):
        return {"interaction": session.interactions(question.cells, question.events, supported)}
    return dict(vars(session.singles(question.cells, question.events, question.sample, supported)))


def answers_of_worker(
    trial: Trial, prepared: Prepared, asks: Sequence[str], work: Path, log: Log | None
) -> Answered:
    """A stranger's predictor in a process of its own.

    Each stage's answers are taken away before the next stage's data is laid out.
    """
    with working(trial, work, log) as worker:
        supported, arrays = fit_in(worker, trial, prepared), {}
        for name in asks:
            question, folder = prepared.question(name), worker.stage(name)
            worker.ask(name, **lay_out(question, folder, supported))
            given = {
                **worker.answers(name, expected_of(question, supported)),
                "supported": supported,
            }
            arrays[name] = guard_answers(
                name, given, question, trial.predictor.entry.spec.max_order
            )
        predict = sum(worker.seconds[name] for name in asks)
        return Answered(arrays, worker.seconds["fit"], predict, worker.peak_mb, ran_in(worker))


@contextmanager
def working(trial: Trial, work: Path, log: Log | None = None) -> Iterator[WorkerProcess]:
    """A process for the trial's predictor, with the limits and the sandbox that were asked for; a
    TrialFailed says where it ran.
    """
    entry, request = trial.predictor.entry, trial.request
    worker = WorkerProcess(
        work,
        request.threads,
        request.limits,
        log,
        interpreter=entry.interpreter,
        sandbox=request.sandbox,
        readable=tuple(Path(folder) for folder in request.readable),
        links=links_of(entry),
        cuda=device_kind(request.device) == "cuda",
        packages=tuple(entry.packages) if entry.interpreter else (),
    )
    try:
        with worker:
            yield worker
    except TrialFailed as ended:
        ended.ran = {**ran_in(worker), "peak_mb": worker.peak_mb or None}
        raise


def ran_in(worker: WorkerProcess) -> dict[str, Any]:
    """What a record's run part says of a worker."""
    environment, hello = None, worker.hello
    if worker.interpreter is not None:
        packages = {
            str(name)[:100]: str(version)[:100]
            for name, version in hello.get("packages", {}).items()
        }
        environment = {
            "name": worker.interpreter.environment or "",
            "python": hello.get("python", "unknown")[:100],
            "packages": packages,
        }
    return {"sandbox": worker.report, "output": worker.output_tail(), "environment": environment}


def lay_out(question: Question, folder: Path, supported: BoolArray) -> dict[str, Any]:
    """Write what a worker needs to answer a question into its stage's folder; returns what its
    request says beside that.
    """
    if isinstance(question, (Profiles, Transfers)):
        write_arrays(folder, {"assemblages": question.assemblages})
        return {}
    write_cells(folder, question.cells)
    write_arrays(folder, {"supported": supported})
    if isinstance(question, Responses):
        for i, (events, rows) in enumerate(zip(question.events, question.rows, strict=True)):
            write_arrays(
                folder, {f"genes{i}": events.genes, f"cells{i}": events.cells, f"rows{i}": rows}
            )
        return {"batches": len(question.events), "rows": len(question.row_perturbation)}
    write_arrays(folder, {"genes": question.events.genes, "cells": question.events.cells})
    if isinstance(question, Singles):
        write_arrays(folder, {"sample": question.sample})
    return {}


def fit_in(worker: WorkerProcess, trial: Trial, prepared: Prepared) -> BoolArray:
    """Fit the trial's predictor in a worker; which genes (G,) it can remove. Raises TrialFailed."""
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
    supported: BoolArray | None = worker.answers(
        "fit", {"supported": Expected((prepared.dataset.cells.n_vars,), boolean=True)}
    )["supported"]
    if supported is None:
        raise TrialFailed(
            "failed", "fit", "the worker's answers are gone: something removed or moved its folder"
        )
    return supported


def as_answers(arrays: dict[str, Any], spec: PredictorSpec | None = None) -> Answers:
    """Stored arrays as what a task sees; `spec` says what a predictor's response means and how many
    genes it can remove at once.
    """
    names = dict.fromkeys(name for fields in FIELDS.values() for name in fields)
    given: dict[str, Any] = {name: arrays.get(name) for name in (*names, "supported")}
    if spec is None:
        return Answers(**given)
    kind = spec.response if "response" in spec.answers else "profile-change"
    return Answers(**given, max_order=spec.max_order, response_kind=kind)
