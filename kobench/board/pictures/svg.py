"""A figure as SVG: the same bytes each time, and nothing in it that is not needed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from kobench.board.pictures.style import look

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def svg_of(name: str, draw: Callable[[], Figure]) -> str:
    """A figure as SVG text.

    The same figure gives the same text: no date, no random id, coordinates to a hundredth of a
    point.

    Parameters
    ----------
    name : str
        The name of the picture.
    draw : callable
        Draws the figure.

    Returns
    -------
    str
        SVG.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with look(name):
        figure = draw()
        as_it_is(figure)
        buffer = io.StringIO()
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    return tidied(buffer.getvalue())


def as_it_is(figure: Figure) -> None:
    """Show names as they are written: a `$` in one is a `$`, and begins no formula.

    matplotlib's own formulas, on axes of powers, are made later, when it draws.
    """
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if "$" in text.get_text() and r"\mathdefault" not in text.get_text():
            text.set_parse_math(False)


def tidied(svg: str) -> str:
    """An SVG without what no reader needs.

    Prolog, comments, metadata and ids that nothing refers to are left out; coordinates have two
    decimals, links no namespace.

    >>> tidied('<?xml?><svg xmlns="n"><g id="a" x="1.23456"/><!-- c --></svg>')
    '<svg stroke-linejoin="round" stroke-linecap="butt" xmlns="n"><g x="1.23"/></svg>\\n'
    >>> tidied('<svg ><use xlink:href="#b"/><text id="b">0.175</text></svg>').split(">", 1)[1]
    '<use href="#b"/><text id="b">0.175</text></svg>\\n'
    """
    text = svg[svg.index("<svg") :]
    text = without_style_sheet(text)
    text = re.sub(r"\s*<metadata>.*?</metadata>|\s*<!--.*?-->", "", text, flags=re.S)
    text = text.replace("xlink:href", "href")
    text = text.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    text = text.replace("'DejaVu Sans'", "'DejaVu Sans', sans-serif")
    text = without_unused_ids(text)
    text = re.sub(r'(?:<use [^>]*?( style="[^"]*")/>\s*)(?:<use [^>]*?\1/>\s*)+', styled_once, text)
    text = re.sub(r"<[^>]+>", with_short_numbers, text)
    return re.sub(r"\s*\n\s*", "\n", text).strip() + "\n"


def without_style_sheet(svg: str) -> str:
    """An SVG whose styles are its own attributes: a sheet would reach out of it into a page."""
    text = re.sub(r"\s*<defs>\s*<style[^>]*>\*\{[^}]*\}</style>\s*</defs>", "", svg)
    return text.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)


def without_unused_ids(svg: str) -> str:
    """An SVG without the ids that nothing in it refers to."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    return re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", svg)


def styled_once(uses: re.Match[str]) -> str:
    """Marks of one style in a group that has it: half the length."""
    return f"<g{uses[1]}>{uses[0].replace(uses[1], '').strip()}</g>\n"


def with_short_numbers(tag: re.Match[str]) -> str:
    """A tag whose numbers have two decimals."""
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", tag[0])
