"""Getting answers for a trial: from a worker process, from a trusted floor in this process, or from the dataset itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.cells import BoolArray, IntArray, Knockouts
from kobench.derive import SUM_TOLERANCE
from kobench.lines import line_answers
from kobench.plan import Trial
from kobench.plugins import resolve
from kobench.prepare import Prepared, answerable
from kobench.process import TrialFailed, WorkerProcess
from kobench.session import Session
from kobench.truth import Answers, Profiles
from kobench.wire import write_arrays, write_cells
from kobench.worker import failure

#: The arrays of each question set.
FIELDS = {"profile": ("profile",), "singles": ("wild_type", "raw", "propagated", "rows", "gene_scores")}

Log = Callable[[str, int, int], None]


@dataclass
class Answered:
    """Arrays answered by question set (with `supported`), and what they cost."""

    arrays: dict[str, dict[str, Any]]
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    peak_mb: float | None = None


def context_of(trial: Trial, prepared: Prepared) -> dict[str, Any]:
    """What the predictor may know, as plain JSON."""
    dataset, request = prepared.dataset, trial.request
    return {
        "seed": trial.fit_seed,
        "threads": request.threads,
        "device": request.device,
        "deadline": request.timeout,
        "scale": dataset.scale,
        "batch_key": dataset.batch_key,
        "cell_type_key": dataset.cell_type_key,
    }


def get_answers(trial: Trial, prepared: Prepared, asks: Sequence[str], work: Path, log: Log | None = None, staged: bool = True,
                stop: Callable[[], bool] = lambda: False) -> Answered:  # fmt: skip
    """Answers of one trial to the question sets `asks`; raises TrialFailed.

    `staged=False` hands over the cells with their expression before the profile is asked; it exists to show what the stages prevent.
    """
    answers = trial.predictor.entry.spec.answers
    if trial.role != "line" and not any(answerable(name, answers) for name in asks):
        wanted = ", ".join(task.spec.label for task in trial.tasks)
        raise TrialFailed(
            "unsupported", "plan", f"it answers {', '.join(answers) or 'nothing'}, from which none of {wanted} can be derived"
        )
    ordered = tuple(asks) if staged else tuple(reversed(asks))
    if trial.role == "line":
        return answers_of_line(trial, prepared, ordered)
    if trial.role == "floor" and trial.predictor.entry.trusted:
        return answers_in_process(trial, prepared, ordered)
    return answers_of_worker(trial, prepared, ordered, work, log, stop)


def answers_of_line(trial: Trial, prepared: Prepared, asks: Sequence[str]) -> Answered:
    """What the dataset itself answers: the truth, a replicate, a gene-oracle. None of them in a worker: they are made of the truth."""
    name_of_line = trial.predictor.entry.spec.name
    everything = np.ones(prepared.dataset.cells.n_vars, dtype=bool)
    arrays = {}
    for name in asks:
        given = line_answers(name_of_line, prepared.question(name), prepared.dataset, prepared.rows[1])
        if given is not None:
            arrays[name] = {**{key: getattr(given, key) for key in FIELDS[name]}, "supported": everything}
    if not arrays:
        raise TrialFailed("unsupported", "line", "this dataset does not offer it")
    return Answered(arrays)


def answers_in_process(trial: Trial, prepared: Prepared, asks: Sequence[str]) -> Answered:
    """A floor, trusted and quick, through the same stages in this process. It is handed cells, never a truth."""
    entry, stage = trial.predictor.entry, "fit"
    context = Context(**context_of(trial, prepared))
    session = Session(resolve(entry), trial.predictor.params, entry.spec.answers, entry.spec.wants, context)
    answered = Answered({})
    started = time.perf_counter()
    try:
        supported = session.fit(prepared.training)
        answered.fit_seconds = time.perf_counter() - started
        for stage in asks:
            question = prepared.question(stage)
            started = time.perf_counter()
            if isinstance(question, Profiles):
                arrays: dict[str, Any] = {"profile": session.profile(question.assemblages)}
            else:
                arrays = vars(session.singles(question.cells, question.events, question.sample, supported))
            answered.predict_seconds += time.perf_counter() - started
            answered.arrays[stage] = {**arrays, "supported": supported}
    except Exception as error:
        what = failure(error)
        raise TrialFailed(what["status"], stage, what["message"], what["traceback"]) from error
    return answered


def answers_of_worker(trial: Trial, prepared: Prepared, asks: Sequence[str], work: Path, log: Log | None,
                      stop: Callable[[], bool]) -> Answered:  # fmt: skip
    """A stranger's predictor in a process of its own. Each stage's answers are taken away before the next stage's data is laid out."""
    with WorkerProcess(work, trial.request.threads, trial.request.timeout, log, stop) as worker:
        supported = fit_in(worker, trial, prepared)
        arrays = {}
        for name in asks:
            question, folder = prepared.question(name), worker.stage(name)
            if isinstance(question, Profiles):
                write_arrays(folder, {"assemblages": question.assemblages})
            else:
                write_cells(folder, question.cells)
                events = question.events
                write_arrays(folder, {"genes": events.genes, "cells": events.cells, "sample": question.sample, "supported": supported})
            worker.ask(name)
            given = {**worker.answers(name, FIELDS[name]), "supported": supported}
            if isinstance(question, Profiles):
                arrays[name] = guard(name, given, question.true.shape)
            else:
                arrays[name] = guard(name, given, question.cells.shape, question.events, question.sample)
        predict = sum(worker.seconds[name] for name in asks)
        return Answered(arrays, worker.seconds["fit"], predict, worker.peak_mb)


def fit_in(worker: WorkerProcess, trial: Trial, prepared: Prepared) -> BoolArray:
    """Fit the trial's predictor in a worker; which genes (G,) it can remove. Raises TrialFailed."""
    entry = trial.predictor.entry
    write_cells(worker.stage("fit"), prepared.training)
    worker.ask("fit", make=entry.spec.make, plugin_file=entry.plugin_file, params=dict(trial.predictor.params),
               answers=list(entry.spec.answers), wants=entry.spec.wants, context=context_of(trial, prepared))  # fmt: skip
    return as_supported(worker.answers("fit", ("supported",))["supported"], prepared.dataset.cells.n_vars)


def as_supported(values: Any, n_genes: int) -> BoolArray:
    """The answer to `supports` as the worker reported it; raises TrialFailed."""
    if values is None:
        raise TrialFailed("failed", "fit", "the worker's answers are gone: something removed or moved its folder")
    if values.dtype != bool or values.shape != (n_genes,):
        raise TrialFailed("invalid", "fit", f"supports came as {values.dtype} of shape {values.shape}; expected {n_genes} booleans")
    given: BoolArray = values
    return given


def guard(asks: str, arrays: dict[str, Any], shape: tuple[int, int], events: Knockouts | None = None,
          sample: IntArray | None = None) -> dict[str, Any]:  # fmt: skip
    """Check what came out of an untrusted process once more in this one; raises TrialFailed.

    shape : (n, G) of the asked assemblages for "profile", (m, G) of the asked cells for "singles", which needs events and sample, too.
    Only what was not asked (events of genes not supported) may be NaN.
    """
    n_rows, n_genes = shape
    profiles = {"profile": np.zeros(n_rows, dtype=bool)}
    numbers: dict[str, BoolArray] = {}
    if asks == "singles":
        assert events is not None
        assert sample is not None
        unasked = ~arrays["supported"][events.genes].all(axis=1)
        asked_genes = np.zeros(n_genes, dtype=bool)
        asked_genes[events.genes[~unasked]] = True
        profiles = {"wild_type": np.zeros(n_rows, dtype=bool), "rows": unasked[sample]}
        numbers = {"raw": unasked, "propagated": unasked, "gene_scores": ~asked_genes}
    for name, may_be_nan in {**profiles, **numbers}.items():
        values, expected = arrays.get(name), (len(may_be_nan), n_genes) if name in profiles else (len(may_be_nan),)
        if values is None:
            continue
        if values.dtype.kind != "f" or values.shape != expected:
            raise TrialFailed(
                "invalid", asks, f"{name} came as {values.dtype} of shape {values.shape}; expected floats of shape {expected}"
            )
        asked = values[~may_be_nan]
        if not np.isfinite(asked).all():
            raise TrialFailed("invalid", asks, f"{name} holds values that are not finite")
        if name != "gene_scores" and asked.size and asked.min() < 0:
            raise TrialFailed("invalid", asks, f"{name} holds {asked.min():.6g}; expected values >= 0")
        if name in profiles and (np.abs(asked.sum(axis=1, dtype=np.float64) - 1) > SUM_TOLERANCE).any():
            raise TrialFailed("invalid", asks, f"{name} holds rows that do not sum to 1")
        if name == "rows" and events is not None and sample is not None:
            removed = np.take_along_axis(asked, events.genes[sample][~may_be_nan].astype(np.intp), axis=1)
            if removed.any():
                raise TrialFailed("invalid", asks, f"{name} holds {removed.max():.6g} at a removed gene; expected 0")
    return arrays


def as_answers(arrays: dict[str, Any]) -> Answers:
    """Stored arrays as what a task sees."""
    return Answers(**{name: arrays.get(name) for name in (*FIELDS["profile"], *FIELDS["singles"], "supported")})
