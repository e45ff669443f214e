"""Evidence of rows: how far somebody looked at one, kept beside the records and bound to them.

`verified.json` holds, for each row that was scored again or run again, what came of it, who says so
and with what. An entry counts as long as the records of its row are, to the byte, those that were
looked at. It is somebody's word: anybody can look again with `kobench verify`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kobench.errors import UNVERIFIABLE, WRONG, UserError
from kobench.results.faults import Fault
from kobench.results.parts import Record
from kobench.results.typed import Part
from kobench.results.versions import Row, spot_of
from kobench.util.bounded import read_bounded
from kobench.util.files import hash_of, parse_json, write_atomically

#: The file beside the records.
FILE = "verified.json"

#: Number of its format, and the bytes of the largest that is read.
SCHEMA, MOST = 1, 64 << 20

#: What may become of a row. The first two are statuses of boards, the others levels.
RESCORED, RERUN = LEVELS = "re-scored", "re-run"
OUTCOMES = (WRONG, UNVERIFIABLE, *LEVELS)


class Place(NamedTuple):
    """A row of a dataset and split, whatever it was trained on.

    Attributes
    ----------
    row : tuple of str
        See `kobench.results.versions.row_of`.
    dataset, version, split : str
        Selection without the seed, its version, name of the split.
    """

    row: Row
    dataset: str
    version: str
    split: str


@dataclass(frozen=True, kw_only=True)
class Evidence(Part):
    """What came of looking at a row.

    Attributes
    ----------
    row : list of str
        Which row, see `kobench.results.versions.row_of`.
    dataset, version, split : str
        Where it stands.
    records : str
        Sha256 over its records as they were.
    outcome : str
        One of `OUTCOMES`.
    checked, of : int
        How many of its records were looked at so, and how many there are.
    without : list of str, or None
        The tasks that it has scores of and that were not looked at; the level is of the others.
    reason : str
        What is wrong, or why it could not be looked at; "" for nothing.
    by, on : str
        Who looked, and on which day.
    kobench, python, numpy, blas : str
        With what.
    """

    row: Sequence[str]
    dataset: str
    version: str
    split: str
    records: str
    outcome: str
    checked: int
    of: int
    reason: str
    by: str
    on: str
    kobench: str
    python: str
    numpy: str
    blas: str
    without: Sequence[str] | None = None

    @property
    def place(self) -> Place:
        """Which row it is about."""
        return Place(tuple(self.row), self.dataset, self.version, self.split)


def place_of(record: Record) -> Place:
    """The row that a record is of."""
    spot = spot_of(record.role, record.trial)
    return Place(spot.row, spot.dataset, spot.version, spot.split)


def by_place(records: Iterable[Record]) -> dict[Place, list[Record]]:
    """Records by their row."""
    rows: dict[Place, list[Record]] = defaultdict(list)
    for record in records:
        rows[place_of(record)].append(record)
    return dict(rows)


def digest_of(records: Iterable[Record]) -> str:
    """Sha256 over the records of a row, in any order.

    Seals are left out, and the seeds of networks that were secret: a published folder has the one
    no more, and reveals the other.
    """
    return hash_of(sorted(record_digest(record) for record in records))


def record_digest(record: Record) -> str:
    """Sha256 over a record, without its seal and the seed of a network that was secret."""
    return hash_of(stripped(record.to_json()))


def stripped(document: dict[str, Any]) -> dict[str, Any]:
    """A record's document without its seal and without a revealed seed."""
    document = {key: value for key, value in document.items() if key != "seal"}
    secret = document["trial"]["dataset"].get("secret")
    if not secret or "seed" not in secret:
        return document
    trial = document["trial"]
    hidden = {key: value for key, value in secret.items() if key != "seed"}
    dataset = {**trial["dataset"], "secret": hidden}
    return {**document, "trial": {**trial, "dataset": dataset}}


def read_evidence(folder: Path) -> list[Evidence]:
    """The evidence in a folder, [] for none.

    Raises
    ------
    UserError
        For a file that is not as `write_evidence` leaves it.
    """
    path = folder / FILE
    if not path.exists():
        return []
    try:
        document = parse_json(read_bounded(path, MOST).decode())
        if type(document) is not dict or document.get("schema") != SCHEMA:
            raise ValueError(f"it has no schema {SCHEMA}")
        rows = document.get("rows")
        if type(rows) is not list:
            raise ValueError("it has no list `rows`")
        found = [Evidence.from_json(row) for row in rows]
        odd = next((one.outcome for one in found if one.outcome not in OUTCOMES), None)
        if odd is not None:
            raise ValueError(f"an outcome is {odd[:40]!r}, expected one of {', '.join(OUTCOMES)}")
    except (OSError, ValueError, Fault) as error:
        raise UserError(
            f"{path} can't be read ({error}); delete it, or write it anew with `kobench verify -o`"
        ) from error
    return found


def fitting(evidence: Iterable[Evidence], records: Iterable[Record]) -> dict[Place, Evidence]:
    """The evidence that is of these records, by row; where several are, the last of the highest.

    That something is wrong counts more than any level.
    """
    candidates: dict[Place, list[Evidence]] = defaultdict(list)
    for one in evidence:
        candidates[one.place].append(one)
    if not candidates:
        return {}
    found: dict[Place, Evidence] = {}
    for place, members in by_place(records).items():
        if place not in candidates:
            continue
        digest = digest_of(members)
        fits = [one for one in candidates[place] if one.records == digest]
        if fits:
            worst = [one for one in fits if one.outcome == WRONG]
            found[place] = max(worst or fits, key=lambda one: (OUTCOMES.index(one.outcome), one.on))
    return found


def write_evidence(path: Path, evidence: Iterable[Evidence]) -> None:
    """Write evidence, the same in any order; without any, the file is removed."""
    rows = sorted((one.to_json() for one in evidence), key=lambda row: json.dumps(row))
    if not rows:
        path.unlink(missing_ok=True)
        return
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    text = f'{{\n "schema": {SCHEMA},\n "rows": [\n{lines}\n ]\n}}\n'
    write_atomically(path, text.encode())


def joined(before: Iterable[Evidence], now: Mapping[Place, Evidence]) -> list[Evidence]:
    """Older evidence with newer: of a row and its records the newer replaces what is no higher.

    A row that is found wrong has no level any more.
    """
    kept = {}
    for one in before:
        new = now.get(one.place)
        if new is None or (
            new.records == one.records
            and new.outcome != WRONG
            and OUTCOMES.index(one.outcome) > OUTCOMES.index(new.outcome)
        ):
            kept[one.place] = one
    return [*kept.values(), *(one for place, one in now.items() if place not in kept)]
