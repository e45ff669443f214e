"""How pictures look: colours, markers and lines, and matplotlib's settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

#: A dashed line, as matplotlib takes it: (offset, (points on, points off)).
DASHED = (0, (4, 3))

#: The colour of floors.
FLOOR = "#707070"

#: Every setting of a picture that differs from matplotlib's own defaults. Text stays text, so that
#: it can be read and searched.
LOOK: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "figure.constrained_layout.use": True,
}


class Style(NamedTuple):
    """What tells a predictor from others in a picture, as matplotlib takes it."""

    color: str
    marker: Any
    line: Any


#: Colours that the colour-blind tell apart: seven of Okabe & Ito (Color Universal Design, 2008),
#: then those that are each as far as can be from all before, in CIE Lab, as eyes with and without
#: red and green cones see them (Machado, Oliveira & Fernandes 2009). Any two are at least 16 apart.
COLORS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#0000FF"),
    *("#00004B", "#5A2D00", "#6969FF", "#2D00A5", "#1E3C5A", "#2DC369", "#5A2D2D", "#003C96"),
    *("#6996FF", "#875A3C", "#000F2D", "#2D3CE1", "#A53C00", "#0F2D69", "#785A87", "#0F0078"),
)

#: As many markers that can be filled, so that a print without colour says the same; a tuple is a
#: star: how many points, 1, degrees that it is turned by.
MARKERS: tuple[Any, ...] = (
    *("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "d", "h", "8", "H"),
    *((4, 1, 0), (3, 1, 0), (6, 1, 0), (3, 1, 180), (4, 1, 45), (8, 1, 0), (5, 1, 180)),
    *((12, 1, 0), (7, 1, 0)),
)

#: Lines, which tell few things apart.
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


def style_at(place: int) -> Style:
    """The style at a place: a colour and a marker that no other has, as far as there are some.

    After that the pairs of both are still each other's only ones.
    """
    turned = place + place // len(MARKERS)
    return Style(
        COLORS[place % len(COLORS)], MARKERS[turned % len(MARKERS)], LINES[place % len(LINES)]
    )


def styles_of(names: Iterable[str]) -> dict[str, Style]:
    """A style for each name, by its place among all the board's names, so that pictures agree."""
    return {name: style_at(i) for i, name in enumerate(sorted(names))}


@contextmanager
def look(name: str) -> Iterator[None]:
    """matplotlib's own defaults and `LOOK`, whatever the user's settings.

    Parameters
    ----------
    name : str
        Makes the ids in an SVG differ from other pictures'.
    """
    from matplotlib import style

    with style.context(["default", {**LOOK, "svg.hashsalt": name}]):
        yield
