"""Looks through what predictors may read for copies of datasets and for results of other runs."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from kobench.results.suite_seed import SEED, SIZE, SuiteSeed
from kobench.results.versions import FILE, OLDER
from kobench.sandbox.hiding import lies_in
from kobench.util.bounded import read_bounded
from kobench.util.files import PIECE, sha256_of

#: Folders of a results folder, and how the files in them are named.
RESULTS = {
    "records": re.compile(r"[0-9a-f]{24}\.json"),
    "answers": re.compile(r"[0-9a-f]{64}\.npz"),
    OLDER: FILE,
}

#: The file of records that were packed for publishing.
PACKED = "records.jsonl.gz"

#: Digits that may be a secret seed, and bytes of a file in which they are looked for.
DIGITS, MOST_SAYING = re.compile(rb"(?<![0-9a-f])[0-9a-f]{%d}(?![0-9a-f])" % (2 * SIZE)), 1 << 22

#: How the name of a compressed file ends.
ZIPPED = ".gz"


def search(
    files: Sequence[Path],
    installed: Sequence[str],
    given: Sequence[str],
    promised: Collection[str] = (),
) -> list[Path]:
    """Copies of files, and results of runs, in what predictors may read.

    Parameters
    ----------
    files : sequence of Path
        The files of datasets.
    installed : sequence of str
        Real paths of what belongs to interpreters and to the system. A copy is found there under
        any name that ends as the original's. Without files nothing is looked for there.
    given : sequence of str
        Real paths of what the user or a plugin brought. A copy is found there under any name.
    promised : collection of str
        Commitments to the run's own secret seeds, which are found there under any name, too.

    Returns
    -------
    list of Path
        Copies of the files, compressed by gzip or not, and hard links; packed records, secret
        seeds, and folders with records or answers.
    """
    originals = Originals(files)
    found: set[str] = set()
    for places, endings in ((given, ("",)), (installed if files else (), originals.endings)):
        for path in walk(places, endings, originals.inodes):
            if originals.has_copy(path) or is_result(path) or is_seed(path, promised):
                found.add(path)
    return [Path(path) for path in sorted(found)]


def walk(places: Sequence[str], endings: tuple[str, ...], inodes: set[int]) -> Iterator[str]:
    """Files whose name has one of these endings or that may be a second name, and packed records.

    Folders named as those in a results folder are given themselves, too. No link is followed.
    """
    tops = [
        place
        for place in places
        if not any(lies_in(place, other) and place != other for other in places)
    ]
    waiting = list(dict.fromkeys(tops))
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                        if entry.name in RESULTS:
                            yield entry.path
                    elif (
                        entry.name.endswith(endings)
                        or entry.name in (PACKED, SEED)
                        or (inodes and entry.inode() in inodes)
                    ) and entry.is_file(follow_symlinks=False):
                        yield entry.path
        except NotADirectoryError:
            yield folder
        except OSError:
            continue


def is_result(path: str) -> bool:
    """Whether these are packed records, a seed, or a folder with records or answers of a run."""
    name = os.path.basename(path)
    if name not in RESULTS:
        return name in (PACKED, SEED)
    try:
        # those of older versions lie in a folder for each
        inside = (
            [os.path.join(path, each) for each in os.listdir(path)] if name == OLDER else [path]
        )
        return any(
            RESULTS[name].fullmatch(each)
            for folder in inside
            if os.path.isdir(folder)
            for each in os.listdir(folder)
        )
    except OSError:
        return False


def is_seed(path: str, promised: Collection[str]) -> bool:
    """Whether a file of a few MB says a seed that was committed to, as boards do at the end."""
    try:
        if not promised or os.stat(path).st_size > MOST_SAYING:
            return False
        text = read_bounded(Path(path), MOST_SAYING).lower()
    except (OSError, ValueError):
        return False
    return any(SuiteSeed(one.decode()).commitment in promised for one in set(DIGITS.findall(text)))


class Originals:
    """The files whose copies are looked for.

    Attributes
    ----------
    endings : tuple of str
        How names of copies end.
    inodes : set of int
        The inodes of files that have a second name.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.inodes: set[int] = set()
        endings: set[str] = set()
        self._sizes: dict[int, list[str]] = {}
        self._hashes: dict[tuple[str, int], str | None] = {}
        for file in dict.fromkeys(map(str, files)):
            with contextlib.suppress(OSError):
                status = os.stat(file)
                for size in sizes_of(file):
                    self._sizes.setdefault(size, []).append(file)
                ending = os.path.splitext(file.removesuffix(ZIPPED))[1]
                endings |= {ending, ending + ZIPPED} if ending else set()
                if status.st_nlink > 1:
                    self.inodes.add(status.st_ino)
        self.endings = tuple(sorted(endings))

    def has_copy(self, path: str) -> bool:
        """Whether a file has the content of one of these, or is one of them by a second name."""
        try:
            return any(
                os.path.samefile(path, file) or self._same(path, file, size)
                for size in sizes_of(path)
                for file in self._sizes.get(size, ())
            )
        except OSError:
            return False

    def _same(self, path: str, file: str, size: int) -> bool:
        """Whether two files have the same content of this size, as they are or unpacked."""
        found = self._hash(path, size)
        return found is not None and found == self._hash(file, size)

    def _hash(self, path: str, size: int) -> str | None:
        """Hash of a file's content of this size, as it is or unpacked; None where it has none."""
        if (path, size) not in self._hashes:
            plain = os.stat(path).st_size == size
            self._hashes[path, size] = sha256_of(Path(path)) if plain else unpacked(path, size)
        return self._hashes[path, size]


def sizes_of(path: str) -> list[int]:
    """The size of a file, and what a compressed one says of the size of its content.

    Raises
    ------
    OSError
        Where it can't be read.
    """
    size = os.stat(path).st_size
    if not path.endswith(ZIPPED) or size < 18:
        return [size] if size else []  # an empty file is no copy
    with open(path, "rb") as file:
        file.seek(-4, os.SEEK_END)
        return list(dict.fromkeys([size, int.from_bytes(file.read(4), "little")]))


def unpacked(path: str, size: int) -> str | None:
    """Hash of a gzip file's content; None where it can't be unpacked or has another size."""
    total, left = hashlib.sha256(), size
    try:
        with gzip.open(path, "rb") as file:
            while piece := file.read(PIECE):
                left -= len(piece)
                if left < 0:
                    return None
                total.update(piece)
    except (OSError, EOFError, zlib.error):
        return None
    return None if left else total.hexdigest()
