"""Programs that are not easily ended, launched in a sandbox, and who of them is alive."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from kobench.sandbox import LAYERS, this_interpreter
from kobench.sandbox.plan import Folders, Plan, make_plan
from kobench.sandbox.start import Launch

__all__ = ["STUBBORN", "WAYS", "Launch", "Path", "alive", "none_left", "plan_of", "wait_for"]

#: Without a process namespace what a worker started is ended as a domain of signals (Landlock), or
#: looked for and ended one by one.
WAYS = {
    "namespace": LAYERS,
    "domain": ("landlock-files", "landlock-signals", "seccomp-sockets", "environment"),
    "one by one": (),
}


def alive(marker: str) -> list[int]:
    """Processes with a thread that runs and has the marker in its command line."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*/task/[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                marker.encode() in (folder / "cmdline").read_bytes()
                and "\nState:\tZ" not in (folder / "status").read_text()
            ):
                found.add(int(folder.parent.parent.name))
    return sorted(found - {os.getpid()})


def none_left(marker: str, seconds: float = 20.0) -> bool:
    """Whether all processes with the marker are gone before that time is up."""
    deadline = time.monotonic() + seconds
    while alive(marker) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(marker)


#: Each starts something that is not easily ended, says so in a file, and goes on or ends.
STUBBORN = {
    "a child": "subprocess.Popen(again); done(); time.sleep(60)",
    "a child in a session of its own": (
        "subprocess.Popen(again, start_new_session=True); done(); time.sleep(60)"
    ),
    "one that ignores signals": (
        "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; done(); time.sleep(60)"
    ),
    "a daemon": (
        "os.fork() or (os.setsid(), os.fork() or (subprocess.Popen(again), done(),"
        " time.sleep(60))); time.sleep(60)"
    ),
    "a daemon whose parents have ended": (
        "os.fork() or (os.setsid(), os.fork() or (done(), time.sleep(60)), os._exit(0));"
        " time.sleep(60)"
    ),
    "a daemon that outlives the worker": (
        "os.fork() or (os.setsid(), os.fork() or (time.sleep(60)), os._exit(0)); time.sleep(0.3);"
        " done()"
    ),
    "thirty children": "[os.fork() or time.sleep(60) for _ in range(30)]; done(); time.sleep(60)",
    "children that go on starting children": (
        "done()\nwhile True:\n    os.fork() or (time.sleep(0.05), os.fork(), os._exit(0)); "
        "time.sleep(0.02)"
    ),
    "one that was stopped": (
        "p = subprocess.Popen(again); p.send_signal(signal.SIGSTOP); done(); time.sleep(60)"
    ),
    "one whose first thread has ended": (
        "os.fork() or (os.setsid(), os.fork() or first_thread_ends(), os._exit(0)); time.sleep(60)"
    ),
    "children of one whose first thread has ended": (
        "os.fork() or (os.fork(), os.setsid(), first_thread_ends()); time.sleep(60)"
    ),
}
HEAD = """
import ctypes, os, signal, subprocess, sys, threading, time
def first_thread_ends():
    def rest():
        time.sleep(0.3)  # a sandbox may show it nothing of itself by which to see the end
        done()
        time.sleep(60)
    threading.Thread(target=rest).start()
    ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
again = [sys.executable, "-c", "import time; time.sleep(60)", sys.argv[1]]
def done():
    open("done", "w").close()
"""


def plan_of(folder: Path, code: str, marker: str, layers: Any) -> Plan:
    """A plan for a program with the marker in its command line, in a sandbox of these layers."""
    arguments = ["-c", HEAD + code, marker]
    return make_plan(this_interpreter(), arguments, Folders.make(folder), layers=layers)


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
