"""Supervision: nothing that a worker starts outlives it, however it or the harness ends.

Also what is no reply, and what a worker may do to the folders that it shares with the harness.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asked import ask_profile, fit_on_three_genes
from launches import STUBBORN, WAYS, alive, none_left, plan_of, wait_for
from places import HELPERS

from kobench.errors import TrialFailed, UserError
from kobench.sandbox import LAYERS
from kobench.sandbox.finding import layers_here
from kobench.sandbox.plan import Plan
from kobench.sandbox.start import Launch
from kobench.supervisor import enforcement, usage
from kobench.supervisor.limits import Limits
from kobench.supervisor.messages import Pipe, parse
from kobench.supervisor.process import WorkerProcess
from kobench.supervisor.settings import WorkerSettings
from kobench.util.text import visible

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[str]:
    """A word for the command lines of one test's processes; what has it in the end, is ended."""
    word = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    yield word
    for pid in alive(word):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def skip_where_lacking(way: str) -> None:
    """Skip a test of a domain of signals where this machine has none."""
    if way == "domain" and layers_here()["landlock-signals"] is not True:
        pytest.skip(f"no domain of signals here: {layers_here()['landlock-signals']}")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", STUBBORN)
def test_nothing_outlives_a_launch(tmp_path, marker, what, way):
    skip_where_lacking(way)
    with (
        open(tmp_path / "output", "wb") as output,
        Launch(plan_of(tmp_path, STUBBORN[what], marker, WAYS[way]), output.fileno()),
    ):
        wait_for(tmp_path / "scratch" / "done")
        assert alive(marker) or what == "a daemon that outlives the worker"
    assert not alive(marker)


#: Encloses itself, starts what no list of processes would show, and ends it all. Its argument is
#: the number of a process that lies outside and must stay.
ENCLOSED = """
import os, signal, sys, time
from kobench.sandbox import ending, kernel, rules
kernel.no_new_rights()
kernel.adopt_orphans()
if not rules.enclose():
    print("no domain of signals here")
    sys.exit()
ready, write = os.pipe()
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(write, b".")
            time.sleep(60)
        os._exit(0)
while len(os.read(ready, 1)) < 1: pass
try:
    os.kill(int(sys.argv[1]), 0)
    print("reaches the one outside")
except PermissionError:
    pass
ending.parents = None
print("ended", ending.end_domain())
os.close(write)
print("left", os.read(ready, 10).strip(b"."))
"""


def test_a_domain_of_signals_is_ended_without_looking_for_its_processes() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as outside:
        command = [sys.executable, "-c", ENCLOSED, str(outside.pid)]
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        still_there = outside.poll() is None
        outside.communicate(b"\n")
    if "no domain" in said.stdout:
        pytest.skip(said.stdout)
    assert said.stdout == "ended True\nleft b''\n", said.stderr
    assert still_there


@pytest.mark.parametrize("way", WAYS)
def test_a_daemon_ends_with_its_worker(tmp_path, marker, way):
    """Not only when the harness leaves: also as soon as the worker ends by itself."""
    skip_where_lacking(way)
    plan = plan_of(tmp_path, STUBBORN["a daemon that outlives the worker"], marker, WAYS[way])
    with open(tmp_path / "output", "wb") as output, Launch(plan, output.fileno()) as launch:
        launch.await_end(30)
        assert launch.ended == 0
        assert none_left(marker)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("whom", ["guard", "keeper"])
def test_nothing_outlives_those_who_watch(tmp_path, marker, whom, way):
    skip_where_lacking(way)
    plan = plan_of(tmp_path, STUBBORN["a daemon"], marker, WAYS[way])
    with open(tmp_path / "output", "wb") as output, Launch(plan, output.fileno()) as launch:
        wait_for(tmp_path / "scratch" / "done")
        launch.hear(5)
        assert alive(marker)
        assert launch.keeper is not None
        os.kill(launch.process.pid if whom == "guard" else launch.keeper, signal.SIGKILL)
        assert none_left(marker)
        launch.await_end(10)
        assert launch.ended is None
        assert launch.lost


HARNESS = """
import sys, time
sys.path.insert(0, {helpers!r})
from pathlib import Path
from launches import *
plan = plan_of(Path({folder!r}), {code!r}, sys.argv[1], WAYS[{way!r}])
with open({folder!r} + "/output", "wb") as output, Launch(plan, output.fileno()):
    time.sleep(60)
"""


@pytest.mark.parametrize("way", WAYS)
def test_nothing_outlives_a_harness_that_is_killed(tmp_path, marker, way):
    skip_where_lacking(way)
    folder = tmp_path / "launch"
    code = HARNESS.format(
        helpers=str(HELPERS),
        folder=str(folder),
        code=STUBBORN["a daemon"],
        way=way,
    )
    folder.mkdir()
    harness = subprocess.Popen([sys.executable, "-c", code, marker])
    wait_for(folder / "scratch" / "done")
    harness.kill()
    harness.wait()
    assert none_left(marker)


def test_how_a_program_ended_is_known(tmp_path, marker):
    ends = {
        "sys.exit(3)": 3,
        "os._exit(0)": 0,
        "os.kill(os.getpid(), 9)": -9,
        "os.kill(os.getpid(), 11)": -11,
        "raise ValueError": 1,
    }
    for number, (code, end) in enumerate(ends.items()):
        for way, layers in WAYS.items():
            plan = plan_of(tmp_path / f"{number}{way}", code, marker, layers)
            with open(os.devnull, "wb") as output, Launch(plan, output.fileno()) as launch:
                launch.await_end(60)
                assert launch.ended == end


def test_a_program_that_is_not_there_is_named(tmp_path):
    for name in ("tree", "tmp"):
        (tmp_path / name).mkdir()
    plan = Plan(
        ["/nowhere/python"],
        {},
        "/",
        str(tmp_path / "tree"),
        str(tmp_path / "tmp"),
        read=["/usr/lib"],
    )
    with open(os.devnull, "wb") as output, Launch(plan, output.fileno()) as launch:
        launch.await_end(30)
        assert (
            launch.not_started
            == "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/python'"
        )


PLUGIN = """
import builtins, json, os, signal, sys, threading, time
import numpy as np
def is_out(n):
    how = open(f"/proc/self/fdinfo/{{n}}").read().split()[3]
    return "pipe" in os.readlink(f"/proc/self/fd/{{n}}") and how.endswith("1")
class Predictor:
    def fit(self, cells, context):
        self.scratch = context.scratch
        {fit}
    def predict_expression(self, assemblages):
        {predict}
        return assemblages / assemblages.sum(1, keepdims=True)
"""


@pytest.fixture
def worker(tmp_path: Path) -> Callable[..., Any]:
    """`worker(fit=code, predict=code, ...)` runs a predictor up to its profile.

    It returns (its worker, the profile).
    """

    def run(
        fit: str = "pass",
        predict: str = "pass",
        between: Callable[[WorkerProcess], None] | None = None,
        **more: Any,
    ) -> Any:
        path = tmp_path / "plugin.py"
        path.write_text(PLUGIN.format(fit=fit, predict=predict))
        more.setdefault("limits", Limits(seconds=60))
        settings = WorkerSettings(links={"plugin.py": path}, **more)
        process = WorkerProcess(tmp_path / "work", settings)
        run.process = process  # type: ignore[attr-defined]
        with process as running:
            fit_on_three_genes(running, path)
            if between is not None:
                between(running)
            ask_profile(running)
            return running, running.answers("profile", ("profile",))["profile"]

    return run


@pytest.mark.parametrize("mode", ["auto", "off"])
def test_a_worker_answers(worker, tmp_path, mode):
    process, profile = worker(
        "print('hello from fit')", sandbox=mode, packages=("numpy", "no-such-distribution")
    )
    assert np.array_equal(profile, np.eye(3))
    assert process.hello["packages"] == {"numpy": np.__version__}
    assert process.hello["python"] == sys.version.split()[0]
    assert set(process.seconds) == {"fit", "profile"}
    assert process.peak_mb > 10
    assert process.output_tail() == "hello from fit"
    assert process.report["mode"] == mode
    assert set(process.report["layers"]) == set(LAYERS)
    assert list((tmp_path / "work").iterdir()) == []


def pipe(what: str) -> str:
    """Code that writes something to the worker's pipe to the harness.

    Beside its output this is the only one that is open for writing.
    """
    return (
        f"[os.write(n, {what}) for n in range(3, 100) if os.path.exists(f'/proc/self/fd/{{n}}') and"
        " is_out(n)]"
    )


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("b'rubbish\\n'", "is not JSON"),
        ("b'[' * 100000 + b'\\n'", "is not JSON"),
        ("b'\\xff\\xfe\\n'", "is not JSON"),
        ("b'[]\\n'", "no known kind"),
        ("b'{\"kind\": [1]}\\n'", "no known kind"),
        ('b\'{"kind": "done"}\\n\'', "has no for of the right type"),
        ('b\'{"kind": "done", "for": "me"}\\n\'', "none to what was asked"),
        (
            (
                'b\'{"kind": "failed", "for": "", "status": "ok", "message": "", "traceback":'
                " null}\\n'"
            ),
            "has the status 'ok'",
        ),
        (
            'b\'{"kind": "log", "message": 3, "done": 1, "total": 1}\\n\'',
            "has no message of the right type",
        ),
    ],
)
def test_what_is_no_reply_is_refused(worker, what, message):
    with pytest.raises(TrialFailed, match=message) as ended:
        worker(pipe(what))
    assert (ended.value.status, ended.value.stage) == ("invalid", "fit")


def test_a_reply_without_end_is_refused(worker):
    with pytest.raises(TrialFailed, match="longer than 1,048,576 bytes") as ended:
        worker("exec('while True: ' + " + repr(pipe("b'x' * 60000")) + ")")
    assert ended.value.status == "invalid"


def test_a_worker_that_closes_its_pipe_or_is_not_heard_ends(worker):
    with pytest.raises(TrialFailed, match="closed its pipe"):
        worker("os.closerange(3, 100); time.sleep(30)")
    with pytest.raises(TrialFailed, match="longer than 1 s"):
        worker("time.sleep(30)", limits=Limits(seconds=1))


@pytest.mark.parametrize("mode", ["auto", "off"])
def test_why_a_worker_ended_is_said(worker, mode):
    said = {
        "sys.exit(4)": r"it called sys.exit\(4\)",
        "sys.exit()": r"it called sys.exit\(\)",
        "os._exit(5)": "the process exited with code 5",
        "os.kill(os.getpid(), signal.SIGSEGV)": "the process was ended by SIGSEGV",
        "os.kill(os.getpid(), signal.SIGKILL)": r"the process was ended by SIGKILL \(often",
        "raise KeyError('x')": "KeyError: 'x'",
        "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()": (
            "Odd: .its message can't be shown"
        ),
        "raise ValueError(os.getcwd() + chr(27) + chr(0x202e))": (
            r"ValueError: [^\x1b\u202e]*\\x1b\\u202e \(plugin\.py:\d+ in fit\)$"
        ),
    }
    for code, message in said.items():
        with pytest.raises(TrialFailed, match=message) as ended:
            worker(code, sandbox=mode)
        assert ended.value.status == "failed"
        assert str(worker.process.room.folder) not in ended.value.message


def test_seconds_are_the_harness_s(worker):
    process, _ = worker(
        "time.sleep(0.5); time.perf_counter = time.monotonic = time.time = lambda: 0.0",
        sandbox="off",
    )
    assert process.seconds["fit"] >= 0.5


#: Holds so many MB of its own, at once.
HOLD = "self.held = np.ones({} << 17)"


@pytest.fixture
def rarely(monkeypatch):
    """Between stages the harness looks once, when the worker starts, and not again."""
    monkeypatch.setattr(enforcement, "LOOK", 10_000.0)
    monkeypatch.setattr(usage, "LONGEST", 10_000.0)
    for share in ("SHARE", "SHARE_NEAR"):
        monkeypatch.setattr(usage, share, 1e-9)


@pytest.mark.parametrize("stage", ["fit", "predict"])
def test_a_stage_shorter_than_the_time_between_two_looks_is_held_to_its_limits(
    worker, rarely, stage
):
    with pytest.raises(TrialFailed) as ended:
        worker(**{stage: HOLD.format(400)}, limits=Limits(seconds=60, memory_mb=300))
    asked = {"fit": "fit", "predict": "profile"}[stage]
    assert (ended.value.status, ended.value.stage) == ("out-of-memory", asked)
    with pytest.raises(TrialFailed) as ended:
        worker(
            **{stage: "open(self.scratch / 'big', 'wb').write(b'x' * (9 << 20))"},
            limits=Limits(seconds=60, written_mb=4),
        )
    assert (ended.value.status, ended.value.stage) == ("too-much-written", asked)


@pytest.mark.parametrize("stage", ["fit", "predict"])
def test_the_peak_of_a_short_stage_is_known(worker, rarely, stage):
    process, _ = worker(**{stage: HOLD.format(200)}, limits=Limits(seconds=60, memory_mb=1000))
    assert process.peak_mb > 200


def test_questions_can_t_be_written_by_the_worker(worker):
    for code in (
        "open(folder + '/mine', 'w')",
        "os.symlink('/etc', folder + '/profile')",
        "os.mkdir(folder + '/singles')",
    ):
        with pytest.raises(TrialFailed, match=r"Read-only|Permission denied"):
            worker(f"folder = str(self.scratch.parent.parent / 'given'); {code}")


def test_answers_in_a_place_that_leads_elsewhere_are_refused(worker, tmp_path):
    (tmp_path / "theirs").mkdir()
    np.save(tmp_path / "theirs" / "profile.npy", np.ones((3, 3)))

    def lead_elsewhere(process: WorkerProcess) -> None:
        (process.room.out / "profile").symlink_to(tmp_path / "theirs")

    with pytest.raises(TrialFailed, match="answers can't be read"):
        worker(between=lead_elsewhere, sandbox="off")
    assert (tmp_path / "theirs" / "profile.npy").exists()


def test_a_required_sandbox_refuses_before_the_predictor_is_imported(worker, monkeypatch):
    layers = ("landlock-files", "seccomp-outside", "environment")
    monkeypatch.setattr("kobench.supervisor.room.LAYERS", layers)
    with pytest.raises(
        UserError,
        match=r"--sandbox require: this machine leaves files \(.*\) and network and processes open",
    ):
        worker("raise AssertionError", sandbox="require")


def test_what_a_predictor_brings_takes_no_layer_from_a_required_sandbox(worker, monkeypatch):
    """A path that is too long to be covered made the trial go on without its own file tree."""
    if layers_here().get("mounts") is not True:
        pytest.skip("no file tree of its own is to be had on this machine")
    said_hello = WorkerProcess._check_hello

    def lose(self):
        said_hello(self)
        self._launch.layers = {**self._launch.layers, "mounts": "mount of ...: File name too long"}

    worker("pass", sandbox="require")
    monkeypatch.setattr(WorkerProcess, "_check_hello", lose)
    worker("pass", sandbox="auto")
    with pytest.raises(TrialFailed, match=r"keeps the sandbox from mounts, .*File name too long"):
        worker("raise AssertionError", sandbox="require")


def test_what_cannot_be_removed_by_a_predictor_alone_is_removed_with_its_trial(worker, tmp_path):
    worker(
        "p = self.scratch / 'a' / 'b'; p.mkdir(parents=True); (p / 'f').write_text('x');"
        " p.chmod(0); p.parent.chmod(0)"
    )
    assert list((tmp_path / "work").iterdir()) == []


def test_text_that_can_be_shown():
    assert visible("plain text, äöü 東京 €") == "plain text, äöü 東京 €"
    assert visible("a\tb\nc") == "a\\tb\\nc"
    assert visible("a\tb\nc", lines=True) == "a\tb\nc"
    assert (
        visible("\x1b[2J\u202e\u200b\ud800\x00\r\x85\u2028")
        == "\\x1b[2J\\u202e\\u200b\\ud800\\x00\\r\\x85\\u2028"
    )
    assert visible("x" * 30, most=10) == "x" * 7 + "..."
    assert (
        parse(b'{"kind": "log", "message": "\\u001b", "done": 1, "total": 2, "more": 3}')["message"]
        == "\\x1b"
    )


def test_a_worker_that_takes_its_reply_back_is_not_waited_for():
    """Whoever has the writing end can open the other: what was there is gone when we read."""
    pipe = Pipe()
    number = pipe.worker_ends[1]
    os.write(number, b"a reply")
    thief = os.open(f"/proc/self/fd/{number}", os.O_RDONLY)
    try:
        assert os.read(thief, 100) == b"a reply"
        assert pipe.read()  # it may still come
        assert pipe.reply() is None
    finally:
        os.close(thief)
        pipe.close_worker_ends()
    assert not pipe.read()
    pipe.close()
