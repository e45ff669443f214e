"""The contract's checks on a predictor in a process of its own, and whether a run's worker answers
what it answers directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kobench.errors import TrialFailed, UserError
from kobench.plugins.chosen import Chosen
from kobench.plugins.load import links_of
from kobench.question import SETS
from kobench.supervisor.limits import Limits
from kobench.supervisor.process import WorkerProcess
from kobench.supervisor.settings import WorkerSettings
from kobench.worker.checks.behaviour import SAME_ABSOLUTE, SAME_RELATIVE
from kobench.worker.checks.stages import (
    CONTEXT,
    arrays_of_stages,
    example_questions,
    training_cells,
)
from kobench.worker.protocol import write_payload
from kobench.worker.wire import write_cells

Result = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """How the processes of checks are started: their limits, one of `kobench.sandbox.MODES`, and
    what they may read beside their own.
    """

    limits: Limits = field(default_factory=lambda: Limits(seconds=600))
    sandbox: str = "auto"
    readable: tuple[str, ...] = ()


def check_in_child(
    chosen: Chosen, setting: Setting | None = None, threads: int = 1
) -> list[Result]:
    """One {name, status, found} for each check, in their order; a predictor that ends its process
    fails the check it was in.

    The last of them, "survives-worker", is asked of a second process, stage by stage as in a run.
    Raises UserError where the process can't be used at all, for instance because the predictor's
    module can't be imported.
    """
    setting, entry = setting or Setting(), chosen.entry
    if entry.problem is not None:
        return [failed_check("loads", entry.problem.message)]
    asked = {**request_of(chosen), "order_matters": entry.spec.order_matters}
    names = tuple(
        f"{stage}.{name}" for stage, names in arrays_of_stages().items() for name in names
    )
    direct: Mapping[str, Any] = {}
    with (
        TemporaryDirectory(prefix="kobench-") as work,
        worker_for(chosen, Path(work), setting, threads) as worker,
    ):
        ended = None
        try:
            worker.ask("check", **asked)
            direct = {
                name: values
                for name, values in worker.answers("check", names).items()
                if values is not None
            }
        except TrialFailed as failed:
            ended = failed
        results = [
            {key: str(said.get(key)) for key in ("name", "status", "found")} for said in worker.said
        ]
    if (
        ended is not None
        and not results
        and ended.traceback
        and "resolve_reference" in ended.traceback
    ):
        raise UserError(f"{entry.full_name} can't be loaded: {ended}")
    if ended is not None:
        return [*results, failed_check("survives", f"{ended}; {len(results)} checks came before")]
    return [*results, survives_worker(chosen, direct, setting, threads)] if direct else results


def worker_for(chosen: Chosen, work: Path, setting: Setting, threads: int) -> WorkerProcess:
    """A process for a chosen predictor, in its own environment where it has one."""
    entry = chosen.entry
    settings = WorkerSettings(
        threads,
        setting.limits,
        interpreter=entry.interpreter,
        sandbox=setting.sandbox,
        readable=tuple(Path(folder) for folder in setting.readable),
        links=links_of(entry),
    )
    return WorkerProcess(work, settings)


def request_of(chosen: Chosen) -> dict[str, Any]:
    """What a worker is told of a predictor."""
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
    """Fitted and asked stage by stage in a worker of its own, through files, it answers what it
    answers directly, to 1e-4 of it.

    direct : see `kobench.worker.checks.stages.direct_answers`.
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
    for field_name in sorted({*direct, *staged}):
        one, other = direct.get(field_name), staged.get(field_name)
        if one is None or other is None:
            there, missing = (
                ("directly", "by a worker") if other is None else ("by a worker", "directly")
            )
            return failed_check(name, f"{field_name} is answered {there} and not {missing}")
        if np.shape(one) != np.shape(other) or not _equal(one, other):
            return failed_check(
                name,
                f"{field_name} has other values when it is asked directly than in a worker of"
                " its own",
            )
    numbers = sum(np.size(values) for values in direct.values())
    return {
        "name": name,
        "status": "passed",
        "found": f"{numbers} numbers in {len(direct)} arrays, as asked directly",
    }


def _equal(one: Any, other: Any) -> bool:
    if np.asarray(one).dtype.kind == "f":
        return bool(np.allclose(one, other, rtol=SAME_RELATIVE, atol=SAME_ABSOLUTE, equal_nan=True))
    return bool(np.array_equal(one, other))


def staged_answers(chosen: Chosen, worker: WorkerProcess) -> dict[str, Any]:
    """What a worker answers, {"stage.field": array}, as `kobench.worker.checks.stages.direct_answers`;
    raises TrialFailed.
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
        for name, values in worker.answers(stage, SETS[stage].arrays).items():
            if values is not None:
                found[f"{stage}.{name}"] = values
    return found
