"""A section as a card of the page: sentence, table, single units, reasons and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kobench.board.board import Board
from kobench.board.figures import Drawn
from kobench.board.render.html.notes import About, own_notes
from kobench.board.render.html.table import Table, table_of
from kobench.board.render.html.units import UnitData, units_of
from kobench.board.render.text.section import asked, problem_text, said_of, trained_on
from kobench.board.table import CONTROL, Section

#: How many words a sentence above a table may have; a longer one stands folded below it, since the
#: table has all its numbers.
WORDS = 60


@dataclass(frozen=True)
class Remark:
    """What is to be known of rows: their names, the text, and a traceback or ""."""

    names: str
    text: str
    traceback: str = ""


@dataclass(frozen=True)
class Card:
    """A section as the template takes it.

    Attributes
    ----------
    anchor : str
        What links to the card call it.
    dataset, task : str
        What the filters find it by.
    place : str
        The dataset in short.
    title, subtitle : str
        Its heading, and what stands below in small print.
    sentence : str
        The result in words.
    long : bool
        Whether that is too long to be read above a table.
    warnings : tuple of str
        What nobody must miss.
    table : Table or None
        None where there is no metric.
    remarks : tuple of Remark
        What is to be known of rows.
    basis : tuple of str
        What the intervals stand for, what was asked, what the task says of its truth.
    notes : tuple of str
        What is to be known of this dataset alone, below the first of its sections.
    about : About or None
        What all data of its name have in common.
    units : UnitData or None
        The table of single units.
    pictures : tuple of Drawn
        The section's own.
    """

    anchor: str
    dataset: str
    place: str
    task: str
    title: str
    subtitle: str
    sentence: str
    long: bool
    warnings: tuple[str, ...]
    table: Table | None
    remarks: tuple[Remark, ...]
    basis: tuple[str, ...]
    notes: tuple[str, ...]
    about: About | None
    units: UnitData | None
    pictures: tuple[Drawn, ...]


def card_of(
    board: Board, section: Section, anchor: str, shared: About | None, pictures: Sequence[Drawn]
) -> Card:
    """The card of a section.

    Parameters
    ----------
    board : Board
        The leaderboard.
    section : Section
        One of its sections.
    anchor : str
        What links to the card call it.
    shared : About or None
        What all data of its name say of themselves.
    pictures : sequence of Drawn
        The section's own pictures.
    """
    control = CONTROL if section.near_null else ""
    whole = f"{section.dataset} (version {section.dataset_version})"
    about = [asked(section), whole, f"split {section.split}{trained_on(section)}"]
    return Card(
        anchor=anchor,
        dataset=section.dataset,
        place=f"{section.place}{control}",
        task=section.task,
        title=f"{section.task} on {section.place}{control}",
        subtitle="; ".join(filter(None, about)),
        sentence=section.sentence,
        long=len(section.sentence.split()) > WORDS,
        warnings=section.warnings,
        table=table_of(board, section) if section.leading else None,
        remarks=remarks_of(section),
        basis=tuple(text.rstrip(".") + "." for text in said_of(section)),
        notes=own_notes(board, section, shared),
        about=shared,
        units=units_of(section, f"u-{anchor}") if section.units else None,
        pictures=tuple(pictures),
    )


def remarks_of(section: Section) -> tuple[Remark, ...]:
    """Why rows are not ranked, and what else is to be known of them; each text once."""
    names: dict[tuple[str, str], list[str]] = {}
    for row in section.rows:
        said = [(text, "") for text in row.remarks]
        said += [(problem_text(problem), problem.traceback) for problem in row.problems]
        for each in said:
            names.setdefault(each, []).append(row.name)
    return tuple(
        Remark(", ".join(who), text, traceback) for (text, traceback), who in names.items()
    )
