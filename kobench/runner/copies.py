"""Tells copies of files by their content, packed or not, whatever they are called."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kobench.util.bounded import open_plain
from kobench.util.files import PIECE

#: How packed files begin, and the module that unpacks them.
PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "lzma"))

#: How their names end, after that of what is in them.
ENDINGS = (".gz", ".bgz", ".bz2", ".xz")

#: Bytes by which contents are told apart before all of them is compared.
FIRST = 4096


class Originals:
    """The files whose copies are looked for.

    Parameters
    ----------
    files : sequence of Path
        Those files; what can't be read is left out.

    Attributes
    ----------
    endings : tuple of str
        How names of copies end.
    inodes : set of int
        The inodes of files that have a second name.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.inodes: set[int] = set()
        endings: set[str] = set()
        self._begin: dict[bytes, list[tuple[str, str]]] = {}
        for file in dict.fromkeys(map(str, files)):
            with contextlib.suppress(OSError):
                for packer, first in contents_of(file):
                    self._begin.setdefault(first, []).append((file, packer))
                status, plain = os.stat(file), file
                if plain.endswith(ENDINGS):
                    plain = plain[: plain.rindex(".")]
                if ending := os.path.splitext(plain)[1]:
                    endings |= {ending, *(ending + packed for packed in ENDINGS)}
                if status.st_nlink > 1:
                    self.inodes.add(status.st_ino)
        self.endings = tuple(sorted(endings))

    def has_copy(self, path: str) -> bool:
        """Whether a file has the content of one of these, or is one of them by a second name."""
        return bool(self._begin) and any(
            is_same(path, packer, file, its)
            for packer, first in contents_of(path)
            for file, its in self._begin.get(first, ())
        )


def contents_of(path: str) -> Iterator[tuple[str, bytes]]:
    """The contents of a file: its own, and what it unpacks to, by its first bytes.

    Yields
    ------
    (str, bytes)
        The module that unpacks it, "" for the file as it is, and a hash of how the content begins.
        An empty content is none, and neither is one that can't be read.
    """
    begin = _begin(path, "")
    for packer in ["", *(name for head, name in PACKED if begin.startswith(head))]:
        if first := (_begin(path, packer) if packer else begin):
            yield packer, hashlib.sha256(first).digest()


def _begin(path: str, packer: str) -> bytes:
    """How a content begins; nothing where it can't be read."""
    try:
        with opened(path, packer) as file:
            first: bytes = file.read(FIRST)
    except _errors():
        return b""
    return first


def is_same(path: str, packer: str, other: str, its: str) -> bool:
    """Whether two contents are the same, looked through until they differ.

    Parameters
    ----------
    path, other : str
        Two files.
    packer, its : str
        The modules that unpack them, "" for a file as it is.
    """
    try:
        if not packer and not its:
            if os.path.samefile(path, other):
                return True
            if os.stat(path).st_size != os.stat(other).st_size:
                return False
        with opened(path, packer) as one, opened(other, its) as two:
            while piece := one.read(PIECE):
                if piece != two.read(PIECE):
                    return False
            return not two.read(1)
    except _errors():
        return False


@contextlib.contextmanager
def opened(path: str, packer: str) -> Iterator[Any]:
    """A file, opened for reading by what unpacks it; members that follow each other are one."""
    with open_plain(Path(path)) as file:
        if not packer:
            yield file
            return
        with importlib.import_module(packer).open(file) as unpacked:
            yield unpacked


def _errors() -> tuple[type[Exception], ...]:
    """What reading may raise; a Python need not have been built with each of the modules."""
    errors = (OSError, EOFError, ValueError, ImportError, zlib.error)
    try:
        from lzma import LZMAError
    except ImportError:
        return errors
    return (*errors, LZMAError)
