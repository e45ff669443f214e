"""A file tree of its own for the worker: an empty one, into which only what may be read or written
is bound, at the same paths.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Sequence

from kobench.sandbox import kernel

#: Devices that programs expect.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

#: Files of the machine's /proc that libraries ask how large the machine is, where there is no /proc
#: of its own.
ABOUT_THE_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version")

_SHARED = kernel.NO_SETUID | kernel.NO_DEVICES

#: As many links may follow each other on the way to a place (path_resolution(7)).
_MOST_LINKS = 40


def own_tree(
    tree: str,
    read: Sequence[str],
    write: Sequence[str],
    devices: Sequence[str],
    temporary: str,
    memory_mb: int,
    own_proc: bool,
) -> str | None:
    """Move this process into a file tree of its own; why it has no /proc of its own, None if it
    has.

    tree : an empty folder outside all the places. temporary : the folder that becomes /tmp.
    memory_mb : how much /dev/shm may hold. Raises OSError, and then everything is as it was.
    """
    kernel.unshare(kernel.NEW_FILES, "mount namespace")
    kernel.mount(
        None, "/", None, kernel.WITH_ALL_BELOW | kernel.PRIVATE
    )  # nothing done here is seen outside
    kernel.mount("tree", tree, "tmpfs", _SHARED, "size=4m,mode=755")
    try:
        os.makedirs(tree + "/dev/shm")
        kernel.mount("memory", tree + "/dev/shm", "tmpfs", _SHARED, f"size={memory_mb}m,mode=1777")
        os.makedirs(tree + "/tmp")
        kernel.mount(temporary, tree + "/tmp", None, kernel.BIND)
        kernel.set_mount(tree + "/tmp", _SHARED)
        bind_all(tree, read, kernel.READ_ONLY | _SHARED)
        bind_all(tree, write, _SHARED)
        bind_all(tree, (*DEVICES, *devices), kernel.NO_SETUID)
        for name, number in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
            os.symlink(f"/proc/self/fd{number}", f"{tree}/dev/{name}")
        why = mount_proc(tree, own_proc)
        kernel.set_mount(tree, kernel.READ_ONLY | _SHARED, with_all_below=False)
        kernel.make_root(tree)
    except OSError:
        with contextlib.suppress(OSError):
            kernel.unmount(tree)
        raise
    return why


def bind_all(tree: str, places: Sequence[str], flags: int) -> None:
    """Bind places that exist into the tree; those below one that is bound already need nothing."""
    bound: list[str] = []
    for real in sorted({lay_links(tree, place) for place in places if os.path.exists(place)}):
        if any(real == above or real.startswith(above + "/") for above in bound):
            continue
        bound.append(real)
        inside = tree + real
        if os.path.isdir(real):
            os.makedirs(inside, exist_ok=True)
        elif not os.path.exists(inside):
            os.makedirs(os.path.dirname(inside), exist_ok=True)
            with open(inside, "w"):
                pass
        kernel.mount(real, inside, None, kernel.BIND | kernel.WITH_ALL_BELOW)
        kernel.set_mount(inside, flags)


def lay_links(tree: str, path: str) -> str:
    """The real path behind a path; the links on the way to it are made in the tree as they are
    outside.
    """
    done, parts, links = "/", deque(path.split("/")), 0
    while parts:
        part = parts.popleft()
        if part in ("", "."):
            continue
        if part == "..":
            done = os.path.dirname(done)
            continue
        here = os.path.join(done, part)
        if not os.path.islink(here):
            done = here
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(40, "too many links", path)
        target = os.readlink(here)
        if not os.path.lexists(tree + here):
            os.makedirs(os.path.dirname(tree + here), exist_ok=True)
            os.symlink(target, tree + here)
        parts.extendleft(reversed(target.split("/")))
        done = "/" if target.startswith("/") else done
    return done


def mount_proc(tree: str, own: bool) -> str | None:
    """A /proc that shows the worker's own processes alone, if it may be had; else why not, and a
    few files about the machine.
    """
    os.makedirs(tree + "/proc", exist_ok=True)
    why = "needs a process namespace"
    if own:
        flags = _SHARED | kernel.NO_PROGRAMS
        for options in (
            "hidepid=4",
            "hidepid=2",
            None,
        ):  # hidden: what it may not look into anyway, such as the one that watches over it
            try:
                kernel.mount("proc", tree + "/proc", "proc", flags, options)
            except OSError as error:
                why = (
                    f"{error.strerror} (a container that masks parts of /proc forbids another one)"
                )
            else:
                return None
    with contextlib.suppress(OSError):
        bind_all(tree, ABOUT_THE_MACHINE, kernel.READ_ONLY | _SHARED)
    return why
