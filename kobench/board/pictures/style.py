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
    marker: str
    line: Any


#: Colours that the colour-blind tell apart (Okabe & Ito, Color Universal Design, 2008), each with a
#: marker and a line of its own, so that a print without colour says the same.
STYLES = (
    Style("#0072B2", "o", "-"),
    Style("#D55E00", "s", "--"),
    Style("#009E73", "^", "-."),
    Style("#CC79A7", "D", ":"),
    Style("#E69F00", "v", (0, (5, 1))),
    Style("#56B4E9", "P", (0, (3, 1, 1, 1))),
    Style("#000000", "X", (0, (1, 1))),
)


def styles_of(names: Iterable[str]) -> dict[str, Style]:
    """A style for each name, by its place among all the board's names, so that pictures agree."""
    return {name: STYLES[i % len(STYLES)] for i, name in enumerate(sorted(names))}


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
