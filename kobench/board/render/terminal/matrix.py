"""Predictors x datasets for a terminal: the verdicts' marks and the skill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kobench.board.glance import groups_of, layout_of, tally
from kobench.board.render.terminal.tables import (
    LINE,
    NAMES,
    PADDING,
    TextColumn,
    ruled_table,
    side_by_side,
    style_of,
    table_of,
)
from kobench.board.render.text.matrix import (
    REPLICATE,
    best_floor,
    glance_about,
    glance_text,
    line_texts,
    tally_text,
)
from kobench.board.row import Row
from kobench.board.table import Matrix, Section


def print_matrix(matrix: Matrix, letters: Mapping[str, str], console: Console) -> None:
    """Print a matrix, as many datasets side by side as fit.

    Parameters
    ----------
    matrix : Matrix
        Predictors x datasets.
    letters : mapping of str to str
        The place of a section -> its letter, by which the dataset goes.
    console : Console
        Where to print.
    """
    console.print(Text(f"At a glance: {matrix.task}, split {matrix.split}", style="bold"))
    console.print(Text(glance_about(matrix), style="dim"))
    if layout_of(matrix) == "grouped":
        for table in grouped(matrix, console.width):
            console.print(table)
        return
    lines = lines_of(matrix)
    widest = max(len(text.plain) for _, texts in lines for text in texts)
    longest = max(cell_len(name) for name in (f"line: {REPLICATE}", *matrix.predictors))
    names = min(longest, max(NAMES, console.width - widest - 2))
    step = max(1, (console.width - names) // (widest + 2))
    for start in range(0, len(matrix.datasets), step):
        part = slice(start, start + step)
        table = ruled_table()
        table.add_column("predictor", overflow="fold", width=names)
        for section in matrix.datasets[part]:
            table.add_column(letters[section.place], overflow="fold", width=widest)
        for i, (name, texts) in enumerate(lines):
            if i == len(matrix.predictors):
                table.add_section()
            table.add_row(name, *texts[part])
        console.print(table)


def lines_of(matrix: Matrix) -> list[tuple[Text, list[Text]]]:
    """A name and a text a dataset: each predictor, the best floor, the line if there is one."""
    lines = [
        (
            Text(name),
            [glance(section, row) for section, row in zip(matrix.datasets, rows, strict=True)],
        )
        for name, rows in zip(matrix.predictors, matrix.cells, strict=True)
    ]

    def dim(texts: list[str]) -> list[Text]:
        return [Text(text, style="dim") for text in texts]

    floors = [best_floor(section) for section in matrix.datasets]
    lines.append((Text("best floor", style="dim"), dim(floors)))
    replicates = line_texts(matrix, REPLICATE)
    if any(replicates):
        lines.append((Text(f"line: {REPLICATE}", style="dim"), dim(replicates)))
    return lines


def grouped(matrix: Matrix, room: int) -> Iterator[Table]:
    """Many datasets summed up by their parameters, as many predictors side by side as fit."""
    groups = groups_of(matrix)
    titles = TextColumn(
        "datasets", [Text(title) for title, _ in groups], wraps=True, most=max(NAMES, room // 2)
    )
    tallies = [
        TextColumn(
            name,
            [Text(tally_text(tally(matrix, i, places))) for _, places in groups],
            wraps=True,
            most=max(NAMES, room - titles.width - PADDING - LINE),
        )
        for i, name in enumerate(matrix.predictors)
    ]
    for part in side_by_side(titles, tallies, room):
        yield table_of(part, room)


def glance(section: Section, row: Row | None) -> Text:
    """One cell of the matrix."""
    if row is None:
        return Text("")
    told = row.status == "ok" or row.suspect
    style = style_of(section, row) if told else "dim"
    return Text(glance_text(section, row), style=style)
