"""Predicted against true, a small panel for each predictor: the sampled units that its records keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kobench.board.summary import number
from kobench.board.table import Points, Section
from kobench.pictures.figure import FLOOR, counted, panels, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What is predicted, in words and units; anything else by its own name.
WHAT = {
    "impact": "propagated impact (Bray-Curtis)",
    "profile": "share of the profile",
    "ranking": "score of a gene",
    "response": "change of a gene's share",
    "interaction": "interaction (Bray-Curtis)",
}

#: So many predictors have a panel.
PANELS = 6


def draw_scatter(section: Section, styles: Mapping[str, Any]) -> Figure:
    """One section; the dashed line is where predicted equals true."""
    shown = section.points[:PANELS]
    figure, axes = panels(len(shown), 3, 2.9, 2.7, sharex=True)
    for axis, points in zip(axes, shown, strict=True):
        color, marker, _ = styles[points.predictor]
        dots: dict[str, Any] = {"markersize": 3, "alpha": 0.55, "markeredgewidth": 0, "linestyle": "none"}
        axis.plot(points.true, points.predicted, marker, color=color, label=points.predictor, **dots)
        ends = [min(points.true, default=0.0), max(points.true, default=1.0)]
        axis.plot(ends, ends, color=FLOOR, linewidth=0.9, linestyle=(0, (4, 3)), label="_equal")
        axis.set_title(titled(section, points), loc="left")
        axis.set_xlabel(f"true {WHAT.get(points.what, points.what)}", fontsize=8)
        axis.set_ylabel("predicted", fontsize=8)
        axis.tick_params(labelsize=7)
    left = f"; {PANELS} of {len(section.points)} predictors" if len(section.points) > PANELS else ""
    about = shown[0].of or counted(section)
    figure.suptitle(f"{section.task} on {short(section.place, 50)}: {about}; a sample of {len(shown[0].true)} units{left}", fontsize=9)
    return figure


def titled(section: Section, points: Points) -> str:
    """The predictor, with what it scores over all of the section's networks."""
    score = next((row.scores.get(section.leading[0].name) for row in section.rows if row.name == points.predictor), None)
    if score is None or score.value is None:
        return short(points.predictor, 28)
    return f"{short(points.predictor, 22)}\n{section.leading[0].name} {number(score.value, section.leading[0].decimals)}"
