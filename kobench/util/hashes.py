"""Hashes of files that are remembered from one command to the next."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from kobench.util.files import hash_of, sha256_of, write_atomically
from kobench.util.text import one_line

#: Nanoseconds for which a file that was just changed is hashed again. Clocks of file systems go in
#: steps of up to 2 s: a second change in the same step leaves the times as they are.
YOUNG = 3_000_000_000

#: Bytes from which on somebody who waits is told what is read.
MUCH = 1_000_000_000


def stamp_of(path: Path) -> list[int]:
    """What changes with a file: size, times and number; OSError where there is none.

    Nobody can set the time of the last change (ctime), so a file that was given its old size and
    time is seen, too.
    """
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev]


class Hashes:
    """sha256 of files; one that is as it was is not read again.

    Parameters
    ----------
    memory : Path
        The file in which they are remembered. One that can't be read or written costs time and
        nothing else.
    """

    def __init__(self, memory: Path) -> None:
        self.memory = memory
        self._known: dict[str, Any] = {}
        self._new: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            content = json.loads(memory.read_bytes())
            self._known = content if isinstance(content, dict) else {}

    def of(self, path: Path) -> str:
        """sha256 of a file; OSError where it can't be read."""
        found = self._remembered(path)
        if found is not None:
            return found
        now, before = time.time_ns(), stamp_of(path)
        found = sha256_of(path)
        # one that is written to at this moment is not remembered, nor is one that just was
        if stamp_of(path) == before and max(before[1:3]) + YOUNG < now:
            self._new[_key(path)] = [*before, found]
        return found

    def _remembered(self, path: Path) -> str | None:
        entry = self._known.get(_key(path))
        if isinstance(entry, list) and len(entry) == 6 and entry[:-1] == stamp_of(path):
            return str(entry[-1])
        return None

    def unread(self, path: Path) -> int:
        """How many bytes must be read to hash a file; OSError where there is none."""
        return 0 if self._remembered(path) is not None else stamp_of(path)[0]

    def keep(self) -> None:
        """Write down what is new."""
        if self._new:
            with contextlib.suppress(OSError):
                content = json.dumps({**self._known, **self._new})
                write_atomically(self.memory, content.encode())


def _key(path: Path) -> str:
    return os.path.abspath(path)


def hash_of_all(files: Mapping[str, Path], hashes: Hashes, what: str, modes: bool = False) -> str:
    """One hash of the names and contents of files, wherever they lie.

    Parameters
    ----------
    files : mapping of str to Path
        Name -> place. Of a link to a folder it counts where it leads, of anything else that is no
        file only what it is.
    hashes : Hashes
        Remembers the contents.
    what : str
        What they are, for who waits while much is read.
    modes : bool
        Whether what else a program can read of a file, and an installer keeps, counts: that it may
        be executed, and the text of a link. Times never do.

    Returns
    -------
    str
        sha256, in hexadecimal.
    """
    total = sum(_unread(path, hashes) for path in files.values())
    if total >= MUCH:
        sentence = f"kobench reads {total / 1e9:.1f} GB of {what} to know whether it has changed"
        print(one_line(f"{sentence}; what stays as it is is not read again"), file=sys.stderr)
    found = hash_of(
        [
            [name, _content(files[name], hashes), *(_beside(files[name]) if modes else ())]
            for name in sorted(files)
        ]
    )
    hashes.keep()
    return found


def _unread(path: Path, hashes: Hashes) -> int:
    try:
        return hashes.unread(path) if _is_file(path) else 0
    except OSError:
        return 0


def _content(path: Path, hashes: Hashes) -> str:
    """What a file, or something else, contributes to a hash."""
    try:
        if _is_file(path):
            return hashes.of(path)
        if path.is_symlink():
            return f"leads to {os.readlink(path)}"
        return f"mode {stat.S_IFMT(os.lstat(path).st_mode)}"
    except OSError as error:
        return f"can't be read ({error.errno})"


def _beside(path: Path) -> list[str]:
    """What a file says beside its content; nothing for most."""
    found = []
    with contextlib.suppress(OSError):
        if path.is_symlink() and _is_file(path):
            found.append(f"by {os.readlink(path)}")
        if _is_file(path) and os.stat(path).st_mode & 0o111:
            found.append("may be executed")
    return found


def _is_file(path: Path) -> bool:
    return stat.S_ISREG(os.stat(path).st_mode)


def stamp_of_all(paths: Iterable[Path]) -> str:
    """A text that changes when one of these files is changed, added or removed; none is read."""
    found = []
    for path in sorted(paths):
        try:
            found.append([str(path), *stamp_of(path)])
        except OSError:
            found.append([str(path)])
    return hash_of(found)


def files_below(folder: Path, empty: bool = False) -> dict[str, Path]:
    """All files in a folder and in those below it.

    Parameters
    ----------
    folder : Path
        Links to folders are not followed; they are listed as files are.
    empty : bool
        Whether to list folders in which nothing is, too: a program can read their names. Python
        makes those called `__pycache__` for everybody.

    Returns
    -------
    dict of str to Path
        Path from the folder -> place.
    """
    found = {}
    for inner, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(inner, name))]
        is_cache = os.path.basename(inner) == "__pycache__"
        if empty and not (folders or names or is_cache) and inner != str(folder):
            links.append("")
        for name in (*names, *links):
            path = os.path.join(inner, name)
            found[os.path.relpath(path, folder).replace(os.sep, "/")] = Path(path)
    return found


def without_caches(
    files: Mapping[str, Path], brought: Collection[str] = ()
) -> tuple[dict[str, Path], frozenset[Path]]:
    """Files without those that Python and Numba make anew, and the folders in which those lie.

    What is left out looks compiled, and may hold anything: whoever leaves it out of what a result
    depends on hides these folders from who gives the result.

    Parameters
    ----------
    files : mapping of str to Path
        Name -> place.
    brought : collection of str
        Names of those that count whatever they are called.

    Returns
    -------
    files : dict of str to Path
        Those that are left.
    caches : frozenset of Path
        Folders called `__pycache__`.
    """
    out = {
        name: path for name, path in files.items() if name not in brought and is_compiled(str(path))
    }
    left = {name: path for name, path in files.items() if name not in out}
    return left, frozenset(path.parent for path in out.values())


#: What Python and Numba call such files; one that is being written has a number behind.
CACHED = re.compile(r"\.(pyc|pyo)(\.\d+)?$|\.(nbi|nbc)$")


def is_compiled(path: str) -> bool:
    """Whether a file looks as if Python or Numba kept it of code that they compiled.

    Examples
    --------
    >>> beside = Path(__file__).parent / "__pycache__"
    >>> is_compiled(str(beside / "hashes.cpython-311.pyc")), is_compiled(str(beside / "w.npz"))
    (True, False)

    A module that has no source is code itself, and beside its source nobody keeps it:

    >>> is_compiled("no/such/__pycache__/module.pyc"), is_compiled(__file__ + "c")
    (False, False)
    """
    folder, name = os.path.split(path)
    above, last = os.path.split(folder)
    if last != "__pycache__" or not CACHED.search(name):
        return False
    return os.path.exists(os.path.join(above, name.partition(".")[0] + ".py"))
