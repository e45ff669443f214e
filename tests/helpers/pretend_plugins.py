"""Pretend installed packages, good ones and ones that are broken in every way."""

from __future__ import annotations

import csv
from pathlib import Path

from kobench.plugins.load import PluginProblem, Registry

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
        rows = []
        for path, text in modules.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            rows.append([path, "", ""])
        points = points or {
            distribution: (
                next(iter(modules)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            )
        }
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(
            "[kobench]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        )
        with open(info / "RECORD", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return info


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
    "hook-segfault": (
        f"import ctypes\n{HEAD}@hookimpl\ndef kobench_tasks():\n    ctypes.string_at(0)",
        "crash",
        "running kobench_tasks of broken ended the process by SIGSEGV",
        'broken.py", line 5 in kobench_tasks',
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


#: Those that end the process that imports them, or write to its pipe.
ENDING = ("os-exit", "segfault", "hook-segfault", "pipe", "forged")


def problems_of(registry: Registry, distribution: str) -> list[PluginProblem]:
    return [problem for problem in registry.problems if problem.distribution == distribution]
