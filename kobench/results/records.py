"""The files of records: one JSON a trial, versioned, written aside and then moved into place.

What a record holds is said in `kobench.results.parts`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.results.faults import Fault, shown
from kobench.results.parts import Record, TrialInfo
from kobench.results.upgrades import UPGRADES
from kobench.util.files import canonical_json, hash_of, parse_json, write_atomically

#: Number of the present format.
SCHEMA = 2


def identity(trial: TrialInfo) -> str:
    """What makes a trial this trial and not another, whatever the versions."""
    predictor, dataset = trial.predictor, trial.dataset
    names = {
        "name": predictor.name,
        "selection": predictor.selection,
        "distribution": predictor.distribution,
        **({"environment": predictor.environment} if "environment" in predictor else {}),
    }
    return hash_of(
        {
            "predictor": names,
            "dataset": {"name": dataset.name, "selection": dataset.selection},
            "split": trial.split.to_json(),
            "fit_seed": trial.fit_seed,
            "threads": trial.threads,
            "device": trial.device,
        }
    )[:24]


def record_path(folder: Path, trial: TrialInfo) -> Path:
    """Where the record of a trial lies in a results folder."""
    return folder / "records" / f"{identity(trial)}.json"


def write_record(folder: Path, record: Record) -> Path:
    """Write one record; an earlier one of the same trial is replaced."""
    path = record_path(folder, record.trial)
    text = json.dumps(record.to_json(), sort_keys=True, indent=1, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())
    return path


def parse_record(document: Any, where: str) -> Record:
    """The record of a JSON document, upgraded to the present format.

    Parameters
    ----------
    document : any JSON value
        The content of a file or line.
    where : str
        What messages call it.

    Raises
    ------
    UserError
        For what is no record, is of a newer format, or lacks a part that is read.
    """
    if not isinstance(document, dict):
        raise UserError(f"{where} is {shown(document)}, not a JSON object; delete it and run again")
    schema = document.get("schema")
    if type(schema) is not int or "trial" not in document or "result" not in document:
        raise UserError(
            f"{where} is not a kobench record (no schema number, trial and result); move it out of"
            " the folder"
        )
    if schema > SCHEMA:
        raise UserError(
            f"{where} has schema {schema}, this kobench reads up to {SCHEMA}; update kobench to"
            " read it"
        )
    try:
        record = Record.from_json(document)
    except Fault as fault:
        raise UserError(f"{where} is damaged: {fault}; delete it and run again") from None
    return upgrade(record, where)


def upgrade(record: Record, where: str) -> Record:
    """Bring a record to the present format, step by step."""
    while record.schema < SCHEMA:
        if record.schema not in UPGRADES:
            raise UserError(
                f"{where} has schema {record.schema}, and no upgrade from it is known; run it again"
                " with --fresh"
            )
        record = UPGRADES[record.schema](record)
    return record


def read_record(path: Path) -> Record:
    """Read one record, upgraded to the present schema."""
    try:
        document = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"record {path} cannot be read ({error}); delete it and run again"
        ) from error
    return parse_record(document, f"record {path}")


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
                    yield parse_record(parse_json(line), f"{packed} line {number + 1}")
                    number += 1
        except (OSError, EOFError, zlib.error, ValueError) as error:
            place = f"after line {number}" if number else "from its start"
            raise UserError(
                f"{packed} cannot be read {place} ({error}); get the file again, or pack it anew"
                " with --pack"
            ) from error
    for path in sorted((folder / "records").glob("*.json")):
        yield read_record(path)


def pack_records(records: Iterable[Record], path: Path) -> None:
    """Write records into one gzip of JSON lines, same records in, same bytes out."""
    import gzip
    import io

    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        for line in sorted(canonical_json(record.to_json()) for record in records):
            file.write(line.encode() + b"\n")
    write_atomically(path, buffer.getvalue())
