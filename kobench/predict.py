"""Answers without a score: every knockout of every cell of any dataset, written to a file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import numpy as np

from kobench.answering import FIELDS, Log, fit_in, lay_out
from kobench.cells import BoolArray, Cells, Knockouts
from kobench.derive import source_of
from kobench.errors import PredictorFailedError, UserError
from kobench.guard import guard_answers
from kobench.plan import Request, Split, Trial, choose
from kobench.plugins import Registry
from kobench.prepare import Prepared
from kobench.process import TrialFailed, WorkerProcess
from kobench.records import write_atomically
from kobench.suggest import suggestion
from kobench.truth import MIN_CELLS, Profiles, Question, Responses, Singles

#: What can be asked for, and the answer kinds that make it answerable.
WHAT = {"impact": ("impact",), "keystone": ("genes",), "profile": ("expression",), "response": ("response", "knockout")}

#: The question set behind each of them.
STAGES = {"impact": "singles", "keystone": "singles", "profile": "profile", "response": "response"}

FORMATS = (".csv", ".csv.gz", ".npz")


def predict(registry: Registry, dataset: str, predictor: str, what: str, out: Path, split: str = "all", genes: Sequence[str] = (),
            request: Request | None = None, fit_seed: int = 0, log: Log | None = None) -> dict[str, Any]:  # fmt: skip
    """Fit on wild-type cells and write the answers to `out`; returns what was written, with cost.

    split : "all" trains on and asks every cell, "holdout" trains on 80 % and asks the rest. genes : names to remove, () for all.
    Genes that the predictor does not support are left out; `left_out` of what is returned counts them. Raises UserError for what can't
    be asked, PredictorFailedError when the predictor fails or its answer breaks the contract.
    """
    if not out.name.endswith(FORMATS):
        raise UserError(f"the output {out.name!r} has no known ending; expected one of {', '.join(FORMATS)}")
    request = request or Request([dataset], [predictor])
    chosen = choose(registry, "predictors", predictor)
    if all(source_of(kind, chosen.entry.spec.answers) is None for kind in WHAT[what]):
        given, name = ", ".join(chosen.entry.spec.answers), chosen.selection
        raise UserError(f"{name} answers {given}, from which {what!r} can't be derived; `kobench info {name}` lists what can")
    check_writable(out)
    data = choose(registry, "datasets", dataset)
    prepared = Prepared(data, request, Split(split))
    trial = Trial("predictor", data, chosen, (), request, Split(split), fit_seed)
    asked = prepared.dataset.cells[prepared.rows[1]]
    events = events_of(asked, genes)
    try:
        arrays, cost, supported = ask(trial, prepared, asked, events, what, log)
    except TrialFailed as ended:
        detail = f"\n{ended.traceback}" if ended.traceback else ""
        raise PredictorFailedError(f"{chosen.selection} ended as {ended.status} in {ended.stage}: {ended.message}{detail}") from ended
    left_out = 0 if what == "profile" else int((~supported[np.unique(events.genes)]).sum())
    events = only_supported(events, supported)
    table = shape(what, asked, events, arrays, prepared.rows[1])
    write_table(table, out)
    rows = len(next(iter(table.values())))
    asked_for = {"dataset": data.selection, "predictor": chosen.selection, "what": what}
    return {**asked_for, "cells": asked.n_obs, "events": len(events), "left_out": left_out, "rows": rows, "file": str(out), **cost}


def events_of(asked: Cells, genes: Sequence[str]) -> Knockouts:
    """Every single knockout of the asked cells, of the named genes only where some are named."""
    events = Knockouts.singles(asked.assemblages())
    if not genes:
        return events
    known = {str(name): column for column, name in enumerate(asked.var_names)}
    for name in genes:
        if name not in known:
            meant = suggestion(name, known) if len(known) < 50 else "`--what profile` lists them all as columns"
            raise UserError(f"gene {name!r} is not among the {len(known)} genes of the dataset; {meant}")
    chosen = events[np.flatnonzero(np.isin(events.genes[:, 0], [known[name] for name in genes]))]
    if not len(chosen):
        raise UserError(f"none of the {asked.n_obs} asked cells expresses {', '.join(genes)}; name a gene that is on in some cell")
    return chosen


def only_supported(events: Knockouts, supported: BoolArray) -> Knockouts:
    """The events whose genes a predictor can remove."""
    return events[np.flatnonzero(supported[events.genes].all(axis=1))]


def check_writable(out: Path) -> None:
    """Raise UserError where a file can't be written, before hours are spent on what is to go there."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}."):
            pass
    except OSError as error:
        raise UserError(f"the output {out} can't be written: {error.strerror}; name another file with -o") from error


def ask(
    trial: Trial, prepared: Prepared, asked: Cells, events: Knockouts, what: str, log: Log | None
) -> tuple[dict[str, Any], dict[str, float], BoolArray]:
    """The arrays that answer `what`, their cost, and which genes are supported, from a worker process; raises TrialFailed."""
    request = trial.request
    with TemporaryDirectory(prefix="kobench-") as work, WorkerProcess(Path(work), request.threads, request.timeout, log) as worker:
        supported = fit_in(worker, trial, prepared)
        kept = only_supported(events, supported)
        if what != "profile" and not len(kept):
            asked_genes = asked.var_names[np.unique(events.genes)]
            named = ", ".join(asked_genes) if len(asked_genes) <= 10 else f"any of the {len(asked_genes)} genes asked"
            raise UserError(f"{trial.predictor.selection} does not support removing {named}; name other genes or another predictor")
        do = STAGES[what]
        question = without_truth(do, asked, kept)
        worker.ask(do, **lay_out(question, worker.stage(do), supported))
        arrays = {**worker.answers(do, FIELDS[do]), "supported": supported}
        if all(arrays[name] is None for name in FIELDS[do]):
            raise TrialFailed("failed", do, "the worker's answers are gone: something removed or moved its folder")
        guard_answers(do, arrays, question)
        cost = {"fit_seconds": worker.seconds["fit"], "predict_seconds": worker.seconds[do], "peak_mb": worker.peak_mb}
        return arrays, cost, supported


def without_truth(asks: str, asked: Cells, events: Knockouts) -> Question:
    """The question set `asks` about these events of the asked cells, with nothing where the truth would be."""
    nothing = np.empty(0)
    if asks == "profile":
        return Profiles(asked.assemblages(), nothing, np.arange(asked.n_obs))
    if asks == "singles":
        return Singles(asked, events, np.empty(0, np.int64), nothing, nothing, nothing, nothing, nothing)
    genes, rows = np.unique(events.genes[:, 0], return_inverse=True)
    return Responses(
        cells=asked, names=tuple(str(name) for name in asked.var_names[genes]), targets=tuple((int(gene),) for gene in genes),
        events=(events,), rows=(rows.ravel(),), row_perturbation=np.arange(len(genes)), row_weight=np.ones(len(genes)), change=nothing,
        size=nothing, abundance=nothing, detectable=np.ones(len(genes), bool), perturbed=np.bincount(rows.ravel()),
    )  # fmt: skip


def shape(what: str, asked: Cells, events: Knockouts, arrays: dict[str, Any], rows: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The answers as named columns; `cell` is the row of the dataset."""
    names, genes = np.asarray(asked.var_names), events.genes[:, 0]
    assert events.cells is not None
    if what == "impact":
        given = {name: arrays[name] for name in ("raw", "propagated") if arrays[name] is not None}
        return {"gene": names[genes], "cell": rows[events.cells], **given}
    if what == "keystone":
        return keystones(names, genes, arrays)
    if what == "profile":
        return {"cell": rows, **{str(name): arrays["profile"][:, column] for column, name in enumerate(names)}}
    return {"removed": names[np.unique(genes)], **{str(name): arrays["response"][:, column] for column, name in enumerate(names)}}


def keystones(names: Any, genes: Any, arrays: dict[str, Any]) -> dict[str, Any]:
    """Keystone score of each gene: its own answer, else the mean propagated (else raw) impact over the cells that express it."""
    cells = np.bincount(genes, minlength=len(names))
    asked = np.flatnonzero(cells > 0)
    if arrays["gene_scores"] is not None:
        score = arrays["gene_scores"][asked]
    else:
        impacts = arrays["propagated"] if arrays["propagated"] is not None else arrays["raw"]
        score = np.bincount(genes, np.nan_to_num(impacts), len(names))[asked] / cells[asked]
        score[np.isin(asked, genes[np.isnan(impacts)])] = np.nan
    score = np.where(cells[asked] >= MIN_CELLS, score, np.nan)
    order = np.lexsort((asked, -np.nan_to_num(score, nan=-np.inf)))
    return {"gene": names[asked][order], "score": score[order], "cells": cells[asked][order]}


def write_table(table: dict[str, Any], out: Path) -> None:
    """Write columns as CSV (gzip when named so) or .npz, whole or not at all."""
    import pandas

    if out.name.endswith(".npz"):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **table)
        write_atomically(out, buffer.getvalue())
        return
    text: str = pandas.DataFrame(table).to_csv(index=False)
    content = text.encode()
    if out.name.endswith(".gz"):
        import gzip

        content = gzip.compress(content, mtime=0)
    write_atomically(out, content)
