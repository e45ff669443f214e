"""Predicted against true, a panel for each predictor: the sampled units that its records keep."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from kobench.board.pictures.figure import counted, fitted, headed, panels, short
from kobench.board.pictures.quantities import quantity_of
from kobench.board.pictures.style import DASHED, FLOOR, Style
from kobench.board.table import Points, Section
from kobench.board.written import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: So many predictors have a panel.
PANELS = 6

#: How wide a panel is, and the labels of its upright axis, in inches.
WIDTH, LABELS = 2.9, 0.65

#: So few points are drawn large.
FEW = 60

#: Predictions that spread so many times as wide as the truth, or as narrow, have their own axis.
SCALES = 3.0


def draw_scatter(section: Section, styles: Mapping[str, Style]) -> Figure:
    """A panel for each predictor of a section.

    All have the same axes, but for predictors whose values are of another scale than the truth:
    each of those has an upright axis of its own, on which they are more than a flat line.

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
    figure, axes = panels(len(shown), 3, WIDTH, 2.7)
    ranked = shown[0].what == "ranking"
    pairs = [
        (ranks(one.true), ranks(one.predicted)) if ranked else (one.true, one.predicted)
        for one in shown
    ]
    true = [value for values, _ in pairs for value in values]
    apart = [other_scale(predicted, true) for _, predicted in pairs]
    like = [value for (_, side), own in zip(pairs, apart, strict=True) if not own for value in side]
    across, common = span_of(true), span_of([*true, *like])
    unit = 1 if ranked else unit_of([*true, *like])
    quantity = quantity_of(section, shown[0])
    for axis, points, (values, predicted), own in zip(axes, shown, pairs, apart, strict=True):
        draw_points(axis, points.predictor, values, predicted, styles)
        axis.plot(across, across, color=FLOOR, linewidth=0.9, linestyle=DASHED, label="_equal")
        axis.set_xlim(*widened(across))
        axis.set_ylim(*widened(span_of(predicted) if own else common))
        axis.set_title(fitted(WIDTH - LABELS, *title_lines(section, points)), loc="left")
        label_axes(axis, quantity, unit, unit_of(predicted) if own else unit, own)
    headed(figure, title_of(section, any(apart)), 9)
    return figure


def span_of(values: Sequence[float]) -> tuple[float, float]:
    """The smallest and the largest value, (0, 1) for none."""
    return min(values, default=0.0), max(values, default=1.0)


def other_scale(predicted: Sequence[float], true: Sequence[float]) -> bool:
    """Whether predictions spread so much more or less than the truth that one would be a line.

    >>> other_scale([0, 30], [0, 1]), other_scale([0, 0.1], [0, 1]), other_scale([0, 2], [0, 1])
    (True, True, False)
    >>> other_scale([2, 2], [0, 1])
    False
    """
    low, high = span_of(predicted)
    least, most = span_of(true)
    if low == high or least == most:
        return False
    return not 1 / SCALES <= (high - low) / (most - least) <= SCALES


def widened(ends: tuple[float, float]) -> tuple[float, float]:
    """The ends of an axis with room beside them."""
    low, high = ends
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


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
        marker=styles[name].marker,
        color=styles[name].color,
        label=name,
        markersize=6 if len(true) < FEW else 3.5,
        alpha=0.55,
        markeredgewidth=0,
        linestyle="none",
    )


def label_axes(axis: Axes, quantity: str, unit: float, upright: float, own: bool) -> None:
    """Labels and few ticks, these in multiples of a unit; `own` says that one axis differs."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    upwards = f"predicted{' (own axis)' if own else ''}"
    for side, one, said in (
        (axis.xaxis, unit, fitted(WIDTH - LABELS, f"true {quantity}", *in_units(unit), size=8)),
        (axis.yaxis, upright, "\n".join([upwards, *in_units(upright)])),
    ):
        side.set_label_text(said, fontsize=8)
        side.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
        side.set_major_formatter(FuncFormatter(partial(ticked, one)))
    axis.tick_params(labelsize=7)


def in_units(unit: float) -> list[str]:
    """What the ticks of an axis are multiples of, nothing where they are the values themselves."""
    return [] if unit == 1 else [f"/ {unit:g}"]


def ticked(unit: float, value: float, _: int) -> str:
    """The text of a tick."""
    return f"{value / unit:g}"


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


def title_lines(section: Section, points: Points) -> list[str]:
    """The predictor, and what it scores over all of the section's networks."""
    column = section.leading[0]
    row = next((row for row in section.rows if row.name == points.predictor), None)
    score = row.scores.get(column.name) if row else None
    if score is None or score.value is None:
        return [points.predictor]
    return [points.predictor, f"{column.name} {number(score.value, column.decimals)}"]


def title_of(section: Section, apart: bool) -> str:
    """Task and dataset, how much the points stand on, how many are drawn, and where axes differ."""
    first, every = section.points[0], len(section.points)
    left = f"; {PANELS} of {every} predictors" if every > PANELS else ""
    own = "; upright axes differ: predictions of another scale than the truth" if apart else ""
    about = first.of or counted(section)
    place = short(section.place, 50)
    return f"{section.task} on {place}: {about}; {len(first.true)} values drawn{left}{own}"
