"""The report of an audit: parts of one sentence, a table and a picture each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from kobench.util.text import shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Verdict of a part -> how it is printed.
VERDICTS = {"fine": "fine", "look": "look closer", "bad": "a problem", "unknown": "not known"}

Verdict = Literal["fine", "look", "bad", "unknown"]

#: So many rows of a table are shown to readers; JSON has them all.
ROWS = 60


@dataclass(frozen=True)
class Table:
    """A table of plain texts.

    Attributes
    ----------
    heads : sequence of str
        Its columns; the first names the rows.
    rows : sequence of sequence of str
        Its rows, the most important first.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def left_out(self) -> int:
        """How many rows readers are not shown."""
        return max(0, len(self.rows) - ROWS)


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn.

    Attributes
    ----------
    caption : str
        What it shows.
    draw : callable
        Draws it.
    """

    caption: str
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class Part:
    """What an audit says of one thing.

    Attributes
    ----------
    key : str
        A word for it, for machines and anchors.
    title : str
        What is asked.
    verdict : str
        One of `VERDICTS`.
    sentence : str
        What it means and what to do.
    facts : mapping
        The numbers, as plain values.
    table, second : Table or None
        The numbers for readers.
    picture : Picture or None
        The numbers drawn.
    """

    key: str
    title: str
    verdict: Verdict
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    table: Table | None = None
    picture: Picture | None = None
    second: Table | None = None

    @property
    def tables(self) -> list[Table]:
        """Its tables that have rows."""
        return [each for each in (self.table, self.second) if each is not None and each.rows]


@dataclass(frozen=True)
class Report:
    """An audit of one dataset.

    Attributes
    ----------
    dataset : str
        The selection.
    summary : str
        What cells there are, in one line.
    parts : tuple of Part
        What is said, the most important first.
    notes : tuple of str
        Sentences that the dataset says of itself.
    drawn : tuple of str
        What of a large dataset was drawn to measure.
    seed : int
        The seed of every draw.
    """

    dataset: str
    summary: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Everything but the pictures, as plain values."""
        return {
            "dataset": self.dataset,
            "summary": self.summary,
            "notes": list(self.notes),
            "drawn": list(self.drawn),
            "seed": self.seed,
            "parts": {
                part.key: {
                    "verdict": part.verdict,
                    "sentence": part.sentence,
                    **part.facts,
                }
                for part in self.parts
            },
        }


def counted(count: int, one: str, many: str = "") -> str:
    """`1 cell`, `2 cells`.

    >>> counted(1, "cell"), counted(1200, "cell")
    ('1 cell', '1,200 cells')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def plain(value: Any) -> Any:
    """A value as facts have it: six decimals of a number, None for one that is not finite.

    >>> plain(1 / 3), plain(float("inf")), plain("A")
    (0.333333, None, 'A')
    """
    if isinstance(value, float):
        return round(value, 6) if isfinite(value) else None
    return value


def share(found: int, of: int, noun: str = "perturbations") -> str:
    """`3 of 23 perturbations`.

    >>> share(1, 1)
    '1 of 1 perturbations'
    """
    return f"{found:,} of {of:,} {noun}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """`A, B and 3 more`.

    >>> listed(["A", "B", "C"], 2)
    'A, B and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(named, names[:most])) + more


def named(text: str, letters: int = 40) -> str:
    """A name as it stands in a sentence.

    >>> named("abcdef", 4)
    'abc…'
    """
    return shortened(text, letters)
