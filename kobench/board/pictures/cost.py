"""What accuracy costs: skill, or the score, against the seconds of fitting and answering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kobench.board.pictures.figure import FLOOR, counted, headed, metric_label, panels, short
from kobench.board.pictures.standing import skilled, spread, value_of
from kobench.board.table import Row, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: How high the numbers of points stand, as shares of the panel, in the order of cost: neighbours'
#: numbers don't collide.
HEIGHTS = (0.97, 0.91, 0.85)


def seconds_of(row: Row) -> float | None:
    """Mean seconds of a fit and its answers; None where not measured, or too short to be."""
    if row.cost is None or row.cost.fit_seconds is None or row.cost.predict_seconds is None:
        return None
    return row.cost.fit_seconds + row.cost.predict_seconds or None


def priced(section: Section) -> list[Row]:
    """Ranked predictors with a value and a cost."""
    return [row for row in section.ranked if seconds_of(row) and value_of(row, section)]


def draw_cost(task: str, sections: Sequence[Section], styles: Mapping[str, Any]) -> Figure:
    """A panel for each dataset; the dashed line is the best floor.

    Points are numbered, and the legend says who is who.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, axes = panels(len(sections), 3, 3.6, 3.3)
    numbers = {
        name: i + 1
        for i, name in enumerate(
            sorted({row.name for section in sections for row in priced(section)})
        )
    }
    for axis, section in zip(axes, sections, strict=True):
        column = section.primary[0]
        for i, row in enumerate(
            sorted(priced(section), key=lambda row: (seconds_of(row) or 0.0, row.name))
        ):
            color, marker, _ = styles[row.name]
            value = (value_of(row, section) or (0.0,))[0]
            seconds = seconds_of(row) or 0.0
            if ends := spread(row, section):
                axis.plot([seconds, seconds], ends, color=color, linewidth=1.2, label="_interval")
            axis.plot(
                [seconds],
                [value],
                marker,
                color=color,
                markersize=6,
                linestyle="none",
                label=row.name,
            )
            above = axis.get_xaxis_transform()
            axis.text(
                seconds,
                HEIGHTS[i % len(HEIGHTS)],
                str(numbers[row.name]),
                transform=above,
                fontsize=8,
                color=color,
                ha="center",
            )
        floor = next(
            (value_of(row, section) for row in section.floors if column.name in row.best_floor),
            None,
        )
        if floor is not None:
            axis.axhline(
                floor[0], color=FLOOR, linewidth=0.9, linestyle=(0, (4, 3)), label="_best floor"
            )
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.margins(x=0.35, y=0.22)
        if not skilled(section) and column.direction == "lower":
            axis.invert_yaxis()
        axis.set_xlabel("seconds to fit and answer")
        axis.set_ylabel(metric_label(column, skilled(section)), fontsize=8)
        axis.set_title(
            f"{short(section.place)} ({counted(section)})\nbest floor: {column.floor or 'none'}",
            loc="left",
        )
    handles: list[Line2D] = []
    for name, number in numbers.items():
        color, marker, _ = styles[name]
        handles.append(
            Line2D(
                [],
                [],
                color=color,
                marker=marker,
                linestyle="none",
                markersize=5,
                label=f"{number} {short(name, 24)}",
            )
        )
    handles.append(
        Line2D([], [], color=FLOOR, linewidth=0.9, linestyle=(0, (4, 3)), label="best floor")
    )
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=2 * len(sections) if len(sections) < 3 else 5,
    )
    headed(figure, f"{task}: accuracy against cost, better upwards")
    return figure
