"""What the machine has for this process."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

#: MB are 2**20 bytes.
MB = 1 << 20

#: Where Linux says in which control groups a process is.
GROUPS = Path("/proc/self/cgroup")

#: Where Linux shows control groups of version 2 and 1, and which file of each says how much memory
#: its processes may use.
GROUP_MEMORY = (
    (Path("/sys/fs/cgroup"), "memory.max"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
)


def available_mb() -> int:
    """The memory that this machine, or the control groups of this process, allow it, in MB."""
    available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    kinds, groups = GROUP_MEMORY, groups_of_memory()
    for (root, name), group in ((kinds[0], groups[0]), (kinds[1], groups[1])):
        # every group around this one counts; in a container the root is the container's own
        for folder in (root / group, *(root / group).parents):
            if folder.is_relative_to(root):
                with contextlib.suppress(OSError, ValueError):  # no such group, or "max"
                    available = min(available, int((folder / name).read_text()))
    return available // MB


def groups_of_memory() -> tuple[str, str]:
    """The paths of this process's control groups of version 2 and 1, from their roots on."""
    found = {"": "", "memory": ""}
    with contextlib.suppress(OSError):
        for line in GROUPS.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in controllers.split(","):
                found[controller] = path.lstrip("/")
    return found[""], found["memory"]
