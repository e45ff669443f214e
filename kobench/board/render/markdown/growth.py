"""Accuracy beside cost by size as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.growth import Growth
from kobench.board.render.markdown.elements import escape, table_lines
from kobench.board.render.text.growth import head_of, legend_of, rows_of, title_of


def growth_lines(growths: Sequence[Growth]) -> list[str]:
    """Title, legend and table of each growth."""
    lines = []
    for growth in growths:
        lines += [f"## {escape(title_of(growth))}", "", escape(legend_of(growth)), ""]
        lines += table_lines(head_of(growth), rows_of(growth))
    return lines
