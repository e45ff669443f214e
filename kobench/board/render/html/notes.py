"""What datasets say of themselves: what all data of a name share stands once on the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kobench.board.board import Board
from kobench.board.render.text.section import notes_here
from kobench.board.table import Section


@dataclass(frozen=True)
class About:
    """What all data of a name share: the name, the anchor of these notes, and the notes."""

    name: str
    anchor: str
    notes: tuple[str, ...]


def shared_notes(sections: Iterable[Section]) -> dict[str, About]:
    """By the name of a dataset the notes that all sections of this name have."""
    found: dict[str, tuple[str, ...]] = {}
    for section in sections:
        known = found.get(section.dataset_name, section.dataset_notes)
        shared = tuple(note for note in known if note in section.dataset_notes)
        found[section.dataset_name] = shared
    return {
        name: About(name, f"d{i}", notes)
        for i, (name, notes) in enumerate(found.items(), 1)
        if notes
    }


def own_notes(board: Board, section: Section, shared: About | None) -> tuple[str, ...]:
    """The other notes of a dataset, below the first of its sections."""
    known = shared.notes if shared else ()
    return tuple(note for note in notes_here(board, section) if note not in known)
