"""Runs that are killed: nothing half written counts, no process stays, the same command goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from command import COMMAND
from places import PREDICTORS
from warm import Warm

from kobench.board.make import make_board
from kobench.board.render.formats import render
from kobench.results.records import read_records


def board_bytes(folder: Path) -> str:
    return render(make_board(read_records(folder), cost=False), "json")


def words(jobs: int) -> list[str]:
    """What follows `kobench`, up to the folder of the results."""
    return [
        *("run", "-d", "grn:genes=10,cells=40", "-p", "good", "-p", "half", "--networks", "2"),
        *("-t", "profile", "-t", "keystone"),
        *("--jobs", str(jobs), "--plugin", str(PREDICTORS), "--json", "--out"),
    ]


@pytest.fixture(scope="module")
def warm():
    with Warm() as process:
        yield process


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, warm):
    """The board of a run that nobody kills, and the seconds that such a run takes."""
    warm.run([*words(jobs=2), tmp_path_factory.mktemp("first")])  # plugins are described once
    folder = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    assert warm.run([*words(jobs=2), folder]).returncode == 0
    return board_bytes(folder), time.monotonic() - started


def test_killed_at_random_moments(tmp_path, undisturbed, warm):
    """Fifty kills of one run after another; what is left is finished at the end and equals an
    undisturbed run.
    """
    board, seconds = undisturbed
    moments = random.Random(0)
    survivors = 0
    for _ in range(50):
        process = warm.start([*words(jobs=2), tmp_path])
        try:
            process.wait(timeout=moments.uniform(0.3, 1.0) * min(seconds, 3.0))
        except subprocess.TimeoutExpired:
            process.kill()
        survivors += process.wait() == 0
        if survivors > 3:  # everything is done: start over, so that every kill meets a run at work
            survivors = 0
            for path in (tmp_path / "records").glob("*.json"):
                if moments.random() < 0.7:
                    path.unlink()
    assert warm.run([*words(jobs=2), tmp_path]).returncode == 0
    assert board_bytes(tmp_path) == board
    assert not (tmp_path / ".work").exists()
    assert not list(tmp_path.rglob("*.tmp"))


STEPS = ("open", "write", "flush", "fsync", "replace", "after")


#: Runs the command and kills it at one step of writing a file. Its words: the step, the folder and
#: the number of the file there, and then the command's own.
KILLER = """
import os, signal, sys
from types import SimpleNamespace
from kobench.util import files

step, folder, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
real_open = open

def die_at(name):
    global left
    if name == step and at_work_on.parent.name == folder:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

class File:
    def __init__(self, file):
        self.file = file
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.file.close()
    def write(self, content):
        half = len(content) // 2
        self.file.write(content[:half])
        self.file.flush()
        die_at("write")
        self.file.write(content[half:])
    def flush(self):
        die_at("flush")
        self.file.flush()
    def fileno(self):
        return self.file.fileno()

def opened(path, mode):
    global at_work_on
    file = real_open(path, mode)
    if mode != "wb":
        return file
    at_work_on = path
    die_at("open")
    return File(file)

def fsync(number):
    die_at("fsync")
    os.fsync(number)

def replace(old, new):
    die_at("replace")
    os.replace(old, new)
    die_at("after")

files.open = opened
files.os = SimpleNamespace(fsync=fsync, replace=replace, getpid=os.getpid)
sys.argv = ["kobench", *sys.argv[4:]]
from kobench.cli import main
main()
"""


#: What a run is writing when it is killed: the folder, and the number of the file there.
FILES = {
    "a floor's record": ("records", 1),
    "answers": ("answers", 2),
    "a predictor's record": ("records", 13),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_of_writing(tmp_path, undisturbed, warm, step):
    board, _ = undisturbed
    for kind, number in FILES.items():
        folder = tmp_path / kind
        killed = warm.run([step, *number, *words(jobs=1), folder], code=KILLER)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert len(list((folder / "records").glob("*.json"))) < 28
        assert warm.run([*words(jobs=1), folder]).returncode == 0
        assert board_bytes(folder) == board
        assert not list(folder.rglob("*.tmp"))


def as_in_a_terminal() -> None:
    """Tests that run in the background inherit that signals are ignored, and so would what they
    start.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def at_work(tmp_path):
    """A run of one or two jobs in the middle of a fit that would last ten minutes, and the
    processes that it started.
    """
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to see the processes")
    started: list[subprocess.Popen[bytes]] = []

    def start(jobs: int) -> tuple[subprocess.Popen[bytes], dict[str, list[int]]]:
        arguments = ["sleeps" if word in ("good", "half") else word for word in words(jobs)]
        process = subprocess.Popen(
            [*COMMAND, *arguments, str(tmp_path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=as_in_a_terminal,
        )
        started.append(process)
        deadline = time.monotonic() + 60
        while not (found := started_by(process.pid))["worker"] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert found["worker"]
        assert bool(found["jobs"]) == (jobs > 1)
        time.sleep(0.5)
        return process, found

    yield start
    for process in started:
        process.kill()
        process.wait()


def started_by(pid: int) -> dict[str, list[int]]:
    """Ids of the processes that a run started, of the harness itself and of workers."""
    names = {}
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            names[child.pid] = " ".join(child.cmdline())
    return {
        name: sorted(one for one, words in names.items() if f"kobench.{module}" in words)
        for name, module in (("jobs", "runner.jobs"), ("worker", "worker.main"))
    }


def all_end(processes: list[int]) -> bool:
    """Whether these processes end within half a minute."""
    deadline = time.monotonic() + 30
    while any(is_alive(pid) for pid in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(is_alive(pid) for pid in processes)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_a_run_started_ends_with_it(at_work, tmp_path, jobs, by):
    """A run that is ended leaves no process behind, even in the middle of a fit, and what was
    finished.
    """
    process, found = at_work(jobs)
    process.send_signal(by)
    code = process.wait(timeout=30)
    assert code == (-by if by == signal.SIGKILL else 130)
    assert all_end(found["jobs"] + found["worker"])
    assert list(tmp_path.glob("records/*.json"))
    if by != signal.SIGKILL:
        assert b"goes on from there" in process.stderr.read()
        assert not (tmp_path / ".work").exists()


def test_a_signal_that_is_ignored_stays_ignored(tmp_path):
    """A run under nohup outlives its terminal."""
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\ntry:\n    from kobench.cli"
        " import main; main()\nfinally:\n"
    )
    code += (
        "    print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN,"
        " signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "True False"


def test_a_process_of_the_harness_that_is_killed_ends_the_run_in_a_sentence(at_work):
    process, found = at_work(2)
    os.kill(found["jobs"][0], signal.SIGKILL)
    assert process.wait(timeout=30) == 1
    said = process.stderr.read().decode()
    assert "a process of this run was ended by SIGKILL" in said
    assert "Traceback" not in said
    assert all_end(found["jobs"] + found["worker"])


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
