"""The board as Markdown: a summary on top, then a table a section."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kobench.board.glance import groups_of, layout_of, tally
from kobench.board.render.growth import markdown_growths
from kobench.board.render.pictured import enclosed
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
    heading,
    knows_text,
    legend,
    line_texts,
    mark,
    notes_here,
    purpose,
    rank_text,
    said_of,
    secondary,
    skill_text,
    tally_text,
    value_text,
    why_unranked,
)
from kobench.board.render.transfer import markdown_lines
from kobench.board.render.units import unit_table, unit_text, unit_title
from kobench.board.table import Board, Matrix, Row, Section, Units

if TYPE_CHECKING:
    from kobench.board.pictures.draw import Drawn

#: Secondary metrics shown beside the primary ones.
SECONDARY = 3

#: So many single units have a table of their own here; the page, CSV and JSON have all.
UNITS = 60


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in a table cell too.

    >>> print(escape("a|b_c <d>"))
    a\\|b\\_c &lt;d&gt;
    """
    flat = " ".join(text.split())
    return re.sub(
        r"([\\`*_{}\[\]#|~])",
        r"\\\1",
        flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    )


def number_cell(text: str) -> str:
    """A number with its interval as it is, a reason escaped."""
    return (
        html.escape(text)
        if re.fullmatch(r"[<>]?[-0-9.]+( \[[-0-9., ]+\])?", text)
        else escape(text)
    )


def line(cells: Sequence[str]) -> str:
    """One table line of cells that are escaped already."""
    return "| " + " | ".join(cells) + " |"


def render(board: Board, pictures: Sequence[Drawn] = ()) -> str:
    """GitHub-flavoured Markdown, one line end at the end; `pictures` lie in the folder `pictures`
    beside it.
    """
    lines = [f"# {TITLE}", "", escape(purpose(board)), "", f"**{escape(KEY)}**", ""]
    lines += (
        [
            *(
                f"- **{escape(task)}** {escape(who)}"
                for task, who in map(answer_parts, board.answer)
            ),
            "",
        ]
        if board.answer
        else []
    )
    lines += [escape(legend(board)), "", *(f"{escape(text)}\n" for text in board.ran)]
    lines += markdown_lines(board.transfers, escape)
    for matrix in board.matrices:
        lines += matrix_lines(matrix)
    lines += markdown_growths(board.growths, escape)
    if pictures:
        lines[-1] += enclosed(
            "".join(
                f"\n![{escape(one.picture.caption)}](pictures/{one.picture.name}.svg)\n"
                for one in pictures
            )
        )
    for section in board.sections:
        lines += section_lines(board, section)
    return "\n".join(lines).rstrip() + "\n"


def matrix_lines(matrix: Matrix) -> list[str]:
    """Predictors x datasets: the verdicts' marks and the skill."""
    lines = [
        f"## At a glance: {escape(matrix.task)}, split {escape(matrix.split)}",
        "",
        f"{escape(glance_about(matrix))}",
        "",
    ]
    layout = layout_of(matrix)
    return lines + {"across": across, "down": down, "grouped": grouped}[layout](matrix)


def across(matrix: Matrix) -> list[str]:
    """Datasets side by side."""
    lines = [
        line(["skill", *(escape(section.title) for section in matrix.datasets)]),
        line(["---"] * (1 + len(matrix.datasets))),
    ]
    for name, cells in zip(matrix.predictors, matrix.cells, strict=True):
        texts = (
            glance_text(section, row) if row else ""
            for section, row in zip(matrix.datasets, cells, strict=True)
        )
        lines.append(line([escape(name), *map(escape, texts)]))
    floors = (section.primary[0].floor or "none" for section in matrix.datasets)
    lines.append(line(["*best floor*", *(f"*{escape(floor)}*" for floor in floors)]))
    if any(replicate := line_texts(matrix, REPLICATE)):
        lines.append(
            line(
                [
                    f"*line: {REPLICATE}*",
                    *(f"*{escape(text)}*" if text else "" for text in replicate),
                ]
            )
        )
    return [*lines, ""]


def down(matrix: Matrix) -> list[str]:
    """Datasets below each other, predictors side by side."""
    replicate = line_texts(matrix, REPLICATE)
    heads = [
        "dataset",
        *matrix.predictors,
        "best floor",
        *([f"line: {REPLICATE}"] if any(replicate) else []),
    ]
    lines = [line([escape(head) for head in heads]), line(["---"] * len(heads))]
    for i, section in enumerate(matrix.datasets):
        texts = [glance_text(section, row) if (row := cells[i]) else "" for cells in matrix.cells]
        texts += [section.primary[0].floor or "none", *([replicate[i]] if any(replicate) else [])]
        lines.append(line([escape(section.title), *map(escape, texts)]))
    return [*lines, ""]


def grouped(matrix: Matrix) -> list[str]:
    """Datasets summed up by their parameters: how often each predictor has which verdict, and its
    mean skill.
    """
    lines = [
        line(["datasets", *map(escape, matrix.predictors)]),
        line(["---"] * (1 + len(matrix.predictors))),
    ]
    for title, places in groups_of(matrix):
        texts = (tally_text(tally(matrix, i, places)) for i in range(len(matrix.predictors)))
        lines.append(line([escape(title), *map(escape, texts)]))
    return [*lines, ""]


def section_lines(board: Board, section: Section) -> list[str]:
    """Heading, sentence, table, what is not ranked and why, notes."""
    lines = [f"## {escape(heading(section))}", "", escape(section.sentence), ""]
    lines += [f"**Warning:** {escape(warning)}\n" for warning in section.warnings]
    if section.leading:
        lines += table_lines(board, section)
    if section.unranked:
        lines += [line(["not ranked", "status", "why"]), line(["---"] * 3)]
        lines += [
            line([escape(row.name), escape(row.status), escape(why_unranked(row))])
            for row in section.unranked
        ]
        lines.append("")
    remarks = [f"{row.name}: {remark}" for row in section.ranked for remark in row.remarks]
    lines += [
        f"- {escape(text)}"
        for text in [
            *said_of(section),
            *explained(board, section),
            *remarks,
            *notes_here(board, section),
        ]
    ]
    lines += unit_lines(section, section.units) if section.units else []
    return [*lines, ""]


def unit_lines(section: Section, units: Units) -> list[str]:
    """The table of single units, folded away."""
    heads, rows = unit_table(section, units)
    lines = ["", "<details>", f"<summary>{escape(unit_title(section, units))}</summary>", ""]
    lines += [line([escape(head) for head in heads]), line(["---"] * len(heads))]
    lines += [line([escape(unit_text(value)) for value in row]) for row in rows[:UNITS]]
    lines += (
        ["", f"The first {UNITS} of {len(rows):,}; the page, CSV and JSON have all."]
        if len(rows) > UNITS
        else []
    )
    return [*lines, "", "</details>"]


def table_lines(board: Board, section: Section) -> list[str]:
    """Ranked predictors, then floors and lines under their own titles, then values of rows that
    could not be ranked.
    """
    first, *others = section.leading
    extra = secondary(section, SECONDARY)
    permuted = {
        column.name: [KNOWS_HEAD] if has_permuted(section, column) else []
        for column in section.leading
    }
    head = ["rank", "", "predictor", arrow(first), "skill", "coverage", *permuted[first.name]]
    head += [
        text for column in others for text in (arrow(column), "skill", *permuted[column.name])
    ] + [arrow(column) for column in extra]
    head += COSTS if board.cost else []
    lines = [line([escape(text) for text in head]), line(["---"] * len(head))]

    def row_line(row: Row) -> str:
        score = row.scores.get(first.name)
        name = (
            f"**{escape(row.name)}** (best floor)"
            if first.name in row.best_floor
            else escape(row.name)
        )
        cells = [
            rank_text(row),
            mark(row, first.name),
            name,
            number_cell(value_text(score, first)),
            number_cell(skill_text(score)),
            coverage_text(row),
            *(escape(knows_text(score, first, section.control)) for _ in permuted[first.name]),
        ]
        for column in others:
            other = row.scores.get(column.name)
            cells += [number_cell(value_text(other, column)), number_cell(skill_text(other))]
            cells += [
                escape(knows_text(other, column, section.control)) for _ in permuted[column.name]
            ]
        cells += [
            number_cell(value_text(row.scores.get(column.name), column, interval=False))
            for column in extra
        ]
        return line(cells + (cost_texts(row.cost) if board.cost else []))

    lines += map(row_line, section.ranked)
    partly = [
        row
        for row in section.unranked
        if any(score.value is not None for score in row.scores.values())
    ]
    lines += map(row_line, section.unrankable)
    for title, rows in (
        ("floors", section.floors),
        ("lines, no predictors", section.lines),
        ("not ranked", partly),
    ):
        if rows:
            lines.append(line(["", "", f"*{title}*", *[""] * (len(head) - 3)]))
            lines += map(row_line, rows)
    return [*lines, ""]
