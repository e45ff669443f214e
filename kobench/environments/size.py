"""How much disk an environment takes."""

from __future__ import annotations

import os
from pathlib import Path


def megabytes(folder: Path) -> int:
    """What a folder takes on disk, in MB of 10**6 bytes.

    Links are not followed, and a file with several names counts once.
    """
    total, counted = 0, set()
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(os.path.join(where, name))
            except OSError:
                continue
            if (status.st_dev, status.st_ino) not in counted:
                counted.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return round(total / 1e6)
