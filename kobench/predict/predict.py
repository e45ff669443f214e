"""Answers without a score: every knockout of every cell of any dataset, written to a file.

Cells are asked a batch at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kobench.cells import FloatArray, IntArray
from kobench.errors import PredictorFailedError, TrialFailed, UserError
from kobench.plugins.chosen import choose
from kobench.plugins.load import Registry
from kobench.predict.client import Asking, available_of
from kobench.predict.table_file import TableFile
from kobench.question import Profiles, Question, Responses
from kobench.runner.answers import Log, fit_in, lay_out, working
from kobench.runner.keys import Trial
from kobench.runner.prepared import Prepared
from kobench.runner.request import Request, Split
from kobench.supervisor.guard import Shape, check, expected_of, guard_answers
from kobench.truth.events import blocks_of_cells, every_single
from kobench.units import MIN_CELLS
from kobench.worker.derive import source_of
from kobench.worker.wire import write_arrays, write_cells

#: What can be asked for, and the answer kinds that make it answerable.
WHAT = {
    "impact": ("impact",),
    "keystone": ("genes",),
    "profile": ("expression",),
    "response": ("response", "knockout"),
}


def predict(
    registry: Registry,
    dataset: str,
    predictor: str,
    what: str,
    out: Path,
    split: str = "all",
    genes: Sequence[str] = (),
    request: Request | None = None,
    fit_seed: int = 0,
    log: Log | None = None,
) -> dict[str, Any]:
    """Fit on wild-type cells and write the answers to `out`; returns what was written, with cost.

    split : "all" trains on and asks every cell, "holdout" trains on 80 % and asks the rest. genes :
    names to remove, () for all. `request.events` : ask at most so many knockouts, spread evenly
    over the genes (impact and keystone). Genes that the predictor does not support are left out;
    `left_out` of what is returned counts them. Raises UserError for what can't be asked,
    PredictorFailedError when the predictor fails or its answer breaks the contract.
    """
    request = request or Request([dataset], [predictor])
    chosen = choose(registry, "predictors", predictor)
    if all(source_of(kind, chosen.entry.spec.answers) is None for kind in WHAT[what]):
        given, name = ", ".join(chosen.entry.spec.answers), chosen.selection
        raise UserError(
            f"{name} answers {given}, from which {what!r} can't be derived; `kobench info {name}`"
            " lists what can"
        )
    if request.events is not None and what not in ("impact", "keystone"):
        raise UserError(
            f"--events {request.events} draws knockouts for --what impact and keystone; leave it"
            f" out with {what}"
        )
    data = choose(registry, "datasets", dataset)
    trial = Trial("predictor", data, chosen, (), request, Split(split), fit_seed)
    with TableFile(out) as file:
        prepared = Prepared(data, request, Split(split))
        rows = prepared.rows[1]
        cells = prepared.training if split == "all" else prepared.dataset.cells[rows]
        available = available_of(cells, genes)
        try:
            with (
                TemporaryDirectory(prefix="kobench-") as work,
                working(trial, Path(work), log) as worker,
            ):
                asking = Asking(
                    worker, trial, cells, rows, available, fit_in(worker, trial, prepared)
                )
                prepared.release()  # what is needed of the data is at hand
                if what != "profile":
                    asking.check_support()
                if what == "keystone" and "genes" not in chosen.entry.spec.answers:
                    asking.check_number()
                WRITERS[what](asking, file)
        except TrialFailed as ended:
            detail = f"\n{ended.traceback}" if ended.traceback else ""
            raise PredictorFailedError(
                f"{chosen.selection} ended as {ended.status} in {ended.stage}: {ended}{detail}"
            ) from ended
    return {
        "dataset": data.selection,
        "predictor": chosen.selection,
        "what": what,
        "cells": cells.n_obs,
        "events": asking.events,
        "left_out": 0 if what == "profile" else int(asking.unsupported.sum()),
        "rows": file.rows,
        "file": str(out),
        "fit_seconds": worker.seconds["fit"],
        "predict_seconds": asking.seconds,
        "peak_mb": worker.peak_mb,
    }


def write_impacts(asking: Asking, file: TableFile) -> None:
    """One row a knockout: gene, cell (row of the dataset), and the impacts that can be had."""
    names = np.asarray(asking.cells.var_names)
    for block, events in asking.batches():
        answers = asking.impacts(asking.cells[block], events)
        file.add(
            {"gene": names[events.genes[:, 0]], "cell": asking.rows[block][events.cells], **answers}
        )


def write_keystones(asking: Asking, file: TableFile) -> None:
    """One row a gene, most important first: its score, and the number of asked cells that express
    it.

    The score is the predictor's own, else the mean propagated (else raw) impact; none under
    `MIN_CELLS` cells. Where the knockouts were drawn: how many were asked of each gene, and the
    standard error of its mean by that draw, sd / sqrt(n) sqrt(1 - n / N) (Cochran, Sampling
    Techniques, 1977, theorem 2.2).
    """
    genes = np.flatnonzero(asking.answerable)
    if "genes" in asking.trial.predictor.entry.spec.answers:
        score, asked, error = (
            own_scores(asking, genes),
            asking.available[genes],
            np.zeros(len(genes)),
        )
    else:
        count, mean, spread = gene_moments(asking)
        score, asked, left = mean[genes], count[genes], 1 - count[genes] / asking.available[genes]
        error = np.sqrt(
            np.divide(
                spread[genes] * left,
                asked * (asked - 1.0),
                out=np.zeros(len(genes)),
                where=(asked > 1) & (left > 0),
            )
        )
    few = asked < MIN_CELLS
    score, error = np.where(few, np.nan, score), np.where(few, np.nan, error)
    order = np.lexsort((genes, -np.nan_to_num(score, nan=-np.inf)))
    drawn = (
        {"asked": asked, "standard_error": error} if (asked < asking.available[genes]).any() else {}
    )
    columns = {
        "gene": np.asarray(asking.cells.var_names)[genes],
        "score": score,
        "cells": asking.available[genes],
        **drawn,
    }
    file.add({name: values[order] for name, values in columns.items()})


def own_scores(asking: Asking, genes: IntArray) -> FloatArray:
    """(n,) the scores that the predictor gives genes itself, asked with all cells at once."""

    def lay(folder: Path) -> Mapping[str, Any]:
        write_cells(folder, asking.cells)
        write_arrays(folder, {"genes": genes})
        return {}

    shape = Shape(np.zeros(len(genes), bool), signed=True)
    scores: FloatArray = asking.ask("genes", {"gene_scores": shape.expected}, lay)["gene_scores"]
    check("genes", "gene_scores", scores, shape)
    asking.events += int(asking.available[genes].sum())
    return scores


def gene_moments(asking: Asking) -> tuple[IntArray, FloatArray, FloatArray]:
    """(G,) number of knockouts asked of each gene, the mean of their impacts, and the sum of
    squares about it.

    Batches are merged by the formula of Chan, Golub and LeVeque (1979), which keeps the digits that
    a sum of squares would lose.
    """
    n_genes = asking.cells.n_vars
    count, mean, spread = np.zeros(n_genes, np.int64), np.zeros(n_genes), np.zeros(n_genes)
    for block, events in asking.batches():
        answers, genes = asking.impacts(asking.cells[block], events), events.genes[:, 0]
        values = answers.get("propagated", answers.get("raw"))
        assert values is not None
        more = np.bincount(genes, minlength=n_genes)
        their_mean = np.bincount(genes, values, n_genes) / np.maximum(more, 1)
        their_spread = np.bincount(genes, (values - their_mean[genes]) ** 2, n_genes)
        share = more / np.maximum(count + more, 1)
        spread += their_spread + (their_mean - mean) ** 2 * count * share
        mean += (their_mean - mean) * share
        count += more
    return count, mean, spread


def write_profiles(asking: Asking, file: TableFile) -> None:
    """One row a cell (row of the dataset): its profile by its assemblage."""
    for block in blocks_of_cells(asking.cells.shape):
        assemblages = asking.cells[block].assemblages()
        rows = asking.rows[block]
        nothing = np.empty(0)
        answered = question_answers(asking, "profile", Profiles(assemblages, nothing, rows))[
            "profile"
        ]
        file.add(
            {
                "cell": rows,
                **{
                    str(name): answered[:, column]
                    for column, name in enumerate(asking.cells.var_names)
                },
            }
        )
        asking.events += len(rows)


def write_responses(asking: Asking, file: TableFile) -> None:
    """One row a removed gene: the mean change of every gene over the cells that express it."""
    events = every_single(asking.cells)
    events = events[np.flatnonzero(asking.answerable[events.genes[:, 0]])]
    asking.events = len(events)
    genes, rows = np.unique(events.genes[:, 0], return_inverse=True)
    names, nothing = np.asarray(asking.cells.var_names), np.empty(0)
    question = Responses(
        cells=asking.cells,
        names=tuple(str(name) for name in names[genes]),
        targets=tuple((int(gene),) for gene in genes),
        events=(events,),
        rows=(rows.ravel(),),
        row_perturbation=np.arange(len(genes)),
        row_weight=np.ones(len(genes)),
        change=nothing,
        size=nothing,
        abundance=nothing,
        detectable=np.ones(len(genes), bool),
        perturbed=np.bincount(rows.ravel()),
    )
    answered = question_answers(asking, "response", question)["response"]
    file.add(
        {
            "removed": names[genes],
            **{str(name): answered[:, column] for column, name in enumerate(names)},
        }
    )


def question_answers(asking: Asking, do: str, question: Question) -> dict[str, Any]:
    """Guarded answers to a question set without truth."""
    arrays = asking.ask(
        do,
        expected_of(question, asking.supported),
        lambda folder: lay_out(question, folder, asking.supported),
    )
    return guard_answers(do, {**arrays, "supported": asking.supported}, question)


#: What writes which answers.
WRITERS = {
    "impact": write_impacts,
    "keystone": write_keystones,
    "profile": write_profiles,
    "response": write_responses,
}
