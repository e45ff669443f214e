"""A file or folder of cells opened, whatever its format: that is seen from what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kobench.builtin.datasets.formats import hdf5
from kobench.builtin.datasets.formats.annotated import read_annotated
from kobench.builtin.datasets.formats.source import Part, Source
from kobench.errors import UserError


@contextmanager
def opened(path: str) -> Iterator[Source]:
    """What a file or folder holds, to be read while it is open.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    UserError
        Where there is none, or it is none of the formats that are read; with the true reason.
    """
    if not path:
        raise UserError("no h5ad file is given; say path=FILE.h5ad")
    if not Path(path).exists():
        raise UserError(f"h5ad file {path!r} does not exist; give path=FILE.h5ad")
    _check_start(path)
    with hdf5.opened(path) as whole:
        yield source_in(whole, path)


def source_in(whole: Part, path: str) -> Source:
    """What an HDF5 file holds."""
    names = set(whole.names())
    missing = [part for part in ("obs", "var") if part not in names]
    if missing:
        raise UserError(
            f"{path} is HDF5 but not AnnData ({', '.join(missing)} missing); write it with"
            " adata.write_h5ad(FILE)"
        )
    return read_annotated(whole, path)


def _check_start(path: str) -> None:
    """UserError where this is no plain file, or its first bytes are not those of HDF5."""
    if not hdf5.is_plain(path):
        raise UserError(f"{path} is no plain file; give path=FILE.h5ad")
    try:
        with open(path, "rb") as stream:
            start = stream.read(8)
    except OSError as error:
        raise UserError(hdf5.why_closed(path, error)) from error
    if not start:
        raise UserError(f"{path} is empty (0 bytes); copy or download it again")
    if start[:2] == b"\x1f\x8b":
        raise UserError(f"{path} is gzip-compressed; unpack it first (gunzip)")
    # not h5py.is_hdf5: it calls a truncated file "not HDF5"
    if start != hdf5.START:
        raise UserError(
            f"{path} is not an HDF5 file (it starts with {start[:8]!r}), so not an .h5ad; write one"
            " with adata.write_h5ad(FILE)"
        )
