"""A score's interval as a small picture in the table of a section."""

from __future__ import annotations

from kobench.board.row import Column, Score
from kobench.board.table import Section

#: Width and height of the picture in pixels, and the room left at each end.
WIDTH, HEIGHT, MARGIN = 120, 16, 6


def bar(section: Section, column: Column, score: Score | None) -> str:
    """The interval as SVG; better is to the right, what lies outside is cut.

    Parameters
    ----------
    section : Section
        The section, whose predictors and best floor give the scale.
    column : Column
        The metric.
    score : Score or None
        A row's score by it.

    Returns
    -------
    str
        SVG; "" without a value, an interval or a scale.
    """
    if score is None or score.value is None or score.low is None:
        return ""
    ends = scale(section, column)
    if ends is None:
        return ""
    worst, best = ends

    def place(value: float) -> str:
        share = min(1.0, max(0.0, (value - worst) / (best - worst)))
        return f"{MARGIN + share * (WIDTH - 2 * MARGIN):.1f}"

    middle = HEIGHT // 2
    parts = [f'<line class="axis" x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}"/>']
    floor = best_floor(section, column)
    if floor is not None:
        x = place(floor)
        parts.append(f'<line class="floor" x1="{x}" x2="{x}" y1="0" y2="{HEIGHT}"/>')
    if score.high is not None:
        low, high = place(score.low), place(score.high)
        parts.append(f'<line class="range" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}"/>')
    parts.append(f'<circle cx="{place(score.value)}" cy="{middle}" r="3.5"/>')
    return (
        f'<svg class="bar" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def scale(section: Section, column: Column) -> tuple[float, float] | None:
    """The worst and the best end of all predictors and the best floor; None where they are one."""
    ends = [
        end
        for row in section.rows
        if row.role == "predictor" or column.name in row.best_floor
        if (score := row.scores.get(column.name))
        for end in (score.value, score.low, score.high)
        if end is not None
    ]
    if not ends or min(ends) == max(ends):
        return None
    return (min(ends), max(ends)) if column.sign > 0 else (max(ends), min(ends))


def best_floor(section: Section, column: Column) -> float | None:
    """The score of the floor that counts."""
    rows = (row for row in section.floors if column.name in row.best_floor)
    return next((row.scores[column.name].value for row in rows), None)
