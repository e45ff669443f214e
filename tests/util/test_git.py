"""git in a stranger's folder: nothing runs that its configuration names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import kobench
from kobench.cli.sides import at_revision
from kobench.errors import UserError
from kobench.util.git import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="this machine has no git")

#: Settings by which git runs a program, with the commands that would run it.
SETTINGS = {
    "lacks": (
        '[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = "ext::{program}"\n'
        '\tpromisor = true\n[protocol "ext"]\n\tallow = always\n',
        ("show", "HEAD~1:./mine.py"),
    ),
    "packs": (
        '[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = {folder}\n'
        '\tpromisor = true\n\tuploadpack = {program}\n[protocol "file"]\n\tallow = always\n',
        ("show", "HEAD~1:./mine.py"),
    ),
    "watches": ("[core]\n\tfsmonitor = {program}\n", ("status",)),
    "hooks": ("[core]\n\thooksPath = {folder}/hooks\n", ("checkout", "--detach", "HEAD")),
}


def plain(*words: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Call git as it is."""
    who = ("-c", "user.email=a@b", "-c", "user.name=a")
    called = ["git", *who, "-C", str(folder), *words]
    return subprocess.run(called, capture_output=True, check=False, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository in which a file has two versions."""
    found = tmp_path / "theirs"
    found.mkdir()
    plain("init", "-q", ".", folder=found)
    for text in ("# 1\n", "# 2\n"):
        (found / "mine.py").write_text(text)
        plain("add", ".", folder=found)
        assert plain("commit", "-qm", text, folder=found).returncode == 0
    return found


@pytest.mark.parametrize("kind", SETTINGS)
def test_no_program_runs_that_a_repository_names(kind: str, folder: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = folder / "x.sh"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    (folder / "hooks").mkdir()
    shutil.copy(program, folder / "hooks" / "post-checkout")
    settings, words = SETTINGS[kind]
    if "partialClone" in settings:
        blob = plain("rev-parse", "HEAD~1:mine.py", folder=folder).stdout.decode().strip()
        (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        plain("config", "core.repositoryformatversion", "1", folder=folder)
    with (folder / ".git" / "config").open("a") as config:
        config.write(settings.format(program=program, folder=folder))
    if kind in ("lacks", "packs"):
        with pytest.raises(UserError, match="git has no"):
            at_revision(folder / "mine.py", "HEAD~1")
    assert at_revision(folder / "mine.py", "HEAD") == b"# 2\n"
    git(*words, folder=folder)
    assert not ran.exists()
    plain(*words, folder=folder)
    if not ran.exists():
        pytest.skip("this git runs none itself")


def test_it_fetches_where_it_is_told_to_alone(folder: Path, tmp_path: Path) -> None:
    for fetches in (False, True):
        done = git("clone", "-q", str(folder), str(tmp_path / "copy"), fetches=fetches)
        assert (done.returncode == 0) == fetches
    assert (tmp_path / "copy" / "mine.py").read_text() == "# 2\n"
    program = tmp_path / "x.sh"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    program.chmod(0o755)
    git("clone", "-q", f"ext::{program}", str(tmp_path / "other"), fetches=True)
    assert not (tmp_path / "ran").exists()


def test_git_is_started_in_one_place() -> None:
    """Whoever starts it elsewhere starts what a stranger's folder names."""
    top = Path(kobench.__file__).parent
    found = {
        str(path.relative_to(top))
        for path in top.rglob("*.py")
        if re.search(r'\[\s*"git"|which\("git"', path.read_text())
    }
    assert found == {os.path.join("util", "git.py")}
