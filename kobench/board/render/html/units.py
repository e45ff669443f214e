"""The table of single units as data, from which the page makes it when it is opened.

A board may have tens of thousands of such values, which nobody reads unless they look for one; as
a table they would be ten times as long, and a browser would have to lay all of them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from kobench.board.render.html.templates import in_script
from kobench.board.render.text.units import unit_table, unit_title
from kobench.board.table import Section


@dataclass(frozen=True)
class UnitData:
    """The units of a section.

    Attributes
    ----------
    key : str
        The id of the data.
    title : str
        What the table is of.
    count : int
        How many rows it has.
    data : Markup
        JSON that may stand in a script: heads, then columns. Numbers have six digits, true and
        false are yes and no.
    """

    key: str
    title: str
    count: int
    data: Markup


def units_of(section: Section, key: str) -> UnitData | None:
    """The units of a section, None where it has none."""
    if section.units is None:
        return None
    heads, rows = unit_table(section, section.units)
    columns = [[short(value) for value in column] for column in zip(*rows, strict=True)]
    title = unit_title(section, section.units)
    return UnitData(
        key, title[:1].upper() + title[1:], len(rows), in_script([heads, *map(typed, columns)])
    )


def short(value: Any) -> Any:
    """A value with the digits that the table shows: three that say something.

    >>> short(0.123456), short(0.00012345), short(True), short(7)
    (0.123, 0.000123, 'yes', 7)
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return value
    found = round(value, 3) if 0.1 <= abs(value) < 100 else float(f"{value:.3g}")
    return found + 0.0


def typed(column: Sequence[Any]) -> list[Any]:
    """A column with what kind of values it has before them: 0 texts, 1 whole numbers, 2 others.

    >>> typed(["a"]), typed([1, None]), typed([0.5, 1])
    ([0, 'a'], [1, 1, None], [2, 0.5, 1])
    """
    known = [value for value in column if value is not None]
    if any(isinstance(value, str) for value in known):
        return [0, *column]
    return [2 if any(isinstance(value, float) for value in known) else 1, *column]
