"""Columns that cells have in another table: a file beside them, or the whole of a MuData file."""

from __future__ import annotations

import csv
import io
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.bounds import check_texts
from kobench.builtin.datasets.formats.packed import unpacking
from kobench.builtin.datasets.formats.source import LONGEST, Column, Frame
from kobench.cells import IntArray
from kobench.errors import UserError
from kobench.util.bounded import open_plain
from kobench.util.text import visible

#: Bytes that a packed table may unpack to however small it is, and how many times its size beyond
#: that: each text that is read takes ten times its bytes. Tables of cells unpack to 3 to 20 times.
HARMLESS, MOST_TIMES = 16 << 20, 50

#: Lines that a table may have for each cell, and those that it may have beyond that.
MOST_LINES, OTHERS = 2, 1_000_000

#: What may part its columns.
DELIMITERS = (",", "\t", ";")


class TextFrame:
    """A table whose first column names its rows.

    Parameters
    ----------
    names : (n,) str
    columns : mapping of str to (n,) str
    """

    def __init__(
        self, names: npt.NDArray[np.str_], columns: Mapping[str, npt.NDArray[np.str_]]
    ) -> None:
        self.names, self._columns = names, columns

    def columns(self) -> Sequence[str]:
        """Names of the columns."""
        return list(self._columns)

    def column(self, key: str) -> Column:
        """A column; KeyError where there is none."""
        values = self._columns[key]
        return Column(values, values == "")


class Widened:
    """Cells with further columns, found by their names in another table.

    Parameters
    ----------
    cells : Frame
        The cells (n,) with their own columns, which come first.
    more : Frame
        The other table. A cell that is not in it has no value there.
    path : str
        The other table's file, for messages.
    size : int
        Bytes of the files of both.
    """

    def __init__(self, cells: Frame, more: Frame, path: str, size: int) -> None:
        self._cells, self._more, self._path, self._size = cells, more, path, size

    @property
    def names(self) -> npt.NDArray[np.str_]:
        """Of the cells."""
        return self._cells.names

    @cached_property
    def rows(self) -> IntArray:
        """(n,) the row of each cell in the other table, -1 where it is not there."""
        place: dict[str, int] = {}
        for row, name in enumerate(self._more.names.tolist()):
            if place.setdefault(name, row) != row:
                raise UserError(
                    f"{self._path}: {visible(name, 80)!r} is in more than one line, so it is not"
                    " clear what it means; leave one line for each cell"
                )
        return np.array([place.get(name, -1) for name in self.names.tolist()], dtype=np.int64)

    def columns(self) -> Sequence[str]:
        """Names of the columns, the cells' own first."""
        return list(dict.fromkeys((*self._cells.columns(), *self._more.columns())))

    def column(self, key: str) -> Column:
        """A column; KeyError where there is none."""
        if key in self._cells.columns():
            return self._cells.column(key)
        column, rows = self._more.column(key), self.rows
        longest = column.values.dtype.itemsize // np.dtype("<U1").itemsize
        check_texts(self._path, f"column {visible(key, 40)!r}", len(rows), longest, self._size)
        values = np.zeros(len(rows), dtype=column.values.dtype)
        missing = np.ones(len(rows), dtype=bool)
        found = rows >= 0
        values[found], missing[found] = column.values[rows[found]], column.missing[rows[found]]
        return Column(values, missing, column.kind)


def read_table(path: str, cells: int) -> TextFrame:
    """A table of cells: the first column has their barcodes, the first line names the others.

    Parameters
    ----------
    path : str
        A text file with commas, tabs or semicolons between columns, gzip-compressed or not.
    cells : int
        How many cells it is for: a table with far more lines is another one's.

    Raises
    ------
    UserError
        Where it can't be read, or is no such table, with the number of the line.
    """
    where = f"table of cells {path}"
    with _text(path, where) as text:
        head = text.readline()
        delimiter = max(DELIMITERS, key=head.count)
        lines = csv.reader(chain([head] if head else [], text), delimiter=delimiter)
        header, names, rows = _read(lines, where, MOST_LINES * cells + OTHERS)
    size = os.path.getsize(path)
    columns = {}
    for name, column in zip(header[1:], zip(*rows, strict=True), strict=True):
        check_texts(where, f"column {visible(name, 40)!r}", len(column), _longest(column), size)
        columns[name] = np.array(column, dtype=np.str_)
    check_texts(where, "its first column", len(names), _longest(names), size)
    if len(columns) < len(header) - 1:
        raise UserError(f"{where} names a column twice in its first line; rename one of them")
    return TextFrame(np.array(names, dtype=np.str_), columns)


def _longest(texts: Iterable[str]) -> int:
    return max(map(len, texts), default=0)


def _read(lines: Any, where: str, most: int) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """The first line, and of the others, of which there are no more than so many, the first
    column and the others.
    """
    names: list[str] = []
    rows: list[tuple[str, ...]] = []
    known: dict[str, str] = {}  # labels are repeated
    try:
        header = [word.strip() for word in next(lines, [])]
        if len(header) < 2:
            raise UserError(
                f"{where} has {len(header)} columns in its first line; give barcodes in the first"
                " column, and a label in another one that the first line names"
            )
        for line in lines:
            if not line:
                continue
            if len(line) != len(header):
                raise UserError(
                    f"{where}, line {lines.line_num} has {len(line)} columns and the first line"
                    f" {len(header)}; give as many in every line"
                )
            if max(map(len, line)) > LONGEST:
                raise UserError(
                    f"{where}, line {lines.line_num} has a text of more than {LONGEST:,}"
                    " characters, which is no name or label; give a copy without that column"
                )
            if len(names) == most:
                raise UserError(
                    f"{where} has more than {most:,} lines, far more than there are cells; give the"
                    " table that belongs to them"
                )
            names.append(line[0].strip())
            rows.append(tuple(known.setdefault(word, word) for word in line[1:]))
    except csv.Error as error:
        raise UserError(f"{where}, line {lines.line_num}: {error}; correct it") from error
    if not names:
        raise UserError(f"{where} has no line but the first; give one line for each cell")
    return header, names, rows


@contextmanager
def _text(path: str, where: str) -> Iterator[IO[str]]:
    """A text file, gzip-compressed or not, from its start."""
    try:
        with open_plain(Path(path)) as raw:
            content = unpacking(raw, where, HARMLESS, MOST_TIMES)
            yield io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
    except (FileNotFoundError, PermissionError) as error:
        raise UserError(
            f"{where} cannot be read ({error.strerror}); give one that is there and that you may"
            " read"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where} is not text in UTF-8 ({error.reason}: {error.object[error.start]:#x}); write"
            " it again as .csv"
        ) from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(
            f"{where} cannot be read ({str(error).splitlines()[0]}); give a .csv or .csv.gz file"
        ) from error
