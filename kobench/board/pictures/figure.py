"""What every picture starts from: matplotlib found or asked for, panels, titles and labels."""

from __future__ import annotations

import textwrap
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kobench.board.row import Column
from kobench.board.table import Section
from kobench.errors import UserError
from kobench.util.text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Points in an inch, and how wide a letter is, as a share of the size of its font.
POINTS, LETTER = 72, 0.6


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


def panels(
    count: int, columns: int, width: float = 3.6, height: float = 2.8, **more: Any
) -> tuple[Figure, list[Axes]]:
    """A figure with panels in rows; the places left over are empty.

    Parameters
    ----------
    count : int
        How many panels.
    columns : int
        The largest number of panels in a row.
    width, height : float
        The size of a panel in inches.
    **more
        For `Figure.subplots`.

    Returns
    -------
    figure : Figure
        The figure.
    axes : list of Axes
        Its panels, row by row.
    """
    from matplotlib.figure import Figure

    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.5))
    axes = list(figure.subplots(rows, columns, squeeze=False, **more).ravel())
    for empty in axes[count:]:
        empty.remove()
    return figure, axes[:count]


def headed(figure: Figure, text: str, size: float = 10.0) -> None:
    """Give a figure a title over all panels, in lines that fit its width; size in points."""
    inches = figure.get_size_inches()[0]
    letters = max(20, int(inches * POINTS / (LETTER * size)))
    figure.suptitle("\n".join(textwrap.wrap(text, letters)), fontsize=size)


def fitted(inches: float, *texts: str, size: float = 9.0) -> str:
    r"""Texts below each other, each in lines of so many inches; size of the font in points.

    >>> fitted(1.0, "two words", "a-very-long-name")
    'two words\na-very-long-\nname'
    """
    letters = max(8, int(inches * POINTS / (LETTER * size)))
    return "\n".join(line for text in texts for line in textwrap.wrap(text, letters))


def wide(text: str, size: float = 9.0) -> float:
    """About how wide a text is, in inches; size of its font in points."""
    return len(text) * LETTER * size / POINTS


def counted(section: Section) -> str:
    """How much a panel's numbers stand on: `5 networks`, `1 network`, `140 cells`."""
    if section.kind == "simulated":
        return f"{section.blocks} network{'' if section.blocks == 1 else 's'}"
    return section.label.partition(";")[0]


def metric_label(column: Column, skilled: bool = False) -> str:
    """What an axis shows: skill, or the metric with the better end."""
    if skilled:
        return f"skill by {column.name}\n(0: best floor, 1: truth)"
    return f"score: {column.name}\n({column.direction} is better)"


def short(text: str, limit: int = 34) -> str:
    """A name that fits a panel.

    >>> short("abcdef", 4)
    'abc…'
    """
    return shortened(text, limit)
