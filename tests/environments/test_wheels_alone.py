"""From wheels alone nothing is built and nothing of theirs runs, whatever they need."""

from __future__ import annotations

import importlib.metadata
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from wheels import plugin, wheel

from kobench.environments import pip, uv
from kobench.environments.pip import Wanted
from kobench.environments.wheels import from_wheels_alone
from kobench.errors import UserError

#: Builds a distribution, in its own sources, and says that it ran.
BACKEND = """
import pathlib, zipfile
pathlib.Path({trace!r}).touch()
INFO = "helper-1.0.dist-info/"
FILES = {{
    "helper.py": "",
    INFO + "METADATA": "Metadata-Version: 2.1\\nName: helper\\nVersion: 1.0\\n",
    INFO + "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}}
def build_wheel(folder, settings=None, metadata=None):
    with zipfile.ZipFile(folder + "/helper-1.0-py3-none-any.whl", "w") as file:
        for name, text in FILES.items():
            file.writestr(name, text)
        file.writestr("helper-1.0.dist-info/RECORD", "".join(name + ",,\\n" for name in FILES))
    return "helper-1.0-py3-none-any.whl"
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """An archive of sources whose building leaves a trace."""
    archive = tmp_path / "helper-1.0.tar.gz"
    files = {
        "pyproject.toml": (
            "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
            "[project]\nname = 'helper'\nversion = '1.0'\n"
        ),
        "backend.py": BACKEND.format(trace=str(tmp_path / "trace")),
        "PKG-INFO": "Metadata-Version: 2.1\nName: helper\nVersion: 1.0\n",
    }
    with tarfile.open(archive, "w:gz") as file:
        for name, text in files.items():
            about = tarfile.TarInfo(f"helper-1.0/{name}")
            about.size = len(text)
            file.addfile(about, io.BytesIO(text.encode()))
    return archive


@pytest.fixture
def python(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The interpreter of a new virtual environment with pip, for which numpy lies in a folder."""
    prefix = tmp_path / "prefix"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    (site,) = (prefix / "lib").glob("python*/site-packages")
    try:
        here = importlib.metadata.distribution("pip")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("there is no pip beside this interpreter")
    for name in ("pip", Path(str(here._path)).name):  # type: ignore[attr-defined]
        shutil.copytree(Path(str(here.locate_file(name))), site / name)
    links = tmp_path / "links"
    links.mkdir()
    info = "numpy-9.0.dist-info"
    with zipfile.ZipFile(links / "numpy-9.0-py3-none-any.whl", "w") as file:
        file.writestr("numpy.py", "")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: numpy\nVersion: 9.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", f"numpy.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(links),
        "PIP_NO_COMPILE": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_ONLY_BINARY", raising=False)
    (home / ".making").mkdir(parents=True)
    return prefix / "bin" / "python"


def made(python: Path, tmp_path: Path, *specs: str) -> None:
    pip.install(python, Wanted([*specs]), tmp_path / "log", "alpha")


def test_what_a_wheel_needs_by_an_address_is_not_built(
    python: Path, tmp_path: Path, sources: Path
) -> None:
    need = f"helper @ {sources.as_uri()}"
    given = str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean"), [need]))
    with pytest.raises(UserError, match="from wheels alone") as error:
        made(python, tmp_path, given)
    assert "nothing is started" in str(error.value)
    assert not (tmp_path / "trace").exists()
    made(python, tmp_path, given, str(sources))  # what has to be built is named by the user
    assert (tmp_path / "trace").exists()
    (site,) = python.parent.parent.glob("lib/python*/site-packages")
    assert (site / "helper.py").exists()
    assert not list((tmp_path / "environments" / ".making").glob("*.pip"))


def test_wheels_that_need_wheels_are_installed_and_none_takes_pips_place(
    python: Path, tmp_path: Path, sources: Path
) -> None:
    trace = tmp_path / "taken"
    evil = f"import pathlib; pathlib.Path({str(trace)!r}).touch()\n"
    taken = wheel(tmp_path / "links", "helper", "helper", "")
    with zipfile.ZipFile(taken, "a") as file:
        for module in ("__init__", "__main__", "_internal/cli/main", "_internal/commands/check"):
            file.writestr(f"pip/{module}.py", evil)
    made(
        python,
        tmp_path,
        str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean"), ["helper"])),
    )
    (site,) = python.parent.parent.glob("lib/python*/site-packages")
    assert (site / "alpha_plugin.py").exists()
    assert (site / "helper.py").exists()
    assert (site / "pip" / "__main__.py").read_text() == evil
    assert not trace.exists()


def test_where_nothing_may_be_built(tmp_path: Path) -> None:
    none = {"PIP_CONFIG_FILE": os.devnull}
    said = {**none, "PIP_ONLY_BINARY": "numpy,:all:"}
    (tmp_path / "project").mkdir()
    for specs, files, alone, alone_if_said in (
        (["a.whl"], False, True, True),
        (["a.whl", "b.whl[extra]"], False, True, True),
        (["a.whl"], True, False, True),
        (["a.whl", "b"], False, False, True),
        (["b==1.0"], False, False, True),
        (["a.whl", "b-1.0.tar.gz"], False, False, False),
        (["b @ https://x/b.zip"], False, False, False),
        (["-e b"], False, False, False),
        ([str(tmp_path / "project")], False, False, False),
    ):
        assert from_wheels_alone(specs, files, none) == alone
        assert from_wheels_alone(specs, files, said) == alone_if_said


def test_uv_is_told_to_build_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".making").mkdir(parents=True)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_ONLY_BINARY", raising=False)
    commands: list[list[str]] = []
    monkeypatch.setattr(pip, "run_logged", lambda command, *_: commands.append(command))
    known: Any = uv.Settings((), {}, ())
    installer = uv.Uv(Path("uv"), known, Path(sys.executable))
    for specs in (["a.whl"], ["a"]):
        installer.install(Path("python"), Wanted(specs), tmp_path / "log", "alpha")
    first, second = (" ".join(command) for command in commands)
    assert "--only-binary :all:" in first
    assert "--only-binary" not in second
