"""How rows, metrics and networks are called in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from kobench.board.row import Column, Row
from kobench.board.table import Section
from kobench.board.written import spoken

#: How many rows a sentence names; the table below it has all.
NAMED = 12

#: Variants as they are spoken of; others by their own name.
OVER = {
    "all": "over all perturbations",
    "linked": "over linked sets of genes",
    "random": "over random sets of genes",
    "raw": "of raw impacts",
    "population": "over all cells",
}


def names(rows: Iterable[Row | str]) -> str:
    """The names of rows as in a sentence, a dozen at most.

    >>> names(["a", "b", "c"]), names(map(str, range(14)))
    ('a, b and c', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more')
    """
    named = [row if isinstance(row, str) else row.name for row in rows]
    more = len(named) - NAMED
    return spoken([*named[:NAMED], f"{more} more"] if more > 0 else named)


def closed(text: str) -> str:
    """A reason as a sentence.

    >>> closed("not ranked: fewer than 20 perturbations")
    'Not ranked: fewer than 20 perturbations.'
    """
    return text[:1].upper() + text[1:].rstrip(". ") + "."


def over(section: Section, column: Column) -> str:
    """What the variant of a metric covers, nothing where there is nothing to tell it from.

    Beside a metric over all perturbations, the same without a variant is over the detectable ones.
    """
    base, _, variant = column.name.partition("[")
    if variant:
        return OVER.get(variant.rstrip("]"), f"on {variant.rstrip(']')}")
    return (
        "over the detectable perturbations"
        if any(other.name == f"{base}[all]" for other in section.columns)
        else ""
    )


def called(section: Section, column: Column) -> str:
    """One of several primary metrics, by what tells it from the others."""
    base = column.name.partition("[")[0]
    if len({other.name.partition("[")[0] for other in section.primary}) > 1:
        return base
    return f"{base} {over(section, column)}".rstrip()


def on_networks(count: int) -> str:
    """How far a result from few networks reaches.

    >>> on_networks(1), on_networks(2)
    ('on this network', 'on these 2 networks')
    """
    return "on this network" if count == 1 else f"on these {count} networks"
