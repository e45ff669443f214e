"""What nobody could count is not to be had in the sandbox: each is there without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from kobench.sandbox import LAYERS, this_interpreter
from kobench.sandbox.finding import layers_here
from kobench.sandbox.mounts import FILES
from kobench.sandbox.once import run_once
from kobench.sandbox.plan import SHARED_MB
from kobench.supervisor import memory, open_files
from kobench.supervisor.open_files import MESSAGES, socket_bytes
from kobench.supervisor.processes import Member
from kobench.supervisor.written import ENTRY

CODE = """
import ctypes, errno, json, os, socket, tempfile, threading
libc = ctypes.CDLL(None, use_errno=True)
found = {}
one, two = socket.socketpair()
for name, option in (("send", socket.SO_SNDBUF), ("receive", socket.SO_RCVBUF)):
    before = one.getsockopt(socket.SOL_SOCKET, option)
    one.setsockopt(socket.SOL_SOCKET, option, before // 4)
    found[name] = one.getsockopt(socket.SOL_SOCKET, option) != before
one.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
found["another option"] = bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED))
with tempfile.TemporaryFile(dir=".") as file:
    size = ctypes.c_long(1 << 20)
    found["ahead"] = libc.fallocate(file.fileno(), 1, ctypes.c_long(0), size) == 0  # keeps the size
    os.posix_fallocate(file.fileno(), 0, 1 << 16)  # the C library writes instead
    found["written"] = os.fstat(file.fileno()).st_size == 1 << 16
for name, get, remove in (
    ("memory", lambda: libc.shmget(0, ctypes.c_size_t(4096), 0o1600), libc.shmctl),
    ("messages", lambda: libc.msgget(0, 0o1600), libc.msgctl),
):
    number = get()
    found[name] = number >= 0
    if number >= 0:
        remove(number, 0, None)
number = libc.semget(0, 1, 0o1600)
found["semaphores"] = number >= 0
if number >= 0:
    libc.semctl(number, 0, 0)
child = os.fork()
if child == 0:
    os._exit(libc.unshare(0x10000000) != 0)
found["user namespace"] = os.wait()[1] == 0
number = int(os.uname().machine == "aarch64")
null, zero = ctypes.c_void_p(), ctypes.c_long()
for name, call, arguments in (
    ("secret memory", (447, 447), (zero,)),
    ("rules", (444, 444), (null, zero, ctypes.c_long(1))),  # asks for the version
    ("bpf", (321, 280), (ctypes.c_long(999), null, zero)),
    ("asynchronous calls", (206, 0), (ctypes.c_long(1), ctypes.byref(ctypes.c_long()))),
    ("filters", (317, 277), (ctypes.c_long(2), zero, ctypes.byref(ctypes.c_long(0x7FFF0000)))),
    ("open files of its own", (272, 97), (ctypes.c_long(0x400),)),
    ("open files by a range", (436, 436), (ctypes.c_long(99), ctypes.c_long(99), ctypes.c_long(2))),
):
    ctypes.set_errno(0)
    done = libc.syscall(ctypes.c_long(call[number]), *arguments) >= 0
    found[name] = done or (name == "bpf" and ctypes.get_errno() == errno.EINVAL)
class Piece(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("length", ctypes.c_size_t)]
page, (_, end) = ctypes.create_string_buffer(8192), os.pipe()
piece = Piece(ctypes.addressof(page), 4096)
splice = ctypes.c_long((278, 75)[number]), ctypes.c_long(end), ctypes.byref(piece)
found["a page in a pipe"] = libc.syscall(*splice, ctypes.c_long(1), zero) > 0
thread = threading.Thread(target=found.update, args=({"thread": True},))
thread.start()
thread.join()
print(json.dumps(found))
"""

#: What is to be had in either case.
ALWAYS = {"another option", "written", "thread"}


def had(layers: tuple[str, ...]) -> tuple[set[str], dict[str, Any]]:
    ran = run_once(this_interpreter(), ["-c", CODE], layers=layers)
    assert ran.code == 0, ran.output
    found = json.loads(ran.output.splitlines()[-1])
    return {name for name, there in found.items() if there}, dict(ran.layers)


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="the calls are those of Linux")
def test_what_nobody_could_count_is_not_to_be_had() -> None:
    without, _ = had(())
    assert without >= {"send", "receive", "memory", "messages", "semaphores"}
    assert without >= {"filters", "open files of its own", "open files by a range"}
    assert "a page in a pipe" in without
    within, layers = had(LAYERS)
    if layers["seccomp-sockets"] is not True:
        pytest.skip(f"no filter can be put on here: {layers['seccomp-sockets']}")
    assert within == ALWAYS


WAITING = """
import socket, sys
from kobench.sandbox import kernel
kernel.own_user_namespace()
kernel.unshare(kernel.NEW_NETWORK, "network namespace")
server = socket.socket(socket.AF_UNIX)
server.bind("\\0waiting")
server.listen(100)
for _ in range(50):
    socket.socket(socket.AF_UNIX).connect("\\0waiting")
messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
messages.bind("\\0messages")
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="it is read in Linux's /proc")
def test_sockets_that_no_process_has_open_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "_buffer", lambda: 1)
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline() != "ready\n":
            pytest.skip(f"no network namespace here: {process.stderr.read().splitlines()[-1]}")
        one = Member(process.pid, 1, 0)
        # a listening one, those that wait, and one that holds several messages
        assert socket_bytes([one]) == socket_bytes([one, one]) == 1 + 50 + MESSAGES
        monkeypatch.setattr(open_files, "_network", lambda _: "that of the machine")
        assert socket_bytes([one]) == 2  # what is open alone
        process.communicate()


SMALL = """
import os
names = 0
try:
    for names in range(10**6):
        os.mknod(f"/dev/shm/{names}")
except OSError as error:
    print(names, error.errno)
"""


def test_empty_files_in_memory_are_few_and_count(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ("user-namespace", "mounts")
    lacking = {name: layers_here()[name] for name in needed if layers_here()[name] is not True}
    if lacking:
        pytest.skip(f"this machine has not {lacking}")
    ran = run_once(this_interpreter(), ["-c", SMALL], layers=needed)
    names, number = map(int, ran.output.split())
    assert number == 28  # no room
    assert FILES * SHARED_MB - 10 < names < FILES * SHARED_MB
    monkeypatch.setattr(memory, "_device", lambda path: len(path))  # each is another
    kept = os.statvfs_result((4096, 4096, 10, 9, 9, 500, 200, 200, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: kept)
    monkeypatch.setattr(memory, "unnamed_files", lambda members: [])  # this process may map some
    assert memory.files_in_memory([Member(os.getpid(), 1, 0)]) == 4096 + 300 * ENTRY
