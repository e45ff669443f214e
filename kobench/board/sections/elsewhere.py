"""Rows that come from another folder or board: their costs are of another machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kobench.board.numbers.values import Key
from kobench.board.table import Section
from kobench.board.words import ELSEWHERE


def with_marks(
    sections: Iterable[Section], rows: Collection[Key], names: Mapping[Key, str]
) -> tuple[list[Section], tuple[str, ...]]:
    """Sections in which costs of other machines are marked, and the remark that explains it.

    Parameters
    ----------
    sections : iterable of Section
        The sections.
    rows : collection of Key
        The rows that were run elsewhere.
    names : mapping of Key to str
        What rows are called.
    """
    marked = {names[key] for key in rows if key in names}
    done = [
        replace(
            section,
            rows=tuple(
                replace(row, cost=replace(row.cost, elsewhere=True))
                if row.name in marked and row.cost is not None
                else row
                for row in section.rows
            ),
        )
        for section in sections
    ]
    if not any(row.cost and row.cost.elsewhere for section in done for row in section.rows):
        return done, ()
    return done, (
        f"{ELSEWHERE} was measured on another machine: such costs can't be compared with the"
        " others.",
    )
