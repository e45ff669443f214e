"""The list of contents of the page: what it has of each task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kobench.board.render.html.glance import Glance
from kobench.board.render.html.growth import GrowthCard
from kobench.board.render.html.section import Card
from kobench.board.render.html.transfer import TransferCard

#: How many links to sections a task may have before they are folded away.
MANY = 30


@dataclass(frozen=True)
class Link:
    """A link to a part of the page; `dataset` is what the filters find it by, or ""."""

    anchor: str
    text: str
    dataset: str = ""


@dataclass(frozen=True)
class Entry:
    """The parts of a task: what is of several datasets, then its sections; many are folded away."""

    task: str
    over: tuple[Link, ...]
    sections: tuple[Link, ...]

    @property
    def folded(self) -> bool:
        """Whether there are too many sections to be read at once."""
        return len(self.sections) > MANY


def contents_of(
    transfers: Sequence[TransferCard],
    glances: Sequence[Glance],
    growths: Sequence[GrowthCard],
    cards: Sequence[Card],
) -> list[Entry]:
    """An entry a task, in the order of the page."""
    over = [
        *(
            (card.task, Link(card.anchor, f"between groups of {card.dataset}", card.dataset))
            for card in transfers
        ),
        *(
            (glance.task, Link(glance.anchor, f"at a glance, split {glance.split}"))
            for glance in glances
        ),
        *(
            (card.task, Link(card.anchor, "accuracy and cost by size", card.dataset))
            for card in growths
        ),
    ]
    sections = [(card.task, Link(card.anchor, card.place, card.dataset)) for card in cards]
    return [
        Entry(
            task,
            tuple(link for of, link in over if of == task),
            tuple(link for of, link in sections if of == task),
        )
        for task in dict.fromkeys(task for task, _ in [*over, *sections])
    ]
