"""What parts of HDF5 files and of zarr folders have alike: both packages give such objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kobench.builtin.datasets.formats.bounds import LOOSER, SMALLER, reading
from kobench.errors import UserError
from kobench.util.bounded import size_text
from kobench.util.machine import available_mb

if TYPE_CHECKING:
    from kobench.builtin.datasets.formats.source import Part


class HeldPart:
    """A group or an array that h5py or zarr holds; the common half of a `formats.source.Part`.

    Parameters
    ----------
    file : str
        The file or folder, for messages.
    name : str
        Where the part is in it; "" for the whole.
    content : object
        The group or array, as the package gives it.
    file_size : int
        Bytes of the file, or of all files of the folder.
    """

    def __init__(self, file: str, name: str, content: Any, file_size: int) -> None:
        self.file, self.name, self._content, self._size = file, name, content, file_size

    @property
    def file_size(self) -> int:
        """Bytes of all that there is."""
        return self._size

    @property
    def is_array(self) -> bool:
        """Whether it is an array."""
        return hasattr(self._content, "shape")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an array; () for a group, and for what h5py calls empty."""
        return tuple(getattr(self._content, "shape", None) or ())

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of an array."""
        return np.dtype(getattr(self._content, "dtype", np.void))

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Of an array that is stored in chunks."""
        return getattr(self._content, "chunks", None)

    def _inner(self, step: str) -> str:
        """The name of a part of a group."""
        return f"{self.name}/{step}".lstrip("/")

    def _too_large(self, rows: int) -> UserError:
        """That so many rows take more memory than there is, or than they can need."""
        most = reading(cast("Part", self), rows)
        if most > available_mb() << 20:
            return UserError(f"{self.file}: {self.name} needs more memory than there is; {SMALLER}")
        return UserError(
            f"{self.file}: {self.name} takes more than {size_text(most)} of memory to read, in a"
            f" file of {size_text(self.file_size)}; {LOOSER}"
        )


def is_of_memory(error: Exception) -> bool:
    """Whether a library says that it was given no memory; each has words of its own."""
    return isinstance(error, MemoryError) or any(
        word in str(error).lower() for word in ("alloc", "out of memory", "can't start new thread")
    )
