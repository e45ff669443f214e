"""What accuracy costs: skill, or the score, against the seconds of fitting and answering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kobench.board.table import Row, Section
from kobench.pictures.figure import FLOOR, counted, metric_label, panels, short
from kobench.pictures.standing import skilled, value_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def seconds_of(row: Row) -> float | None:
    """Mean seconds of a fit and its answers; None where not measured, or too short to be."""
    if row.cost is None or row.cost.fit_seconds is None or row.cost.predict_seconds is None:
        return None
    return row.cost.fit_seconds + row.cost.predict_seconds or None


def priced(section: Section) -> list[Row]:
    """Ranked predictors with a value and a cost."""
    return [row for row in section.ranked if seconds_of(row) and value_of(row, section)]


def draw_cost(task: str, sections: Sequence[Section], styles: Mapping[str, Any]) -> Figure:
    """A panel for each dataset; the dashed line is the best floor."""
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, axes = panels(len(sections), 3, 3.3, 2.7)
    for axis, section in zip(axes, sections, strict=True):
        column = section.primary[0]
        for row in priced(section):
            color, marker, _ = styles[row.name]
            value, low, high = value_of(row, section) or (0.0, None, None)
            seconds = seconds_of(row) or 0.0
            if low is not None and high is not None:
                axis.plot([seconds, seconds], [low, high], color=color, linewidth=1.2, label="_interval")
            axis.plot([seconds], [value], marker, color=color, markersize=6, linestyle="none", label=row.name)
            axis.annotate(short(row.name, 20), (seconds, value), xytext=(6, 4), textcoords="offset points", fontsize=8)
        floor = next((value_of(row, section) for row in section.floors if column.name in row.best_floor), None)
        if floor is not None:
            axis.axhline(floor[0], color=FLOOR, linewidth=0.9, linestyle=(0, (4, 3)), label="_best floor")
            axis.annotate(f"best floor, {column.floor}", (0.02, floor[0]), xycoords=("axes fraction", "data"), xytext=(0, 3),
                          textcoords="offset points", fontsize=7, color=FLOOR)  # fmt: skip
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.margins(x=0.35, y=0.15)
        if not skilled(section) and column.direction == "lower":
            axis.invert_yaxis()
        axis.set_xlabel("seconds to fit and answer")
        axis.set_ylabel(metric_label(column, skilled(section)), fontsize=8)
        axis.set_title(f"{short(section.place)} ({counted(section)})", loc="left")
    figure.suptitle(f"{task}: accuracy against cost, better upwards", fontsize=10)
    return figure
