"""The line to copy says all that decides the question, quoted for the shell, and no more."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from factories import read, record

from kobench.results.parts import Record
from kobench.results.records import identity
from kobench.show.again import again, unsure

LIMITS = {"seconds": 3600, "memory_mb": 9000, "processes": 64, "written_mb": 8192}


def made(predictor: str = "mine", **more: Any) -> Record:
    """A record."""
    return read([record(predictor, more.pop("value", 0.5), **more)])[0]


def words(one: Record, folder: str = "out", task: str = "") -> list[str]:
    """The line, as a shell splits it; without its beginning and end, which are always the same."""
    found = shlex.split(again(one, Path(folder), task))
    assert found[:2] == ["kobench", "run"]
    assert found[-3:] == ["--fresh", "--out", f"kobench-again/{identity(one.trial)[:8]}"]
    return found[2:-3]


def flag(one: Record, name: str) -> list[str]:
    """The values of a flag."""
    given = words(one)
    return [given[place + 1] for place, word in enumerate(given) if word == name]


def test_what_is_usual_is_not_said() -> None:
    line = words(made(run={"limits": LIMITS}))
    assert line == ["-d", "grn:genes=100,seed=0", "-p", "mine", "-t", "knockout-impact"]


@pytest.mark.parametrize(
    ("changed", "name", "values"),
    [
        ({"split": ("halves", 3)}, "--split-seed", ["3"]),
        ({"split": ("halves", 0)}, "--splits", ["1"]),
        ({"split": ("all", 0)}, "--split", ["all"]),
        ({"split": ("holdout", 0)}, "--split", []),
        ({"fit_seed": 2}, "--fit-seeds", ["3"]),
        ({"distribution": "file:mine.py"}, "--plugin", ["mine.py"]),
        ({"dataset": "grn + pbmc", "seed": None}, "-d", ["grn", "pbmc"]),
        ({"role": "floor"}, "-p", []),
        ({"events": {"asked": 500, "of": 900}}, "--events", ["500"]),
        ({"run": {"limits": {**LIMITS, "seconds": 60}}}, "--timeout", ["60"]),
        ({"run": {"limits": {**LIMITS, "processes": None}}}, "--processes", ["0"]),
        ({"run": {"limits": LIMITS}}, "--memory", []),
    ],
)
def test_what_decides_the_question_is_said(
    changed: dict[str, Any], name: str, values: list[str]
) -> None:
    assert flag(made(**changed), name) == values


def test_the_limit_that_was_passed_is_said() -> None:
    ended = made(
        value={}, status="out-of-memory", stage="fit", message="memory", run={"limits": LIMITS}
    )
    assert flag(ended, "--memory") == ["9000"]


def test_the_sandbox_and_its_folders_are_said() -> None:
    box = {"mode": "off", "layers": {}, "readable": ["/my data"]}
    line = words(made(run={"sandbox": box, "limits": LIMITS}))
    assert line[-4:] == ["--sandbox", "off", "--readable", "/my data"]


def test_text_is_quoted_for_the_shell() -> None:
    hostile = made('mine:text="a\'; rm -rf $HOME `x`"')
    assert flag(hostile, "-p") == ['mine:text="a\'; rm -rf $HOME `x`"']
    secret = made(dataset="grn:seed=secret-4", seed=None)
    line = again(secret, Path("my results"))
    assert " -d grn:seed=4 " in line
    assert " --secret-seed \"$(cat 'my results/secret-seed.txt')\" " in line


def test_what_a_record_does_not_know_is_said(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    ours = made(distribution="file:mine.py")
    assert unsure(ours) == ["say where mine.py lies: records name no folders"]
    (tmp_path / "mine.py").touch()
    assert unsure(ours) == []
    assert unsure(made(fit_seed=2)) == ["it fits with the seeds 0 to 2"]
