"""How many bytes a folder holds that somebody may be writing to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

#: Bytes that a file or folder counts beside its blocks: a million empty files are something
#: written, too.
ENTRY = 1024


class Unmeasurable(Exception):  # noqa: N818 - a finding, not a mistake of this program
    """A folder that can't be looked into."""


def folder_bytes(folder: Path) -> Iterator[int]:
    """Sum up what a folder holds, entry by entry.

    Parameters
    ----------
    folder : Path
        Where to begin; links are not followed.

    Yields
    ------
    int
        Bytes of what was seen so far; the last number is that of the whole folder.

    Raises
    ------
    Unmeasurable
        A folder in it can't be looked into.

    Notes
    -----
    Blocks count, not lengths: a file may have holes. A file with several names counts once, and
    each entry has `ENTRY` bytes more. What goes away meanwhile is left out.
    """
    total, seen = 0, set()
    waiting = [str(folder)]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except (FileNotFoundError, NotADirectoryError):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    key = found.st_dev, found.st_ino
                    if key not in seen:
                        if found.st_nlink > 1:
                            seen.add(key)
                        total += found.st_blocks * 512 + ENTRY
                    yield total
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:  # closed to the harness, or nested too deep for a path
            raise Unmeasurable(error.strerror or "unknown") from error
    yield total
