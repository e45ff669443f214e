"""Which columns of a table a terminal has room for: each is measured once, then they give way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from kobench.board.render.terminal.tables import LINE, PADDING, TextColumn
from kobench.board.render.text.broken import broken
from kobench.board.row import Row

#: The longest line of a head, and that of a column whose texts were shortened.
HEAD, NARROW_HEAD = 13, 8


@dataclass(frozen=True)
class Form:
    """One way to write a column.

    Attributes
    ----------
    text : callable
        Row -> what stands there.
    leaves : int
        When it gives way where the terminal is narrow, the largest number first.
    lost : str
        What is not shown once it gave way to the next form, "" where that says the same in fewer
        words. Where it was the last form, the whole column is not shown.
    narrow : bool
        Whether its head is broken into short lines.
    """

    text: Callable[[Row], str]
    leaves: int
    lost: str = ""
    narrow: bool = False


@dataclass(frozen=True)
class Shown:
    """A column that is worth showing.

    Attributes
    ----------
    title : str
        Its head.
    forms : tuple of Form
        How it may be written, the widest first.
    said : str
        What it is called where it is not shown; "": its title.
    """

    title: str
    forms: tuple[Form, ...]
    said: str = ""


def fitting(
    shown: Sequence[Shown], rows: Sequence[Row], room: int
) -> tuple[list[TextColumn], list[str]]:
    """Columns narrow and few enough for the room there is.

    Parameters
    ----------
    shown : sequence of Shown
        All columns worth showing.
    rows : sequence of Row
        The rows of the table.
    room : int
        How many characters wide they may be together, with what parts them from those before.

    Returns
    -------
    columns : list of TextColumn
        Those that stay.
    left : list of str
        What had to leave, in the order of the columns.
    """
    taken = [0] * len(shown)
    columns = [column_of(one, 0, rows) for one in shown]
    total = sum(map(space, columns))
    steps = sorted((-form.leaves, i) for i, one in enumerate(shown) for form in one.forms)
    for _, i in steps:
        if total <= room:
            break
        total -= space(columns[i])
        taken[i] += 1
        columns[i] = column_of(shown[i], taken[i], rows)
        total += space(columns[i])
    left = [said for one, form in zip(shown, taken, strict=True) for said in lost_of(one, form)]
    return [column for column in columns if column], left


def column_of(shown: Shown, form: int, rows: Sequence[Row]) -> TextColumn | None:
    """A column in one of its forms; None after the last of them."""
    if form == len(shown.forms):
        return None
    chosen = shown.forms[form]
    of_metric = shown.title[-1] in "↑↓"
    head = broken(shown.title, NARROW_HEAD if chosen.narrow else HEAD)
    if chosen.narrow and not of_metric:
        head = head.replace(" ", "\n")
    return TextColumn(
        head,
        [Text(chosen.text(row)) for row in rows],
        justify="left" if of_metric else "right",
    )


def space(column: TextColumn | None) -> int:
    """How many characters a column takes, with what parts it from the one before."""
    return column.width + PADDING + LINE if column else 0


def lost_of(shown: Shown, form: int) -> list[str]:
    """What is not shown of a column in one of its forms."""
    if form == len(shown.forms):
        return [shown.said or shown.title]
    return [one.lost for one in shown.forms[:form] if one.lost]
