"""Files written whole or not at all, hashes of files and values, and JSON without NaN."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

#: Bytes of a file that are read at once.
PIECE = 1 << 20

#: How deep JSON may be nested that is read; what is much deeper could not be written again.
DEEPEST = 100

#: The largest number that is read, whose powers are still finite, and its number of digits.
LARGEST, DIGITS = 1e100, 100


def canonical_json(value: Any) -> str:
    """Write a value as JSON, in the same way for all equal values: sorted keys, no spaces.

    Parameters
    ----------
    value : JSON value
        What `json.dumps` takes.

    Returns
    -------
    str
        One line.

    Raises
    ------
    ValueError
        For NaN and infinity, which JSON does not have.

    Examples
    --------
    >>> canonical_json({"b": [1, 2.0], "a": None})
    '{"a":null,"b":[1,2.0]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def hash_of(value: Any) -> str:
    """sha256 of the canonical JSON of a value.

    Examples
    --------
    >>> hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def write_atomically(path: Path, content: bytes | memoryview, mode: int | None = None) -> None:
    """Write a file so that a kill at any moment leaves the old one or the new one, whole.

    Parameters
    ----------
    path : Path
        Its folder is made where there is none.
    content : bytes or memoryview
        All of it.
    mode : int or None
        Who may read and write it; None for what is usual here.

    Raises
    ------
    OSError
        Where it can't be written; nothing is left of it then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def clear_way(path: Path) -> None:
    """Set aside a folder that lies where a file is to be written: nothing in it is lost."""
    if path.is_dir() and not path.is_symlink():
        set_aside(path)


def set_aside(path: Path) -> Path:
    """Rename what lies at a path to a name beside it that is free; returns that name.

    The new name has another ending, so that nobody takes it for what it was.
    """
    number = 1
    while os.path.lexists(free := path.with_name(f"{path.name}.aside-{number}")):
        number += 1
    path.rename(free)
    return free


def umask() -> int:
    """The user's mask for new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def parse_json(text: str) -> Any:
    """Read a JSON value.

    Parameters
    ----------
    text : str
        JSON. NaN and Infinity, which Python would read, are refused, and so are numbers beyond
        `LARGEST`: statistics of them would be infinite.

    Raises
    ------
    ValueError
        Where it is not JSON, or nested too deeply.

    Examples
    --------
    >>> parse_json('{"a": NaN}')
    Traceback (most recent call last):
    ValueError: NaN is not JSON
    """

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    try:
        value = json.loads(
            text, parse_constant=refuse, parse_float=bounded_float, parse_int=bounded_int
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    level = [value] if type(value) in (dict, list) else []
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
        if not level:
            return value
    raise ValueError("it is nested too deeply")


def bounded_float(text: str) -> float:
    """A number of a JSON text; ValueError for one beyond `LARGEST`, such as 1e999."""
    value = float(text)
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{text[:20]} is a larger number than can be computed with")
    return value


def bounded_int(text: str) -> int:
    """A whole number of a JSON text; ValueError for one beyond `LARGEST`."""
    if len(text) > DIGITS:
        raise ValueError(f"{text[:20]}... is a larger number than can be computed with")
    return int(text)


def sha256_of(path: Path) -> str:
    """Hash the bytes of a file, of any size.

    Raises
    ------
    OSError
        Where it can't be read.
    """
    return checksum_of(path, "sha256")


def checksum_of(path: Path, algorithm: str) -> str:
    """The same by another algorithm of `hashlib`, by its name."""
    total = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            total.update(piece)
    return total.hexdigest()


def file_hash(path: Path) -> str:
    """`sha256_of` a file, "" for one that can't be read: its loader is what reports that."""
    try:
        return sha256_of(path)
    except OSError:
        return ""
