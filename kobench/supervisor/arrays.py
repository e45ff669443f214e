"""Reads the arrays that an untrusted process wrote.

Each must be a plain file of just the numbers that are expected, or the answer is invalid.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from kobench.errors import TrialFailed

#: Most bytes that the header of a .npy file may have; numpy writes 128 for arrays like these.
HEADER = 10_000

#: Bytes of a .npy file before its header: magic, version, and the header's length.
BEFORE_HEADER = 12

#: Most bytes of an array whose shape is not given.
MOST = 1 << 30

#: Bytes read at once.
PIECE = 1 << 24


@dataclass(frozen=True)
class Expected:
    """What one answered array must be.

    Attributes
    ----------
    shape : tuple of int or None
        Its shape; None for any, of 1 GB at most.
    boolean : bool or None
        Whether it holds booleans, or else numbers of float32 or float64; None for either.
    """

    shape: tuple[int, ...] | None = None
    boolean: bool | None = False

    def __str__(self) -> str:
        kind = {True: "booleans", False: "floats", None: "floats or booleans"}[self.boolean]
        if self.shape is None:
            return f"{kind}, {MOST >> 20:,} MB at most"
        return f"{kind} of shape {self.shape}"

    def fits(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
        """Whether an array of that shape and type is what was expected."""
        booleans, floats = ("?",), ("f4", "f8")
        kinds = {True: booleans, False: floats, None: booleans + floats}[self.boolean]
        if not any(dtype == np.dtype(kind) for kind in kinds):
            return False
        if self.shape is None:
            return 0 <= math.prod(shape) * dtype.itemsize <= MOST
        return shape == self.shape


#: For callers that look at the shape themselves.
ANY = Expected(None, None)


def receive(
    folder: Path | str,
    stage: str,
    expected: Mapping[str, Expected],
    at: int | None = None,
    take: bool = False,
) -> dict[str, Any]:
    """Read the arrays that were written into a folder as NAME.npy.

    Parameters
    ----------
    folder : Path or str
        The folder.
    stage : str
        What was asked; a failure names it.
    expected : mapping of str to Expected
        What each array must be.
    at : int, optional
        An open folder in which `folder` is a name.
    take : bool
        Whether to remove each file once it is read.

    Returns
    -------
    dict of str to array or None
        Each expected array in C order, None where it is not there.

    Raises
    ------
    TrialFailed
        Something is there that is not what was expected.

    Notes
    -----
    A file is read only where it is just as long as it must be: neither what its header claims nor
    what it holds can fill the memory. Links are not followed, and pipes and devices not waited for.
    Others may be writing to the file: what is checked and returned is a copy.
    """
    try:
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
    except FileNotFoundError:
        return dict.fromkeys(expected)
    except OSError as error:
        raise TrialFailed(
            "invalid", stage, f"the folder of its answers can't be read: {error.strerror}"
        ) from error
    try:
        found = {}
        for name, wanted in expected.items():
            found[name] = _read(at, stage, name, wanted)
            if take and found[name] is not None:
                with contextlib.suppress(OSError):
                    os.unlink(f"{name}.npy", dir_fd=at)
        return found
    finally:
        os.close(at)


def _read(at: int, stage: str, name: str, wanted: Expected) -> Any:
    """Read NAME.npy in an open folder; None where there is none. Raises TrialFailed."""
    try:
        number = os.open(f"{name}.npy", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TrialFailed(
            "invalid", stage, f"{name} can't be read: {error.strerror}; expected a plain file"
        ) from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise TrialFailed("invalid", stage, f"{name} is no plain file")
    with open(number, "rb") as file:
        try:
            return _array(file, stage, name, wanted)
        except (OSError, ValueError) as error:
            raise TrialFailed(
                "invalid", stage, f"{name} is no .npy file: {str(error)[:200]}"
            ) from error


def _array(file: IO[bytes], stage: str, name: str, wanted: Expected) -> Any:
    """Read one array.

    Raises ValueError where the file is no .npy file, TrialFailed where it holds something else than
    wanted.
    """
    # of the file itself, numpy would read as many bytes as it claims that its header has
    head = io.BytesIO(file.read(HEADER + BEFORE_HEADER))
    shape, fortran, dtype = _header(head)
    file.seek(head.tell())
    if not wanted.fits(shape, dtype):
        raise TrialFailed(
            "invalid",
            stage,
            f"{name} came as {str(dtype)[:80]} of shape {str(shape)[:80]}; expected {wanted}",
        )
    count = math.prod(shape) * dtype.itemsize
    size = os.fstat(file.fileno()).st_size - file.tell()
    if size != count:
        raise ValueError(f"it holds {size:,} bytes of numbers; expected {count:,}")
    values: Any = np.empty(math.prod(shape), dtype)
    _fill(memoryview(values.view(np.uint8)), file)
    if dtype.kind == "b" and count and values.view(np.uint8).max() > 1:
        raise ValueError("it holds bytes that are neither 0 nor 1")
    if fortran:
        return np.ascontiguousarray(values.reshape(shape[::-1]).T)
    return values.reshape(shape)


def _fill(buffer: memoryview, file: IO[bytes]) -> None:
    """Fill a buffer from a file, which may be cut meanwhile; raises ValueError where it ends."""
    done = 0
    while done < len(buffer):
        got = file.readinto(buffer[done : done + PIECE])  # type: ignore[attr-defined]
        done += got
        if not got:
            raise ValueError(f"it ends after {done:,} bytes of numbers; expected {len(buffer):,}")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """(shape, whether columns come first, dtype) by the header of a .npy file; raises ValueError.

    The format is that of `numpy.lib.format`.
    """
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
        if version not in readers:
            raise ValueError(f"its format is {version}; expected 1.0 or 2.0")
        shape, fortran, dtype = readers[version](file, max_header_size=HEADER)
    except ValueError:
        raise
    # the header is a text that someone else wrote: numpy's parser may stumble in any way
    except Exception as error:
        raise ValueError(f"its header can't be read: {type(error).__name__}") from error
    return tuple(int(length) for length in shape), bool(fortran), dtype
