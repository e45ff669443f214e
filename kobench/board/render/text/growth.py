"""Accuracy beside cost by size as plain text: a table with a row a size."""

from __future__ import annotations

from kobench.board.growth import Grown, Growth
from kobench.board.render.text.marks import marks_of
from kobench.board.render.text.values import seconds
from kobench.board.written import number


def title_of(growth: Growth) -> str:
    """Task, dataset and split in one line."""
    return (
        f"Accuracy and cost by number of {growth.size}: {growth.task} on {growth.dataset}, split"
        f" {growth.split}"
    )


def legend_of(growth: Growth) -> str:
    """What the table holds."""
    return (
        f"{growth.metric}: ▲ better than the best floor, ≈ no better, ▼ worse (hollow: one"
        " network); then seconds of fitting + answering all tasks, and the largest memory in MB."
        " Where knockouts were drawn (the facts below say so), both are of the sample: compare"
        f" predictors within a line. Last line: seconds grow with the number of {growth.size} to"
        " this power (least squares on logarithms)."
    )


def head_of(growth: Growth) -> list[str]:
    """What the columns hold."""
    return [growth.size, *growth.predictors, "best floor"]


def rows_of(growth: Growth) -> list[list[str]]:
    """A row a size, then the exponents of the seconds."""
    rows = []
    for i, size in enumerate(growth.sizes):
        name, value = growth.floors[i]
        floor = name if value is None else f"{name} {number(value)}"
        rows.append([f"{size:,}", *(grown_text(cells[i]) for cells in growth.cells), floor])
    powers = ["-" if power is None else f"{growth.size}^{power:.1f}" for power in growth.exponents]
    return [*rows, ["seconds grow as", *powers, ""]]


def grown_text(grown: Grown) -> str:
    """Score, seconds and memory at one size, a dash for what is not known.

    For instance `▲ 0.912 · 3.2 + 0.50 s · 310 MB`.
    """
    value = None if grown.score is None else grown.score.value
    if value is None and grown.seconds is None:
        return "-"
    mark = "" if grown.score is None else marks_of(grown.hollow)[grown.score.verdict]
    parts = ["-" if value is None else f"{mark} {number(value)}".strip()]
    cost = grown.cost
    if cost is not None:
        parts.append(f"{seconds(cost.fit_seconds)} + {seconds(cost.predict_seconds)} s")
        if cost.peak_mb is not None:
            parts.append(f"{cost.peak_mb:,.0f} MB")
    return " · ".join(parts)
