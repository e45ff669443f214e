"""A section for a terminal: sentence, table, what is not ranked and why, notes, single units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from kobench.board.board import Board
from kobench.board.render.terminal.rows import SHOWN_BY, print_rows
from kobench.board.render.terminal.tables import TextColumn, table_of, width_of
from kobench.board.render.text.broken import broken
from kobench.board.render.text.legend import explained
from kobench.board.render.text.section import (
    asked,
    notes_here,
    on_rows,
    said_of,
    trained_on,
    unranked,
)
from kobench.board.render.text.units import unit_table, unit_text, unit_title
from kobench.board.table import CONTROL, Section, Units

#: How many single units are printed.
UNITS = 40


def print_section(
    board: Board, section: Section, letter: str, console: Console, units: bool
) -> None:
    """Print a section.

    Parameters
    ----------
    board : Board
        The leaderboard.
    section : Section
        One of its sections.
    letter : str
        What its dataset goes by in the matrices; "" without any.
    console : Console
        Where to print.
    units : bool
        Whether to print its single units.
    """
    console.print(heading(section, letter))
    if asked(section):
        console.print(Text(f"{asked(section)}.", style="dim"))
    console.print(Text(section.sentence))
    for warning in section.warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"))
    if section.leading:
        console.print()
        print_rows(board, section, console)
    for why, names in unranked(section).items():
        title = Text(f"not ranked: {', '.join(names)}", style="red")
        console.print(Text.assemble(title, f": {why}"))
    for text in on_rows(section):
        console.print(Text(text, style="dim"))
    for text in (*said_of(section), *explained(board, section)):
        console.print(Text(text, style="dim"))
    if notes_here(board, section):
        said = f"`kobench info {section.dataset_name}` says more of this dataset"
        console.print(Text(said, style="dim"))
    if section.units and units:
        console.print()
        print_units(section, section.units, console)


def heading(section: Section, letter: str) -> Text:
    """Task, letter, dataset and split."""
    return Text.assemble(
        Text(f" {section.task} ", style="bold reverse"),
        Text(f"  {letter}" if letter else "", style="bold"),
        f"  {section.dataset}{CONTROL if section.near_null else ''}  ",
        Text(f"split {section.split}{trained_on(section)}", style="dim"),
    )


def print_units(section: Section, units: Units, console: Console) -> None:
    """Print the table of single units; columns that do not fit are named."""
    heads, rows = unit_table(section, units)
    columns = unit_columns(heads, rows[:UNITS])
    shown = len(columns)
    while shown > 2 and width_of(columns[:shown]) > console.width:
        shown -= 1
    console.print(Text(unit_title(section, units), style="bold"))
    console.print(table_of(columns[:shown], console.width))
    if len(rows) > UNITS:
        said = f"the first {UNITS} of {len(rows):,}; --format csv has all"
        console.print(Text(said, style="dim"))
    if shown < len(heads):
        said = f"not shown at this width: {', '.join(heads[shown:])} ({SHOWN_BY})"
        console.print(Text(said, style="dim"))


def unit_columns(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[TextColumn]:
    """The columns of single units."""
    return [
        TextColumn(
            broken(head),
            [Text(unit_text(row[i])) for row in rows],
            justify="right" if i else "left",
            wraps=True,
            most=24,
        )
        for i, head in enumerate(heads)
    ]
