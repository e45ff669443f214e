"""Descriptions are remembered until the code changes that they describe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pretend_plugins import Site, good, problems_of

from kobench.plugins.load import load_registry


def test_a_description_is_remembered_until_the_package_is_edited(
    site: Site, no_child: Callable[[], None]
) -> None:
    site.install(
        "good-dist",
        {"good_package/__init__.py": good("Mine"), "good_package/part/model.py": "x = 1\n"},
    )
    first = load_registry().find("predictors", "mine")
    (site.folder / "good_package/part/model.py").write_text("x = 22\n")
    second = load_registry().find("predictors", "mine")
    assert second.digest != first.digest
    (site.folder / "good_package/__init__.py").write_text(good("Renamed"))
    third = load_registry()
    assert "mine" not in third.predictors
    assert "renamed" in third.predictors
    (site.folder / "good_package/new.py").write_text("")
    fourth = load_registry().find("predictors", "renamed")
    assert fourth.digest != third.find("predictors", "renamed").digest
    no_child()
    assert load_registry().find("predictors", "renamed") == fourth
    with pytest.raises(AssertionError, match="a child was started"):
        load_registry(fresh=True)


def test_an_editable_install_is_described_again_when_it_is_edited(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_child: Callable[[], None]
) -> None:
    info = site.install("edit-dist", {"unused.py": ""}, points={"e": "edit_package.plugin"})
    (info / "RECORD").write_text("__editable__edit_dist.pth,,\n")
    package = tmp_path / "checkout" / "src" / "edit_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(good("Mine"))
    project = tmp_path / "checkout"
    (project / "pyproject.toml").write_text('[project]\nname = "edit-dist"\n')
    about = {"dir_info": {"editable": True}, "url": f"file://{project}"}
    (info / "direct_url.json").write_text(json.dumps(about))
    monkeypatch.syspath_prepend(str(package.parent))
    first = load_registry().find("predictors", "mine")
    no_child()
    assert load_registry().find("predictors", "mine") == first
    (package / "plugin.py").write_text(good("Mine").replace("a good one", "a better one"))
    with pytest.raises(AssertionError, match="a child was started"):
        load_registry()
    assert "edit_package" not in sys.modules


def test_the_digest_is_of_the_code_and_not_of_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "cache"))
    digests = []
    for place in ("here", "there"):
        made = Site(tmp_path / place)
        made.install("good-dist", {"good_package/__init__.py": good("Mine")})
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(made.folder))
            digests.append(load_registry().find("predictors", "mine").digest)
    assert digests[0] == digests[1]


def test_a_problem_is_looked_for_again_because_its_cause_may_lie_elsewhere(site: Site) -> None:
    code = "import pathlib\npathlib.Path(__file__).with_name('settings.txt').read_text()\n"
    site.install("needy-dist", {"needy/__init__.py": code + good("Mine")})
    assert "settings.txt" in problems_of(load_registry(), "needy-dist")[0].message
    (site.folder / "needy" / "settings.txt").write_text("")
    registry = load_registry()
    assert not problems_of(registry, "needy-dist")
    assert "mine" in registry.predictors


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"key": 1}', None])
def test_a_damaged_cache_is_made_anew(damage: bytes | None, site: Site, tmp_path: Path) -> None:
    site.install("good-dist", {"good_one.py": good("Mine")})
    first = load_registry().find("predictors", "mine")
    files = list((tmp_path / "cache" / "plugins").iterdir())
    assert len(files) >= 2
    for file in files:
        if damage is None:  # the right key, the rest of another format
            document = json.loads(file.read_bytes())
            file.write_text(
                json.dumps({**document, "specs": [["x", {"kind": "predictors", "what": 1}]]})
            )
        else:
            file.write_bytes(damage)
    assert load_registry().find("predictors", "mine") == first


def test_a_cache_that_can_not_be_written_only_costs_time(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file, where a folder would have to be made")
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "blocked"))
    site.install("good-dist", {"good_one.py": good("Mine")})
    assert "mine" in load_registry().predictors
