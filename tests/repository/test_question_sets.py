"""A new question set touches four places of kobench and no other: a made-up one is added so."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import PREDICTORS, REPOSITORY

from kobench.question import SETS
from kobench.worker.answers import ANSWER

#: What is appended to a copy of kobench, or written there, to add the set "even-genes": the
#: profiles of cells whose odd genes are all off.
PLACES = {
    "question/sets.py": '''

@dataclass(frozen=True, eq=False)
class EvenGenes(Question):
    """Cells without their odd genes, asked by assemblage."""

    called: ClassVar[str] = "the question of even genes"

    on: BoolArray
    true: FloatArray

    def payload(self) -> Payload:
        return Payload({"on": self.on})

    def shapes(self, supported: BoolArray, max_order: int | None = None) -> Mapping[str, Shape]:
        return {"profile": Shape(np.zeros(len(self.on), bool), self.on.shape[1], profile=True)}


SETS = {
    **SETS,
    "even-genes": QuestionSet(
        "even-genes",
        EvenGenes,
        needs=("expression",),
        arrays=("profile",),
        truth="kobench.truth.even_genes",
    ),
}
''',
    "truth/even_genes.py": '''"""The question of even genes, with its truth."""

import numpy as np

from kobench.cells import normalise_rows
from kobench.question import Answers
from kobench.question.sets import EvenGenes


def build(row, material):
    cells = material.dataset.cells[material.asked]
    on = cells.assemblages()
    on[:, 1::2] = False
    on[~on.any(axis=1), 0] = True
    return EvenGenes(on, normalise_rows(np.where(on, cells.dense() + 1e-9, 0.0)))


def answer_line(line, question, material):
    return Answers(profile=question.true) if line == "truth" else None
''',
    "worker/answers.py": '''

def answer_even_genes(fitted: Fitted, asked: Payload) -> Arrays:
    """Of `EvenGenes`: profiles of the assemblages."""
    return {"profile": fitted.asker.expression(asked.arrays["on"])}


ANSWER = {**ANSWER, "even-genes": answer_even_genes}
''',
}

#: The fourth place: a task, which a plugin may bring.
TASK = """
import numpy as np
from kobench.api import ProfileUnits, TaskSpec, TaskUnits, hookimpl
from kobench.question.sets import SETS


def units(view):
    question, answers = view.asked(SETS["even-genes"].record), view.answers
    n = len(question.on)
    if answers.profile is None:
        return TaskUnits({}, n, 0)
    found = ProfileUnits(answers.profile, question.true, question.on, np.arange(n))
    return TaskUnits({"": found}, n, n)


@hookimpl
def kobench_tasks():
    yield TaskSpec("evens", units, of="profile", asks="even-genes", truth="wild-type",
                   primary=("bray-curtis",), floors=("masked-mean",), lines=("truth",))
"""

RUN = "import kobench.cli; kobench.cli.main()"

#: Where a question set may be named: the places above, what serves them with examples, and what a
#: user sees of built-in tasks. "transfer", "profile" and "response" are names of tasks, too.
MAY_NAME_SETS = ("question/", "truth/", "worker/answers.py", "worker/checks/stages.py", "builtin/")


def test_a_set_is_added_in_four_places(tmp_path: Path) -> None:
    package = tmp_path / "kobench"
    shutil.copytree(REPOSITORY / "kobench", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "datasets", tmp_path / "datasets")
    for name, text in PLACES.items():
        with open(package / name, "a", encoding="utf-8") as file:
            file.write(text)
    task = tmp_path / "task.py"
    task.write_text(TASK)
    arguments = ["run", "-d", "grn:genes=10,cells=40", "-p", "good", "-t", "evens"]
    arguments += ["--plugin", str(PREDICTORS), "--plugin", str(task)]
    arguments += ["--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "KOBENCH_CACHE": str(tmp_path / "cache")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    values, statuses = {}, set()
    for path in (tmp_path / "out" / "records").glob("*.json"):
        record = json.loads(path.read_text())
        result = record["result"]
        statuses.add((record["role"], result["status"]))
        score = result["scores"]["evens@1"]["metrics"]["bray-curtis"]
        values[record["trial"]["predictor"]["name"]] = score["value"]
    assert statuses == {("predictor", "ok"), ("floor", "ok"), ("line", "ok")}
    assert values["truth"] == 0.0
    assert 0 < values["good"] < 1  # answered by a worker
    assert 0 < values["masked-mean"] < 1  # answered in the harness's process


@pytest.mark.parametrize("name", SETS)
def test_every_set_has_its_pieces(name: str) -> None:
    row = SETS[name]
    assert row.name == name
    assert name in ANSWER
    module = REPOSITORY.joinpath(*row.truth.split("."))
    assert module.with_suffix(".py").is_file() or (module / "__init__.py").is_file()


def test_nothing_else_names_a_question_set() -> None:
    names = {"singles", "doubles", "triples"}
    found = []
    for path in sorted((REPOSITORY / "kobench").rglob("*.py")):
        place = path.relative_to(REPOSITORY / "kobench").as_posix()
        if place.startswith(MAY_NAME_SETS):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)} & names
        found += [f"{place} names {name!r}" for name in sorted(named)]
    assert found == []


def test_only_the_question_package_looks_at_a_questions_type() -> None:
    found = []
    for path in sorted((REPOSITORY / "kobench").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node).startswith("isinstance(question"):
                found.append(path.relative_to(REPOSITORY).as_posix())
    assert [place for place in found if not place.startswith("kobench/question/")] == []
