"""Folders for environments, and environments that are made without a package registry."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kobench.environments import pip, uv


def linked(place: str, target: str) -> None:
    """A file once more, without a copy of its content where the file system allows it."""
    try:
        os.link(place, target)
    except OSError:
        shutil.copy2(place, target)


@pytest.fixture
def home(described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of environments."""
    shutil.copytree(described, tmp_path / "cache")
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


@pytest.fixture
def offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Without pip: a wheel is unpacked, numpy is linked, and other SPECs install nothing."""
    run = pip.run_logged

    def without_pip(command: list[str], log: Path, what: str) -> None:
        run([*command, "--without-pip"], log, what)

    def unpack(python: Path, wanted: pip.Wanted, *_: Any) -> dict[str, list[str]]:
        (site,) = (python.parent.parent / "lib").glob("python*/site-packages")
        for spec in wanted.specs:
            if spec.endswith(".whl"):
                with zipfile.ZipFile(spec) as file:
                    file.extractall(site)
        there = Path(np.__file__).parent.parent
        for place in [there / "numpy", *there.glob("numpy.libs"), *there.glob("numpy-*.dist-info")]:
            shutil.copytree(
                place, site / place.name, copy_function=linked
            )  # a link to a folder outside would not be shown to a plugin
        return {}

    monkeypatch.setattr(uv, "find_uv", lambda: None)
    monkeypatch.setattr(pip, "run_logged", without_pip)
    monkeypatch.setattr(pip, "install", unpack)
    return home
