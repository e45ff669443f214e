"""How closed the sandbox is on this machine: a program in it tries to get out."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobench.sandbox.layers import COVERS, LAYERS, uncovered
from kobench.sandbox.once import run_once
from kobench.sandbox.places import this_interpreter

#: The attempt that shows a process and opens none.
SEES_KOBENCH = "see kobench among the processes"

#: What is tried from inside: {what: (what it is an attack on, Python code)}. The code raises
#: OSError where the sandbox keeps it from succeeding. `given` names what lies outside.
ATTEMPTS = {
    "read a file outside": ("files", "open(given['file']).close()"),
    "write a file outside": ("files", "open(given['file'] + '.new', 'w').close()"),
    "read the machine's /dev/shm": ("files", "open(given['shared']).close()"),
    "connect to a unix socket with a path": (
        "files",
        "socket.socket(socket.AF_UNIX).connect(given['socket'])",
    ),
    "attach System V memory of this machine": (
        "files",
        (
            "libc = ctypes.CDLL(None, use_errno=True); libc.shmat.restype = ctypes.c_void_p\n"
            "if libc.shmat(given['memory'], None, 0) == ctypes.c_void_p(-1).value:\n"
            "    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))"
        ),
    ),
    "connect to a TCP port of this machine": (
        "network",
        "socket.create_connection(('127.0.0.1', given['port']), 2).close()",
    ),
    "send UDP to this machine": (
        "network",
        (
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1',"
            " given['port']))"
        ),
    ),
    SEES_KOBENCH: (
        "processes",
        "open('/proc/%d/stat' % given['pid']).close()",
    ),
    "send kobench a signal": ("processes", "os.kill(given['pid'], 0)"),
    "read kobench's limits": (
        "processes",
        (
            "if not hasattr(resource, 'prlimit'):\n    raise OSError('this system has no such"
            " call')\nresource.prlimit(given['pid'], resource.RLIMIT_NOFILE)"
        ),
    ),
    "open kobench's memory": ("processes", "open('/proc/%d/mem' % given['pid'], 'rb').close()"),
}

#: What of `given` not every machine has; attempts on what is not there are left out.
LINUX = ("memory", "shared")

# Of System V memory (linux/ipc.h).
PRIVATE = 0  # IPC_PRIVATE
CREATE = 0o1000  # IPC_CREAT
REMOVE = 0  # IPC_RMID

#: The program that tries them. It prints {what: None where it succeeded, else why not} as JSON.
CODE = """
import ctypes, json, os, resource, socket, sys
given, found = json.loads(sys.argv[1]), {}
for what, code in json.loads(sys.argv[2]).items():
    try:
        exec(code)
        found[what] = None
    except OSError as error:
        found[what] = error.strerror or str(error)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Examined:
    """What was found.

    Attributes
    ----------
    layers : mapping of str to True or str
        For each layer True, or why it is not there.
    tried : mapping of str to str or None
        For each of `ATTEMPTS` why it failed, None where it succeeded; empty where the program did
        not get as far as trying.
    """

    layers: Mapping[str, Any]
    tried: Mapping[str, str | None]

    @property
    def open(self) -> tuple[str, ...]:
        """Which of files, network and processes are open.

        One is open where no layer covers it or an attempt on it succeeded, and all three are where
        nothing could be tried. That kobench is seen among the processes opens nothing.
        """
        done = {
            ATTEMPTS[what][0]
            for what, why in self.tried.items()
            if why is None and what != SEES_KOBENCH
        }
        return tuple(
            what
            for what in COVERS
            if what in uncovered(self.layers) or what in done or not self.tried
        )


def examine(layers: tuple[str, ...] = LAYERS) -> Examined:
    """Start a program in the sandbox that tries to get out.

    Parameters
    ----------
    layers : tuple of str
        The layers to try.
    """
    with contextlib.ExitStack() as stack:
        given: dict[str, Any] = {"pid": os.getpid(), "port": stack.enter_context(listening())}
        # the path of a unix socket may have 107 bytes, and the usual folder's may be long
        made = tempfile.TemporaryDirectory(prefix="kobench-", dir="/tmp")
        folder = Path(stack.enter_context(made)).resolve()
        (folder / "outside").write_text("outside")
        given["file"] = str(folder / "outside")
        given["socket"] = stack.enter_context(listening_at(folder / "socket"))
        if sys.platform == "linux":
            given["memory"] = stack.enter_context(common_memory())
            given["shared"] = stack.enter_context(common_file())
        codes = {
            what: code
            for what, (_, code) in ATTEMPTS.items()
            if not any(f"'{name}'" in code and given.get(name) is None for name in LINUX)
        }
        ran = run_once(
            this_interpreter(),
            ["-I", "-S", "-c", CODE, json.dumps(given), json.dumps(codes)],
            seconds=30.0,
            layers=layers,
        )
    try:
        tried = json.loads(ran.output.splitlines()[-1])
    except (IndexError, ValueError):  # it did not get that far
        tried = {}
    return Examined(ran.layers, tried)


@contextlib.contextmanager
def listening() -> Iterator[int]:
    """A port of this machine on which TCP connections are accepted."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        with accepting(server):
            yield int(server.getsockname()[1])


@contextlib.contextmanager
def listening_at(path: Path) -> Iterator[str]:
    """The path of a unix socket on which connections are accepted."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        with accepting(server):
            yield str(path)


@contextlib.contextmanager
def accepting(server: socket.socket) -> Iterator[None]:
    """Accept and drop connections meanwhile."""
    server.listen()
    threading.Thread(target=accept_all, args=(server,), daemon=True).start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def accept_all(server: socket.socket) -> None:
    """Accept and drop connections until the socket is closed."""
    with contextlib.suppress(OSError):
        while True:
            server.accept()[0].close()


@contextlib.contextmanager
def common_memory() -> Iterator[int | None]:
    """The number of a piece of System V memory of this machine, None where it has none."""
    libc = ctypes.CDLL(None)
    number = libc.shmget(PRIVATE, ctypes.c_size_t(1), 0o600 | CREATE)
    try:
        yield number if number >= 0 else None
    finally:
        libc.shmctl(number, REMOVE, None)


@contextlib.contextmanager
def common_file() -> Iterator[str | None]:
    """A file in this machine's /dev/shm, None where it can't be made."""
    try:
        number, path = tempfile.mkstemp(prefix="kobench-", dir="/dev/shm")
    except OSError:
        yield None
        return
    os.close(number)
    try:
        yield path
    finally:
        os.unlink(path)
