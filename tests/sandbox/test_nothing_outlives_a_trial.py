"""A predictor that leaves notes for its next trial, and asks a helper outside to run commands.

It tries all ways that Linux has. Without the sandbox all work; in the sandbox none does, neither on
a machine that has everything nor on one without namespaces.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bare_machine import BARE
from command import COMMAND

from kobench.sandbox import uncovered
from kobench.sandbox.finding import layers_here

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the ways are those of Linux")

#: Each way to leave a note: code that finds it, then code that leaves it. The code that finds it
#: gives something true where it is there.
NOTES = {
    "file in /dev/shm": (
        "os.path.exists(AT['shared'] + '-note')",
        "open(AT['shared'] + '-note', 'w').close()",
    ),
    "file in /tmp": (
        "os.path.exists('/tmp/' + AT['name'])",
        "open('/tmp/' + AT['name'], 'w').close()",
    ),
    "System V memory": (
        "libc.shmget(AT['key'], size(8), 0) >= 0",
        "libc.shmget(AT['key'], size(8), 0o1600)",
    ),
    "System V semaphores": (
        "libc.semget(AT['key'], 1, 0) >= 0",
        "libc.semget(AT['key'], 1, 0o1600)",
    ),
    "System V messages": (
        "libc.msgget(AT['key'] + 1, 0) >= 0",
        "libc.msgget(AT['key'] + 1, 0o1600)",
    ),
    "POSIX message queue": (
        "libc.mq_open(b'/' + AT['name'].encode(), 0) >= 0",
        "libc.mq_open(b'/' + AT['name'].encode(), 0o100, 0o600, None)",
    ),
    "mode of a file": (
        "os.stat(AT['file']).st_mode & 0o777 == 0o610",
        "os.chmod(AT['file'], 0o610)",
    ),
    "times of a file": (
        "os.stat(AT['file']).st_mtime == 12345",
        "os.utime(AT['file'], (12345, 12345))",
    ),
    "length of a file": (
        "os.stat(AT['long']).st_size == 77",
        "os.truncate(AT['long'], 77)",
    ),
    "attribute of a file": (
        "os.getxattr(AT['file'], 'user.note') == b'x'",
        "os.setxattr(AT['file'], 'user.note', b'x')",
    ),
    "flags of a file": (
        "flags(AT['readable'], False) & 0x40",
        "flags(AT['readable'], True)",
    ),
    "hint on a file": (
        "hint(AT['readable']) == 4",
        "hint(AT['readable'], 4)",
    ),
    "the kernel's log": (
        "AT['short'].encode() in kernel_log()",
        "crash(AT['short'].encode())",
    ),
    "limits of a process": (
        "resource.prlimit(AT['pid'], resource.RLIMIT_CORE)[0] == 4097",
        "resource.prlimit(AT['pid'], resource.RLIMIT_CORE, (4097, -1))",
    ),
    "priority of a process": (
        "os.getpriority(os.PRIO_PROCESS, AT['pid']) == 7",
        "os.setpriority(os.PRIO_PROCESS, AT['pid'], 7)",
    ),
    "schedule of a process": (
        "os.sched_getscheduler(AT['pid']) == os.SCHED_BATCH",
        "os.sched_setscheduler(AT['pid'], os.SCHED_BATCH, os.sched_param(0))",
    ),
}

#: Each way to ask the helper for a command.
ASKS = {
    "unix socket": "s = socket.socket(1); s.connect(AT['stream']); s.sendall(COMMAND)",
    "datagrams": "socket.socket(1, 2).sendto(COMMAND, AT['datagrams'])",
    "datagrams of a pair": "socket.socketpair(1, 2)[0].sendto(COMMAND, AT['datagrams'])",
    "abstract socket": (
        "s = socket.socket(1); s.connect('\\0' + AT['stream']); s.sendall(COMMAND)"
    ),
    "netlink": "s = socket.socket(16, 3, 2); s.sendto(COMMAND, (AT['port'], 0))",
    "pipe with a name": "open(AT['pipe'], 'wb', 0).write(COMMAND)",
    "System V message": (
        "libc.msgsnd(AT['queue'], struct.pack('l', 1) + COMMAND, size(len(COMMAND)), 0)"
    ),
    "tcp": "s = socket.create_connection(('127.0.0.1', AT['tcp']), 2); s.sendall(COMMAND)",
}

#: The predictor. It prints which notes it found, then leaves all and asks the helper in every way.
PREDICTOR = """
import ctypes, fcntl, json, os, resource, socket, struct
from kobench.api import PredictorSpec, hookimpl

AT = json.loads({at!r})
libc, size = ctypes.CDLL(None), ctypes.c_size_t
libc.msgsnd.argtypes = (ctypes.c_int, ctypes.c_char_p, size, ctypes.c_int)

def flags(path, note):
    with open(path) as file:
        now = struct.unpack('l', fcntl.ioctl(file, 0x80086601, bytes(8)))[0]
        if note:
            fcntl.ioctl(file, 0x40086602, struct.pack('l', now | 0x40))
    return now

def hint(path, note=None):
    with open(path) as file:
        if note is not None:
            fcntl.fcntl(file, 1036, struct.pack('Q', note))
        return struct.unpack('Q', fcntl.fcntl(file, 1035, bytes(8)))[0]

def kernel_log():
    text = ctypes.create_string_buffer(1 << 20)
    count = libc.klogctl(3, text, len(text))
    return text.raw[:max(0, count)]

def crash(name):
    if os.fork() == 0:
        libc.prctl(15, name)
        ctypes.string_at(1)
    os.wait()

def attempt(code, **names):
    try:
        return eval(code, globals(), names)
    except (OSError, AttributeError):
        return None

class Carrier:
    def fit(self, cells, context):
        found = [way for way, (finds, _) in {notes!r}.items() if attempt(finds)]
        for way, (_, leaves) in {notes!r}.items():
            attempt(leaves)
        for way, asks in {asks!r}.items():
            command = "echo " + way + " >> " + AT['heard']
            try:
                exec(asks, globals(), {{"COMMAND": command.encode()}})
            except OSError:
                pass
        print("FOUND", json.dumps(found), flush=True)
    def predict_expression(self, assemblages):
        return assemblages / assemblages.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("carrier", Carrier)
"""


@contextlib.contextmanager
def world(folder: Path) -> Iterator[dict[str, Any]]:
    """Somebody's files and process, and a helper that runs each command which it is sent."""
    libc = ctypes.CDLL(None)
    with contextlib.ExitStack() as stack:
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kob", dir="/var/tmp")))
        name = f"kobench-{os.getpid()}-{short.name}"
        at: dict[str, Any] = {
            "name": name,
            "short": f"k{os.getpid()}{short.name[-4:]}",  # names of processes have 15 bytes
            "shared": f"/dev/shm/{name}",
            "key": 0x4B000000 + os.getpid() % 0x10000 * 16,
            "file": str(folder / "file"),
            "long": str(folder / "long"),
            # what a predictor may open for reading: it lies beside it
            "readable": str(folder / "theirs" / "carrier.py"),
            "heard": str(folder / "heard"),
            "stream": str(short / "stream"),
            "datagrams": str(short / "datagrams"),
            "pipe": str(short / "pipe"),
        }
        (folder / "theirs").mkdir(parents=True)
        for one in ("file", "long", "heard"):
            Path(at[one]).write_text("")
        os.chmod(at["file"], 0o600)
        victim = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        )
        stack.callback(victim.communicate)
        at["pid"] = victim.pid

        def helper(receive: Callable[[], bytes]) -> None:
            """Run what is received until it is the word "end"; then wait no more."""

            def loop() -> None:
                while (command := receive()) != b"end":
                    subprocess.run(["sh", "-c", command.decode()], check=False)

            thread = threading.Thread(target=loop, daemon=True)
            thread.start()
            stack.callback(thread.join, 20)

        for kind, address in (
            (socket.SOCK_STREAM, at["stream"]),
            (socket.SOCK_STREAM, "\0" + at["stream"]),
            (socket.SOCK_DGRAM, at["datagrams"]),
        ):
            server = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
            server.bind(address)
            serve(server, helper, stack)
        tcp = stack.enter_context(socket.socket())
        tcp.bind(("127.0.0.1", 0))
        at["tcp"] = tcp.getsockname()[1]
        serve(tcp, helper, stack)
        netlink = stack.enter_context(socket.socket(16, socket.SOCK_RAW, 2))
        netlink.bind((0, 0))
        at["port"] = netlink.getsockname()[0]
        serve(netlink, helper, stack)
        os.mkfifo(at["pipe"])
        pipe = os.open(at["pipe"], os.O_RDWR)
        helper(lambda: os.read(pipe, 1000))
        stack.callback(os.write, pipe, b"end")
        at["queue"] = queue = libc.msgget(0, 0o1600)  # a new one
        stack.callback(libc.msgctl, queue, 0, None)

        def message() -> bytes:
            text = ctypes.create_string_buffer(1008)
            got = libc.msgrcv(queue, text, ctypes.c_size_t(1000), ctypes.c_long(0), 0)
            return text.raw[8 : 8 + got] if got >= 0 else b"end"

        helper(message)
        stack.callback(
            libc.msgsnd, queue, (1).to_bytes(8, "little") + b"end", ctypes.c_size_t(3), 0
        )
        try:
            yield at
        finally:
            Path(at["shared"] + "-note").unlink(missing_ok=True)
            Path("/tmp", name).unlink(missing_ok=True)
            libc.shmctl(libc.shmget(at["key"], ctypes.c_size_t(8), 0), 0, None)
            libc.semctl(libc.semget(at["key"], 1, 0), 0, 0)
            libc.msgctl(libc.msgget(at["key"] + 1, 0), 0, None)
            libc.mq_unlink(b"/" + name.encode())


def serve(server: socket.socket, helper: Callable[[Callable[[], bytes]], None], stack: Any) -> None:
    """Have the helper run what comes to a socket, until the stack is left."""
    streams = server.type == socket.SOCK_STREAM
    if streams:
        server.listen()

    def receive() -> bytes:
        if not streams:
            return server.recv(1000)
        with server.accept()[0] as client:
            return client.recv(1000)

    helper(receive)

    def end() -> None:
        with socket.socket(server.family, server.type, server.proto) as last:
            if streams:
                last.connect(server.getsockname())
                last.sendall(b"end")
            else:
                last.sendto(b"end", server.getsockname())

    stack.callback(end)


def found_and_heard(folder: Path, mode: str, *machine: str) -> tuple[list[list[str]], list[str]]:
    """Run three trials: the notes that each found, and the ways in which the helper was asked.

    `machine` is put before the command.
    """
    with world(folder) as at:
        text = PREDICTOR.format(at=json.dumps(at), notes=NOTES, asks=ASKS)
        Path(at["readable"]).write_text(text)
        words = ["run", "-d", "grn:genes=15,cells=60", "-p", "carrier", "-t", "profile"]
        words += ["--plugin", at["readable"], "--fit-seeds", "3", "--out", str(folder / "results")]
        done = subprocess.run(
            [*machine, *COMMAND, *words, "--sandbox", mode],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    records = [
        json.loads(path.read_text()) for path in (folder / "results" / "records").glob("*.json")
    ]
    mine = [one["run"] for one in records if one["trial"]["predictor"]["name"] == "carrier"]
    assert len(mine) == 3, done.stderr + done.stdout
    if mode == "require":
        assert all(one["sandbox"]["mode"] == "require" for one in mine)
    said = [json.loads(one["output"].rpartition("FOUND ")[2]) for one in mine]
    return said, sorted(set((folder / "heard").read_text().splitlines()))


def test_outside_of_the_sandbox_every_way_works(tmp_path):
    found, heard = found_and_heard(tmp_path, "off")
    assert [] in found, "the first trial had nothing to find"
    both = [set(one) for one in found if one]
    assert len(both) == 2
    # some file systems have no attributes, flags and hints, some systems no message queues, and
    # some show their log to nobody
    lacking = set(NOTES) - set.intersection(*both)
    assert lacking <= {
        "attribute of a file",
        "flags of a file",
        "hint on a file",
        "POSIX message queue",
        "the kernel's log",
    }
    assert set(ASKS) - set(heard) <= {"netlink"}


def test_in_the_sandbox_none_does(tmp_path):
    if uncovered(layers_here()):
        pytest.skip(f"this machine leaves {uncovered(layers_here())} open")
    found, heard = found_and_heard(tmp_path, "require")
    assert found == [[], [], []]
    assert heard == []


def test_on_a_machine_without_namespaces_none_does_either(tmp_path):
    layers = layers_here()
    lacking = {
        name: layers[name]
        for name in ("landlock-files", "landlock-signals", "seccomp-outside")
        if layers[name] is not True
    }
    if lacking:
        pytest.skip(f"this machine has not {lacking}")
    found, heard = found_and_heard(tmp_path, "require", *BARE)
    assert found == [[], [], []]
    assert heard == []


def test_what_cannot_be_closed_is_refused_with_its_reason(tmp_path):
    words = ["run", "-d", "grn:genes=15,cells=60", "-p", "linear", "-t", "profile"]
    machine = [*BARE, "--no-landlock"]
    done = subprocess.run(
        [*machine, *COMMAND, *words, "--out", str(tmp_path / "results"), "--sandbox", "require"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode not in (0, 1)
    said = "this machine leaves files and processes open: files of the machine (mounts:"
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.json"))


#: A predictor whose module leaves a file as soon as it is imported.
IMPORTED = """
from kobench.api import PredictorSpec, hookimpl
try:
    open({place!r}, "w").close()
except OSError:
    pass

class Late:
    def fit(self, cells, context):
        pass
    def predict_expression(self, assemblages):
        return assemblages / assemblages.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("late", Late)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["run", "-d", "grn:genes=15,cells=60", "-p", "late"],
        ["predict", "grn:genes=15,cells=60", "-p", "late", "--what", "impact", "-o", "out.csv"],
        ["check", "late"],
    ],
    ids=lambda words: words[0],
)
def test_what_cannot_be_closed_is_refused_before_a_module_is_imported(tmp_path, words):
    plugin, place = tmp_path / "late.py", tmp_path / "imported"
    plugin.write_text(IMPORTED.format(place=str(place)))

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        machine = [*BARE, "--no-landlock"]
        return subprocess.run(
            [*machine, *COMMAND, *words, "--plugin", str(plugin)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    done = command(*words, "--sandbox", "require")
    assert done.returncode not in (0, 1)
    assert "--sandbox require: this machine leaves files and processes open" in done.stderr
    assert not place.exists()
    done = command("info", "late")
    assert done.returncode == 0
    assert place.exists()
    said = " ".join(done.stderr.split())
    assert said.count("Warning: ") == 1
    assert "the modules of file:late.py" in said
    assert "this machine leaves files and processes open to them" in said
