"""`submission.json`: what a method is, where it comes from, and what its rows stand beside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobench.errors import UserError
from kobench.results.faults import Fault
from kobench.results.parts import Record
from kobench.results.typed import Part, optional
from kobench.util.bounded import read_bounded
from kobench.util.files import canonical_json, hash_of, parse_json

#: The files of a submission, beside `records.jsonl.gz` and `answers.zip`.
FILE, TEXT, LOCK = "submission.json", "README.md", "lock.txt"

#: Number of this format.
SCHEMA = 1

#: Bytes of such a file that are read.
MOST = 1 << 20


@dataclass(frozen=True, kw_only=True)
class MethodInfo(Part):
    """The method, as its records name it.

    Attributes
    ----------
    name, selection, distribution, version, digest
        See `kobench.results.parts.PredictorInfo`.
    environment : str or None
        The environment that it lived in; left out for kobench's own interpreter.
    threads : int
        Number of threads it might use.
    device : str
        Kind of device.
    prior : str or None
        What it says that it knows beside the cells; left out for nothing.
    developed_on : list of str, or None
        The datasets that it says it was developed on; left out for none.
    """

    name: str
    selection: str
    distribution: str
    version: str | int
    digest: str
    environment: str | None = optional()
    threads: int
    device: str
    prior: str | None = optional()
    developed_on: Sequence[str] | None = optional()


@dataclass(frozen=True, kw_only=True)
class SourceInfo(Part):
    """Where its code can be had.

    Attributes
    ----------
    address : str
        A repository, or a distribution with its version.
    commit : str or None
        The commit of the repository; left out for none.
    folder : str or None
        Where in the repository it lies; left out for its root.
    changed : bool
        Whether it had changes that no commit has.
    """

    address: str
    commit: str | None = optional()
    folder: str | None = optional()
    changed: bool


@dataclass(frozen=True, kw_only=True)
class BoardInfo(Part):
    """The board that it was compared with.

    Attributes
    ----------
    name : str
        What it is called.
    suite : str or None
        The suite of its runs; left out where that is not known.
    digest : str
        Sha256 of its records.
    records : int
        How many it had.
    """

    name: str
    suite: str | None = optional()
    digest: str
    records: int


@dataclass(frozen=True, kw_only=True)
class CostInfo(Part):
    """What its trials took.

    Attributes
    ----------
    trials : int
        How many there are.
    seconds : float
        Time of all fits and answers, s.
    peak_mb : float or None
        Largest memory of one, MB.
    """

    trials: int
    seconds: float
    peak_mb: float | None


@dataclass(frozen=True, kw_only=True)
class Submission(Part):
    """All that a submission says beside its records and answers.

    Attributes
    ----------
    schema : int
        Number of this format.
    method : MethodInfo
        The method.
    source : SourceInfo
        Where its code can be had.
    licence : str
        Under which licence.
    reference : str or None
        Where it is published; left out for nowhere.
    lock : str or None
        Sha256 of `lock.txt`, from which its environment can be made again; left out where it ran in
        kobench's own interpreter.
    python : str
        The version of Python in which it ran.
    packages : mapping of str to str
        Versions of the packages there.
    kobench : list of str
        The versions of kobench by which it was run.
    board : BoardInfo
        The board.
    datasets : list of str
        Those of the board that it was run on, each with its split.
    cost : CostInfo
        What its trials took.
    tuned_on : list of str, or None
        What `kobench tune` chose its setting on; left out for nothing.
    seed_known : bool or None
        Whether the secret seed of simulated networks was known before its runs, so that it could
        have been made for them; left out where none was secret.
    command : list of str
        The commands that make its records again.
    """

    schema: int
    method: MethodInfo
    source: SourceInfo
    licence: str
    reference: str | None = optional()
    lock: str | None = optional()
    python: str
    packages: Mapping[str, str]
    kobench: Sequence[str]
    board: BoardInfo
    datasets: Sequence[str]
    cost: CostInfo
    tuned_on: Sequence[str] | None = optional()
    seed_known: bool | None = optional()
    command: Sequence[str]

    def text(self) -> str:
        """The file."""
        return json.dumps(self.to_json(), sort_keys=True, indent=1) + "\n"


def is_submission(folder: Path) -> bool:
    """Whether a folder says that it is a submission."""
    return (folder / FILE).is_file()


def read_submission(folder: Path) -> Submission:
    """What a folder says of its submission, which may be anyone's.

    Raises
    ------
    UserError
        Where it says nothing that can be read.
    """
    path = folder / FILE
    try:
        found = Submission.from_json(parse_json(read_bounded(path, MOST).decode()))
    except FileNotFoundError:
        raise UserError(
            f"{folder} has no {FILE}; `kobench submit` writes one with the rows of a method"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} can't be read ({error}); write it anew") from error
    except Fault as fault:
        raise UserError(
            f"{path} is damaged: {fault}; write it anew with `kobench submit`"
        ) from None
    if found.schema > SCHEMA:
        raise UserError(
            f"{path} has schema {found.schema}, this kobench reads up to {SCHEMA}; update kobench"
        )
    return found


def digest_of(records: Iterable[Record]) -> str:
    """Sha256 of records, whatever their order and the file that they lie in."""
    return hash_of(sorted(canonical_json(record.to_json()) for record in records))


def kept_name(submission: Submission) -> str:
    """How a board calls the file in which it keeps what a submission said."""
    method = submission.method
    what = [method.selection, method.distribution, method.environment or "", str(method.threads)]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', method.name).strip('-')}-{hash_of(what)[:8]}.json"
