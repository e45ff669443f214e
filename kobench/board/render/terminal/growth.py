"""Accuracy beside cost by size for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from kobench.board.growth import Growth
from kobench.board.render.terminal.tables import (
    bare_table_of,
    name_column,
    side_by_side,
)
from kobench.board.render.text.growth import head_of, legend_of, rows_of, title_of


def print_growths(growths: Sequence[Growth], console: Console) -> None:
    """Print title, legend and table of each growth."""
    for growth in growths:
        console.print()
        console.print(Text(title_of(growth), style="bold"))
        console.print(Text(legend_of(growth), style="dim"))
        sizes, *columns = zip(head_of(growth), *rows_of(growth), strict=True)
        first = name_column(sizes[0], map(Text, sizes[1:]), console.width)
        others = [
            name_column(head, map(Text, texts), console.width - first.width)
            for head, *texts in columns
        ]
        for part in side_by_side(first, others, console.width):
            console.print(bare_table_of(part))
