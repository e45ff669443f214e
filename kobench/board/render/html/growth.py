"""Accuracy beside cost by size as cards of the page."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.growth import Growth
from kobench.board.render.html.elements import esc, simple_table, text_cells
from kobench.board.render.text.growth import head_of, legend_of, rows_of, title_of


def growth_cards(growths: Sequence[Growth]) -> str:
    """A card a table."""
    return "\n".join(map(growth_card, growths))


def growth_card(growth: Growth) -> str:
    """One card."""
    rows = rows_of(growth)
    cells = [text_cells(row[1:]) for row in rows]
    table = simple_table(head_of(growth), cells, [row[0] for row in rows], "glance")
    return f"""\
<section class="card" data-dataset="{esc(growth.dataset)}" data-task="{esc(growth.task)}">
<h2>{esc(title_of(growth))}</h2>
<p class="soft">{esc(legend_of(growth))}</p>
{table}
</section>"""
