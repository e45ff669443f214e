"""Members of source distributions: pip gets the archive, and nothing in it is ever run."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from kobench.datasets import distribution
from kobench.datasets.distribution import get_distribution
from kobench.datasets.sources import Checksum, Distribution
from kobench.errors import UserError

#: A build program in the archive itself, as a stranger would bring it: it says that it ran.
BACKEND = """
import os, pathlib
pathlib.Path(os.environ["MARKER"]).write_text("ran")
def get_requires_for_build_wheel(config_settings=None): return []
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    folder = pathlib.Path(directory, "evil-1.0.dist-info"); folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: evil\\nVersion: 1.0\\n")
    return folder.name
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
FILES = {
    "evil-1.0/PKG-INFO": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
    "evil-1.0/pyproject.toml": PROJECT,
    "evil-1.0/backend.py": BACKEND,
    "evil-1.0/setup.py": BACKEND,
    "evil-1.0/data/E.csv": "a,b\n1,2\n",
}


def tar_of(path: Path, files: dict[str, str], *more: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in more:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def source(archive: Path, *members: str, size: int | None = None) -> Distribution:
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    return Distribution("evil", "1.0", Checksum("sha256", sha256), members or ("data/E.csv",), size)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip looks for archives in, and nowhere else; the marker is not there."""
    folder = tmp_path / "index"
    folder.mkdir()
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("MARKER", str(tmp_path / "marker"))
    (tmp_path / "out").mkdir()
    return folder


def test_nothing_in_the_archive_is_run(index: Path, tmp_path: Path) -> None:
    archive = tar_of(index / "evil-1.0.tar.gz", FILES)
    seen: list[tuple[int, int]] = []
    want = source(archive, size=archive.stat().st_size)
    found = get_distribution(want, tmp_path / "out", "mine", lambda *now: seen.append(now))
    assert found == {"E.csv": tmp_path / "out" / "E.csv"}
    assert found["E.csv"].read_text() == "a,b\n1,2\n"
    assert not (tmp_path / "marker").exists()
    assert os.listdir(tmp_path / "out") == ["E.csv"]


def test_pip_alone_would_run_it(index: Path, tmp_path: Path) -> None:
    """The attack succeeds where pip is not held."""
    archive = tar_of(index / "evil-1.0.tar.gz", FILES)
    pin = f"evil==1.0 --hash=sha256:{source(archive).checksum.value}\n"
    (tmp_path / "wanted.txt").write_text(pin)
    command = [sys.executable, "-m", "pip", *distribution.PIP, "-d", str(tmp_path / "out")]
    subprocess.run([*command, "-r", str(tmp_path / "wanted.txt")], capture_output=True, check=False)
    assert (tmp_path / "marker").read_text() == "ran"


def test_pip_can_start_nothing_even_where_the_archive_is_not_seen(
    index: Path, tmp_path: Path
) -> None:
    """As where pip opened the archive in a way that is not watched: then it fails instead."""
    archive = tar_of(index / "evil-1.0.tar.gz", FILES)
    (tmp_path / "wanted.txt").write_text("evil==1.0\n")
    arguments = [each for each in distribution.PIP if each != "--require-hashes"]
    command = [sys.executable, "-P", str(distribution.SCRIPT), "0" * 64, str(tmp_path / "copy")]
    command += [str(1 << 30), *arguments, "-d", str(tmp_path / "out")]
    ended = subprocess.run(
        [*command, "-r", str(tmp_path / "wanted.txt")], capture_output=True, text=True, check=False
    )
    assert archive.is_file()
    assert ended.returncode
    assert "kobench lets pip start nothing" in ended.stdout + ended.stderr
    assert not (tmp_path / "marker").exists()
    assert not (tmp_path / "copy").exists()


def test_an_archive_with_another_hash_is_refused_by_pip(index: Path, tmp_path: Path) -> None:
    archive = tar_of(index / "evil-1.0.tar.gz", FILES)
    want = source(archive)
    tar_of(archive, {**FILES, "evil-1.0/data/E.csv": "other"})
    with pytest.raises(UserError, match=r"dataset 'mine': pip does not get .* evil 1.0 .*; try ag"):
        get_distribution(want, tmp_path / "out", "mine")
    assert not (tmp_path / "marker").exists()
    assert os.listdir(tmp_path / "out") == []


def test_an_index_without_it_is_said(index: Path, tmp_path: Path) -> None:
    want = Distribution("evil", "1.0", Checksum("sha256", "0" * 64), ("a",), None)
    with pytest.raises(UserError, match=r"\(.*No matching distribution found for evil==1.0"):
        get_distribution(want, tmp_path / "out", "mine")


def test_an_index_that_does_not_answer_is_said(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    want = Distribution("evil", "1.0", Checksum("sha256", "0" * 64), ("a",), None)
    with pytest.raises(UserError, match=r"pip does not get the source distribution evil 1.0"):
        get_distribution(want, tmp_path / "out", "mine")


def test_a_python_without_pip_is_said(index: Path, tmp_path: Path) -> None:
    archive = tar_of(index / "evil-1.0.tar.gz", FILES)
    made = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")]
    subprocess.run(made, check=True)
    with pytest.raises(UserError, match="pip is not installed in this Python"):
        get_distribution(
            source(archive),
            tmp_path / "out",
            "mine",
            python=str(tmp_path / "bare" / "bin" / "python"),
        )


def test_an_archive_longer_than_its_card_says_fills_no_disk(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from file_server import serving

    padding = tarfile.TarInfo("evil-1.0/padding")
    archive = tar_of(tmp_path / "evil-1.0.tar.gz", FILES, padding)
    content = archive.read_bytes() + b"\0" * 3_000_000
    monkeypatch.setattr(distribution, "MOST_ARCHIVE", 1_000_000)
    page = b'<a href="evil-1.0.tar.gz">evil-1.0.tar.gz</a>'
    with serving({"/evil-1.0.tar.gz": content, "/": page}) as server:
        monkeypatch.setenv("PIP_FIND_LINKS", server.url + "/")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        sha256 = hashlib.sha256(content).hexdigest()
        want = Distribution("evil", "1.0", Checksum("sha256", sha256), ("data/E.csv",), None)
        with pytest.raises(UserError, match="pip does not get"):
            get_distribution(want, tmp_path / "out", "mine")
