"""A section's single units as plain text: which columns stand in their table, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kobench.board.sections.units import over_all
from kobench.board.table import Section, Units
from kobench.board.written import decimals_for, number


def unit_title(section: Section, units: Units) -> str:
    """What a table of single units is of.

    For instance `each perturbation, pearson-delta-centred[all] (network seed 0, one of 5)`.
    """
    what = unit_column(section, units)
    column = f", {what}" if what else ""
    network = f" ({units.of})" if units.of else ""
    return f"each {units.unit}{column}{network}"


def unit_column(section: Section, units: Units) -> str:
    """The predictors' column that such a table shows.

    Returns
    -------
    str
        The first metric of the section if the units have it, else "score", else "predicted", else
        any column; "" without one.
    """
    known = list(dict.fromkeys(column for own in units.answers.values() for column in own))
    first = [column.name.partition("[")[0] for column in section.leading[:1]]
    wanted = [*first, *map(over_all, first), "score", "predicted", *known]
    return next((column for column in wanted if column in known), "")


def unit_table(section: Section, units: Units) -> tuple[list[str], list[list[Any]]]:
    """The heads and rows of single units: what is known of each, then one column a predictor."""
    what = unit_column(section, units)
    columns: dict[str, Sequence[Any]] = {units.unit: units.names, **units.facts}
    columns |= {name: own[what] for name, own in units.answers.items() if what in own}
    return list(columns), [list(values) for values in zip(*columns.values(), strict=True)]


def unit_text(value: Any) -> str:
    """A value of such a table.

    >>> [unit_text(value) for value in (None, True, 0.12345, 0.00012345, 3, "Trem2")]
    ['-', 'yes', '0.123', '0.000123', '3', 'Trem2']
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value, decimals_for([value])) if isinstance(value, float) else str(value)
