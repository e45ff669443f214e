"""Files packed by gzip, unpacked into a file without a name, which leaves nothing behind."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from kobench.builtin.datasets.formats.bounds import HARMLESS
from kobench.errors import UserError
from kobench.util.bounded import open_plain, size_text

#: How many times its own size a packed file may unpack to, beyond what is harmless.
MOST_TIMES = 200

#: Bytes that are unpacked at once.
PIECE = 1 << 20

#: How gzip files start.
START = b"\x1f\x8b"


def unpacking(raw: IO[bytes]) -> IO[bytes]:
    """An opened file from its start, unpacked as it is read where it is gzip."""
    packed = raw.read(len(START)) == START
    raw.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw


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
