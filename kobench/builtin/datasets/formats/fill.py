"""A matrix read from a file: the wanted rows alone, each value into its place in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.builtin.datasets.formats.bounds import check_memory
from kobench.builtin.datasets.formats.source import Block, Stored
from kobench.cells import BoolArray, IntArray
from kobench.datasets.parts import row_blocks, rows_between
from kobench.errors import UserError

#: Bytes that a value and its place take, and those that a value alone takes.
PLACED, ALONE = 8, 4


def read_rows(stored: Stored, rows: IntArray, path: str) -> Any:
    """Some rows of a stored matrix, float32.

    A matrix that is stored with its zeros becomes sparse where that is smaller.

    Parameters
    ----------
    stored : Stored
        The matrix (n, G).
    rows : (m,) int
        The wanted rows, each once, in the wanted order.
    path : str
        The file, for messages.

    Returns
    -------
    (m, G) array or canonical CSR matrix

    Raises
    ------
    UserError
        Where the file is damaged, or the matrix larger than memory.
    """
    place = np.full(stored.shape[0], -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    lengths = stored.lengths()[rows]
    shape = len(rows), stored.shape[1]
    if stored.dense and int(lengths.sum()) * PLACED >= shape[0] * shape[1] * ALONE:
        return _dense(stored, place, shape, path)
    return _sparse(stored, place, lengths, shape, path)


def _dense(stored: Stored, place: IntArray, shape: tuple[int, int], path: str) -> Any:
    check_memory(path, shape[0] * shape[1] * ALONE, stored.file_size)
    found = np.zeros(shape, dtype=np.float32)
    for block in stored.blocks():
        kept = _wanted(block, place, path)
        found[place[kept.rows], kept.columns] = kept.values
    return found


def _sparse(
    stored: Stored, place: IntArray, lengths: IntArray, shape: tuple[int, int], path: str
) -> Any:
    ends = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=ends[1:])
    check_memory(path, int(ends[-1]) * PLACED, stored.file_size)
    columns = np.empty(int(ends[-1]), dtype=np.int32)
    values = np.empty(int(ends[-1]), dtype=np.float32)
    free = ends[:-1].copy()  # the next free place of each row
    for block in stored.blocks():
        kept = _wanted(block, place, path)
        if not len(kept.rows):
            continue
        starts = np.flatnonzero(np.diff(kept.rows, prepend=-1))  # where another row begins
        counts = np.diff(starts, append=len(kept.rows))
        target = place[kept.rows[starts]]
        at = np.repeat(free[target] - starts, counts) + np.arange(len(kept.rows))
        free[target] += counts
        columns[at], values[at] = kept.columns, kept.values
    return _canonical(values, columns, ends, free, shape)


def _wanted(block: Block, place: IntArray, path: str) -> Block:
    """The values of a block in wanted rows that are not 0, those of a row together."""
    wanted = place[block.rows] >= 0
    wanted &= block.values != 0
    if block.values.dtype.kind == "f" and block.values.dtype.itemsize > ALONE:
        large = np.isfinite(block.values) & (np.abs(block.values) > np.finfo(np.float32).max)
        if np.any(large & wanted):
            raise UserError(
                f"{path} holds {block.values[large][0]:g}, and values above"
                f" {np.finfo(np.float32).max:.2g} are no expression; correct them"
            )
    if not wanted.all():
        block = Block(block.rows[wanted], block.columns[wanted], block.values[wanted])
    if np.any(np.diff(block.rows) < 0):
        order = np.argsort(block.rows, kind="stable")
        block = Block(block.rows[order], block.columns[order], block.values[order])
    return block


def _canonical(
    values: npt.NDArray[np.float32],
    columns: npt.NDArray[np.int32],
    ends: IntArray,
    free: IntArray,
    shape: tuple[int, int],
) -> Any:
    """The CSR matrix of rows that start at `ends` and are filled up to `free`."""
    lengths = free - ends[:-1]
    if free[-1:].tolist() != ends[-1:].tolist() or np.any(free != ends[1:]):
        filled = np.zeros(len(ends), dtype=np.int64)
        np.cumsum(lengths, out=filled[1:])
        for first, behind in row_blocks(ends):
            kept = np.repeat(ends[first:behind] - filled[first:behind], lengths[first:behind])
            kept += np.arange(filled[first], filled[behind])
            part = slice(filled[first], filled[behind])
            columns[part], values[part] = columns[kept], values[kept]
        columns.resize(int(filled[-1]), refcheck=False)
        values.resize(int(filled[-1]), refcheck=False)
        ends = filled
    matrix = scipy.sparse.csr_matrix((values, columns, ends), shape=shape)
    matrix.sum_duplicates()  # sorts the columns of each row, too
    return matrix


def keep_columns(matrix: Any, chosen: BoolArray) -> Any:
    """The chosen columns (G,) of an array or a CSR matrix (n, G), in the memory of the whole one.

    The matrix itself can't be used afterwards.
    """
    if chosen.all():
        return matrix
    if not scipy.sparse.issparse(matrix):
        rows, count = matrix.shape[0], int(chosen.sum())
        flat = matrix.reshape(-1)
        for first, behind in row_blocks(np.arange(rows + 1, dtype=np.int64) * matrix.shape[1]):
            flat[first * count : behind * count] = matrix[first:behind][:, chosen].ravel()
        del flat
        matrix.resize((rows, count), refcheck=False)
        return matrix
    number = np.cumsum(chosen) - 1
    ends = matrix.indptr.astype(np.int64)
    columns, values = matrix.indices, matrix.data
    filled = np.zeros_like(ends)
    for first, behind in row_blocks(ends):
        part = slice(int(ends[first]), int(ends[behind]))
        kept = chosen[columns[part]]
        inside = np.zeros(len(kept) + 1, dtype=np.int64)
        np.cumsum(kept, out=inside[1:])
        inside = inside[ends[first + 1 : behind + 1] - ends[first]]
        filled[first + 1 : behind + 1] = filled[first] + inside
        target = slice(int(filled[first]), int(filled[behind]))
        columns[target], values[target] = number[columns[part][kept]], values[part][kept]
    length = int(filled[-1])
    return _shrunk(values, columns, filled, length, (matrix.shape[0], int(chosen.sum())))


def _shrunk(
    values: npt.NDArray[Any],
    columns: npt.NDArray[Any],
    ends: IntArray,
    length: int,
    shape: tuple[int, int],
) -> Any:
    """A CSR matrix of the first values; what is behind them is given back where it can be."""
    if values.flags.owndata and columns.flags.owndata:
        values.resize(length, refcheck=False)
        columns.resize(length, refcheck=False)
    return scipy.sparse.csr_matrix((values[:length], columns[:length], ends), shape=shape)


def split_rows(matrix: Any, first: int) -> tuple[Any, Any]:
    """The first rows of an array or a CSR matrix, and the others, both in its memory."""
    if not scipy.sparse.issparse(matrix):
        return matrix[:first], matrix[first:]
    return rows_between(matrix, 0, first), rows_between(matrix, first, matrix.shape[0])
