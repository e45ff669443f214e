"""Hooks are found and judged without pluggy as pluggy does it, and a plugin's problems read the
same with and without it.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pluggy
import pytest
from test_discovery import BROKEN, good

import kobench.worker.describe.hooks as hooks
from kobench.api import hookimpl
from kobench.hookspecs import Hooks


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
    manager.add_hookspecs(Hooks)
    try:
        manager.register(SimpleNamespace(kobench_predictors=function))
        refused = False
    except pluggy.PluginValidationError:
        refused = True
    found, faults = hooks.usable_hooks(SimpleNamespace(kobench_predictors=function), "it")
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
        monkeypatch.setattr(thing, hooks.MARK, mark, raising=False)
    manager = pluggy.PluginManager("kobench")
    theirs = manager.parse_hookimpl_opts(
        SimpleNamespace(kobench_predictors=thing), "kobench_predictors"
    )
    assert hooks.marks_of(thing) == theirs
    assert (theirs is not None) == (what == "function" and isinstance(mark, dict))


DESCRIBE = """
import json, os, sys
if sys.argv[1] == "without":
    sys.modules["pluggy"] = None
from kobench.worker.describe.child import describe
for name in sys.argv[2:]:
    print(json.dumps([name, list(describe([(0, name, name)], None))]))
assert (sys.modules.get("pluggy") is None) == (sys.argv[1] == "without")
"""


def test_plugins_are_described_alike_with_and_without_pluggy(tmp_path: Path) -> None:
    texts = {
        name.replace("-", "_"): case[0]
        for name, case in BROKEN.items()
        if name not in ("os-exit", "segfault", "pipe", "forged")
    }
    texts["sound"] = good("Mine")
    for name, text in texts.items():
        (tmp_path / f"case_{name}.py").write_text(text)
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    said = {}
    for way in ("with", "without"):
        command = [sys.executable, "-B", "-c", DESCRIBE, way, *(f"case_{name}" for name in texts)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
        said[way] = dict(json.loads(line) for line in done.stdout.splitlines())
    assert said["with"] == said["without"]
    assert len(said["with"]) == len(texts)
    kinds = {
        name: {kind for message in messages for kind in message}
        for name, messages in said["with"].items()
    }
    assert "spec" in kinds["case_sound"]
    assert "problem" not in kinds["case_sound"]
    assert all("problem" in kinds[f"case_{name}"] for name in texts if name != "sound")
