"""What runs in the launcher: namespaces, two processes that watch, and the third, which shuts
itself in and becomes the worker.

Standard library only, one thread. The guard (first process) sees that everything ends when the
harness closes its end of standard input, however the harness ends. The keeper (second) is the first
process of the worker's process namespace, or adopts orphans, waits for the worker and ends what it
left. Each of the two ends everything when the other is gone. Reports are lines of JSON on standard
output.
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

from kobench.sandbox import kernel, mounts, rules, sockets
from kobench.sandbox.ending import end_descendants, reap
from kobench.sandbox.layers import uncovered, without_any

#: Files that each process of a worker may hold open, and it can't raise that: what it holds is
#: looked at, file by file.
OPEN_FILES = 4096

#: Exit code of a worker that could not be started; shells use it for the same.
NOT_STARTED = 127


def read_plan() -> dict[str, Any]:
    """The plan, one line on standard input (`kobench.sandbox.start` writes it)."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1 << 16)
        if not piece:
            os._exit(1)
        line += piece
    plan: dict[str, Any] = json.loads(line)
    return plan


def report(to: int, **what: Any) -> None:
    """One line to the harness; it may be gone."""
    with contextlib.suppress(OSError):
        os.write(to, (json.dumps(what) + "\n").encode())


def separate(wanted: list[str]) -> dict[str, Any]:
    """Enter namespaces, each tried alone; {layer: True, or why not} for every layer, those of the
    worker itself still to come.
    """
    layers = without_any("not asked for")
    steps: dict[str, Callable[[], None]] = {
        "user-namespace": kernel.own_user_namespace,
        "network-namespace": lambda: kernel.unshare(kernel.NEW_NETWORK, "network namespace"),
        "process-namespace": lambda: kernel.unshare(kernel.NEW_PROCESSES, "process namespace"),
    }
    for name, step in steps.items():
        if name in wanted:
            try:
                step()
                layers[name] = True
            except OSError as error:
                layers[name] = f"{error.strerror}"
    if "process-namespace" in wanted:
        with contextlib.suppress(OSError):  # System V shared memory and message queues
            kernel.unshare(kernel.NEW_IPC, "ipc namespace")
    if wanted:
        with contextlib.suppress(
            OSError
        ):  # a kernel without keyrings, or a container that forbids them: to the worker, too
            kernel.own_keyring()
    return layers


def main() -> None:
    """The guard: start the keeper, and end everything as soon as either it or the harness is
    gone.
    """
    plan = read_plan()
    linux = sys.platform == "linux"
    layers = separate(plan["layers"]) if linux else without_any("needs Linux")
    namespace = layers["process-namespace"] is True
    if linux:
        kernel.adopt_orphans()
        kernel.set_readable_by_others(False)
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
        with contextlib.suppress(ProcessLookupError):
            os.kill(
                keeper, signal.SIGKILL
            )  # the kernel ends all others of the namespace with its first process
        os.waitpid(keeper, 0)
    end_descendants(os.getpid())


def keep(plan: dict[str, Any], layers: dict[str, Any], guard_alive: int) -> None:
    """The keeper: start the worker, adopt and reap orphans, report how the worker ended and end the
    rest. Does not return.
    """
    namespace = layers["process-namespace"] is True
    try:
        if sys.platform == "linux":
            signal.signal(signal.SIGTERM, lambda *_: end_all(1))
            kernel.end_with_parent(signal.SIGKILL if namespace else signal.SIGTERM)
            kernel.adopt_orphans()
            poll = select.poll()
            poll.register(guard_alive, 0)
            if poll.poll(0):  # it was gone before it could be asked to send a signal then
                end_all(1)
        worker = os.fork()
        if worker == 0:
            become_worker(plan, layers)
        os.close(0)
        for number in plan["keep"]:
            os.close(number)
        while True:
            pid, status = os.wait()
            if pid == worker:
                report(1, ended=os.waitstatus_to_exitcode(status))
                break
    finally:
        end_all(0)


def end_all(code: int) -> None:
    """End everything that the keeper started, then the keeper."""
    if os.getpid() != 1:  # else the kernel does it
        end_descendants(os.getpid())
        reap()
    os._exit(code)


def become_worker(plan: dict[str, Any], layers: dict[str, Any]) -> None:
    """Shut this process in and execute the worker's interpreter in its place. Does not return."""
    out = os.dup(1)  # closed by a successful exec
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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
        bound_open_files()
        os.execve(plan["command"][0], plan["command"], plan["environment"])
    except BaseException as error:
        report(out, not_started=f"{type(error).__name__}: {error}")
    os._exit(NOT_STARTED)


def shut_in(plan: dict[str, Any], layers: dict[str, Any]) -> None:
    """The layers that the worker's own process puts on: a file tree of its own, no rights,
    Landlock; each one's end goes into `layers`.
    """
    wanted, namespace = plan["layers"], layers["process-namespace"] is True
    kernel.set_readable_by_others(
        True
    )  # until it executes something else this process's own /proc entries are closed to it
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if memory runs out, this goes first, not the harness
    landlock = [name for name in rules.FIRST_ABI if name in wanted]
    if landlock:
        with contextlib.suppress(ImportError, OSError):
            rules.abi()  # imports the binding, which may lie outside the tree to come
    proc = ["/proc/self", *mounts.ABOUT_THE_MACHINE]
    shared = ["/dev/shm"]
    if "mounts" in wanted:
        try:
            own = namespace and "own-proc" in wanted
            why = mounts.own_tree(
                plan["tree"],
                plan["read"],
                plan["write"],
                plan["devices"],
                plan["temporary"],
                plan["memory_mb"],
                own,
            )
            layers["mounts"], layers["own-proc"] = True, why or True
            proc, shared = ["/proc"], ["/dev/shm", "/tmp"]
            if "TMPDIR" in plan["environment"]:
                plan["environment"]["TMPDIR"] = (
                    "/tmp"  # short: the path of a unix socket may have 107 bytes
                )
        except OSError as error:
            layers["mounts"] = (
                f"{error.filename}: {error.strerror}" if error.filename else f"{error.strerror}"
            )
            layers["own-proc"] = "needs a file tree of its own"
    if wanted:
        kernel.drop_rights()
    if landlock:
        write = [*plan["write"], *shared]
        layers |= rules.restrict(
            landlock, [*plan["read"], *proc], write, [*mounts.DEVICES, *plan["devices"]]
        )
    if "seccomp-sockets" in wanted:
        try:
            sockets.no_network()
            layers["seccomp-sockets"] = True
        except OSError as error:
            layers["seccomp-sockets"] = f"{error.strerror}"
    kernel.end_with_parent(signal.SIGKILL)


def bound_open_files() -> None:
    """Set this process's limit of open files for good; one that is lower already stays."""
    lower = [
        most
        for most in resource.getrlimit(resource.RLIMIT_NOFILE)
        if most != resource.RLIM_INFINITY
    ]
    most = min(OPEN_FILES, *lower) if lower else OPEN_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def close_others(kept: set[int]) -> None:
    """Close every file descriptor but those."""
    first = 0
    for number in (*sorted(kept), min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16)):
        if first < number:  # an empty range would be all of them
            os.closerange(first, number)
        first = number + 1
