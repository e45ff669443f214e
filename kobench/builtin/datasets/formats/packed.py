"""Files packed by gzip, unpacked into a file without a name, which leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from kobench.builtin.datasets.formats.bounds import HARMLESS, MOST_TIMES
from kobench.errors import UserError
from kobench.util.bounded import open_plain, size_text

#: Bytes that are unpacked at once.
PIECE = 1 << 20

#: How gzip files start.
START = b"\x1f\x8b"


class _Bounded(io.RawIOBase):
    """What a packed file holds, as far as it is read; UserError beyond so many bytes."""

    def __init__(self, raw: IO[bytes], path: str, most: int) -> None:
        self._file, self._path, self._most, self._total = gzip.GzipFile(fileobj=raw), path, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer)
        self._total += count
        if self._total > self._most:
            raise UserError(
                f"{self._path} unpacks to more than {size_text(self._most)}, the most that is read"
                " of a packed text of its size; unpack it yourself (gunzip -k FILE), and give what"
                " comes out"
            )
        return count


def unpacking(
    raw: IO[bytes], path: str, harmless: int | None = None, times: int | None = None
) -> IO[bytes]:
    """An opened file from its start, unpacked as it is read where it is gzip.

    Parameters
    ----------
    raw : file
        The file.
    path : str
        Where it lies, for messages.
    harmless, times : int
        Bytes that it may unpack to however small it is, and how many times its size beyond that;
        None for what any packed file may.
    """
    packed = raw.read(len(START)) == START
    size = raw.seek(0, 2)
    raw.seek(0)
    if not packed:
        return raw
    most = max(harmless or HARMLESS, (times or MOST_TIMES) * size)
    return cast(IO[bytes], io.BufferedReader(_Bounded(raw, path, most), PIECE))


@contextmanager
def unpacked(path: str) -> Iterator[IO[bytes]]:
    """The content of a gzip file, on disk, where nobody else can find it.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    UserError
        Where it is damaged, unpacks to far more than it is, or to more than the disk has room for.
    """
    with tempfile.TemporaryFile() as target, open_plain(Path(path)) as raw:
        size = raw.seek(0, 2)
        raw.seek(0)
        free = shutil.disk_usage(tempfile.gettempdir()).free // 2
        left = min(max(HARMLESS, MOST_TIMES * size), free)
        try:
            with gzip.GzipFile(fileobj=raw) as file:
                while piece := _read(file, path):
                    left -= len(piece)
                    if left < 0:
                        raise UserError(
                            f"{path} ({size_text(size)}) unpacks to more than"
                            f" {size_text(min(max(HARMLESS, MOST_TIMES * size), free))}, the most"
                            " that is unpacked here; unpack it yourself (gunzip -k) where there"
                            " is room, and give the .h5ad"
                        )
                    target.write(piece)
            target.flush()
        except OSError as error:
            raise UserError(
                f"{path} cannot be unpacked into {tempfile.gettempdir()}"
                f" ({error.strerror or error}); make room there, or set TMPDIR to a folder on"
                " another disk"
            ) from error
        target.seek(0)
        yield target


def _read(file: gzip.GzipFile, path: str) -> bytes:
    """The next bytes of a packed file; UserError where it is damaged."""
    try:
        return file.read(PIECE)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"{path} is truncated or not gzip ({error}); copy or download it again"
        ) from error
