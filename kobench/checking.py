"""The contract's checks on a predictor in a process of its own, as `kobench check` runs them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kobench.errors import UserError
from kobench.plan import Chosen
from kobench.process import TrialFailed, WorkerProcess


def check_in_child(chosen: Chosen, timeout: float | None = None, threads: int = 1) -> list[dict[str, Any]]:
    """One {name, status, found} for each check, in their order; a predictor that ends its process fails the check it was in.

    Raises UserError where the process can't be used at all, for instance because the predictor's module can't be imported.
    """
    entry = chosen.entry
    with TemporaryDirectory(prefix="kobench-") as work, WorkerProcess(Path(work), threads, timeout) as worker:
        ended = None
        try:
            worker.ask("check", make=entry.spec.make, plugin_file=entry.plugin_file, params=dict(chosen.params),
                       answers=list(entry.spec.answers), wants=entry.spec.wants)  # fmt: skip
        except TrialFailed as failed:
            ended = failed
        results = [{key: said[key] for key in ("name", "status", "found")} for said in worker.said]
    if ended is not None and not results and ended.traceback and "resolve_reference" in ended.traceback:
        raise UserError(f"{entry.full_name} can't be loaded: {ended.message}")
    if ended is not None:
        results.append({"name": "survives", "status": "failed", "found": f"{ended.message}; {len(results)} checks came before"})
    return results
