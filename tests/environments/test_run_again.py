"""A method of a repository is fitted again in an environment that is made for that alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from command import kobench
from wheels import plugin, wheel

if shutil.which("git") is None:
    pytest.skip("there is no git here", allow_module_level=True)


def test_an_environment_is_made_and_removed(home: Path, offline: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    package = wheel(repository, "mean-plugin", "mean_plugin", plugin("mean-of-all"))
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "A wheel")):
        subprocess.run(["git", "-C", str(repository), *words], check=True)
    commit = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    file, out = tmp_path / "mean.py", tmp_path / "out"
    file.write_text(plugin("mean-of-all"))
    asked = ("-d", "grn:genes=12,cells=60", "-t", "profile", "-p", "mean-of-all")
    kobench("run", *asked, "--plugin", file, "--out", out)
    before = sorted(home.glob("*"))
    source = f"{repository}@{commit}#{package.name}"
    done = kobench("verify", out, "--rerun", "--from", source, "-p", "mean-of-all")
    assert "✓ re-run: mean-of-all on" in done.stdout
    assert [one for one in home.glob("*") if one.name != ".making"] == before
