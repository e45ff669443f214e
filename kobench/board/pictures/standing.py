"""Where predictors and floors stand, after Demsar's critical-difference diagrams: bars join those
that can't be told apart.

Source of the idea: J. Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR
7, 2006. There a bar joins mean ranks within one critical difference; here it joins rows whose
paired comparisons on the same blocks leave both orders open.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kobench.board.pictures.figure import FLOOR, counted, headed, metric_label, panels, short
from kobench.board.table import Column, Row, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Floors shown beside the best one.
OTHER_FLOORS = 3

Ends = tuple[float, float | None, float | None]


def draw_standings(task: str, sections: Sequence[Section], styles: Mapping[str, Any]) -> Figure:
    """A panel for each dataset of a task: every predictor and the best floors with their intervals,
    best on top.
    """
    columns = 2 if len(sections) > 1 else 1
    rows = max(len(shown_rows(section)) for section in sections)
    figure, axes = panels(len(sections), columns, 5.0, 1.6 + 0.24 * rows)
    for axis, section in zip(axes, sections, strict=True):
        draw_panel(axis, section, styles)
    with_intervals = any(
        spread(row, section) for section in sections for row in shown_rows(section)
    )
    parts = [
        f"{task}: better to the right{', with 95 % intervals' if with_intervals else ''}; bars join"
        " those that can't be told apart"
    ]
    if len({skilled(section) for section in sections}) > 1:
        parts.append(
            "the axes differ: skill where it is given for everybody, else the score itself"
        )
    headed(figure, "; ".join(parts))
    return figure


def shown_rows(section: Section) -> list[Row]:
    """Ranked predictors and the best few floors that have a value, best first."""
    column = section.primary[0]
    floors = sorted(
        (row for row in section.floors if value_of(row, section) is not None),
        key=lambda row: column.name not in row.best_floor,
    )
    rows = [row for row in section.ranked if value_of(row, section) is not None] + floors[
        : 1 + OTHER_FLOORS
    ]
    sign = 1.0 if skilled(section) else column.sign
    return sorted(
        rows, key=lambda row: (-sign * (value_of(row, section) or (0.0,))[0], row.role, row.name)
    )


def skilled(section: Section) -> bool:
    """Whether skill is printed for everyone ranked, so that it can be the axis."""
    name = section.primary[0].name
    return all(row.scores[name].skill is not None for row in section.ranked)


def value_of(row: Row, section: Section) -> Ends | None:
    """What a row has on the axis: its skill or score, with its interval; None without."""
    score = row.scores.get(section.primary[0].name)
    if score is None:
        return None
    if skilled(section):
        return None if score.skill is None else (score.skill, score.skill_low, score.skill_high)
    return None if score.value is None else (score.value, score.low, score.high)


def spread(row: Row, section: Section) -> tuple[float, float] | None:
    """A row's interval; None without one, and where it is a point."""
    _, low, high = value_of(row, section) or (0.0, None, None)
    return (low, high) if low is not None and high is not None and low < high else None


def not_drawn(section: Section) -> str:
    """Predictors without a mark, with the reason if they have one in common, in lines that fit a
    panel; "" where all are drawn.
    """
    shown = {row.name for row in shown_rows(section)}
    rows = [row for row in section.rows if row.role == "predictor" and row.name not in shown]
    if not rows:
        return ""
    name = section.primary[0].name
    reasons = {
        (row.scores[name].missing if name in row.scores else "")
        or (row.status if row.status != "ok" else "")
        for row in rows
    }
    reason = next(iter(reasons)) if len(reasons) == 1 else ""
    reason = "no value, as for constant answers" if reason == "none" else reason
    names = ", ".join(sorted(row.name for row in rows))
    return textwrap.fill(f"not drawn: {names}{f' ({reason})' if reason else ''}", 52)


def draw_panel(axis: Axes, section: Section, styles: Mapping[str, Any]) -> None:
    """One dataset."""
    rows, column = shown_rows(section), section.primary[0]
    left, right = limits(rows, section)
    worst_first = (left, right) if skilled(section) or column.sign > 0 else (right, left)
    axis.set_xlim(*worst_first)
    low_end, high_end = ("<", ">") if worst_first[0] < worst_first[1] else (">", "<")
    for place, row in enumerate(rows):
        value = (value_of(row, section) or (0.0,))[0]
        color, marker = (
            (styles[row.name][0], styles[row.name][1]) if row.role == "predictor" else (FLOOR, "|")
        )
        if not left <= value <= right:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            at: dict[str, Any] = {
                "xycoords": ("axes fraction", "data"),
                "va": "center",
                "fontsize": 8,
            }
            axis.annotate(f"{value:.2f}: off the axis", (0.02, place), color=color, bbox=box, **at)
            continue
        if ends := spread(row, section):
            axis.plot(
                ends,
                [place, place],
                color=color,
                linewidth=1.6,
                solid_capstyle="butt",
                label="_interval",
            )
            for cut, edge, pointer in (
                (ends[0] < left, left, low_end),
                (ends[1] > right, right, high_end),
            ):
                if cut:  # the interval goes on
                    axis.plot(
                        [edge],
                        [place],
                        pointer,
                        color=color,
                        markersize=5,
                        clip_on=False,
                        label="_cut",
                    )
        inside = "white" if row.role == "predictor" and row.hollow else color
        axis.plot(
            [value],
            [place],
            marker,
            color=color,
            markersize=6,
            markerfacecolor=inside,
            linestyle="none",
            label=row.name,
        )
    best = next((place for place, row in enumerate(rows) if column.name in row.best_floor), None)
    if best is not None:
        axis.axvline(
            (value_of(rows[best], section) or (0.0,))[0],
            color=FLOOR,
            linewidth=0.8,
            linestyle=(0, (4, 3)),
            label="_best floor",
        )
    for i, (first, last, members) in enumerate(bars(rows, column)):
        beside: dict[str, Any] = {
            "color": "black",
            "transform": axis.get_yaxis_transform(),
            "clip_on": False,
        }
        x = 1.02 + 0.04 * i
        axis.plot([x, x], [first, last], linewidth=2.2, label="_bar", **beside)
        axis.plot([x] * len(members), members, "o", markersize=3.5, label="_members", **beside)
    axis.set_yticks(range(len(rows)), [named(row, column) for row in rows])
    for tick, row in zip(axis.get_yticklabels(), rows, strict=True):
        tick.set_color("black" if row.role == "predictor" else FLOOR)
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlabel(
        "\n".join(
            part for part in (metric_label(column, skilled(section)), not_drawn(section)) if part
        ),
        fontsize=8,
    )
    axis.set_title(f"{short(section.place)} ({counted(section)})", loc="left")


def named(row: Row, column: Column) -> str:
    """A row's label."""
    if row.role == "predictor":
        return short(row.name, 24)
    return f"{short(row.name, 20)} ({'best floor' if column.name in row.best_floor else 'floor'})"


def limits(rows: Sequence[Row], section: Section) -> tuple[float, float]:
    """An axis over the predictors and the best floor; other floors may lie outside, and are written
    at its edge.
    """
    name = section.primary[0].name
    ends = [
        end
        for row in rows
        if row.role == "predictor" or name in row.best_floor
        for end in value_of(row, section) or ()
        if end is not None
    ]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    margin = 0.08 * (high - low) or 0.1
    return low - margin, high + margin


def bars(rows: Sequence[Row], column: Column) -> list[tuple[int, int, list[int]]]:
    """The largest groups of rows that follow each other and of which no two are told apart: (first
    place, last place, places).

    Among the ranked predictors and the best floor; other floors between them are passed over.
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
    return [(group[0], group[-1], group) for group in groups]


def level(one: Row, other: Row, column: Column) -> bool:
    """Whether two rows can't be told apart."""
    if one.rank is not None and other.rank is not None:
        return other.name in one.level_with
    predictor = one if one.rank is not None else other
    return predictor.rank is not None and predictor.scores[column.name].verdict == "same"
