"""Plugins are read alike with pluggy and without it.

kobench's own interpreter registers them with pluggy; a predictor's own environment reads the same
marks with numpy alone. What is refused, and every message, must be the same.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pluggy
import pytest
from pretend_plugins import BROKEN, ENDING, HEAD, good

import kobench.api
from kobench import hookspecs
from kobench.api import hookimpl
from kobench.util import marker
from kobench.worker.describe.child import describe
from kobench.worker.describe.hooks import usable_hooks
from kobench.worker.describe.managers import HOOKS
from kobench.worker.describe.marks import MARK, marks_of
from kobench.worker.describe.messages import problem


class Methods:
    @hookimpl
    def kobench_predictors(self):
        yield 1

    @hookimpl
    def kobench_tasks(self, more):
        yield 1

    @staticmethod
    @hookimpl
    def kobench_metrics():
        yield 1

    @hookimpl
    def kobench_datasets(self, more=3):
        yield 1


def marked(function: Callable[..., Any]) -> Callable[..., Any]:
    return hookimpl(function)


SHAPES: dict[str, Any] = {
    "none": marked(lambda: []),
    "one": marked(lambda one: []),
    "default": marked(lambda one=1: []),
    "several": marked(lambda *many: []),
    "keywords": marked(lambda **many: []),
    "self": marked(lambda self: []),
    "method": Methods().kobench_predictors,
    "method-with-argument": Methods().kobench_tasks,
    "static": Methods.kobench_metrics,
    "method-with-default": Methods().kobench_datasets,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_pluggy_would_refuse_is_refused(shape: str) -> None:
    function = SHAPES[shape]
    manager = pluggy.PluginManager("kobench")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(SimpleNamespace(kobench_predictors=function))
        refused = False
    except pluggy.PluginValidationError:
        refused = True
    found, faults = usable_hooks(SimpleNamespace(kobench_predictors=function), "it")
    assert (not found, bool(faults)) == (refused, refused)
    if not refused:
        assert found["kobench_predictors"]() is not None
        assert len(manager.hook.kobench_predictors()) == 1


MARKABLE = {
    "function": lambda: 1,
    "class": Methods,
    "partial": functools.partial(len, ()),
    "instance": SimpleNamespace(),
    "number": 3,
}


@pytest.mark.parametrize("what", MARKABLE)
@pytest.mark.parametrize("mark", [{"specname": "kobench_tasks"}, "rubbish", None])
def test_marks_are_read_as_pluggy_reads_them(
    what: str, mark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = MARKABLE[what]
    if what != "number":
        monkeypatch.setattr(thing, MARK, mark, raising=False)
    manager = pluggy.PluginManager("kobench")
    theirs = manager.parse_hookimpl_opts(
        SimpleNamespace(kobench_predictors=thing), "kobench_predictors"
    )
    assert marks_of(thing) == theirs
    assert (theirs is not None) == (what == "function" and isinstance(mark, dict))


@pytest.mark.parametrize(
    "options", [{}, {"tryfirst": True}, {"specname": "kobench_tasks"}, {"wrapper": True}]
)
def test_both_markers_leave_the_same_mark(options: dict[str, Any]) -> None:
    ours, theirs = marker.HookimplMarker("kobench"), pluggy.HookimplMarker("kobench")
    assert marks_of(ours(**options)(lambda: [])) == marks_of(theirs(**options)(lambda: []))
    assert marks_of(ours(lambda: [])) == marks_of(theirs(lambda: []))
    for each in (ours, theirs):
        with pytest.raises(TypeError, match="unexpected keyword argument 'first'"):
            each(first=True)
    assert isinstance(kobench.api.hookimpl, pluggy.HookimplMarker)


ONE = "PredictorSpec('x', 'kobench.api:Context', answers=('expression',))"

#: Plugins beside those of `BROKEN`: other ways to write a hook, right and wrong.
MORE = {
    "list": f"@hookimpl\ndef kobench_predictors():\n    return [{ONE}]",
    "tuple": f"@hookimpl\ndef kobench_predictors():\n    return ({ONE},)",
    "iterator": f"@hookimpl\ndef kobench_predictors():\n    return iter([{ONE}])",
    "mapping": f"@hookimpl\ndef kobench_predictors():\n    return {{'x': {ONE}}}",
    "empty-list": "@hookimpl\ndef kobench_predictors():\n    return []",
    "text": "@hookimpl\ndef kobench_predictors():\n    return 'x'",
    "raises-half-way": (
        f"@hookimpl\ndef kobench_predictors():\n    yield {ONE}\n    raise RuntimeError('late')"
    ),
    "exits-half-way": (
        f"@hookimpl\ndef kobench_predictors():\n    yield {ONE}\n    raise SystemExit(4)"
    ),
    "interrupted": "@hookimpl\ndef kobench_predictors():\n    raise KeyboardInterrupt",
    "raises-at-once": "@hookimpl\ndef kobench_predictors():\n    return 1 / 0",
    "stops": "@hookimpl\ndef kobench_predictors():\n    raise StopIteration('enough')",
    "twice": (
        f"@hookimpl\ndef kobench_predictors():\n    yield {ONE}\n"
        "@hookimpl(specname='kobench_predictors')\ndef others():\n    return []"
    ),
    "two-misspelt": (
        "@hookimpl\ndef kobench_predictor():\n    return []\n"
        "@hookimpl\ndef kobench_metric():\n    return []\n"
        "@hookimpl(specname='kobench_metric')\ndef again(): ...\n"
    ),
    "half": (
        f"@hookimpl\ndef kobench_predictors():\n    yield {ONE}\n"
        "@hookimpl\ndef kobench_task():\n    return []\n"
        "@hookimpl\ndef kobench_metrics(units):\n    return []\n"
        "def kobench_datasets():\n    return []\n"
    ),
    "first": f"@hookimpl(tryfirst=True)\ndef kobench_predictors():\n    yield {ONE}",
    "last": f"@hookimpl(trylast=True)\ndef kobench_predictors():\n    yield {ONE}",
    "optional": f"@hookimpl(optionalhook=True)\ndef kobench_predictors():\n    yield {ONE}",
    "optional-misspelt": "@hookimpl(optionalhook=True)\ndef kobench_predictor():\n    return []",
    "hidden": "@hookimpl(specname='_predictors')\ndef predictors():\n    return []",
    "named": f"@hookimpl(specname='kobench_predictors')\ndef mine():\n    yield {ONE}",
    "unknown-option": "@hookimpl(first=True)\ndef kobench_predictors():\n    return []",
    "old-wrapper": "@hookimpl(hookwrapper=True)\ndef kobench_predictors():\n    yield",
    "both-wrappers": (
        "@hookimpl(hookwrapper=True, wrapper=True)\ndef kobench_predictors():\n    yield"
    ),
    "wrapper-that-yields-nothing": "@hookimpl(wrapper=True)\ndef kobench_tasks():\n    return []",
    "misspelt-wrapper": "@hookimpl(wrapper=True)\ndef kobench_task():\n    return []",
    "misspelt-with-arguments": "@hookimpl\ndef kobench_task(view):\n    return []",
    "default-argument": f"@hookimpl\ndef kobench_predictors(n=1):\n    return [{ONE}]",
    "any-arguments": f"@hookimpl\ndef kobench_predictors(*a, **k):\n    return [{ONE}]",
    "keyword-argument": "@hookimpl\ndef kobench_predictors(*, config):\n    return []",
    "coroutine": "@hookimpl\nasync def kobench_predictors():\n    return []",
    "own-dir": (
        f"@hookimpl\ndef kobench_predictors():\n    yield {ONE}\ndef __dir__():\n    return []"
    ),
    "imports-on-demand": (
        "def __getattr__(name):\n    raise ImportError(name)\n"
        f"@hookimpl\ndef kobench_predictors():\n    yield {ONE}"
    ),
    "object": (
        "class Plugin:\n    @hookimpl\n    def kobench_predictors(self):\n"
        f"        yield {ONE}\nplugin = Plugin()"
    ),
    "class-not-object": (
        f"class plugin:\n    @hookimpl\n    def kobench_predictors(self):\n        yield {ONE}"
    ),
    "class-methods": (
        f"class plugin:\n    @classmethod\n    @hookimpl\n    def kobench_predictors(cls):\n"
        f"        yield {ONE}\n    @staticmethod\n    @hookimpl\n    def kobench_tasks():\n"
        "        return []"
    ),
    "property-that-raises": (
        "class Plugin:\n    @property\n    def a(self):\n        raise OSError('no disk')\n"
        f"    @hookimpl\n    def kobench_predictors(self):\n        yield {ONE}\nplugin = Plugin()"
    ),
    "nothing-at-all": "plugin = None",
}

#: What is expected of these: the names of the specs, and a part of each problem. Of the others it
#: is enough that both ways say the same.
EXPECTED: dict[str, tuple[list[str], list[str]]] = {
    "list": (["x"], []),
    "tuple": (["x"], []),
    "iterator": (["x"], []),
    "mapping": ([], ["kobench_predictors yielded str 'x'; expected PredictorSpec"]),
    "empty-list": ([], []),
    "raises-half-way": (["x"], ["kobench_predictors raised RuntimeError: late after 1 specs"]),
    "exits-half-way": (["x"], ["kobench_predictors called sys.exit(4) after 1 specs"]),
    "raises-at-once": ([], ["kobench_predictors raised ZeroDivisionError: division by zero"]),
    "twice": (["x"], ["kobench_predictors is implemented twice; yield everything from one"]),
    "two-misspelt": (
        [],
        [
            "kobench_metric is no hook; did you mean 'kobench_metrics'?",
            "kobench_metric is no hook; did you mean 'kobench_metrics'?",
            "kobench_predictor is no hook; did you mean 'kobench_predictors'?",
        ],
    ),
    "half": (
        ["x"],
        [
            "kobench_datasets is not marked; put @kobench.api.hookimpl above it",
            "kobench_metrics takes (units); expected no argument",
            "kobench_task is no hook; did you mean 'kobench_tasks'?",
        ],
    ),
    "first": (["x"], []),
    "last": (["x"], []),
    "optional": (["x"], []),
    "optional-misspelt": ([], ["kobench_predictor is no hook; did you mean 'kobench_predictors'?"]),
    "hidden": ([], ["_predictors is no hook; did you mean 'kobench_predictors'?"]),
    "named": (["x"], []),
    "unknown-option": ([], ["raised TypeError: "]),
    "old-wrapper": ([], ["kobench_predictors is a wrapper; expected a plain function"]),
    "both-wrappers": ([], ["kobench_predictors is a wrapper; expected a plain function"]),
    "misspelt-wrapper": ([], ["kobench_task is no hook; did you mean 'kobench_tasks'?"]),
    "misspelt-with-arguments": ([], ["kobench_task is no hook; did you mean 'kobench_tasks'?"]),
    "default-argument": (["x"], []),
    "any-arguments": (["x"], []),
    "own-dir": (["x"], []),
    "imports-on-demand": (["x"], []),
    "object": (["x"], []),
    "class-not-object": ([], ["kobench_predictors takes (self); expected no argument"]),
    "class-methods": (["x"], []),
    "property-that-raises": ([], [":plugin raised OSError: no disk"]),
    "nothing-at-all": ([], ["implements no hook; expected some of kobench_predictors"]),
}


#: Describes plugins, after hiding pluggy where that is asked for. Prints what is said of each, and
#: how often pluggy was asked to register, check and call.
DESCRIBE = """
import collections, json, sys
asked = collections.Counter()
if sys.argv[1] == "without":
    sys.modules["pluggy"] = None
else:
    import pluggy
    for name in ("register", "add_hookspecs", "check_pending"):
        def count(manager, *args, name=name, method=getattr(pluggy.PluginManager, name)):
            asked[name] += 1
            if name == "register":
                manager.add_hookcall_monitoring(lambda *_: asked.update(["call"]), lambda *_: None)
            return method(manager, *args)
        setattr(pluggy.PluginManager, name, count)
from kobench.worker.describe.child import describe
said = {value: list(describe([(0, value, value)], None)) for value in sys.argv[2:]}
assert (sys.modules.get("pluggy") is None) == (sys.argv[1] == "without")
print(json.dumps([said, asked]))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    """Way ("with", "without") -> what is said of each plugin by its name, and what was asked."""
    texts = {name: case[0] for name, case in BROKEN.items() if name not in ENDING}
    texts |= {name: HEAD + text for name, text in MORE.items()} | {"sound": good("Mine")}
    folder = tmp_path_factory.mktemp("plugins")
    values = {}
    for name, text in texts.items():
        module = f"case_{name.replace('-', '_')}"
        (folder / f"{module}.py").write_text(text)
        values[f"{module}:plugin" if "plugin" in text else module] = name
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    found = {}
    for way in ("with", "without"):
        done = subprocess.run(
            [sys.executable, "-B", "-c", DESCRIBE, way, *values],
            capture_output=True,
            text=True,
            check=True,
            env=variables,
        )
        messages, asked = json.loads(done.stdout)
        found[way] = {values[value]: each for value, each in messages.items()}, asked
    assert len(found["with"][0]) == len(texts)
    return found


@pytest.mark.parametrize("name", [*MORE, *(name for name in BROKEN if name not in ENDING), "sound"])
def test_plugins_are_described_alike_with_and_without_pluggy(
    name: str, said: dict[str, tuple[Any, Any]]
) -> None:
    messages = said["with"][0][name]
    assert messages == said["without"][0][name]
    specs = [message["spec"]["name"] for message in messages if "spec" in message]
    problems = [message["problem"]["message"] for message in messages if "problem" in message]
    if name == "sound":
        assert (specs, problems) == (["mine"], [])
    elif name in BROKEN:
        assert problems
    elif name in EXPECTED:
        expected, parts = EXPECTED[name]
        assert specs == expected
        assert len(problems) == len(parts)
        assert all(part in problem for part, problem in zip(parts, problems, strict=True))


def test_pluggy_registers_checks_and_calls_where_it_is_there(
    said: dict[str, tuple[Any, Any]],
) -> None:
    messages, asked = said["with"]
    read = sum(
        not any(m.get("problem", {}).get("message", "").startswith("importing") for m in each)
        for each in messages.values()
    )
    # every plugin that could be imported, but for the one whose attributes can't be read
    assert asked["register"] == asked["add_hookspecs"] == asked["check_pending"] == read - 1
    runs = [m for each in messages.values() for m in each if "running" in m.get("doing", "")]
    assert asked["call"] == len(runs) > 0
    assert said["without"][1] == {}


def test_a_traceback_shows_the_plugins_own_frames_only(
    said: dict[str, tuple[Any, Any]],
) -> None:
    (problem,) = [m["problem"] for m in said["with"][0]["raises-at-once"] if "problem" in m]
    frames = [line for line in problem["traceback"].splitlines() if line.startswith("  File ")]
    assert len(frames) == 1
    assert "case_raises_at_once.py" in frames[0]


def test_a_problem_is_told_on_python_3_9_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """There this function needs the type of an error and the error itself."""
    both = traceback.format_exception_only
    monkeypatch.setattr(traceback, "format_exception_only", lambda exc, value: both(exc, value))
    said = problem("hook", "it failed", ValueError("no cells"))["problem"]
    assert said["traceback"] == "ValueError: no cells"


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_every_hook_is_a_plugin(hook: str, tmp_path: Path) -> None:
    documentation = inspect.getdoc(getattr(hookspecs, hook))
    assert documentation is not None
    file = tmp_path / "example.py"
    file.write_text(textwrap.dedent(documentation.partition("::\n")[2]))
    messages = list(describe([(0, "example", "example.py")], str(file)))
    assert not [message for message in messages if "problem" in message]
    (spec,) = [message["spec"] for message in messages if "spec" in message]
    assert spec["kind"] == HOOKS[hook]


def test_what_pluggy_refuses_and_kobench_does_not_is_a_problem_of_that_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later pluggy may refuse more than this one; then it says why."""

    def refuse(manager: Any, plugin: Any, name: str) -> None:
        raise pluggy.PluginValidationError(plugin, "not on Sundays")

    monkeypatch.setattr(pluggy.PluginManager, "register", refuse)
    file = tmp_path / "mine.py"
    file.write_text(good("Mine"))
    (problem,) = [
        m["problem"] for m in describe([(0, "m", "mine.py")], str(file)) if "problem" in m
    ]
    assert problem["kind"] == "hook"
    assert "mine.py raised PluginValidationError: not on Sundays" in problem["message"]
