"""Landlock, by the binding landlockpy: files, TCP, signals and abstract sockets, for the calling
process and all that it starts.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import os
from collections.abc import Sequence
from typing import Any

#: The first version of Landlock's interface that has what a layer is made of (kernel documentation,
#: userspace-api/landlock).
FIRST_ABI = {"landlock-files": 1, "landlock-tcp": 4, "landlock-signals": 6}


def abi() -> int:
    """Version of the kernel's Landlock interface, 0 for none; raises ImportError without
    landlockpy.
    """
    # it would look for the C library by starting ldconfig or a compiler; this very program has it
    # already
    ctypes.util.find_library = lambda name: None
    import landlockpy

    return int(landlockpy.abi_version())


def restrict(
    wanted: Sequence[str], read: Sequence[str], write: Sequence[str], devices: Sequence[str]
) -> dict[str, Any]:
    """Restrict this process by the wanted ones of Landlock's layers; {layer: True, or why not}.

    read : places whose files may be read and executed. write : folders in which anything may be
    done. devices : files that may be read and written. Places that are not there are left out.
    """
    try:
        version = abi()
        from landlockpy import AccessFS, AccessNet, Ruleset, Scope, fs_for_abi, net_for_abi
    except (ImportError, OSError) as error:
        return dict.fromkeys(wanted, f"landlockpy can't be used: {error}")
    if version == 0:
        return dict.fromkeys(
            wanted,
            "the kernel has no Landlock, or it was switched off when the machine was started",
        )
    lacking = {
        layer: f"needs version {FIRST_ABI[layer]} of Landlock, the kernel has {version}"
        for layer in wanted
        if version < FIRST_ABI[layer]
    }
    given = [layer for layer in wanted if layer not in lacking]
    if not given:
        return lacking
    every = fs_for_abi(version)
    files = every if "landlock-files" in given else AccessFS.NONE
    try:
        with Ruleset(
            handled_fs=files,
            handled_net=net_for_abi(version) if "landlock-tcp" in given else AccessNet.NONE,
            scoped=(
                Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL
                if "landlock-signals" in given
                else Scope.NONE
            ),
        ) as ruleset:
            on_file = AccessFS.EXECUTE | AccessFS.READ_FILE
            for places, rights, rights_on_file in (
                (read, on_file | AccessFS.READ_DIR, on_file),
                (
                    write,
                    every & ~(AccessFS.MAKE_CHAR | AccessFS.MAKE_BLOCK | AccessFS.IOCTL_DEV),
                    on_file,
                ),
                (
                    devices,
                    on_file,
                    AccessFS.READ_FILE
                    | AccessFS.WRITE_FILE
                    | AccessFS.IOCTL_DEV
                    | AccessFS.TRUNCATE,
                ),
            ):
                for place in places:
                    with contextlib.suppress(FileNotFoundError, PermissionError):
                        ruleset.allow_path(
                            place, rights if os.path.isdir(place) else rights_on_file
                        )
            ruleset.restrict()
    except OSError as error:
        return lacking | dict.fromkeys(given, f"{error.strerror or error}")
    return lacking | dict.fromkeys(given, True)
