"""A file or folder of cells opened, whatever its format: that is seen from what is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from kobench.builtin.datasets.formats import hdf5, mtx, packed, zarr_folder
from kobench.builtin.datasets.formats.annotated import missing_in, read_annotated
from kobench.builtin.datasets.formats.mudata import is_mudata, read_mudata
from kobench.builtin.datasets.formats.selected import of_rows
from kobench.builtin.datasets.formats.source import Part, Source
from kobench.builtin.datasets.formats.table import Widened, read_table
from kobench.builtin.datasets.formats.tenx import is_tenx, read_tenx
from kobench.errors import UserError
from kobench.util.text import visible

#: What is to be done with a file of R.
OF_R = (
    "is a file of R; convert it there (zellkonverter::writeH5AD) and give the .h5ad, or write the"
    " counts as a folder with matrix.mtx"
)

#: How files start that are something else, and what is to be done with them.
OTHERS = {
    b"PK\x03\x04": "is a zip archive; unpack it, and give the file or folder in it",
    b"RDX": OF_R,
    b"X\n\x00\x00\x00": OF_R,
    b"%%Matrix": "is one matrix; give the folder that also has barcodes.tsv and features.tsv",
    b"BZh": "is packed by bzip2; unpack it (bunzip2 -k FILE), and give what comes out",
    b"\xfd7zXZ": "is packed by xz; unpack it (xz -dk FILE), and give what comes out",
    b"\x28\xb5\x2f\xfd": "is packed by zstd; unpack it (zstd -d FILE), and give what comes out",
    packed.START: "is packed by gzip; unpack it once (gunzip -k FILE), and give what comes out",
    b"version https://git-lfs": (
        "is a pointer of Git LFS and not the file itself; get that (git lfs pull in its repository)"
    ),
    b"<!DOCTYPE": "is a web page; download the file itself",
    b"<html": "is a web page; download the file itself",
}

#: Bytes at the start of a file that say what it is: HDF5 may have others before it.
HEAD = 1 << 16


@contextmanager
def opened(path: str, obs: str = "") -> Iterator[Source]:
    """What a file or folder holds, to be read while it is open.

    Parameters
    ----------
    path : str
        The file or folder.
    obs : str
        A table with further columns of the cells; "" for none. Cells that are not in it are left
        out.

    Raises
    ------
    UserError
        Where there is none, or it is none of the formats that are read; with the true reason.
    """
    if not path:
        raise UserError("no h5ad file is given; say path=FILE.h5ad")
    try:
        os.stat(path)
        if os.path.isdir(path):
            os.listdir(path)
    except OSError as error:
        raise UserError(_why_unseen(path, error)) from error
    with (_folder if os.path.isdir(path) else _file)(path) as source:
        yield with_table(source, obs) if obs else source


def _why_unseen(path: str, error: OSError) -> str:
    """Why there is nothing to be read at a path."""
    if isinstance(error, PermissionError):
        return hdf5.why_closed(path, error)
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return f"{path} is a link to {os.readlink(path)!r}, where nothing is; give the file itself"
    why = "" if isinstance(error, FileNotFoundError) else f" ({error.strerror})"
    return f"h5ad file {path!r} does not exist{why}; give path=FILE.h5ad"


def with_table(source: Source, path: str) -> Source:
    """The cells that a table has, with its columns; UserError where it has none of them."""
    table = read_table(path, len(source.obs.names))
    size = os.path.getsize(path) + (0 if source.X is None else source.X.file_size)
    wide = Widened(source.obs, table, path, size)
    found = wide.rows >= 0
    absent = sorted(set(table.names.tolist()) - set(source.obs.names.tolist()))
    if not found.any():
        raise UserError(
            f"{path} has none of the {len(found):,} cells of {source.path}: its first column has"
            f" {visible(absent[0], 60)!r}, and cells are called"
            f" {visible(str(source.obs.names[0]), 60)!r}; write barcodes as the cells are called"
        )
    notes = list(source.notes)
    if not found.all():
        first = visible(str(source.obs.names[int(np.argmin(found))]), 60)
        notes.append(
            f"{int((~found).sum()):,} of {len(found):,} cells are not in {os.path.basename(path)}"
            f" (first: {first}) and are left out"
        )
    if absent:
        notes.append(
            f"{len(absent):,} lines of {os.path.basename(path)} are of no cell (first:"
            f" {visible(absent[0], 60)})"
        )
    wide_source = replace(source, obs=wide, notes=tuple(notes), absent=int((~found).sum()))
    return wide_source if found.all() else of_rows(wide_source, np.flatnonzero(found))


@contextmanager
def _folder(path: str) -> Iterator[Source]:
    """What a folder holds: zarr, or a matrix in text."""
    if zarr_folder.is_zarr(path):
        with zarr_folder.opened(path) as whole:
            yield source_in(whole, path, "zarr")
        return
    if mtx.find(path, mtx.MATRIX):
        yield mtx.read_mtx(path)
        return
    inner = [
        entry.name
        for entry in os.scandir(path)
        if entry.is_dir() and (zarr_folder.is_zarr(entry.path) or mtx.find(entry.path, mtx.MATRIX))
    ]
    remedy = f"give {' or '.join(sorted(inner))} in it" if inner else "give a file or such a folder"
    raise UserError(f"folder {path} is no zarr folder and has no {mtx.MATRIX}; {remedy}")


@contextmanager
def _file(path: str) -> Iterator[Source]:
    """What a plain file holds, packed by gzip or not."""
    start = _start(path)
    if start.startswith(packed.START):
        with packed.unpacked(path) as stream:
            inside = stream.read(HEAD)
            stream.seek(0)
            _check_hdf5(f"{path} (unpacked)", inside)
            with hdf5.opened(path, stream) as whole:
                yield source_in(whole, path)
        return
    _check_hdf5(path, start)
    with hdf5.opened(path) as whole:
        yield source_in(whole, path)


def _start(path: str) -> bytes:
    """The first bytes of a plain file."""
    if not os.path.isfile(path):
        raise UserError(f"{path} is no plain file; give path=FILE.h5ad")
    try:
        with open(path, "rb") as stream:
            start = stream.read(HEAD)
    except OSError as error:
        raise UserError(hdf5.why_closed(path, error)) from error
    if not start:
        raise UserError(f"{path} is empty (0 bytes); copy or download it again")
    return start


def _check_hdf5(path: str, start: bytes) -> None:
    """UserError where the first bytes are not those of HDF5."""
    if start.startswith(b"ustar", 257):  # before HDF5, which may start behind other bytes
        raise UserError(
            f"{path} is a tar archive; unpack it (tar -xf FILE), and give what is in it"
        )
    # not h5py.is_hdf5: it calls a truncated file "not HDF5"
    places = [0, *(512 << power for power in range(8))]
    if start.startswith(hdf5.MUDATA) or any(start.startswith(hdf5.START, at) for at in places):
        return
    for other, said in OTHERS.items():
        if start.startswith(other):
            raise UserError(f"{path} {said}")
    raise UserError(
        f"{path} is not an HDF5 file (it starts with {start[:8]!r}), so not an .h5ad; write one"
        " with adata.write_h5ad(FILE)"
    )


def source_in(whole: Part, path: str, what: str = "HDF5") -> Source:
    """What a file of groups holds."""
    if is_mudata(whole):
        return read_mudata(whole, path)
    missing = missing_in(whole)
    if not missing:
        return read_annotated(whole, path)
    names = set(whole.names())
    if {"matrix", "row_attrs", "col_attrs"} <= names:
        raise UserError(
            f"{path} is a loom file; convert it with scanpy: sc.read_loom(FILE).write_h5ad(OUT)"
            " (pip install scanpy loompy), and give that"
        )
    if is_tenx(whole):
        return read_tenx(whole, path)
    if "smp" in names:
        raise UserError(
            f"{path} is AnnData of before version 0.6 (its cells lie in smp, not in obs); open it"
            " with a version of that time, and write it again with a newer one"
        )
    if "tables" in names:
        raise UserError(
            f"{path} is SpatialData; write its table as a file of its own"
            " (sdata.tables[NAME].write_h5ad(FILE)), and give that"
        )
    raise UserError(
        f"{path} is {what} but not AnnData ({', '.join(missing)} missing); write it with"
        " adata.write_h5ad(FILE)"
    )
