"""The table of a section as Markdown."""

from __future__ import annotations

from kobench.board.board import Board
from kobench.board.render.markdown.elements import escape, head_lines, line, number_cell
from kobench.board.render.text.marks import row_mark
from kobench.board.render.text.section import scored_without_rank
from kobench.board.render.text.values import (
    COSTS,
    KNOWS_HEAD,
    VERIFIED,
    arrow,
    cost_texts,
    coverage_text,
    has_permuted,
    has_verified,
    judged_value,
    knows_text,
    rank_text,
    secondary,
    skill_text,
    value_text,
    verified_text,
)
from kobench.board.row import Row
from kobench.board.table import Section
from kobench.board.words import APART

#: Secondary metrics shown beside the primary ones.
SECONDARY = 3


def section_table(board: Board, section: Section) -> list[str]:
    """The lines of the table and an empty one.

    Ranked predictors come first, then those that could not be ranked, then floors, lines and what
    else has a value, under titles of their own.
    """
    heads = heads_of(board, section)
    lines = head_lines(heads)
    parts = (
        ("", section.from_cells),
        (APART, section.with_prior),
        ("", section.unrankable),
        ("floors", section.floors),
        ("lines, no predictors", section.lines),
        ("not ranked", scored_without_rank(section)),
    )
    for title, rows in parts:
        if rows and title:
            lines.append(line(["", "", f"*{title}*", *[""] * (len(heads) - 3)]))
        lines += [line(row_cells(board, section, row)) for row in rows]
    return [*lines, ""]


def heads_of(board: Board, section: Section) -> list[str]:
    """The heads of the columns, in the order of `row_cells`."""
    heads = ["rank", "", "predictor"]
    for i, column in enumerate(section.leading):
        heads += [arrow(column), "skill"]
        if i == 0:
            heads.append("coverage")
        if has_permuted(section, column):
            heads.append(KNOWS_HEAD)
    heads += map(arrow, secondary(section, SECONDARY))
    heads += [VERIFIED] if has_verified(section) else []
    return [*heads, *COSTS] if board.cost else heads


def row_cells(board: Board, section: Section, row: Row) -> list[str]:
    """The cells of a row, escaped."""
    metric = section.leading[0].name
    name = escape(row.name)
    if metric in row.best_floor:
        name = f"**{name}** (best floor)"
    cells = [rank_text(row), row_mark(section, row), name]
    for i, column in enumerate(section.leading):
        score = row.scores.get(column.name)
        cells += [number_cell(judged_value(section, row, column)), number_cell(skill_text(score))]
        if i == 0:
            cells.append(coverage_text(row))
        if has_permuted(section, column):
            cells.append(escape(knows_text(score, column, section.control)))
    for column in secondary(section, SECONDARY):
        text = value_text(row.scores.get(column.name), column, interval=False)
        cells.append(number_cell(text))
    cells += [verified_text(row)] if has_verified(section) else []
    return [*cells, *cost_texts(row.cost)] if board.cost else cells
