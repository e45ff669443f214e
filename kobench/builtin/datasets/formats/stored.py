"""Matrices of cells x genes as files store them: by rows, by columns, or with their zeros."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.bounds import check_lengths
from kobench.builtin.datasets.formats.hdf5 import unsound
from kobench.builtin.datasets.formats.source import Block, Part, Stored, said
from kobench.datasets.matrices import whole
from kobench.datasets.parts import row_blocks
from kobench.errors import UserError

#: Numbers that are read at once.
AT_ONCE = 1 << 18


def stored(part: Part) -> Stored | None:
    """The matrix in a part of a file: AnnData's of every version; None where it is empty."""
    if part.is_array:
        if not part.shape:
            return None
        if len(part.shape) != 2:
            raise UserError(
                f"{part.file}: {part.name} has {len(part.shape)} dimensions; give a matrix of"
                " cells x genes"
            )
        check_lengths(part, part.shape)
        return Dense(part)
    kind = said(part, "encoding-type") or said(part, "h5sparse_format")
    shape = part.attrs.get("shape", part.attrs.get("h5sparse_shape"))
    if kind == "null":
        return None
    if kind[:3] in ("csr", "csc") and shape is not None:
        rows, columns = (int(length) for length in np.asarray(shape).ravel()[:2])
        check_lengths(part, (rows, columns))
        return Sparse(part, (rows, columns), by_rows=kind.startswith("csr"))
    if not kind and not part.names():
        return None
    if not kind and {"data", "indices", "indptr"} <= set(part.names()):
        raise UserError(
            f"{part.file}: {part.name} does not say whether its values lie by rows or by columns"
            " (its attribute encoding-type is missing); add that with h5py or zarr: 'csr_matrix' by"
            " rows, 'csc_matrix' by columns"
        )
    if kind[:3] in ("csr", "csc"):
        raise UserError(
            f"{part.file}: {part.name} does not say how many cells and genes it has (its attribute"
            " shape is missing); add that with h5py or zarr"
        )
    raise UserError(
        f"{part.file}: {part.name} is {f'stored as {kind!r}' if kind else 'a group of parts'}, from"
        " which no matrix is read; write it as an array, as CSR or as CSC"
        " (scipy.sparse.csr_matrix)"
    )


class Sparse:
    """Values that are not 0, by rows (CSR) or by columns (CSC)."""

    def __init__(self, part: Part, shape: tuple[int, int], by_rows: bool) -> None:
        self._part, self.shape, self._by_rows = part, shape, by_rows
        self.dense, self.file_size = False, part.file_size

    def _array(self, name: str) -> Part:
        found = self._part.get(name)
        if found is None or len(found.shape) != 1:
            raise self._damaged(f"it has no {name}")
        return found

    @cached_property
    def _values(self) -> Part:
        return self._array("data")

    @cached_property
    def _places(self) -> Part:
        return self._array("indices")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return self._values.dtype

    @cached_property
    def _ends(self) -> npt.NDArray[np.int64]:
        """Where each row (or column) starts among the values, and the last one ends."""
        lines = self.shape[0] if self._by_rows else self.shape[1]
        array = self._array("indptr")
        if array.shape[0] != lines + 1:
            raise self._damaged(f"indptr has {array.shape[0]:,} entries and not {lines + 1:,}")
        ends = self._whole(array.read(), "indptr").astype(np.int64)
        length = min(self._values.shape[0], self._places.shape[0])
        if ends[0] != 0 or np.any(np.diff(ends) < 0) or ends[-1] > length:
            raise self._damaged("indptr does not count up to the number of values")
        longest, across = int(np.diff(ends).max(initial=0)), self.shape[int(self._by_rows)]
        if longest > max(AT_ONCE, 2 * across):  # some write a place twice
            what = ("column", "row")[int(self._by_rows)]
            raise self._damaged(f"a {what} has {longest:,} values in {across:,} places")
        return ends

    def lengths(self) -> npt.NDArray[np.integer[Any]]:
        """(n,) how many values each row stores."""
        if self._by_rows:
            return np.diff(self._ends)
        found = np.zeros(self.shape[0], dtype=np.int64)
        for start in range(0, int(self._ends[-1]), AT_ONCE):
            rows = self._read_places(start, min(start + AT_ONCE, int(self._ends[-1])))
            found += np.bincount(rows, minlength=len(found))
        return found

    def blocks(self) -> Iterator[Block]:
        """All values with their places."""
        ends = self._ends
        for first, behind in row_blocks(ends, AT_ONCE):
            start, stop = int(ends[first]), int(ends[behind])
            lines = np.repeat(np.arange(first, behind), np.diff(ends[first : behind + 1]))
            places = self._read_places(start, stop)
            values = self._values.read(start, stop)
            yield Block(lines, places, values) if self._by_rows else Block(places, lines, values)

    def values(self) -> Iterator[npt.NDArray[Any]]:
        """All stored values, in parts."""
        for start in range(0, int(self._ends[-1]), AT_ONCE):
            yield self._values.read(start, min(start + AT_ONCE, int(self._ends[-1])))

    def _read_places(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Columns of values (or their rows); UserError where one is outside the matrix."""
        across = self.shape[1] if self._by_rows else self.shape[0]
        places = self._whole(self._places.read(start, stop), "indices")
        # an index out of range would crash the process further on
        if len(places) and not 0 <= int(places.min()) <= int(places.max()) < across:
            raise self._damaged("an index lies outside the matrix")
        return places

    def _whole(self, numbers: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
        """Whole numbers with a sign, which can be subtracted; UserError where they are none."""
        if numbers.dtype.kind == "f" and np.isfinite(numbers).all() and whole(numbers):
            numbers = numbers.astype(np.int64)  # R has no others that are large
        if numbers.dtype.kind not in "iu":
            raise self._damaged(f"its {name} are no whole numbers")
        return numbers if numbers.dtype.kind == "i" else numbers.astype(np.int64)

    def _damaged(self, why: str) -> UserError:
        return UserError(unsound(self._part.file, f"its sparse matrix {self._part.name}: {why}"))


class Dense:
    """A matrix with its zeros."""

    def __init__(self, part: Part) -> None:
        self._part, self.dense, self.file_size = part, True, part.file_size
        self.shape = (int(part.shape[0]), int(part.shape[1]))
        self.dtype = part.dtype

    def _rows(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Some rows after others, each with the number of the first."""
        across = max(1, self.shape[1])
        step = max(1, AT_ONCE // across)
        chunk = (self._part.chunks or (1,))[0]
        if chunk * across <= 4 * AT_ONCE:  # a chunk is unpacked as a whole
            step = max(1, step // chunk) * chunk
        for start in range(0, self.shape[0], step):
            yield start, self._part.read(start, min(start + step, self.shape[0]))

    def lengths(self) -> npt.NDArray[np.integer[Any]]:
        """(n,) how many values of each row are not 0."""
        parts = [np.count_nonzero(rows, axis=1) for _, rows in self._rows()]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def blocks(self) -> Iterator[Block]:
        """All values that are not 0, with their places."""
        for start, rows in self._rows():
            row, column = np.nonzero(rows)
            yield Block(row + start, column, rows[row, column])

    def values(self) -> Iterator[npt.NDArray[Any]]:
        """All values, in parts."""
        for _, rows in self._rows():
            yield rows.ravel()
