"""What a misbehaving predictor is: where it does what, and the row it must get; and how it is
installed as a distribution of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from typing import Any


@dataclass(frozen=True)
class Fake:
    """One fake. Its name is that of its distribution, its entry point and its predictor.

    status : what its row must have, or several where it depends on the machine; "ok" for what is no
    crime. stage, says : where it ended ("" for anywhere) and a regular expression that the reason
    must match. module : code run when the plugin is imported, or, with `core`, when the module of
    its class is, which only a trial imports. fit, predict : code run first in these; in predict,
    `first` tells the first call. answer : what it returns for the profiles `rows`. methods :
    further methods of the class. answers : what its spec says that it answers. needs : a package
    without which it can't misbehave. sealed : whether it would do harm, or find something, outside
    of a whole sandbox.
    """

    name: str
    status: str | tuple[str, ...]
    says: str = ""
    stage: str | tuple[str, ...] = ""
    module: str = ""
    core: bool = False
    fit: str = ""
    predict: str = ""
    answer: str = "rows"
    methods: str = ""
    answers: tuple[str, ...] = ("expression",)
    needs: str = ""
    sealed: bool = False

    @property
    def statuses(self) -> tuple[str, ...]:
        return (self.status,) if isinstance(self.status, str) else self.status

    @property
    def stages(self) -> tuple[str, ...]:
        return (self.stage,) if isinstance(self.stage, str) else self.stage

    @property
    def package(self) -> str:
        return self.name.replace("-", "_")

    def sources(self, facts: Mapping[str, Any], claims: str = "") -> dict[str, str]:
        """Its modules by file name; `facts` is what the code finds in `at`, for instance where the
        results lie.
        """
        head = HEAD.format(facts=json.dumps(dict(facts), sort_keys=True))
        body = BODY.format(
            fit=block(self.fit),
            predict=block(self.predict),
            answer=self.answer,
            methods=block(self.methods, 4),
        )
        code = f"{head}\n{dedent(self.module)}\n{body}"
        make = repr(f"{self.package}.core:Predictor") if self.core else "Predictor"
        hook = HOOK.format(name=claims or self.name, make=make, answers=self.answers)
        if self.core:
            return {f"{self.package}/__init__.py": hook, f"{self.package}/core.py": code}
        return {f"{self.package}.py": f"{code}\n{hook}"}


HEAD = """
import ctypes, fcntl, json, os, resource, signal, socket, stat, subprocess, sys, threading, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np

at = SimpleNamespace(**json.loads({facts!r}))

def on_every_pipe(data):
    "Write to whatever might lead to the harness."
    for number in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode) or stat.S_ISSOCK(os.fstat(number).st_mode):
                os.write(number, data)
        except OSError:
            pass

def everywhere(name, value):
    "Replace a name in every module that has it."
    for module in list(sys.modules.values()):
        if name in vars(module):
            setattr(module, name, value)
"""

BODY = """
class Predictor:
    def fit(self, cells, context):
        shares = cells.profiles()
        self.mean = shares.sum(0) / np.maximum((shares > 0).sum(0), 1) + 1e-9
        self.folder, self.scratch = context.scratch.parent, context.scratch
        self.asked = False
{fit}

    def predict_expression(self, assemblages):
        rows = assemblages * self.mean ** (1 + assemblages.sum(1, keepdims=True) / 50)
        rows = rows / rows.sum(1, keepdims=True)
        first, self.asked = not self.asked, True
{predict}
        return {answer}

{methods}
"""

HOOK = """
from kobench.api import PredictorSpec, hookimpl

@hookimpl
def kobench_predictors():
    yield PredictorSpec({name!r}, {make}, answers={answers!r})
"""


def block(code: str, depth: int = 8) -> str:
    return indent(dedent(code).strip("\n"), " " * depth)


def install(
    folder: Path, fakes: Iterable[Fake], facts: Mapping[str, Any], claims: str = ""
) -> None:
    """Write each fake's modules and metadata into a folder that stands on the path, as an installer
    does.

    claims : the name of their predictors, if not their own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for fake in fakes:
        sources = fake.sources(facts, claims)
        for name, text in sources.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        info = folder / f"{fake.package}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {fake.name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[kobench]\n{fake.name} = {fake.package}\n")
        (info / "RECORD").write_text(
            "".join(
                f"{name},,\n"
                for name in [*sources, f"{info.name}/METADATA", f"{info.name}/entry_points.txt"]
            )
        )
