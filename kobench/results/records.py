"""The result file: one JSON a trial, versioned, written to a temporary file and moved into place.

A record has these parts (every other module reads them through this description)::

    schema   number of this format; older files are upgraded step by step, newer ones refused
    role     "predictor", "floor" (a trivial predictor) or "line" (answers the dataset gives: truth, replicate, gene-oracle)
    trial    what was asked of whom
        dataset    {name, version, selection, group, seed, kind, truth, digest, notes}
                   selection: canonical `name:key=value,...`; group: the same without the seed;
                   seed: None when not seeded; kind: "simulated" | "real"; digest: sha256 of the
                   cells as given to predictors
        split      {name, seed, train}
                   name: "holdout" (80/20), "halves" (by wild-type halves, for a measured truth),
                   "all" (trains on and asks every cell), or "cell-type" and "dataset", which train
                   on one group of cells: `train` is its name, and there in these alone
        predictor  {name, selection, distribution, version, digest, environment}
                   environment: the name of the environment that it lives in, and there only where
                   it is not kobench's own interpreter
        fit_seed, threads, device
    keys     {fit, questions: {asks: key}, scores}    a record is reused only where these agree with the plan
    result   the deterministic part
        status     "ok", or one of `kobench.errors.STATUSES`: "failed" | "invalid" | "timeout" | "out-of-memory" | "too-many-processes" |
                   "too-much-written" | "unsupported"
        stage, message, traceback      None when ok; what a limit's message has to say of this one time is in run.found
        answers    {asks: sha256 of the answers}
        trusted_with_predictor    names of datasets, tasks and metrics here that see the truth and come with the predictor's distribution
        scores     {task label: {task, version, kind, asks, primary, floors, lines, block, blocks, asked, answered, coverage,
                    left_out, sampled, metrics, notes, events, table, points}}
                   asks: the question set, "profile", "singles", "response", ...; an ok record whose
                   keys.questions has it but whose scores lack the task is shown as "not answered"
                   primary: names of metrics as shown, "name" or "name[variant]"; [] where the truth
                   allows no ranking; asked, answered: numbers of units (cells, events, genes,
                   perturbations); block: what `draws` draws again inside this dataset, "cell",
                   "gene", "perturbation" or "pair"; blocks: how many of them coverage: share of
                   units answered among those asked; sampled: how many events' full rows were
                   compared, None = all left_out: {reason: count}, what was dropped for everybody
                   before any answer was seen notes: sentences on what the truth allows, the same
                   for everybody; one that begins with "Confounded" or "Not ranked" says why nobody
                   has a rank events: {asked, of}, there where single knockouts were drawn at
                   random: how many were asked, and how many there are table: {column: values}, one
                   row a perturbation, gene or pair: what is known of it, `predicted` and `score`
                   points: {what, true, predicted}, a sample of single units, for pictures table and
                   points are kept of one network, in the records of predictors and floors that are
                   shown metrics: {name or "name[variant]": {version, direction, best, low, high,
                   nothing, value, missing, draws, floors, ceiling,
                             permuted, sampling_error}}
                       low, high: the metric's range, None where it is open (JSON has no infinity)
                       nothing: value of the true answer in which nothing responds, None where the
                       metric knows none value: number or None; missing: why there is no value
                       ("none": a constant answer gives no ranking; "not answered") draws: values
                       under bootstrap draws of the blocks inside this dataset, the same draws for
                       everyone (index b is one
                              draw; None where that draw gives no value); [] where not drawn
                              (secondary metrics, or two and more networks)
                       floors: {floor name: {value, draws}} on just the units this predictor
                       answered; {} at full coverage ceiling: {value, draws}, what an answer without
                       error would score where the truth has noise permuted: {mean, sd, low, high,
                       p, draws}, the score when the answers are permuted among the perturbations so
                       often;
                              low, high: the middle 95 %; p: one-sided, (1 + as good) / (1 + draws)
                       sampling_error: standard error of a primary value by the draw of the events,
                       there where events were drawn
    run      what may differ between two equal runs: {fit_seconds, predict_seconds, peak_mb, started, host, platform, python, packages,
             kobench, cpu_count, limits, found, sandbox, output, environment} python, packages:
             those of the environment in which the predictor ran, where it has one limits: {seconds,
             memory_mb, processes, written_mb}, what the trial might use, None for no limit; older
             records have `timeout` found: where a limit was passed: the sentence with what was
             measured these are of trials in a process of their own, and older records lack them:
             sandbox: {mode, layers, readable}; mode: "auto" | "require" | "off"; layers: {layer:
             True, or why it was not there};
                   readable: more folders that the predictor could read
             output: the end of what it printed, None for nothing
             environment: {name, python, packages}, None for kobench's own
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.results.schema import fault, shown
from kobench.util.files import canonical_json, hash_of, parse_json, write_atomically

SCHEMA = 1

Record = dict[str, Any]

#: Upgrades from a schema number to the next; each takes and returns a record.
UPGRADES: dict[int, Any] = {}


def identity(trial: dict[str, Any]) -> str:
    """What makes a trial this trial and not another, whatever the versions: the name of its
    record's file.
    """
    predictor = {
        key: trial["predictor"][key]
        for key in ("name", "selection", "distribution", "environment")
        if key in trial["predictor"]
    }
    dataset = {key: trial["dataset"][key] for key in ("name", "selection")}
    rest = {key: trial[key] for key in ("split", "fit_seed", "threads", "device")}
    return hash_of({"predictor": predictor, "dataset": dataset, **rest})[:24]


def record_path(folder: Path, trial: dict[str, Any]) -> Path:
    """Where the record of a trial lies in a results folder."""
    return folder / "records" / f"{identity(trial)}.json"


def write_record(folder: Path, record: Record) -> Path:
    """Write one record; an earlier one of the same trial is replaced."""
    path = record_path(folder, record["trial"])
    write_atomically(
        path, (json.dumps(record, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()
    )
    return path


def upgrade(record: Record, where: str) -> Record:
    """Bring a record to the present schema, step by step; refuse newer ones and what lacks a part
    that is read.
    """
    if not isinstance(record, dict):
        raise UserError(f"{where} is {shown(record)}, not a JSON object; delete it and run again")
    schema = record.get("schema")
    if type(schema) is not int or "trial" not in record or "result" not in record:
        raise UserError(
            f"{where} is not a kobench record (no schema number, trial and result); move it out of"
            " the folder"
        )
    if schema > SCHEMA:
        raise UserError(
            f"{where} has schema {schema}, this kobench reads up to {SCHEMA}; update kobench to"
            " read it"
        )
    while schema < SCHEMA:
        if schema not in UPGRADES:
            raise UserError(
                f"{where} has schema {schema}, and no upgrade from it is known; run it again with"
                " --fresh"
            )
        record = UPGRADES[schema](record)
        schema = record["schema"]
    if wrong := fault(record):
        raise UserError(f"{where} is damaged: {wrong}; delete it and run again")
    return record


def read_record(path: Path) -> Record:
    """Read one record, upgraded to the present schema."""
    try:
        record = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"record {path} cannot be read ({error}); delete it and run again"
        ) from error
    return upgrade(record, f"record {path}")


def read_records(folder: Path) -> Iterator[Record]:
    """Every record of a results folder, in the order of their file names.

    A folder packed for publishing has one `records.jsonl.gz` instead of one file a trial.
    """
    packed = folder / "records.jsonl.gz"
    if packed.exists():
        import gzip

        number = 0
        try:
            with gzip.open(packed, "rt", encoding="utf-8") as lines:
                for line in lines:
                    yield upgrade(parse_json(line), f"{packed} line {number + 1}")
                    number += 1
        except (OSError, EOFError, zlib.error, ValueError) as error:
            place = f"after line {number}" if number else "from its start"
            raise UserError(
                f"{packed} cannot be read {place} ({error}); get the file again, or pack it anew"
                " with --pack"
            ) from error
    for path in sorted((folder / "records").glob("*.json")):
        yield read_record(path)


def pack_records(records: list[Record], path: Path) -> None:
    """Write records into one gzip of JSON lines, same records in, same bytes out."""
    import gzip
    import io

    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        for line in sorted(canonical_json(record) for record in records):
            file.write(line.encode() + b"\n")
    write_atomically(path, buffer.getvalue())
