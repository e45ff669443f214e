"""The pictures of an audit, in the style of the boards' pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kobench.audit.statistics import smallest_seen, smallest_uneven
from kobench.board.pictures.figure import panels
from kobench.board.pictures.style import DASHED, FLOOR, style_at
from kobench.cells import IntArray
from kobench.util.text import one_line, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: So many perturbations, and so many batches, are drawn.
DRAWN, BATCHES = 40, 7


def short(name: str) -> str:
    """A name that fits an axis, all of it visible."""
    return shortened(one_line(name), 16)


def power_curve(n: int, spread: float, room: float | None) -> Figure:
    """The smallest gain that is seen by the number of perturbations; n are there."""
    figure, (axis,) = panels(1, 1, 5.6, 2.8)
    more = np.geomspace(12, max(60, 3 * n), 25).astype(int).tolist()
    counts = sorted({*range(2, 12), *more, n} - {0, 1})
    style, other = style_at(0), style_at(1)
    even = [smallest_seen(spread, count) for count in counts]
    axis.plot(counts, even, color=style.color, label="all gain alike")
    top = 3 * smallest_seen(spread, n)
    if room is not None and room > 0:
        few = [smallest_uneven(spread, room, count) for count in counts]
        axis.plot(counts, few, color=other.color, linestyle=other.line, label="few gain")
        axis.axhline(room, color=FLOOR, linestyle=DASHED, linewidth=0.9, label="floor to ceiling")
        top = 1.3 * room
    axis.axvline(n, color="black", linewidth=0.9, label=f"this data set: {n}")
    axis.set_ylim(0, max(top, 1e-9))
    axis.set_xscale("log")
    _plain_ticks(axis, counts)
    axis.set_xlabel("perturbations")
    axis.set_ylabel("smallest gain seen")
    figure.legend(loc="outside upper center", ncols=4)
    return figure


def _plain_ticks(axis: Axes, counts: Sequence[int]) -> None:
    """Ticks that are written as whole numbers."""
    ticks = [
        value for value in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if value <= max(counts)
    ]
    axis.set_xticks(ticks, [f"{value}" for value in ticks])
    axis.set_xticks([], minor=True)


def stacked_shares(names: Sequence[str], batches: Sequence[str], table: IntArray) -> Figure:
    """A bar for each perturbation, cut by the batches of its cells."""
    shown = list(range(min(len(names), DRAWN)))
    axis, figure = _named_axis([names[place] for place in shown])
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    largest = np.argsort(-table.sum(axis=0), kind="stable")
    bottom = np.zeros(len(shown))
    for rank, column in enumerate(largest[:BATCHES]):
        heights = shares[shown, column]
        label = short(batches[int(column)])
        axis.bar(
            range(len(shown)),
            heights,
            0.8,
            bottom,
            color=style_at(rank).color,
            label=label,
        )
        bottom += heights
    if len(batches) > BATCHES:
        rest = f"{len(batches) - BATCHES} others"
        axis.bar(range(len(shown)), 1 - bottom, 0.8, bottom, color="#c8c8c8", label=rest)
    axis.set_ylabel("share of cells")
    axis.set_ylim(0, 1)
    _legend(figure, axis)
    return figure


def intervals(
    names: Sequence[str],
    values: Sequence[tuple[float, float | None, float | None]],
    label: str,
    line: float,
) -> Figure:
    """A point with its interval for each name, and a dashed line; in the order given."""
    axis, figure = _named_axis(names[:DRAWN])
    for x, (value, low, high) in enumerate(values[:DRAWN]):
        if low is not None and high is not None:
            axis.plot([x, x], [low, high], color=style_at(0).color, linewidth=1.4)
        axis.plot([x], [value], "o", color=style_at(0).color, markersize=4)
    axis.axhline(line, color=FLOOR, linestyle=DASHED, linewidth=0.9)
    axis.set_ylabel(label)
    return figure


def bars(names: Sequence[str], values: Sequence[float], label: str) -> Figure:
    """A bar for each name, in the order given."""
    axis, figure = _named_axis(names[:DRAWN])
    axis.bar(range(len(names[:DRAWN])), values[:DRAWN], 0.7, color=style_at(0).color)
    axis.set_ylabel(label)
    return figure


def boxes(values: Sequence[Sequence[float]], names: Sequence[str], label: str) -> Figure:
    """5 %, 25 %, 50 %, 75 % and 95 % of each group."""
    axis, figure = _named_axis(names[:DRAWN])
    for x, group in enumerate(values[:DRAWN]):
        low, first, middle, third, high = np.percentile(group, (5, 25, 50, 75, 95))
        color = FLOOR if x == 0 else style_at(0).color
        axis.plot([x, x], [low, high], color=color, linewidth=0.9)
        axis.bar([x], [third - first], 0.6, [first], color=color, alpha=0.45)
        axis.plot([x - 0.3, x + 0.3], [middle, middle], color="black", linewidth=1.2)
    axis.set_ylim(bottom=0)
    axis.set_ylabel(label)
    return figure


def histogram(values: Sequence[float], label: str, count: str) -> Figure:
    """How often values between 0 and 1 lie where."""
    figure, (axis,) = panels(1, 1, 5.6, 2.4)
    axis.hist(values, bins=np.linspace(0, 1, 21).tolist(), color=style_at(0).color)
    axis.set_xlabel(label)
    axis.set_ylabel(count)
    return figure


def dots_of_two(
    first: Sequence[float], second: Sequence[float], names: tuple[str, str], label: str, line: float
) -> Figure:
    """Two groups of values, a dot each, side by side, with a dashed line."""
    figure, (axis,) = panels(1, 1, 4.2, 2.6)
    for x, group in enumerate((first, second)):
        ordered = sorted(group)
        offsets = np.linspace(-0.3, 0.3, len(ordered)) if len(ordered) > 1 else np.zeros(1)
        style = style_at(x)
        axis.plot(
            x + offsets, ordered, marker=style.marker, color=style.color, markersize=4, ls="none"
        )
    axis.axhline(line, color=FLOOR, linestyle=DASHED, linewidth=0.9)
    axis.set_xticks([0, 1], list(names))
    axis.set_xlim(-0.6, 1.6)
    axis.set_ylabel(label)
    return figure


def _named_axis(names: Sequence[str]) -> tuple[Axes, Figure]:
    """A panel with a place for each name below it."""
    figure, (axis,) = panels(1, 1, min(11.0, max(3.6, 1.4 + 0.24 * len(names))), 2.8)
    axis.set_xticks(range(len(names)), [short(name) for name in names], rotation=90, fontsize=7)
    axis.set_xlim(-0.8, len(names) - 0.2)
    return axis, figure


def _legend(figure: Figure, axis: Axes) -> None:
    """A legend below the panel."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(4, max(1, len(labels))))
