"""Transfer matrices as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.render.markdown.elements import escape, table_lines
from kobench.board.render.text.transfer import (
    by_dataset,
    drop_with_ends,
    ends,
    floor_title,
    interval_line,
    legend_of,
    sentence_of,
    share_text,
    summary_head,
    summary_rows,
    title_of,
)
from kobench.board.transfer import TransferCell, TransferMatrix
from kobench.board.written import number


def transfer_lines(matrices: Sequence[TransferMatrix]) -> list[str]:
    """The lines of all datasets."""
    return [text for group in by_dataset(matrices) for text in dataset_lines(group)]


def dataset_lines(group: Sequence[TransferMatrix]) -> list[str]:
    """Sentence, summary, a table of each predictor, the floor's scores."""
    first = group[0]
    lines = [f"## {escape(title_of(first))}", ""]
    lines += [escape(sentence_of(group)), "", escape(legend_of(first)), ""]
    lines += table_lines(summary_head(first), summary_rows(group))
    for matrix in group:
        lines += [f"### {escape(matrix.predictor)}: skill, and the loss", ""]
        lines += groups_table(matrix, pair_texts(matrix))
    lines += [f"### {escape(floor_title(first))}", ""]
    lines += groups_table(first, [[number(value) for value in row] for row in first.floors])
    return [*lines, f"- {escape(interval_line(first))}", ""]


def groups_table(matrix: TransferMatrix, texts: Sequence[Sequence[str]]) -> list[str]:
    """A table of groups trained on and groups asked."""
    rows = [[name, *row] for name, row in zip(matrix.groups, texts, strict=True)]
    return table_lines(["trained on \\ asked", *matrix.groups], rows)


def pair_texts(matrix: TransferMatrix) -> list[list[str]]:
    """What is explained and the drop of each pair, each with its interval."""
    return [
        [pair_text(matrix, cell, a == b) for b, cell in enumerate(row)]
        for a, row in enumerate(matrix.cells)
    ]


def pair_text(matrix: TransferMatrix, cell: TransferCell, own: bool) -> str:
    """One pair: `▲ 0.12 [0.08, 0.16], loss ↓ 0.30 [0.25, 0.35]`."""
    explained = f"{share_text(matrix, cell, own)} {ends(cell.explained)}".strip()
    return ", ".join(text for text in (explained, drop_with_ends(cell)) if text)
