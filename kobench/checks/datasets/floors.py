"""The check that the floors run on a data set and are scored."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from kobench.checks.datasets.tested import DatasetUnderTest
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.worker.checks.result import Wrong

#: Number of single knockouts that the floors are asked.
EVENTS = 2000


def floors_run(tested: DatasetUnderTest) -> str:
    """The floors of every task that it can be scored on run on it and are scored."""
    assert tested.dataset
    from kobench.runner.run import Run

    name = f"{tested.chosen.entry.distribution}/{tested.chosen.selection}"
    warnings: list[str] = []
    request = Request([name], [], events=EVENTS, splits=1)
    groups = make_plan(tested.registry, request, warnings.append)
    with TemporaryDirectory(prefix="kobench-check-") as folder:
        outcome = Run(Path(folder)).run(groups)
    for record in outcome.failed:
        raise Wrong(f"floor {record.trial.predictor.name}: {record.result.message}")
    scored = {
        label
        for record in outcome.records
        if record.role == "floor"
        for label in record.result.scores
    }
    tested.compared += len(scored)
    return f"{len(outcome.records)} floors and lines, scored on {', '.join(sorted(scored))}"
