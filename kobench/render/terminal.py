"""The board for a terminal: readable from 80 columns on; columns that do not fit are left out, and named."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from kobench.render.text import (
    COSTS,
    LEGEND,
    MARKS,
    TITLE,
    arrow,
    cost_texts,
    coverage_text,
    interval_line,
    role_text,
    secondary,
    skill_text,
    value_text,
    why_unranked,
)
from kobench.table import Board, Column, Matrix, Row, Section

STYLES = {"better": "green", "same": "yellow", "worse": "red", "": "dim"}

#: Secondary metrics shown where there is room.
SECONDARY = 3


@dataclass(frozen=True)
class Shown:
    """A column: its title, its text for a row, when it gives way to width (the largest first; 0 never), and to what shorter text."""

    title: str
    text: Callable[[Row], str]
    leaves: int = 0
    shorter: Callable[[Row], str] | None = None


def render(board: Board, width: int = 100, color: bool = False) -> str:
    """The board as text of a given width, with ANSI colours if asked for."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=color, color_system="standard" if color else None, legacy_windows=False, _environ={}
    )
    print_board(board, console)
    return "\n".join(text.rstrip() for text in file.getvalue().splitlines()) + "\n"


def print_board(board: Board, console: Console) -> None:
    """Print the board on a console, at its width."""
    console.print(Text(TITLE, style="bold"))
    console.print(Text(LEGEND, style="dim"))
    for matrix in board.matrices:
        console.print()
        print_matrix(matrix, console)
    for section in board.sections:
        console.print()
        print_section(board, section, console)


def plain_table() -> Table:
    """A table with rules under its head and between its parts, and nothing else."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", show_edge=False)


def print_matrix(matrix: Matrix, console: Console) -> None:
    """The verdict's mark and the skill, predictors x datasets; turned round where the datasets do not fit side by side."""
    console.print(Text(f"At a glance: skill in {matrix.task}, split {matrix.split}", style="bold"))
    cells = [[glance(row, matrix.metric.name) for row in rows] for rows in matrix.cells]
    datasets = [Text(section.short) for section in matrix.datasets]
    floors = [Text(section.primary[0].floor or "none", style="dim") for section in matrix.datasets]
    table = grid("predictor", datasets)
    for name, row in zip(matrix.predictors, cells, strict=True):
        table.add_row(Text(name), *row)
    table.add_section()
    table.add_row(Text("best floor", style="dim"), *floors)
    if width_of(table, console) > console.width:
        table = grid("dataset", [*(Text(name) for name in matrix.predictors), Text("best floor")])
        for i, dataset in enumerate(datasets):
            table.add_row(dataset, *(row[i] for row in cells), floors[i])
    console.print(table)


def grid(corner: str, heads: list[Text]) -> Table:
    """A table with these column heads."""
    table = plain_table()
    table.add_column(corner, overflow="fold")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def width_of(table: Table, console: Console) -> int:
    """How wide a table would be without wrapping anything."""
    return Measurement.get(console, console.options.update(width=1000), table).maximum


def glance(row: Row | None, metric: str) -> Text:
    """One cell of the matrix."""
    if row is None:
        return Text("")
    score = row.scores.get(metric)
    if row.status != "ok" or score is None:
        return Text(row.status, style="dim")
    return Text(f"{MARKS[score.verdict]} {skill_text(score, interval=False)}", style=STYLES[score.verdict])


def print_section(board: Board, section: Section, console: Console) -> None:
    """Title, sentence, table, what is not ranked and why, notes."""
    title = Text(section.task, style="bold reverse")
    console.print(Text.assemble(" ", title, f"  {section.dataset}  ", Text(f"split {section.split}", style="dim")))
    console.print(Text(section.sentence))
    for warning in section.warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"))
    if section.primary:
        console.print()
        print_rows(board, section, console)
    for row in section.unranked:
        console.print(Text.assemble(Text(f"not ranked: {row.name}", style="red"), f"  {why_unranked(row)}"))
    for row in (*section.ranked, *section.floors):
        for remark in row.remarks:
            console.print(Text(f"{row.name}: {remark}", style="dim"))
    for text in (interval_line(section), *section.notes):
        console.print(Text(text, style="dim"))


def columns_of(board: Board, section: Section) -> list[Shown]:
    """Every column worth showing, in order, with which go first where the terminal is narrow."""
    first = section.primary[0]

    def value(column: Column, interval: bool = True) -> Callable[[Row], str]:
        return lambda row: value_text(row.scores.get(column.name), interval)

    def skill(column: Column, interval: bool = True) -> Callable[[Row], str]:
        return lambda row: skill_text(row.scores.get(column.name), interval)

    def cost(i: int) -> Callable[[Row], str]:
        return lambda row: cost_texts(row.cost)[i]

    whole = all(row.coverage in (None, 1.0) for row in section.rows)
    shown = [Shown(arrow(first), value(first)), Shown("skill", skill(first)), Shown("cover", coverage_text, 5 if whole else 0)]
    for column in section.primary[1:]:
        shown += [Shown(arrow(column), value(column), 7, value(column, False)), Shown("skill", skill(column), 6, skill(column, False))]
    shown += [Shown(arrow(column), value(column, False), 10 + i) for i, column in enumerate(secondary(section, SECONDARY))]
    if board.cost:
        shown += [Shown(title, cost(i), 2 + i) for i, title in enumerate(COSTS)]
    return shown


def print_rows(board: Board, section: Section, console: Console) -> None:
    """The table, with as many columns as fit; what was left out is named below it."""
    shown, left = columns_of(board, section), []
    table = rows_table(section, shown)
    for step in sorted({column.leaves for column in shown if column.leaves}, reverse=True):
        if width_of(table, console) <= console.width:
            break
        left += [column.title for column in shown if column.leaves == step and column.shorter is None]
        shown = [
            Shown(column.title, column.shorter) if column.leaves == step and column.shorter else column
            for column in shown
            if column.leaves != step or column.shorter
        ]
        table = rows_table(section, shown)
    console.print(table)
    if left:
        console.print(Text(f"not shown at this width: {', '.join(reversed(left))}", style="dim"))


def rows_table(section: Section, shown: list[Shown]) -> Table:
    """Ranked predictors, floors, lines, and rows with a score but no rank, a rule between them."""
    metric = section.primary[0].name
    table = plain_table()
    table.add_column("rank")
    table.add_column("")
    table.add_column("predictor", overflow="fold", max_width=32)
    for column in shown:
        table.add_column(
            Text(column.title), justify="left" if "\u2191" in column.title or "\u2193" in column.title else "right", overflow="fold"
        )
    partly = tuple(row for row in section.unranked if any(score.value is not None for score in row.scores.values()))
    for rows in (section.ranked, section.floors, section.lines, partly):
        for row in rows:
            score = row.scores.get(metric)
            verdict = score.verdict if score and row.role == "predictor" else ""
            mark = Text(MARKS[verdict] if row.role == "predictor" else "", style=STYLES[verdict])
            best = metric in row.best_floor
            name = Text(row.name, style="bold" if row.rank or best else "")
            place = Text(role_text(row, metric) or row.status, style="" if row.rank or best else "dim")
            table.add_row(place, mark, name, *(Text(column.text(row)) for column in shown), style="" if row.rank or best else "dim")
        if rows:
            table.add_section()
    return table
