"""Folders with a matrix in text (Matrix Market), names of features and barcodes."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.bounds import FEW, check_texts
from kobench.builtin.datasets.formats.hdf5 import first_line
from kobench.builtin.datasets.formats.packed import unpacking
from kobench.builtin.datasets.formats.source import LONGEST, Block, Source
from kobench.builtin.datasets.formats.stored import AT_ONCE
from kobench.builtin.datasets.formats.tenx import EXPRESSION, of_features
from kobench.errors import UserError
from kobench.util.bounded import open_plain, size_text

#: How the files are called, perhaps behind a prefix (`GSM123_matrix.mtx.gz`).
MATRIX, BARCODES, FEATURES = "matrix.mtx", "barcodes.tsv", ("features.tsv", "genes.tsv")

#: Columns of a list of names that are read.
READ = 3

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
    files = (matrix, _one(folder, BARCODES), _one(folder, *FEATURES))
    size = sum(os.lstat(file).st_size for file in files)
    most = _most_names(folder, matrix, size)
    barcodes = [line[0] for line in _lines(folder, most, BARCODES)]
    features = list(_lines(folder, most, *FEATURES))
    longest = max(map(len, chain.from_iterable(features)), default=0)
    check_texts(folder, "features", len(features), longest, size)
    check_texts(folder, "barcodes", len(barcodes), max(map(len, barcodes), default=0), size)
    columns = min(map(len, features), default=0)
    ids = np.array([line[0] for line in features], dtype=np.str_)
    names = ids if columns < 2 else np.array([line[1] for line in features], dtype=np.str_)
    kinds = np.array([line[2] for line in features], dtype=np.str_) if columns > 2 else None
    if kinds is not None and not (kinds == EXPRESSION).any() and len(set(kinds.tolist())) == 1:
        kinds = None  # some other word for all of them
    cells = np.array(barcodes, dtype=np.str_)
    stored = Entries(folder, matrix, (len(cells), len(ids)), size)
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


def _most_names(folder: str, matrix: str, size: int) -> int:
    """How many names a list may hold, by what the matrix says of its rows and columns."""
    with _entries(folder, matrix) as (_, (rows, columns, _), _):
        if max(rows, columns) > max(size, FEW):
            raise UserError(
                f"{matrix} says that it is {rows:,} x {columns:,}, and a folder of"
                f" {size_text(size)} can't name so many cells and genes; copy or download it again"
            )
        return max(rows, columns) + FEW


def _lines(folder: str, most: int, *names: str) -> Iterator[list[str]]:
    """The lines of a list of names, each in its first columns."""
    path = _one(folder, *names)
    with _text(folder, path) as file:
        try:
            for number, line in enumerate(iter(lambda: file.readline(4 * LONGEST + 1), b""), 1):
                words = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if len(line) > 4 * LONGEST:
                    raise ValueError(f"line {number:,} is too long")
                if number > most:
                    raise UserError(
                        f"{path} has more than {most:,} lines, and the matrix beside it is much"
                        " smaller; bring the files that belong together"
                    )
                if words.strip():  # R quotes what it writes
                    inner = words.rstrip("\r\n").split("\t", READ)
                    yield [_unquoted(word) for word in inner[:READ]]
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
        yield unpacking(raw, path)


@contextmanager
def _entries(folder: str, path: str) -> Iterator[tuple[IO[bytes], tuple[int, int, int], str]]:
    """A matrix in text where its entries start; how many rows, columns and entries; their kind."""
    with _text(folder, path) as file:
        try:
            said = file.readline(LONGEST).decode().lower().split()
            if said[:1] != ["%%matrixmarket"]:
                raise ValueError(f"it starts with {' '.join(said)[:80]!r}")
            if said[1:3] != ["matrix", "coordinate"] or said[3:] not in (
                ["integer", "general"],
                ["real", "general"],
            ):
                raise UserError(
                    f"{path} is of the kind {' '.join(said[1:])[:80]!r}, and 'matrix"
                    " coordinate integer general' (or real) is read; write it so"
                    " (scipy.io.mmwrite of a sparse matrix)"
                )
            line = file.readline(LONGEST)
            while line.startswith(b"%") or (line and not line.strip()):
                line = file.readline(LONGEST)
            rows, columns, entries = (int(word) for word in line.split())
        except ERRORS as error:
            raise _faulty(path, error) from error
        yield file, (rows, columns, entries), said[3]


def _faulty(path: str, error: Exception) -> UserError:
    return UserError(
        f"{path} is damaged, or no matrix of whole or real numbers ({first_line(error)});"
        " copy or download it again"
    )


class Entries:
    """A matrix in text, one entry a line: features x cells, or the other way round.

    Parameters
    ----------
    folder, path : str
        The folder, and the file in it.
    shape : (int, int)
        How many cells and features there are.
    file_size : int
        Bytes of all three files.
    """

    def __init__(self, folder: str, path: str, shape: tuple[int, int], file_size: int) -> None:
        self._folder, self._path, self.shape, self.file_size = folder, path, shape, file_size
        self.dense, (cells, features) = False, shape
        with _entries(folder, path) as (_, (rows, columns, _), kind):
            self.dtype = np.dtype(np.int64 if kind == "integer" else np.float64)
            self._cells_first = (rows, columns) == (cells, features) and cells != features
            if (rows, columns) not in ((features, cells), (cells, features)):
                raise UserError(
                    f"{path} is {rows:,} x {columns:,}, and the folder has {features:,} features"
                    f" and {cells:,} barcodes; bring the files that belong together"
                )

    def _parts(self) -> Iterator[Block]:
        """All entries, some at a time."""
        import pandas

        with _entries(self._folder, self._path) as (file, (_, _, entries), _):
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
                raise _faulty(self._path, error) from error
            if left:
                why = f"it says {entries:,} entries and has {entries - left:,}"
                raise _faulty(self._path, ValueError(why))

    def _check(self, places: npt.NDArray[np.int64], length: int) -> None:
        if len(places) and not 0 <= int(places.min()) <= int(places.max()) < length:
            raise ValueError("an entry lies outside the matrix")

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
