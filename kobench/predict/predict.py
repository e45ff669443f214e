"""Answers without a score: every knockout of every cell of any dataset, written to a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from kobench.errors import PredictorFailedError, TrialFailed, UserError
from kobench.plugins.chosen import Chosen, choose
from kobench.plugins.in_harness import refuse_code_here
from kobench.plugins.load import Registry
from kobench.predict.cells import (
    CELLS,
    CellsFile,
    check_cells,
    check_columns,
    read_columns,
    write_cells,
)
from kobench.predict.client import Client, available_of
from kobench.predict.table_file import TableFile
from kobench.predict.writers import WRITERS
from kobench.runner.answers import Log, fit_in, worker_of
from kobench.runner.keys import Trial
from kobench.runner.prepared import Prepared
from kobench.runner.reach import hidden_from, refuse_written
from kobench.runner.request import Request, Split
from kobench.worker.derive import source_of

#: What can be asked for, and the answer kinds that make it answerable.
WHAT = {
    "impact": ("impact",),
    "keystone": ("genes",),
    "profile": ("expression",),
    "response": ("response", "knockout"),
    "cells": ("response", "knockout"),
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
    cards: Sequence[str | os.PathLike[str]] = (),
    each: int = CELLS,
    cell_seed: int = 0,
    columns: Path | None = None,
) -> dict[str, Any]:
    """Fit on wild-type cells and write the answers to a file.

    Parameters
    ----------
    registry : Registry
        Everything that is installed.
    dataset, predictor : str
        Selections, such as "grn:sigma=0.3".
    what : str
        A key of `WHAT`.
    out : Path
        The file: .csv, .csv.gz or .npz; of cells .h5ad.
    split : str
        "all" trains on and asks every cell, "holdout" trains on 80 % and asks the rest.
    genes : sequence of str
        Names of the genes to remove; () for all. Those that the predictor does not support are left
        out and counted.
    request : Request or None
        Limits, seeds and the like. With `request.events` at most so many knockouts are asked (of
        impact and keystone), spread evenly over the genes.
    fit_seed : int
        Seed of the fit.
    log : callable or None
        Is told of progress: message, done, total.
    cards : sequence of path
        Folders of dataset cards beside the usual ones: the predictor may not read their files.
    each : int
        Of cells, how many of each removed gene.
    cell_seed : int
        Seed by which they are drawn.
    columns : Path or None
        Of cells, a text file with the genes that the file has, one a line; None for the dataset's.

    Returns
    -------
    dict
        What was written, and what it cost.

    Raises
    ------
    UserError
        For what can't be asked.
    PredictorFailedError
        Where the predictor fails, or its answer breaks the contract.
    """
    request = request or Request([dataset], [predictor])
    chosen = choose(registry, "predictors", predictor)
    refuse_code_here(chosen.entry, request.sandbox)
    check_what(what, chosen, request)
    data = choose(registry, "datasets", dataset)
    trial = Trial("predictor", data, chosen, (), request, Split(split), fit_seed)
    refuse_written([trial], Path(gettempdir()), "TMPDIR")
    named = read_columns(columns) if columns else ()
    file: TableFile | CellsFile = (
        CellsFile(out, each, cell_seed, genes, named) if what == "cells" else TableFile(out)
    )
    with file:
        prepared = Prepared(data, request, Split(split))
        rows = prepared.asked
        cells = prepared.training if split == "all" else prepared.dataset.cells[rows]
        available = available_of(cells, genes)
        if what == "cells":
            check_cells(cells, prepared.dataset.scale, chosen, data.selection)
            check_columns(cells, named, columns)
        try:
            with (
                TemporaryDirectory(prefix="kobench-") as work,
                worker_of(trial, Path(work), log, hidden_from([trial], cards)) as worker,
            ):
                supported = fit_in(worker, trial, prepared)
                client = Client(worker, trial, cells, rows, available, supported)
                prepared.release()  # what is needed of the data is at hand
                if what != "profile":
                    client.check_support()
                if what == "keystone" and "genes" not in chosen.entry.spec.answers:
                    client.check_number()
                if isinstance(file, CellsFile):
                    write_cells(client, file)
                else:
                    WRITERS[what](client, file)
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
        "events": client.events,
        "left_out": 0 if what in ("profile", "cells") else int(client.unsupported.sum()),
        "unchanged": file.unchanged if isinstance(file, CellsFile) else [],
        "rows": file.rows,
        "file": str(out),
        "fit_seconds": worker.seconds["fit"],
        "predict_seconds": client.seconds,
        "peak_mb": worker.peak_mb,
    }


def check_what(what: str, predictor: Chosen, request: Request) -> None:
    """Raise UserError where a predictor can't answer `what`, or no sample is drawn of it."""
    answers = predictor.entry.spec.answers
    if all(source_of(kind, answers) is None for kind in WHAT[what]):
        given, name = ", ".join(answers), predictor.selection
        raise UserError(
            f"{name} answers {given}, from which {what!r} can't be derived; `kobench info {name}`"
            " lists what can"
        )
    if request.events is not None and what not in ("impact", "keystone"):
        raise UserError(
            f"--events {request.events} draws knockouts for --what impact and keystone; leave it"
            f" out with {what}"
        )
