"""A command on a disk of a few MB: a file system in memory that only this command sees.

Words: the folder on which it is mounted, its size as mount says it, and those of `kobench`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kobench.sandbox import kernel

HERE = Path(__file__)


def small_disk(
    folder: Path, size: str, *words: object, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `kobench` with a small disk mounted on a folder.

    Parameters
    ----------
    folder : Path
        Where the disk is.
    size : str
        Such as "100m".
    *words
        What follows `kobench`.
    before : str
        Python that is run first, where the disk is there.
    """
    command = [sys.executable, HERE, folder, size, before, *words]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)


def why_not() -> str:
    """Why no disk can be mounted here, "" where it can."""
    code = "from small_disk import mounted; mounted('/tmp', '1m')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE.parent, capture_output=True, text=True
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def mounted(folder: str, size: str) -> None:
    """Mount it, for this process and its children."""
    kernel.own_user_namespace()
    kernel.unshare(kernel.NEW_FILES, "mount namespace")
    kernel.mount(None, "/", None, kernel.WITH_ALL_BELOW | kernel.PRIVATE)
    kernel.mount("small", folder, "tmpfs", 0, f"size={size}")


if __name__ == "__main__":
    place, how_large, first, *rest = sys.argv[1:]
    mounted(place, how_large)
    main = "; from kobench.cli import main; main()"
    os.execv(sys.executable, [sys.executable, "-c", (first or "pass") + main, *rest])
