"""What was measured, kept as JSON.

There is one entry a row, so that a row can be measured again alone and merged into the rest.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from benchmarks.measure import Finding

#: Raised with every change after which older files can't be read.
FORMAT = 1


@dataclass(frozen=True)
class Result:
    """One row as it came out.

    Attributes
    ----------
    name, work, plain
        Of the `Row`.
    status : {"measured", "skipped", "failed"}
        How it ended.
    reason : str
        Why it was skipped, or the error.
    reached, target, unit, lower, seconds, plain_seconds, facts
        Of the `Finding`.
    date : str
        UTC, to the minute.
    load : float
        Load average of the minute before.
    machine : mapping of str to str
        See `benchmarks.machine`.
    command : str
        What was run.
    """

    name: str
    work: str
    plain: str
    status: Literal["measured", "skipped", "failed"]
    reason: str = ""
    reached: Sequence[float] = ()
    target: float = math.nan
    unit: str = ""
    lower: bool = False
    seconds: Sequence[float] = ()
    plain_seconds: Sequence[float] = ()
    facts: Sequence[str] = ()
    date: str = ""
    load: float = math.nan
    machine: Mapping[str, str] = field(default_factory=dict)
    command: str = ""

    def with_finding(self, found: Finding) -> Result:
        """The same row, measured."""
        of = {
            name: getattr(found, name)
            for name in ("reached", "target", "unit", "lower", "seconds", "plain_seconds", "facts")
        }
        return Result(**{**self.__dict__, **of, "status": "measured"})

    @property
    def median(self) -> float:
        """The median of the runs; NaN where nothing was measured."""
        return statistics.median(self.reached) if self.reached else math.nan

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the target; None where nothing was measured."""
        if self.status != "measured":
            return None
        return self.median <= self.target if self.lower else self.median >= self.target


@dataclass(frozen=True)
class Kept:
    """All that is kept.

    Attributes
    ----------
    rows : mapping of str to Result
        The rows by name.
    growth : mapping of str to dict
        The growth curves by name, as `benchmarks.growth` writes them.
    """

    rows: Mapping[str, Result] = field(default_factory=dict)
    growth: Mapping[str, Any] = field(default_factory=dict)

    def merged(
        self,
        rows: Sequence[Result],
        growth: Mapping[str, Any],
        known: Sequence[str],
        curves: Sequence[str],
    ) -> Kept:
        """These results over the kept ones, in the order of the known rows and curves, others last.

        A row that failed or was skipped replaces a measured one: what is shown is what the code of
        today does.
        """
        return Kept(
            ordered({**self.rows, **{row.name: row for row in rows}}, known),
            ordered({**self.growth, **growth}, curves),
        )

    def without_others(self, known: Sequence[str], curves: Sequence[str]) -> Kept:
        """The same without rows and curves that are no longer known."""
        return Kept(
            {n: row for n, row in self.rows.items() if n in known},
            {n: one for n, one in self.growth.items() if n in curves},
        )


def ordered(entries: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The entries by `names` first, then the others as they are."""
    return {name: entries[name] for name in [*names, *entries] if name in entries}


def read(file: Path) -> Kept:
    """The kept results; empty where there is no file yet.

    ValueError where the file is of another format.
    """
    if not file.exists():
        return Kept()
    content = json.loads(file.read_text())
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{file} has format {content.get('format')!r}, expected {FORMAT}; remove it and measure"
            " everything again"
        )
    names = {entry.name for entry in fields(Result)}
    rows = {
        row["name"]: Result(
            **{key: revived(key, value) for key, value in row.items() if key in names}
        )
        for row in content["rows"]
    }
    return Kept(rows, content["growth"])


def write(file: Path, kept: Kept) -> None:
    """Write the results aside and move them into place, so that a kill loses nothing.

    What is not a number becomes null.
    """
    rows = [
        {key: None if value != value else value for key, value in asdict(row).items()}
        for row in kept.rows.values()
    ]
    text = json.dumps(
        {"format": FORMAT, "rows": rows, "growth": dict(kept.growth)}, indent=1, allow_nan=False
    )
    with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".part", delete=False) as part:
        part.write(text + "\n")
    os.chmod(part.name, 0o644)  # a temporary file is the owner's alone
    os.replace(part.name, file)


def revived(key: str, value: Any) -> Any:
    """A value of the file as a Result has it."""
    if value is None:
        return math.nan
    return tuple(value) if isinstance(value, list) else value
