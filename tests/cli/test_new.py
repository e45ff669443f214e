"""`kobench new`: what it writes passes its own tests, its checks and a run, as it is.

What can't be written is refused in a sentence.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import command
import pytest
from command import Done

from kobench.cli import new

RUNS = {
    "predictor": ["-d", "grn:genes=12,cells=60", "-p", "my-own-thing"],
    "dataset": ["-d", "my-own-thing:genes=10,cells=40", "-p", "masked-mean"],
    "metric": [
        *("-d", "grn:genes=12,cells=60", "-p", "masked-mean", "-t", "profile"),
        *("-m", "my-own-thing"),
    ],
}
#: What a check must be told: nothing shuts a metric or dataset in.
KINDS = {"predictor": [], "dataset": ["--kind", "dataset"], "metric": ["--kind", "metric"]}
CHECKED = {
    "predictor": "my-own-thing",
    "dataset": "my-own-thing:genes=10,cells=40",
    "metric": "my-own-thing",
}


def variables() -> dict[str, str]:
    """Nothing in the folder where a process stands is imported by itself."""
    return {**os.environ, "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}


def python(*arguments: object, cwd: Path) -> str:
    """What Python prints away from the repository; it ends well."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def kobench(*words: object, cwd: Path, code: int = 0) -> Done[str]:
    """The command, away from the repository."""
    return command.kobench(*words, cwd=cwd, code=code, env=variables())


@pytest.mark.parametrize("kind", list(RUNS))
def test_what_is_written_works_as_it_is(kind: str, tmp_path: Path) -> None:
    said = kobench("new", kind, "my-own-thing", cwd=tmp_path).stdout
    folder, plugin = tmp_path / "my-own-thing", "my_own_thing.py"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["README.md", plugin, "pyproject.toml", "tests/test_my_own_thing.py"]
    assert os.listdir(tmp_path) == ["my-own-thing"]
    assert not any("{{" in (folder / file).read_text() for file in files)
    assert (folder / plugin).read_text().count("EDIT HERE") == 1
    for line in (
        "cd my-own-thing",
        " ".join(["kobench check my-own-thing --plugin", plugin, *KINDS[kind]]),
        "kobench run ",
        "python -m pytest",
        "pip install -e .",
    ):
        assert f"\n  {line}" in said
    if kind == "predictor":
        ast.parse((folder / plugin).read_text(), feature_version=(3, 9))

    for lint in (["check", "--select", "E,F,I,W,B,UP"], ["format", "--check"]):
        python("-m", "ruff", *lint, ".", cwd=folder)
    tested = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=folder)
    assert "passed" in tested
    assert "failed" not in tested
    results = json.loads(
        kobench(
            "check", CHECKED[kind], *KINDS[kind], "--plugin", plugin, "--json", cwd=folder
        ).stdout
    )
    assert sum(result["status"] == "passed" for result in results) >= 10
    out = tmp_path / "results"
    kobench("run", *RUNS[kind], "--plugin", plugin, "--out", out, cwd=folder)
    records = [json.loads(path.read_text()) for path in out.rglob("records/*.json")]
    assert {record["result"]["status"] for record in records if record["role"] == "predictor"} <= {
        "ok"
    }
    named = json.dumps(records)
    assert "my-own-thing" in named


def test_it_is_found_once_it_is_installed(tmp_path: Path) -> None:
    kobench("new", "predictor", "my-own-thing", cwd=tmp_path)
    site = tmp_path / "site"
    python(
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        site,
        tmp_path / "my-own-thing",
        cwd=tmp_path,
    )
    script = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "from kobench.plugins import load_registry\n"
        "entry = load_registry().find('predictors', 'my-own-thing')\n"
        "print(entry.full_name, entry.version, entry.spec.answers)"
    )
    found = python("-c", script, cwd=tmp_path)
    assert found.strip() == "my-own-thing/my-own-thing 0.1.0 ('expression',)"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "My_Thing",
            (
                "'My_Thing' is no name of a predictor; expected lower-case letters and digits"
                " joined by -, a letter first, for"
            ),
        ),
        ("2fast", "expected lower-case letters"),
        ("-thing", "No such option"),
        ("a b", "for instance 'a-b'"),
        ("../up", "for instance 'up'"),
        ("class", "Python has a 'class' of its own; choose another, such as 'my-class'"),
        ("json", "Python has a 'json' of its own"),
        (
            "spearman",
            "is the name of a metric of kobench already; choose another, such as 'my-spearman'",
        ),
        ("grn", "is the name of a dataset of kobench already"),
        ("numpy", "is the name of an installed distribution (version"),
        ("there", "there is there already; choose another name, or another place with --into"),
    ],
)
def test_a_name_that_can_not_be_used_is_refused(name: str, found: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    done = kobench("new", "predictor", name, cwd=tmp_path, code=2)
    assert found in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == ["there"]


def test_another_place(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    kobench("new", "metric", "thing", "--into", tmp_path / "there", cwd=tmp_path)
    assert (tmp_path / "there" / "thing" / "thing.py").is_file()
    assert (
        "does not exist"
        in kobench(
            "new", "metric", "thing", "--into", tmp_path / "nowhere", cwd=tmp_path, code=2
        ).stderr
    )


def test_nothing_is_left_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new, "FILES", {**new.FILES, "missing": "missing"})
    with pytest.raises(FileNotFoundError):
        new.write("predictor", "thing", "thing", tmp_path / "thing")
    assert os.listdir(tmp_path) == []


def test_what_is_written_can_be_read_by_others(tmp_path: Path) -> None:
    new.write("predictor", "thing", "thing", tmp_path / "thing")
    (tmp_path / "other").mkdir()
    assert (tmp_path / "thing").stat().st_mode == (tmp_path / "other").stat().st_mode
