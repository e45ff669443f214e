"""What accuracy costs: skill, or the score, against the seconds of fitting and answering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kobench.board.pictures.axis import skilled, spread, value_of
from kobench.board.pictures.figure import counted, fitted, headed, metric_label, panels, short, wide
from kobench.board.pictures.style import DASHED, FLOOR, Style
from kobench.board.row import Row
from kobench.board.table import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

#: How wide a panel is, the labels of its upright axis, and a mark in the legend, in inches.
WIDTH, LABELS, MARK = 3.6, 0.8, 0.6

#: How high a panel is, and a line of the legend, in inches.
HEIGHT, LINE = 2.7, 0.19

#: Letters of a name in the legend.
NAME = 26


def seconds_of(row: Row) -> float | None:
    """Mean seconds of a fit and its answers; None where not measured, or too short to be."""
    if row.cost is None or row.cost.fit_seconds is None or row.cost.predict_seconds is None:
        return None
    return row.cost.fit_seconds + row.cost.predict_seconds or None


def priced(section: Section) -> list[Row]:
    """Ranked predictors with a value and a cost."""
    return [row for row in section.ranked if seconds_of(row) and value_of(row, section)]


def draw_cost(task: str, sections: Sequence[Section], styles: Mapping[str, Style]) -> Figure:
    """A panel for each dataset; the legend says who is who.

    Parameters
    ----------
    task : str
        The label of the task.
    sections : sequence of Section
        Its sections, each with a predictor that has a cost.
    styles : mapping of str to Style
        The style of each predictor.

    Returns
    -------
    Figure
        The dashed line is the best floor.
    """
    figure, axes = panels(len(sections), 3, WIDTH, HEIGHT)
    names = sorted({row.name for section in sections for row in priced(section)})
    for axis, section in zip(axes, sections, strict=True):
        draw_points(axis, section, styles)
        draw_best_floor(axis, section)
        label_axes(axis, section)
    width, height = figure.get_size_inches()
    columns = max(1, int(width / entry_width(names)))
    figure.set_size_inches(width, height + LINE * -(-(len(names) + 1) // columns))
    figure.legend(handles=legend_handles(names, styles), loc="outside lower center", ncols=columns)
    headed(figure, f"{task}: accuracy against cost, better upwards")
    return figure


def entry_width(names: Sequence[str]) -> float:
    """How wide a column of the legend is, in inches."""
    return max((wide(short(name, NAME), 8) for name in names), default=0.0) + MARK


def draw_points(axis: Axes, section: Section, styles: Mapping[str, Style]) -> None:
    """A point with its interval for each predictor, the cheapest first."""
    points = [
        (seconds, row.name, row, ends.value)
        for row in priced(section)
        if (seconds := seconds_of(row)) and (ends := value_of(row, section))
    ]
    for seconds, name, row, value in sorted(points, key=lambda one: one[:2]):
        color, marker, _ = styles[name]
        if interval := spread(row, section):
            axis.plot([seconds, seconds], interval, color=color, linewidth=1.2, label="_interval")
        axis.plot(
            [seconds], [value], marker=marker, color=color, markersize=7, ls="none", label=name
        )


def draw_best_floor(axis: Axes, section: Section) -> None:
    """A dashed line at what the best floor has, if it has a value."""
    metric = section.primary[0].name
    floors = (value_of(row, section) for row in section.floors if metric in row.best_floor)
    floor = next(floors, None)
    if floor is not None:
        axis.axhline(floor.value, color=FLOOR, linewidth=0.9, linestyle=DASHED, label="_best floor")


def label_axes(axis: Axes, section: Section) -> None:
    """Scales, labels and title of a panel; the better end is on top."""
    from matplotlib.ticker import LogLocator, NullFormatter

    column = section.primary[0]
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=6))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(x=0.35, y=0.22)
    if not skilled(section) and column.direction == "lower":
        axis.invert_yaxis()
    axis.set_xlabel("seconds to fit and answer")
    axis.set_ylabel(metric_label(column, skilled(section)), fontsize=8)
    place = f"{section.place} ({counted(section)})"
    axis.set_title(
        fitted(WIDTH - LABELS, place, f"best floor: {column.floor or 'none'}"), loc="left"
    )


def legend_handles(names: Sequence[str], styles: Mapping[str, Style]) -> list[Line2D]:
    """The marker of each predictor with its name, then the line of the best floor."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=styles[name].color,
            marker=styles[name].marker,
            linestyle="none",
            markersize=6,
            label=short(name, NAME),
        )
        for name in names
    ]
    floor = Line2D([], [], color=FLOOR, linewidth=0.9, linestyle=DASHED, label="best floor")
    return [*handles, floor]
