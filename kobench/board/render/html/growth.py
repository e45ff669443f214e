"""Accuracy beside cost by size as cards of the page."""

from __future__ import annotations

from dataclasses import dataclass

from kobench.board.growth import Growth
from kobench.board.render.text.growth import head_of, legend_of, rows_of, title_of


@dataclass(frozen=True)
class GrowthCard:
    """A card: its title, legend, and table."""

    anchor: str
    dataset: str
    task: str
    title: str
    legend: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def growth_card(growth: Growth, anchor: str) -> GrowthCard:
    """One card."""
    return GrowthCard(
        anchor,
        growth.dataset,
        growth.task,
        title_of(growth),
        legend_of(growth),
        tuple(head_of(growth)),
        tuple(map(tuple, rows_of(growth))),
    )
