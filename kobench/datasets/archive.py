"""Source distributions read: the wanted plain files are copied out, and nothing in them is run.

An archive may come from anyone, and may unpack to a thousand times its size. So it is read as a
stream, in which nothing but the content of a file may be long.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from kobench.datasets.sources import Distribution
from kobench.util.memory import allocating

#: Bytes of one member, and of all that is unpacked on the way to it.
MOST_MEMBER, MOST_UNPACKED = 8 << 30, 16 << 30

#: Bytes between the contents of two members, and how many members there may be.
MOST_HEAD, MOST_MEMBERS = 2 << 20, 200_000

#: Bytes that reading may allocate: dictionaries of xz are the largest.
MOST_MEMORY = 512 << 20

#: The bit by which a zip says that a member is encrypted.
ENCRYPTED = 1

#: How packed archives begin, and what unpacks them.
PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}

#: What reading a damaged or hostile archive raises.
ERRORS = (
    EOFError,
    MemoryError,
    OSError,  # bz2 and gzip raise it without a number; those of the system have one
    NotImplementedError,  # a member that is packed in a way that zipfile lacks
    ValueError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def read_members(source: Distribution, archive: Path, folder: Path) -> None:
    """Copy the wanted members out of an archive: plain files alone, none longer than is right.

    Parameters
    ----------
    source : Distribution
        What is wanted.
    archive : Path
        The archive: a tar, packed or not, or a zip.
    folder : Path
        Where its members go.

    Raises
    ------
    ValueError
        Where the archive is damaged or hostile, or lacks a member; with the reason.
    """
    try:
        with allocating(MOST_MEMORY):
            _copy_members(source, archive, folder)
    except ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if isinstance(error, MemoryError):
            raise ValueError(f"it takes more than {MOST_MEMORY >> 20} MB of memory") from error
        raise ValueError(str(error) or type(error).__name__) from error


def _copy_members(source: Distribution, archive: Path, folder: Path) -> None:
    wanted = dict(zip(source.members, source.names, strict=True))
    for number, (path, stream) in enumerate(_entries(archive)):
        if number == MOST_MEMBERS:
            raise ValueError(f"it holds more than {MOST_MEMBERS:,} members")
        name = wanted.pop(path.partition("/")[2], None) if stream is not None else None
        if name is None or stream is None:
            continue
        aside = folder / f".{name}.part"
        try:
            with stream() as inner, open(aside, "wb") as out:
                _copy(inner, out, path)
            os.replace(aside, folder / name)
        finally:
            aside.unlink(missing_ok=True)
        if not wanted:
            return
    raise ValueError(f"it has no plain file {sorted(wanted)[0]!r}")


def _entries(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]] | None]]:
    """The members of an archive, one after the other: path, and what opens it if it is plain."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as content:
            for info in content.infolist():
                yield info.filename, None if info.is_dir() else partial(_opened, content, info)
        return
    with open(archive, "rb") as file:
        start = file.read(6)
    unpack = next((PACKED[mark] for mark in PACKED if start.startswith(mark)), open)
    with unpack(archive, "rb") as unpacked:
        heads, total = _Heads(unpacked), 0
        with tarfile.open(fileobj=cast(IO[bytes], heads), mode="r|") as stream:
            while (member := stream.next()) is not None:
                stream.members.clear()  # type: ignore[attr-defined]  # it would keep all of them
                if member.issparse():  # its size is not what is stored of it
                    raise ValueError(f"{member.name!r} is a sparse file, and none is read")
                plain = member.isreg()
                total += member.size
                if total > MOST_UNPACKED:
                    raise ValueError(f"it unpacks to more than {MOST_UNPACKED >> 30} GB")
                heads.left = MOST_HEAD + (member.size if plain else 0)
                inner = stream.extractfile(member) if plain else None
                yield member.name, None if inner is None else partial(_itself, inner)


def _itself(file: IO[bytes]) -> IO[bytes]:
    return file


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """A member of a zip; ValueError where it is encrypted."""
    if member.flag_bits & ENCRYPTED:
        raise ValueError(f"{member.filename!r} is encrypted")
    return archive.open(member)


class _Heads:
    """An unpacked archive, of which no more may be read at a time than `left`.

    tarfile reads what a member is called, and what else is said of it, into memory as a whole.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.left = file, MOST_HEAD

    def read(self, size: int) -> bytes:
        """The next bytes; ValueError where they are too many."""
        piece = self._file.read(size)
        self.left -= len(piece)
        if self.left < 0:
            raise ValueError(
                f"it says more than {MOST_HEAD >> 20} MB of a member, where a name is meant to be"
            )
        return piece


def _copy(inner: IO[bytes], out: IO[bytes], path: str) -> None:
    """Copy a member; ValueError where it is too long."""
    total = 0
    while piece := inner.read(1 << 20):
        total += len(piece)
        if total > MOST_MEMBER:
            raise ValueError(f"{path!r} is longer than {MOST_MEMBER >> 30} GB")
        out.write(piece)
