"""Some columns, or some rows, of a stored matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.source import Block, Column, Frame, Source, Stored
from kobench.cells import BoolArray, IntArray


class Selected:
    """A matrix (n, G) of the chosen columns of another one; a `formats.source.Stored`.

    Parameters
    ----------
    matrix : Stored
        (n, F).
    chosen : (F,) bool
        G of them.
    """

    def __init__(self, matrix: Stored, chosen: BoolArray) -> None:
        self._matrix, self._chosen = matrix, chosen
        self._number = np.cumsum(chosen) - 1
        self.shape = matrix.shape[0], int(chosen.sum())
        self.dtype, self.dense, self.file_size = matrix.dtype, matrix.dense, matrix.file_size

    def lengths(self) -> npt.NDArray[np.integer[Any]]:
        """(n,) how many values each row stores, those of other columns included."""
        return self._matrix.lengths()

    def blocks(self) -> Iterator[Block]:
        """All values of the chosen columns."""
        for block in self._matrix.blocks():
            kept = self._chosen[block.columns]
            columns = self._number[block.columns[kept]]
            yield Block(block.rows[kept], columns, block.values[kept])

    def values(self) -> Iterator[npt.NDArray[Any]]:
        """All values of the chosen columns, in parts."""
        for block in self.blocks():
            yield block.values


class Rows:
    """A matrix (m, G) of the chosen rows of another one; a `formats.source.Stored`.

    Parameters
    ----------
    matrix : Stored
        (n, G).
    rows : (m,) int
        Ascending.
    """

    def __init__(self, matrix: Stored, rows: IntArray) -> None:
        self._matrix, self._rows = matrix, rows
        self._number = np.full(matrix.shape[0], -1, dtype=np.int64)
        self._number[rows] = np.arange(len(rows))
        self.shape = len(rows), matrix.shape[1]
        self.dtype, self.dense, self.file_size = matrix.dtype, matrix.dense, matrix.file_size

    def lengths(self) -> npt.NDArray[np.integer[Any]]:
        """(m,) how many values each row stores."""
        return self._matrix.lengths()[self._rows]

    def blocks(self) -> Iterator[Block]:
        """All values of the chosen rows."""
        for block in self._matrix.blocks():
            rows = self._number[block.rows]
            kept = rows >= 0
            yield Block(rows[kept], block.columns[kept], block.values[kept])

    def values(self) -> Iterator[npt.NDArray[Any]]:
        """All values of the chosen rows, in parts."""
        for block in self.blocks():
            yield block.values


class RowsOfFrame:
    """Some rows of a table of cells; a `formats.source.Frame`.

    Parameters
    ----------
    cells : Frame
        (n,).
    rows : (m,) int
    """

    def __init__(self, cells: Frame, rows: IntArray) -> None:
        self._cells, self._rows = cells, rows

    @property
    def names(self) -> npt.NDArray[np.str_]:
        """Of the rows."""
        return self._cells.names[self._rows]

    def columns(self) -> Sequence[str]:
        """Names of the columns."""
        return self._cells.columns()

    def column(self, key: str) -> Column:
        """A column; KeyError where there is none."""
        column = self._cells.column(key)
        return Column(column.values[self._rows], column.missing[self._rows], column.kind)


class RowsOfLayers(Mapping[str, Stored]):
    """Some rows of layers, each opened when it is asked for."""

    def __init__(self, layers: Mapping[str, Stored], rows: IntArray) -> None:
        self._layers, self._rows = layers, rows

    def __getitem__(self, name: str) -> Stored:
        return Rows(self._layers[name], self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)


def of_rows(source: Source, rows: IntArray) -> Source:
    """Some cells (m,) of an opened file."""

    def raw() -> tuple[Frame, Stored] | None:
        found = source.raw()
        return None if found is None else (found[0], Rows(found[1], rows))

    return replace(
        source,
        obs=RowsOfFrame(source.obs, rows),
        X=None if source.X is None else Rows(source.X, rows),
        layers=RowsOfLayers(source.layers, rows),
        raw=raw,
    )
