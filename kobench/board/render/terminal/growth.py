"""Accuracy beside cost by size for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from kobench.board.growth import Growth
from kobench.board.render.terminal.tables import bare_table
from kobench.board.render.text.growth import head_of, legend_of, rows_of, title_of


def print_growths(growths: Sequence[Growth], console: Console) -> None:
    """Print title, legend and table of each growth."""
    for growth in growths:
        console.print()
        console.print(Text(title_of(growth), style="bold"))
        console.print(Text(legend_of(growth), style="dim"))
        table = bare_table()
        for head in head_of(growth):
            table.add_column(Text(head), overflow="fold")
        for row in rows_of(growth):
            table.add_row(*map(Text, row))
        console.print(table)
