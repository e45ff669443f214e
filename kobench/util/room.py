"""Room for arrays that may be larger than memory."""

from __future__ import annotations

import os
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt

#: Bytes from which an array is kept in a file.
LARGE = 1 << 30


def room_for(shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """An array of float64 to be filled.

    A large one lies in a file without a name, which goes with the array: what of it is not in use
    need not stay in memory. Where the disk has no room for it, it is in memory as others are.
    """
    size = 8 * int(np.prod(shape, dtype=np.int64))
    reserve = getattr(os, "posix_fallocate", None)
    if size < LARGE or reserve is None:
        return np.zeros(shape)
    try:
        with TemporaryFile() as file:
            # else a full disk would end the process at a write
            reserve(file.fileno(), 0, size)
            return np.memmap(file, np.float64, "r+", shape=shape)
    except OSError:
        return np.zeros(shape)
