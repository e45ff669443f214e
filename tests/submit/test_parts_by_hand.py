"""Parts of submissions by themselves: where code is, what a row lacks, what a lock keeps."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from factories import networks, read, record, scores

from kobench.environments.lock import Lock
from kobench.errors import UserError
from kobench.plugins.entry import Entry
from kobench.results.packed_answers import FILE as ANSWERS
from kobench.results.sample import Sample, name_of_row
from kobench.specs import PredictorSpec
from kobench.submit.answers import sample_before
from kobench.submit.lacks import lacks
from kobench.submit.make import commands, elsewhere
from kobench.submit.source import licence_of, source_of
from kobench.submit.specification import MethodInfo, SourceInfo, Submission, kept_name

ADDRESS = "https://example.org/it.git"


def git(folder, *words):
    named = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", "-C", str(folder), *named, *words], check=True, capture_output=True)


def entry(root: Path, version="0.1.0", **more) -> Entry:
    spec = PredictorSpec("mine", "mine:Mine")
    return Entry(spec, "mine", version, "0" * 64, roots={root.name: root}, **more)


@pytest.fixture
def checkout(tmp_path):
    """A repository with a project in a folder of it."""
    if shutil.which("git") is None:
        pytest.skip("git is not here")
    project = tmp_path / "repository" / "method"
    (project / "mine").mkdir(parents=True)
    (project / "mine" / "__init__.py").write_text("")
    (project / "pyproject.toml").write_text("")
    (tmp_path / "repository" / ".gitignore").write_text("venv\n")
    git(tmp_path / "repository", "init", "-q")
    git(tmp_path / "repository", "add", ".")
    git(tmp_path / "repository", "commit", "-q", "-m", "it")
    git(tmp_path / "repository", "remote", "add", "origin", ADDRESS)
    return tmp_path / "repository"


def test_of_a_package_in_place_it_is_the_project(checkout):
    found = source_of(entry(checkout / "method" / "mine"))
    assert (found.source.address, found.source.folder) == (ADDRESS, "method")
    assert (found.missing, found.source.changed) == ([], False)
    assert "is in no branch of" in found.notes[0]
    (checkout / "method" / "mine" / "more.py").write_text("")
    found = source_of(entry(checkout / "method" / "mine"))
    assert "has changes that none has (method/mine/more.py)" in found.missing[0]
    found = source_of(entry(checkout / "method" / "mine"), uncommitted=True)
    assert (found.missing, found.source.changed) == ([], True)


def installed(folder: Path, address=None) -> Path:
    """What an installer leaves of the method; the root of its code."""
    (folder / "mine").mkdir(parents=True)
    notes = folder / "mine-0.1.0.dist-info"
    notes.mkdir()
    (notes / "METADATA").write_text("Name: mine\nVersion: 0.1.0\nLicense-Expression: MIT\n")
    if address is not None:
        (notes / "direct_url.json").write_text(json.dumps(address))
    return folder / "mine"


def test_what_is_installed_is_of_where_it_came_from(checkout, tmp_path):
    # beside a checkout that ignores it, as a virtual environment in a project is
    root = installed(checkout / "venv" / "packages")
    assert source_of(entry(root)).source == SourceInfo(address="mine==0.1.0", changed=False)
    assert licence_of(entry(root)) == "MIT"
    vcs = {"url": "https://me:secret@example.org/it.git", "vcs_info": {"commit_id": "0" * 40}}
    found = source_of(entry(installed(tmp_path / "git", vcs))).source
    assert (found.address, found.commit) == (ADDRESS, "0" * 40)
    folder = {"url": (checkout / "method").as_uri(), "dir_info": {}}
    found = source_of(entry(installed(tmp_path / "folder", folder))).source
    assert (found.address, found.folder, len(found.commit)) == (ADDRESS, "method", 40)
    (tmp_path / "elsewhere").mkdir()
    folder = {"url": (tmp_path / "elsewhere").as_uri(), "dir_info": {}}
    (said,) = source_of(entry(installed(tmp_path / "other", folder))).missing
    assert "lies in no git checkout" in said
    found = source_of(entry(root), f"{ADDRESS}@0123456789").source
    assert (found.address, found.commit) == (ADDRESS, "0123456789")


def test_a_lock_keeps_nothing_of_this_machine():
    hashes = frozenset({"a" * 64})
    whole = Lock("3.11.7", {"numpy==2.0": hashes, "mine==0.1.0": hashes})
    assert elsewhere(whole) == whole.text
    some = Lock("3.11.7", {"numpy==2.0": hashes, "mine @ file:///home/me/mine": frozenset()})
    assert elsewhere(some) == "# kobench lock 1, Python 3.11.7\nnumpy==2.0\n"
    assert elsewhere(Lock("3.11.7", {"-e /home/me/mine": frozenset()})) == ""


#: What a method of a single file says otherwise.
SINGLE = {"distribution": "file:mine.py"}


def method(**more):
    facts = {"name": "mine", "selection": "mine:a=1", "distribution": "mine", "version": "0.1.0"}
    return MethodInfo(**{**facts, "digest": "0" * 64, "threads": 1, "device": "cpu", **more})


@pytest.mark.parametrize(
    ("source", "lock", "more", "first"),
    [
        (("mine==0.1.0",), "", {}, "pip install mine==0.1.0"),
        (("mine==0.1.0",), "x\nnumpy==2.0\n", {}, "pip install mine==0.1.0 --constraint lock.txt"),
        (
            ("mine==0.1.0",),
            "x\nmine==0.1.0\n",
            {"environment": "own"},
            "kobench env create own --from lock.txt",
        ),
        (
            (ADDRESS, "0123456789", "method"),
            "",
            {"environment": "own"},
            f"kobench env create own --from '{ADDRESS.replace('https', 'git+https')}@0123456789"
            "#subdirectory=method'",
        ),
        (
            (ADDRESS, "0123456789"),
            "",
            {"distribution": "file:mine.py"},
            f"git clone {ADDRESS} code",
        ),
    ],
)
def test_the_commands_say_how_it_is_installed(source, lock, more, first):
    address, commit, folder = (*source, None, None)[:3]
    of = SourceInfo(address=address, commit=commit, folder=folder, changed=False)
    lines = commands([], method(**more), of, "ours", "boards/ours", lock)
    assert lines[0] == first
    home = f"{more['environment']}/" if "environment" in more else ""
    assert f"-p {home}mine:a=1" in lines[-2]
    assert "--beside boards/ours" in lines[-2]


def rows(name, seeds, role="predictor", kind="real", **more):
    return [
        record(name, 0.3, role=role, dataset="k", seed=None, kind=kind, split=("halves", n), **more)
        for n in seeds
    ]


def lacking(own, board, **more):
    documents = [
        {**one, "keys": {**one["keys"], "scores": {"knockout-impact@1": "s"}}} for one in own
    ]
    return [said for said in lacks(read(documents), read(board), **more) if "sandbox" not in said]


def test_a_slow_method_may_have_the_first_splits_of_real_cells_and_no_others():
    board = rows("own-share", range(4), role="floor")
    assert lacking(rows("mine", [0, 1]), board) == []
    assert "2 of 4 networks or splits were not run" in lacking(rows("mine", [0, 2]), board)[0]
    # simulated networks are owed in full
    board = networks("own-share", [0.3] * 3, role="floor")
    (said,) = lacking(networks("mine", [0.5] * 2), board)
    assert said.endswith("1 of 3 networks or splits were not run: grn:genes=100,seed=2")


def test_datasets_that_are_left_out_have_to_be_named():
    board = [
        *networks("own-share", [0.3] * 2, role="floor"),
        *networks("own-share", [0.3] * 2, role="floor", dataset="grn:genes=7"),
    ]
    own = networks("mine", [0.5] * 2)
    (said,) = lacking(own, board)
    assert said.startswith("grn:genes=7, holdout: no results (2 networks")
    assert lacking(own, board, datasets=["grn:genes=100"]) == []


def test_another_version_of_a_primary_metric_is_named():
    board = networks("own-share", [0.3], role="floor")
    newer = scores(
        {
            "spearman": {
                **board[0]["result"]["scores"]["knockout-impact@1"]["metrics"]["spearman"],
                "version": 2,
            }
        }
    )
    (said,) = lacking([record("mine", newer)], board)
    assert "was scored by version 2 of spearman, the board has version 1" in said


def test_a_failure_is_a_result_where_that_is_said():
    board = networks("own-share", [0.3] * 2, role="floor")
    own = [*networks("mine", [0.5]), record("mine", seed=1, status="timeout", message="too slow")]
    (said,) = lacking(own, board)
    assert "1 of 2 trials ended without an answer (timeout: too slow)" in said
    assert lacking(own, board, failed=True) == []


def test_a_row_that_chose_the_answers_of_others_is_not_replaced(tmp_path, monkeypatch):
    records = read([*networks("mine", [0.5]), *networks("other", [0.5])])
    old = Sample("x", 1, ("singles",), {})
    monkeypatch.setattr("kobench.submit.answers.read_sample", lambda folder: old)
    kept = sample_before(tmp_path, records, [])
    assert kept.together == tuple(sorted(map(name_of_row, records)))
    with pytest.raises(UserError, match="pack it anew from its results folder"):
        sample_before(tmp_path, records, records[:1])
    new = Sample("x", 1, ("singles",), {}, together=())
    monkeypatch.setattr("kobench.submit.answers.read_sample", lambda folder: new)
    assert sample_before(tmp_path, records, records[:1]) == new
    assert not (tmp_path / ANSWERS).exists()


def test_what_a_board_keeps_is_a_file_of_its_own():
    of = SourceInfo(address="x", changed=False)
    board = {"name": "b", "digest": "d", "records": 1}
    cost = {"trials": 1, "seconds": 1.0, "peak_mb": None}
    document = {
        "schema": 1,
        "method": method(name="../../evil").to_json(),
        "source": of.to_json(),
        "licence": "MIT",
        "python": "3.11",
        "packages": {},
        "kobench": [],
        "board": board,
        "datasets": [],
        "cost": cost,
        "command": [],
    }
    name = kept_name(Submission.from_json(document))
    assert name.startswith("evil-")
    assert "/" not in name
