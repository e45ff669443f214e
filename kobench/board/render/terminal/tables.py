"""Tables of a terminal: laid out by rich, measured here.

rich measures a table cell by cell each time that it is asked, which took most of the time of a
board. The width of a column is known from its texts, so it is found once and told to rich.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rich import box
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from kobench.board.overall import MIXED, UNPROVEN
from kobench.board.render.text.marks import BEYOND, row_verdict
from kobench.board.row import Row
from kobench.board.table import Section

#: The colour of a verdict.
STYLES = {
    **{"better": "green", "same": "yellow", "worse": "red", "": "dim"},
    **{MIXED: "cyan", UNPROVEN: "cyan", BEYOND: "magenta"},
}

#: A rule under the head, a fainter one between the parts of a table, and no other lines.
RULES = box.Box("    \n    \n ── \n    \n ┄┄ \n    \n    \n    \n")

#: Characters between two columns: the padding of the left one, and the place of a line.
PADDING, LINE = 1, 1

#: The least room of a name that has to wrap, in characters.
NAMES = 12


def ruled_table() -> Table:
    """A table with rules under its head and between its parts, and nothing else."""
    return Table(
        box=RULES, padding=(0, PADDING, 0, 0), pad_edge=False, header_style="bold", show_edge=False
    )


@dataclass(frozen=True)
class TextColumn:
    """A column of a ruled table.

    Attributes
    ----------
    head : str
        Its head, perhaps of several lines.
    texts : sequence of Text
        One text a row.
    justify : str
        "left" or "right".
    wraps : bool
        Whether a text that is too long goes on in the next line.
    least, most : int or None
        The least and the largest width, in characters.
    """

    head: str
    texts: Sequence[Text]
    justify: JustifyMethod = "left"
    wraps: bool = False
    least: int | None = None
    most: int | None = None

    @cached_property
    def width(self) -> int:
        """Characters that it takes up without wrapping anything but what is longer than `most`."""
        lines = [*self.head.splitlines(), *(line for text in self.texts for line in lines_of(text))]
        width = max(map(cell_len, lines), default=0)
        width = width if self.least is None else max(width, self.least)
        return width if self.most is None else min(width, self.most)


def lines_of(text: Text) -> list[str]:
    """The lines of a text."""
    return text.plain.splitlines()


def width_of(columns: Sequence[TextColumn]) -> int:
    """How wide a table of these columns is, in characters."""
    return sum(column.width for column in columns) + (PADDING + LINE) * (len(columns) - 1)


def side_by_side(
    first: TextColumn, others: Sequence[TextColumn], room: int
) -> Iterator[list[TextColumn]]:
    """The columns of several tables, each with the first column and as many others as fit.

    Parameters
    ----------
    first : TextColumn
        What every table begins with.
    others : sequence of TextColumn
        What is shared out over the tables, in order.
    room : int
        How many characters wide a table may be.

    Yields
    ------
    list of TextColumn
        The columns of a table: the first, and at least one other.
    """
    part, width = [first], first.width
    for column in others:
        if len(part) > 1 and width + PADDING + LINE + column.width > room:
            yield part
            part, width = [first], first.width
        part.append(column)
        width += PADDING + LINE + column.width
    yield part


def table_of(
    columns: Sequence[TextColumn],
    room: int,
    styles: Sequence[str] = (),
    parts: Collection[int] = (),
) -> Table:
    """A ruled table.

    Parameters
    ----------
    columns : sequence of TextColumn
        Its columns, with as many texts each.
    room : int
        How many characters wide it may be; where it is wider, rich makes its columns narrower.
    styles : sequence of str
        The style of each row; none: no style.
    parts : collection of int
        After how many rows a part of the table ends.

    Returns
    -------
    Table
        For a console to print.
    """
    fits = width_of(columns) <= room
    table = ruled_table()
    for i, column in enumerate(columns):
        # the last column has no padding, which not every rich takes into account: it measures that
        told = fits and column.width > 0 and i < len(columns) - 1
        table.add_column(
            Text(column.head),
            justify=column.justify,
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            min_width=column.least,
            max_width=column.most,
            width=column.width if told else None,
        )
    for i, texts in enumerate(zip(*(column.texts for column in columns), strict=True)):
        table.add_row(*texts, style=styles[i] if styles else "")
        if i + 1 in parts:
            table.add_section()
    return table


def bare_table_of(columns: Sequence[TextColumn]) -> Table:
    """A table without any line, of columns that fit side by side."""
    table = Table(box=None, padding=(0, PADDING + LINE, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            Text(column.head),
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            width=column.width,
        )
    for texts in zip(*(column.texts for column in columns), strict=True):
        table.add_row(*texts)
    return table


def name_column(head: str, texts: Iterable[Text], room: int) -> TextColumn:
    """A column whose texts are whole: one wraps that is longer than the room, and no other."""
    column = TextColumn(head, list(texts))
    if column.width <= room:
        return column
    fit = [line for text in column.texts for line in map(cell_len, lines_of(text)) if line <= room]
    return replace(column, wraps=True, most=max(NAMES, room // 2, *fit))


def style_of(section: Section, row: Row) -> str:
    """The colour of a row's verdict, faint where it is hollow."""
    style = STYLES[row_verdict(section, row)]
    return f"dim {style}" if row.hollow and style != "dim" else style
