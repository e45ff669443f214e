"""Where predictors and floors stand: bars join those that can't be told apart.

Source of the idea: J. Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR
7, 2006. There a bar joins mean ranks within one critical difference; here it joins rows whose
paired comparisons on the same blocks leave both orders open.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kobench.board.pictures.axis import skilled, spread, value_of
from kobench.board.pictures.figure import counted, fitted, headed, metric_label, panels, short, wide
from kobench.board.pictures.style import DASHED, FLOOR, Style
from kobench.board.row import Column, Row
from kobench.board.table import Section
from kobench.board.words import APART, PRIOR
from kobench.board.written import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Floors shown beside the best one.
OTHER_FLOORS = 3

#: How wide a panel is, and the bars beside it at most, in inches.
WIDTH, BARS = 5.0, 0.4

#: Letters in a line below a panel.
LETTERS = 52


def draw_standings(task: str, sections: Sequence[Section], styles: Mapping[str, Style]) -> Figure:
    """A panel for each dataset of a task, the best on top.

    Parameters
    ----------
    task : str
        The label of the task.
    sections : sequence of Section
        Its sections, each with ranked predictors.
    styles : mapping of str to Style
        The style of each predictor.

    Returns
    -------
    Figure
        Every predictor and the best floors with their intervals.
    """
    rows = {id(section): shown_rows(section) for section in sections}
    most = max(map(len, rows.values()))
    figure, axes = panels(len(sections), 2 if len(sections) > 1 else 1, WIDTH, 1.6 + 0.24 * most)
    for axis, section in zip(axes, sections, strict=True):
        draw_panel(axis, section, rows[id(section)], styles)
    several = any(spread(row, section) for section in sections for row in rows[id(section)])
    intervals = ", with 95 % intervals" if several else ""
    title = f"{task}: better to the right{intervals}; bars join those that can't be told apart"
    if any(section.with_prior for section in sections):
        title += f"; {PRIOR} below the others: {APART}"
    if len({skilled(section) for section in sections}) > 1:
        title += "; the axes differ: skill where it is given for everybody, else the score itself"
    headed(figure, title)
    return figure


def shown_rows(section: Section) -> list[Row]:
    """Ranked predictors and the best few floors that have a value, best first.

    Predictors with prior knowledge stand below all others.
    """
    column = section.primary[0]
    values = {id(row): ends.value for row in section.rows if (ends := value_of(row, section))}
    floors = [row for row in section.floors if id(row) in values]
    floors.sort(key=lambda row: column.name not in row.best_floor)
    rows = [row for row in section.ranked if id(row) in values] + floors[: 1 + OTHER_FLOORS]
    sign = 1.0 if skilled(section) else column.sign
    return sorted(
        rows, key=lambda row: (bool(row.prior), -sign * values[id(row)], row.role, row.name)
    )


def draw_panel(
    axis: Axes, section: Section, rows: Sequence[Row], styles: Mapping[str, Style]
) -> None:
    """One dataset."""
    column = section.primary[0]
    left, right = limits(rows, section)
    axis.set_xlim(*((left, right) if skilled(section) or column.sign > 0 else (right, left)))
    for place, row in enumerate(rows):
        draw_row(axis, section, place, row, styles)
    draw_best_floor(axis, section, rows)
    draw_bars(axis, bars(rows, column))
    axis.set_yticks(range(len(rows)), [named(row, column) for row in rows])
    for tick, row in zip(axis.get_yticklabels(), rows, strict=True):
        tick.set_color("black" if row.role == "predictor" else FLOOR)
    axis.set_ylim(len(rows) - 0.4, -0.6)
    below = [metric_label(column, skilled(section)), not_drawn(section, rows)]
    axis.set_xlabel("\n".join(filter(None, below)), fontsize=8)
    left_of = max((wide(named(row, column)) for row in rows), default=0.0)
    title = f"{section.place} ({counted(section)})"
    axis.set_title(fitted(WIDTH - left_of - BARS, title), loc="left")


def draw_row(
    axis: Axes, section: Section, place: int, row: Row, styles: Mapping[str, Style]
) -> None:
    """A row's mark and interval; what lies off the axis is written at its edge."""
    ends = value_of(row, section)
    value = ends.value if ends else 0.0
    predictor = row.role == "predictor"
    color, marker = styles[row.name][:2] if predictor else (FLOOR, "|")
    left, right = sorted(axis.get_xlim())
    if not left <= value <= right:
        axis.annotate(
            f"{number(value, 2)}: off the axis",
            (0.02, place),
            color=color,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
        )
        return
    draw_interval(axis, spread(row, section), place, color)
    axis.plot(
        [value],
        [place],
        marker=marker,
        color=color,
        markersize=7,
        markerfacecolor="white" if predictor and row.hollow else color,
        linestyle="none",
        label=row.name,
    )


def draw_interval(axis: Axes, ends: tuple[float, float] | None, place: int, color: str) -> None:
    """A row's interval, with a pointer where it goes on beyond the axis."""
    if ends is None:
        return
    axis.plot(
        ends, [place, place], color=color, linewidth=1.6, solid_capstyle="butt", label="_interval"
    )
    left, right = sorted(axis.get_xlim())
    to_low, to_high = ("<", ">") if not axis.xaxis_inverted() else (">", "<")
    pointers = []
    if ends[0] < left:
        pointers.append((left, to_low))
    if ends[1] > right:
        pointers.append((right, to_high))
    for edge, pointer in pointers:
        axis.plot([edge], [place], pointer, color=color, markersize=5, clip_on=False, label="_cut")


def draw_best_floor(axis: Axes, section: Section, rows: Sequence[Row]) -> None:
    """A dashed line at what the best floor has, if it is shown."""
    best = next((row for row in rows if section.primary[0].name in row.best_floor), None)
    ends = value_of(best, section) if best else None
    if ends is not None:
        axis.axvline(ends.value, color=FLOOR, linewidth=0.8, linestyle=DASHED, label="_best floor")


def draw_bars(axis: Axes, groups: Sequence[Sequence[int]]) -> None:
    """Right of the panel, a bar for each group with a dot for each of its members."""
    transform = axis.get_yaxis_transform()
    for i, members in enumerate(groups):
        x = 1.02 + 0.04 * i
        axis.plot(
            [x, x],
            [members[0], members[-1]],
            linewidth=2.2,
            label="_bar",
            color="black",
            transform=transform,
            clip_on=False,
        )
        axis.plot(
            [x] * len(members),
            members,
            "o",
            markersize=3.5,
            label="_members",
            color="black",
            transform=transform,
            clip_on=False,
        )


def named(row: Row, column: Column) -> str:
    """A row's label."""
    if row.role == "predictor":
        return short(row.name, 24)
    return f"{short(row.name, 20)} ({'best floor' if column.name in row.best_floor else 'floor'})"


def not_drawn(section: Section, shown: Sequence[Row]) -> str:
    """Predictors without a mark, with the reason if they have one in common.

    Returns
    -------
    str
        Lines that fit a panel; "" where all are drawn.
    """
    drawn = {row.name for row in shown}
    rows = [row for row in section.rows if row.role == "predictor" and row.name not in drawn]
    if not rows:
        return ""
    reasons = {why_not_drawn(section, row) for row in rows}
    reason = reasons.pop() if len(reasons) == 1 else ""
    names = ", ".join(sorted(row.name for row in rows))
    return textwrap.fill(f"not drawn: {names}{f' ({reason})' if reason else ''}", LETTERS)


def why_not_drawn(section: Section, row: Row) -> str:
    """Why a predictor has no mark; "" where that is not known."""
    score = row.scores.get(section.primary[0].name)
    if score is not None and score.missing:
        return "no value, as for constant answers" if score.missing == "none" else score.missing
    return row.status if row.status != "ok" else ""


def limits(rows: Sequence[Row], section: Section) -> tuple[float, float]:
    """The ends of an axis over the predictors and the best floor; other floors may lie outside."""
    metric = section.primary[0].name
    ends = [
        end
        for row in rows
        if row.role == "predictor" or metric in row.best_floor
        for end in value_of(row, section) or ()
        if end is not None
    ]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    margin = 0.08 * (high - low) or 0.1
    return low - margin, high + margin


def bars(rows: Sequence[Row], column: Column) -> list[list[int]]:
    """The largest groups of rows that follow each other and of which no two are told apart.

    Parameters
    ----------
    rows : sequence of Row
        The rows of a panel, best first.
    column : Column
        The metric.

    Returns
    -------
    list of list of int
        The places of each group's members among the ranked predictors and the best floor; other
        floors between them are passed over.
    """
    members = [
        place
        for place, row in enumerate(rows)
        if row.rank is not None or column.name in row.best_floor
    ]
    groups: list[list[int]] = []
    for i in range(len(members)):
        group = [members[i]]
        for place in members[i + 1 :]:
            if not all(level(rows[place], rows[other], column) for other in group):
                break
            group.append(place)
        if len(group) > 1 and not any(set(group) <= set(other) for other in groups):
            groups.append(group)
    return groups


def level(one: Row, other: Row, column: Column) -> bool:
    """Whether two rows can't be told apart."""
    if one.rank is not None and other.rank is not None:
        return other.name in one.level_with
    predictor = one if one.rank is not None else other
    return predictor.rank is not None and predictor.scores[column.name].verdict == "same"
