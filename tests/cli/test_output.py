"""Commands print through one border, which nothing hidden passes."""

from __future__ import annotations

import ast
import re

import pytest
from command import kobench
from places import REPOSITORY

from kobench.runner.progress import Live, Plain
from kobench.util.text import hidden_in

#: Who prints otherwise: the border itself, the progress of a run, which has one of its own, a child
#: that answers with JSON, and sentences that are made visible where they are said.
PRINTS = {
    "kobench/cli/output.py",
    "kobench/runner/progress.py",
    "kobench/environments/inside.py",
    "kobench/plugins/description.py",
    "kobench/plugins/environments.py",
    "kobench/util/hashes.py",
}

HOSTILE = "\x1b[2J\u202e\u200b\x9b31m"


def calls_that_print(path):
    """The lines of a file on which something is printed past the border."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        to_stream = called.startswith(("sys.stdout.write", "sys.stderr.write", "sys.__"))
        if to_stream or called in ("print", "click.echo", "click.secho", "click.echo_via_pager"):
            yield node.lineno


def test_everything_is_printed_through_the_border():
    files = sorted((REPOSITORY / "kobench").rglob("*.py"))
    found = {str(path.relative_to(REPOSITORY)) for path in files if list(calls_that_print(path))}
    assert found <= PRINTS
    assert "kobench/cli/output.py" in found  # the test finds what it looks for


def assert_clean(done):
    for text in (done.stdout, done.stderr):
        assert set(hidden_in(text)) <= {"\n", "\t"}


@pytest.mark.parametrize(
    "words",
    [
        ["run", "-d", f"grn{HOSTILE}"],
        ["run", f"suite{HOSTILE}"],
        ["run", f"suite{HOSTILE}.toml"],
        ["run", "-d", "grn", "-p", f"p{HOSTILE}"],
        ["run", "-d", f"grn:genes={HOSTILE}"],
        ["run", "-d", "grn", f"--{HOSTILE}"],
        ["run", "--networks", HOSTILE],
        [f"r{HOSTILE}"],
        ["info", f"i{HOSTILE}"],
        ["check", f"c{HOSTILE}"],
        ["board", f"/nowhere{HOSTILE}"],
        ["env", "remove", f"e{HOSTILE}", "--yes"],
        ["new", "predictor", f"n{HOSTILE}"],
    ],
)
def test_what_was_typed_comes_back_visible(words):
    done = kobench(*words, code=None)
    assert done.returncode != 0
    assert re.search(r"\\(x|u00)1b\[2J", done.stderr)
    assert_clean(done)


def test_cards_and_suites_show_nothing_hidden(tmp_path):
    written = r"\u001b[2J\u202e\u200b\u009b31m"
    (tmp_path / "mine.toml").write_text(
        f'name = "mine"\nversion = 1\nsummary = "one{written}\\ntwo"\nloader = "grn{written}"\n'
        'scale = "counts"\n'
    )
    (tmp_path / "good.toml").write_text(
        f'name = "good"\nversion = 1\nsummary = "one{written}\\ntwo"\nloader = "h5ad"\n'
        f'scale = "counts"\norganism = "{written}"\nnotes = ["a{written}"]\nwhere = "{written}"\n'
        f'[file]\nname = "x.h5ad"\nsha256 = "{"0" * 64}"\n[facts]\n"{written}" = "{written}"\n'
    )
    (tmp_path / "suite.toml").write_text(f'dataset = ["grn"]\n"{written}" = "{written}"\n')
    for words in (
        ["list", "datasets", "--datasets", tmp_path],
        ["info", "good", "--datasets", tmp_path],
        ["info", "mine", "--datasets", tmp_path],
        ["datasets", "files", "--datasets", tmp_path],
        ["run", "-d", "good", "--datasets", tmp_path, "--out", tmp_path / "out"],
        ["run", tmp_path / "suite.toml"],
    ):
        done = kobench(*words, code=None)
        assert r"\x1b[2J" in done.stdout + done.stderr, words
        assert_clean(done)
        assert "\ntwo" not in done.stdout


@pytest.mark.parametrize("line", ["a = " + "[" * 100_000, "networks = 1" + "0" * 10_000])
def test_a_suite_that_cannot_be_read_ends_in_a_sentence(tmp_path, line):
    (tmp_path / "suite.toml").write_text(line)
    assert "can't be read" in kobench("run", tmp_path / "suite.toml", code=2).stderr


class Trial:
    role, label = "predictor", f"p{HOSTILE}\n[red]x[/red] on grn"


class Ended:
    class result:  # noqa: N801 - stands for a record's part
        status, stage, message = "failed", "fit", f"no{HOSTILE}\nline"


class Progress:
    """Remembers what a live progress shows."""

    def __init__(self):
        self.shown, self.console = [], self

    def add_task(self, text, **more):
        self.shown.append(text)
        return len(self.shown)

    def update(self, task, description, **more):
        self.shown.append(description)

    def print(self, text, markup, **more):
        assert not markup
        self.shown.append(text)

    def advance(self, task): ...
    def remove_task(self, task): ...


def test_the_progress_of_a_run_shows_nothing_hidden(capsys):
    plain, progress = Plain(), Progress()
    live = Live(progress)
    for watcher in (plain, live):
        watcher.planned(1)
        watcher.started(trial := Trial())
        watcher.logged(trial, f"step{HOSTILE}\n", 1, 2)
        watcher.finished(trial, None, Ended())
    for text in [*progress.shown, *capsys.readouterr().err.splitlines()]:
        assert not hidden_in(text), text
    assert any(r"\x1b[2J" in text for text in progress.shown)
