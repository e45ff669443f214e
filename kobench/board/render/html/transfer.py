"""Transfer matrices as cards of the page, with coloured tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kobench.board.render.text.transfer import (
    by_dataset,
    drop_with_ends,
    ends,
    floor_title,
    interval_line,
    legend_of,
    sentence_of,
    share_text,
    summary_head,
    summary_rows,
)
from kobench.board.transfer import TransferCell, TransferMatrix
from kobench.board.written import number


@dataclass(frozen=True)
class Pair:
    """A coloured cell.

    Attributes
    ----------
    text : str
        Mark and number, or why there is none.
    small : tuple of str
        The interval and the drop.
    tint : str
        How strongly it is coloured, in percent of the colour; "" for not at all.
    above : bool
        Whether anything is explained.
    own : bool
        Whether the model was trained on the asked group itself.
    missing : bool
        Whether there is no number.
    """

    text: str
    small: tuple[str, ...] = ()
    tint: str = ""
    above: bool = True
    own: bool = False
    missing: bool = False


@dataclass(frozen=True)
class Pairs:
    """A table of groups trained on and groups asked, with its title."""

    title: str
    groups: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Pair, ...]], ...]


@dataclass(frozen=True)
class TransferCard:
    """A card: `head` and `summary` are the table of means."""

    anchor: str
    dataset: str
    task: str
    title: str
    subtitle: str
    sentence: str
    legend: str
    head: tuple[str, ...]
    summary: tuple[tuple[str, ...], ...]
    tables: tuple[Pairs, ...]
    floors: Pairs
    intervals: str


def transfer_cards(matrices: Sequence[TransferMatrix]) -> list[TransferCard]:
    """A card a dataset."""
    return [transfer_card(group, f"t{i}") for i, group in enumerate(by_dataset(matrices), 1)]


def transfer_card(group: Sequence[TransferMatrix], anchor: str) -> TransferCard:
    """Sentence, summary, a coloured table of each predictor, the floor's scores."""
    first = group[0]
    return TransferCard(
        anchor=anchor,
        dataset=first.dataset,
        task=first.task,
        title=f"{first.task} between {first.noun}s",
        subtitle=f"{first.dataset} (version {first.dataset_version}), split {first.split}",
        sentence=sentence_of(group),
        legend=legend_of(first),
        head=tuple(summary_head(first)),
        summary=tuple(map(tuple, summary_rows(group))),
        tables=tuple(map(pairs_of, group)),
        floors=floors_of(first),
        intervals=f"{interval_line(first)}.",
    )


def pairs_of(matrix: TransferMatrix) -> Pairs:
    """What a predictor explains of every group, and the drop."""
    rows = [
        (name, tuple(pair_of(matrix, cell, a == b) for b, cell in enumerate(cells)))
        for a, (name, cells) in enumerate(zip(matrix.groups, matrix.cells, strict=True))
    ]
    return Pairs(f"{matrix.predictor}: skill, and the loss", matrix.groups, tuple(rows))


def floors_of(matrix: TransferMatrix) -> Pairs:
    """The scores of the floor itself."""
    rows = [
        (name, tuple(Pair(number(value)) for value in values))
        for name, values in zip(matrix.groups, matrix.floors, strict=True)
    ]
    return Pairs(floor_title(matrix), matrix.groups, tuple(rows))


def pair_of(matrix: TransferMatrix, cell: TransferCell, own: bool) -> Pair:
    """One coloured cell: mark and number, the interval and the drop in small print."""
    if cell.explained is None:
        return Pair(cell.missing, own=own, missing=True)
    share = cell.explained.value
    small = tuple(text for text in (ends(cell.explained), drop_with_ends(cell)) if text)
    tint = f"{min(45.0, 90 * abs(share)):.0f}"
    return Pair(share_text(matrix, cell, own), small, tint, share > 0, own)
