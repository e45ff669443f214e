"""Reads the arrays that an untrusted process wrote: each must be a plain file of just the numbers
expected, or the answer is invalid.
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

#: Bytes that the header of a .npy file may have; numpy writes 128 for arrays like these.
HEADER = 10_000

#: Bytes of a .npy file before its header: magic, version, and the header's length.
BEFORE_HEADER = 12

#: Bytes that an array of any shape may have.
MOST = 1 << 30

#: Bytes read at once.
PIECE = 1 << 24


@dataclass(frozen=True)
class Expected:
    """What one answered array must be: its shape (None for any, of 1 GB at most), and whether it
    holds booleans, float32 or float64 numbers, or (None) either.
    """

    shape: tuple[int, ...] | None = None
    boolean: bool | None = False

    def __str__(self) -> str:
        kind = {True: "booleans", False: "floats", None: "floats or booleans"}[self.boolean]
        return (
            f"{kind} of shape {self.shape}"
            if self.shape is not None
            else f"{kind}, {MOST >> 20:,} MB at most"
        )

    def fits(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
        """Whether an array of that shape and type is what was expected."""
        kinds: tuple[Any, ...] = (
            *((bool,) if self.boolean is not False else ()),
            *(() if self.boolean else (np.float32, np.float64)),
        )
        wanted = (
            0 <= math.prod(shape) * dtype.itemsize <= MOST
            if self.shape is None
            else shape == self.shape
        )
        return wanted and any(dtype == np.dtype(kind) for kind in kinds)


#: For callers that look at the shape themselves.
ANY = Expected(None, None)


def receive(
    folder: Path | str,
    stage: str,
    expected: Mapping[str, Expected],
    at: int | None = None,
    take: bool = False,
) -> dict[str, Any]:
    """The arrays of NAME.npy in `folder`, in C order, None for each that is not there; raises
    TrialFailed for anything unexpected.

    at : an open folder in which `folder` is a name. take : remove each file once it is read.

    Nothing is read that is not as long as it must be: neither what a header claims nor what a file
    holds can fill the memory. Links are not followed, and pipes and devices not waited for. What
    was checked is a copy: the file may be written by others meanwhile.
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
    """Read one array; raises ValueError where the file is no .npy file, TrialFailed where it holds
    something else than wanted.
    """
    head = io.BytesIO(
        file.read(HEADER + BEFORE_HEADER)
    )  # numpy would read as many bytes as the file says its header has
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
    into = memoryview(values.view(np.uint8))
    done = 0
    while done < count:  # it may be cut while it is read, so that less comes than its size said
        got = file.readinto(into[done : done + PIECE])  # type: ignore[attr-defined]
        done += got
        if not got:
            raise ValueError(f"it ends after {done:,} bytes of numbers; expected {count:,}")
    if dtype.kind == "b" and count and values.view(np.uint8).max() > 1:
        raise ValueError("it holds bytes that are neither 0 nor 1")
    return np.ascontiguousarray(values.reshape(shape[::-1]).T) if fortran else values.reshape(shape)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """(shape, whether columns come first, dtype) by the header of a .npy file (numpy.lib.format);
    raises ValueError.
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
