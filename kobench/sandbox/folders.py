"""The folder of a trial: links to the modules that its worker imports, and its removal, whatever a predictor did in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def link_modules(folder: Path, links: Mapping[str, Path]) -> tuple[Path, ...]:
    """Make `folder` a place from which each named package or module can be imported; the real places, which must be readable.

    A dot in a name is a package around it that has no files of its own.
    """
    places = []
    for name, place in links.items():
        real = Path(os.path.abspath(place))
        link = folder / name.replace(".", "/") if real.is_dir() else folder / real.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(real, target_is_directory=real.is_dir())
        places.append(real)
    return tuple(places)


def remove(folder: Path) -> None:
    """Remove a folder and all below it, links as links; folders that were closed to their owner, or are nested very deeply, too."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    if not folder.exists():
        return
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, onerror=_open_and_retry)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)


def _open_and_retry(function: Callable[..., Any], path: str, _: Any) -> None:
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), stat.S_IRWXU)
        if not os.path.islink(path) and os.path.isdir(path):
            os.chmod(path, stat.S_IRWXU)
            shutil.rmtree(path, ignore_errors=True)
        else:
            function(path)
