"""`kobench compare`: rows, older versions, folders, and a file at two git revisions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from command import kobench
from factories import networks, read

from kobench.results.records import read_records, write_record

METHOD = """
from kobench.api import Impacts, PredictorSpec, hookimpl
import numpy as np

class Mine:
    def fit(self, cells, context):
        pass
    def predict_impact(self, cells, knockouts):
        size = np.{how}(len(knockouts))
        return Impacts(size, size)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("mine", Mine)
"""


def write(folder: Path, name: str, values, digest="a" * 64, role="predictor") -> None:
    documents = networks(name, values, role=role, floors=["own-share"])
    for one in documents:
        one["trial"]["predictor"]["digest"] = digest
    for record in read(documents):
        write_record(folder, replace(record, keys=replace(record.keys, fit=digest)))


@pytest.fixture
def folder(tmp_path) -> Path:
    out = tmp_path / "out"
    write(out, "own-share", [0.3, 0.3, 0.3, 0.3], role="floor")
    write(out, "mlp", [0.5, 0.6, 0.4, 0.5])
    write(out, "linear", [0.55, 0.66, 0.44, 0.55])
    return out


def test_two_methods_of_a_folder(folder):
    done = kobench("compare", "mlp", "linear", "--in", "out", cwd=folder.parent)
    text = " ".join(done.stdout.split())
    assert "A: mlp (code aaaaaaaaaaaa) B: linear (code aaaaaaaaaaaa)" in text
    assert "knockout-impact@1 by spearman: A 0.500, B 0.550; B - A = 0.050" in text
    assert "B is better (over 4 networks)" in text
    assert len(done.stdout.splitlines()) < 10
    said = json.loads(
        kobench("compare", "linear", "mlp", "--in", "out", "--json", cwd=folder.parent).stdout
    )
    assert said["A"].startswith("linear")
    (one,) = said["contests"]
    assert one["verdict"] == "worse"
    assert one["difference"]["value"] == pytest.approx(-0.05)


def test_two_folders_and_two_versions(folder, tmp_path):
    write(tmp_path / "other", "mlp", [0.4, 0.5, 0.3, 0.41], "b" * 64)
    write(tmp_path / "other", "own-share", [0.3, 0.3, 0.3, 0.3], role="floor")
    done = kobench("compare", "out", "other", "-p", "mlp", cwd=tmp_path)
    assert "A is better" in done.stdout
    older = tmp_path / "out" / "older" / ("b" * 12)
    older.mkdir(parents=True)
    for path in (tmp_path / "other" / "records").glob("*.json"):
        path.rename(older / f"{path.stem}-bbbbbbbb.json")
    done = kobench("compare", "mlp@bbbb", "mlp", "--in", "out", cwd=tmp_path)
    assert "B is better" in done.stdout
    assert "A: mlp (code bbbbbbbbbbbb)" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "mlp"], "no results of 'nobody'"),
        (["mlp", "mlp"], "are the same results"),
        (["out", "out"], "could be"),
        (["mlp@c0ffee", "mlp"], "code aaaaaaaaaaaa"),
        (["there.py", "mlp"], "there is no file there.py"),
    ],
)
def test_mistakes_are_sentences(folder, words, said):
    done = kobench("compare", *words, "--in", "out", cwd=folder.parent, code=2)
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_file_at_two_revisions_is_run_at_both(tmp_path):
    def git(*words):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)

    git("init", "-q")
    git("config", "user.email", "a@b")
    git("config", "user.name", "a")
    file = tmp_path / "mine.py"
    file.write_text(METHOD.format(how="ones"))
    git("add", "mine.py")
    git("commit", "-qm", "one")
    file.write_text(METHOD.format(how="arange"))
    words = ["compare", "mine.py@HEAD", "mine.py", "--in", "out", "-d", "grn:genes=15,cells=60"]
    words += ["-t", "keystone", "--sandbox", "off", "--json"]
    said = json.loads(kobench(*words, cwd=tmp_path).stdout)
    assert said["A"] != said["B"]
    assert {one["task"].partition("@")[0] for one in said["contests"]} == {"keystone"}
    # the folder is left with the file as it is, and both are known by now
    (mine,) = (one for one in read_records(tmp_path / "out") if one.role == "predictor")
    assert mine.trial.predictor.digest[:12] in said["B"]
    again = kobench(*words, cwd=tmp_path)
    assert json.loads(again.stdout) == said
    assert "[1/" not in again.stderr
    wrong = kobench(words[0], "mine.py@nope", *words[2:], cwd=tmp_path, code=2)
    assert "git has no mine.py at revision 'nope'" in " ".join(wrong.stderr.split())


def test_a_suite_runs_both_sides_and_none_of_its_own_predictors(tmp_path):
    for how in ("ones", "arange"):
        (tmp_path / f"{how}.py").write_text(METHOD.format(how=how))
    suite = 'dataset = "grn:genes=15,cells=60"\ntask = "keystone"\npredictor = "nobody"\n'
    (tmp_path / "mine.toml").write_text(suite)
    done = kobench("compare", "ones.py", "arange.py", "mine.toml", "--in", "out", cwd=tmp_path)
    assert "keystone@" in done.stdout
    assert "nobody" not in done.stdout + done.stderr


def test_a_setting_that_is_the_default_may_be_named(tmp_path):
    method = METHOD.format(how="ones").replace("import Impacts", "import Impacts, Param")
    method = method.replace('"mine", Mine', '"mine", Mine, params={"size": Param(1.0, "size")}')
    method = method.replace("def fit", "def __init__(self, size):\n        pass\n    def fit")
    (tmp_path / "mine.py").write_text(method)
    words = ["-d", "grn:genes=15,cells=60", "-t", "keystone", "--in", "out", "--json"]
    words += ["--plugin", "mine.py", "--sandbox", "off"]
    done = kobench("compare", "mine:size=1", "mine:size=2", *words, cwd=tmp_path)
    said = json.loads(done.stdout)
    assert said["A"].startswith("mine (code")
    assert said["B"].startswith("mine:size=2.0 (code")


def test_a_predictor_may_be_called_as_a_folder_is(folder):
    (folder.parent / "mlp").mkdir()
    done = kobench("compare", "mlp", "linear", "--in", "out", cwd=folder.parent)
    assert "B is better" in done.stdout


def test_a_row_of_another_folder_is_named_with_it(folder, tmp_path):
    write(tmp_path / "published", "mlp", [0.4, 0.5, 0.3, 0.41], "b" * 64)
    write(tmp_path / "published", "linear", [0.3, 0.4, 0.2, 0.31], "b" * 64)
    write(tmp_path / "published", "own-share", [0.3, 0.3, 0.3, 0.3], role="floor")
    for words in (["mlp", "mlp@published", "--in", "out"], ["mlp@out", "mlp@bbb@published"]):
        done = kobench("compare", *words, cwd=tmp_path)
        assert "A: mlp (code aaaaaaaaaaaa)" in done.stdout
        assert "B: mlp (code bbbbbbbbbbbb)" in done.stdout
        assert "A is better" in done.stdout
    done = kobench("compare", "mlp@nowhere", "mlp", "--in", "out", cwd=tmp_path, code=2)
    said = " ".join(done.stderr.split())
    assert (
        "'nowhere' in 'mlp@nowhere' is neither a folder with records nor the first digits" in said
    )
    assert "mlp@FOLDER, such as mlp@leaderboards/crispr" in said
    done = kobench("compare", "nobody@out", "mlp@published", cwd=tmp_path, code=2)
    assert "no results of 'nobody' in out; there are linear, mlp" in " ".join(done.stderr.split())


def test_several_folders_are_not_one(folder):
    words = ["mlp", "linear", "--in", "out", "--in", "other"]
    done = kobench("compare", *words, cwd=folder.parent, code=2)
    assert "name another side's own as NAME@FOLDER, such as linear@other" in " ".join(
        done.stderr.split()
    )


def test_what_was_asked_nothing_alike_says_what_each_was_asked(folder, tmp_path):
    for record in read(networks("mlp", [0.4, 0.5], dataset="grn:genes=60")):
        write_record(tmp_path / "other", record)
    done = kobench("compare", "mlp@out", "mlp@other", cwd=tmp_path, code=2)
    said = " ".join(done.stderr.split())
    assert "share no task on the same cells: A was asked knockout-impact@1 on grn:" in said
    assert "grn:genes=60" in said
    assert "--beside" in said


def test_the_rows_of_verify_are_in_order(tmp_path):
    out = tmp_path / "out"
    for dataset in ("grn:genes=60", "grn:genes=50"):
        for name, role in (("own-share", "floor"), ("mlp", "predictor"), ("additive", "predictor")):
            for record in read(networks(name, [0.4, 0.5], dataset=dataset, role=role)):
                write_record(out, record)
    lines = kobench("verify", "out", cwd=tmp_path, code=None).stdout.splitlines()
    found = [re.search(r": (.+) on (grn:genes=\d+), \w+, \d+ record", line) for line in lines]
    assert [(one[2], one[1]) for one in found if one] == [
        (dataset, name)
        for dataset in ("grn:genes=50", "grn:genes=60")
        for name in ("additive", "mlp", "own-share (floor)")
    ]
