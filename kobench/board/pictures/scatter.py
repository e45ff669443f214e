"""Predicted against true, a small panel for each predictor: the sampled units that its records
keep.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kobench.board.pictures.figure import FLOOR, counted, headed, panels, short
from kobench.board.sections.sentences import number
from kobench.board.table import Points, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What is predicted, in words and units; anything else by its own name.
WHAT = {
    "impact": "propagated impact (Bray-Curtis)",
    "profile": "share of the profile",
    "response": "change of a gene's share",
    "interaction": "interaction (Bray-Curtis)",
}

#: What a ranking ranks by, by task. A predictor's score may have any scale, so ranks are drawn.
RANKED = {"response-size": "size of the response", "keystone": "mean impact of the knockout"}

#: So many predictors have a panel.
PANELS = 6


def draw_scatter(section: Section, styles: Mapping[str, Any]) -> Figure:
    """One section; the dashed line is where predicted equals true.

    All panels have the same axes.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    shown = section.points[:PANELS]
    figure, axes = panels(len(shown), 3, 2.9, 2.7, sharex=True, sharey=True)
    ranked = shown[0].what == "ranking"
    drawn = [
        (ranks(one.true), ranks(one.predicted)) if ranked else (one.true, one.predicted)
        for one in shown
    ]
    values = [value for pair in drawn for side in pair for value in side]
    true_ends = [value for true, _ in drawn for value in true]
    ends = [min(true_ends, default=0.0), max(true_ends, default=1.0)]
    power = 1 if ranked else power_of(values)
    what = (
        f"{RANKED.get(section.task.partition('@')[0], 'score')} (rank)"
        if ranked
        else WHAT.get(shown[0].what, shown[0].what)
    )
    unit = "" if power == 1 else f" / {power:g}"
    for axis, points, (true, predicted) in zip(axes, shown, drawn, strict=True):
        color, marker, _ = styles[points.predictor]
        dots: dict[str, Any] = {
            "markersize": 3,
            "alpha": 0.55,
            "markeredgewidth": 0,
            "linestyle": "none",
        }
        axis.plot(true, predicted, marker, color=color, label=points.predictor, **dots)
        axis.plot(ends, ends, color=FLOOR, linewidth=0.9, linestyle=(0, (4, 3)), label="_equal")
        axis.set_title(titled(section, points), loc="left")
        axis.set_xlabel(f"true {what}{unit}", fontsize=8)
        axis.set_ylabel(f"predicted\n{what}{unit}", fontsize=7)
        axis.tick_params(labelsize=7, labelbottom=True, labelleft=True)
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
            side.set_major_formatter(FuncFormatter(lambda value, _: f"{value / power:g}"))
    left = f"; {PANELS} of {len(section.points)} predictors" if len(section.points) > PANELS else ""
    about = shown[0].of or counted(section)
    headed(
        figure,
        f"{section.task} on {short(section.place, 50)}: {about}; {len(shown[0].true)} values"
        f" drawn{left}",
        9,
    )
    return figure


def power_of(values: Sequence[float]) -> float:
    """A thousandth, or a power of it, where all values are so small that their ticks would be long.

    >>> power_of([0.2, -0.004]), power_of([0.04, 0.001]), power_of([-2e-5])
    (1, 0.001, 1e-06)
    """
    largest = max((abs(value) for value in values), default=0.0)
    return 1 if largest >= 0.1 or largest == 0 else 1e-3 if largest >= 1e-4 else 1e-6


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, the mean rank for ties.

    >>> ranks([0.5, 0.1, 0.5])
    [2.5, 1.0, 2.5]
    """
    ordered = sorted(values)
    return [
        (bisect_left(ordered, value) + bisect_right(ordered, value) + 1) / 2 for value in values
    ]


def titled(section: Section, points: Points) -> str:
    """The predictor, with what it scores over all of the section's networks."""
    score = next(
        (
            row.scores.get(section.leading[0].name)
            for row in section.rows
            if row.name == points.predictor
        ),
        None,
    )
    if score is None or score.value is None:
        return short(points.predictor, 28)
    return (
        f"{short(points.predictor, 22)}\n{section.leading[0].name}"
        f" {number(score.value, section.leading[0].decimals)}"
    )
