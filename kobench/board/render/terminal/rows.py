"""The table of a section for a terminal: whole names, and as many columns as fit beside them."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from kobench.board.board import Board
from kobench.board.render.terminal.columns import columns_of
from kobench.board.render.terminal.fit import fitting
from kobench.board.render.terminal.footnotes import Footnotes
from kobench.board.render.terminal.tables import (
    LINE,
    NAMES,
    PADDING,
    TextColumn,
    style_of,
    table_of,
    width_of,
)
from kobench.board.render.text.marks import row_mark
from kobench.board.render.text.section import scored_without_rank
from kobench.board.render.text.values import rank_text
from kobench.board.row import Row
from kobench.board.table import Section

#: What shows the columns that a table has no room for.
SHOWN_BY = "a wider terminal or -o board.md shows them"


def print_rows(board: Board, section: Section, console: Console) -> None:
    """Print the table; what was left out is named below it."""
    parts = [
        part
        for part in (
            section.from_cells,
            section.with_prior,
            section.unrankable,
            section.floors,
            section.lines,
            scored_without_rank(section),
        )
        if part
    ]
    rows = [row for part in parts for row in part]
    notes = Footnotes()
    first = first_columns(section, rows, console.width)
    columns, left = fitting(
        columns_of(board, section, notes), rows, console.width - width_of(first)
    )
    styles = ["" if row.rank or is_best(section, row) else "dim" for row in rows]
    ends = {sum(map(len, parts[: i + 1])) for i in range(len(parts))}
    console.print(table_of([*first, *columns], console.width, styles, ends))
    if left:
        said = f"not shown at this width: {', '.join(left)} ({SHOWN_BY})"
        console.print(Text(said, style="dim"))
    for said in notes.said(text.plain for column in columns for text in column.texts):
        console.print(Text(said, style="dim"))


def first_columns(section: Section, rows: list[Row], room: int) -> list[TextColumn]:
    """Rank, mark and name, which every table has.

    Parameters
    ----------
    section : Section
        A section of the board.
    rows : list of Row
        The rows of its table.
    room : int
        How many characters wide the table may be.

    Returns
    -------
    list of TextColumn
        As wide as their texts; a name that is longer than the table goes on in the next line.
    """
    names = [
        Text(row.name, style="bold" if row.rank or is_best(section, row) else "") for row in rows
    ]
    marks = [Text(row_mark(section, row), style=style_of(section, row)) for row in rows]
    columns = [
        TextColumn("rank", [Text(place_text(section, row)) for row in rows], least=6),
        TextColumn("", marks, least=1),
    ]
    room -= width_of(columns) + PADDING + LINE
    fit = [width for width in (cell_len(row.name) for row in rows) if width <= room]
    most = None if len(fit) == len(rows) else max(NAMES, room // 2, *fit)
    return [*columns, TextColumn("predictor", names, wraps=True, least=NAMES, most=most)]


def is_best(section: Section, row: Row) -> bool:
    """Whether a row is the best floor by the first metric."""
    return section.leading[0].name in row.best_floor


def place_text(section: Section, row: Row) -> str:
    """A row's rank, or what it is instead."""
    if is_best(section, row):
        return "floor*"
    return rank_text(row) or ("-" if row.role == "predictor" else row.role)
