"""Root in a sandbox without Landlock: no file of the machine can be opened for writing, or changed.

Root may write to settings of the kernel as the owner of their files, without any right over the
machine.
"""

from __future__ import annotations

import json
import os
import sys

import pytest
from shut_in import shut_in

from kobench.sandbox import LAYERS
from kobench.sandbox.finding import layers_here

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root of Linux could write there"
)

#: The emulated machine: its kernel has no Landlock.
WITHOUT_LANDLOCK = ("--namespaces", "--no-landlock")

#: Prints which files below some folders can be opened for writing, by folder. Nothing is written.
#: The entries of its own process lead into its own folders, and say nothing of the machine.
OPENS = """
import json, os, sys
def opened(top):
    found = []
    for folder, below, names in os.walk(top):
        below[:] = [name for name in below if name not in ("cwd", "root", "fd", "map_files")]
        for name in names:
            path = os.path.join(folder, name)
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW))
            except OSError:
                continue
            found.append(path)
    return found
"""

#: The same in namespaces of its own, with a /proc that it mounts itself.
DEEPER = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print("own namespaces:", libc.unshare(0x10000000 | 0x00020000 | 0x20000000), flush=True)
if os.fork() == 0:
    for options in (b"", b"hidepid=4", b"subset=pid"):
        for flags in (0, 1):
            if libc.mount(b"proc", b"/tmp", b"proc", flags, options) == 0:
                print("mounted", flags, flush=True)
                print(json.dumps(opened("/tmp/sys")), flush=True)
    for flags in (0x20 | 0x1000, 0x20 | 0x1000 | 0x4000):
        libc.mount(None, b"/proc", None, flags, None)
    print(json.dumps(opened("/proc/sys")), flush=True)
    os._exit(0)
os.wait()
"""


def namespaces_or_skip() -> None:
    lacking = {
        name: layers_here()[name]
        for name in ("user-namespace", "process-namespace", "mounts", "own-proc")
        if layers_here()[name] is not True
    }
    if lacking:
        pytest.skip(f"this machine has not {lacking}")


def test_no_setting_of_the_kernel_can_be_opened_for_writing():
    namespaces_or_skip()
    code = f"{OPENS}\nprint(json.dumps([opened(top) for top in sys.argv[1:]]))"
    free, _ = shut_in(code, "/proc/sys", machine=WITHOUT_LANDLOCK, layers=())
    if len(json.loads(free)[0]) < 100:
        pytest.skip("root of this machine may not write there either")
    held, layers = shut_in(code, "/proc", "/sys", "/etc", "/usr", machine=WITHOUT_LANDLOCK)
    assert layers["own-proc"] is layers["mounts"] is True
    assert layers["landlock-files"] is not True
    assert json.loads(held) == [[], [], [], []]


def test_nor_in_namespaces_that_a_predictor_makes_itself():
    namespaces_or_skip()
    # the filter alone would keep it from having any
    layers = tuple(layer for layer in LAYERS if layer != "seccomp-sockets")
    held, _ = shut_in(f"{OPENS}{DEEPER}", machine=WITHOUT_LANDLOCK, layers=layers)
    if "own namespaces: 0" not in held:
        pytest.skip("this machine gives no namespaces within namespaces")
    lists = [line for line in held.splitlines() if line.startswith("[")]
    assert lists, held
    assert set(lists) == {"[]"}


def test_devices_keep_their_modes():
    """They are the machine's own: who closes them to others closes them to everybody."""
    namespaces_or_skip()
    code = (
        "import os\nfor name in ('null', 'zero', 'full', 'random', 'urandom'):\n"
        "    path = '/dev/' + name\n    open(path, 'wb').close()\n    try:\n"
        "        os.chmod(path, os.stat(path).st_mode & 0o7777); print('changed', name)\n"
        "    except OSError as error:\n        print(error.strerror)"
    )
    free, _ = shut_in(code, machine=WITHOUT_LANDLOCK, layers=())
    assert free.count("changed") == 5
    held, _ = shut_in(code, machine=WITHOUT_LANDLOCK)
    assert held.splitlines() == ["Read-only file system"] * 5
