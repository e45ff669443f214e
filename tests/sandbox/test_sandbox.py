"""Each layer of the sandbox, by an attack that succeeds without it and fails with it.

Also what must work in the sandbox, and what is said of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.util
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from shut_in import shut_in

import kobench
from kobench.errors import UserError
from kobench.sandbox import LAYERS, this_interpreter, uncovered
from kobench.sandbox.finding import layers_here, refuse_if_open
from kobench.sandbox.folders import link_modules, remove
from kobench.sandbox.layers import without_any
from kobench.sandbox.places import Interpreter, installed, readable_by
from kobench.sandbox.plan import Access, Folders, Plan, make_plan
from kobench.sandbox.rules import abi
from kobench.sandbox.start import Launch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox's layers are Linux's")

MARKER = "MARKER-8a60c1"


@pytest.fixture
def launched(tmp_path: Path) -> Callable[..., Any]:
    """`launched(code, layers, *arguments)` runs Python code in a sandbox of these layers.

    It returns (what the code printed, what became of each layer).
    """

    def run(
        code: str, layers: Any = LAYERS, *arguments: str, read: tuple[str, ...] = ()
    ) -> tuple[str, dict[str, Any]]:
        folder = tmp_path / f"launch{len(list(tmp_path.iterdir()))}"
        plan = make_plan(
            this_interpreter(),
            ["-c", code, *arguments],
            Folders.make(folder),
            Access(read=tuple(map(Path, read))),
            layers,
        )
        with open(folder / "output", "wb") as output, Launch(plan, output.fileno()) as launch:
            launch.await_end(120)
        assert launch.not_started is None
        return (folder / "output").read_text(errors="replace"), launch.layers

    return run


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What an attacker is after: a file with a marker, a process, servers that give the marker."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "truth.csv").write_text(MARKER)
    (folder / "results").mkdir()
    victim = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", MARKER], stdin=subprocess.PIPE
    )
    short = (
        Path("/var/tmp") / f"kobench-{os.getpid()}.sock"
    )  # the name of a socket may have 107 bytes
    servers = {
        "tcp": (socket.AF_INET, ("127.0.0.1", 0)),
        "unix": (socket.AF_UNIX, str(short)),
        "abstract": (socket.AF_UNIX, f"\0{short}"),
    }
    given = {
        "file": str(folder / "truth.csv"),
        "folder": str(folder),
        "pid": str(victim.pid),
        "harness": str(os.getpid()),
    }
    opened = []
    for name, (family, address) in servers.items():
        server = socket.socket(family)
        server.bind(address)
        server.listen()
        opened.append(server)
        given[name] = str(server.getsockname()[1]) if name == "tcp" else str(short)
        threading.Thread(target=serve, args=(server,), daemon=True).start()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    given["udp"] = str(datagrams.getsockname()[1])
    threading.Thread(target=echo, args=(datagrams,), daemon=True).start()
    given["datagrams"] = f"{short}.datagrams"
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    silent.bind(given["datagrams"])
    libc = ctypes.CDLL(None)
    memory = libc.shmget(0, ctypes.c_size_t(100), 0o1600)
    given["memory"] = str(memory)
    libc.shmat.restype = ctypes.c_void_p
    ctypes.memmove(libc.shmat(memory, None, 0), MARKER.encode(), len(MARKER))
    shared = Path("/dev/shm") / short.name
    shared.write_text(MARKER)
    given["shared"] = str(shared)
    yield given
    silent.close()
    Path(given["datagrams"]).unlink()
    libc.shmctl(memory, 0, None)
    shared.unlink()
    for one in opened:
        one.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
        one.close()
    datagrams.close()
    short.unlink(missing_ok=True)
    assert victim.stdin is not None
    victim.stdin.close()
    victim.wait()


def lay_out(outside: dict[str, str]) -> None:
    """Lay the file out as it was before an attack on it succeeded."""
    Path(outside["file"]).write_text(MARKER)
    os.chmod(outside["file"], 0o600)
    with contextlib.suppress(OSError):  # some file systems have no attributes
        os.setxattr(outside["file"], f"user.{MARKER}", MARKER.encode())


def serve(server: socket.socket) -> None:
    """Give the marker to everyone who connects."""
    while True:
        try:
            with server.accept()[0] as client:
                client.sendall(MARKER.encode())
        except OSError:
            return


def echo(server: socket.socket) -> None:
    """Give the marker to everyone who sends something."""
    while True:
        try:
            server.sendto(MARKER.encode(), server.recvfrom(10)[1])
        except OSError:
            return


#: Each attack prints the marker where it succeeds.
ATTACKS = {
    "reads a file": "print(open(given['file']).read())",
    "writes a file": "open(given['folder'] + '/results/mine', 'w').write('x'); print(marker)",
    "removes a file": "import os; os.remove(given['file']); print(marker)",
    "lists a folder": (
        "import os; print(marker if 'truth.csv' in os.listdir(given['folder']) else '')"
    ),
    "sees that a file exists": "import os; print(marker if os.path.exists(given['file']) else '')",
    "tcp": (
        "import socket; print(socket.create_connection(('127.0.0.1', int(given['tcp'])),"
        " 2).recv(100))"
    ),
    "listens on tcp": (
        "import socket as n; s = n.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        " n.create_connection(s.getsockname(), 2); print(marker)"
    ),
    "udp": (
        "import socket; s = socket.socket(2, 2); s.settimeout(2); s.sendto(b'x', ('127.0.0.1',"
        " int(given['udp']))); print(s.recv(100))"
    ),
    "opens a virtual socket": (
        "import socket; socket.socket(getattr(socket, 'AF_VSOCK', 40), socket.SOCK_STREAM);"
        " print(marker)"
    ),
    "opens io_uring": (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True); n = c.syscall(425, 1,"
        " ctypes.create_string_buffer(120))\nif n < 0:\n    raise OSError(ctypes.get_errno(),"
        " 'io_uring')\nprint(marker)"
    ),
    "unix socket": (
        "import socket; s = socket.socket(1); s.connect(given['unix']); print(s.recv(100))"
    ),
    "datagram of a pair of sockets": (
        "import socket; a, b = socket.socketpair(1, 2); a.sendto(b'x', given['datagrams']);"
        " print(marker)"
    ),
    "netlink between processes": (
        "import socket; socket.socket(16, 3, 2).bind((0, 0)); print(marker)"
    ),
    "leaves a hint on a file": (
        "import fcntl, os, struct; file = open(os.__file__)\n"
        "fcntl.fcntl(file, 1036, struct.pack('Q', 0)); print(marker)"
    ),
    "holds up who opens a file": (
        "import fcntl, os, shutil; shutil.copy(os.__file__, 'copy'); file = open('copy')\n"
        "fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK); print(marker)"
    ),
    "hears what is done in a folder": (
        "import fcntl, os; fcntl.fcntl(os.open('.', os.O_RDONLY), fcntl.F_NOTIFY, 4); print(marker)"
    ),
    "watches a file": (
        "import ctypes, os; c = ctypes.CDLL(None, use_errno=True)\n"
        "if c.inotify_add_watch(c.inotify_init(), os.__file__.encode(), 0x20) < 0:\n"
        "    raise OSError(ctypes.get_errno(), 'inotify')\nprint(marker)"
    ),
    "sees which pages of a file are in memory": (
        "import ctypes, mmap, os; c = ctypes.CDLL(None, use_errno=True)\n"
        "page = mmap.mmap(-1, 4096); at = ctypes.addressof(ctypes.c_char.from_buffer(page))\n"
        "if c.mincore(ctypes.c_void_p(at), ctypes.c_size_t(4096), ctypes.create_string_buffer(1)):"
        "\n    raise OSError(ctypes.get_errno(), 'mincore')\nprint(marker)"
    ),
    "has the machine keep what is in its memory when it crashes": (
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); print(marker)"
    ),
    "reads the kernel's log": (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True)\nif c.klogctl(10, None, 0) < 0:\n"
        "    raise OSError(ctypes.get_errno(), 'klogctl')\nprint(marker)"
    ),
    "System V memory": (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True); c.shmat.restype = ctypes.c_void_p\n"
        "at = c.shmat(int(given['memory']), None, 0)\nif at == ctypes.c_void_p(-1).value:\n"
        "    raise OSError(ctypes.get_errno(), 'shmat')\nprint(ctypes.string_at(at))"
    ),
    "reads what lies in /dev/shm": "print(open(given['shared']).read())",
    "changes the mode of a file": (
        "import os; os.chmod(given['file'], 0o610);"
        " print(marker if os.stat(given['file']).st_mode & 0o777 == 0o610 else '')"
    ),
    "reads an attribute of a file": (
        "import os; print(os.getxattr(given['file'], 'user.' + marker))"
    ),
    "lists attributes of a file": "import os; print(os.listxattr(given['file']))",
    "cuts a file short": "import os; os.truncate(given['file'], 3); print(marker)",
    "sets limits of a process": (
        "import resource as r; r.prlimit(int(given['pid']), r.RLIMIT_CORE, (0, 0)); print(marker)"
    ),
    "sets processors of a process": (
        "import os; pid = int(given['pid']);"
        " os.sched_setaffinity(pid, os.sched_getaffinity(pid)); print(marker)"
    ),
    "opens a process": "import os; os.pidfd_open(int(given['pid'])); print(marker)",
    "abstract socket": (
        "import socket; s = socket.socket(1); s.connect('\\0' + given['abstract']);"
        " print(s.recv(100))"
    ),
    "signals a process": "import os; os.kill(int(given['pid']), 0); print(marker)",
    "sees another's command line": "print(open(f\"/proc/{given['pid']}/cmdline\").read())",
    "reads the harness's variables": (
        "open(f\"/proc/{given['harness']}/environ\").read(); print(marker)"
    ),
    "reads the harness's memory": "open(f\"/proc/{given['harness']}/mem\", 'rb'); print(marker)",
    "follows the harness's files": (
        "import os; os.readlink(f\"/proc/{given['harness']}/fd/1\"); print(marker)"
    ),
    "has rights over the machine": "import os; os.nice(-1); print(marker)",
}

#: Those that are told nothing when they fail.
SILENT = ("sees that a file exists", "changes the mode of a file")

#: (attack, layers that stop it by themselves, with those that they need)
STOPPED = [
    ("reads a file", ("user-namespace", "mounts")),
    ("reads a file", ("landlock-files",)),
    ("writes a file", ("user-namespace", "mounts")),
    ("writes a file", ("landlock-files",)),
    ("removes a file", ("user-namespace", "mounts")),
    ("removes a file", ("landlock-files",)),
    ("lists a folder", ("user-namespace", "mounts")),
    ("lists a folder", ("landlock-files",)),
    ("sees that a file exists", ("user-namespace", "mounts")),
    ("tcp", ("user-namespace", "network-namespace")),
    ("tcp", ("landlock-tcp",)),
    ("listens on tcp", ("landlock-tcp",)),
    ("udp", ("user-namespace", "network-namespace")),
    ("tcp", ("seccomp-sockets",)),
    ("listens on tcp", ("seccomp-sockets",)),
    ("udp", ("seccomp-sockets",)),
    ("opens a virtual socket", ("seccomp-sockets",)),
    ("opens io_uring", ("seccomp-sockets",)),
    ("unix socket", ("user-namespace", "mounts")),
    ("unix socket", ("seccomp-outside",)),
    ("datagram of a pair of sockets", ("user-namespace", "mounts")),
    ("datagram of a pair of sockets", ("seccomp-outside",)),
    ("netlink between processes", ("seccomp-sockets",)),
    ("leaves a hint on a file", ("seccomp-sockets",)),
    ("holds up who opens a file", ("seccomp-sockets",)),
    ("hears what is done in a folder", ("seccomp-sockets",)),
    ("watches a file", ("seccomp-sockets",)),
    ("sees which pages of a file are in memory", ("seccomp-sockets",)),
    ("has the machine keep what is in its memory when it crashes", ("seccomp-sockets",)),
    ("reads the kernel's log", ("seccomp-sockets",)),
    ("System V memory", ("user-namespace", "ipc-namespace")),
    ("System V memory", ("seccomp-outside",)),
    ("reads what lies in /dev/shm", ("user-namespace", "mounts")),
    ("reads what lies in /dev/shm", ("landlock-files",)),
    ("changes the mode of a file", ("user-namespace", "mounts")),
    ("changes the mode of a file", ("seccomp-outside",)),
    ("reads an attribute of a file", ("user-namespace", "mounts")),
    ("reads an attribute of a file", ("seccomp-outside",)),
    ("lists attributes of a file", ("user-namespace", "mounts")),
    ("lists attributes of a file", ("seccomp-outside",)),
    ("cuts a file short", ("user-namespace", "mounts")),
    ("cuts a file short", ("seccomp-outside",)),
    ("sets limits of a process", ("user-namespace", "process-namespace")),
    ("sets limits of a process", ("seccomp-outside",)),
    ("opens a process", ("user-namespace", "process-namespace")),
    ("opens a process", ("seccomp-outside",)),
    ("sets processors of a process", ("user-namespace", "process-namespace")),
    ("sets processors of a process", ("seccomp-outside",)),
    ("abstract socket", ("seccomp-outside",)),
    ("abstract socket", ("user-namespace", "network-namespace")),
    ("abstract socket", ("landlock-signals",)),
    ("signals a process", ("user-namespace", "process-namespace")),
    ("signals a process", ("landlock-signals",)),
    ("sees another's command line", ("user-namespace", "process-namespace", "mounts", "own-proc")),
    ("sees another's command line", ("landlock-files",)),
    ("reads the harness's variables", ("user-namespace",)),
    ("reads the harness's memory", ("user-namespace",)),
    ("reads the harness's memory", ("landlock-files",)),
    ("reads the harness's memory", ("landlock-tcp",)),
    ("follows the harness's files", ("user-namespace",)),
    ("has rights over the machine", ("user-namespace",)),
]


@pytest.mark.parametrize(
    ("attack", "layers"), STOPPED, ids=[f"{attack}-{layers[-1]}" for attack, layers in STOPPED]
)
def test_an_attack_succeeds_without_a_layer_and_fails_with_it(launched, outside, attack, layers):
    lacking = {name: layers_here()[name] for name in layers if layers_here()[name] is not True}
    if lacking:
        pytest.skip(f"this machine has not {lacking}")
    code = (
        f"import json, sys; given, marker = json.loads(sys.argv[1]), {MARKER!r}\n{ATTACKS[attack]}"
    )
    lay_out(outside)
    free, _ = launched(code, (), json.dumps(outside))
    if ("Error" in free or free == "[]\n") and attack in (
        "reads an attribute of a file",
        "lists attributes of a file",
        "reads the harness's memory",
        "has rights over the machine",
        "opens a virtual socket",
        "opens io_uring",
        "leaves a hint on a file",
        "reads the kernel's log",
    ):
        pytest.skip("nobody may do that on this machine, with or without the sandbox")
    assert MARKER in free, free
    lay_out(outside)
    held, found = launched(code, layers, json.dumps(outside))
    assert {name: found[name] for name in layers} == dict.fromkeys(layers, True)
    assert MARKER not in held
    assert "Error" in held or attack in SILENT


def all_layers_here() -> bool:
    return all(layers_here()[layer] is True for layer in LAYERS)


def test_every_attack_fails_in_the_whole_sandbox(launched, outside):
    if uncovered(layers_here()):
        pytest.skip(f"this machine leaves {uncovered(layers_here())} open")
    lines = [f"import json, sys; given, marker = json.loads(sys.argv[1]), {MARKER!r}"]
    for attack, code in ATTACKS.items():
        if attack != "sees that a file exists" or layers_here()["mounts"] is True:
            code = code.replace("\n", "\n    ")
            lines.append(
                f"try:\n    {code}\nexcept Exception as error:\n    print({attack!r},"
                " type(error).__name__)"
            )
    lay_out(outside)
    held, _ = launched("\n".join(lines), LAYERS, json.dumps(outside))
    assert MARKER not in held
    told = {attack for attack in ATTACKS if f"{attack} " in held}
    assert set(ATTACKS) - told <= set(SILENT)
    assert Path(outside["file"]).read_text() == MARKER
    assert stat.S_IMODE(os.stat(outside["file"]).st_mode) != 0o610


INSIDE = """
import json, os, stat, sys
found = {"variables": dict(os.environ), "cwd": os.getcwd()}
found["files"] = sorted(int(name) for name in os.listdir("/proc/self/fd"))
found["roots"] = sorted(os.listdir("/")) if len(sys.argv) > 1 else []
found["status"] = open("/proc/self/status").read()
found["processes"] = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
found["session"], found["group"] = os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()
import resource
found["core"] = resource.getrlimit(resource.RLIMIT_CORE)
found["oom"] = open("/proc/self/oom_score_adj").read().strip()
found["mine"] = [os.access(path, os.W_OK) for path in (os.environ["HOME"], "/dev/shm", "/dev/null")]
print(json.dumps(found))
"""


def test_what_a_program_finds_in_the_sandbox(launched, monkeypatch):
    if not all_layers_here():
        pytest.skip("this machine has not every layer")
    monkeypatch.setenv("KOBENCH_SECRET", MARKER)
    text, layers = launched(INSIDE)
    assert layers == dict.fromkeys(LAYERS, True)
    found = json.loads(text)
    assert MARKER not in text
    own = {"LD_LIBRARY_PATH", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "LC_CTYPE"}
    expected = {
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "PYTHONHASHSEED",
        "HDF5_USE_FILE_LOCKING",
        "PYTHONSAFEPATH",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "LANG",
        "USER",
        "LOGNAME",
        "PATH",
        "HOME",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "XDG_RUNTIME_DIR",
    }
    assert set(found["variables"]) - own == expected
    assert found["variables"]["HOME"] == found["cwd"]
    assert found["variables"]["TMPDIR"] == "/tmp"
    assert len(found["files"]) == 4  # input, output, errors, and the listing itself
    assert "NoNewPrivs:\t1" in found["status"]
    assert "CapEff:\t0000000000000000" in found["status"]
    assert "CapBnd:\t0000000000000000" in found["status"]
    assert len(found["processes"]) == 1  # the one that watches over it is hidden
    assert found["session"]
    assert found["group"]
    assert found["core"] == [1, 1]  # 0 has the machine start what takes cores
    assert found["oom"] == "1000"
    assert found["mine"] == [True, True, True]


def test_the_file_tree_holds_only_what_may_be_read(launched, tmp_path):
    layers = ("user-namespace", "mounts")
    if any(layers_here()[layer] is not True for layer in layers):
        pytest.skip("this machine does not let a process have a file tree of its own")
    (tmp_path / "extra" / "deep").mkdir(parents=True)
    (tmp_path / "extra" / "deep" / "file").write_text("readable")
    (tmp_path / "link").symlink_to("extra/deep")
    code = (
        f"import os\nprint(sorted(os.listdir('/')), os.listdir({str(tmp_path)!r}),"
        f" open({str(tmp_path / 'link' / 'file')!r}).read())\ntry:\n   "
        f" open({str(tmp_path / 'extra' / 'deep' / 'new')!r}, 'w')\nexcept OSError as error:\n   "
        " print(error.strerror)\ntry:\n    open('/new', 'w')\nexcept OSError as error:\n   "
        " print(error.strerror)"
    )
    text, _ = launched(code, layers, read=(str(tmp_path / "link"),))
    assert (
        not {"home", "root", "var", "opt", "srv", "mnt", "boot", "run", "work"}
        & set(os.listdir("/"))
        & set(
            part.strip("' ")
            for part in text.partition("]")[0].strip("[").split(",")
            if part.strip("' ") not in str(this_interpreter())
        )
        - {Path(sys.executable).parts[1], tmp_path.parts[1]}
    )
    assert "readable" in text
    assert text.count("Read-only file system") == 2


def test_landlock_does_not_depend_on_where_its_binding_lies(tmp_path):
    """It may lie outside all that the worker reads."""
    for name in ("tree", "tmp"):
        (tmp_path / name).mkdir()
    read = ["/usr/lib", "/lib", "/lib64", "/usr/bin", "/bin"]
    plan = Plan(
        ["/bin/ls", "/usr/lib"], {}, "/", str(tmp_path / "tree"), str(tmp_path / "tmp"), read=read
    )
    with open(tmp_path / "output", "wb") as output, Launch(plan, output.fileno()) as launch:
        launch.await_end(30)
    assert launch.ended == 0, (tmp_path / "output").read_text()
    assert launch.layers == {**layers_here()}


def test_shared_memory_is_private_small_and_gone_afterwards(launched):
    if layers_here()["mounts"] is not True:
        pytest.skip("this machine does not let a process have a file tree of its own")
    code = (
        "import os\nopen('/dev/shm/mine', 'wb').write(b'x')\nprint(os.listdir('/dev/shm'))\n"
        "open('/tmp/mine', 'w')\ntry:\n    open('/dev/shm/large', 'wb').write(bytes(600 << 20))\n"
        "except OSError as error:\n    print(error.strerror)"
    )
    text, _ = launched(code)
    assert "['mine']" in text
    assert "No space left on device" in text
    assert not os.path.exists("/dev/shm/mine")
    assert not os.path.exists("/tmp/mine")


LIBRARIES = {
    "torch": (
        "import torch; x = torch.nn.Linear(4, 2)(torch.ones(3, 4)).sum(); x.backward();"
        " print('fine')"
    ),
    "sklearn": (
        "from sklearn.ensemble import RandomForestRegressor as F; import numpy as np; x ="
        " np.eye(9)\nF(4, n_jobs=2).fit(x, x[0]).predict(x); print('fine')"
    ),
    "joblib": (
        "from joblib import Parallel, delayed; Parallel(2)(delayed(abs)(i) for i in range(4));"
        " print('fine')"
    ),
    "xgboost": (
        "import xgboost, numpy as np; x = np.eye(9); xgboost.XGBRegressor(n_estimators=2).fit(x,"
        " x[0]).predict(x); print('fine')"
    ),
    "scanpy": (
        "import scanpy, anndata, numpy as np; a = anndata.AnnData(np.eye(30, 9, dtype='f4'))\n"
        "scanpy.pp.pca(a, n_comps=3); print('fine')"
    ),
    "numba": (
        "import os, numba; os.makedirs('m'); code = 'import numba\\n@numba.njit(cache=True)\\ndef"
        " f(x):\\n    return x'\nopen('m/kept.py', 'w').write(code); import sys;"
        " sys.path.append('m'); os.chmod('m', 0o500)\nimport kept; kept.f(2); print('fine')"
    ),
    "multiprocessing": (
        "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as pool: pool.map(abs,"
        " [1])\nwith m.Manager() as manager: manager.list([1])\nprint('fine')"
    ),
    "matplotlib": (
        "import matplotlib; matplotlib.use('agg'); import matplotlib.pyplot as p; p.plot([1]);"
        " p.savefig('x.png'); print('fine')"
    ),
    "psutil": (
        "import psutil; psutil.virtual_memory(); psutil.cpu_count();"
        " psutil.Process().memory_info(); print('fine')"
    ),
    "subprocess": "import subprocess; subprocess.run(['ls', '-l', '.'], check=True); print('fine')",
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_work_in_the_sandbox(launched, library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    if library == "multiprocessing" and layers_here()["mounts"] is not True:
        pytest.skip("this machine lets no process have a /dev/shm of its own")
    text, _ = launched(LIBRARIES[library])
    assert text.endswith("fine\n"), text


#: What else must work where there are no namespaces.
PLAIN = {
    "a pipe to a child": (
        "import multiprocessing as m; c = m.get_context('fork'); a, b = c.Pipe()\n"
        "p = c.Process(target=b.send, args=(3,)); p.start(); print(a.recv()); p.join()"
    ),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor as T; print(list(T(2).map(abs, [1])))"
    ),
    "copies of files": (
        "import os, shutil; open('a', 'w').write('x'); shutil.copy2('a', 'b'); os.mkdir('d');"
        " shutil.copytree('d', 'e')"
    ),
}


def test_libraries_work_on_a_machine_without_namespaces():
    names = [
        name
        for name in ("joblib", "sklearn", "torch", "xgboost")
        if importlib.util.find_spec(name) is not None
    ]
    codes = [*(LIBRARIES[name] for name in names), *PLAIN.values()]
    code = "\n".join(f"exec({one!r}, {{}})" for one in codes)
    text, layers = shut_in(code)
    assert layers["mounts"] is not True
    assert layers["ipc-namespace"] is not True
    assert text.count("fine\n") == len(names), text
    assert text.endswith("3\n[1]\n"), text


def test_a_pool_that_cannot_be_made_is_a_failure_with_its_reason():
    code = (
        "import multiprocessing\nfrom kobench.worker.failures import failure\n"
        "try:\n    multiprocessing.Pool(2)\nexcept BaseException as error:\n"
        "    print(failure(error)['message'])"
    )
    if layers_here()["landlock-files"] is not True:
        pytest.skip(f"no Landlock: {layers_here()['landlock-files']}")
    text, _ = shut_in(code, read=(str(Path(kobench.__file__).parent.parent),))
    assert "multiprocessing can make no locks, queues and pools" in text


def test_the_sandbox_is_there_as_far_as_the_machine_allows(launched):
    """What can't be put on is named, and the rest goes on."""
    text, layers = launched("print('ran')", ("mounts", "own-proc", "landlock-tcp"))
    assert "ran" in text
    assert layers["user-namespace"] == layers["landlock-files"] == "not asked for"
    if os.geteuid() != 0:
        assert layers["mounts"] == "mount namespace: Operation not permitted"
        assert layers["own-proc"] == "needs a file tree of its own"


#: Restricts itself as on a kernel of some version of Landlock, then empties what it may only read.
EMPTIES = """
import os, sys
from kobench.sandbox import kernel, rules
version, folder = int(sys.argv[1]), sys.argv[2]
rules.abi = lambda: version
kernel.no_new_rights()
print(rules.restrict(["landlock-files"], [folder + "/given", "/usr"], [], [])["landlock-files"])
for path, flags in (("/given/file", os.O_TRUNC), ("/other", 0)):
    try:
        os.open(folder + path, os.O_RDONLY | flags)
        print("opened")
    except PermissionError:
        print("refused")
"""


@pytest.mark.parametrize("version", [1, 2, 3])
def test_landlock_counts_where_it_keeps_files_from_being_emptied(tmp_path, version):
    importable = importlib.util.find_spec("landlockpy") is not None
    if not importable or abi() < 3:
        pytest.skip("this machine has no Landlock of version 3")
    (tmp_path / "given").mkdir()
    for name in ("given/file", "other"):
        (tmp_path / name).write_text("x")
    command = [sys.executable, "-c", EMPTIES, str(version), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counts, emptied, other = done.stdout.splitlines()
    assert other == "refused"  # it is put on
    if version < 3:
        assert counts == f"needs version 3 of Landlock, the kernel has {version}"
        assert emptied == "opened"
    else:
        assert (counts, emptied) == ("True", "refused")
    assert (tmp_path / "given" / "file").read_text() == ("" if version < 3 else "x")


LANDLOCK = {"landlock-files": True, "landlock-signals": True}
NAMESPACES = dict.fromkeys(
    ("mounts", "ipc-namespace", "network-namespace", "process-namespace", "seccomp-sockets"), True
)


@pytest.mark.parametrize(
    ("layers", "open_"),
    [
        ({}, ("files", "network", "processes")),
        ({**LANDLOCK, "landlock-tcp": True}, ("files", "network", "processes")),
        ({**LANDLOCK, "seccomp-outside": True}, ("files", "network")),
        ({**LANDLOCK, "seccomp-sockets": True}, ("files", "processes")),
        ({**LANDLOCK, "seccomp-sockets": True, "seccomp-outside": True}, ()),
        ({**NAMESPACES}, ()),
        ({**NAMESPACES, "seccomp-sockets": "no"}, ("files",)),
        ({**NAMESPACES, "ipc-namespace": "no"}, ("files",)),
        ({**NAMESPACES, "ipc-namespace": "no", "seccomp-outside": True}, ()),
        ({**NAMESPACES, "network-namespace": "no"}, ("network",)),
        ({**NAMESPACES, "mounts": "no", "landlock-files": True}, ("files",)),
        ({**NAMESPACES, "process-namespace": 1}, ("processes",)),
    ],
)
def test_what_is_covered(layers, open_):
    assert uncovered({**without_any("no"), **layers}) == open_


def test_the_filter_of_sockets_leaves_those_that_stay_on_the_machine(launched):
    if layers_here()["seccomp-sockets"] is not True:
        pytest.skip(f"no filter of sockets: {layers_here()['seccomp-sockets']}")
    code = (
        "import socket\na, b = socket.socketpair(); a.sendall(b'x'); print(b.recv(1),"
        " socket.if_nameindex() is not None)\nfor family in range(1, 46):\n    try:\n       "
        " socket.socket(family, socket.SOCK_DGRAM); print('opened', family)\n    except"
        " PermissionError:\n        print('kept', family)\n    except OSError:\n        print('no"
        " such', family)"
    )
    text, _ = launched(code, ("seccomp-sockets",))
    assert "b'x' True" in text
    assert "opened 1\n" in text
    assert set(text.split("\n")) & {f"opened {family}" for family in range(1, 46)} <= {
        "opened 1",
        "opened 16",
    }
    assert {f"kept {family}" for family in (2, 10, 17, 40)} <= set(text.split("\n"))


@pytest.mark.parametrize("layers", [LAYERS, ()], ids=["all", "none"])
def test_a_process_can_t_raise_how_many_files_it_may_hold(launched, layers):
    code = (
        "import resource as r\nsoft, hard = r.getrlimit(r.RLIMIT_NOFILE)\nprint(soft == hard <="
        " 4096)\ntry:\n    r.setrlimit(r.RLIMIT_NOFILE, (hard, hard + 1))\n   "
        " print('raised')\nexcept (ValueError, OSError):\n    print('kept')"
    )
    text, _ = launched(code, layers)
    assert text.startswith("True\n")
    assert text.endswith("kept\n") or (
        not layers and os.geteuid() == 0
    )  # without a layer the superuser stays what he is


def test_a_required_sandbox_refuses_where_something_stays_open():
    refuse_if_open("auto", without_any("this machine is old"))
    with pytest.raises(
        UserError,
        match=(
            r"leaves files and network and processes open: files of the machine \(mounts: this"
            r" machine is old.*kobench doctor"
        ),
    ):
        refuse_if_open("require", without_any("this machine is old"))
    with pytest.raises(
        UserError,
        match=(
            r"leaves files \(System V memory, semaphores and messages, and POSIX message queues\)"
            r" open: System V .* \(ipc-namespace: denied, seccomp-outside: no filter\)"
        ),
    ):
        refuse_if_open(
            "require", {**NAMESPACES, "ipc-namespace": "denied", "seccomp-outside": "no filter"}
        )
    if not uncovered(layers_here()):
        refuse_if_open("require")


def test_what_is_read_of_an_installation(tmp_path):
    for name in ("bin", "lib", "results", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyvenv.cfg").write_text("")
    assert [place.name for place in installed(tmp_path)] == ["bin", "lib", "pyvenv.cfg"]
    assert list(installed(tmp_path / "data")) == [tmp_path / "data"]
    read = readable_by(
        Interpreter(tmp_path / "bin" / "python", (tmp_path,), "mine"),
        (tmp_path / "data", tmp_path / "gone"),
    )
    assert {str(tmp_path / name) for name in ("bin", "lib", "data")} <= set(read)
    assert not {str(tmp_path), str(tmp_path / "results"), str(tmp_path / "gone")} & set(read)


def test_modules_are_linked_by_name(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "single.py").write_text("x = 1")
    places = link_modules(
        tmp_path / "import",
        {
            "package": tmp_path / "package",
            "single": tmp_path / "single.py",
            "space.inner": tmp_path / "package",
        },
    )
    assert places == (tmp_path / "package", tmp_path / "single.py", tmp_path / "package")
    assert (tmp_path / "import" / "single.py").read_text() == "x = 1"
    assert (
        (tmp_path / "import" / "space" / "inner").resolve()
        == (tmp_path / "import" / "package").resolve()
        == tmp_path / "package"
    )


def test_any_folder_can_be_removed(tmp_path):
    folder = tmp_path / "folder"
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "closed" / "inner" / "file").write_text("x")
    (folder / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    os.chmod(folder / "closed" / "inner", 0)
    os.chmod(folder / "closed", 0)
    deep = os.open(folder, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=deep)
        inner = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    remove(folder)
    assert not os.path.lexists(folder)
    assert (tmp_path / "kept").is_dir()
    remove(folder)


#: Says on which processors it computes once it has asked for all, and how the system calls ended.
PROCESSORS = """
import os, threading
every = range(os.cpu_count())
try:
    os.sched_setaffinity(0, every)
except OSError:
    print("refused")
child = os.fork()
if child == 0:
    os.sched_setaffinity(0, every)
    print(sorted(os.sched_getaffinity(0)), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(sorted(os.sched_getaffinity(0)))
"""


@pytest.mark.parametrize("layers", [LAYERS, ()], ids=["sandbox", "none"])
def test_a_trial_side_by_side_computes_on_its_own_processors_alone(tmp_path, layers):
    there = sorted(os.sched_getaffinity(0))
    if len(there) < 2:
        pytest.skip("this machine has one processor")
    if layers and layers_here()["seccomp-sockets"] is not True:
        pytest.skip(f"no filter here: {layers_here()['seccomp-sockets']}")
    access = Access(processors=there[1:2])
    plan = make_plan(
        this_interpreter(), ["-c", PROCESSORS], Folders.make(tmp_path / "launch"), access, layers
    )
    with open(tmp_path / "output", "wb") as output, Launch(plan, output.fileno()) as launch:
        launch.await_end(120)
    expected = there[1:2] if layers else there
    assert (tmp_path / "output").read_text().splitlines() == [str(expected)] * 2


def test_a_file_that_another_trial_locks_can_be_read(launched, tmp_path):
    h5py = pytest.importorskip("h5py")
    shared = tmp_path / "shared"
    shared.mkdir()
    with h5py.File(shared / "weights.h5", "w") as file:
        file["x"] = [1, 2, 3]
    code = "import h5py, sys; print(h5py.File(sys.argv[1], 'r')['x'][:])"
    with open(shared / "weights.h5", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said, _ = launched(code, LAYERS, str(shared / "weights.h5"), read=(str(shared),))
    assert said == "[1 2 3]\n"
