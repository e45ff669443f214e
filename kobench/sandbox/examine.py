"""How closed the sandbox is on this machine: a program is started in it that tries to get out, and
says what it could do.
"""

from __future__ import annotations

import contextlib
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
from kobench.sandbox.places import readable_by, this_interpreter
from kobench.sandbox.start import Launch, Plan

#: What is tried from inside: {what: (what it is an attack on, Python code that raises OSError where
#: it is kept from it)}.
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
    "see kobench among the processes": (
        "processes",
        "open('/proc/%d/stat' % given['pid']).close()",
    ),
    "send kobench a signal": ("processes", "os.kill(given['pid'], 0)"),
    "open kobench's memory": ("processes", "open('/proc/%d/mem' % given['pid'], 'rb').close()"),
}

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
    """What was found. layers : {layer: True, or why not}. tried : {what: why it could not be done,
    None where it could}.
    """

    layers: Mapping[str, Any]
    tried: Mapping[str, str | None]

    @property
    def open(self) -> tuple[str, ...]:
        """Which of files, network and processes are open, by their layers or by what could be
        done.
        """
        seen = {
            ATTEMPTS[what][0]
            for what, why in self.tried.items()
            if why is None and what != "see kobench among the processes"
        }
        return tuple(
            what
            for what in COVERS
            if what in uncovered(self.layers) or what in seen or not self.tried
        )


def examine(layers: tuple[str, ...] = LAYERS) -> Examined:
    """Start the sandbox with these layers and try to get out of it."""
    with tempfile.TemporaryDirectory(prefix="kobench-") as name, listening() as port:
        folder = Path(name).resolve()
        for inner in ("tree", "tmp"):
            (folder / inner).mkdir()
        (folder / "outside").write_text("outside")
        given = {"file": str(folder / "outside"), "port": port, "pid": os.getpid()}
        codes = {what: code for what, (_, code) in ATTEMPTS.items()}
        command = [sys.executable, "-I", "-S", "-c", CODE, json.dumps(given), json.dumps(codes)]
        plan = Plan(
            command,
            {},
            "/",
            str(folder / "tree"),
            str(folder / "tmp"),
            read=readable_by(this_interpreter(), (), False),
            layers=layers,
        )
        with open(folder / "output", "w+b") as output:
            with Launch(plan, output.fileno()) as launch:
                launch.await_end(30.0)
            output.seek(0)
            lines = output.read().decode(errors="replace").splitlines()
    try:
        tried = json.loads(lines[-1])
    except (IndexError, ValueError):  # it did not get that far
        tried = {}
    return Examined(launch.layers, tried)


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
