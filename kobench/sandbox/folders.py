"""The folder of a trial: links to the modules that its worker imports, and its removal, whatever a
predictor did in it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Mapping
from pathlib import Path

#: How a folder that others may write to is opened: itself, not what a link in its place leads to.
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

#: So often is a folder emptied that someone goes on filling, and for so many seconds at most.
ROUNDS, LONGEST = 10, 600.0


def link_modules(folder: Path, links: Mapping[str, Path]) -> tuple[Path, ...]:
    """Make `folder` a place from which each named package or module can be imported; the real
    places, which must be readable.

    A dot in a name is a package around it that has no files of its own. Raises ValueError for a
    name that can't be imported: it would be a link somewhere else.
    """
    places = []
    for name, place in links.items():
        real = Path(os.path.abspath(place))
        if real.is_dir() and not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(f"{name!r} at {real} can't be the name of a package")
        link = folder / name.replace(".", "/") if real.is_dir() else folder / real.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(real, target_is_directory=real.is_dir())
        places.append(real)
    return tuple(places)


def remove(folder: Path) -> None:
    """Remove a folder and all below it, links as links; folders that were closed to their owner, or
    are nested very deeply, too.

    The folder's parent must be the caller's own. Below it nobody can lead the removal astray,
    whatever he renames meanwhile: each step goes from an open folder to a single name in it, and
    follows no link. What others go on writing may stay.
    """
    try:
        above = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        inner = _opened(above, folder.name)
        if inner is not None:
            try:
                _empty(inner)
            finally:
                os.close(inner)
        _remove_one(above, folder.name)
    finally:
        os.close(above)


def _empty(top: int) -> None:
    """Remove all that is in an open folder.

    What lies deeper is lifted into it first, so that no depth needs more than three open files.
    """
    until = time.monotonic() + LONGEST
    for _ in range(ROUNDS):
        waiting = _without_files(top)
        if not waiting:
            return
        while waiting:
            name = waiting.pop()
            inner = _opened(top, name)
            if inner is None:
                continue
            try:
                for below in _without_files(inner):
                    closed = _opened(inner, below)  # only a folder that may be written can be moved
                    if closed is not None:
                        os.close(closed)
                    lifted = secrets.token_hex(16)
                    with contextlib.suppress(OSError):
                        os.rename(below, lifted, src_dir_fd=inner, dst_dir_fd=top)
                        waiting.append(lifted)
            finally:
                os.close(inner)
            _remove_one(top, name)
            if time.monotonic() > until:
                return


def _without_files(at: int) -> list[str]:
    """Remove what an open folder holds, but for folders that hold something; their names."""
    try:
        return [name for name in os.listdir(at) if not _remove_one(at, name)]
    except OSError:
        return []


def _remove_one(at: int, name: str) -> bool:
    """Remove a file, a link or an empty folder by its name in an open folder; whether it is
    gone.
    """
    try:
        if stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
            os.rmdir(name, dir_fd=at)
        else:
            os.unlink(name, dir_fd=at)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _opened(at: int, name: str) -> int | None:
    """A folder by its name in an open one, opened, and made its owner's to read and write; None
    where it is no folder.
    """
    for _ in range(2):
        try:
            number = os.open(name, FOLDER, dir_fd=at)
        except PermissionError:
            with contextlib.suppress(OSError):
                _open_up(at, name)
        except OSError:
            return None
        else:
            with contextlib.suppress(OSError):
                os.fchmod(number, stat.S_IRWXU)
            return number
    return None


def _open_up(at: int, name: str) -> None:
    """Let the owner into a folder that is closed to him, by its name in an open one; a link is not
    followed.
    """
    if os.chmod in os.supports_follow_symlinks:
        os.chmod(name, stat.S_IRWXU, dir_fd=at, follow_symlinks=False)
        return
    number = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
    try:
        os.chmod(
            f"/proc/self/fd/{number}", stat.S_IRWXU
        )  # the very folder that is open, wherever it lies by now
    finally:
        os.close(number)
