"""Methods fitted again from the commit that they are said to be, honest ones and others."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from command import kobench

from kobench.errors import UserError
from kobench.verify.checkout import Code, fetch, named, of_submission
from kobench.verify.rerun import difference

if shutil.which("git") is None:
    pytest.skip("there is no git here", allow_module_level=True)

TINY = "grn:genes=12,cells=60"

METHODS = '''
import os

import numpy as np
from kobench.api import PredictorSpec, hookimpl


class Shares:
    """The mean profile of the cells, as its author committed it."""

    noise = 0.0

    def fit(self, cells, context):
        self.mean = cells.profiles().mean(0) + 1e-9

    def predict_expression(self, assemblages):
        rows = np.where(assemblages, self.mean, 0)
        if self.noise:  # of no seed, as some devices are
            drawn = np.frombuffer(os.urandom(8 * rows.size), np.uint64).reshape(rows.shape)
            rows = rows * (1 + self.noise * drawn / 2.0**64)
        return rows / rows.sum(1, keepdims=True)


class Noisy(Shares):
    noise = 0.01


@hookimpl
def kobench_predictors():
    yield PredictorSpec("honest", Shares)
    yield PredictorSpec("declared", Noisy, tolerance=0.05)
    yield PredictorSpec("undeclared", Noisy)
    yield PredictorSpec("shameless", Noisy, tolerance=0.5)
'''

NAMES = ("honest", "declared", "undeclared", "shameless")


def git(folder, *words):
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with the methods, and its commit."""
    folder = tmp_path_factory.mktemp("repository") / "methods"
    (folder / "code").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "code" / "mine.py").write_text(METHODS)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Methods")
    return folder, git(folder, "rev-parse", "HEAD")


def run(plugin, out, *names):
    asked = [word for name in names for word in ("-p", name)]
    kobench("run", "-d", TINY, "-t", "profile", *asked, "--plugin", plugin, "--out", out)


@pytest.fixture(scope="module")
def made(repository, tmp_path_factory):
    """Results of the methods as they are committed."""
    out = tmp_path_factory.mktemp("made") / "out"
    run(repository[0] / "code" / "mine.py", out, *NAMES)
    return out


def from_commit(repository):
    return ("--rerun", "--from", f"{repository[0]}@{repository[1]}#code/mine.py")


def test_answers_are_compared_within_what_their_author_declares(made, repository):
    done = kobench("verify", made, *from_commit(repository), code=1)
    assert "✓ re-run: honest on grn:cells=60,genes=12, holdout, 1 record" in done.stdout
    assert "✓ re-run: declared on" in done.stdout
    assert "✗ wrong: undeclared on" in done.stdout
    assert "fitted again, its answers to profile differ: profile by 0.0" in done.stdout
    assert "of its largest, its tolerance is 1e-06" in done.stdout
    assert "? not re-run: shameless on" in done.stdout
    assert "it declares tolerance 0.5, expected 0 to 0.1" in done.stdout
    assert "✓ consistent: uniform (floor) on" not in done.stdout  # it was made anew
    assert "✓ re-scored: uniform (floor) on" in done.stdout


def test_answers_that_were_looked_up_are_found(repository, tmp_path):
    """They pass every lower level: the method that gave them is not the one of the commit."""
    clone = tmp_path / "mine.py"
    clone.write_text(
        METHODS.replace(
            "        rows = np.where(assemblages, self.mean, 0)\n",
            "        published = np.linspace(1, 2, assemblages.shape[1])\n"
            "        rows = np.where(assemblages, self.mean * published, 0)\n",
        )
    )
    assert clone.read_text() != METHODS
    run(clone, tmp_path / "out", "honest")
    assert "✓ re-scored: honest" in kobench("verify", tmp_path / "out", "--rescore").stdout
    done = kobench("verify", tmp_path / "out", *from_commit(repository), code=1)
    assert "✗ wrong: honest on" in done.stdout
    assert "fitted again, its answers to profile differ" in done.stdout
    # other code that is installed is no proof against a row
    done = kobench(
        "verify", tmp_path / "out", "--rerun", "--plugin", repository[0] / "code/mine.py", code=1
    )
    assert "? not re-run: honest on" in done.stdout
    assert "other code than that of the record" in done.stdout


def test_a_submission_says_where_its_code_is(made, repository, tmp_path):
    folder = shutil.copytree(made, tmp_path / "submission")
    source = {"address": str(repository[0]), "commit": repository[1], "folder": "code/mine.py"}
    (folder / "submission.json").write_text(json.dumps({"source": source | {"changed": False}}))
    done = kobench("verify", folder, "--rerun", "-p", "honest")
    assert "1 rows: 1 re-run." in done.stdout
    (folder / "submission.json").write_text(json.dumps({"source": source | {"changed": True}}))
    done = kobench("verify", folder, "--rerun", "-p", "honest", code=2)
    assert "its code had changes that no commit has" in done.stderr


def test_a_row_that_was_run_again_says_so_on_its_board(made, repository, tmp_path):
    folder = shutil.copytree(made, tmp_path / "out")
    kept = ("-o", folder / "verified.json", "--by", "Ann")
    kobench("verify", folder, *from_commit(repository), "-p", "honest", *kept)
    assert "| re-run |" in kobench("board", folder, "--format", "markdown").stdout


def test_a_score_that_its_answers_do_not_give_is_found_before_anything_is_fitted(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "out")
    for path in (folder / "records").glob("*.json"):
        document = json.loads(path.read_text())
        if document["trial"]["predictor"]["name"] == "honest":
            del document["seal"]
            scores = document["result"]["scores"]["profile@2"]["metrics"]["bray-curtis"]
            scores["value"] += 0.0001
            path.write_text(json.dumps(document))
    done = kobench("verify", folder, "--rerun", "--from", "nowhere.py", "-p", "honest", code=1)
    assert "✗ wrong: honest" in done.stdout
    assert "bray-curtis.value" in done.stdout


def test_a_method_that_is_nowhere_says_so(made):
    done = kobench("verify", made, "--rerun", "-p", "honest", code=1)
    assert "? not re-run: honest on" in done.stdout
    assert "say with --from where it can be had" in done.stdout


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://x.org/a@0123456#b/c.py", Code("https://x.org/a", "0123456", "b/c.py")),
        ("git+https://x.org/a@0123456", Code("https://x.org/a", "0123456")),
        ("ann@x.org:a", Code("ann@x.org:a")),
        ("method==1.2", Code("method==1.2")),
    ],
)
def test_how_code_is_named(text, code):
    assert named(text) == code


@pytest.mark.parametrize(
    ("folder", "said"),
    [("../../etc", "has no"), ("code/other.py", "has no"), ("", "is no address")],
)
def test_what_a_repository_lacks(repository, tmp_path, folder, said):
    commit = repository[1] if folder else "--upload-pack=x"
    with pytest.raises(UserError, match=said):
        fetch(Code(str(repository[0]), commit, folder), tmp_path / "code")


def test_a_commit_that_is_not_there(repository, tmp_path):
    with pytest.raises(UserError, match="git can't bring the code"):
        fetch(Code(str(repository[0]), "0" * 40), tmp_path / "code")


def test_a_folder_that_is_no_submission(tmp_path):
    assert of_submission(tmp_path) is None
    (tmp_path / "submission.json").write_text("[]")
    with pytest.raises(UserError, match="says nothing of its source"):
        of_submission(tmp_path)


def test_how_answers_differ():
    one = {"a": np.array([1.0, np.nan, 10.0]), "b": np.array([True, False])}
    assert difference(one, {**one}, 0.0) == ""
    near = {**one, "a": np.array([1.0, np.nan, 10.5], np.float32)}
    assert difference(one, near, 0.06) == ""
    assert "a by 0.05 of its largest" in difference(one, near, 0.04)
    assert "numbers in other places" in difference(one, {**one, "a": np.ones(3)}, 0.1)
    assert "b is another" in difference(one, {**one, "b": np.array([True, True])}, 0.1)
    assert "has shape (2,), expected (3,)" in difference(one, {**one, "a": np.ones(2)}, 0.1)
    assert "are a, expected a, b" in difference(one, {"a": one["a"]}, 0.1)
