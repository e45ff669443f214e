"""All that a record says of its trial, as plain values in the order in which a reader asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kobench.board.sections.provenance import open_in
from kobench.results.parts import Record, TaskScores
from kobench.results.records import identity
from kobench.show.again import again, unsure
from kobench.show.find import keeping_units, tasks_of
from kobench.show.units import worst_first
from kobench.supervisor.limits import FLAGS


def facts(
    record: Record, folder: Path, task: str = "", others: Iterable[Record] = ()
) -> dict[str, Any]:
    """What `kobench show --json` prints of one trial.

    Parameters
    ----------
    record : Record
        The record.
    folder : Path
        The folder that it lies in.
    task : str
        Name or label of the one task that is shown; "" for all.
    others : iterable of Record
        All records of the folder, among which one of the same row may keep single units.
    """
    trial, result, run = record.trial, record.result, record.run
    shown = tasks_of(record, task)
    tasks = {label: task_of(result.scores.get(label)) for label in shown}
    for label, found in tasks.items():
        found["unranked"] = unranked_of(record, label)
    kept = any(found.get("units") for found in tasks.values())
    return {
        "record": identity(trial),
        "folder": str(folder),
        "role": record.role,
        "predictor": trial.predictor.selection,
        "dataset": trial.dataset.selection,
        "split": trial.split.to_json(),
        "fit_seed": trial.fit_seed,
        "status": result.status,
        "stage": result.stage,
        "message": result.message,
        "found": run.found,
        "traceback": (result.traceback or "").splitlines(),
        "output": (run.output or "").splitlines(),
        "used": {
            "fit_seconds": run.fit_seconds,
            "predict_seconds": run.predict_seconds,
            "peak_mb": run.peak_mb,
        },
        "limits": None if run.limits is None else run.limits.to_json(),
        "sandbox": sandbox_of(record),
        "versions": versions_of(record),
        "machine": {"host": run.host, "platform": run.platform, "started": run.started},
        "tasks": tasks,
        "units_in": "" if kept else keeping_units(others, record, task),
        "again": again(record, folder, task),
        "unsure": unsure(record),
    }


def sandbox_of(record: Record) -> dict[str, Any] | None:
    """The sandbox of a trial; None where no process was started."""
    sandbox = record.run.sandbox
    if sandbox is None:
        return None
    return {
        "mode": sandbox.mode,
        "open": open_in(record),
        "missing": {layer: why for layer, why in sandbox.layers.items() if why is not True},
        "readable": list(sandbox.readable),
    }


def versions_of(record: Record) -> dict[str, Any]:
    """The versions of all that a trial was made with."""
    run, predictor = record.run, record.trial.predictor
    environment = run.environment
    return {
        "kobench": run.kobench,
        "python": run.python if environment is None else environment.python,
        "environment": None if environment is None else environment.name,
        "lock": None if environment is None else environment.lock,
        "predictor": {
            "distribution": predictor.distribution,
            "version": predictor.version,
            "code": predictor.digest,
        },
        "dataset": record.trial.dataset.version,
        "packages": dict((run.packages if environment is None else environment.packages) or {}),
    }


def task_of(scores: TaskScores | None) -> dict[str, Any]:
    """The scores of a task, and its single units, worst first."""
    if scores is None:
        return {"scores": {}, "primary": [], "missing": {}, "answered": 0, "asked": None}
    found = worst_first(scores)
    values = {name: one.value for name, one in scores.metrics.items() if one.value is not None}
    missing = {name: one.missing for name, one in scores.metrics.items() if one.missing}
    units: Mapping[str, Any] | None = None
    if found is not None:
        rows = [list(row) for row in found.rows]
        units = {"of": found.what, "by": found.by, "columns": list(found.columns), "rows": rows}
    return {
        "scores": values,
        "primary": list(scores.primary),
        "missing": missing,
        "answered": scores.answered,
        "asked": scores.asked,
        "units": units,
    }


def unranked_of(record: Record, label: str) -> str:
    """Why nobody is ranked by a task of a record; "" where somebody can be."""
    about = record.about.tasks.get(label) if record.about else None
    return about.unranked if about else ""


def used_of(known: Mapping[str, Any]) -> str:
    """What a trial used, and what it might have, in one line.

    >>> used_of({"used": {"fit_seconds": 2.0, "predict_seconds": 0.25, "peak_mb": 210.4},
    ...     "limits": {"seconds": 3600.0, "memory_mb": None, "processes": 64, "written_mb": 8192}})
    '2.25 s (fit 2, answers 0.25) of 3,600 s; 210 MB of any; 64 processes; 8,192 MB written'
    """
    used, limits = known["used"], known["limits"] or dict.fromkeys(FLAGS)
    if all(value is None for value in used.values()):
        return "not measured, as it was not run in a process of its own"
    fit, answers = used["fit_seconds"], used["predict_seconds"]
    parts = [f"fit {number(fit)}"] if fit is not None else []
    parts += [f"answers {number(answers)}"] if answers is not None else []
    took = f"{number((fit or 0) + (answers or 0))} s ({', '.join(parts)})" if parts else ""
    most = {name: "any" if value is None else f"{value:,.0f}" for name, value in limits.items()}
    seconds = "any" if limits["seconds"] is None else f"{most['seconds']} s"
    memory = "any" if limits["memory_mb"] is None else f"{most['memory_mb']} MB"
    peak = "" if used["peak_mb"] is None else f"{used['peak_mb']:,.0f} MB"
    return "; ".join(
        [
            f"{took} of {seconds}" if took else f"time not measured, of {seconds}",
            f"{peak} of {memory}" if peak else f"memory not measured, of {memory}",
            f"{most['processes']} processes",
            f"{most['written_mb']} MB written",
        ]
    )


def number(value: Any) -> str:
    """A value of a table, short.

    >>> number(0.123456), number(1210), number(True), number(None)
    ('0.123', '1,210', 'yes', '-')
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.3g}"
    return str(value)
