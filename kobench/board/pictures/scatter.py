"""Predicted against true, a panel for each predictor: the sampled units that its records keep."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kobench.board.pictures.figure import counted, headed, panels, short
from kobench.board.pictures.quantities import quantity_of
from kobench.board.pictures.style import DASHED, FLOOR, Style
from kobench.board.table import Points, Section
from kobench.board.written import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: So many predictors have a panel.
PANELS = 6


def draw_scatter(section: Section, styles: Mapping[str, Style]) -> Figure:
    """A panel for each predictor of a section, all with the same axes.

    Parameters
    ----------
    section : Section
        A section with points.
    styles : mapping of str to Style
        The style of each predictor.

    Returns
    -------
    Figure
        The dashed line is where predicted equals true. Of a ranking the ranks are drawn, because a
        predictor's score may have any scale.
    """
    shown = section.points[:PANELS]
    figure, axes = panels(len(shown), 3, 2.9, 2.7, sharex=True, sharey=True)
    ranked = shown[0].what == "ranking"
    pairs = [
        (ranks(one.true), ranks(one.predicted)) if ranked else (one.true, one.predicted)
        for one in shown
    ]
    unit = 1 if ranked else unit_of([value for pair in pairs for side in pair for value in side])
    every_true = [value for true, _ in pairs for value in true]
    ends = [min(every_true, default=0.0), max(every_true, default=1.0)]
    quantity = quantity_of(section, shown[0]) + ("" if unit == 1 else f" / {unit:g}")
    for axis, points, (true, predicted) in zip(axes, shown, pairs, strict=True):
        draw_points(axis, points.predictor, true, predicted, styles)
        axis.plot(ends, ends, color=FLOOR, linewidth=0.9, linestyle=DASHED, label="_equal")
        axis.set_title(panel_title(section, points), loc="left")
        label_axes(axis, quantity, unit)
    headed(figure, title_of(section), 9)
    return figure


def draw_points(
    axis: Axes,
    name: str,
    true: Sequence[float],
    predicted: Sequence[float],
    styles: Mapping[str, Style],
) -> None:
    """A point for each unit: (n,) true and (n,) predicted values."""
    axis.plot(
        true,
        predicted,
        styles[name].marker,
        color=styles[name].color,
        label=name,
        markersize=3,
        alpha=0.55,
        markeredgewidth=0,
        linestyle="none",
    )


def label_axes(axis: Axes, quantity: str, unit: float) -> None:
    """Labels and few ticks, these in multiples of the unit."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_xlabel(f"true {quantity}", fontsize=8)
    axis.set_ylabel(f"predicted\n{quantity}", fontsize=7)
    axis.tick_params(labelsize=7, labelbottom=True, labelleft=True)
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:g}"))


def unit_of(values: Sequence[float]) -> float:
    """A thousandth, or a power of it, where all values are so small that ticks would be long.

    >>> unit_of([0.2, -0.004]), unit_of([0.04, 0.001]), unit_of([-2e-5])
    (1, 0.001, 1e-06)
    """
    largest = max((abs(value) for value in values), default=0.0)
    if largest >= 0.1 or largest == 0:
        return 1
    return 1e-3 if largest >= 1e-4 else 1e-6


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, the mean rank for ties.

    >>> ranks([0.5, 0.1, 0.5])
    [2.5, 1.0, 2.5]
    """
    ordered = sorted(values)
    return [
        (bisect_left(ordered, value) + bisect_right(ordered, value) + 1) / 2 for value in values
    ]


def panel_title(section: Section, points: Points) -> str:
    """The predictor, with what it scores over all of the section's networks."""
    column = section.leading[0]
    row = next((row for row in section.rows if row.name == points.predictor), None)
    score = row.scores.get(column.name) if row else None
    if score is None or score.value is None:
        return short(points.predictor, 28)
    value = number(score.value, column.decimals)
    return f"{short(points.predictor, 22)}\n{column.name} {value}"


def title_of(section: Section) -> str:
    """Task and dataset, how much the points stand on, and how many are drawn."""
    first, every = section.points[0], len(section.points)
    left = f"; {PANELS} of {every} predictors" if every > PANELS else ""
    about = first.of or counted(section)
    place = short(section.place, 50)
    return f"{section.task} on {place}: {about}; {len(first.true)} values drawn{left}"
