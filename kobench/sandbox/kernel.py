"""What the launcher asks of Linux that Python has no function for.

Standard library only; every call raises OSError with its reason.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import Any

# Namespaces (linux/sched.h).
NEW_FILES, NEW_USER, NEW_PROCESSES, NEW_NETWORK, NEW_IPC = (
    0x00020000,
    0x10000000,
    0x20000000,
    0x40000000,
    0x08000000,
)

# Mounts (linux/mount.h).
NO_SETUID, NO_DEVICES, NO_PROGRAMS, BIND, WITH_ALL_BELOW, PRIVATE = (
    0x2,
    0x4,
    0x8,
    0x1000,
    0x4000,
    1 << 18,
)
READ_ONLY = 0x1
DETACH = 2

_PIVOT_ROOT = {"x86_64": 155}  # all others of 64 bits have the number of the generic table
_MOUNT_SETATTR = 442
_KEYCTL = {"x86_64": 250}  # likewise
_JOIN_SESSION_KEYRING = 1
_AT_RECURSIVE, _AT_HERE = 0x8000, -100

# Process attributes (linux/prctl.h).
_DEATH_SIGNAL, _DUMPABLE, _SECCOMP, _BOUNDING_DROP, _SUBREAPER, _NO_NEW_PRIVILEGES, _AMBIENT = (
    1,
    4,
    22,
    24,
    36,
    38,
    47,
)

_libc: Any = ctypes.CDLL(None, use_errno=True)


def _done(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _text(value: str | None) -> bytes | None:
    return None if value is None else os.fsencode(value)


def unshare(flags: int, what: str) -> None:
    """Give this process namespaces of its own."""
    _done(_libc.unshare(ctypes.c_int(flags)), what)


def own_user_namespace() -> None:
    """A user namespace in which this process is itself, and has every right over what the namespace
    owns.
    """
    user, group = os.geteuid(), os.getegid()
    unshare(NEW_USER, "user namespace")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def own_keyring() -> None:
    """An empty session keyring for this process and all that it starts, in place of the one of the
    user's login.
    """
    _done(
        _libc.syscall(_KEYCTL.get(os.uname().machine, 219), _JOIN_SESSION_KEYRING, None),
        "session keyring",
    )


def mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    """mount(2)."""
    given = _libc.mount(
        _text(source), _text(target), _text(kind), ctypes.c_ulong(flags), _text(options)
    )
    _done(
        given, f"mount of {kind or source} on {target}" if kind or source else f"mount of {target}"
    )


def set_mount(target: str, flags: int, with_all_below: bool = True) -> None:
    """Set flags of a mount, and of the mounts below it (mount_setattr(2), Linux 5.12)."""
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)
    how = _AT_RECURSIVE if with_all_below else 0
    _done(
        _libc.syscall(
            _MOUNT_SETATTR,
            _AT_HERE,
            _text(target),
            how,
            attributes,
            ctypes.c_size_t(len(attributes)),
        ),
        f"flags of {target}",
    )


def unmount(target: str) -> None:
    """Take a mount and all below it out of sight."""
    _done(_libc.umount2(_text(target), DETACH), f"unmount of {target}")


def make_root(folder: str) -> None:
    """Make a mounted folder this process's whole file tree; the one before is gone."""
    os.chdir(folder)
    number = _PIVOT_ROOT.get(os.uname().machine, 41)
    _done(
        _libc.syscall(number, b".", b"."), "pivot_root"
    )  # the old root now lies on top of the new one
    unmount(".")
    os.chdir("/")


def _prctl(option: int, *values: int) -> None:
    if sys.platform == "linux":
        given = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
        _done(_libc.prctl(ctypes.c_int(option), *given), f"prctl {option}")


def end_with_parent(signal: int) -> None:
    """Have this process sent a signal when the one that forked it is gone."""
    _prctl(_DEATH_SIGNAL, signal)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl(_SUBREAPER, 1)


def set_readable_by_others(readable: bool) -> None:
    """Whether other processes of the same user may read this one's memory, files and variables."""
    _prctl(_DUMPABLE, int(readable))


def set_filter(address: int) -> None:
    """Put a filter of system calls (the address of a `struct sock_fprog`) on this process and all
    that it starts.
    """
    _prctl(_SECCOMP, 2, address)


def drop_rights() -> None:
    """Give up every capability, and the ways to gain one by executing a program."""
    _prctl(_NO_NEW_PRIVILEGES, 1)
    if sys.platform != "linux":
        return
    try:
        _prctl(_AMBIENT, 4)  # PR_CAP_AMBIENT_CLEAR_ALL
        for number in range(64):
            _prctl(_BOUNDING_DROP, number)
    except OSError:
        pass  # past the last one, or none to drop: a user without rights
    header, none = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[0] * 6)
    _done(_libc.capset(header, none), "capset")
