"""The board for a terminal: readable from 80 columns on; columns that do not fit are left out, and
named.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from kobench.board.glance import groups_of, layout_of, tally
from kobench.board.render.growth import print_growths
from kobench.board.render.text import (
    COSTS,
    KEY,
    KNOWS_HEAD,
    REPLICATE,
    TITLE,
    answer_parts,
    arrow,
    cost_texts,
    coverage_text,
    explained,
    glance_about,
    glance_text,
    has_permuted,
    knows_text,
    legend,
    line_texts,
    mark,
    notes_here,
    one_line,
    purpose,
    rank_text,
    said_of,
    secondary,
    skill_text,
    tally_text,
    trained_on,
    unranked,
    value_text,
    verdict_of,
)
from kobench.board.render.transfer import print_transfers
from kobench.board.render.units import unit_table, unit_text, unit_title
from kobench.board.table import CONTROL, Board, Column, Matrix, Row, Section, Units

STYLES = {"better": "green", "same": "yellow", "worse": "red", "": "dim"}

#: A rule under the head, a fainter one between the parts of a table, and no other lines.
RULES = box.Box("    \n    \n ── \n    \n ┄┄ \n    \n    \n    \n")

#: Secondary metrics shown where there is room.
SECONDARY = 3

#: So many single units are printed.
UNITS = 40


@dataclass(frozen=True)
class Shown:
    """A column: its title, its text for a row, when it gives way to width (the largest first; 0
    never), and to what shorter text.
    """

    title: str
    text: Callable[[Row], str]
    leaves: int = 0
    shorter: Callable[[Row], str] | None = None
    narrow: bool = False


def render(board: Board, width: int = 100, color: bool = False) -> str:
    """The board as text of a given width, with ANSI colours if asked for."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        _environ={},
    )
    print_board(board, console)
    return "\n".join(text.rstrip() for text in file.getvalue().splitlines()) + "\n"


def print_board(board: Board, console: Console) -> None:
    """Print the board on a console, at its width."""
    console.print(Text(TITLE, style="bold"))
    console.print(Text(purpose(board)))
    console.print(Text(KEY))
    console.print(Text(f"{legend(board)} floor*: the best floor.", style="dim"))
    for said in board.ran:
        console.print(Text(one_line(said)))
    datasets = {section.place: section.title for section in board.sections}
    letters = {dataset: letter(i) for i, dataset in enumerate(datasets)} if board.matrices else {}
    for section in board.sections:
        console.print()
        print_section(board, section, letters.get(section.place, ""), console)
    if board.transfers:
        console.print()
        print_transfers(board.transfers, console)
    print_growths(board.growths, console)
    for matrix in board.matrices:  # last, because the end is what a terminal shows
        console.print()
        print_matrix(matrix, letters, console)
    if letters:
        console.print()
    for place in datasets if letters else ():
        console.print(
            Text.assemble(Text(f"{letters[place]:>2}", style="bold"), f"  {datasets[place]}")
        )
    if board.answer:
        console.print()
        for task, who in map(answer_parts, board.answer):
            console.print(Text.assemble(Text(task, style="bold"), f" {who}"))


def letter(i: int) -> str:
    """A, B, ... Z, AA, AB, ...: a short name for dataset i."""
    return (letter(i // 26 - 1) if i >= 26 else "") + chr(ord("A") + i % 26)


def plain_table() -> Table:
    """A table with rules under its head and between its parts, and nothing else."""
    return Table(
        box=RULES, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", show_edge=False
    )


def print_matrix(matrix: Matrix, letters: dict[str, str], console: Console) -> None:
    """The verdicts' marks and the skill, predictors x datasets; the datasets by their letters, as
    many side by side as fit.
    """
    console.print(Text(f"At a glance: {matrix.task}, split {matrix.split}", style="bold"))
    console.print(Text(glance_about(matrix), style="dim"))
    if layout_of(matrix) == "grouped":
        console.print(grouped(matrix))
        return
    replicate = line_texts(matrix, REPLICATE)
    name_width = min(32, max(len(name) for name in (f"line: {REPLICATE}", *matrix.predictors)))
    cells = [
        [glance(section, row) for section, row in zip(matrix.datasets, rows, strict=True)]
        for rows in matrix.cells
    ]
    floors = [Text(section.primary[0].floor or "none", style="dim") for section in matrix.datasets]
    width = max(
        map(
            len,
            [
                *replicate,
                *(text.plain for text in floors),
                *(cell.plain for row in cells for cell in row),
            ],
        )
    )
    step = max(1, (console.width - name_width) // (width + 2))
    for start in range(0, len(matrix.datasets), step):
        part = slice(start, start + step)
        table = plain_table()
        table.add_column("predictor", overflow="fold", width=name_width)
        for section in matrix.datasets[part]:
            table.add_column(letters[section.place], overflow="fold", width=width)
        for name, row in zip(matrix.predictors, cells, strict=True):
            table.add_row(Text(name), *row[part])
        table.add_section()
        table.add_row(Text("best floor", style="dim"), *floors[part])
        if any(replicate):
            table.add_row(
                Text(f"line: {REPLICATE}", style="dim"),
                *(Text(text, style="dim") for text in replicate[part]),
            )
        console.print(table)


def grouped(matrix: Matrix) -> Table:
    """Many datasets summed up by their parameters."""
    table = plain_table()
    table.add_column("datasets", overflow="fold", max_width=32)
    for name in matrix.predictors:
        table.add_column(Text(name), overflow="fold", max_width=32)
    for title, places in groups_of(matrix):
        table.add_row(
            Text(title),
            *(Text(tally_text(tally(matrix, i, places))) for i in range(len(matrix.predictors))),
        )
    return table


def width_of(table: Table, console: Console) -> int:
    """How wide a table would be without wrapping anything."""
    return Measurement.get(console, console.options.update(width=1000), table).maximum


def glance(section: Section, row: Row | None) -> Text:
    """One cell of the matrix."""
    if row is None:
        return Text("")
    return Text(
        glance_text(section, row),
        style=style_of(row, section.primary[0].name) if row.status == "ok" else "dim",
    )


def style_of(row: Row, metric: str) -> str:
    """The colour of a verdict, faint where it is hollow."""
    style = STYLES[verdict_of(row, metric)]
    return f"dim {style}" if row.hollow and style != "dim" else style


def print_section(board: Board, section: Section, letter: str, console: Console) -> None:
    """Title, sentence, table, what is not ranked and why, notes."""
    title = Text(f" {section.task} ", style="bold reverse")
    name = Text(f"  {letter}" if letter else "", style="bold")
    about = Text(f"split {section.split}{trained_on(section)}", style="dim")
    console.print(
        Text.assemble(
            title, name, f"  {section.dataset}{CONTROL if section.near_null else ''}  ", about
        )
    )
    if (words := section.words) != section.task:
        console.print(Text(f"{words}.", style="dim"))
    console.print(Text(section.sentence))
    for warning in section.warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"))
    if section.leading:
        console.print()
        print_rows(board, section, console)
    for why, names in unranked(section).items():
        console.print(
            Text.assemble(Text(f"not ranked: {', '.join(names)}", style="red"), f": {why}")
        )
    for row in section.ranked:
        for remark in row.remarks:
            console.print(Text(f"{row.name}: {remark}", style="dim"))
    for text in (*said_of(section), *explained(board, section), *notes_here(board, section)):
        console.print(Text(text, style="dim"))
    if section.units and len({other.dataset for other in board.sections}) == 1:
        console.print()
        print_units(section, section.units, console)


def print_units(section: Section, units: Units, console: Console) -> None:
    """The table of single units; columns that do not fit are named."""
    heads, rows = unit_table(section, units)
    table, left = units_table(heads, rows), []
    while len(heads) > 2 and width_of(table, console) > console.width:
        left.append(heads[-1])
        heads = heads[:-1]
        table = units_table(heads, rows)
    console.print(Text(unit_title(section, units), style="bold"))
    console.print(table)
    if len(rows) > UNITS:
        console.print(
            Text(f"the first {UNITS} of {len(rows):,}; --format csv has all", style="dim")
        )
    if left:
        console.print(Text(f"not shown at this width: {', '.join(reversed(left))}", style="dim"))


def units_table(heads: list[str], rows: list[list[Any]]) -> Table:
    """The first columns of single units."""
    table = plain_table()
    for i, head in enumerate(heads):
        table.add_column(
            Text(broken(head)), justify="left" if i == 0 else "right", overflow="fold", max_width=24
        )
    for row in rows[:UNITS]:
        table.add_row(*(Text(unit_text(value)) for value in row[: len(heads)]))
    return table


def columns_of(board: Board, section: Section) -> list[Shown]:
    """Every column worth showing, in order, with which go first where the terminal is narrow."""
    first = section.leading[0]

    def value(column: Column, interval: bool = True) -> Callable[[Row], str]:
        return lambda row: value_text(row.scores.get(column.name), column, interval)

    def skill(column: Column, interval: bool = True) -> Callable[[Row], str]:
        return lambda row: skill_text(row.scores.get(column.name), interval)

    def knows(column: Column) -> Callable[[Row], str]:
        return lambda row: knows_text(row.scores.get(column.name), column, section.control)

    def knows_short(column: Column) -> Callable[[Row], str]:
        return lambda row: knows_text(
            row.scores.get(column.name), column, section.control
        ).partition(" (mean")[0]

    def cost(i: int) -> Callable[[Row], str]:
        return lambda row: cost_texts(row.cost)[i]

    whole = all(row.coverage in (None, 1.0) for row in section.rows)
    shown = [
        Shown(arrow(first), value(first)),
        Shown("skill", skill(first), 6, skill(first, False)),
    ]
    shown.append(Shown("cover", coverage_text, 7 if whole else 1))
    shown += (
        [Shown(KNOWS_HEAD, knows(first), 6, knows_short(first))]
        if has_permuted(section, first)
        else []
    )
    for column in section.leading[1:]:
        shown += [
            Shown(arrow(column), value(column), 9, value(column, False)),
            Shown("skill", skill(column), 8, skill(column, False)),
        ]
        shown += (
            [Shown(KNOWS_HEAD, knows(column), 9, knows_short(column))]
            if has_permuted(section, column)
            else []
        )
    shown += [
        Shown(arrow(column), value(column, False), 10 + i)
        for i, column in enumerate(secondary(section, SECONDARY))
    ]
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
        gone = [
            column.title for column in shown if column.leaves == step and column.shorter is None
        ]
        left += [
            f"{title} (100% for all)" if title == "cover" and step == 7 else title for title in gone
        ]
        shown = [
            (
                Shown(column.title, column.shorter, narrow=True)
                if column.leaves == step and column.shorter
                else column
            )
            for column in shown
            if column.leaves != step or column.shorter
        ]
        table = rows_table(section, shown)
    console.print(table)
    if left:
        console.print(Text(f"not shown at this width: {', '.join(reversed(left))}", style="dim"))


def broken(title: str, width: int = 13) -> str:
    """A long title over several lines, broken after hyphens.

    >>> broken("spearman-within-cell[raw] ↑")
    'spearman-\\nwithin-\\ncell[raw] ↑'
    """
    lines = [""]
    for part in re.findall(r"[^-]+-?", title):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def rows_table(section: Section, shown: list[Shown]) -> Table:
    """Ranked predictors, floors, lines, and rows with a score but no rank, a rule between them."""
    metric = section.leading[0].name
    table = plain_table()
    table.add_column("rank", no_wrap=True, min_width=6)
    table.add_column("", no_wrap=True, min_width=1)
    table.add_column("predictor", overflow="fold", max_width=32, min_width=12)
    for column in shown:
        title = Text(broken(column.title, 8 if column.narrow else 13))
        table.add_column(
            title, justify="left" if column.title[-1] in "↑↓" else "right", no_wrap=True
        )
    partly = tuple(
        row
        for row in section.unranked
        if any(score.value is not None for score in row.scores.values())
    )
    for rows in (section.ranked, section.unrankable, section.floors, section.lines, partly):
        for row in rows:
            best = metric in row.best_floor
            name = Text(row.name, style="bold" if row.rank or best else "")
            style = "" if row.rank or best else "dim"
            place = Text(
                "floor*"
                if best
                else rank_text(row) or ("-" if row.role == "predictor" else row.role)
            )
            table.add_row(
                place,
                Text(mark(row, metric), style=style_of(row, metric)),
                name,
                *(Text(column.text(row)) for column in shown),
                style=style,
            )
        if rows:
            table.add_section()
    return table
