"""The same questions asked twice: directly, in the process that fitted, and stage by stage through
files, as a run asks a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.cells import Cells, Knockouts
from kobench.worker.checks.checks import run_checks
from kobench.worker.checks.kit import ASKED, doubles_of, example_cells
from kobench.worker.checks.result import CheckResult
from kobench.worker.predictor import Session
from kobench.worker.wire import write_arrays, write_cells

#: What a fit is told beside its scratch folder.
CONTEXT: dict[str, Any] = {"seed": 0, "threads": 1, "device": "cpu", "scale": "linear"}

#: The arrays of each stage.
FIELDS = {
    "profile": ("profile",),
    "singles": ("wild_type", "raw", "propagated", "rows", "gene_scores"),
    "response": ("response", "raw", "propagated", "gene_scores"),
    "doubles": ("interaction",),
}


class Questions:
    """Everything that a run can ask, about the made-up cells: the stages in the order of a run."""

    def __init__(self, supported: Any) -> None:
        cells = example_cells(0)
        self.training, self.asked = cells[: cells.n_obs - ASKED], cells[cells.n_obs - ASKED :]
        self.supported = supported
        self.assemblages = self.asked.assemblages()
        self.events = Knockouts.singles(self.assemblages)
        self.sample = np.arange(0, len(self.events), 3)
        self.removed, self.rows = np.unique(self.events.genes[:, 0], return_inverse=True)
        self.doubles = doubles_of(self.assemblages, np.ones(cells.n_vars, bool))

    def lay_out(self, stage: str, folder: Path) -> dict[str, Any]:
        """Write what a worker needs for a stage into its folder; returns what its request says
        beside that.
        """
        if stage == "profile":
            write_arrays(folder, {"assemblages": self.assemblages})
            return {}
        events = self.doubles if stage == "doubles" else self.events
        write_cells(folder, self.asked)
        if stage == "response":
            write_arrays(
                folder,
                {
                    "supported": self.supported,
                    "genes0": events.genes,
                    "cells0": events.cells,
                    "rows0": self.rows,
                },
            )
            return {"batches": 1, "rows": len(self.removed)}
        write_arrays(
            folder,
            {
                "supported": self.supported,
                "genes": events.genes,
                "cells": events.cells,
                "sample": self.sample,
            },
        )
        return {}

    def ask(self, stage: str, session: Session) -> Mapping[str, Any]:
        """The same of a session at hand."""
        if stage == "profile":
            return {"profile": session.profile(self.assemblages)}
        if stage == "singles":
            return vars(session.singles(self.asked, self.events, self.sample, self.supported))
        if stage == "response":
            return vars(
                session.responses(
                    self.asked, [self.events], [self.rows], len(self.removed), self.supported
                )
            )
        return {"interaction": session.interactions(self.asked, self.doubles, self.supported)}


def training_cells() -> Cells:
    """The cells on which both are fitted."""
    return Questions(None).training


def direct_answers(
    make: Callable[..., Any], request: Mapping[str, Any], scratch: Path
) -> dict[str, Any]:
    """What a predictor fitted in this process answers: {"stage.field": array}, with
    "fit.supported".
    """
    context = Context(**CONTEXT, scratch=scratch)
    session = Session(
        make,
        request["params"],
        request["answers"],
        request["wants"],
        context,
        request.get("max_order"),
    )
    supported = session.fit(training_cells())
    questions = Questions(supported)
    found = {
        f"{stage}.{name}": values
        for stage in FIELDS
        for name, values in questions.ask(stage, session).items()
    }
    return {
        "fit.supported": supported,
        **{name: values for name, values in found.items() if values is not None},
    }


def checks_of_request(
    make: Callable[..., Any], request: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """What a worker does when it is asked for the checks: one {name, status, found} each, then the
    direct answers, written to files.

    They are left out where a check says already that there are none; the harness then has nothing
    to compare a worker's with.
    """
    declared = {name: request[name] for name in ("order_matters", "max_order") if name in request}
    for result in run_checks(
        lambda: make(**request["params"]), request["answers"], request["wants"], **declared
    ):
        yield dict(vars(result))
    try:
        write_arrays(Path(request["out"]), direct_answers(make, request, Path(request["scratch"])))
    except (Exception, SystemExit) as error:
        found = (
            "not run: there is nothing to compare with, as asked directly it raised"
            f" {type(error).__name__}: {error}"
        )
        yield dict(vars(CheckResult("survives-worker", "failed", found[:500])))
