"""What no plugin may read wherever it lies: files of datasets, and what kobench keeps for itself.

It is hidden already from the child that describes a plugin. What that child says outlives it, so it
could hand on what it has read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kobench.datasets.cards import card_folders
from kobench.datasets.fetch import data_folder, is_there, obs_file, places
from kobench.errors import UserError
from kobench.plugins.cache import cache_folder
from kobench.plugins.sources import Source
from kobench.sandbox.hiding import lies_in
from kobench.sandbox.places import Interpreter, readable_by, this_interpreter
from kobench.util.bounded import read_toml

#: What a card says of where its file is.
WHERE = ("name", "folder", "path", "package")

#: Where packages lie below the prefix of an installation.
PACKAGES = ("lib*/python*/site-packages", "lib*/python*/dist-packages")


def own_folders() -> tuple[Path, ...]:
    """The folders in which kobench keeps datasets, and what it remembers."""
    from platformdirs import user_cache_path

    return data_folder(), cache_folder(), user_cache_path("kobench")


def known_files(
    interpreter: Interpreter | None, folders: Iterable[str | os.PathLike[str]] = ()
) -> tuple[Path, ...]:
    """The files of all cards that are there, those in an interpreter's own packages among them.

    Parameters
    ----------
    interpreter : Interpreter or None
        Who is to read none of them; None for kobench's own.
    folders : iterable of path
        Folders of cards beside the usual ones.
    """
    cards = list(cards_in(card_folders(folders)))
    reads = (interpreter or this_interpreter()).read
    return tuple(dict.fromkeys(place for card in cards for place in files_of_card(card, reads)))


def cards_in(folders: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The cards in folders, whether or not a dataset can be made of them; each with its path."""
    for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
        with contextlib.suppress(OSError, ValueError):
            card = read_toml(path)
            files = [card.pop(key, None) for key in ("file", "obs_file")]
            for file in files:
                if (
                    isinstance(file, dict)
                    and "name" in file
                    and all(map(_is_text, map(file.get, WHERE)))
                ):
                    yield {"name": path.stem, **card, "file": file, "card": str(path)}


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def files_of_card(card: Mapping[str, Any], reads: Sequence[Path]) -> Iterator[Path]:
    """Where the file of a card lies, also in packages of other interpreters.

    Parameters
    ----------
    card : mapping
        `DatasetSpec.card`.
    reads : sequence of Path
        Prefixes of installations and folders of packages.
    """
    file = card.get("file")
    if not file:
        return
    if card.get("obs_file"):
        yield from files_of_card(obs_file(card), reads)
    # its package may be missing here, and be in another interpreter
    with contextlib.suppress(UserError):
        for place in (place for place in places(card) if is_there(place)):
            yield from files_in(place)
    if package := file.get("package"):
        inside = f"{package}/{Path(file.get('folder', '')) / file['name']}"
        for folder in (*reads, Path("/usr"), Path("/usr/local")):
            found = [folder, *(each for way in PACKAGES for each in folder.glob(way))]
            for each in (each / inside for each in found if is_there(each / inside)):
                yield from files_in(each)


#: What is no larger, in bytes, lies in many folders by chance, as the notes of zarr do.
COMMON = 256


def files_in(place: Path) -> Iterator[Path]:
    """A file or folder of a dataset, and all that lies in a folder: copies of it tell, too.

    Links are not followed.
    """
    yield place
    if place.is_dir():
        for folder, _, names in os.walk(place):
            for path in (Path(folder, name) for name in names):
                with contextlib.suppress(OSError):
                    if not path.is_symlink() and path.stat().st_size > COMMON:
                        yield path


def kept_from(
    interpreter: Interpreter | None, folders: Iterable[str | os.PathLike[str]] = ()
) -> tuple[Path, ...]:
    """All that is hidden from whoever runs in an interpreter; takes what `known_files` does."""
    return (*own_folders(), *known_files(interpreter, folders))


class HiddenFromPlugins:
    """What is hidden from the children that describe plugins.

    Parameters
    ----------
    folders : iterable of path
        Folders of cards beside the usual ones.
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]] = ()) -> None:
        self.folders = tuple(folders)
        self._known: dict[Interpreter | None, tuple[tuple[Path, ...], list[str]]] = {}

    def of(self, source: Source) -> tuple[Path, ...]:
        """What is hidden from a source; nothing from kobench itself."""
        return () if source.is_own else (*self._of(source.interpreter)[0], *source.caches)

    def _of(self, interpreter: Interpreter | None) -> tuple[tuple[Path, ...], list[str]]:
        """What is hidden from an interpreter's plugins, and what they may read, as real paths."""
        if interpreter not in self._known:
            reads = readable_by(interpreter or this_interpreter())
            hidden = kept_from(interpreter, self.folders)
            self._known[interpreter] = hidden, [os.path.realpath(read) for read in reads]
        return self._known[interpreter]

    def shown_to(self, source: Source) -> list[str]:
        """What of that a source could read otherwise, as real paths."""
        if source.is_own:
            return []
        hidden, reads = self._of(source.interpreter)
        every = [*reads, *(os.path.realpath(root) for root in source.roots.values())]
        reals = sorted({os.path.realpath(place) for place in hidden})
        return [place for place in reals if any(lies_in(place, read) for read in every)]
