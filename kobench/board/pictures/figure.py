"""The drawing itself: matplotlib found or asked for, one look for every picture, and SVG that is
the same bytes each time.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kobench.board.table import Column, Section
from kobench.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours that the colour-blind tell apart (Okabe & Ito, Color Universal Design, 2008), each with a
#: marker and a line of its own, so that a print without colour says the same.
STYLES = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#CC79A7", "D", ":"),
    ("#E69F00", "v", (0, (5, 1))),
    ("#56B4E9", "P", (0, (3, 1, 1, 1))),
    ("#000000", "X", (0, (1, 1))),
)

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

#: Pixels an inch in a written PNG; SVG has none.
DPI = 100


def available() -> bool:
    """Whether pictures can be drawn here."""
    return find_spec("matplotlib") is not None


def need() -> None:
    """Raises UserError where matplotlib is not installed, naming the extra that brings it."""
    if not available():
        raise UserError(
            "pictures need matplotlib, which is not installed here; install it with `pip install"
            " 'kobench[pictures]'`"
        )


@contextmanager
def look(name: str) -> Iterator[None]:
    """matplotlib's own defaults and LOOK, whatever the user's settings; `name` makes the ids in an
    SVG differ from other pictures'.
    """
    from matplotlib import style

    with style.context(["default", {**LOOK, "svg.hashsalt": name}]):
        yield


def panels(
    count: int, columns: int, width: float = 3.6, height: float = 2.8, **more: Any
) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels in rows of `columns`, of so many inches each; the places left
    over are empty.
    """
    from matplotlib.figure import Figure

    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.5))
    axes = list(figure.subplots(rows, columns, squeeze=False, **more).ravel())
    for empty in axes[count:]:
        empty.remove()
    return figure, axes[:count]


def drawn(name: str, draw: Callable[[], Figure]) -> str:
    """A picture as SVG text.

    The same figure gives the same text: no date, no random id, coordinates to a hundredth of a
    point.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with look(name):
        figure = draw()
        buffer = io.StringIO()
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    return tidied(buffer.getvalue())


def tidied(svg: str) -> str:
    """An SVG without prolog, comments, metadata and ids that nothing refers to; coordinates with
    two decimals, links without a namespace.

    >>> tidied('<?xml?><svg xmlns="n"><g id="a" x="1.23456"/><!-- c --><use xlink:href="#b"/><text id="b">0.175</text></svg>')
    '<svg stroke-linejoin="round" stroke-linecap="butt" xmlns="n"><g x="1.23"/><use href="#b"/><text id="b">0.175</text></svg>\\n'
    """
    text = svg[svg.index("<svg") :]
    text = re.sub(
        r"\s*<defs>\s*<style[^>]*>\*\{[^}]*\}</style>\s*</defs>", "", text
    )  # it would reach out of the SVG into a page
    text = text.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    text = re.sub(r"\s*<metadata>.*?</metadata>|\s*<!--.*?-->", "", text, flags=re.S)
    text = text.replace("xlink:href", "href").replace(
        ' xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    text = text.replace("'DejaVu Sans'", "'DejaVu Sans', sans-serif")
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    text = re.sub(
        r' id="([^"]+)"', lambda found: found.group(0) if found.group(1) in used else "", text
    )
    text = re.sub(
        r"(?:<use [^>]*?( style=\"[^\"]*\")/>\s*)(?:<use [^>]*?\1/>\s*)+", styled_once, text
    )
    text = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\d+\.\d{2})\d+", r"\1", tag.group(0)), text)
    return re.sub(r"\s*\n\s*", "\n", text).strip() + "\n"


def styled_once(uses: re.Match[str]) -> str:
    """Marks of one style in a group that has it: half the length."""
    return f"<g{uses.group(1)}>{uses.group(0).replace(uses.group(1), '').strip()}</g>\n"


def styles_of(names: list[str]) -> dict[str, tuple[str, str, Any]]:
    """A colour, marker and line for each name, by its place among all the board's names, so that
    pictures agree.
    """
    return {name: STYLES[i % len(STYLES)] for i, name in enumerate(sorted(names))}


def counted(section: Section) -> str:
    """How much a panel's numbers stand on: `5 networks`, `1 network`, `140 cells`."""
    if section.kind == "simulated":
        return f"{section.blocks} network{'' if section.blocks == 1 else 's'}"
    return section.label.partition(";")[0]


def metric_label(column: Column, skilled: bool = False) -> str:
    """What an axis shows: the metric with the better end, or skill."""
    return (
        f"skill by {column.name}\n(0: best floor, 1: truth)"
        if skilled
        else f"score: {column.name}\n({column.direction} is better)"
    )


def headed(figure: Figure, text: str, size: float = 10.0) -> None:
    """A title over all panels, broken into lines that fit the figure's width (a letter takes about
    0.6 of its size).
    """
    letters = max(20, int(figure.get_size_inches()[0] * 72 / (0.6 * size)))
    figure.suptitle("\n".join(textwrap.wrap(text, letters)), fontsize=size)


def short(text: str, limit: int = 34) -> str:
    """A name that fits a panel.

    >>> short("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
