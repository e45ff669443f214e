"""What runs in the launcher: three processes, of which the last becomes the worker.

Standard library only, one thread.

1. The guard reads the plan and enters namespaces. It ends everything when the harness closes its
   end of the guard's standard input, which happens however the harness ends.
2. The keeper is the first process of the worker's process namespace; where there is none, it
   adopts the orphans that the worker leaves. It waits for the worker and ends what is left, all
   to which Landlock lets it send a signal, or where that can't be all that descends from it.
3. The worker's process shuts itself in and executes the worker's interpreter in its own place.

Guard and keeper each end everything when the other one is gone. What they report to the harness are
lines of JSON on standard output (`kobench.sandbox.start.Launch` hears them).
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from typing import Any

from kobench.sandbox import common, filters, kernel, mounts, outside, rules, sockets, uncounted
from kobench.sandbox.ending import end_descendants, end_domain, reap
from kobench.sandbox.layers import uncovered, without_any

#: How many files each process of a worker may hold open; it can't raise that. The harness looks at
#: each open file to count what it holds.
OPEN_FILES = 4096

#: The exit code where the worker could not be started; shells use the same.
NOT_STARTED = 127


def read_plan() -> dict[str, Any]:
    """The plan (`kobench.sandbox.plan.Plan`), one line of JSON on standard input."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1 << 16)
        if not piece:
            os._exit(1)
        line += piece
    plan: dict[str, Any] = json.loads(line)
    return plan


def report(to: int, **what: Any) -> None:
    """Write one line to the harness, which may be gone by now."""
    with contextlib.suppress(OSError):
        os.write(to, (json.dumps(what) + "\n").encode())


def separate(wanted: list[str]) -> dict[str, Any]:
    """Enter namespaces, each tried on its own.

    Parameters
    ----------
    wanted : list of str
        The layers to try.

    Returns
    -------
    dict of str to True or str
        What became of every layer. Those that the worker's own process puts on are still to come,
        see `shut_in`.
    """
    layers = without_any("not asked for")
    steps: dict[str, Callable[[], None]] = {
        "user-namespace": kernel.own_user_namespace,
        "network-namespace": lambda: kernel.unshare(kernel.NEW_NETWORK, "network namespace"),
        "process-namespace": lambda: kernel.unshare(kernel.NEW_PROCESSES, "process namespace"),
        "ipc-namespace": lambda: kernel.unshare(kernel.NEW_IPC, "ipc namespace"),
    }
    for name, step in steps.items():
        if name in wanted:
            try:
                step()
                layers[name] = True
            except OSError as error:
                layers[name] = f"{error.strerror}"
    if wanted:
        # a kernel may have no keyrings, and a container may forbid them: to the worker, too
        with contextlib.suppress(OSError):
            kernel.own_keyring()
    return layers


def main() -> None:
    """The guard: start the keeper; end everything as soon as the keeper or the harness is gone."""
    plan = read_plan()
    linux = sys.platform == "linux"
    layers = separate(plan["layers"]) if linux else without_any("needs Linux")
    namespace = layers["process-namespace"] is True
    if linux:
        kernel.adopt_orphans()
        kernel.set_readable_by_others(False)
    enclosed = not namespace and may_enclose(plan)
    keeper_alive, keepers_end = os.pipe()
    guard_alive, guards_end = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        os.close(keeper_alive)
        os.close(guards_end)
        keep(plan, layers, guard_alive)
    for number in (keepers_end, guard_alive, *plan["keep"]):
        os.close(number)
    report(1, keeper=keeper)
    poll = select.poll()
    poll.register(0, 0)  # only hang-ups
    poll.register(keeper_alive, 0)
    poll.poll()
    if namespace:
        # the kernel ends all others of the namespace together with its first process
        with contextlib.suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGKILL)
        os.waitpid(keeper, 0)
    end_all_below(enclosed)


def may_enclose(plan: dict[str, Any]) -> bool:
    """Try to have signals of this process reach its descendants alone; whether that is so.

    Guard, keeper and worker each have a domain of their own, and each lies in the one before: who
    is in an inner one can't signal those in an outer one.
    """
    if "landlock-signals" not in plan["layers"] or sys.platform != "linux":
        return False
    with contextlib.suppress(OSError):
        kernel.no_new_rights()
        return rules.enclose()
    return False


def end_all_below(enclosed: bool) -> None:
    """End all that this process and its children started; `enclosed` is what `may_enclose` said."""
    if not (enclosed and end_domain()):
        end_descendants(os.getpid())


def keep(plan: dict[str, Any], layers: dict[str, Any], guard_alive: int) -> None:
    """The keeper: start the worker, report how it ended, end the rest. Does not return.

    Parameters
    ----------
    plan : dict
        See `read_plan`.
    layers : dict of str to True or str
        What became of each layer so far.
    guard_alive : int
        The end of a pipe that hangs up when the guard is gone.
    """
    namespace = layers["process-namespace"] is True
    enclosed = False
    try:
        if sys.platform == "linux":
            enclosed = not namespace and may_enclose(plan)
            signal.signal(signal.SIGTERM, lambda *_: end_all(1, enclosed))
            kernel.end_with_parent(signal.SIGKILL if namespace else signal.SIGTERM)
            kernel.adopt_orphans()
            poll = select.poll()
            poll.register(guard_alive, 0)
            if poll.poll(0):  # the guard was gone before the signal for that was asked for
                end_all(1, enclosed)
        worker = os.fork()
        if worker == 0:
            become_worker(plan, layers)
        os.close(0)
        for number in plan["keep"]:
            os.close(number)
        while True:  # orphans are waited for, too: they are the keeper's children now
            pid, status = os.wait()
            if pid == worker:
                report(1, ended=os.waitstatus_to_exitcode(status))
                break
    finally:
        end_all(0, enclosed)


def end_all(code: int, enclosed: bool) -> None:
    """End everything that the keeper started, then the keeper."""
    if os.getpid() != 1:  # where it is the first of its namespace, the kernel does it
        end_all_below(enclosed)
        reap()
    os._exit(code)


def become_worker(plan: dict[str, Any], layers: dict[str, Any]) -> None:
    """Shut this process in and execute the worker's interpreter in its place. Does not return."""
    out = os.dup(1)  # closed as soon as the interpreter is executed: it can report nothing
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        no_cores()
        if sys.platform == "linux":
            shut_in(plan, layers)
        layers["environment"] = True if "environment" in plan["layers"] else "not asked for"
        report(out, layers=layers)
        if plan["required"] and uncovered(layers):
            os._exit(NOT_STARTED)
        os.chdir(plan["cwd"])
        os.dup2(2, 1)
        close_others({0, 1, 2, out, *plan["keep"]})
        nothing = os.open("/dev/null", os.O_RDONLY)
        os.dup2(nothing, 0)
        bound_files(plan["file_bytes"])
        os.execve(plan["command"][0], plan["command"], plan["environment"])
    except BaseException as error:
        report(out, not_started=f"{type(error).__name__}: {error}")
    os._exit(NOT_STARTED)


def shut_in(plan: dict[str, Any], layers: dict[str, Any]) -> None:
    """Put on the layers of the worker's own process.

    They are a file tree of its own, no rights over the machine, Landlock, and filters of system
    calls. A layer that fails does not keep the next one from being tried.

    Parameters
    ----------
    plan : dict
        See `read_plan`.
    layers : dict of str to True or str
        What became of each layer; those that are put on here are written into it.
    """
    wanted = plan["layers"]
    if plan["processors"]:
        with contextlib.suppress(OSError):  # someone took them from kobench meanwhile
            os.sched_setaffinity(0, plan["processors"])
    # until it executes something else this process's own /proc entries are closed to it
    kernel.set_readable_by_others(True)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if memory runs out, this process is ended first, not the harness
    landlock = [name for name in rules.FIRST_ABI if name in wanted]
    if landlock:
        # it may lie outside the tree to come: it must be imported before
        with contextlib.suppress(ImportError, OSError):
            rules.abi()
    if "mounts" in wanted:
        move_into_own_tree(plan, layers)
    if wanted:
        kernel.drop_rights()
    if landlock:
        own_tree = layers["mounts"] is True
        proc = ["/proc"] if own_tree else ["/proc/self", *mounts.ABOUT_THE_MACHINE]
        shared = ["/dev/shm", "/tmp"] if own_tree else []  # those of the machine are everybody's
        layers |= rules.restrict(
            landlock,
            read=[*plan["read"], *proc],
            write=[*plan["write"], *shared],
            devices=[*mounts.DEVICES, *plan["devices"]],
            hidden=plan["hidden"],
        )
    refused = {
        "seccomp-outside": outside.needed(layers),
        # the last one: it refuses any more
        "seccomp-sockets": (
            *sockets.RULES,
            *common.RULES,
            *uncounted.RULES,
            *(uncounted.PINNED if plan["processors"] else ()),
        ),
    }
    for name in [name for name in refused if name in wanted]:
        try:
            filters.put_on(refused[name])
            layers[name] = True
        except OSError as error:
            layers[name] = f"{error.strerror}"
    kernel.end_with_parent(signal.SIGKILL)


def move_into_own_tree(plan: dict[str, Any], layers: dict[str, Any]) -> None:
    """Put on the layers "mounts" and "own-proc"; what became of them goes into `layers`."""
    own_proc = layers["process-namespace"] is True and "own-proc" in plan["layers"]
    try:
        why_no_proc = mounts.own_tree(plan, own_proc)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        layers["mounts"] = f"{where}{error.strerror}"
        layers["own-proc"] = "needs a file tree of its own"
        return
    layers["mounts"], layers["own-proc"] = True, why_no_proc or True
    if "TMPDIR" in plan["environment"]:
        # a short path: that of a unix socket may have 107 bytes
        plan["environment"]["TMPDIR"] = "/tmp"


def no_cores() -> None:
    """Have this process leave no core when it crashes.

    On Linux a limit of 1 does that also where the machine has a program that takes cores, which 0
    starts.
    """
    if sys.platform == "linux":
        with contextlib.suppress(ValueError, OSError):  # who has a lower one can't raise it
            resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
            return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bound_files(size: int) -> None:
    """Limit how many files this process may hold open, and how large each may become, for good.

    A lower limit stays.
    """
    for kind, wanted in ((resource.RLIMIT_NOFILE, OPEN_FILES), (resource.RLIMIT_FSIZE, size)):
        limits = resource.getrlimit(kind)
        most = min([wanted, *(limit for limit in limits if limit != resource.RLIM_INFINITY)])
        resource.setrlimit(kind, (most, most))


def close_others(kept: set[int]) -> None:
    """Close every file descriptor but the ones that are kept."""
    first = 0
    for number in (*sorted(kept), min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16)):
        if first < number:  # an empty range would be all of them
            os.closerange(first, number)
        first = number + 1
