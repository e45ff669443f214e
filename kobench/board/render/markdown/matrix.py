"""Predictors x datasets as Markdown: the verdicts' marks and the skill."""

from __future__ import annotations

from kobench.board.glance import groups_of, layout_of, tally
from kobench.board.render.markdown.elements import escape, head_lines, line, table_lines
from kobench.board.render.text.matrix import (
    REPLICATE,
    best_floor,
    glance_about,
    glance_text,
    line_texts,
    tally_text,
)
from kobench.board.table import Matrix


def matrix_lines(matrix: Matrix) -> list[str]:
    """Title, what the cells mean, and the table."""
    title = f"At a glance: {escape(matrix.task)}, split {escape(matrix.split)}"
    layout = {"across": across, "down": down, "grouped": grouped}[layout_of(matrix)]
    return [f"## {title}", "", escape(glance_about(matrix)), "", *layout(matrix)]


def across(matrix: Matrix) -> list[str]:
    """Datasets side by side."""
    lines = head_lines(["skill", *(section.title for section in matrix.datasets)])
    for name, rows in zip(matrix.predictors, matrix.cells, strict=True):
        texts = [
            glance_text(section, row) if row else ""
            for section, row in zip(matrix.datasets, rows, strict=True)
        ]
        lines.append(line([escape(text) for text in (name, *texts)]))
    floors = [best_floor(section) for section in matrix.datasets]
    lines.append(line([in_italics(text) for text in ("best floor", *floors)]))
    replicates = line_texts(matrix, REPLICATE)
    if any(replicates):
        lines.append(line([in_italics(text) for text in (f"line: {REPLICATE}", *replicates)]))
    return [*lines, ""]


def in_italics(text: str) -> str:
    """Text in italics, nothing for nothing."""
    return f"*{escape(text)}*" if text else ""


def down(matrix: Matrix) -> list[str]:
    """Datasets below each other, predictors side by side."""
    heads = ["dataset", *matrix.predictors, "best floor"]
    replicates = line_texts(matrix, REPLICATE)
    if any(replicates):
        heads.append(f"line: {REPLICATE}")
    rows = []
    for i, section in enumerate(matrix.datasets):
        texts = [glance_text(section, row) if (row := own[i]) else "" for own in matrix.cells]
        texts = [section.title, *texts, best_floor(section)]
        rows.append([*texts, replicates[i]] if any(replicates) else texts)
    return table_lines(heads, rows)


def grouped(matrix: Matrix) -> list[str]:
    """Datasets summed up by their parameters: how often which verdict, and the mean skill."""
    rows = []
    for title, places in groups_of(matrix):
        tallies = (tally(matrix, i, places) for i in range(len(matrix.predictors)))
        rows.append([title, *map(tally_text, tallies)])
    return table_lines(["datasets", *matrix.predictors], rows)
