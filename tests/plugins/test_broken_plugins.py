"""Every way in which a plugin can be broken costs that plugin only, and is listed."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from pretend_plugins import BROKEN, Site, good, problems_of

from kobench.errors import UserError
from kobench.plugins import conversation
from kobench.plugins.cache import remembered
from kobench.plugins.load import Registry, load_registry
from kobench.plugins.sources import Source
from kobench.sandbox.finding import layers_here
from kobench.sandbox.layers import uncovered
from kobench.supervisor.limits import Limits


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_a_listed_problem_and_the_rest_works(
    case: str, broken: Registry
) -> None:
    _, kind, message, traceback = BROKEN[case]
    module, name = f"broken_{case.replace('-', '_')}", f"broken-{case}"
    message, traceback = (text.replace("broken", module) for text in (message, traceback))
    found = problems_of(broken, name)
    (problem,) = [one for one in found if one.kind == kind]
    assert len(found) <= 2  # without an end it is too long as well, which is said once
    assert (problem.kind, problem.entry_point) == (kind, name)
    assert message in problem.message
    assert traceback in problem.traceback
    assert "pluggy" not in problem.traceback
    assert not problems_of(broken, "good-dist")
    assert broken.find("predictors", "mine").distribution == "good-dist"
    assert "profile" in broken.tasks
    # asked for by name, it says why
    for text in (f"{name}/anything", name):
        with pytest.raises(UserError) as caught:
            broken.find("predictors", text)
        assert message in str(caught.value)
    # asked for nothing of it, it is mentioned and no more
    with pytest.raises(
        UserError, match=rf"no predictor 'nothing'.*Plugins with problems: .*{name}[ ,]"
    ):
        broken.find("predictors", "nothing")


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


def test_all_entry_points_together_have_one_limit(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may hang for as long as one may: a wheel with a thousand of them would stop us."""
    started = []

    class Hanging(conversation.Child):
        """A child that hangs at its first entry point; its seconds pass at once."""

        def messages(self):
            started.append(self.limit)
            clock[0] += self.limit
            self.end = "timeout"
            yield {"at": self.first, "doing": "importing it"}

    clock = [0.0]
    monkeypatch.setattr(conversation, "Child", Hanging)
    monkeypatch.setattr(conversation.time, "monotonic", lambda: clock[0])
    points = tuple((f"p{place}", "hang") for place in range(1000))
    source = Source("many-dist", "1.0", points, {})
    specs, problems = conversation.ask_children(source, 10.0)
    assert started == [10.0, 10.0]
    assert not specs
    assert [each.kind for each in problems] == ["timeout"] * 3
    assert "p2, p3, p4 and 995 more of many-dist were not looked at" in problems[-1].message


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
