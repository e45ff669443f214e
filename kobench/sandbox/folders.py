"""The folder of a launch: links to modules in it, and its removal after a stranger wrote there."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Mapping
from pathlib import Path

#: How a folder is opened to which others may write: itself, never what a link in its place leads
#: to.
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

#: How often a folder is emptied that someone goes on filling.
ROUNDS = 10

#: Seconds after which the removal of a folder is given up.
LONGEST = 600.0


def link_modules(folder: Path, links: Mapping[str, Path]) -> tuple[Path, ...]:
    """Make a folder from which packages and modules can be imported that lie elsewhere.

    Parameters
    ----------
    folder : Path
        Where the links are made.
    links : mapping of str to Path
        Where each package or module lies. Of a package the name counts; a dot in it stands for a
        package around it that has no files of its own. A module keeps the name of its file.

    Returns
    -------
    tuple of Path
        Where the links lead; whoever imports them must be able to read these places.

    Raises
    ------
    ValueError
        A package's name can't be imported, such as "..": its link would lie somewhere else.
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
    """Remove a folder and all below it, however deep, and folders that are closed to their owner.

    Parameters
    ----------
    folder : Path
        What is removed. Nobody but the caller may be able to write to its parent.

    Notes
    -----
    Somebody else may rename and replace what lies below at the same time, and can't lead the
    removal astray: each step goes from an open folder to a single name in it, and a link is
    removed itself, never followed. What is written meanwhile may stay.
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

    What lies deeper is first moved up into it, so that three open files are enough for any depth.
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
                    # opening it lets its owner write to it: else it could not be moved
                    opened = _opened(inner, below)
                    if opened is not None:
                        os.close(opened)
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
    """Remove the files and empty folders in an open folder; the names of those that stay."""
    try:
        return [name for name in os.listdir(at) if not _remove_one(at, name)]
    except OSError:
        return []


def _remove_one(at: int, name: str) -> bool:
    """Remove a file, link or empty folder, a name in an open folder; whether it is gone."""
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
    """Open a folder, a name in an open one, and let its owner do all in it; None for no folder."""
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
    """Let the owner into a folder that is closed to him, a name in an open one; follows no link."""
    if os.chmod in os.supports_follow_symlinks:
        os.chmod(name, stat.S_IRWXU, dir_fd=at, follow_symlinks=False)
        return
    number = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
    try:
        # by this path it is the very folder that is open, wherever it lies by now
        os.chmod(f"/proc/self/fd/{number}", stat.S_IRWXU)
    finally:
        os.close(number)
