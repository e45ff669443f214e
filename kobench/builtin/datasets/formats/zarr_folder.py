"""Zarr folders of version 2 and 3, as AnnData writes them: no link is followed, no code is run."""

from __future__ import annotations

import json
import os
import stat
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.bounds import check_storage, reading
from kobench.builtin.datasets.formats.hdf5 import first_line
from kobench.builtin.datasets.formats.held import HeldPart, is_of_memory
from kobench.errors import UserError
from kobench.util.bounded import read_bounded
from kobench.util.memory import allocating

#: Files that say what a group or an array is: of version 3, and of version 2.
SAID = ("zarr.json", ".zgroup", ".zarray")

#: Bytes that such a file may hold.
MOST_SAID = 16 << 20

#: How many threads zarr and what unpacks for it start at most, at the first read.
THREADS = 40

#: What may pack values. Others, pickle above all, could run what a stranger wrote.
CODECS = {
    *("blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd", "shuffle", "delta", "crc32", "crc32c"),
    *("bytes", "transpose", "sharding_indexed", "vlen-utf8", "vlen-bytes"),
}


def is_zarr(folder: str) -> bool:
    """Whether a folder is a zarr group."""
    return any(os.path.isfile(os.path.join(folder, name)) for name in SAID)


@contextmanager
def opened(path: str) -> Iterator[ZarrPart]:
    """The whole of a zarr folder.

    Parameters
    ----------
    path : str
        The folder.

    Raises
    ------
    UserError
        Where it can't be opened, zarr is not installed, or the folder leads elsewhere.
    """
    size = size_of_folder(path)
    try:
        import zarr
    except ImportError as error:
        raise UserError(
            f"{path} is a zarr folder, and the package zarr is not installed; install it (pip"
            " install zarr), or write the cells with adata.write_h5ad(FILE)"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what zarr thinks of the layout
        more: dict[str, Any] = (
            {} if zarr.__version__.startswith("2.") else {"use_consolidated": False}
        )
        try:
            content = zarr.open_group(path, mode="r", **more)
        except Exception as error:
            if type(error).__name__ == "ContainsArrayError":
                raise UserError(
                    f"{path} is one array of zarr, not cells with their names; give the folder that"
                    " also has obs and var"
                ) from error
            raise UserError(_damaged(path, error)) from error
        yield ZarrPart(path, "", content, size)


def size_of_folder(path: str) -> int:
    """Bytes of all files in a folder; UserError where one is a link, a pipe or a device."""
    size = 0
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            inner = os.path.join(folder, name)
            status = os.lstat(inner)
            if stat.S_ISREG(status.st_mode):
                size += status.st_size
            elif not stat.S_ISDIR(status.st_mode):
                what = "a link" if stat.S_ISLNK(status.st_mode) else "no plain file"
                raise UserError(
                    f"{path}: {os.path.relpath(inner, path)} is {what}, and kobench follows none;"
                    " put the file itself there"
                )
    return size


class ZarrPart(HeldPart):
    """A group or an array of a zarr folder; a `formats.source.Part`."""

    @property
    def attrs(self) -> Mapping[str, Any]:
        """What is written beside it."""
        return dict(self._content.attrs)

    @property
    def _place(self) -> Path:
        return Path(self.file, *self.name.split("/"))

    def names(self) -> list[str]:
        """Names of the parts of a group."""
        if self.is_array:
            return []
        with os.scandir(self._place) as entries:
            inner = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        return sorted(name for name in inner if is_zarr(str(self._place / name)))

    def get(self, name: str) -> ZarrPart | None:
        """The part of this name in a group, None where there is none."""
        part = self
        for step in name.split("/"):
            if step in ("", ".", "..") or step not in part.names():
                return None
            inner = part._inner(step)
            check_codecs(self.file, inner)
            try:
                content = part._content[step]
            except Exception as error:
                raise UserError(_damaged(self.file, error)) from error
            part = ZarrPart(self.file, inner, content, self._size)
            if part.is_array:
                check_storage(part, part._claimed, size_of_folder(str(part._place)))
        return part

    @property
    def _claimed(self) -> int:
        size = int(np.prod([int(length) for length in self.shape], dtype=object))
        return size * max(1, self.dtype.itemsize)

    def read(self, start: int = 0, stop: int | None = None) -> npt.NDArray[Any]:
        """Numbers, texts (as objects) or records of an array, from one row up to another."""
        stop = (self.shape or (1,))[0] if stop is None else stop
        try:
            with allocating(reading(self, stop - start), THREADS):
                if not self.shape:
                    return np.array([self._content[()]]).reshape(1)
                found = np.asarray(self._content[start:stop])
        except Exception as error:
            if is_of_memory(error):
                raise self._too_large(stop - start) from error
            raise UserError(_damaged(self.file, error)) from error
        return found.astype(object) if found.dtype.kind in "TU" else found


def check_codecs(path: str, name: str) -> None:
    """UserError where an array is packed by something that is not known to be harmless."""
    place = Path(path, *name.split("/"))
    for file in (place / "zarr.json", place / ".zarray"):
        if not file.is_file():
            continue
        try:
            said = json.loads(read_bounded(file, MOST_SAID))
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(_damaged(path, error)) from error
        strange = sorted(set(_codecs(said)) - CODECS)
        if strange:
            raise UserError(
                f"{path}: {name} is packed by {strange[0]!r}, which kobench does not read (it could"
                " run code); write the cells again with adata.write_zarr(FOLDER)"
            )


def _codecs(said: Any) -> Iterable[str]:
    """Names of all that packs the values of an array, as its file says them."""
    if not isinstance(said, dict):
        return
    packed = [said.get("compressor"), *(said.get("filters") or ()), *(said.get("codecs") or ())]
    for codec in (codec for codec in packed if codec is not None):
        if not isinstance(codec, dict):
            yield str(codec).removeprefix("numcodecs.")
            continue
        yield str(codec.get("id", codec.get("name"))).removeprefix("numcodecs.")
        inner = codec.get("configuration")
        if isinstance(inner, dict):
            yield from _codecs({"codecs": inner.get("codecs")})
            yield from _codecs({"codecs": inner.get("index_codecs")})


def _damaged(path: str, error: Exception) -> str:
    return f"{path} is incomplete or damaged ({first_line(error)}); copy or download it again"
