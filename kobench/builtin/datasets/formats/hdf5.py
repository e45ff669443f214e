"""HDF5 files: opened with or without locks, and taken apart without following any link."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.bounds import check_memory, check_storage, reading
from kobench.builtin.datasets.formats.held import HeldPart, is_of_memory
from kobench.errors import UserError
from kobench.util.memory import allocating

#: How HDF5 files start; MuData's have 512 bytes of their own before that.
START, MUDATA = b"\x89HDF\r\n\x1a\n", b"MuData"

#: What the library calls a file that another process holds.
HELD = (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK)

Found = TypeVar("Found")


@contextmanager
def opened(path: str, stream: IO[bytes] | None = None) -> Iterator[Hdf5Part]:
    """The whole of an HDF5 file, while it is open.

    Parameters
    ----------
    path : str
        The file, which messages name.
    stream : file, or None
        Its content, where that lies elsewhere.

    Raises
    ------
    UserError
        Where it can't be opened, with the true reason.
    """
    import h5py

    given: Any = stream or path
    try:
        file = h5py.File(given, "r")
    except Exception as error:
        if "unable to lock file" not in str(error) or stream is not None:
            raise UserError(why_closed(path, error)) from error
        if getattr(error, "errno", None) in HELD or _said(error) in HELD:
            raise UserError(
                f"{path} is open in another process that writes it; close it there, or wait, and"
                " try again"
            ) from error
        file = _unlocked(path)
    with file:
        size = os.fstat(stream.fileno()).st_size if stream else os.stat(path).st_size
        yield Hdf5Part(path, "", file, size)


def _unlocked(path: str) -> Any:
    """The file opened without a lock, on a file system that has none."""
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except Exception as error:
        raise UserError(why_closed(path, error)) from error


def _said(error: Exception) -> int:
    """The number of the system's error in the library's text, -1 where there is none."""
    _, _, rest = str(error).partition("errno = ")
    digits = rest.split(",")[0].strip()
    return int(digits) if digits.isdigit() else -1


def check_whole(path: str) -> None:
    """UserError where another library, which reads all of a file, would need far too much memory.

    Parameters
    ----------
    path : str
        An HDF5 file. No part of it may be a link to another place, either.
    """
    import h5py

    with opened(path) as whole:
        claimed, left, seen = 0, [whole], set()
        while left:
            group = left.pop()
            address = h5py.h5o.get_info(group._content.id).addr
            if address in seen:
                raise UserError(unsound(path, f"its group {group.name} lies in two places"))
            seen.add(address)
            for name in group.names():
                part = group.get(name)
                assert part is not None
                if part.is_array:
                    claimed += part._content.nbytes
                    check_memory(path, claimed, whole.file_size)
                else:
                    left.append(part)


def why_closed(path: str, error: Exception) -> str:
    """Why an HDF5 file can't be opened, in a sentence."""
    if "already open for write" in str(error) or "consistency flags" in str(error):
        return (
            f"{path} was not closed by the program that writes it, or is still open there; close it"
            " there, or write it again"
        )
    if isinstance(error, PermissionError):
        return f"{path} may not be read by you ({first_line(error)}); ask its owner"
    return damaged(path, error)


def damaged(path: str, error: Exception) -> str:
    """That a file, or a part of it, is damaged."""
    return f"{path} is truncated or damaged ({first_line(error)}); copy or download it again"


def unsound(path: str, why: str) -> str:
    """That parts of a file contradict each other, which may be so in its source, too."""
    return (
        f"{path} is damaged ({why}); copy or download it again, and if it is the same there, tell"
        " who wrote it"
    )


def not_utf8(path: str, name: str, error: UnicodeDecodeError) -> str:
    """That a text is written in another way than AnnData's, and how it can be read."""
    return (
        f"{path}: {name} holds text that is not UTF-8 ({error.object[:40]!r}); write that part"
        " again as UTF-8 (if it is Latin-1, h5py reads it by file[NAME].asstr('latin-1')[:])"
    )


def first_line(error: Exception) -> str:
    """The type of an error and the first line of its text."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


class Hdf5Part(HeldPart):
    """A group or a dataset of an HDF5 file; a `formats.source.Part`."""

    @property
    def attrs(self) -> Mapping[str, Any]:
        """What is written beside it; texts as str."""
        return _Attributes(self)

    def names(self) -> list[str]:
        """Names of the parts of a group."""
        return [] if self.is_array else self._asked(lambda: [str(name) for name in self._content])

    def get(self, name: str) -> Hdf5Part | None:
        """The part of this name in a group, None where there is none; no link is followed."""
        import h5py

        part = self
        for step in name.split("/"):
            if part.is_array or not step or step in (".", ".."):
                return None
            group = part._content
            link = self._asked(partial(group.get, step, getlink=True))
            if link is None:
                return None
            inner = part._inner(step)
            if not isinstance(link, h5py.HardLink):
                raise UserError(_followed(self.file, inner, "a link to another place"))
            content = self._asked(partial(group.__getitem__, step))
            part = Hdf5Part(self.file, inner, content, self._size)
            if isinstance(content, h5py.Dataset):
                part._check()
        return part

    def _check(self) -> None:
        """UserError where the values lie elsewhere, can't be unpacked, or are made of nothing."""
        import h5py

        content = self._content
        try:
            known = content.dtype
        except TypeError as error:
            raise UserError(
                f"{self.file}: {self.name} holds values of a type that numpy lacks ({error}); name"
                " another part, or write it again as text or numbers"
            ) from error
        if h5py.check_ref_dtype(known) is not None:
            raise UserError(
                f"{self.file}: {self.name} holds references to other parts, not text or numbers;"
                " name another part, or write it again as text or numbers"
            )
        if content.is_virtual or content.external:
            raise UserError(_followed(self.file, self.name, "made of other files or arrays"))
        made = content.id.get_create_plist()
        for place in range(made.get_nfilters()):
            code, _, _, label = made.get_filter(place)
            if not h5py.h5z.filter_avail(code) and not _plugins_have(code):
                shown = bytes(label).decode(errors="replace") or f"number {code}"
                raise UserError(
                    f"{self.file}: {self.name} is compressed by the filter {shown!r}, which h5py"
                    " alone can't read; install hdf5plugin (pip install hdf5plugin), or write the"
                    " file with compression='gzip'"
                )
        check_storage(self, content.nbytes, content.id.get_storage_size())

    def read(self, start: int = 0, stop: int | None = None) -> npt.NDArray[Any]:
        """Numbers, texts (as objects) or records of a dataset, from one row up to another."""
        import h5py

        content = self._content
        if content.shape == ():
            value = self._asked(lambda: self._content[()])
            return np.array([value.decode() if isinstance(value, bytes) else value])
        if content.shape is None:
            return np.zeros(0)
        rows, count = slice(start, stop), (content.shape[0] if stop is None else stop) - start
        if h5py.check_string_dtype(content.dtype) is not None:
            return np.asarray(self._asked(lambda: content.asstr()[rows], count), dtype=object)
        found = np.asarray(self._asked(lambda: content[rows], count))
        words = h5py.check_enum_dtype(content.dtype)
        if words and len(content.shape) == 1:
            named = {number: word for word, number in words.items()}
            return np.array([named.get(each, each) for each in found.tolist()], dtype=object)
        return found

    def _asked(self, work: Callable[[], Found], rows: int = 0) -> Found:
        """What the library gives, of so many rows; UserError where the file is damaged there."""
        try:
            with allocating(reading(self, rows)):
                return work()
        except UnicodeDecodeError as error:
            raise UserError(not_utf8(self.file, self.name, error)) from error
        # HDF5 has no common error: OSError where a file is cut, RuntimeError and others inside it
        except Exception as error:
            if is_of_memory(error):
                raise self._too_large(rows) from error
            raise UserError(damaged(self.file, error)) from error


class _Attributes(Mapping[str, Any]):
    """The attributes of a group or dataset; texts as str."""

    def __init__(self, part: Hdf5Part) -> None:
        self._part, self._attrs = part, part._content.attrs

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        value = self._part._asked(lambda: self._attrs[key])
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    def __contains__(self, key: object) -> bool:
        return self._part._asked(lambda: key in self._attrs)

    def __iter__(self) -> Iterator[str]:
        return iter(self._part._asked(lambda: list(self._attrs)))

    def __len__(self) -> int:
        return self._part._asked(lambda: len(self._attrs))


def _followed(file: str, name: str, what: str) -> str:
    """Why nothing is read from elsewhere."""
    return (
        f"{file}: {name} is {what}, and kobench follows none; write the file again with its content"
        " in it (adata.write_h5ad(FILE))"
    )


def _plugins_have(code: int) -> bool:
    """Whether the package hdf5plugin is here, and reads this filter."""
    import h5py

    try:
        import hdf5plugin  # noqa: F401 - importing it registers filters
    except ImportError:
        return False
    return bool(h5py.h5z.filter_avail(code))
