"""Transfer matrices for a terminal: names are whole, groups that do not fit stand below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from kobench.board.numbers.rules import NAMED
from kobench.board.numbers.skill import verdict_of
from kobench.board.render.terminal.tables import (
    STYLES,
    TextColumn,
    bare_table_of,
    name_column,
    side_by_side,
    width_of,
)
from kobench.board.render.text.letters import letter
from kobench.board.render.text.transfer import (
    by_dataset,
    drop_text,
    floor_title,
    interval_line,
    legend_of,
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
        title = "skill, and below it the loss; rows trained on, columns asked"
        console.print()
        console.print(Text(f"{matrix.predictor}: {title}", style="bold"))
        print_grid(matrix, pair_texts(matrix), console)
    console.print()
    console.print(Text(floor_title(first), style="dim"))
    floors = [[Text(number(value), style="dim") for value in row] for row in first.floors]
    print_grid(first, floors, console)
    for i, name in enumerate(first.groups):
        console.print(Text.assemble(Text(f"{letter(i):>2}", style="bold"), f"  {name}"))
    console.print(Text(interval_line(first), style="dim"))


def print_summary(group: Sequence[TransferMatrix], console: Console) -> None:
    """Print the means of every predictor, and of the floor, which has its name elsewhere."""
    *rows, (_, *floor) = summary_rows(group)
    named, *columns = zip(*rows, ("best floor", *floor), strict=True)
    heads = summary_head(group[0])[1:]
    names = name_column("skill, mean", map(Text, named), console.width)
    others = [
        TextColumn(head, list(map(Text, texts))) for head, texts in zip(heads, columns, strict=True)
    ]
    for part in side_by_side(names, others, console.width):
        console.print(bare_table_of(part))


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
    """Print groups x groups; what goes by its letter alone has its name below.

    Parameters
    ----------
    matrix : TransferMatrix
        The matrix.
    cells : (groups, groups) sequence of Text
        What to print.
    console : Console
        Where to print.
    """
    letters = [letter(i) for i in range(len(matrix.groups))]
    columns = [
        TextColumn(short, texts)
        for short, texts in zip(letters, zip(*cells, strict=True), strict=True)
    ]
    named = [f"{short} {name}" for short, name in zip(letters, matrix.groups, strict=True)]
    names = TextColumn("", list(map(Text, named)))
    if width_of([names, *columns]) > console.width:
        names = TextColumn("", list(map(Text, letters)))
    for part in side_by_side(names, columns, console.width):
        console.print(bare_table_of(part))
