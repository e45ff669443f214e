"""Files that may come from anyone, read with a limit: never a pipe or device, never without end."""

from __future__ import annotations

import importlib
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

#: Bytes that are read at once.
PIECE = 1 << 16

#: Bytes that a TOML file may hold: a card, a suite, what a person writes.
MOST_TOML = 1 << 20


class TooLargeError(ValueError):
    """A file holds more than is read of it."""


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading; a link to one counts.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    OSError
        Where it can't be opened.
    ValueError
        Where it is a folder, pipe, socket or device, which could be waited for without end.
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        mode = os.fstat(number).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("is a folder, not a file" if stat.S_ISDIR(mode) else "is no file")
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_bounded(path: Path, most: int) -> bytes:
    """All of a plain file.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        Bytes that it may hold.

    Raises
    ------
    OSError
        Where it can't be read.
    ValueError
        Where it is no plain file; TooLargeError where it holds more.
    """
    with open_plain(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise TooLargeError(f"holds more than {size_text(most)}, the most that is read")
    return content


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    OSError
        Where it can't be read.
    ValueError
        Where it is no plain file, too large, or no TOML.
    """
    # by name: Python 3.9 has no such module, and nothing reads TOML files there
    tomllib = importlib.import_module("tomllib")
    try:
        found: dict[str, Any] = tomllib.loads(read_bounded(path, MOST_TOML).decode())
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return found


def gzip_lines(path: Path, most: int, most_line: int) -> Iterator[bytes | None]:
    """The lines of a gzip file, one at a time, so that memory stays flat.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        Bytes that it may hold when unpacked.
    most_line : int
        Bytes that a line may have.

    Yields
    ------
    bytes or None
        Each line without its end; None for one that is longer.

    Raises
    ------
    OSError, EOFError, zlib.error
        Where the file can't be read on; the lines before that were given.
    ValueError
        Where it is no plain file; TooLargeError where it holds more than `most`.
    """
    import gzip

    with open_plain(path) as raw, gzip.GzipFile(fileobj=raw) as file:
        line, total, skipping = bytearray(), 0, False
        while piece := file.read1(PIECE):
            total += len(piece)
            if total > most:
                raise TooLargeError(
                    f"unpacks to more than {size_text(most)}, the most that is read"
                )
            *ends, rest = piece.split(b"\n")
            for end in ends:
                line += end
                yield None if skipping or len(line) > most_line else bytes(line)
                line, skipping = bytearray(), False
            if not skipping:
                line += rest
                if len(line) > most_line:
                    line, skipping = bytearray(), True
        if line or skipping:
            yield None if skipping else bytes(line)


#: What `gzip_lines` raises for a file that is damaged.
GZIP_ERRORS = (OSError, EOFError, zlib.error, ValueError)


def size_text(count: int) -> str:
    """A number of bytes for a reader.

    >>> size_text(32 << 20), size_text(1000)
    ('32 MB', '1,000 bytes')
    """
    return f"{count >> 20:,} MB" if count >= 1 << 20 else f"{count:,} bytes"
