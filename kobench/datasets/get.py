"""`kobench datasets get`: from the sources that a card names to the file that a run reads."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kobench.datasets.distribution import get_distribution
from kobench.datasets.download import Patience, download, move, one_at_a_time
from kobench.datasets.fetch import find_file, find_whole, places, target_of, working_folder
from kobench.datasets.made import made_of
from kobench.datasets.recipes.common import MissingPackageError
from kobench.datasets.right import check_file_is_right, matches
from kobench.datasets.sources import (
    Checksum,
    Distribution,
    Source,
    WebFile,
    fault_of_url,
    read_sources,
)
from kobench.errors import UserError

#: Told what is got (or made, with 0 bytes), how many bytes are here, and how many are expected
#: (0: not known).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wanted:
    """A dataset that is to be here.

    Attributes
    ----------
    name : str
        Of the dataset.
    card : mapping
        `DatasetSpec.card`; empty where the dataset has no file.
    here : Path or None
        Its file, where that is here and right.
    problem : str
        Why nothing can be done about a file that is missing or wrong; "" where it can be got.
    sources : tuple of Source
        What is to be got.
    """

    name: str
    card: Mapping[str, Any]
    here: Path | None = None
    problem: str = ""
    sources: tuple[Source, ...] = ()

    @property
    def size(self) -> int | None:
        """Bytes to be got; None where the card does not say how many."""
        sizes = [source.size for source in self.sources]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def folder(self) -> Path:
        """Where its sources are put until the file is made."""
        return working_folder() / f"{self.name}-{self.sources[0].checksum.value[:12]}"

    @property
    def come_from(self) -> str:
        """Where the sources come from, in words."""
        found = []
        for source in self.sources:
            if isinstance(source, Distribution):
                found.append(f"pip's index ({source.name} {source.version})")
            else:
                found.append(f"the web ({urlsplit(source.urls[0]).hostname})")
        return ", ".join(dict.fromkeys(found))

    @property
    def needs_web(self) -> bool:
        """Whether a source lies on the web, and not in the index of pip."""
        return any(isinstance(source, WebFile) for source in self.sources)


def wanted(name: str, card: Mapping[str, Any]) -> Wanted:
    """What is to be done for one dataset; nothing is downloaded.

    Parameters
    ----------
    name : str
        Name of the dataset.
    card : mapping
        Its card; empty where it has none.
    """
    if not card.get("file"):
        return Wanted(name, {})
    try:
        return Wanted(name, card, here=find_whole(card))
    except UserError as error:
        sources = sources_of(card)
        try:
            wrong = any(os.path.lexists(place) for place in places(card))
        except UserError:  # its package is not installed
            wrong = False
        if sources and not wrong:  # the table beside it, if it is missing, is told afterwards
            return Wanted(name, card, sources=sources)
        return Wanted(name, card, problem=str(error))


def sources_of(card: Mapping[str, Any]) -> tuple[Source, ...]:
    """The sources of a card; a url in [file] is one, too."""
    file = card["file"]
    if file.get("url") and file.get("sha256") and not file.get("package"):
        checksum = Checksum("sha256", file["sha256"].lower())
        return (WebFile(file["name"], (file["url"],), checksum, file.get("bytes")),)
    return read_sources(card, f"card {card['name']!r}")


def mirrored(url: str, mirror: str) -> str:
    """Where a mirror has what lies at an address: HOST/PATH below its own, without a query.

    Parameters
    ----------
    url : str
        The address.
    mirror : str
        Address of the mirror; "" for none.

    Examples
    --------
    >>> mirrored("https://zenodo.org/records/1/files/a.h5ad?download=1", "http://mirror.local/kb/")
    'http://mirror.local/kb/zenodo.org/records/1/files/a.h5ad'
    """
    if not mirror:
        return url
    parts = urlsplit(url)
    return f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"


def check_mirror(mirror: str) -> None:
    """UserError where a mirror's address is none that files lie below."""
    fault = fault_of_url(mirror) if mirror else ""
    if not fault and ("?" in mirror or "#" in mirror):
        fault = "has a query or a fragment"
    if fault:
        raise UserError(
            f"--mirror (or KOBENCH_MIRROR) is {mirror!r}, which {fault}; give the address below"
            " which it has HOST/PATH of each file, as 'https://mirror.example.org/kobench'"
        )


def bring(
    want: Wanted,
    mirror: str = "",
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> Path:
    """Get the sources of a dataset, make its file, check it and put it into its place.

    Parameters
    ----------
    want : Wanted
        With sources.
    mirror : str
        Address that stands in place of those of the web; "" for none.
    progress : Progress, or None
        Told how far it is.
    patience : Patience, or None for the usual one
        How long a server is waited for.

    Raises
    ------
    UserError
        Where a source can't be got, or what is made of them is not what the card says.
    """
    card, target = want.card, target_of(want.card)
    folder = want.folder
    try:
        working_folder().mkdir(parents=True, exist_ok=True)
        with one_at_a_time(working_folder() / f"{folder.name}.lock", want.name):
            if target.is_file():  # another process has brought it at this moment
                return find_file(card)
            folder.mkdir(exist_ok=True)
            try:
                files = _sources(want, folder, mirror, progress, patience)
                file = _right_file(want, files, folder, progress)
                target.parent.mkdir(parents=True, exist_ok=True)
                move(file, target)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                with contextlib.suppress(OSError):  # what was begun stays for the next call
                    folder.rmdir()
    except OSError as error:
        raise UserError(
            f"dataset {want.name!r}: {error.filename or folder} cannot be written"
            f" ({error.strerror or error}); make room, or set KOBENCH_DATA to a folder that you may"
            " write to"
        ) from error
    return target


def _right_file(
    want: Wanted, files: Mapping[str, Path], folder: Path, progress: Progress | None
) -> Path:
    """What the sources are, or are made into; UserError where that is not what the card says."""
    card = want.card
    try:
        if "recipe" not in card:
            (file,) = files.values()
        else:
            if progress is not None:
                progress(f"{card['file']['name']} (made of its sources)", 0, 0)
            file = made_of(card, files, folder)
        remedy = "tell who wrote the card"
        check_file_is_right(card, file, f"what was got for dataset {want.name!r}", remedy)
    except MissingPackageError as error:  # the sources are of use once it is there
        raise UserError(f"dataset {want.name!r}: {error}") from None
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)  # a next call begins anew
        raise
    return file


def _sources(
    want: Wanted,
    folder: Path,
    mirror: str,
    progress: Progress | None,
    patience: Patience | None,
) -> dict[str, Path]:
    """The files of all sources by name, got into a folder."""
    files: dict[str, Path] = {}
    for source in want.sources:
        if isinstance(source, Distribution):
            what = f"{source.name} {source.version}"
            files |= get_distribution(source, folder, want.name, _told(progress, what))
        else:
            place = folder / source.name
            if place.is_file() and not matches(place, source.checksum):
                # it may be a user's own, put there as a message says
                raise UserError(
                    f"dataset {want.name!r}: {place} is there, and is not the file that its card"
                    f" expects ({source.checksum.algorithm} {source.checksum.value}); move it away"
                    " and call this again"
                )
            files[source.name] = download(
                [mirrored(url, mirror) for url in source.urls],
                place,
                source.checksum,
                want.name,
                patience,
                _told(progress, source.name),
                source.size,
                instead=f"put a copy of the file there and call this again: {place}",
            )
    return files


def _told(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    """What is told of one file alone."""
    if progress is None:
        return None
    return lambda done, total: progress(what, done, total)


def names_in(suites: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the datasets that suites ask, without their parameters."""
    found: dict[str, None] = {}
    for suite in suites:
        asked = suite.get("datasets", ())
        found |= dict.fromkeys(text.partition(":")[0] for text in asked)
    return list(found)
