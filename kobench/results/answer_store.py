"""Answers kept by the hash of their content, so that a new metric scores them without a new fit."""

from __future__ import annotations

import hashlib
import io
import math
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kobench.errors import UserError
from kobench.results import packed_answers
from kobench.util.bounded import open_plain
from kobench.util.files import clear_way, write_atomically

#: A hash as it is written. Records name answers, and may come from anyone: what is no hash could
#: lead out of the folder.
KEY = re.compile(r"[0-9a-f]{64}")

#: What reads the header of an array, by the version of its format.
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def hash_of_arrays(arrays: Mapping[str, Any]) -> str:
    """sha256 over names, types, shapes and bytes of arrays."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}|{values.dtype.str}|{values.shape}|".encode())
        digest.update(values.data)  # its own bytes, not a copy of them
    return digest.hexdigest()


class AnswerStore:
    """The `answers/` folder of a results folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "answers"
        self.packed = folder / packed_answers.FILE

    def path(self, key: str) -> Path:
        """Where answers with this hash lie."""
        return self.folder / f"{key}.npz"

    def save(self, arrays: Mapping[str, Any]) -> str:
        """Keep arrays, and return their hash.

        Parameters
        ----------
        arrays : mapping of str to array, or None
            Answers by name; those that are None are left out.
        """
        given = {name: values for name, values in arrays.items() if values is not None}
        key = hash_of_arrays(given)
        if not self.path(key).is_file():
            buffer = io.BytesIO()
            np.savez(buffer, **given)
            clear_way(self.path(key))
            write_atomically(self.path(key), buffer.getbuffer())
        return key

    def load(self, key: str) -> dict[str, Any]:
        """The arrays with this hash.

        Parameters
        ----------
        key : str
            What `save` returned, sha256 as 64 hexadecimal digits.

        Raises
        ------
        UserError
            Where the file is damaged, and for what is no hash.
        """
        if not KEY.fullmatch(key):
            raise UserError(
                f"a record names its answers {key!r}; expected a sha256 of 64 hexadecimal digits;"
                " run it again with --fresh"
            )
        path = self.path(key)
        try:
            with self.opened(key) as plain:
                refuse_packed(plain)
                with np.load(plain, allow_pickle=False) as file:
                    arrays = {name: file[name] for name in file.files}
        # the file may be anyone's, and its headers are texts: numpy may stumble in any way
        except Exception as error:
            raise UserError(
                f"the stored answers {path} can't be read ({error}); delete the file and run again"
            ) from error
        if hash_of_arrays(arrays) != key:
            raise UserError(
                f"the stored answers {path} are not what their name says; delete the file and run"
                " again"
            )
        return arrays

    def opened(self, key: str) -> BinaryIO:
        """The file of some answers, or of a published folder their packed bytes."""
        if not self.path(key).is_file():
            content = packed_answers.read_member(
                self.packed, f"{key}.npz", packed_answers.MOST_ANSWER
            )
            if content is not None:
                return io.BytesIO(content)
        return open_plain(self.path(key))

    def has(self, key: str) -> bool:
        """Whether answers with this hash are stored, or packed."""
        if not KEY.fullmatch(key):
            return False
        if self.path(key).is_file():
            return True
        return f"{key}.npz" in packed_answers.names_in(self.packed)

    def discard(self, key: str) -> None:
        """Remove the answers with this hash, if they are there.

        What is no hash names nothing of this folder, and removes nothing.
        """
        if KEY.fullmatch(key):
            clear_way(self.path(key))
            self.path(key).unlink(missing_ok=True)

    def keys(self) -> set[str]:
        """Hashes of everything stored."""
        return {path.stem for path in self.folder.glob("*.npz") if path.is_file()}


def refuse_packed(file: BinaryIO) -> None:
    """Raise ValueError for arrays that lie in a file otherwise than `AnswerStore.save` writes them.

    That is without compression, and so memory holds no more of them than the file is long.
    """
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{member.filename[:40]!r} is compressed")
            with archive.open(member) as array:
                version = np.lib.format.read_magic(array)
                shape, _, kind = HEADERS[version](array)
                count = math.prod(shape) * kind.itemsize
                if count != member.file_size - array.tell():
                    raise ValueError(f"{member.filename[:40]!r} does not hold what its header says")
    file.seek(0)
