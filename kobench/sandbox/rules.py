"""The layers of Landlock: files, TCP, signals and abstract sockets, by the binding landlockpy."""

from __future__ import annotations

import contextlib
import ctypes.util
import os
from collections.abc import Sequence
from typing import Any

from kobench.sandbox.hiding import around

#: The first version of Landlock's interface that has what each layer is made of (kernel
#: documentation, userspace-api/landlock). Before version 3 files that may only be read can be
#: emptied by opening them (O_TRUNC): it is put on, and does not count.
FIRST_ABI = {"landlock-files": 3, "landlock-tcp": 4, "landlock-signals": 6}


def abi() -> int:
    """The version of the kernel's Landlock interface, 0 where it has none.

    Raises
    ------
    ImportError
        landlockpy is not there.
    """
    # to find the C library it would start ldconfig or a compiler; this program has it already
    ctypes.util.find_library = lambda name: None
    import landlockpy

    return int(landlockpy.abi_version())


def restrict(
    wanted: Sequence[str],
    read: Sequence[str],
    write: Sequence[str],
    devices: Sequence[str],
    hidden: Sequence[str] = (),
) -> dict[str, Any]:
    """Restrict this process, and all that it starts, by layers of Landlock.

    Parameters
    ----------
    wanted : sequence of str
        The layers to put on, of `FIRST_ABI`.
    read : sequence of str
        Places whose files may be read and executed.
    write : sequence of str
        Folders in which anything may be done but making devices and controlling them.
    devices : sequence of str
        Files that may be read and written.
    hidden : sequence of str
        Real paths of what lies in `read` and may not be read.

    Returns
    -------
    dict of str to True or str
        For each wanted layer True, or why it is not there.

    Notes
    -----
    Places that do not exist are left out.
    """
    try:
        version = abi()
    except (ImportError, OSError) as error:
        return dict.fromkeys(wanted, f"landlockpy can't be used: {error}")
    if version == 0:
        why = "the kernel has no Landlock, or it was switched off when the machine was started"
        return dict.fromkeys(wanted, why)
    lacking: dict[str, Any] = {
        layer: f"needs version {FIRST_ABI[layer]} of Landlock, the kernel has {version}"
        for layer in wanted
        if version < FIRST_ABI[layer]
    }
    given = [layer for layer in wanted if layer not in lacking or layer == "landlock-files"]
    if not given:
        return lacking
    try:
        _put_on(given, version, around(read, hidden), write, devices)
    except ImportError as error:
        return dict.fromkeys(wanted, f"landlockpy can't be used: {error}")
    except OSError as error:
        return lacking | dict.fromkeys(given, f"{error.strerror or error}")
    return dict.fromkeys(given, True) | lacking


def enclose() -> bool:
    """Restrict this process and all that it starts to sending signals to each other.

    Returns
    -------
    bool
        Whether it is so, seen by trying: a signal to this process's parent was allowed before and
        is refused now.
    """
    parent = os.getppid()
    if parent < 1:  # it would stand for others
        return False
    try:
        os.kill(parent, 0)
    except OSError:
        return False
    if restrict(("landlock-signals",), (), (), ())["landlock-signals"] is not True:
        return False
    try:
        os.kill(parent, 0)
    except PermissionError:
        return True
    except OSError:  # it has ended meanwhile: that shows nothing
        pass
    return False


def _put_on(
    layers: Sequence[str],
    version: int,
    read: tuple[Sequence[str], Sequence[str]],
    write: Sequence[str],
    devices: Sequence[str],
) -> None:
    """Put on layers that this version of Landlock has; raises OSError, ImportError.

    `read` is what `kobench.sandbox.hiding.around` gives.
    """
    from landlockpy import AccessFS, AccessNet, Ruleset, Scope, fs_for_abi, net_for_abi

    every = fs_for_abi(version)
    on_file = AccessFS.EXECUTE | AccessFS.READ_FILE
    on_device = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.IOCTL_DEV | AccessFS.TRUNCATE
    about_devices = AccessFS.MAKE_CHAR | AccessFS.MAKE_BLOCK | AccessFS.IOCTL_DEV
    # (places, what may be done in a folder of theirs, what may be done to a single file of theirs)
    allowed = (
        (read[0], on_file | AccessFS.READ_DIR, on_file),
        (read[1], AccessFS.READ_DIR, AccessFS.NONE),
        (write, every & ~about_devices, on_file),
        (devices, on_file, on_device),
    )
    tcp, signals = "landlock-tcp" in layers, "landlock-signals" in layers
    with Ruleset(
        handled_fs=every if "landlock-files" in layers else AccessFS.NONE,
        handled_net=net_for_abi(version) if tcp else AccessNet.NONE,
        scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL if signals else Scope.NONE,
    ) as ruleset:
        for places, in_folder, to_file in allowed:
            for place in places:
                with contextlib.suppress(FileNotFoundError, PermissionError):
                    ruleset.allow_path(place, in_folder if os.path.isdir(place) else to_file)
        ruleset.restrict()
