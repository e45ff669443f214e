"""Versions of a method: which records are of one, and where those of older ones are kept.

A trial has one record, in `records/`. Where the code of its method has changed, the record of the
older code moves to `older/CODE/`, and comes back when that code does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from kobench.results.left_out import LeftOut, UnreadableError
from kobench.results.parts import PredictorInfo, Record, TrialInfo
from kobench.results.records import identity, read_record

#: The folder of a results folder in which records of older versions lie.
OLDER = "older"

#: How the files in it are called, each in a folder that is called by its code.
FILE = re.compile(r"[0-9a-f]{24}-([0-9a-f]{8}|unknown)\.json")

#: What makes a row of a board, see `row_of`.
Row = tuple[str, ...]


class Spot(NamedTuple):
    """What all trials have in common whose scores one row of a board takes together.

    Attributes
    ----------
    row : tuple of str
        The row.
    dataset, version : str
        The dataset without its seed, and its version.
    split, train : str
        Name of the split, and the group of cells that is trained on, if any.
    """

    row: Row
    dataset: str
    version: str
    split: str
    train: str


def row_of(role: str, trial: TrialInfo) -> Row:
    """What makes a row: role and name.

    For predictors also the parameters, where they come from, threads and device.
    """
    predictor = trial.predictor
    if role != "predictor":
        return role, predictor.name
    origin = predictor.distribution
    if predictor.environment:
        origin = f"{predictor.environment}/{origin}"
    return role, predictor.selection, origin, str(trial.threads), trial.device


def spot_of(role: str, trial: TrialInfo) -> Spot:
    """The row of a trial, and where it stands."""
    dataset, split = trial.dataset, trial.split
    return Spot(
        row_of(role, trial), dataset.group, str(dataset.version), split.name, split.train or ""
    )


def version_key(predictor: PredictorInfo) -> tuple[str, ...]:
    """What makes a version of a method: its code, and what else it could read.

    A number alone makes none where the code is known.
    """
    return (predictor.digest or f"version {predictor.version}", *(predictor.readable or ()))


def code_of(predictor: PredictorInfo) -> str:
    """What a version is called: the first digits of its code's digest.

    >>> code_of(
    ...     PredictorInfo(
    ...         name="a", selection="a", distribution="", version="1", digest="0123456789abcdef"
    ...     )
    ... )
    '0123456789ab'
    """
    digest = "".join(sign for sign in predictor.digest if sign in "0123456789abcdef")
    return digest[:12] or "unknown"


def older_path(folder: Path, record: Record) -> Path:
    """Where the record of an older version is kept: one a trial and key of the fit."""
    fit = "".join(sign for sign in record.keys.fit if sign in "0123456789abcdef")
    name = f"{identity(record.trial)}-{fit[:8] if len(fit) >= 8 else 'unknown'}.json"
    return folder / OLDER / code_of(record.trial.predictor) / name


def older_files(folder: Path) -> list[Path]:
    """The files of older versions of a results folder, in the order of their names.

    Other files in there are the user's own.
    """
    return sorted(path for path in (folder / OLDER).glob("*/*.json") if FILE.fullmatch(path.name))


def read_older(folder: Path, left_out: LeftOut | None = None) -> Iterator[tuple[Path, Record]]:
    """The records of older versions, with their files; what can't be read is left out.

    Parameters
    ----------
    folder : Path
        The results folder.
    left_out : LeftOut or None
        Is told of what can't be read.
    """
    for path in older_files(folder):
        try:
            yield path, read_record(path)
        except UnreadableError as error:
            if left_out is not None:
                left_out.add(str(path.relative_to(folder)), error)


def newest(records: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """The records of the newest version of each method, and those of older ones.

    One row of a board is of one version: the one that was begun last on that dataset and split.

    Returns
    -------
    newest, older : list of Record
        In the order in which they were given.
    """
    every = list(records)
    began: dict[Spot, dict[tuple[str, ...], str]] = defaultdict(dict)
    for record in every:
        known = began[spot_of(record.role, record.trial)]
        version = version_key(record.trial.predictor)
        known[version] = max(known.get(version, ""), record.run.started or "")
    last = {
        spot: max(known, key=lambda version: (known[version], version))
        for spot, known in began.items()
    }
    shown: list[Record] = []
    older: list[Record] = []
    for record in every:
        spot = spot_of(record.role, record.trial)
        is_newest = version_key(record.trial.predictor) == last[spot]
        (shown if is_newest else older).append(record)
    return shown, older
