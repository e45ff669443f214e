"""A section as Markdown: heading, sentence, table, what is not ranked and why, notes."""

from __future__ import annotations

from kobench.board.board import Board
from kobench.board.render.markdown.elements import escape, head_lines, line
from kobench.board.render.markdown.table import section_table
from kobench.board.render.text.legend import explained
from kobench.board.render.text.section import heading, notes_here, on_rows, said_of, why_unranked
from kobench.board.render.text.units import unit_table, unit_text, unit_title
from kobench.board.table import Section, Units

#: How many single units have a line here; the page, CSV and JSON have all.
UNITS = 60


def section_lines(board: Board, section: Section) -> list[str]:
    """The lines of one section."""
    lines = [f"## {escape(heading(section))}", "", escape(section.sentence), ""]
    lines += [f"**Warning:** {escape(warning)}\n" for warning in section.warnings]
    if section.leading:
        lines += section_table(board, section)
    if section.unranked:
        lines += unranked_lines(section)
    said = [
        *said_of(section),
        *explained(board, section),
        *on_rows(section),
        *notes_here(board, section),
    ]
    lines += [f"- {escape(text)}" for text in said]
    if section.units:
        lines += unit_lines(section, section.units)
    return [*lines, ""]


def unranked_lines(section: Section) -> list[str]:
    """The table of rows without a rank."""
    lines = head_lines(["not ranked", "status", "why"])
    for row in section.unranked:
        lines.append(line([escape(text) for text in (row.name, row.status, why_unranked(row))]))
    return [*lines, ""]


def unit_lines(section: Section, units: Units) -> list[str]:
    """The table of single units, folded away."""
    heads, rows = unit_table(section, units)
    lines = ["", "<details>", f"<summary>{escape(unit_title(section, units))}</summary>", ""]
    lines += head_lines(heads)
    lines += [line([escape(unit_text(value)) for value in row]) for row in rows[:UNITS]]
    if len(rows) > UNITS:
        lines += ["", f"The first {UNITS} of {len(rows):,}; the page, CSV and JSON have all."]
    return [*lines, "", "</details>"]
