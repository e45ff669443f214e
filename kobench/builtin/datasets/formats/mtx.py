"""Folders with a matrix in text (Matrix Market), names of features and barcodes."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.hdf5 import first_line
from kobench.builtin.datasets.formats.packed import unpacking
from kobench.builtin.datasets.formats.source import LONGEST, Block, Source
from kobench.builtin.datasets.formats.stored import AT_ONCE
from kobench.builtin.datasets.formats.tenx import EXPRESSION, of_features
from kobench.errors import UserError
from kobench.util.bounded import open_plain

#: How the files are called, perhaps behind a prefix (`GSM123_matrix.mtx.gz`).
MATRIX, BARCODES, FEATURES = "matrix.mtx", "barcodes.tsv", ("features.tsv", "genes.tsv")

#: Lines of a list of names: more are no cells.
MOST_NAMES = 100_000_000

#: What a packed or cut text raises.
ERRORS = (OSError, EOFError, zlib.error, ValueError, OverflowError)


def find(folder: str, *names: str) -> list[str]:
    """Files of a folder that are called so, or so behind a prefix, packed or not."""
    endings = tuple(ending for name in names for ending in (name, f"{name}.gz"))
    with os.scandir(folder) as entries:
        return sorted(entry.path for entry in entries if entry.name.endswith(endings))


def read_mtx(folder: str) -> Source:
    """The cells of a folder with a matrix in text.

    Raises
    ------
    UserError
        Where a file is missing, there twice, or does not go with the others.
    """
    matrix = _one(folder, MATRIX)
    barcodes = [line[0] for line in _lines(folder, BARCODES)]
    features = list(_lines(folder, *FEATURES))
    columns = min(map(len, features), default=0)
    ids = np.array([line[0] for line in features], dtype=np.str_)
    names = ids if columns < 2 else np.array([line[1] for line in features], dtype=np.str_)
    kinds = np.array([line[2] for line in features], dtype=np.str_) if columns > 2 else None
    if kinds is not None and not (kinds == EXPRESSION).any() and len(set(kinds.tolist())) == 1:
        kinds = None  # some other word for all of them
    cells = np.array(barcodes, dtype=np.str_)
    stored = Entries(folder, matrix, len(cells), len(ids))
    return of_features(folder, cells, (ids, names, kinds), stored)


def _one(folder: str, *names: str) -> str:
    """The one file that is called so."""
    found = find(folder, *names)
    if len(found) == 1:
        return found[0]
    called = " or ".join(f"{name}[.gz]" for name in names)
    if not found:
        raise UserError(
            f"folder {folder} has no {called}; a matrix in text needs {MATRIX}, {BARCODES} and"
            f" {FEATURES[0]} in one folder"
        )
    there = ", ".join(os.path.basename(path) for path in found[:4])
    raise UserError(
        f"folder {folder} has {len(found)} files {called} ({there}), and one is read; give a folder"
        " with one of each"
    )


def _lines(folder: str, *names: str) -> Iterator[list[str]]:
    """The lines of a list of names, each in its columns."""
    path = _one(folder, *names)
    with _text(folder, path) as file:
        try:
            for number, line in enumerate(iter(lambda: file.readline(4 * LONGEST + 1), b""), 1):
                words = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if len(line) > 4 * LONGEST or number > MOST_NAMES:
                    raise ValueError(f"line {number:,} is too long, or one too many")
                if words.strip():  # R quotes what it writes
                    yield [_unquoted(word) for word in words.rstrip("\r\n").split("\t")]
        except ERRORS as error:
            raise UserError(
                f"{path} cannot be read ({first_line(error)}); copy or download it again"
            ) from error


def _unquoted(word: str) -> str:
    inner = word[1:-1]
    return inner if word == f'"{inner}"' and '"' not in inner else word


@contextmanager
def _text(folder: str, path: str) -> Iterator[IO[bytes]]:
    """A file of a folder, unpacked where it is gzip."""
    if os.path.islink(path):
        raise UserError(
            f"{folder}: {os.path.basename(path)} is a link, and kobench follows none; put the file"
            " itself there"
        )
    try:
        raw = open_plain(Path(path))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); bring it again") from error
    with raw:
        yield unpacking(raw)


class Entries:
    """A matrix in text, one entry a line: features x cells, or the other way round.

    Parameters
    ----------
    folder, path : str
        The folder, and the file in it.
    cells, features : int
        How many there are.
    """

    def __init__(self, folder: str, path: str, cells: int, features: int) -> None:
        self._folder, self._path, self.shape = folder, path, (cells, features)
        self.dense = False
        with self._opened() as (_, (rows, columns, _), kind):
            self.dtype = np.dtype(np.int64 if kind == "integer" else np.float64)
            self._cells_first = (rows, columns) == (cells, features) and cells != features
            if (rows, columns) not in ((features, cells), (cells, features)):
                raise UserError(
                    f"{path} is {rows:,} x {columns:,}, and the folder has {features:,} features"
                    f" and {cells:,} barcodes; bring the files that belong together"
                )

    @contextmanager
    def _opened(self) -> Iterator[tuple[IO[bytes], tuple[int, int, int], str]]:
        """The file where its entries start; how many rows, columns and entries; their kind."""
        with _text(self._folder, self._path) as file:
            try:
                said = file.readline(LONGEST).decode().lower().split()
                if said[:1] != ["%%matrixmarket"]:
                    raise ValueError(f"it starts with {' '.join(said)[:80]!r}")
                if said[1:3] != ["matrix", "coordinate"] or said[3:] not in (
                    ["integer", "general"],
                    ["real", "general"],
                ):
                    raise UserError(
                        f"{self._path} is of the kind {' '.join(said[1:])[:80]!r}, and 'matrix"
                        " coordinate integer general' (or real) is read; write it so"
                        " (scipy.io.mmwrite of a sparse matrix)"
                    )
                line = file.readline(LONGEST)
                while line.startswith(b"%") or (line and not line.strip()):
                    line = file.readline(LONGEST)
                rows, columns, entries = (int(word) for word in line.split())
            except ERRORS as error:
                raise self._faulty(error) from error
            yield file, (rows, columns, entries), said[3]

    def _parts(self) -> Iterator[Block]:
        """All entries, some at a time."""
        import pandas

        with self._opened() as (file, (_, _, entries), _):
            left = entries
            try:
                found = pandas.read_csv(
                    file,
                    sep=r"\s+",
                    header=None,
                    names=["row", "column", "value"],
                    dtype={"row": np.int64, "column": np.int64, "value": self.dtype},
                    comment="%",
                    chunksize=AT_ONCE,
                )
                for part in found:
                    first, second = part["row"].to_numpy() - 1, part["column"].to_numpy() - 1
                    cells, features = (first, second) if self._cells_first else (second, first)
                    self._check(cells, self.shape[0])
                    self._check(features, self.shape[1])
                    left -= len(part)
                    yield Block(cells, features, part["value"].to_numpy())
            except pandas.errors.EmptyDataError:
                pass
            except ERRORS as error:
                raise self._faulty(error) from error
            if left:
                why = f"it says {entries:,} entries and has {entries - left:,}"
                raise self._faulty(ValueError(why))

    def _check(self, places: npt.NDArray[np.int64], length: int) -> None:
        if len(places) and not 0 <= int(places.min()) <= int(places.max()) < length:
            raise ValueError("an entry lies outside the matrix")

    def _faulty(self, error: Exception) -> UserError:
        return UserError(
            f"{self._path} is damaged, or no matrix of whole or real numbers ({first_line(error)});"
            " copy or download it again"
        )

    def lengths(self) -> npt.NDArray[np.integer[Any]]:
        """(n,) how many entries each cell has."""
        found = np.zeros(self.shape[0], dtype=np.int64)
        for block in self._parts():
            found += np.bincount(block.rows, minlength=len(found))
        return found

    def blocks(self) -> Iterator[Block]:
        """All entries."""
        return self._parts()

    def values(self) -> Iterator[npt.NDArray[Any]]:
        """All values, in parts."""
        for block in self._parts():
            yield block.values
