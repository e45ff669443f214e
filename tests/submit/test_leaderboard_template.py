"""What `kobench new leaderboard` writes: its workflow, step by step in clean clones, takes what is
honest and names what is forged.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import kobench
from places import REPOSITORY
from shown import commands, parse

yaml = pytest.importorskip("yaml")
pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("bash") is None, reason="git or bash is not here"
)

SUITE = """
summary = "Two small networks."
published-secret = true
dataset = ["grn:genes=12,cells=120"]
task = ["profile", "keystone"]
networks = 2
"""

MINE = """
import numpy as np
from kobench.api import PredictorSpec, hookimpl, normalise_rows

class Mine:
    def fit(self, cells, context):
        self.mean = cells.profiles().mean(axis=0)

    def predict_expression(self, assemblages):
        return normalise_rows(assemblages * (self.mean + 1e-6))

@hookimpl
def kobench_predictors():
    yield PredictorSpec("mine", Mine)
"""

#: The step that needs a registry; kobench is here.
LEFT_OUT = "Install kobench"


def git(folder: Path, *words: object) -> str:
    named = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", "-C", str(folder), *named, *map(str, words)],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """The leaderboard of a maintainer, with its first board."""
    place = tmp_path_factory.mktemp("keeper")
    said = kobench("new", "leaderboard", "ours", cwd=place).stdout
    assert "kobench board boards/ours --into README.md" in said
    folder = place / "ours"
    (folder / "suites" / "ours.toml").write_text(SUITE)
    run = ("run", "suites/ours.toml", "-p", "linear", "--secret", "--out", "results")
    kobench(*run, cwd=folder)
    kobench("board", "results", "--pack", "boards/ours", cwd=folder)
    kobench("board", "boards/ours", "--into", "README.md", cwd=folder)
    assert "| linear |" in (folder / "README.md").read_text()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "The first board")
    assert "results" not in git(folder, "ls-files")
    return folder


@pytest.fixture(scope="module")
def author(repository, tmp_path_factory) -> Path:
    """A clone in which somebody's method was run beside the board, with its submission."""
    place = tmp_path_factory.mktemp("author")
    git(place, "clone", "-q", repository, "clone")
    folder = place / "clone"
    (place / "mine.py").write_text(MINE)
    plugin = ("-p", "mine", "--plugin", place / "mine.py")
    beside = ("--beside", "boards/ours", "--out", "results")
    kobench("run", "suites/ours.toml", *plugin, *beside, cwd=folder)
    said = ("--source", "https://example.org/mine@0123456789", "--licence", "MIT")
    out = ("--in", "results", "-o", "submissions/ours/mine")
    kobench("submit", "boards/ours", *plugin, *out, *said, cwd=folder)
    spec = json.loads((folder / "submissions" / "ours" / "mine" / "submission.json").read_text())
    assert spec["board"]["suite"] == "suites/ours.toml"
    git(folder, "checkout", "-q", "-b", "honest")
    git(folder, "add", "submissions")
    git(folder, "commit", "-q", "-m", "mine")
    return folder


def checked(author: Path, branch: str, place: Path) -> tuple[bool, Path]:
    """Run the steps of the workflow in a clean clone of a branch; whether all of them pass."""
    git(place, "clone", "-q", "-b", branch, author, branch)
    folder = place / branch
    text = (folder / ".github" / "workflows" / "leaderboard.yml").read_text()
    (job,) = yaml.safe_load(text)["jobs"].values()
    steps = [step for step in job["steps"] if "run" in step and step["name"] != LEFT_OUT]
    assert len(steps) == len(job["steps"]) - 4
    program = place / "bin"
    program.mkdir()
    script = f"#!{sys.executable}\nfrom kobench.cli import main\nmain()\n"
    (program / "kobench").write_text(script)
    (program / "kobench").chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{program}{os.pathsep}{os.environ['PATH']}",
        "BASE": git(folder, "rev-parse", "origin/honest~1"),
    }
    passed = True
    for step in steps:
        if not passed and "always()" not in step.get("if", ""):
            continue
        # as the service calls a bash that is named
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)
        passed = passed and done.returncode == 0
        sys.stdout.write(f"{step['name']}: {done.returncode}\n{done.stdout}{done.stderr}\n")
    assert git(folder, "status", "--porcelain") == "", "nothing that is tracked has changed"
    return passed, folder


def test_an_honest_submission_passes_and_a_page_shows_it(author, tmp_path):
    passed, folder = checked(author, "honest", tmp_path)
    assert passed
    comment = (folder / "preview" / "comment.md").read_text()
    assert "✓ consistent and re-scored: mine, 2 of 2 records" in comment
    assert "Rows: 1 added, 0 removed, 0 changed" in comment
    assert (folder / "preview" / "site" / "method" / "mine.html").is_file()


def test_a_forged_one_fails_and_is_named(author, tmp_path):
    git(author, "checkout", "-q", "-b", "forged", "honest")
    path = author / "submissions" / "ours" / "mine" / "records.jsonl.gz"
    documents = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    for one in documents:
        if "secret-1" in one["trial"]["dataset"]["selection"]:
            metrics = one["result"]["scores"]["profile@2"]["metrics"]
            metrics["bray-curtis"]["value"] = 0.001
    path.write_bytes(gzip.compress("".join(f"{json.dumps(one)}\n" for one in documents).encode()))
    git(author, "commit", "-q", "-a", "-m", "better")
    passed, folder = checked(author, "forged", tmp_path)
    assert not passed
    comment = (folder / "preview" / "comment.md").read_text()
    assert "✗ mine is not what preview/boards/ours can take:" in comment
    assert "0.001 recorded" in comment
    assert "The same." in comment
    assert not (folder / "preview" / "site" / "method" / "mine.html").exists()


def test_a_board_that_was_written_over_fails(repository, tmp_path):
    """A pull request can't change the board itself, or the table of the README."""
    folder = Path(shutil.copytree(repository, tmp_path / "clone"))
    readme = folder / "README.md"
    readme.write_text(readme.read_text().replace("| linear |", "| mine |"))
    done = kobench("board", "boards/ours", "--check", "README.md", cwd=folder, code=1)
    assert "is not that of the records" in done.stderr
    kobench("board", "boards/ours", "--into", "README.md", cwd=folder)
    assert "README.md agrees" not in done.stdout
    kobench("board", "boards/ours", "--check", "README.md", cwd=folder)
    readme.write_text("# no marks\n")
    done = kobench("board", "boards/ours", "--into", "README.md", cwd=folder, code=2)
    assert "write <!-- leaderboard ours --> and <!-- /leaderboard ours -->" in done.stderr


def test_what_it_writes_names_no_registry_and_its_commands_parse(tmp_path, monkeypatch):
    kobench("new", "leaderboard", "ours", cwd=tmp_path)
    for path in (tmp_path / "ours").rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert "pypi" not in text
            assert "{{" not in text.replace("${{", "")
    readme = (tmp_path / "ours" / "README.md").read_text()
    found = list(commands(readme))
    assert len(found) >= 8
    for words in found:
        parse(words, monkeypatch)
    done = kobench("new", "leaderboard", "Our Board", cwd=tmp_path, code=2)
    assert "is no name of a leaderboard" in done.stderr


def test_the_guide_runs_as_it_stands(author, tmp_path):
    folder = Path(shutil.copytree(author, tmp_path / "clone"))
    git(folder, "checkout", "-q", "honest")
    (folder / "mine.py").write_text(MINE)
    git(folder, "add", "mine.py")
    git(folder, "commit", "-q", "-m", "the code")
    git(folder, "remote", "set-url", "origin", folder)
    page = (REPOSITORY / "docs" / "how-to" / "submit.md").read_text()
    ran = [" ".join(words[1:3]) for words in commands(page)]
    for words in commands(page):
        code = 1 if words[1:3] == ["board", "diff"] else 0
        kobench(*words[1:], cwd=folder, code=code)
    assert {"submit boards/ours", "board diff", "board add", "verify submissions/ours/mine"} <= {
        *ran
    }
    assert "| mine |" in (folder / "README.md").read_text()
    assert (folder / "site" / "index.html").is_file()
    kobench("board", "boards/ours", "--check", "README.md", cwd=folder)
