"""Whether a file's cells fit into the memory, said before they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.util.machine import available_mb

#: Bytes of an entry that is not 0, as cells hold it: a value and the number of its column.
ENTRY = 8

#: What an HDF5 file begins with.
HDF5 = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 does; OSError where it can't be read."""
    with open(path, "rb") as stream:
        return stream.read(len(HDF5)) == HDF5


def matrix_mb(path: Path) -> int:
    """The memory that the matrix of an AnnData file takes at least, in MB; 0 where nobody can tell.

    Parameters
    ----------
    path : Path
        The file; only its shape is looked at.
    """
    try:
        if not is_hdf5(path):
            return 0
        import h5py

        with h5py.File(path, "r") as content:
            return _entries(content.get("X")) * ENTRY >> 20
    # a damaged file is named by who reads it
    except Exception:
        return 0


def _entries(matrix: Any) -> int:
    """How many entries of a stored matrix are not 0; half of a dense one, which nobody counts."""
    import h5py

    if isinstance(matrix, h5py.Group):
        return int(matrix["data"].shape[0])
    if isinstance(matrix, h5py.Dataset) and len(matrix.shape) == 2:
        return int(matrix.shape[0]) * int(matrix.shape[1]) // 2
    return 0


def check_room(path: Path, dataset: str) -> None:
    """UserError where the cells of a dataset's file can't be held in the memory that there is."""
    needed, there = matrix_mb(path), available_mb()
    if needed > there:
        raise UserError(
            f"dataset {dataset!r}: the matrix in {path} takes {needed:,} MB of memory or more, and"
            f" there are {there:,} MB for this process; use a machine that has twice what the"
            " matrix takes"
        )
