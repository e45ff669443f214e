"""Tells apart what `kobench env create` made and what is the user's, and removes only the first."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

#: The name of a virtual environment's folder.
SERIAL = re.compile(r"[0-9a-f]{8}")

#: The file in it that says whose it is.
MARK = "kobench.json"

#: The names of files beside it, also of those that were half written.
_NAMES = r"(?:environment\.json|seen\.json|lock\.txt)"
FILES = re.compile(rf"{_NAMES}|\.{_NAMES}\.\d+-\d+\.tmp")


def is_ours(folder: Path) -> bool:
    """Whether a folder is empty, or holds nothing but what `create` writes."""
    if folder.is_symlink() or not folder.is_dir():  # what a link leads to is somebody else's
        return False
    entries = list(os.scandir(folder))
    files = [entry for entry in entries if not _is_prefix(entry)]
    if any(
        not FILES.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False)
        for entry in files
    ):
        return False
    return not files or len(files) < len(entries) or _is_about(folder / "environment.json")


def _is_prefix(entry: os.DirEntry[str]) -> bool:
    """Whether it is a virtual environment of `create`'s: it has the mark, or no file at all yet."""
    # the name alone says nothing: a date may look like a serial
    if not SERIAL.fullmatch(entry.name) or not entry.is_dir(follow_symlinks=False):
        return False
    if os.path.isfile(os.path.join(entry.path, MARK)):
        return True
    # a mark that was half written is one, too
    return all(
        name.startswith(f".{MARK}.") for _, _, files in os.walk(entry.path) for name in files
    )


def _is_about(file: Path) -> bool:
    """Whether a file is an environment.json of `create`'s: other programs use this name, too."""
    try:
        about = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and {"format", "serial", "kobench"} <= about.keys()


def remove_others(folder: Path, serial: str, ignore_errors: bool = True) -> None:
    """Remove the virtual environments in an environment's folder, but for one.

    Parameters
    ----------
    folder : Path
        The environment's folder.
    serial : str
        The name of the one that stays; "" for none.
    ignore_errors : bool
        Whether to go on where something can't be removed.
    """
    for entry in list(os.scandir(folder)):
        if entry.name != serial and _is_prefix(entry):
            remove_prefix(Path(entry.path), ignore_errors)


def remove_prefix(prefix: Path, ignore_errors: bool) -> None:
    """Remove a virtual environment; the mark that says whose it is goes last.

    Parameters
    ----------
    prefix : Path
        Its folder, which may be gone already.
    ignore_errors : bool
        Whether to go on where something can't be removed.
    """
    for entry in list(os.scandir(prefix)) if prefix.is_dir() else ():
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=ignore_errors)
    if prefix.is_dir():
        shutil.rmtree(prefix, ignore_errors=ignore_errors)
