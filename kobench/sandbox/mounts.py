"""The layers "mounts" and "own-proc": a file tree that holds only what the worker may reach.

The tree is empty at first. Each place that the worker may read or write is bound into it at the
path that it has outside.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from kobench.sandbox import kernel
from kobench.sandbox.hiding import in_order

#: Devices that every program expects.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

#: Files of /proc by which libraries learn how large the machine is. They are those of the machine
#: where the worker has no /proc of its own.
ABOUT_THE_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version")

#: The flags of every mount but those of devices.
_PLAIN = kernel.NO_SETUID | kernel.NO_DEVICES

#: How many files /dev/shm may hold for each MB: empty ones take memory, too.
FILES = 64

#: How many links may follow each other on the way to a place, path_resolution(7).
_MOST_LINKS = 40


def own_tree(plan: Mapping[str, Any], own_proc: bool) -> str | None:
    """Move this process into a file tree of its own.

    Parameters
    ----------
    plan : mapping of str to object
        The fields of a `kobench.sandbox.plan.Plan`, of which `tree`, `temporary`, `read`, `hidden`,
        `write`, `devices` and `memory_mb` count.
    own_proc : bool
        Whether to try a /proc that shows the worker's processes alone.

    Returns
    -------
    str or None
        Why it has no such /proc, None where it has.

    Raises
    ------
    OSError
        It can't have such a tree; then all files are where they were.
    """
    tree = plan["tree"]
    kernel.unshare(kernel.NEW_FILES, "mount namespace")
    # from here on nothing that is mounted is seen outside
    kernel.mount(None, "/", None, kernel.WITH_ALL_BELOW | kernel.PRIVATE)
    kernel.mount("tree", tree, "tmpfs", _PLAIN, "size=4m,mode=755")
    try:
        os.makedirs(tree + "/dev/shm")
        size = f"size={plan['memory_mb']}m,nr_inodes={FILES * plan['memory_mb']},mode=1777"
        kernel.mount("memory", tree + "/dev/shm", "tmpfs", _PLAIN, size)
        os.makedirs(tree + "/tmp")
        kernel.mount(plan["temporary"], tree + "/tmp", None, kernel.BIND)
        kernel.set_mount(tree + "/tmp", _PLAIN)
        bind_all(tree, plan["read"], kernel.READ_ONLY | _PLAIN, plan["hidden"])
        bind_all(tree, plan["write"], _PLAIN)
        # devices can be written to there all the same; their modes and owners can't be changed
        bind_all(tree, (*DEVICES, *plan["devices"]), kernel.READ_ONLY | kernel.NO_SETUID)
        for name, number in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
            os.symlink(f"/proc/self/fd{number}", f"{tree}/dev/{name}")
        why = mount_proc(tree, own_proc)
        kernel.set_mount(tree, kernel.READ_ONLY | _PLAIN, with_all_below=False)
        kernel.make_root(tree)
    except OSError:
        with contextlib.suppress(OSError):
            kernel.unmount(tree)
        raise
    return why


def bind_all(tree: str, places: Sequence[str], flags: int, hidden: Sequence[str] = ()) -> None:
    """Bind places into the tree at their own paths.

    Parameters
    ----------
    tree : str
        The folder that becomes the file tree.
    places : sequence of str
        Absolute paths; those that do not exist are left out.
    flags : int
        What may be done there, such as `kobench.sandbox.kernel.READ_ONLY`.
    hidden : sequence of str
        Real paths of what is not to be seen there: an empty file or folder lies over it.
    """
    reals = sorted({lay_links(tree, place) for place in places if os.path.exists(place)})
    emptied: list[str] = []
    for real, shown in in_order(reals, filter(os.path.exists, hidden)):
        inside = tree + real
        if not shown:
            cover(tree, inside)
            emptied.append(inside)
            continue
        if os.path.isdir(real):
            os.makedirs(inside, exist_ok=True)
        elif not os.path.exists(inside):
            os.makedirs(os.path.dirname(inside), exist_ok=True)
            with open(inside, "w"):
                pass
        kernel.mount(real, inside, None, kernel.BIND | kernel.WITH_ALL_BELOW)
        kernel.set_mount(inside, flags)
    for inside in emptied:  # not before: what may be read in it needs a place to be bound to
        kernel.set_mount(inside, kernel.READ_ONLY | _PLAIN, with_all_below=False)


def cover(tree: str, inside: str) -> None:
    """Lay an empty file or folder over one that is bound into the tree.

    Parameters
    ----------
    tree : str
        The folder that becomes the file tree.
    inside : str
        What is covered, a path in it.
    """
    if os.path.isdir(inside):
        kernel.mount("empty", inside, "tmpfs", _PLAIN, "size=1m,mode=755")
        return
    empty = tree + "/empty"
    with open(empty, "w"):
        pass
    kernel.mount(empty, inside, None, kernel.BIND)
    os.unlink(empty)  # what is bound stays


def lay_links(tree: str, path: str) -> str:
    """Make the links on the way to a place in the tree as they are outside.

    Parameters
    ----------
    tree : str
        The folder that becomes the file tree.
    path : str
        The place, an absolute path.

    Returns
    -------
    str
        Its real path, on which there is no link.
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
    """Mount a /proc that shows the worker's own processes alone, and can only be read.

    Where that is not allowed or not wanted, the tree gets `ABOUT_THE_MACHINE` of the machine's.

    Parameters
    ----------
    tree : str
        The folder that becomes the file tree.
    own : bool
        Whether it is wanted.

    Returns
    -------
    str or None
        Why it is not there, None where it is.
    """
    os.makedirs(tree + "/proc", exist_ok=True)
    why = "needs a process namespace"
    if own:
        # root may write to /proc/sys without any right over the machine
        flags = kernel.READ_ONLY | _PLAIN | kernel.NO_PROGRAMS
        # hidepid hides what it may not look into anyway, such as the process that watches over it
        for options in ("hidepid=4", "hidepid=2", None):
            try:
                kernel.mount("proc", tree + "/proc", "proc", flags, options)
            except OSError as error:
                why = (
                    f"{error.strerror} (a container that masks parts of /proc forbids another one)"
                )
            else:
                return None
    with contextlib.suppress(OSError):
        bind_all(tree, ABOUT_THE_MACHINE, kernel.READ_ONLY | _PLAIN)
    return why
