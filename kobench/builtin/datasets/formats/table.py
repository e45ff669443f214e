"""Columns that cells have in another table: a file beside them, or the whole of a MuData file."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.packed import unpacking
from kobench.builtin.datasets.formats.source import LONGEST, Column, Frame
from kobench.cells import IntArray
from kobench.errors import UserError
from kobench.util.bounded import open_plain, size_text
from kobench.util.text import visible

#: Bytes that a table of cells may hold, unpacked.
MOST = 1 << 30

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
    """

    def __init__(self, cells: Frame, more: Frame, path: str) -> None:
        self._cells, self._more, self._path = cells, more, path

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
        values = np.zeros(len(rows), dtype=column.values.dtype)
        missing = np.ones(len(rows), dtype=bool)
        found = rows >= 0
        values[found], missing[found] = column.values[rows[found]], column.missing[rows[found]]
        return Column(values, missing, column.kind)


def read_table(path: str) -> TextFrame:
    """A table of cells: the first column has their barcodes, the first line names the others.

    Parameters
    ----------
    path : str
        A text file with commas, tabs or semicolons between columns, gzip-compressed or not.

    Raises
    ------
    UserError
        Where it can't be read, or is no such table, with the number of the line.
    """
    where = f"table of cells {path}"
    text = _text(path, where)
    head = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names, rows = [], []
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
            names.append(line[0].strip())
            rows.append(line[1:])
    except csv.Error as error:
        raise UserError(f"{where}, line {lines.line_num}: {error}; correct it") from error
    if not names:
        raise UserError(f"{where} has no line but the first; give one line for each cell")
    columns = zip(*rows, strict=True)
    named = dict(zip(header[1:], map(np.array, columns), strict=True))
    if len(named) < len(header) - 1:
        raise UserError(f"{where} names a column twice in its first line; rename one of them")
    return TextFrame(np.array(names, dtype=np.str_), named)


def _text(path: str, where: str) -> str:
    """All of a text file, gzip-compressed or not."""
    try:
        with open_plain(Path(path)) as raw:
            content = unpacking(raw).read(MOST + 1)
    except (FileNotFoundError, PermissionError) as error:
        raise UserError(
            f"{where} cannot be read ({error.strerror}); give one that is there and that you may"
            " read"
        ) from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(
            f"{where} cannot be read ({str(error).splitlines()[0]}); give a .csv or .csv.gz file"
        ) from error
    if len(content) > MOST:
        raise UserError(
            f"{where} cannot be read (it holds more than {size_text(MOST)}); give a copy with the"
            " columns that are needed"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where} is not text in UTF-8 ({error.reason} at byte {error.start}); write it again"
            " as .csv"
        ) from error
