"""What the launcher asks of Linux that Python has no function for. Standard library only.

Every function raises OSError where the kernel refuses; the numbers are those of its header files.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import Any

# Namespaces (linux/sched.h).
NEW_FILES = 0x00020000  # CLONE_NEWNS
NEW_IPC = 0x08000000  # CLONE_NEWIPC
NEW_USER = 0x10000000  # CLONE_NEWUSER
NEW_PROCESSES = 0x20000000  # CLONE_NEWPID
NEW_NETWORK = 0x40000000  # CLONE_NEWNET

# Mounts (linux/mount.h).
READ_ONLY = 0x1  # MS_RDONLY and MOUNT_ATTR_RDONLY
NO_SETUID = 0x2  # MS_NOSUID and MOUNT_ATTR_NOSUID
NO_DEVICES = 0x4  # MS_NODEV and MOUNT_ATTR_NODEV
NO_PROGRAMS = 0x8  # MS_NOEXEC and MOUNT_ATTR_NOEXEC
BIND = 0x1000  # MS_BIND
WITH_ALL_BELOW = 0x4000  # MS_REC
PRIVATE = 1 << 18  # MS_PRIVATE
DETACH = 2  # MNT_DETACH

# Numbers of calls (asm/unistd.h): x86_64 has a table of its own, all others of 64 bits share one.
_PIVOT_ROOT = 155 if os.uname().machine == "x86_64" else 41
_KEYCTL = 250 if os.uname().machine == "x86_64" else 219
_MOUNT_SETATTR = 442

_JOIN_SESSION_KEYRING = 1  # KEYCTL_JOIN_SESSION_KEYRING
_AT_RECURSIVE = 0x8000  # AT_RECURSIVE
_AT_HERE = -100  # AT_FDCWD

# Process attributes (linux/prctl.h).
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_DUMPABLE = 4  # PR_SET_DUMPABLE
_SECCOMP = 22  # PR_SET_SECCOMP
_BOUNDING_DROP = 24  # PR_CAPBSET_DROP
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS
_AMBIENT = 47  # PR_CAP_AMBIENT
_AMBIENT_CLEAR_ALL = 4  # PR_CAP_AMBIENT_CLEAR_ALL

# Capabilities (linux/capability.h).
_CAPABILITY_VERSION = 0x20080522
_MOST_CAPABILITIES = 64

_libc: Any = ctypes.CDLL(None, use_errno=True)


def _done(result: int, what: str) -> None:
    """Raise OSError where a call of the C library says that it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _text(value: str | None) -> bytes | None:
    """Text as the C library takes it."""
    return None if value is None else os.fsencode(value)


def unshare(flags: int, what: str) -> None:
    """Give this process the namespaces of `flags` for its own; `what` names them in an error."""
    _done(_libc.unshare(ctypes.c_int(flags)), what)


def own_user_namespace() -> None:
    """Give this process a user namespace: the same user, with every right over what it owns."""
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
    """Give this process an empty session keyring instead of the one of the user's login."""
    _done(_libc.syscall(_KEYCTL, _JOIN_SESSION_KEYRING, None), "session keyring")


def mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    """Mount something on a folder, or change a mount: mount(2).

    Parameters
    ----------
    source, target : str
        What is mounted, and on which folder.
    kind : str or None
        The type of the file system, None for a bind mount.
    flags : int
        Such as `READ_ONLY`.
    options : str or None
        What the file system is told.
    """
    result = _libc.mount(
        _text(source), _text(target), _text(kind), ctypes.c_ulong(flags), _text(options)
    )
    mounted = kind or source
    _done(result, f"mount of {mounted} on {target}" if mounted else f"mount of {target}")


def set_mount(target: str, flags: int, with_all_below: bool = True) -> None:
    """Set flags of a mount: mount_setattr(2), Linux 5.12.

    Parameters
    ----------
    target : str
        The folder on which it is mounted.
    flags : int
        Such as `READ_ONLY`.
    with_all_below : bool
        Whether to set them for the mounts below it, too.
    """
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)
    size = ctypes.c_size_t(len(attributes))
    how = _AT_RECURSIVE if with_all_below else 0
    result = _libc.syscall(_MOUNT_SETATTR, _AT_HERE, _text(target), how, attributes, size)
    _done(result, f"flags of {target}")


def unmount(target: str) -> None:
    """Take a mount and all below it out of sight."""
    _done(_libc.umount2(_text(target), DETACH), f"unmount of {target}")


def make_root(folder: str) -> None:
    """Make a mounted folder the whole file tree of this process; the old tree is out of reach."""
    os.chdir(folder)
    _done(_libc.syscall(_PIVOT_ROOT, b".", b"."), "pivot_root")
    unmount(".")  # the old root lies on top of the new one
    os.chdir("/")


def _prctl(option: int, *values: int) -> None:
    """Set an attribute of this process, prctl(2); nothing on other systems than Linux."""
    if sys.platform == "linux":
        given = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
        _done(_libc.prctl(ctypes.c_int(option), *given), f"prctl {option}")


def end_with_parent(signal: int) -> None:
    """Have this process sent a signal as soon as the one that forked it is gone."""
    _prctl(_DEATH_SIGNAL, signal)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl(_SUBREAPER, 1)


def set_readable_by_others(readable: bool) -> None:
    """Say whether other processes of the user may read this one's memory, files and variables."""
    _prctl(_DUMPABLE, int(readable))


def set_filter(address: int) -> None:
    """Put a filter of system calls on this process and all that it starts.

    Parameters
    ----------
    address : int
        Where in memory its `struct sock_fprog` lies.
    """
    _prctl(_SECCOMP, 2, address)


def no_new_rights() -> None:
    """Give up the ways to gain rights by executing a program."""
    _prctl(_NO_NEW_PRIVILEGES, 1)


def drop_rights() -> None:
    """Give up every capability, and the ways to gain one by executing a program."""
    no_new_rights()
    if sys.platform != "linux":
        return
    try:
        _prctl(_AMBIENT, _AMBIENT_CLEAR_ALL)
        for number in range(_MOST_CAPABILITIES):
            _prctl(_BOUNDING_DROP, number)
    except OSError:
        pass  # this was the last one, or the user has no right to drop any
    header, none = struct.pack("Ii", _CAPABILITY_VERSION, 0), struct.pack("6I", *[0] * 6)
    _done(_libc.capset(header, none), "capset")
