"""Cards that would put a file where another card has its own: the data folder is one for all."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from kobench.datasets.fetch import obs_file
from kobench.datasets.right import identity
from kobench.specs import DatasetSpec


def taken(specs: Mapping[str, DatasetSpec]) -> dict[str, str]:
    """The datasets whose file would take the place of another one's.

    A card may come from anyone, and what it has got would lie in the way of the other's file from
    then on. Of two that get a file the second is named; one that gets a file, where another's is
    brought by hand, is named in whatever order they come. Two of the same file have one place.

    Parameters
    ----------
    specs : mapping of str to DatasetSpec
        The datasets of cards by name, in the order of their cards.

    Returns
    -------
    dict of str to str
        The name of each such dataset, and a sentence that names both cards.
    """
    cards = [spec.card for spec in specs.values() if spec.card.get("file")]
    order = {str(card["name"]): number for number, card in enumerate(cards)}
    at: dict[str, list[Mapping[str, Any]]] = {}
    below: dict[str, list[Mapping[str, Any]]] = {}
    for file in (each for card in cards for each in _files(card)):
        for place in _places(file):
            at.setdefault(place, []).append(file)
            for folder in _folders(place):
                below.setdefault(folder, []).append(file)
    found: dict[str, str] = {}
    for card in filter(_gets, cards):
        target, *others = _places(card)
        near = [*at[target], *below.get(target, ())]
        near += [file for folder in _folders(target) for file in at.get(folder, ())]
        near += [file for place in others for file in at[place] if _places(file)[0] == place]
        for other in near:
            first = order[str(other["name"])] < order[str(card["name"])] or not _gets(other)
            if other["name"] != card["name"] and first and identity(other) != identity(card):
                found.setdefault(str(card["name"]), _said(card, other))
    return found


def _files(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A card, and what stands for the table beside its file."""
    return [card, obs_file(card)] if card.get("obs_file") else [card]


def _gets(card: Mapping[str, Any]) -> bool:
    """Whether kobench gets the file of a card, and so puts it into the data folder."""
    file = card["file"]
    return bool(card.get("sources") or file.get("url")) and not file.get("package")


def _places(card: Mapping[str, Any]) -> list[str]:
    """Where the file of a card is looked for in the data folder, its own place first.

    Written alike for file systems that do not tell large from small letters.
    """
    file = card["file"]
    if file.get("package"):
        return []
    name = str(file["name"])
    inside = dict.fromkeys((str(PurePosixPath(file.get("folder", ""), name)), name))
    return [unicodedata.normalize("NFC", place).casefold() for place in inside]


def _folders(place: str) -> list[str]:
    """The folders that a place lies in, without the data folder itself."""
    return list(map(str, PurePosixPath(place).parents))[:-1]


def _said(card: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    place = PurePosixPath(card["file"].get("folder", ""), card["file"]["name"])
    theirs = PurePosixPath(other["file"].get("folder", ""), other["file"]["name"])
    return (
        f"card {card['card']} (dataset {card['name']!r}, not used) would put its file into the data"
        f" folder as {place}, in the way of another file that card {other['card']} (dataset"
        f" {other['name']!r}) has as {theirs}; give it another folder in its table [file]"
    )
