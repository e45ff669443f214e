"""Discovery with pretend installed packages: every way in which a plugin can be broken costs that
plugin only, and is listed.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from kobench.errors import UserError
from kobench.plugins import conversation, load
from kobench.plugins.cache import remembered
from kobench.plugins.load import Entry, PluginProblem, Registry, links_of, load_registry, resolve
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.sandbox.finding import layers_here
from kobench.sandbox.layers import uncovered
from kobench.supervisor.limits import Limits

GOOD = """
from kobench.api import Param, PredictorSpec, hookimpl

class {name}:
    def __init__(self, width=3):
        self.width = width
    def fit(self, cells, context): ...
    def predict_expression(self, assemblages): ...

@hookimpl
def kobench_predictors():
    yield PredictorSpec(
        "{name_lower}",
        {name},
        summary="a good one",
        params={{"width": Param(3, "how wide", low=1)}},
    )
"""


def good(name: str) -> str:
    return GOOD.format(name=name, name_lower=name.lower())


HEAD = "from kobench.api import DatasetSpec, MetricSpec, Param, PredictorSpec, TaskSpec, hookimpl\n"


class Site:
    """A folder on sys.path into which pretend distributions are installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def install(
        self,
        distribution: str,
        modules: dict[str, str],
        points: dict[str, str] | None = None,
        version: str = "1.0",
    ) -> Path:
        """Write a distribution's modules and metadata; the first module is its entry point unless
        `points` says otherwise.
        """
        record = []
        for path, text in modules.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            record.append(f"{path},,")
        points = points or {
            distribution: (
                next(iter(modules)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            )
        }
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(
            "[kobench]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        )
        (info / "RECORD").write_text("\n".join(record) + "\n")
        return info


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that knows kobench itself, so that not every test has to describe it."""
    folder = tmp_path_factory.mktemp("described")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KOBENCH_CACHE", str(folder))
        load_registry()
    return folder


@pytest.fixture
def site(described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    shutil.copytree(described, tmp_path / "cache")
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KOBENCH_DATASETS", raising=False)
    monkeypatch.delenv("KOBENCH_PLUGIN_SECONDS", raising=False)
    made = Site(tmp_path / "site")
    monkeypatch.syspath_prepend(str(made.folder))
    before = set(sys.modules)
    yield made
    for name in (
        set(sys.modules) - before
    ):  # what was imported from here is not found by the next test
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and from then on a description in a child is an error."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a child was started")

    return lambda: monkeypatch.setattr(conversation, "ask_children", refuse)


def problems_of(registry: Registry, distribution: str) -> list[PluginProblem]:
    return [problem for problem in registry.problems if problem.distribution == distribution]


def test_an_installed_package_is_listed_with_where_it_came_from(site: Site) -> None:
    site.install("Good-Dist", {"good_package/__init__.py": good("Mine")}, version="2.1")
    registry = load_registry()
    (entry,) = registry.predictors["mine"]
    assert (entry.distribution, entry.version, entry.trusted, entry.plugin_file) == (
        "Good-Dist",
        "2.1",
        False,
        None,
    )
    assert len(entry.digest) == 64
    assert entry.spec.make == "good_package:Mine"
    assert entry.spec.answers == ("expression",)
    assert entry.spec.params["width"].low == 1
    assert "good_package" not in sys.modules
    assert not problems_of(registry, "Good-Dist")
    assert registry.find("predictors", "mine") is entry
    assert registry.find("predictors", "good.dist/mine") is entry
    made = resolve(entry)(width=5)
    assert made.width == 5


def test_built_ins_come_through_the_same_door(site: Site) -> None:
    registry = load_registry()
    assert not problems_of(registry, "kobench")
    assert {"grn", "table", "h5ad", "pbmc"} <= set(registry.datasets)
    assert {"profile", "knockout-profile", "knockout-impact", "keystone"} <= set(registry.tasks)
    for kind in ("predictors", "metrics", "tasks", "datasets"):
        for entries in getattr(registry, kind).values():
            for entry in entries:
                if entry.trusted:
                    assert callable(resolve(entry)), entry.full_name
    for (task,) in registry.tasks.values():
        for floor in task.spec.floors:
            assert registry.find("predictors", floor).spec.floor, floor
        for metric in task.spec.primary:
            assert registry.find("metrics", metric.partition("[")[0], of=task.spec.of).trusted, (
                metric
            )


# Each: the plugin's text, the kind of its problem, what the message says, what the traceback says.
BROKEN = {
    "import": (
        "import a_module_that_is_not_there",
        "import",
        "raised ModuleNotFoundError: No module named 'a_module_that",
        "line 1",
    ),
    "raises": (
        "def f():\n    raise RuntimeError('boom')\nf()",
        "import",
        "importing broken raised RuntimeError: boom",
        'broken.py", line 2',
    ),
    "syntax": ("def f(:\n", "import", "raised SyntaxError", "SyntaxError"),
    "sys-exit": ("import sys\nsys.exit(3)", "exit", "called sys.exit(3)", "line 2"),
    "os-exit": (
        "import os\nos._exit(7)",
        "exit",
        "importing broken ended the process with exit code 7",
        "",
    ),
    "segfault": (
        "import ctypes\nctypes.string_at(0)",
        "crash",
        "importing broken ended the process by SIGSEGV",
        'broken.py", line 2',
    ),
    "keyboard-interrupt": ("raise KeyboardInterrupt", "import", "raised KeyboardInterrupt", ""),
    "pipe": (
        (
            "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'rubbish\\n')\n    except"
            " OSError: pass"
        ),
        "output",
        "wrote to the pipe that is kobench's own",
        "",
    ),
    "forged": (
        (
            "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'{\"at\": 99}\\n')\n   "
            " except OSError: pass"
        ),
        "output",
        "wrote to the pipe that is kobench's own",
        "",
    ),
    "no-hook": (
        "x = 1",
        "hook",
        "broken implements no hook; expected some of kobench_predictors",
        "",
    ),
    "misspelt": (
        f"{HEAD}@hookimpl\ndef kobench_predictor():\n    yield 1",
        "hook",
        "kobench_predictor is no hook; did you mean 'kobench_predictors'?",
        "",
    ),
    "misspelt-freely": (
        f"{HEAD}@hookimpl\ndef my_predictors():\n    yield 1",
        "hook",
        "my_predictors is no hook; did you mean 'kobench_predictors'?",
        "",
    ),
    "unmarked": (
        "def kobench_predictors():\n    yield 1",
        "hook",
        "kobench_predictors is not marked; put @kobench.api.hookimpl",
        "",
    ),
    "misspelt-unmarked": (
        "def kobench_predictor():\n    yield 1",
        "hook",
        "did you mean 'kobench_predictors'?",
        "",
    ),
    "arguments": (
        f"{HEAD}@hookimpl\ndef kobench_predictors(config):\n    yield 1",
        "hook",
        "kobench_predictors takes (config); expected no argument",
        "",
    ),
    "wrapper": (
        f"{HEAD}@hookimpl(wrapper=True)\ndef kobench_tasks():\n    return (yield)",
        "hook",
        "kobench_tasks is a wrapper",
        "",
    ),
    "none": (
        f"{HEAD}@hookimpl\ndef kobench_predictors():\n    pass",
        "hook",
        "kobench_predictors returned None; yield specs",
        "",
    ),
    "single": (
        f"{HEAD}@hookimpl\ndef kobench_predictors():\n    return PredictorSpec('x', dict)",
        "hook",
        "returned a single spec; yield it, or return a list",
        "",
    ),
    "not-iterable": (
        f"{HEAD}@hookimpl\ndef kobench_predictors():\n    return 3",
        "hook",
        "raised TypeError",
        "",
    ),
    "endless-generator": (
        (
            f"{HEAD}class M:\n    def fit(self, c, x): ...\n    def score_genes(self, c, g):"
            " ...\n@hookimpl\ndef kobench_predictors():\n    n = 0\n    while True:\n        n +="
            " 1\n        yield PredictorSpec(f'm{n}', M)"
        ),
        "hook",
        "yielded more than 1000 specs",
        "",
    ),
    "wrong-object": (
        f"{HEAD}@hookimpl\ndef kobench_predictors():\n    yield 'mine'",
        "spec",
        "yielded str 'mine'; expected PredictorSpec",
        "",
    ),
    "wrong-spec": (
        f"{HEAD}@hookimpl\ndef kobench_predictors():\n    yield MetricSpec('m', len, of='profile')",
        "spec",
        "expected PredictorSpec; yield it from kobench_metrics",
        "",
    ),
    "generator-exits": (
        f"{HEAD}@hookimpl\ndef kobench_tasks():\n    raise SystemExit('no')\n    yield",
        "exit",
        "called sys.exit('no')",
        "",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_a_listed_problem_and_the_rest_works(case: str, site: Site) -> None:
    text, kind, message, traceback = BROKEN[case]
    site.install("broken-dist", {"broken.py": text})
    site.install("good-dist", {"good_one.py": good("Mine")})
    registry = load_registry()
    (problem,) = problems_of(registry, "broken-dist")
    assert (problem.kind, problem.entry_point) == (kind, "broken-dist")
    assert message in problem.message
    assert traceback in problem.traceback
    assert not problems_of(registry, "good-dist")
    assert registry.find("predictors", "mine").distribution == "good-dist"
    assert "profile" in registry.tasks
    # asked for by name, it says why
    for text in ("broken-dist/anything", "broken-dist"):
        with pytest.raises(UserError) as caught:
            registry.find("predictors", text)
        assert message in str(caught.value)
    # asked for nothing of it, it is mentioned and no more
    with pytest.raises(
        UserError, match=r"no predictor 'nothing'.*Plugins with problems: broken-dist"
    ):
        registry.find("predictors", "nothing")


HANG = (
    "import os, subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {code!r}])\nwhile"
    " True: time.sleep(0.01)"
)


def marked(marker: str) -> list[int]:
    """Processes that have a marker in their command line."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if marker in " ".join(process.info["cmdline"] or ())
    ]


def test_an_endless_import_is_ended_with_all_it_started(
    site: Site, monkeypatch: pytest.MonkeyPatch, no_child: Callable[[], None]
) -> None:
    site.install("good-dist", {"good_one.py": good("Mine")})
    load_registry()  # it is not the good one's speed that is tested
    marker = f"grandchild-{site.folder}"
    site.install(
        "slow-dist", {"slow_one.py": HANG.format(code=f"import time; time.sleep(600)  # {marker}")}
    )
    monkeypatch.setenv("KOBENCH_PLUGIN_SECONDS", "5")
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load_registry)
        seen = False
        while not loading.done():
            seen = seen or bool(marked(marker))
            time.sleep(0.05)
        registry = loading.result()
    (problem,) = problems_of(registry, "slow-dist")
    assert problem.kind == "timeout"
    assert (
        "importing slow_one took more than 5 s and was ended; set KOBENCH_PLUGIN_SECONDS higher"
        in problem.message
    )
    assert "mine" in registry.predictors
    assert seen
    assert not marked(marker)
    # remembered for a while, so that a hang does not cost every command its limit; a higher limit
    # looks again
    assert (
        remembered(next(s for s in registry.sources if s.distribution == "slow-dist"), 6.0) is None
    )
    no_child()
    assert problems_of(load_registry(), "slow-dist") == [problem]


CURIOUS = """
import os, socket
def tried(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "could"
def connect():
    with socket.create_connection(("127.0.0.1", {port}), 5): pass
done = [tried(lambda: open({file!r}, "w")), tried(lambda: os.kill({pid}, 0)), tried(connect)]
raise RuntimeError(", ".join([*done, os.environ.get("SECRET", "unset")]))
"""


@pytest.mark.skipif(
    bool(uncovered(layers_here())),
    reason="this machine leaves files, network or processes open (kobench doctor)",
)
def test_a_module_is_shut_in_while_it_is_imported(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "password")
    file = site.folder / "written-by-a-plugin"
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = CURIOUS.format(file=str(file), pid=os.getpid(), port=server.getsockname()[1])
        site.install("curious-dist", {"curious_one.py": code})
        (problem,) = problems_of(load_registry(), "curious-dist")
    _, signalled, connected, secret = problem.message.rpartition("RuntimeError: ")[2].split(", ")
    assert "could" not in (signalled, connected)
    assert secret == "unset"
    assert not file.exists()  # it may have written, but into a /tmp of its own


def test_a_module_that_takes_all_memory_is_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "kobench.plugins.child.LIMITS",
        Limits(seconds=None, memory_mb=200, processes=64, written_mb=64),
    )
    site.install(
        "hungry-dist",
        {"hungry_one.py": "import time\nkept = bytearray(b'x') * 500_000_000\ntime.sleep(60)"},
    )
    (problem,) = problems_of(load_registry(), "hungry-dist")
    assert problem.kind == "limit"
    assert "200 MB" in problem.message


FORGERIES = {
    "signal": "import os; os.kill(os.getpid(), 40)",
    "nested": "os.write(pipe, b'[' * 200_000 + b'\\n')",
    "name": (
        "os.write(pipe, json.dumps({'spec': {'kind': 'predictors', 'name': ['x'], 'make':"
        " 5}}).encode() + b'\\n')"
    ),
    "problem": (
        "os.write(pipe, json.dumps({'problem': {'kind': ['x'], 'message': {'a': 1}}}).encode() +"
        " b'\\n')"
    ),
    "markup": (
        "os.write(pipe, json.dumps({'spec': {'kind': 'predictors', 'name': '<b>/x', 'make':"
        " 'os:getcwd'}}).encode() + b'\\n')"
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_is_written_to_the_childs_pipe_is_a_problem_of_that_plugin(
    forgery: str, site: Site
) -> None:
    site.install("good-dist", {"good_one.py": good("Mine")})
    code = (
        "import json, os, sys\npipe = next(int(word) for word in sys.orig_argv[::-1] if"
        " word.isdigit())\n" + FORGERIES[forgery]
    )
    site.install("forger-dist", {"forger_one.py": code})
    registry = load_registry()
    assert "mine" in registry.predictors
    assert problems_of(registry, "forger-dist")
    assert all(isinstance(problem.message, str) for problem in registry.problems)


def test_another_distribution_called_kobench_is_not_kobench(site: Site) -> None:
    site.install("kobench", {"not_kobench.py": good("Mine")})
    registry = load_registry()
    assert "profile" in registry.tasks
    assert "mine" not in registry.predictors
    assert any("calls itself kobench" in problem.message for problem in registry.problems)


JUDGE = """
from kobench.api import MetricSpec, TaskSpec, hookimpl
def score(units): return 0.5
def units(view): return None
@hookimpl
def kobench_metrics():
    yield MetricSpec("lenient", score, of="profile")
@hookimpl
def kobench_tasks():
    yield TaskSpec(
        "mine-only",
        units,
        of="profile",
        asks="profile",
        truth="wild-type",
        primary=("lenient",),
        floors=("uniform",),
    )
"""


def test_judges_of_other_packages_see_the_truth_only_when_named(site: Site) -> None:
    """A metric or task runs in kobench's own process; being installed is no reason to run it
    there.
    """
    site.install("judge-dist", {"judge_one.py": JUDGE})
    registry = load_registry()

    def planned(**more: Any) -> tuple[dict[str, set[str]], list[str]]:
        said: list[str] = []
        groups = make_plan(registry, Request(["grn"], [], **more), said.append)
        tasks = [task for group in groups for trial in group.basis for task in trial.tasks]
        return {
            task.spec.name: {metric.spec.name for metric in task.metrics} for task in tasks
        }, said

    tasks, said = planned()
    assert "lenient" not in tasks["profile"]
    assert "mine-only" not in tasks
    assert any(
        "metric lenient of judge-dist is left out" in sentence and "--metric" in sentence
        for sentence in said
    )
    assert any(
        "task mine-only of judge-dist is left out" in sentence and "-t" in sentence
        for sentence in said
    )
    tasks, said = planned(metrics=("lenient",))
    assert "lenient" in tasks["profile"]
    assert not any("metric lenient" in sentence for sentence in said)
    assert "lenient" in planned(tasks=["mine-only"])[0]["mine-only"]
    with pytest.raises(UserError, match="there is no metric 'lenientt'; did you mean 'lenient'"):
        planned(metrics=("lenientt",))


def test_modules_beside_the_entry_points_are_known(site: Site) -> None:
    """A distribution may consist of several top-level modules; a worker must be able to import them
    all.
    """
    site.install("good-dist", {"good_one.py": good("Mine"), "good_core.py": ""})
    (entry,) = load_registry().predictors["mine"]
    assert {"good_one.py", "good_core.py"} <= set(links_of(entry))


def test_kobench_itself_gets_its_time_whatever_the_limit(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("good-dist", {"good_one.py": good("Mine")})
    monkeypatch.setenv("KOBENCH_PLUGIN_SECONDS", "0.001")
    registry = load_registry(fresh=True)
    assert "profile" in registry.tasks
    assert problems_of(registry, "good-dist")[0].kind == "timeout"


def test_a_limit_that_is_no_number_is_a_user_error(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_PLUGIN_SECONDS", "soon")
    with pytest.raises(UserError, match="KOBENCH_PLUGIN_SECONDS is 'soon'"):
        load_registry()


def test_megabytes_of_output_and_exit_handlers_do_no_harm(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    noisy = """
import atexit, os, sys, threading, time
for _ in range(300):
    print("x" * 20_000)
    sys.stderr.write("y" * 20_000 + "\\n")
atexit.register(time.sleep, 600)
threading.Thread(target=time.sleep, args=(600,)).start()
"""
    site.install("noisy-dist", {"noisy.py": noisy + good("Noisy")})
    registry = load_registry()
    assert not problems_of(registry, "noisy-dist")
    assert "noisy" in registry.predictors
    assert capfd.readouterr() == ("", "")


def test_a_process_that_keeps_the_pipes_open_does_not_hold_up_the_answer(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    forks = "import os, time\nif os.fork() == 0:\n    time.sleep(600)\nos._exit(5)"
    site.install("forking-dist", {"forking.py": forks})
    monkeypatch.setenv("KOBENCH_PLUGIN_SECONDS", "8")
    (problem,) = problems_of(load_registry(), "forking-dist")
    assert problem.kind == "exit"  # and not a time-out
    assert "exit code 5" in problem.message


def test_what_a_generator_yields_before_it_fails_is_kept(site: Site) -> None:
    late = good("Early") + "    raise RuntimeError('late')\n"
    site.install("late-dist", {"late_one.py": late})
    registry = load_registry()
    assert "early" in registry.predictors
    (problem,) = problems_of(registry, "late-dist")
    assert "late_one: kobench_predictors raised RuntimeError: late after 1 specs" in problem.message
    assert "late_one.py" in problem.traceback


def test_one_broken_hook_leaves_the_others_of_its_plugin(site: Site) -> None:
    text = (
        good("Mine")
        + "\n@hookimpl\ndef kobench_metrics(units):\n    yield 1\n@hookimpl\ndef kobench_task():\n "
        "   yield 1\n"
    )
    site.install("half-dist", {"half.py": text})
    registry = load_registry()
    assert "mine" in registry.predictors
    assert len(problems_of(registry, "half-dist")) == 2


def test_an_entry_point_after_one_that_ends_the_process_is_still_described(site: Site) -> None:
    modules = {
        "m0.py": good("First"),
        "m1.py": "import os\nos._exit(1)",
        "m2.py": good("Third"),
        "m3.py": "import os\nos.abort()",
    }
    site.install("many-dist", modules, points={f"p{i}": f"m{i}" for i in range(4)})
    registry = load_registry()
    assert {"first", "third"} <= set(registry.predictors)
    assert [
        (problem.entry_point, problem.kind) for problem in problems_of(registry, "many-dist")
    ] == [("p1", "exit"), ("p3", "crash")]


def test_an_entry_point_may_be_an_object(site: Site) -> None:
    text = good("Mine").replace(
        "@hookimpl\ndef kobench_predictors():",
        "class Hooks:\n  @hookimpl\n  def kobench_predictors(self):",
    )
    site.install(
        "object-dist",
        {"object_one.py": text + "\nhooks = Hooks()\n"},
        points={"o": "object_one:hooks"},
    )
    registry = load_registry()
    assert not problems_of(registry, "object-dist")
    assert registry.find("predictors", "mine").spec.make == "object_one:Mine"


def test_metadata_that_can_not_be_read_is_a_problem(site: Site) -> None:
    (site.install("odd-dist", {"odd_one.py": good("Odd")}) / "entry_points.txt").write_text(
        "[kobench]\nno equals sign here\n"
    )
    (site.install("nameless-dist", {"other_one.py": good("Other")}) / "METADATA").unlink()
    site.install("good-dist", {"good_one.py": good("Mine")})
    registry = load_registry()
    assert "mine" in registry.predictors
    (problem,) = problems_of(registry, "odd-dist")
    assert problem.kind == "metadata"
    assert "install the package again" in problem.message
    (problem,) = problems_of(registry, "nameless_dist-1.0.dist-info")
    assert "it has no Name" in problem.message


def test_metadata_are_shown_without_what_can_hide_in_them(site: Site) -> None:
    info = site.install("loud-dist", {"loud_one.py": good("Mine")}, {"p\x1b[31m": "loud_one"})
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\x1b[2J\nVersion: 1\u202e0\n")
    (entry,) = load_registry().predictors["mine"]
    assert (entry.distribution, entry.version) == ("loud\\x1b[2J", "1\\u202e0")
    assert entry.entry_point == "p\\x1b[31m"


def test_a_name_that_two_distributions_offer_must_be_said_in_full(site: Site) -> None:
    site.install("dist-a", {"module_a.py": good("Mine")})
    site.install("dist-b", {"module_b.py": good("Mine")})
    registry = load_registry()
    assert [entry.distribution for entry in registry.predictors["mine"]] == ["dist-a", "dist-b"]
    with pytest.raises(
        UserError, match="'mine' is offered by dist-a and dist-b; say dist-a/mine or dist-b/mine"
    ):
        registry.find("predictors", "mine")
    assert registry.find("predictors", "dist-b/mine").spec.make == "module_b:Mine"
    assert registry.find("predictors", "mine", prefer="dist-a").distribution == "dist-a"
    (problem,) = problems_of(registry, "dist-b")
    assert problem.kind == "duplicate"
    assert "offered by dist-a and dist-b" in problem.message


def test_a_name_that_one_distribution_offers_twice_counts_once(site: Site) -> None:
    again = good("Mine") + '    yield PredictorSpec("mine", Mine, summary="again")\n'
    site.install("twice-dist", {"twice.py": again})
    site.install(
        "points-dist",
        {"p0.py": good("Other"), "p1.py": good("Other")},
        points={"a": "p0", "b": "p1"},
    )
    registry = load_registry()
    assert registry.find("predictors", "mine").spec.summary == "a good one"
    (problem,) = problems_of(registry, "twice-dist")
    assert "yielded two predictors called 'mine'; the first is kept" in problem.message
    (problem,) = problems_of(registry, "points-dist")
    assert "offered twice, by the entry points 'a' and 'b'" in problem.message
    assert registry.find("predictors", "other").spec.make == "p0:Other"


def test_metrics_of_one_name_may_measure_different_units(site: Site) -> None:
    text = HEAD + "def f(u): ...\n@hookimpl\ndef kobench_metrics():\n"
    text += (
        "    yield MetricSpec('odd', f, of='profile')\n    yield MetricSpec('odd', f,"
        " of='ranking')\n"
    )
    site.install("metric-dist", {"metric_one.py": text})
    registry = load_registry()
    assert not problems_of(registry, "metric-dist")
    assert registry.find("metrics", "odd", of="ranking").spec.of == "ranking"
    with pytest.raises(UserError, match="say of which, 'profile' or 'ranking'"):
        registry.find("metrics", "odd")


def test_unknown_names_are_answered_with_what_there_is(site: Site) -> None:
    site.install("good-dist", {"good_one.py": good("Mine")})
    registry = load_registry()
    with pytest.raises(
        UserError, match=r"no predictor 'mien'; did you mean 'mine'\? predictors: .*mine"
    ):
        registry.find("predictors", "mien")
    with pytest.raises(
        UserError, match=r"no distribution or environment 'god-dist'.*did you mean 'good-dist'"
    ):
        registry.find("predictors", "god-dist/mine")
    with pytest.raises(UserError, match="good-dist has no predictor 'mien'; did you mean 'mine'"):
        registry.find("predictors", "good-dist/mien")
    with pytest.raises(UserError, match="no dataset 'mine'"):
        registry.find("datasets", "mine")


# --- the cache ---


def test_a_description_is_remembered_until_the_package_is_edited(
    site: Site, no_child: Callable[[], None]
) -> None:
    site.install(
        "good-dist",
        {"good_package/__init__.py": good("Mine"), "good_package/part/model.py": "x = 1\n"},
    )
    first = load_registry().find("predictors", "mine")
    (site.folder / "good_package/part/model.py").write_text("x = 22\n")
    second = load_registry().find("predictors", "mine")
    assert second.digest != first.digest
    (site.folder / "good_package/__init__.py").write_text(good("Renamed"))
    third = load_registry()
    assert "mine" not in third.predictors
    assert "renamed" in third.predictors
    (site.folder / "good_package/new.py").write_text("")
    fourth = load_registry().find("predictors", "renamed")
    assert fourth.digest != third.find("predictors", "renamed").digest
    no_child()
    assert load_registry().find("predictors", "renamed") == fourth
    with pytest.raises(AssertionError, match="a child was started"):
        load_registry(fresh=True)


def test_an_editable_install_is_described_again_when_it_is_edited(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_child: Callable[[], None]
) -> None:
    info = site.install("edit-dist", {"unused.py": ""}, points={"e": "edit_package.plugin"})
    (info / "RECORD").write_text("__editable__edit_dist.pth,,\n")
    package = tmp_path / "checkout" / "src" / "edit_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(good("Mine"))
    monkeypatch.syspath_prepend(str(package.parent))
    first = load_registry().find("predictors", "mine")
    no_child()
    assert load_registry().find("predictors", "mine") == first
    (package / "plugin.py").write_text(good("Mine").replace("a good one", "a better one"))
    with pytest.raises(AssertionError, match="a child was started"):
        load_registry()
    assert "edit_package" not in sys.modules


def test_the_digest_is_of_the_code_and_not_of_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "cache"))
    digests = []
    for place in ("here", "there"):
        made = Site(tmp_path / place)
        made.install("good-dist", {"good_package/__init__.py": good("Mine")})
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(made.folder))
            digests.append(load_registry().find("predictors", "mine").digest)
    assert digests[0] == digests[1]


def test_a_problem_is_looked_for_again_because_its_cause_may_lie_elsewhere(site: Site) -> None:
    code = "import pathlib\npathlib.Path(__file__).with_name('settings.txt').read_text()\n"
    site.install("needy-dist", {"needy/__init__.py": code + good("Mine")})
    assert "settings.txt" in problems_of(load_registry(), "needy-dist")[0].message
    (site.folder / "needy" / "settings.txt").write_text("")
    registry = load_registry()
    assert not problems_of(registry, "needy-dist")
    assert "mine" in registry.predictors


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"key": 1}', None])
def test_a_damaged_cache_is_made_anew(damage: bytes | None, site: Site, tmp_path: Path) -> None:
    site.install("good-dist", {"good_one.py": good("Mine")})
    first = load_registry().find("predictors", "mine")
    files = list((tmp_path / "cache" / "plugins").iterdir())
    assert len(files) >= 2
    for file in files:
        if damage is None:  # the right key, the rest of another format
            document = json.loads(file.read_bytes())
            file.write_text(
                json.dumps({**document, "specs": [["x", {"kind": "predictors", "what": 1}]]})
            )
        else:
            file.write_bytes(damage)
    assert load_registry().find("predictors", "mine") == first


def test_a_cache_that_can_not_be_written_only_costs_time(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file, where a folder would have to be made")
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "blocked"))
    site.install("good-dist", {"good_one.py": good("Mine")})
    assert "mine" in load_registry().predictors


HEAVY = ("torch", "xgboost", "numba", "sklearn", "pandas", "anndata", "scipy", "numpy")


def test_listing_imports_nothing_heavy(site: Site, tmp_path: Path) -> None:
    text = "import numpy, pandas\n" + good("Mine")
    site.install("heavy-dist", {"heavy_one.py": text})
    code = "import json, sys\nfrom kobench.plugins import load_registry\nr = load_registry()\n"
    code += (
        f"print(json.dumps(['mine' in r.predictors, [m for m in {HEAVY} if m in sys.modules],"
        " 'pluggy' in sys.modules]))"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(site.folder),
        "KOBENCH_CACHE": str(tmp_path / "cache"),
    }
    for _ in range(2):  # with children, then from the cache
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == [True, [], False], done.stderr


# --- single files ---


def test_a_single_file_needs_no_packaging(
    site: Site, tmp_path: Path, no_child: Callable[[], None]
) -> None:
    file = tmp_path / "my plugin.py"
    file.write_text(good("Mine"))
    entry = load_registry([file]).find("predictors", "mine")
    assert (entry.distribution, entry.version, entry.plugin_file) == (
        "file:my plugin.py",
        "",
        str(file),
    )
    assert entry.spec.make == ":Mine"
    assert len(entry.digest) == 64
    made = resolve(entry)(width=2)
    assert type(made).__name__ == "Mine"
    assert type(made) is resolve(entry)  # loaded once
    assert load_registry([file, str(file)]).find("predictors", "file:my plugin.py/mine") == entry
    no_child()
    assert load_registry([file]).find("predictors", "mine") == entry
    assert "mine" not in load_registry().predictors


def test_an_edited_file_is_another_one(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "my.py"
    file.write_text(good("Mine"))
    first = load_registry([file]).find("predictors", "mine")
    old = resolve(first)
    file.write_text(good("Mine").replace("width=3", "width=4"))
    second = load_registry([file]).find("predictors", "mine")
    assert second.digest != first.digest
    assert resolve(second) is not old
    assert resolve(second)().width == 4


def test_a_broken_file_is_a_problem_that_the_question_for_a_name_answers(
    site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "my.py"
    file.write_text("import nothing_like_that\n" + good("Mine"))
    registry = load_registry([file])
    (problem,) = problems_of(registry, "file:my.py")
    assert f'{file}", line 1' in problem.traceback
    with pytest.raises(
        UserError,
        match=(
            r"no predictor 'mine'.*Not loaded: file:my.py: importing my.py raised"
            r" ModuleNotFoundError"
        ),
    ):
        registry.find("predictors", "mine")


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [("gone.py", None, "there is no such file"), ("notes.txt", "x", "it is not a .py file")],
)
def test_a_file_that_can_not_be_read_is_a_user_error(
    name: str, text: str | None, part: str, site: Site, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=part):
        load_registry([tmp_path / name])


def test_two_files_of_one_name_are_a_user_error(site: Site, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my.py").write_text(good("Mine"))
    with pytest.raises(UserError, match=r"two plugin files are called my\.py"):
        load_registry([tmp_path / "a/my.py", tmp_path / "b/my.py"])


def test_a_code_that_vanished_is_a_user_error(site: Site, tmp_path: Path) -> None:
    entry = Entry(load_registry().find("tasks", "profile").spec, "kobench", "1", "")
    broken = type(entry.spec)(**{**vars(entry.spec), "units": "kobench.gone:units"})
    with pytest.raises(
        UserError, match=r"task kobench/profile can't be loaded from 'kobench\.gone:units'"
    ):
        resolve(Entry(broken, "kobench", "1", ""))


# --- cards ---

CARD = """
name = "{name}"
version = 1
summary = "a table"
loader = "table"
scale = "linear"
[file]
name = "x.csv"
sha256 = "{digest}"
"""


def test_cards_in_a_folder_are_datasets(site: Site, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(CARD.format(name="my-table", digest="0" * 64))
    (tmp_path / "bad.toml").write_text(CARD.format(name="bad-table", digest="0"))
    registry = load_registry(dataset_folders=[tmp_path])
    entry = registry.find("datasets", "my-table")
    assert (entry.distribution, entry.trusted) == ("cards", True)
    assert registry.find("datasets", "cards/my-table") is entry
    assert callable(resolve(entry))
    (problem,) = problems_of(registry, "cards")
    assert problem.kind == "card"
    with pytest.raises(UserError, match=r"no dataset 'bad'.*sha256 is '0'"):
        registry.find("datasets", "bad")


def test_shipped_cards_are_kobenchs_own(site: Site) -> None:
    entry = load_registry().find("datasets", "pbmc68k")
    assert (entry.distribution, entry.trusted) == ("kobench", True)


def test_without_its_own_metadata_kobench_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "installed_sources", lambda: ([], []))
    registry = load_registry()
    assert any(
        "kobench itself is not installed" in problem.message for problem in registry.problems
    )


def test_a_predictor_whose_plugin_can_not_be_loaded_is_found_with_the_reason(
    site: Site, tmp_path: Path
) -> None:
    site.install(
        "broken-dist", {"broken_one.py": "import nothing_like_this"}, {"broken-point": "broken_one"}
    )
    site.install("good-dist", {"good_one.py": good("Mine")})
    registry = load_registry()
    for text in ("broken-dist", "broken-point", "broken-dist/anything", "Broken.Dist/anything"):
        entry = registry.find_despite(text)
        assert entry.problem is not None
        assert entry.problem.kind == "import"
        assert "No module named 'nothing_like_this'" in entry.problem.message
        assert (entry.distribution, entry.version, entry.spec.name) == (
            "broken-dist",
            "1.0",
            text.rpartition("/")[2],
        )
        assert len(entry.digest) == 64
        with pytest.raises(UserError):
            registry.find("predictors", text)
    assert registry.find_despite("mine").problem is None
    for unknown in ("mien", "good-dist/mien", "nowhere/mine"):
        with pytest.raises(UserError):
            registry.find_despite(unknown)
    file = tmp_path / "single.py"
    file.write_text("raise RuntimeError('boom')")
    broken = load_registry([file]).find_despite("whatever")
    assert broken.problem is not None
    assert (broken.distribution, broken.problem.message) == (
        "file:single.py",
        "importing single.py raised RuntimeError: boom",
    )
    other = tmp_path / "other.py"
    other.write_text("raise RuntimeError('bang')")
    with pytest.raises(UserError):  # which of the two was meant is not known
        load_registry([file, other]).find_despite("whatever")


def test_a_predictor_that_is_refused_is_found_by_its_name_and_not_by_another(site: Site) -> None:
    text = (
        f"{HEAD}@hookimpl\ndef kobench_predictors():\n    yield PredictorSpec('refused',"
        " 'good_two:Nothing')\n"
    )
    site.install("half-dist", {"half_one.py": text})
    registry = load_registry()
    refused = registry.find_despite("refused").problem
    assert refused is not None
    assert refused.kind == "spec"
    for other in ("half-dist/other", "other"):
        with pytest.raises(UserError):
            registry.find_despite(other)
