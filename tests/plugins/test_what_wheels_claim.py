"""What a wheel says of itself is not believed: where it lies, and that it is another one."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest
from pretend_plugins import Site, good, problems_of

from kobench.environments.inside import is_editable, places_of
from kobench.plugins.links import in_place
from kobench.plugins.load import links_of, load_registry


def claims_to_lie_in(info: Path, folder: Path) -> None:
    about = {"dir_info": {"editable": True}, "url": f"file://{folder}"}
    (info / "direct_url.json").write_text(json.dumps(about))
    (info / "RECORD").write_text("claims.pth,,\n")
    (info.parent / "claims.pth").write_text(f"{folder}\n")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "settings.py").write_text("TOKEN = 1\n")
    return folder


NAMES = {
    "pyproject.toml": '[project]\ndescription = "name"\nname = "Edity"\n',
    "setup.cfg": "[metadata]\nname = edity\n",
    "setup.py": "from setuptools import setup\nsetup(name='edity', version='1')\n",
}


@pytest.mark.parametrize("file", ["", *NAMES])
def test_a_folder_is_shown_to_whom_it_names(site: Site, home: Path, file: str) -> None:
    if file:
        (home / file).write_text(NAMES[file])
    info = site.install("edity", {"edity_one.py": good("Mine")})
    claims_to_lie_in(info, home)
    distribution = importlib.metadata.Distribution.at(info)
    in_place.cache_clear()
    (entry,) = load_registry().predictors["mine"]
    shown = [str(home / "settings.py")] if file else []
    assert is_editable(distribution) == bool(file)
    assert places_of(distribution) == shown
    assert ("settings.py" in links_of(entry)) == bool(file)
    in_place.cache_clear()


def test_a_project_shows_no_folder_outside_itself(site: Site, home: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "setup.cfg").write_text(NAMES["setup.cfg"])
    info = site.install("edity", {"edity_one.py": good("Mine")})
    claims_to_lie_in(info, project)
    (site.folder / "claims.pth").write_text(f"{project}\n{home}\n")
    assert places_of(importlib.metadata.Distribution.at(info)) == []


def test_metadata_in_another_ones_files_are_no_distribution(site: Site) -> None:
    """kobench-baselines is trusted with its names, so a wheel could bring it along."""
    fake = site.install("kobench-baselines", {"evil.py": good("Linear")}, version="0.0.1")
    honest = site.install("honest", {"honest_one.py": good("Mine")})
    with open(honest / "RECORD", "a") as file:
        file.write(f"{fake.name}/METADATA,,\n")
    registry = load_registry()
    assert "mine" in registry.predictors
    assert all("evil" not in str(each.roots) for each in registry.sources)
    (problem,) = problems_of(registry, "kobench-baselines")
    assert "was brought by honest, whose list of files has it" in problem.message


def test_of_two_with_one_name_neither_is_taken(site: Site, tmp_path: Path, monkeypatch) -> None:
    other = Site(tmp_path / "other")
    monkeypatch.syspath_prepend(str(other.folder))
    site.install("some-dist", {"some_one.py": good("Mine")})
    assert "mine" in load_registry().predictors
    other.install("Some_Dist", {"some_other.py": good("Mine")}, version="2.0")
    registry = load_registry()
    assert "mine" not in registry.predictors
    (problem,) = [one for one in registry.problems if "two distributions" in one.message]
    assert str(site.folder) in problem.message
    assert str(other.folder) in problem.message


def test_one_that_is_found_twice_is_one(site: Site, tmp_path: Path, monkeypatch) -> None:
    other = Site(tmp_path / "other")
    monkeypatch.syspath_prepend(str(other.folder))
    for each in (site, other):
        each.install("some-dist", {"some_one.py": good("Mine")})
    registry = load_registry()
    assert "mine" in registry.predictors
    assert not problems_of(registry, "some-dist")
