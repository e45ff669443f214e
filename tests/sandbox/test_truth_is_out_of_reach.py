"""A predictor that looks for the truth wherever it can; in the sandbox it finds nothing.

It looks into files, memory, other processes and sockets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bare_machine import BARE

from kobench.sandbox import uncovered
from kobench.sandbox.finding import layers_here

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

#: A dataset with a truth that is read from a file, held in memory and never handed to a predictor.
DATASET = """
from pathlib import Path
import numpy as np
from kobench.api import *

class Truth:
    def __init__(self, X):
        self.X, self.secret = X.astype(float), Path(__file__).with_name("truth.txt").read_text()
    def wild_type(self, cells):
        return self.X[cells]
    def knockout(self, knockouts):
        out = self.X[knockouts.cells].copy()
        out[np.arange(len(out)), knockouts.genes[:, 0]] = 0
        return out

def load():
    X = np.random.default_rng(0).random((30, 8)).astype(np.float32) + 0.1
    cells = Cells(X, np.array([f"g{i}" for i in range(8)]))
    return Dataset(cells, scale="linear", kind="simulated", truth=Truth(X))

@hookimpl
def kobench_datasets():
    yield DatasetSpec("hidden", load, truth="counterfactual")
"""

#: It knows how markers look (KBM-place-16 digits), not what they are. What it finds, and how much
#: it looked at, it prints.
SEEKER = r"""
import gc, json, os, re, socket, stat, time
import numpy as np
from kobench.api import PredictorSpec, hookimpl

HINTS = json.loads({hints!r})
LOOKS_LIKE = re.compile(rb"KBM-([a-z]+)-[0-9a-f]{{16}}")
found, looked = {{}}, {{}}

def look(where, data):
    looked[where] = looked.get(where, 0) + 1
    names = (match.group(1).decode() for match in LOOKS_LIKE.finditer(data))
    found.setdefault(where, set()).update(names)

def attempt(function, *arguments):
    try:
        return function(*arguments)
    except (OSError, ValueError, OverflowError):
        return None

def file(where, path):
    if stat.S_ISREG(os.stat(path).st_mode):
        with open(path, "rb") as opened:
            look(where, opened.read(1 << 20))

def memory(where, pid):
    with open(f"/proc/{{pid}}/maps") as maps, open(f"/proc/{{pid}}/mem", "rb", 0) as opened:
        for line in maps:
            first, last = (int(part, 16) for part in line.split()[0].split("-"))
            if line.split()[1].startswith("rw") and last - first < 1 << 28:
                attempt(opened.seek, first)
                look(where, attempt(opened.read, last - first) or b"")

def process(pid):
    for name in ("environ", "cmdline"):
        attempt(lambda: look(name, open(f"/proc/{{pid}}/{{name}}", "rb").read()))
    for number in attempt(os.listdir, f"/proc/{{pid}}/fd") or ():
        attempt(file, "open files", f"/proc/{{pid}}/fd/{{number}}")
    attempt(memory, "memory", pid)

def connect(where, family, address):
    with socket.socket(family) as client:
        client.settimeout(3)
        client.connect(address)
        look(where, client.recv(1000))

class Seeker:
    def fit(self, cells, context):
        attempt(memory, "own memory", "self")
        for thing in gc.get_objects():
            if isinstance(thing, dict):
                texts = [value for value in list(thing.values()) if type(value) is str]
                look("own objects", " ".join(texts).encode())
        look("own variables", json.dumps(dict(os.environ)).encode())
        pid, ancestors = os.getpid(), [HINTS["pid"], 1]
        for _ in range(3):
            text = attempt(lambda: open(f"/proc/{{pid}}/stat").read())
            pid = int(text.rpartition(")")[2].split()[1]) if text else 1
            ancestors.append(pid)
        for pid in ancestors:
            process(pid)
        until = time.monotonic() + 5
        own = [str(folder) for folder in context.scratch.parents]
        system = ("/dev/shm", "/tmp", "/etc", "/home", "/root")
        for root in (*HINTS["folders"], *system, *own, os.path.dirname(np.__file__)):
            for folder, _, names in os.walk(root):
                for name in names:
                    if not folder.startswith(("/proc", "/sys")):
                        attempt(file, "files", os.path.join(folder, name))
                if time.monotonic() > until:
                    break
        attempt(connect, "tcp", socket.AF_INET, ("127.0.0.1", HINTS["port"]))
        attempt(connect, "unix", socket.AF_UNIX, HINTS["socket"])
        attempt(connect, "abstract", socket.AF_UNIX, "\0" + HINTS["socket"])
        by_place = {{where: sorted(names) for where, names in found.items() if names}}
        print("SEEKER", json.dumps({{"found": by_place, "looked": looked}}), flush=True)
    def predict_expression(self, assemblages):
        return assemblages / assemblages.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("seeker", Seeker)
"""

#: The harness: it has markers in its memory, its variables, its command line, its results and its
#: sockets.
HARNESS = """
import json, os, secrets, socket, sys, threading
from pathlib import Path
folder, mode, seeker = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
mark = lambda place: f"KBM-{place}-{secrets.token_hex(8)}"
(folder / "hidden" / "truth.txt").write_text(mark("truth"))
(folder / "results" / "answers").mkdir(parents=True)
(folder / "results" / "answers" / "another.npz").write_text(mark("results"))
kept = [mark("memory")]
socket_path = f"/var/tmp/kobench-{os.getpid()}.sock"
def serve(family, address, place):
    server = socket.socket(family)
    server.bind(address)
    server.listen()
    def loop():
        while True:
            with server.accept()[0] as client:
                client.sendall(mark(place).encode())
    threading.Thread(target=loop, daemon=True).start()
    return server.getsockname()
port = serve(socket.AF_INET, ("127.0.0.1", 0), "tcp")[1]
serve(socket.AF_UNIX, socket_path, "unix")
serve(socket.AF_UNIX, "\\0" + socket_path, "abstract")
held = open(folder / "hidden" / "open.txt", "w+")
held.write(mark("open"))
held.flush()
os.unlink(folder / "hidden" / "open.txt")
folders = [str(folder / "hidden"), str(folder / "results")]
hints = {"pid": os.getpid(), "port": port, "socket": socket_path, "folders": folders}
(folder / "theirs").mkdir()
(folder / "theirs" / "seeker.py").write_text(seeker.replace(repr("HINTS"), repr(json.dumps(hints))))
plugins = ["--plugin", folders[0] + "/dataset.py", "--plugin", str(folder / "theirs/seeker.py")]
sys.argv = ["kobench", "run", "-d", "hidden", "-p", "seeker", *plugins, "--out", folders[1]]
sys.argv += ["--sandbox", mode]
from kobench.cli import main
try:
    main()
finally:
    os.unlink(socket_path)
"""


def seek(
    folder: Path, mode: str, *machine: str
) -> tuple[dict[str, list[str]], dict[str, int], dict[str, object]]:
    """Run the seeker in a mode of the sandbox; `machine` is put before the command.

    It returns what it found in each place, how often it looked there, and its record.
    """
    (folder / "hidden").mkdir(parents=True)
    (folder / "hidden" / "dataset.py").write_text(DATASET)
    variables = {**os.environ, "KOBENCH_NOTE": "KBM-variable-" + os.urandom(8).hex()}
    command = [
        *machine,
        sys.executable,
        "-c",
        HARNESS,
        str(folder),
        mode,
        SEEKER.format(hints="HINTS"),
        "KBM-argument-" + os.urandom(8).hex(),
    ]
    done = subprocess.run(
        command, env=variables, cwd=folder, capture_output=True, text=True, check=False
    )
    records = [
        json.loads(path.read_text()) for path in (folder / "results" / "records").glob("*.json")
    ]
    (record,) = [one for one in records if one["trial"]["predictor"]["name"] == "seeker"] or [
        {"run": {"output": done.stderr}}
    ]
    assert "SEEKER " in (record["run"]["output"] or ""), done.stderr + str(record)
    said = json.loads(record["run"]["output"].rpartition("SEEKER ")[2])
    return said["found"], said["looked"], record


def test_a_predictor_that_looks_everywhere_finds_nothing_in_the_sandbox(tmp_path):
    if uncovered(layers_here()) or layers_here()["mounts"] is not True:
        pytest.skip(f"this machine has not every layer: {layers_here()}")
    found, looked, record = seek(tmp_path, "require")
    assert found == {}
    assert record["result"]["status"] == "ok"
    assert looked["own memory"] > 10
    assert looked["own objects"] > 1000
    assert looked["files"] > 10
    assert not {"tcp", "unix", "abstract", "memory", "environ", "cmdline", "open files"} & set(
        looked
    )


def test_nor_on_a_machine_without_namespaces(tmp_path):
    lacking = {
        name: layers_here()[name]
        for name in ("landlock-files", "landlock-signals", "seccomp-outside")
        if layers_here()[name] is not True
    }
    if lacking:
        pytest.skip(f"this machine has not {lacking}")
    found, looked, record = seek(tmp_path, "require", *BARE)
    assert found == {}
    assert record["result"]["status"] == "ok"
    assert looked["own memory"] > 10
    assert looked["files"] > 10
    assert not {"tcp", "unix", "abstract", "memory", "open files"} & set(looked)


def test_the_same_predictor_finds_every_marker_without_the_sandbox(tmp_path):
    found, _, record = seek(tmp_path, "off")
    assert record["result"]["status"] == "ok"
    assert {"truth", "results"} <= set(found["files"])
    assert found["tcp"] == ["tcp"]
    assert found["unix"] == ["unix"]
    assert found["abstract"] == ["abstract"]
    assert found["own variables"] == ["variable"]
    assert "variable" in found["own memory"]
    assert "argument" in found["cmdline"]
    if os.geteuid() != 0 and Path("/proc/sys/kernel/yama/ptrace_scope").exists():
        pytest.skip("this machine lets no process look into one that it did not start")
    assert "variable" in found["environ"]
    assert {"memory", "truth"} <= set(found["memory"])
    assert "open" in found["open files"]
