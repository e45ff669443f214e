"""The same questions asked twice: directly, in the process that fitted, and stage by stage through
files, as a run asks a worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.cells import Cells, Knockouts
from kobench.question import SETS, Multiples, Profiles, Question, Responses, Singles
from kobench.worker.answers import ANSWER
from kobench.worker.checks.catalogue import run_checks
from kobench.worker.checks.examples import ASKED, doubles_of, example_cells
from kobench.worker.checks.result import CheckResult
from kobench.worker.predictor import Recipe, fit_predictor
from kobench.worker.wire import write_arrays

#: What a fit is told beside its scratch folder.
CONTEXT: dict[str, Any] = {"seed": 0, "threads": 1, "device": "cpu", "scale": "linear"}


def training_cells() -> Cells:
    """The made-up cells on which both are fitted."""
    cells = example_cells(0)
    return cells[: cells.n_obs - ASKED]


def example_questions() -> dict[str, Question]:
    """A question of each kind about the made-up cells, in the order of a run.

    They have no truth: what is compared are the answers.
    """
    cells = example_cells(0)
    asked = cells[cells.n_obs - ASKED :]
    return {
        "profile": profiles_about(asked),
        "singles": singles_about(asked),
        "response": responses_about(asked),
        "doubles": doubles_about(asked),
    }


def profiles_about(cells: Cells) -> Profiles:
    """The assemblages of cells."""
    return Profiles(cells.assemblages(), true=np.zeros(cells.shape), rows=np.arange(cells.n_obs))


def singles_about(cells: Cells) -> Singles:
    """Every single knockout; the full row of every third is compared."""
    events = Knockouts.singles(cells.assemblages())
    sample, none = np.arange(0, len(events), 3), np.zeros(len(events))
    rows = np.zeros((len(sample), cells.n_vars))
    return Singles(cells, events, sample, np.zeros(cells.shape), none, none, rows, rows)


def responses_about(cells: Cells) -> Responses:
    """Every single knockout again, each gene a perturbation of its own."""
    events = Knockouts.singles(cells.assemblages())
    removed, rows = np.unique(events.genes[:, 0], return_inverse=True)
    k = len(removed)
    return Responses(
        cells,
        names=tuple(str(cells.var_names[gene]) for gene in removed),
        targets=tuple((int(gene),) for gene in removed),
        events=(events,),
        rows=(rows,),
        row_perturbation=np.arange(k),
        row_weight=np.ones(k),
        change=np.zeros((k, cells.n_vars)),
        size=np.zeros(k),
        abundance=np.zeros(k),
        detectable=np.ones(k, bool),
        perturbed=np.zeros(k, np.int64),
    )


def doubles_about(cells: Cells) -> Multiples:
    """Pairs of neighbouring genes."""
    events = doubles_of(cells.assemblages(), np.ones(cells.n_vars, bool))
    n = len(events)
    return Multiples(cells, events, np.arange(n), np.zeros(n, bool), interaction=np.zeros(n))


def arrays_of_stages() -> dict[str, tuple[str, ...]]:
    """The arrays that answer each stage, "fit" first."""
    stages = {stage: SETS[stage].arrays for stage in example_questions()}
    return {"fit": ("supported",), **stages}


def direct_answers(recipe: Recipe, scratch: Path) -> dict[str, Any]:
    """What a predictor that is fitted in this process answers.

    Returns
    -------
    dict of str to array
        Named "stage.array", and "fit.supported"; without what it can't answer.
    """
    fitted = fit_predictor(recipe, training_cells(), Context(**CONTEXT, scratch=scratch))
    found = {"fit.supported": fitted.supported}
    for stage, question in example_questions().items():
        for name, values in ANSWER[stage](fitted, question.payload()).items():
            if values is not None:
                found[f"{stage}.{name}"] = values
    return found


def checks_of_request(recipe: Recipe, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a worker does when it is asked for the checks.

    First one {name, status, found} for each check, then the direct answers, written to files. They
    are left out where a check says already that there are none; the harness then has nothing to
    compare a worker's with.
    """
    names = ("order_matters", "max_order", "prior")
    declared = {name: request[name] for name in names if name in request}
    for result in run_checks(
        lambda: recipe.make(**recipe.params), recipe.answers, recipe.wants, **declared
    ):
        yield dict(vars(result))
    try:
        write_arrays(Path(request["out"]), direct_answers(recipe, Path(request["scratch"])))
    except (Exception, SystemExit) as error:
        found = (
            "not run: there is nothing to compare with, as asked directly it raised"
            f" {type(error).__name__}: {error}"
        )
        yield dict(vars(CheckResult("survives-worker", "failed", found[:500])))
