"""What a run does again: a table of changes, and runs that were killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from command import COMMAND
from places import PREDICTORS
from warm import Warm

from kobench.board.make import make_board
from kobench.board.render.formats import render
from kobench.plugins.chosen import Chosen, Task
from kobench.plugins.load import load_registry
from kobench.question import SETS
from kobench.results.answer_store import AnswerStore
from kobench.results.parts import Record
from kobench.results.records import read_record, read_records, record_path
from kobench.runner.keys import Group, Trial
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.resume import Policy, decide
from kobench.runner.run import Run
from kobench.specs import MetricSpec
from kobench.supervisor.limits import Limits

PLUGIN = PREDICTORS
REQUEST = Request(["grn:genes=15,cells=60"], ["good"], tasks=["profile", "keystone"])


@pytest.fixture(scope="module")
def registry():
    return load_registry(plugin_files=[PLUGIN])


@pytest.fixture(scope="module")
def finished(tmp_path_factory, registry):
    """The folder of a finished run, and its only predictor's trial."""
    folder = tmp_path_factory.mktemp("finished")
    (group,) = make_plan(registry, REQUEST)
    Run(folder).run([group])
    return folder, group.trials[0]


def only_trial(registry, request=REQUEST) -> Trial:
    (group,) = make_plan(registry, request)
    return group.trials[0]


def with_entry(chosen: Chosen, **changes) -> Chosen:
    return replace(chosen, entry=replace(chosen.entry, **changes))


def with_spec(chosen, **changes):
    return with_entry(chosen, spec=replace(chosen.entry.spec, **changes))


def change_tasks(trial: Trial, change) -> Trial:
    return replace(trial, tasks=tuple(change(task) for task in trial.tasks))


def newer_metric(task: Task) -> Task:
    first, *rest = task.metrics
    return replace(task, metrics=(replace(first, spec=replace(first.spec, version=99)), *rest))


def newer_task(task: Task) -> Task:
    return replace(task, entry=replace(task.entry, spec=replace(task.spec, version=99)))


def one_more_metric(task: Task) -> Task:
    spec = MetricSpec("another", "math:fsum", of=task.spec.of)
    return replace(task, metrics=(*task.metrics, replace(task.metrics[0], spec=spec)))


def strangers_metric(task: Task) -> Task:
    return replace(
        task,
        metrics=tuple(replace(entry, trusted=False, digest="edited") for entry in task.metrics),
    )


def ask(trial: Trial, **changes) -> Trial:
    return replace(trial, request=replace(trial.request, **changes))


CHANGES = {
    # what decides nothing
    "nothing": (lambda t, r: t, "nothing"),
    "another time limit": (lambda t, r: ask(t, limits=Limits(seconds=60)), "nothing"),
    "more fit seeds asked for": (lambda t, r: ask(t, fit_seeds=3), "nothing"),
    "a second predictor beside it": (
        lambda t, r: only_trial_of(r, replace(REQUEST, predictors=["half", "good"])),
        "nothing",
    ),
    "fewer tasks": (lambda t, r: replace(t, tasks=t.tasks[:1]), "nothing"),
    "the order of tasks": (lambda t, r: replace(t, tasks=t.tasks[::-1]), "nothing"),
    "the dataset written out with its defaults": (
        lambda t, r: only_trial(
            r, replace(REQUEST, datasets=["grn:genes=15,cells=60,sigma=0.1,seed=0"])
        ),
        "nothing",
    ),
    "two networks instead of one": (lambda t, r: ask(t, networks=2), "score"),
    # what needs a new fit
    "the predictor's code": (
        lambda t, r: replace(t, predictor=replace(t.predictor, source="edited")),
        "fit",
    ),
    "the predictor's distribution version": (
        lambda t, r: replace(t, predictor=with_entry(t.predictor, version="9")),
        "fit",
    ),
    "the predictor's own version": (
        lambda t, r: replace(t, predictor=with_spec(t.predictor, version=2)),
        "fit",
    ),
    "the dataset's version": (
        lambda t, r: replace(t, dataset=with_spec(t.dataset, version=99)),
        "fit",
    ),
    "the dataset's file": (
        lambda t, r: replace(t, dataset=replace(t.dataset, source="another sha256")),
        "fit",
    ),
    "asked for anew": (lambda t, r: t, "fresh"),
    # another trial altogether: no record yet
    "a parameter of the predictor": (
        lambda t, r: only_trial(r, replace(REQUEST, predictors=["good:strength=2"])),
        "new",
    ),
    "a parameter of the dataset": (
        lambda t, r: only_trial(r, replace(REQUEST, datasets=["grn:genes=15,cells=60,sigma=0.2"])),
        "new",
    ),
    "another fit seed": (lambda t, r: replace(t, fit_seed=1), "new"),
    "another split seed": (lambda t, r: ask(t, split_seed=1), "new"),
    "more threads": (lambda t, r: ask(t, threads=2), "new"),
    "another device": (lambda t, r: ask(t, device="cuda"), "new"),
    # what needs a new question
    "a task that asks the same question": (
        lambda t, r: only_trial(
            r, replace(REQUEST, tasks=["profile", "keystone", "knockout-impact"])
        ),
        "score",
    ),
    "another limit of rows": (lambda t, r: ask(t, row_limit=100), "ask both"),
    "a question's definition": (lambda t, r: t, "ask singles"),
    # what needs a new score
    "a metric's version": (lambda t, r: change_tasks(t, newer_metric), "score"),
    "one more metric": (lambda t, r: change_tasks(t, one_more_metric), "score"),
    "a stranger's metric that was edited": (
        lambda t, r: change_tasks(t, strangers_metric),
        "score",
    ),
    "a task's version": (lambda t, r: change_tasks(t, newer_task), "score"),
    "ten networks, so no draws": (lambda t, r: ask(t, networks=10), "score"),
    "a metric's version, and the answers are gone": (
        lambda t, r: change_tasks(t, newer_metric),
        "ask lost",
    ),
}


def only_trial_of(registry, request) -> Trial:
    (group,) = make_plan(registry, request)
    return next(trial for trial in group.trials if trial.predictor.selection == "good")


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_change_asks_for(what, finished, registry, monkeypatch):
    folder, trial = finished
    change, expected = CHANGES[what]
    changed = change(trial, registry)
    path = record_path(folder, changed.describe("", "", ()))
    record = read_record(path) if path.exists() else None
    stored = set() if expected == "ask lost" else AnswerStore(folder).keys()
    if what == "a question's definition":
        changed_set = replace(SETS["singles"], version=99)
        monkeypatch.setitem(SETS, "singles", changed_set)
    action = decide(changed, record, stored, Policy.FRESH if expected == "fresh" else Policy.RESUME)
    assert (record is None) == (expected == "new")
    asks = {
        "ask both": ("profile", "singles"),
        "ask lost": ("profile", "singles"),
        "ask singles": ("singles",),
    }
    assert action.kind == {"fresh": "fit", "new": "fit"}.get(expected, expected.split()[0])
    assert action.asks == (
        asks.get(expected) or (("profile", "singles") if action.kind == "fit" else ())
    )


@pytest.mark.parametrize(
    ("status", "limit", "expected"),
    [
        ("failed", None, "fit"),
        ("invalid", None, "fit"),
        ("unsupported", None, "nothing"),
        ("timeout", 10.0, "nothing"),
        ("timeout", 5.0, "nothing"),
        ("timeout", 11.0, "fit"),
        ("timeout", None, "fit"),
    ],
)
@pytest.mark.parametrize("old", [True, False])
def test_what_ended_early_is_tried_again(finished, status, limit, expected, old):
    folder, trial = finished
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"]["status"] = status
    if old:
        del record["run"]["limits"]
    record["run"] |= (
        {"timeout": 10.0} if old else {"limits": {**record["run"]["limits"], "seconds": 10.0}}
    )
    assert (
        decide(ask(trial, limits=Limits(seconds=limit)), Record.from_json(record), ()).kind
        == expected
    )


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("out-of-memory", "memory_mb"),
        ("too-many-processes", "processes"),
        ("too-much-written", "written_mb"),
    ],
)
def test_what_passed_a_limit_is_tried_again_when_that_limit_is_raised(finished, status, name):
    folder, trial = finished
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"]["status"] = status
    record["run"] |= {"limits": Limits(**{name: 100}).to_json(), "found": "it used 101"}
    for limit, expected in ((99, "nothing"), (100, "nothing"), (101, "fit"), (None, "fit")):
        assert (
            decide(ask(trial, limits=Limits(**{name: limit})), Record.from_json(record), ()).kind
            == expected
        ), limit
    others = Limits(**{other: None for other in Limits().to_json() if other != name}, **{name: 100})
    assert decide(ask(trial, limits=others), Record.from_json(record), ()).kind == "nothing"


def test_a_predictor_that_ran_out_of_memory_below_the_limit_is_tried_again(finished):
    folder, trial = finished
    record = read_record(record_path(folder, trial.describe("", "", ()))).to_json()
    record["result"]["status"] = "out-of-memory"
    record["run"] |= {"limits": Limits(memory_mb=100).to_json(), "found": None}
    assert (
        decide(ask(trial, limits=Limits(memory_mb=100)), Record.from_json(record), ()).kind == "fit"
    )


def test_scoring_again_gives_the_same_scores_and_keeps_the_cost(finished, registry):
    folder, trial = finished
    before = read_record(record_path(folder, trial.describe("", "", ())))
    (group,) = make_plan(
        registry, replace(REQUEST, tasks=["profile", "keystone", "knockout-impact"])
    )
    outcome = Run(folder).run([Group(group.dataset, group.split, (), group.trials)])
    assert outcome.actions == {"score": 1}
    after = read_record(record_path(folder, trial.describe("", "", ())))
    assert after["run"] == before["run"]
    assert set(after["result"]["scores"]) == {"profile@1", "keystone@1", "knockout-impact@1"}
    for task in ("profile@1", "keystone@1"):
        assert after["result"]["scores"][task] == before["result"]["scores"][task]


def board_bytes(folder: Path) -> str:
    return render(make_board(read_records(folder), cost=False), "json")


def words(jobs: int) -> list[str]:
    """What follows `kobench`, up to the folder of the results."""
    return [
        *("run", "-d", "grn:genes=10,cells=40", "-p", "good", "-p", "half", "--networks", "2"),
        *("-t", "profile", "-t", "keystone"),
        *("--jobs", str(jobs), "--plugin", str(PLUGIN), "--json", "--out"),
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
        for name, module in (("jobs", "runner.jobs"), ("worker", "worker"))
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
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = (
        Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if Path(f"/proc/{pid}/stat").exists()
        else "Z"
    )
    return state != "Z"
