"""The files of records: one JSON a trial, versioned, written aside and then moved into place.

What a record holds is said in `kobench.results.parts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kobench.results.faults import Fault, shown
from kobench.results.left_out import LeftOut, UnreadableError
from kobench.results.parts import Record, TrialInfo
from kobench.results.sound import check_sound
from kobench.results.upgrades import UPGRADES
from kobench.util.bounded import GZIP_ERRORS, gzip_lines, read_bounded, size_text
from kobench.util.files import canonical_json, clear_way, hash_of, parse_json, write_atomically

#: Number of the present format.
SCHEMA = 2

#: Bytes of the largest record that is read, more than a hundred times the largest of the
#: published ones.
MOST_RECORD = 32 << 20

#: Bytes to which packed records may unpack, more than thirty times the largest published ones.
MOST_PACKED = 512 << 20

#: Damaged lines after which no more is read of packed records.
MOST_DAMAGED = 1000

#: What to do about a packed file that is damaged.
GET_AGAIN = "get the file again, or pack it anew with --pack"


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
    document = {key: value for key, value in record.to_json().items() if key != "seal"}
    document["seal"] = hash_of(document)
    text = json.dumps(document, sort_keys=True, indent=1, allow_nan=False)
    clear_way(path)
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
    UnreadableError
        For what is no record, is of a newer format, or lacks a part that is read.
    """
    anew = "delete it and run again"
    if not isinstance(document, dict):
        raise UnreadableError(where, f"is {shown(document)}, not a JSON object", anew)
    schema = document.get("schema")
    if type(schema) is not int or "trial" not in document or "result" not in document:
        raise UnreadableError(
            where,
            "is not a kobench record (no schema number, trial and result)",
            "move it out of the folder",
        )
    if schema > SCHEMA:
        raise UnreadableError(
            where,
            f"has schema {schema}, this kobench reads up to {SCHEMA}",
            "update kobench to read it",
        )
    seal = document.get("seal")
    document = {key: value for key, value in document.items() if key != "seal"}
    if seal is not None and seal != hash_of(document):
        raise UnreadableError(where, "was changed after it was written (its seal is broken)", anew)
    try:
        record = Record.from_json(document)
        record = upgrade(record, where)
        check_sound(record)
    except Fault as fault:
        raise UnreadableError(where, f"is damaged: {fault}", anew) from None
    return record


def upgrade(record: Record, where: str) -> Record:
    """Bring a record to the present format, step by step."""
    while record.schema < SCHEMA:
        if record.schema not in UPGRADES:
            raise UnreadableError(
                where,
                f"has schema {record.schema}, and no upgrade from it is known",
                "run it again with --fresh",
            )
        record = UPGRADES[record.schema](record)
    return record


def read_record(path: Path) -> Record:
    """Read one record, upgraded to the present schema; UnreadableError where that can't be."""
    where = f"record {path}"
    try:
        document = parse_json(read_bounded(path, MOST_RECORD).decode())
    except (OSError, ValueError) as error:
        raise UnreadableError(
            where, f"cannot be read ({reason_of(error)})", "delete it and run again"
        ) from error
    return parse_record(document, where)


def reason_of(error: Exception) -> str:
    """What an error says, without the file's name."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return (error.strerror if isinstance(error, OSError) else "") or str(error)


def read_records(folder: Path, left_out: LeftOut | None = None) -> Iterator[Record]:
    """Every record of a results folder, in the order of their file names.

    A folder packed for publishing has one `records.jsonl.gz` instead of one file a trial. In
    `records/` every name that ends in `.json` is a record's; other names are not looked at.

    Parameters
    ----------
    folder : Path
        The results folder.
    left_out : LeftOut or None
        Is told of what can't be read, which is then left out. None: reading ends there.

    Raises
    ------
    UnreadableError
        For the first record that can't be read, where `left_out` is None.
    """

    def tried(read: Callable[[], Record], name: str) -> Iterator[Record]:
        try:
            yield read()
        except UnreadableError as error:
            if left_out is None:
                raise
            left_out.add(name, error)

    packed = folder / "records.jsonl.gz"
    if packed.exists():
        yield from packed_records(packed, left_out, tried)
    for path in sorted((folder / "records").glob("*.json")):
        yield from tried(partial(read_record, path), f"records/{path.name}")


def packed_records(
    packed: Path,
    left_out: LeftOut | None,
    tried: Callable[[Callable[[], Record], str], Iterator[Record]],
) -> Iterator[Record]:
    """The records of a packed file, of a damaged one those that can be read; see `read_records`."""
    number = 0
    before = 0 if left_out is None else left_out.count
    try:
        for line in gzip_lines(packed, MOST_PACKED, MOST_RECORD):
            number += 1
            place = f"{packed.name} line {number}"
            read = partial(record_of_line, line, f"{packed} line {number}")
            yield from tried(read, place)
            if left_out is not None and left_out.count - before >= MOST_DAMAGED:
                raise ValueError(f"{MOST_DAMAGED:,} lines are damaged, the rest is not read")
    except UnreadableError:
        raise
    except GZIP_ERRORS as error:
        place = f"after line {number}" if number else "from its start"
        why = f"cannot be read {place} ({reason_of(error)})"
        unreadable = UnreadableError(str(packed), why, GET_AGAIN)
        if left_out is None:
            raise unreadable from error
        left_out.add(packed.name, unreadable)


def record_of_line(line: bytes | None, where: str) -> Record:
    """The record of one line of a packed file; UnreadableError where it is none."""
    if line is None:
        why = f"is longer than {size_text(MOST_RECORD)}, the most that is read"
        raise UnreadableError(where, why, GET_AGAIN)
    try:
        document = parse_json(line.decode())
    except ValueError as error:
        raise UnreadableError(where, f"cannot be read ({reason_of(error)})", GET_AGAIN) from error
    return parse_record(document, where)


def pack_records(records: Iterable[Record], path: Path) -> None:
    """Write records into one gzip of JSON lines, same records in, same bytes out."""
    import gzip
    import io

    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        for line in sorted(canonical_json(record.to_json()) for record in records):
            file.write(line.encode() + b"\n")
    write_atomically(path, buffer.getvalue())
