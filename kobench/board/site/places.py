"""Where things stand on a site: addresses that follow from names alone, so that they stay."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kobench.board.board import Board
from kobench.board.pictures.plan import plain
from kobench.board.row import Row
from kobench.board.table import Section

#: Letters of a hash that tell names apart which have the same letters and digits.
DIGITS = 8


def slug(name: str) -> str:
    """A name as an address has it, the same for one name on every site.

    >>> slug("mlp"), slug("grn:genes=500")
    ('mlp', 'grn-genes-500-b140cd04')
    """
    short = plain(name)[:80]
    if short == name and short == short.lower() and short != "index":
        return name
    return f"{short.lower()}-{hashlib.sha256(name.encode()).hexdigest()[:DIGITS]}".lstrip("-")


@dataclass(frozen=True)
class Place:
    """A section of a board, and where its page is.

    Attributes
    ----------
    board : str
        The name of the board.
    section : Section
        The section.
    """

    board: str
    section: Section

    @property
    def name(self) -> str:
        """What its page is called in the folder of the board."""
        one = self.section
        label = " ".join(filter(None, (one.task, one.dataset, one.split, one.train)))
        return f"{slug(label)}.html"

    @property
    def path(self) -> str:
        """Its page."""
        return f"board/{slug(self.board)}/{self.name}"

    @property
    def data(self) -> tuple[str, ...]:
        """What two sections have in common that ask the same of the same data."""
        one = self.section
        return one.task, one.dataset, one.split, one.train


def places_of(boards: Mapping[str, Board]) -> list[Place]:
    """Every section of every board."""
    return [Place(name, section) for name, board in boards.items() for section in board.sections]


def page(kind: str, name: str) -> str:
    """The page of a method, floor, dataset, task or metric."""
    return f"{kind}/{slug(name)}.html"


def by(places: Iterable[Place], key: Callable[[Place], Iterable[str]]) -> dict[str, list[Place]]:
    """The places of each name that `key` gives, the names in alphabetical order."""
    found: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        for name in dict.fromkeys(key(place)):
            found[name].append(place)
    return dict(sorted(found.items()))


def rows_of(place: Place, role: str) -> list[Row]:
    """The rows of a section that are predictors, or floors."""
    return [row for row in place.section.rows if row.role == role]
