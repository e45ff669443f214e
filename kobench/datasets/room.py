"""Whether a file's cells fit into the memory, said before they are read."""

from __future__ import annotations

from collections.abc import Mapping
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
            return _entries(_own(content, "X")) * ENTRY >> 20
    # a damaged file is named by who reads it
    except Exception:
        return 0


def _own(group: Any, name: str) -> Any:
    """A part of an HDF5 file, None where it is missing or a link, which may lead anywhere."""
    import h5py

    link = group.get(name, getlink=True)
    return group[name] if isinstance(link, h5py.HardLink) else None


def _entries(matrix: Any) -> int:
    """How many entries of a sparse matrix are stored; 0 where they have to be counted first."""
    import h5py

    if isinstance(matrix, h5py.Group):
        return int(_own(matrix, "data").shape[0])
    return 0


def hardly_fits(card: Mapping[str, Any]) -> str:
    """That a file is larger than the memory that there is, "" where it is not, or nobody knows.

    Parameters
    ----------
    card : mapping
        The card, which may state the bytes of its file.
    """
    size, there = int(card.get("file", {}).get("bytes", 0)) >> 20, available_mb()
    if size <= there:
        return ""
    return (
        f"the file has {size:,} MB and there are {there:,} MB of memory for this process, so that"
        " its cells will hardly fit"
    )


def check_room(path: Path, dataset: str) -> None:
    """UserError where the cells of a dataset's file can't be held in the memory that there is."""
    needed, there = matrix_mb(path), available_mb()
    if needed > there:
        raise UserError(
            f"dataset {dataset!r}: the matrix in {path} takes {needed:,} MB of memory or more, and"
            f" there are {there:,} MB for this process; use a machine that has twice what the"
            " matrix takes"
        )
