"""How closed the sandbox is on this machine: a program in it tries to get out."""

from __future__ import annotations

import contextlib
import json
import os
import socket
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
#: OSError where the sandbox keeps it from succeeding.
ATTEMPTS = {
    "read a file outside": ("files", "open(given['file']).close()"),
    "write a file outside": ("files", "open(given['file'] + '.new', 'w').close()"),
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
    "open kobench's memory": ("processes", "open('/proc/%d/mem' % given['pid'], 'rb').close()"),
}

#: The program that tries them. It prints {what: None where it succeeded, else why not} as JSON.
CODE = """
import json, os, socket, sys
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
    with tempfile.TemporaryDirectory(prefix="kobench-") as name, listening() as port:
        outside = Path(name).resolve() / "outside"
        outside.write_text("outside")
        given = {"file": str(outside), "port": port, "pid": os.getpid()}
        codes = {what: code for what, (_, code) in ATTEMPTS.items()}
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
        server.listen()
        threading.Thread(target=accept_all, args=(server,), daemon=True).start()
        yield int(server.getsockname()[1])
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def accept_all(server: socket.socket) -> None:
    """Accept and drop connections until the socket is closed."""
    with contextlib.suppress(OSError):
        while True:
            server.accept()[0].close()
