"""Transfer matrices for a terminal (80 columns hold eight groups side by side)."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from kobench.board.numbers.rules import NAMED
from kobench.board.numbers.skill import verdict_of
from kobench.board.render.terminal.tables import STYLES, bare_table
from kobench.board.render.text.transfer import (
    by_dataset,
    drop_text,
    floor_title,
    interval_line,
    legend_of,
    letters_of,
    sentence_of,
    share_text,
    summary_head,
    summary_rows,
    title_of,
)
from kobench.board.transfer import TransferCell, TransferMatrix, drop_verdict
from kobench.board.written import number

#: The colour of what a drop says.
DROP_STYLES = {"gains": "green", "same": "yellow", "loses": "red", "": "dim"}

#: The least room for the name of a row, and the largest width of a column, in characters.
NAME_WIDTH, COLUMN_WIDTH = 8, 12


def print_transfers(matrices: Sequence[TransferMatrix], console: Console) -> None:
    """Print the matrices on a console, at its width."""
    for group in by_dataset(matrices):
        print_dataset(group, console)


def print_dataset(group: Sequence[TransferMatrix], console: Console) -> None:
    """Print sentence, summary, the pairs of each predictor, the floor's scores."""
    first = group[0]
    console.print()
    console.print(Text(title_of(first), style="bold"))
    console.print(Text(sentence_of(group)))
    console.print(Text(legend_of(first), style="dim"))
    console.print()
    print_summary(group, console)
    for matrix in group:
        title = "explained, and below it the drop; rows trained on, columns asked"
        console.print()
        console.print(Text(f"{matrix.predictor}: {title}", style="bold"))
        print_grid(matrix, pair_texts(matrix), console)
    console.print()
    console.print(Text(floor_title(first), style="dim"))
    floors = [[Text(number(value), style="dim") for value in row] for row in first.floors]
    print_grid(first, floors, console)
    for letter, name in zip(letters_of(len(first.groups)), first.groups, strict=True):
        console.print(Text.assemble(Text(f"{letter:>2}", style="bold"), f"  {name}"))
    console.print(Text(interval_line(first), style="dim"))


def print_summary(group: Sequence[TransferMatrix], console: Console) -> None:
    """Print the means of every predictor; names give way to numbers."""
    table = bare_table()
    for i, head in enumerate(summary_head(group[0])):
        table.add_column(Text(head), overflow="fold", no_wrap=i > 0)
    for row in summary_rows(group):
        table.add_row(*map(Text, row))
    console.print(table)


def pair_texts(matrix: TransferMatrix) -> list[list[Text]]:
    """The text of each pair of groups."""
    return [
        [pair_text(matrix, cell, a == b) for b, cell in enumerate(row)]
        for a, row in enumerate(matrix.cells)
    ]


def pair_text(matrix: TransferMatrix, cell: TransferCell, own: bool) -> Text:
    """Two lines: what is explained, and the drop; bold on the diagonal."""
    style = STYLES[verdict_of(cell.explained, NAMED)] if cell.explained else "dim"
    share = Text(share_text(matrix, cell, own), style=f"bold {style}" if own else style)
    dropped = drop_text(cell)
    if not dropped:
        return share
    return Text.assemble(share, "\n", Text(dropped, style=DROP_STYLES[drop_verdict(cell.drop)]))


def print_grid(matrix: TransferMatrix, cells: Sequence[Sequence[Text]], console: Console) -> None:
    """Print groups x groups, as many columns side by side as fit.

    Columns go by their letters, rows by letter and as much of the name as fits.

    Parameters
    ----------
    matrix : TransferMatrix
        The matrix.
    cells : (groups, groups) sequence of Text
        What to print.
    console : Console
        Where to print.
    """
    letters = letters_of(len(matrix.groups))
    longest = max(len(line) for row in cells for cell in row for line in cell.plain.split("\n"))
    width = min(COLUMN_WIDTH, longest)
    step = min(len(letters), max(1, (console.width - NAME_WIDTH) // (width + 1)))
    names = [f"{letter} {name}" for letter, name in zip(letters, matrix.groups, strict=True)]
    name_width = min(max(map(len, names)), console.width - step * (width + 1) - 1)
    for start in range(0, len(letters), step):
        table = bare_table()
        table.add_column("", width=name_width, no_wrap=True, overflow="ellipsis")
        for letter in letters[start : start + step]:
            table.add_column(letter, width=width, overflow="fold")
        for name, row in zip(names, cells, strict=True):
            table.add_row(Text(name), *row[start : start + step])
        console.print(table)
