"""Checks a predictor in worker processes, sandboxed as in a run.

One worker runs the checks of `kobench.worker.checks`. A second one is asked stage by stage, as in a
run, and must answer what the predictor answers when it is asked directly.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kobench.errors import TrialFailed, UserError
from kobench.plugins.chosen import Chosen
from kobench.plugins.hidden import kept_from
from kobench.plugins.in_harness import refuse_code_here
from kobench.plugins.load import links_of
from kobench.question import SETS
from kobench.supervisor.limits import Limits
from kobench.supervisor.process import WorkerProcess
from kobench.supervisor.settings import WorkerSettings
from kobench.worker.checks.deviation import SAME_ABSOLUTE, SAME_RELATIVE, further
from kobench.worker.checks.stages import (
    CONTEXT,
    arrays_of_stages,
    example_questions,
    training_cells,
)
from kobench.worker.protocol import write_payload
from kobench.worker.wire import write_cells

#: One check's {"name", "status", "found"}, as `kobench check --json` prints it.
Result = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """How the processes of checks are started.

    Attributes
    ----------
    limits : Limits
        Limits of each process.
    sandbox : str
        One of `kobench.sandbox.MODES`.
    readable : tuple of str
        Folders that they may read beside their own.
    cards : tuple of path
        Folders of dataset cards beside the usual ones, whose files they must not read.
    """

    limits: Limits = field(default_factory=lambda: Limits(seconds=600))
    sandbox: str = "auto"
    readable: tuple[str, ...] = ()
    cards: tuple[str | os.PathLike[str], ...] = ()


def check_predictor(
    chosen: Chosen, setting: Setting | None = None, threads: int = 1
) -> list[Result]:
    """Run the checks of a predictor in processes of their own.

    Parameters
    ----------
    chosen : Chosen
        The predictor with its parameters.
    setting : Setting, optional
        How the processes are started.
    threads : int
        Number of threads that each may use.

    Returns
    -------
    list of dict
        One {"name", "status", "found"} a check, in their order. The last one, "survives-worker", is
        asked of a second process. A predictor that ends its process fails the check "survives".

    Raises
    ------
    UserError
        If the predictor can't be tested at all, for instance because its module can't be imported,
        or because a required sandbox can't hold its distribution.
    """
    setting, entry = setting or Setting(), chosen.entry
    refuse_code_here(entry, setting.sandbox)
    if entry.problem is not None:
        return [failed_check("loads", entry.problem.message)]
    arrays = tuple(
        f"{stage}.{name}" for stage, names in arrays_of_stages().items() for name in names
    )
    direct: dict[str, Any] = {}
    ended = None
    with (
        TemporaryDirectory(prefix="kobench-") as work,
        worker_for(chosen, Path(work), setting, threads) as worker,
    ):
        try:
            declared = {"order_matters": entry.spec.order_matters, "prior": entry.spec.prior}
            worker.ask("check", **request_of(chosen), **declared)
            direct = _given(worker.answers("check", arrays))
        except TrialFailed as failed:
            ended = failed
        results = [
            {key: str(said.get(key)) for key in ("name", "status", "found")} for said in worker.said
        ]
    if ended is not None:
        if not results and ended.traceback and "resolve_reference" in ended.traceback:
            raise UserError(f"{entry.full_name} can't be loaded: {ended}")
        return [*results, failed_check("survives", f"{ended}; {len(results)} checks came before")]
    return [*results, survives_worker(chosen, direct, setting, threads)] if direct else results


def worker_for(chosen: Chosen, work: Path, setting: Setting, threads: int) -> WorkerProcess:
    """A worker process for a predictor, in the predictor's own environment where it has one."""
    entry = chosen.entry
    settings = WorkerSettings(
        threads,
        setting.limits,
        interpreter=entry.interpreter,
        sandbox=setting.sandbox,
        readable=tuple(Path(folder) for folder in setting.readable),
        hidden=(*kept_from(entry.interpreter, setting.cards), *entry.caches),
        links=links_of(entry),
    )
    return WorkerProcess(work, settings)


def request_of(chosen: Chosen) -> dict[str, Any]:
    """What a worker needs to know of a predictor to make it."""
    spec = chosen.entry.spec
    return {
        "make": spec.make,
        "plugin_file": chosen.entry.plugin_file,
        "params": dict(chosen.params),
        "answers": list(spec.answers),
        "wants": spec.wants,
        "max_order": spec.max_order,
    }


def failed_check(name: str, found: str) -> Result:
    """A check that failed."""
    return {"name": name, "status": "failed", "found": found}


def survives_worker(
    chosen: Chosen, direct: Mapping[str, Any], setting: Setting, threads: int
) -> Result:
    """Compare what a predictor answers stage by stage through files with its direct answers.

    Parameters
    ----------
    chosen : Chosen
        The predictor with its parameters.
    direct : mapping of str to array
        What it answers directly; see `kobench.worker.checks.stages.direct_answers`.
    setting, threads
        See `check_predictor`.

    Returns
    -------
    dict
        The check "survives-worker": passed where floats agree to 1e-4 and all else is equal.
    """
    name = "survives-worker"
    try:
        with (
            TemporaryDirectory(prefix="kobench-") as work,
            worker_for(chosen, Path(work), setting, threads) as worker,
        ):
            staged = staged_answers(chosen, worker)
    except TrialFailed as ended:
        return failed_check(name, f"in a worker of its own it ended in {ended.stage}: {ended}")
    for array in sorted({*direct, *staged}):
        if array not in staged:
            return failed_check(name, f"{array} is answered directly and not by a worker")
        if array not in direct:
            return failed_check(name, f"{array} is answered by a worker and not directly")
        if not _equal(direct[array], staged[array]):
            return failed_check(
                name,
                f"{array} has other values when it is asked directly than in a worker of its own;"
                f" {further(direct[array], staged[array])}",
            )
    numbers = sum(np.size(values) for values in direct.values())
    found = f"{numbers} numbers in {len(direct)} arrays, as asked directly"
    return {"name": name, "status": "passed", "found": found}


def _equal(one: Any, other: Any) -> bool:
    """Whether two arrays agree; floats may differ as much as sums in another order."""
    if np.shape(one) != np.shape(other):
        return False
    if np.asarray(one).dtype.kind == "f":
        return bool(np.allclose(one, other, rtol=SAME_RELATIVE, atol=SAME_ABSOLUTE, equal_nan=True))
    return bool(np.array_equal(one, other))


def staged_answers(chosen: Chosen, worker: WorkerProcess) -> dict[str, Any]:
    """Ask a worker stage by stage through files, as a run does.

    Parameters
    ----------
    chosen : Chosen
        The predictor with its parameters.
    worker : WorkerProcess
        A fresh worker for it.

    Returns
    -------
    dict
        {"stage.field": array}, as `kobench.worker.checks.stages.direct_answers`.

    Raises
    ------
    TrialFailed
        If the worker ends early, or an answer is broken.
    """
    write_cells(worker.stage("fit"), training_cells())
    worker.ask("fit", **request_of(chosen), context=CONTEXT)
    supported = worker.answers("fit", ("supported",))["supported"]
    genes = training_cells().n_vars
    if supported is None or supported.dtype != bool or supported.shape != (genes,):
        raise TrialFailed("invalid", "fit", f"what supports answered came as no {genes} booleans")
    found = {"fit.supported": supported}
    for stage, question in example_questions().items():
        write_payload(worker.stage(stage), question.payload())
        worker.ask(stage)
        answers = _given(worker.answers(stage, SETS[stage].arrays))
        found.update({f"{stage}.{name}": values for name, values in answers.items()})
    return found


def _given(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays that were answered."""
    return {name: values for name, values in answers.items() if values is not None}
