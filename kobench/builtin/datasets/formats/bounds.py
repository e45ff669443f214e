"""What a file may claim: no array much larger than what is stored of it, no more than memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kobench.errors import UserError
from kobench.util.bounded import size_text
from kobench.util.machine import available_mb

if TYPE_CHECKING:
    from kobench.builtin.datasets.formats.source import Part

#: What to do where a file is larger than memory: what is asked must stay in it.
SMALLER = (
    "use a machine with more, or a copy of the file with fewer perturbed cells (all control cells"
    " and all genes stay in it)"
)

#: What to do where a file is packed more tightly than cells ever are: then it is larger.
LOOSER = "write the file again without compression"

#: Bytes that an array may claim, however little is stored of it.
HARMLESS = 64 << 20

#: How many times what is stored an array may claim beyond that. Gzip reaches 1,032.
MOST_PACKED = 4096

#: Bytes that the matrix of a file may take in memory, however small the file is.
KEPT = 256 << 20

#: How many times the size of its file it may take beyond that. Counts of cells take 3 to 10 times.
MOST_TIMES = 200

#: The same of names and labels, beyond `HARMLESS`: each is as wide as the longest, and is copied.
MOST_TIMES_TEXTS = 50

#: Names that a file may have, however small it is. Beyond that each takes a byte of it at least.
FEW = 1 << 16

#: Beyond what is asked for and its chunk, a library may use this to read it, and so many times the
#: size of the file: a text is an object of 50 bytes and more.
BESIDE, TEXTS = 512 << 20, 64


def check_storage(part: Part, claimed: int, stored: int) -> None:
    """UserError where an array, or each of its chunks, claims far more than what is stored of it.

    Parameters
    ----------
    part : Part
        The array, for the message.
    claimed, stored : int
        Bytes that its values take in memory and in the file.
    """
    if claimed > HARMLESS and claimed > MOST_PACKED * stored:
        raise UserError(
            f"{part.file}: {part.name} claims {_shape(part.shape)} values ({size_text(claimed)}),"
            f" but {size_text(stored)} are stored of it, so most of it was never written; write the"
            " file again"
        )
    chunk, most = chunk_of(part), max(HARMLESS, MOST_TIMES * stored)
    if chunk > most:
        raise UserError(
            f"{part.file}: {part.name} is stored in chunks of {_shape(part.chunks or ())} values,"
            f" and each takes {size_text(chunk)} of memory, which may be {size_text(most)} where"
            f" {size_text(stored)} are stored; write the file again in smaller chunks"
        )


def _shape(lengths: Sequence[int]) -> str:
    return " x ".join(f"{length:,}" for length in lengths)


def chunk_of(part: Part) -> int:
    """Bytes of memory that a chunk of an array takes, 0 where it has none."""
    if not part.chunks:
        return 0
    return int(np.prod(part.chunks, dtype=object)) * max(1, part.dtype.itemsize)


def reading(part: Part, rows: int) -> int:
    """Bytes that may be allocated while so many rows of an array are read."""
    asked = int(np.prod((rows, *part.shape[1:]), dtype=object)) * max(1, part.dtype.itemsize)
    return BESIDE + TEXTS * part.file_size + 3 * asked + 2 * chunk_of(part)


def check_lengths(part: Part, shape: Sequence[int]) -> None:
    """UserError where a matrix has more rows or columns than a file of this size has names for."""
    if max(shape, default=0) > max(part.file_size, FEW):
        raise UserError(
            f"{part.file}: {part.name} claims {_shape(shape)} values, and a file of"
            f" {size_text(part.file_size)} can't name so many cells and genes; write the file again"
        )


def check_names(part: Part) -> None:
    """UserError where an array claims more names than a file of this size can hold."""
    count = part.shape[0] if part.shape else 0
    if count > max(part.file_size, FEW):
        raise UserError(
            f"{part.file}: {part.name} claims {count:,} names, which a file of"
            f" {size_text(part.file_size)} can't hold; write the file again"
        )
    wide, most = part.dtype.itemsize, max(HARMLESS, MOST_TIMES_TEXTS * part.file_size)
    if count * wide > most:
        raise UserError(
            f"{part.file}: {part.name} holds {count:,} values of {wide:,} bytes each, and at most"
            f" {size_text(most)} are read as names or labels from a file of"
            f" {size_text(part.file_size)}; name another part, or write it again as text without a"
            " fixed length"
        )


def check_texts(file: str, name: str, count: int, longest: int, file_size: int) -> None:
    """UserError where texts, as wide as the longest of them, would take far more than their file.

    Parameters
    ----------
    file, name : str
        Where they are, for the message.
    count, longest : int
        How many they are, and the characters of the longest.
    file_size : int
        Bytes of the file.
    """
    needed = count * longest * np.dtype("<U1").itemsize
    most = max(HARMLESS, MOST_TIMES_TEXTS * file_size)
    if needed > most:
        raise UserError(
            f"{file}: the {count:,} texts of {name}, of which one has {longest:,} characters, take"
            f" {size_text(needed)} of memory, and at most {size_text(most)} are kept of a file of"
            f" {size_text(file_size)}; shorten the longest"
        )


def check_memory(path: str, needed: int, file_size: int) -> None:
    """UserError where a matrix takes far more bytes than its file, or than this process has.

    Parameters
    ----------
    path : str
        The file, for the message.
    needed, file_size : int
        Bytes that the matrix takes in memory, and those of the file.
    """
    there, most = available_mb(), max(KEPT, MOST_TIMES * file_size)
    if needed > max(HARMLESS, there << 20):
        raise UserError(
            f"{path} needs {size_text(needed)} of memory, and there are {there:,} MB for this"
            f" process; {SMALLER}"
        )
    if needed > most:
        raise UserError(
            f"{path} needs {size_text(needed)} of memory, and at most {size_text(most)} are kept of"
            f" a file of {size_text(file_size)}; {LOOSER}"
        )
