"""The table of a section for a terminal, with as many columns as fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from kobench.board.board import Board
from kobench.board.render.terminal.tables import (
    LINE,
    PADDING,
    TextColumn,
    broken,
    style_of,
    table_of,
    width_of,
)
from kobench.board.render.text.marks import mark
from kobench.board.render.text.section import scored_without_rank
from kobench.board.render.text.values import (
    COSTS,
    KNOWS_HEAD,
    arrow,
    cost_texts,
    coverage_text,
    has_permuted,
    knows_text,
    rank_text,
    secondary,
    skill_text,
    value_text,
)
from kobench.board.row import Column, Row
from kobench.board.table import Section

#: Secondary metrics shown where there is room.
SECONDARY = 3

#: The head of the coverage, and the step at which it leaves where it is 100 % for all rows.
COVER, COVER_OF_ALL = "cover", 7

#: The longest line of a head, and that of a column whose texts were shortened.
HEAD, NARROW_HEAD = 13, 8


@dataclass(frozen=True)
class Shown:
    """A column that is worth showing.

    Attributes
    ----------
    title : str
        Its head.
    text : callable
        Row -> what stands there.
    leaves : int
        When it gives way where the terminal is narrow, the largest number first; 0: never.
    shorter : callable or None
        Row -> the shorter text that it gives way to; None where it leaves altogether.
    narrow : bool
        Whether this is the shorter form.
    """

    title: str
    text: Callable[[Row], str]
    leaves: int = 0
    shorter: Callable[[Row], str] | None = None
    narrow: bool = False


def print_rows(board: Board, section: Section, console: Console) -> None:
    """Print the table; what was left out is named below it."""
    parts = [
        part
        for part in (
            section.ranked,
            section.unrankable,
            section.floors,
            section.lines,
            scored_without_rank(section),
        )
        if part
    ]
    rows = [row for part in parts for row in part]
    first = first_columns(section, rows)
    room = console.width - width_of(first) - PADDING - LINE
    columns, left = fitting(columns_of(board, section), rows, room)
    styles = ["" if row.rank or is_best(section, row) else "dim" for row in rows]
    ends = {sum(map(len, parts[: i + 1])) for i in range(len(parts))}
    console.print(table_of([*first, *columns], console.width, styles, ends))
    if left:
        said = f"not shown at this width: {', '.join(reversed(left))}"
        console.print(Text(said, style="dim"))


def first_columns(section: Section, rows: list[Row]) -> list[TextColumn]:
    """Rank, mark and name, which every table has."""
    metric = section.leading[0].name
    names = [
        Text(row.name, style="bold" if row.rank or is_best(section, row) else "") for row in rows
    ]
    marks = [Text(mark(row, metric), style=style_of(row, metric)) for row in rows]
    return [
        TextColumn("rank", [Text(place_text(section, row)) for row in rows], least=6),
        TextColumn("", marks, least=1),
        TextColumn("predictor", names, wraps=True, least=12, most=32),
    ]


def is_best(section: Section, row: Row) -> bool:
    """Whether a row is the best floor by the first metric."""
    return section.leading[0].name in row.best_floor


def place_text(section: Section, row: Row) -> str:
    """A row's rank, or what it is instead."""
    if is_best(section, row):
        return "floor*"
    return rank_text(row) or ("-" if row.role == "predictor" else row.role)


def fitting(shown: list[Shown], rows: list[Row], room: int) -> tuple[list[TextColumn], list[str]]:
    """Columns narrow and few enough for the room there is.

    Parameters
    ----------
    shown : list of Shown
        All columns worth showing.
    rows : list of Row
        The rows of the table.
    room : int
        How many characters wide they may be together.

    Returns
    -------
    columns : list of TextColumn
        Those that stay.
    left : list of str
        The titles of those that had to leave, in the order of leaving.
    """
    pairs = [(one, column_of(one, rows)) for one in shown]
    left: list[str] = []
    for step in sorted({one.leaves for one in shown if one.leaves}, reverse=True):
        if width_of([column for _, column in pairs]) <= room:
            break
        kept = []
        for one, column in pairs:
            if one.leaves != step:
                kept.append((one, column))
            elif one.shorter:
                short = Shown(one.title, one.shorter, narrow=True)
                kept.append((short, column_of(short, rows)))
            else:
                whole = one.title == COVER and step == COVER_OF_ALL
                left.append(f"{one.title} (100% for all)" if whole else one.title)
        pairs = kept
    return [column for _, column in pairs], left


def column_of(shown: Shown, rows: list[Row]) -> TextColumn:
    """A column with its texts."""
    return TextColumn(
        broken(shown.title, NARROW_HEAD if shown.narrow else HEAD),
        [Text(shown.text(row)) for row in rows],
        justify="left" if shown.title[-1] in "↑↓" else "right",
    )


def columns_of(board: Board, section: Section) -> list[Shown]:
    """Every column worth showing, in order, with which go first where the terminal is narrow."""
    first, *others = section.leading
    whole = all(row.coverage in (None, 1.0) for row in section.rows)
    shown = [
        Shown(arrow(first), value_of(first)),
        Shown("skill", skill_of(first), 6, skill_of(first, False)),
        Shown(COVER, coverage_text, COVER_OF_ALL if whole else 1),
        *knows_columns(section, first, 6),
    ]
    for column in others:
        shown += [
            Shown(arrow(column), value_of(column), 9, value_of(column, False)),
            Shown("skill", skill_of(column), 8, skill_of(column, False)),
            *knows_columns(section, column, 9),
        ]
    for i, column in enumerate(secondary(section, SECONDARY)):
        shown.append(Shown(arrow(column), value_of(column, False), 10 + i))
    if board.cost:
        shown += [Shown(title, cost_of(i), 2 + i) for i, title in enumerate(COSTS)]
    return shown


def knows_columns(section: Section, column: Column, leaves: int) -> list[Shown]:
    """The column of permuted answers, if a metric has any."""
    if not has_permuted(section, column):
        return []

    def text(row: Row) -> str:
        return knows_text(row.scores.get(column.name), column, section.control)

    return [Shown(KNOWS_HEAD, text, leaves, lambda row: text(row).partition(" (mean")[0])]


def value_of(column: Column, interval: bool = True) -> Callable[[Row], str]:
    """Row -> its score by a metric."""
    return lambda row: value_text(row.scores.get(column.name), column, interval)


def skill_of(column: Column, interval: bool = True) -> Callable[[Row], str]:
    """Row -> its skill by a metric."""
    return lambda row: skill_text(row.scores.get(column.name), interval)


def cost_of(i: int) -> Callable[[Row], str]:
    """Row -> what it cost, by the place in `COSTS`."""
    return lambda row: cost_texts(row.cost)[i]
