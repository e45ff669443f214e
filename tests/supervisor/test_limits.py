"""Limits of a trial: each ends a real predictor that passes it, and none a little below it.

Also what counts towards each limit, and what is said of a trial that one of them has ended.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import kobench
from kobench.board.make import make_board
from kobench.cli.request import too_much_memory
from kobench.cli.run import run_command
from kobench.cli.suites import read_suite
from kobench.errors import BAD, LIMIT_OF, STATUSES, UserError
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.sandbox import LAYERS, finding, this_interpreter
from kobench.supervisor.limits import FLAGS, Limits, default_memory_mb, passed, raised
from kobench.util import machine as machine_module
from kobench.util.machine import MB

TINY = "grn:genes=15,cells=60"

PLUGIN = '''
import os, socket, sys, threading, time
import numpy as np
from kobench.api import Param, PredictorSpec, hookimpl

class Eats:
    """Takes so `much` of something while it fits, and holds it for so many seconds."""
    def __init__(self, what, much, seconds):
        self.what, self.much, self.seconds = what, much, seconds
    def fit(self, cells, context):
        self.scratch = context.scratch
        getattr(self, self.what)()
        shares = cells.profiles()
        self.mean = shares.sum(0) / np.maximum((shares > 0).sum(0), 1) + 1e-9
    def memory(self):
        held = np.ones(self.much << 17)
        time.sleep(self.seconds)
        del held
    def forks(self):
        work = lambda: (np.ones(self.much << 17), time.sleep(self.seconds))
        children = [fork(work) for _ in range(4)]
        for child in children: os.waitpid(child, 0)
    def shared(self):
        held = np.ones(self.much << 17)
        children = [fork(lambda: (held.sum(), time.sleep(self.seconds))) for _ in range(4)]
        for child in children: os.waitpid(child, 0)
    def unmapped(self):
        file = os.memfd_create("x")
        for _ in range(self.much): os.write(file, bytes(1 << 20))
        time.sleep(self.seconds)
        os.close(file)
    def sockets(self):
        "Full of what nobody receives."
        held = []
        for _ in range(self.much):
            held += socket.socketpair()
            for end in held[-2:]:
                end.setblocking(False)
                try:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
                    while True: end.send(bytes(1 << 15))
                except BlockingIOError: pass
        time.sleep(self.seconds)
    def processes(self):
        children = [fork(lambda: time.sleep(self.seconds)) for _ in range(self.much)]
        for child in children: os.waitpid(child, 0)
    def threads(self):
        one = lambda: threading.Thread(target=time.sleep, args=(self.seconds,))
        threads = [one() for _ in range(self.much)]
        for one in threads: one.start()
        for one in threads: one.join()
    def files(self):
        for i in range(8): (self.scratch / str(i)).write_bytes(os.urandom(self.much << 17))
        time.sleep(self.seconds)
    def removed(self):
        with open(self.scratch / "x", "wb") as file:
            os.unlink(self.scratch / "x")
            file.write(os.urandom(self.much << 20))
            file.flush()
            time.sleep(self.seconds)
    def output(self):
        for _ in range(self.much): sys.stdout.write(("x" * 1023 + "\\n") * 1024)
        sys.stdout.flush()
        time.sleep(self.seconds)
    def predict_expression(self, assemblages):
        rows = assemblages * self.mean
        return rows / rows.sum(1, keepdims=True)

def fork(work):
    child = os.fork()
    if child: return child
    work()
    os._exit(0)

@hookimpl
def kobench_predictors():
    params = {"what": Param("memory"), "much": Param(1), "seconds": Param(1.0)}
    yield PredictorSpec("eats", make=Eats, params=params)
'''

MEMORY, FEW, WRITTEN = Limits(memory_mb=400), Limits(processes=3), Limits(written_mb=24)

#: what, how much is too much and how much is just allowed, the limits, the status
APPETITES = [
    ("memory", 500, 250, MEMORY, "out-of-memory"),
    ("forks", 120, 60, MEMORY, "out-of-memory"),
    ("shared", 500, 250, MEMORY, "out-of-memory"),
    ("unmapped", 500, 250, MEMORY, "out-of-memory"),
    ("sockets", 1000, 400, MEMORY, "out-of-memory"),
    ("processes", 3, 2, FEW, "too-many-processes"),
    ("threads", 60, 40, FEW, "too-many-processes"),
    ("files", 32, 20, WRITTEN, "too-much-written"),
    ("removed", 32, 20, WRITTEN, "too-much-written"),
    ("output", 32, 20, WRITTEN, "too-much-written"),
]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "eats.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture(scope="module")
def registry(plugin):
    return load_registry(plugin_files=[plugin])


def run(folder, registry, predictor, limits):
    outcome = Run(folder).run(
        make_plan(registry, Request([TINY], [predictor], ["profile"], limits=limits))
    )
    (record,) = [record for record in outcome.records if record["role"] == "predictor"]
    return outcome, record


@pytest.mark.parametrize(
    ("what", "much", "allowed", "limits", "status"), APPETITES, ids=[what for what, *_ in APPETITES]
)
def test_a_limit_ends_what_passes_it_and_nothing_a_little_below(
    tmp_path, registry, what, much, allowed, limits, status
):
    name = LIMIT_OF[status]
    _, record = run(tmp_path, registry, f"eats:what={what},much={much},seconds=60", limits)
    result, ran = record["result"], record["run"]
    assert (result["status"], result["stage"]) == (status, "fit"), result["message"]
    assert result["message"] == passed(limits, status, "fit").message
    assert f"{limits.to_json()[name]:,}" in result["message"]
    assert FLAGS[name] in result["message"]
    assert FLAGS[name] in ran["found"]
    assert ran["found"] != result["message"]
    assert ran["limits"].to_json() == limits.to_json()
    if name == "memory_mb":
        assert ran["peak_mb"] > 400
    _, record = run(tmp_path, registry, f"eats:what={what},much={allowed},seconds=0.5", limits)
    assert record["result"]["status"] == "ok", (
        record["result"]["message"],
        record["run"].get("found"),
    )
    assert record["run"]["limits"].to_json() == limits.to_json()


def test_no_limit_is_no_limit(tmp_path, registry):
    nothing = Limits(None, None, None, None)
    _, record = run(tmp_path, registry, "eats:what=output,much=3,seconds=0.1", nothing)
    assert record["result"]["status"] == "ok"
    assert record["run"]["limits"].to_json() == dict.fromkeys(Limits().to_json())


def test_time_is_up_whatever_the_predictor_does_and_the_same_limit_is_not_tried_again(
    tmp_path, registry
):
    outcome, record = run(tmp_path, registry, "eats:what=processes,seconds=60", Limits(seconds=2))
    assert record["result"]["status"] == "timeout"
    assert record["result"]["message"] == "it took longer than 2 s, the limit (--timeout)"
    assert outcome.failed == [record]
    again, _ = run(tmp_path, registry, "eats:what=processes,seconds=60", Limits(seconds=2))
    assert again.actions == {"nothing": len(again.records)}


def test_what_a_limit_ended_is_fitted_again_when_it_is_raised(tmp_path, registry):
    name = "eats:what=files,much=32,seconds=0.5"
    assert run(tmp_path, registry, name, WRITTEN)[1]["result"]["status"] == "too-much-written"
    lower, _ = run(tmp_path, registry, name, Limits(written_mb=23, memory_mb=None))
    assert lower.actions == {"nothing": len(lower.records)}
    higher, record = run(tmp_path, registry, name, Limits(written_mb=64))
    assert (higher.actions["fit"], record["result"]["status"]) == (1, "ok")


def test_a_record_says_in_what_a_trial_ran_whether_it_ended_well_or_not(tmp_path, registry):
    for name, limits in (
        ("eats:what=output", Limits()),
        ("eats:what=output,much=32,seconds=60", WRITTEN),
    ):
        _, record = run(tmp_path, registry, name, limits)
        ran = record["run"]
        assert ran["sandbox"]["mode"] == "auto"
        assert set(ran["sandbox"].to_json()) == {"mode", "layers", "readable"}
        assert ran["output"].endswith("x" * 1000)
        assert len(ran["output"]) <= 4100
        assert ran["environment"] is None
        assert str(tmp_path) not in json.dumps(record["result"].to_json())
    read = {record["trial"]["predictor"]["selection"] for record in read_records(tmp_path)}
    assert "eats:what=output" in read


def test_a_trial_in_an_environment_has_that_ones_python_and_packages(tmp_path, registry):
    (group,) = make_plan(registry, Request([TINY], ["eats:what=output"], ["profile"]))
    (trial,) = group.trials
    own = replace(this_interpreter(), environment="mine")
    roots = {**trial.predictor.entry.roots, "kobench": Path(kobench.__file__).parent}
    entry = replace(
        trial.predictor.entry,
        interpreter=own,
        environment="mine",
        roots=roots,
        packages={"numpy": "", "pytest": ""},
    )
    there = replace(
        group, trials=(replace(trial, predictor=replace(trial.predictor, entry=entry)),)
    )
    outcome = Run(tmp_path).run([there])
    (record,) = [record for record in outcome.records if record["role"] == "predictor"]
    assert record["result"]["status"] == "ok", record["result"]["message"]
    ran = record["run"]
    assert (ran["environment"]["name"], ran["environment"]["python"]) == (
        "mine",
        platform.python_version(),
    )
    assert ran["environment"]["packages"]["numpy"] == np.__version__
    assert (
        ran["environment"]["packages"]["pytest"] == pytest.__version__
    )  # asked of that interpreter
    assert (ran["python"], ran["packages"]) == (
        ran["environment"]["python"],
        ran["environment"]["packages"],
    )
    assert f"eats:what=output (mine, Python {platform.python_version()})" in " ".join(
        make_board(outcome.records).remarks
    )


def test_a_sandbox_that_is_required_and_not_there_ends_the_run_before_it_begins(
    tmp_path, registry, monkeypatch
):
    open_network = {
        **dict.fromkeys(LAYERS, True),
        **dict.fromkeys(("network-namespace", "seccomp-sockets"), "Operation not permitted"),
    }
    monkeypatch.setattr(finding, "layers_here", lambda: open_network)
    request = Request([TINY], ["eats:what=output"], ["profile"], sandbox="require")
    with pytest.raises(UserError, match=r"--sandbox require: .* leaves files .*network open"):
        Run(tmp_path).run(make_plan(registry, request))
    assert list(read_records(tmp_path)) == []
    only_floors = Run(tmp_path).run(make_plan(registry, replace(request, predictors=[])))
    assert {record["result"]["status"] for record in only_floors.records} == {"ok"}


SUITE = """
dataset = ["grn:genes=15,cells=60"]
predictor = ["eats:what=output"]
task = ["profile"]
timeout = 50
memory = 900
processes = 7
written = 0
sandbox = "off"
readable = ["{folder}"]
"""


def test_suites_take_the_same_keys_and_flags_win(tmp_path, plugin):
    suite = tmp_path / "mine.toml"
    suite.write_text(SUITE.format(folder=tmp_path))
    values = read_suite(suite, run_command)
    assert {
        name: values[name]
        for name in ("timeout", "memory", "processes", "written", "sandbox", "readable")
    } == {
        "timeout": 50,
        "memory": 900,
        "processes": 7,
        "written": 0,
        "sandbox": "off",
        "readable": (str(tmp_path),),
    }
    flags = ["--plugin", str(plugin), "--out", str(tmp_path / "out"), "--memory", "800", "--json"]
    done = CliRunner().invoke(run_command, [str(suite), *flags], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (record,) = [
        record for record in read_records(tmp_path / "out") if record["role"] == "predictor"
    ]
    assert record["run"]["limits"].to_json() == {
        "seconds": 50,
        "memory_mb": 800,
        "processes": 7,
        "written_mb": None,
    }
    assert record["run"]["sandbox"]["mode"] == "off"
    assert record["run"]["sandbox"]["readable"] == [str(tmp_path)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("memory = -1", "memory = -1"),
        ("processes = 1.5", "expected a whole number"),
        ("sandbox = 'none'", "'auto', 'require', 'off'"),
        ("readable = '/no/such/folder'", "does not exist"),
        ("limits = 3", "unknown key 'limits'"),
    ],
)
def test_a_suite_with_a_limit_that_is_none(tmp_path, line, why):
    suite = tmp_path / "mine.toml"
    suite.write_text(line)
    with pytest.raises(UserError, match=r"mine\.toml") as error:
        read_suite(suite, run_command)
    assert why in str(error.value)


def test_flags_of_limits_are_checked_before_anything_runs(tmp_path):
    for flags, why in (
        (["--memory", "-1"], "--memory"),
        (["--processes", "x"], "--processes"),
        (["--timeout", "inf"], "0 for no limit"),
    ):
        done = CliRunner().invoke(run_command, ["-d", TINY, "--out", str(tmp_path / "out"), *flags])
        assert (done.exit_code, why in done.output) == (2, True), done.output
    assert not (tmp_path / "out").exists()


def test_limits_must_be_above_zero():
    for name in Limits().to_json():
        for value in (0, -1, float("nan"), float("inf")):
            with pytest.raises(UserError, match=FLAGS[name]):
                Limits(**{name: value})


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 2,000 MB, with control groups of both versions below a folder."""
    found = {"SC_PHYS_PAGES": 2000 * 256, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", found.__getitem__)
    kinds = ((tmp_path / "2", "memory.max"), (tmp_path / "1", "memory.limit_in_bytes"))
    monkeypatch.setattr(machine_module, "GROUP_MEMORY", kinds)
    monkeypatch.setattr(machine_module, "GROUPS", tmp_path / "cgroup")
    for folder in ("2/slurm/job/step", "1/slurm/job/step"):
        (tmp_path / folder).mkdir(parents=True)
    return found


def test_the_default_memory_is_three_quarters_of_what_there_is(machine, tmp_path):
    assert default_memory_mb() == 1500
    group = tmp_path / "2" / "memory.max"
    for content, expected in (("max\n", 1500), (f"{1000 * MB}\n", 750), (f"{9000 * MB}\n", 1500)):
        group.write_text(content)
        assert default_memory_mb() == expected
    machine["SC_PHYS_PAGES"] = 1 << 30
    group.write_text("max")
    assert default_memory_mb() == 16384


def test_trials_side_by_side_share_the_memory_that_there_is(machine):
    assert [default_memory_mb(jobs) for jobs in (1, 2, 3, 10**6)] == [1500, 750, 500, 1]
    machine["SC_PHYS_PAGES"] = 100_000 * 256
    assert [default_memory_mb(jobs) for jobs in (1, 4, 10)] == [16384, 16384, 7500]


@pytest.mark.parametrize(
    ("kind", "file"),
    [("0:", "2/slurm/{}memory.max"), ("4:memory", "1/slurm/{}memory.limit_in_bytes")],
)
@pytest.mark.parametrize("level", ["", "job/", "job/step/"])
def test_every_control_group_around_this_process_counts(machine, tmp_path, kind, file, level):
    (tmp_path / file.format(level)).write_text(f"{400 * MB}\n")
    assert default_memory_mb() == 1500
    (tmp_path / "cgroup").write_text(f"9:cpu,cpuacct:/other\n{kind}:/slurm/job/step\n")
    assert default_memory_mb() == 300
    (tmp_path / "cgroup").write_text(f"{kind}:/elsewhere/job\n")
    assert default_memory_mb() == 1500


def test_a_limit_of_ones_own_is_taken_and_said_where_it_is_too_much(machine):
    assert [too_much_memory(jobs, mb) for jobs, mb in ((1, 2000), (2, 1000), (9, None))] == [[]] * 3
    (said,) = too_much_memory(3, 700)
    assert "3 trials at a time may take 700 MB each (--memory), together 2,100 MB" in said
    assert "there are 2,000 MB" in said


def test_the_default_is_divided_by_jobs_and_a_suites_memory_is_not(tmp_path, plugin):
    suite = tmp_path / "mine.toml"
    suite.write_text(
        'dataset = ["grn:genes=15,cells=60"]\ntask = ["profile"]\npredictor = ["eats"]'
    )
    words = [str(suite), "--plugin", str(plugin), "--json", "--out"]
    for more, expected in ((["--jobs", "3"], default_memory_mb(3)), (["--memory", "500"], 500)):
        out = tmp_path / str(expected)
        done = CliRunner().invoke(run_command, [*words, str(out), *more], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        (record,) = [record for record in read_records(out) if record["role"] == "predictor"]
        assert record["run"]["limits"]["memory_mb"] == expected
    assert default_memory_mb(3) < default_memory_mb()


def test_every_status_has_its_place():
    assert set(LIMIT_OF) < set(STATUSES)
    assert set(LIMIT_OF.values()) == set(FLAGS) == set(Limits().to_json())
    assert set(STATUSES) - set(BAD) == {"unsupported"}


@pytest.mark.parametrize("status", LIMIT_OF)
def test_a_limit_is_raised_when_it_is_higher_or_none(status):
    name = LIMIT_OF[status]
    for now, before, expected in (
        (9, 10, False),
        (10, 10, False),
        (11, 10, True),
        (None, 10, True),
        (10, None, False),
        (None, None, False),
    ):
        assert raised(status, Limits(**{name: now}), {name: before}) is expected
    assert raised(status, Limits(), {}) is False
