"""A folder into which pretend packages are installed, and a cache that is filled."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pretend_plugins import BROKEN, Site, good

from kobench.plugins import conversation
from kobench.plugins.load import Registry, load_registry


@contextlib.contextmanager
def site_in(folder: Path, described: Path) -> Iterator[Site]:
    """A site in a folder, on sys.path, with a copy of the cache that knows kobench."""
    shutil.copytree(described, folder / "cache")
    made = Site(folder / "site")
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KOBENCH_CACHE", str(folder / "cache"))
        patch.delenv("KOBENCH_DATASETS", raising=False)
        patch.delenv("KOBENCH_PLUGIN_SECONDS", raising=False)
        patch.syspath_prepend(str(made.folder))
        yield made
    # what was imported from here is not found by the next test
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def site(described: Path, tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path, described) as made:
        yield made


@pytest.fixture(scope="session")
def broken(described: Path, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """What is found where every broken plugin is installed beside a good one."""
    with site_in(tmp_path_factory.mktemp("broken"), described) as site:
        for case, (text, *_) in BROKEN.items():
            module = f"broken_{case.replace('-', '_')}"
            site.install(f"broken-{case}", {f"{module}.py": text})
        site.install("good-dist", {"good_one.py": good("Mine")})
        return load_registry()


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and from then on a description in a child is an error."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a child was started")

    return lambda: monkeypatch.setattr(conversation, "ask_children", refuse)
