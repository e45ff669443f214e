"""What a wheel says of itself is not believed: where it lies, and that it is another one."""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path

import pytest
from pretend_plugins import Site, good, problems_of

from kobench.environments import inside
from kobench.environments.inside import installed, is_editable, places_of, project_of
from kobench.plugins import discovery, in_harness
from kobench.plugins.installed_here import installed_here
from kobench.plugins.links import in_place
from kobench.plugins.load import links_of, load_registry


def claims_to_lie_in(info: Path, folder: Path) -> None:
    about = {"dir_info": {"editable": True}, "url": f"file://{folder}"}
    (info / "direct_url.json").write_text(json.dumps(about))
    with open(info / "RECORD", "a") as file:
        file.write("claims.pth,,\n")
    (info.parent / "claims.pth").write_text(f"{folder}\n")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project of the user's, with the plugin that it offers where it is installed in place."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "settings.py").write_text("TOKEN = 1\n")
    (folder / "edity_one.py").write_text(good("Mine"))
    return folder


NAMES = {
    "pyproject.toml": '[project]\ndescription = "name"\nname = "Edity"\n',
    "setup.cfg": "[metadata]\nname = edity\n",
    "setup.py": "from setuptools import setup\nsetup(name='edity', version='1')\n",
}


@pytest.mark.parametrize("file", ["", *NAMES])
def test_a_folder_is_shown_to_whom_it_names(
    site: Site, home: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if file:
        (home / file).write_text(NAMES[file])
    info = site.install("edity", {}, points={"edity": "edity_one"})
    claims_to_lie_in(info, home)
    monkeypatch.syspath_prepend(str(home))
    distribution = importlib.metadata.Distribution.at(info)
    in_place.cache_clear()
    registry = load_registry()
    shown = [str(home / f"{name}.py") for name in ("edity_one", "settings")] if file else []
    assert is_editable(distribution) == bool(file)
    assert places_of(distribution) == shown
    assert ("mine" in registry.predictors) == bool(file), registry.problems
    if file:
        assert "settings.py" in links_of(registry.predictors["mine"][0])
    in_place.cache_clear()


def test_a_wheel_with_code_of_its_own_is_not_installed_in_place(site: Site, home: Path) -> None:
    """It may take the name of any project, and needs the folder to read it only."""
    (home / "setup.cfg").write_text(NAMES["setup.cfg"])
    with_plugin = site.install("edity", {"own_code.py": good("Mine")})
    claims_to_lie_in(with_plugin, home)
    without = site.install("Edity", {"more_code.py": ""}, points={"none": "x"}, version="2.0")
    (without / "entry_points.txt").unlink()
    claims_to_lie_in(without, home)
    for info in (with_plugin, without):
        assert places_of(importlib.metadata.Distribution.at(info)) == []
    (without / "RECORD").write_text("claims.pth,,\nEdity-2.0.dist-info/METADATA,,\n")
    assert places_of(importlib.metadata.Distribution.at(without))


@pytest.mark.parametrize("second", ["edity_two", "edity_one", "own_code"])
def test_every_plugin_of_what_is_installed_in_place_lies_in_its_project(
    site: Site, home: Path, second: str
) -> None:
    (home / "setup.cfg").write_text(NAMES["setup.cfg"])
    (home / "edity_two.py").write_text(good("Yours"))
    points = {"one": "edity_one", "two": f"{second}:more"}
    modules = {"own_code.py": good("Theirs")} if second == "own_code" else {}
    info = site.install("edity", modules, points=points)
    claims_to_lie_in(info, home)
    assert is_editable(importlib.metadata.Distribution.at(info)) == (second != "own_code")


def test_links_lead_to_no_folder_outside_of_the_project(site: Site, home: Path) -> None:
    """A .pth file may name any folder of the user's: it is neither shown nor believed."""
    (home / "setup.cfg").write_text(NAMES["setup.cfg"])
    other = home.parent / "other"
    other.mkdir()
    (other / "secrets_of_mine.py").write_text("TOKEN = 1\n")
    info = site.install("edity", {}, points={"edity": "edity_one"})
    claims_to_lie_in(info, home)
    distribution = importlib.metadata.Distribution.at(info)
    before = places_of(distribution)
    with open(info.parent / "claims.pth", "a") as file:
        file.write(f"{other}\n{home.parent}\n")
    assert places_of(distribution) == before != []
    (home / "edity_one.py").rename(other / "edity_one.py")  # its plugin lies there alone
    assert not is_editable(distribution)


@pytest.mark.parametrize("below", ["", "stash", "stash/src"])
def test_what_a_wheel_brought_is_no_project_of_the_users(site: Site, below: str) -> None:
    """Else its code would count as installed in place, and its list of files for nothing."""
    info = site.install("edity", {}, points={"edity": "edity_one"})
    folder = info.parent / below
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(NAMES["pyproject.toml"])
    (folder / "edity_one.py").write_text(good("Mine"))
    claims_to_lie_in(info, folder)
    distribution = importlib.metadata.Distribution.at(info)
    assert not is_editable(distribution)
    assert places_of(distribution) == []


@pytest.mark.parametrize(
    ("file", "content", "names"),
    [
        (
            "pyproject.toml",
            '[project]\nauthors = [{name = "jane"}]\nname = "brain-lab"',
            ["brain-lab"],
        ),
        ("pyproject.toml", '[[tool.uv.index]]\nname = "jane"\n[project]\nname="b"', ["b"]),
        ("pyproject.toml", '[project]\nversion = "1"\n[other]\nname = "jane"', []),
        ("pyproject.toml", '[tool.poetry]\nname = "b"', ["b"]),
        ("setup.cfg", "[options]\nname = jane\n[metadata]\nname = b\n", ["b"]),
        ("setup.py", "name = 'jane'\nsetup(\n    name='b',\n)", ["b"]),
    ],
)
def test_only_the_projects_own_name_is_its_name(file: str, content: str, names: list[str]) -> None:
    assert inside.names_in(file, content) == names


@pytest.mark.parametrize(
    "about",
    [
        {"dir_info": {"editable": False}, "url": "file://{home}"},  # a copy of what lies there
        {"dir_info": {}, "url": "file://{home}", "editable": True},
        {"vcs_info": {"editable": True}, "url": "file://{home}"},
        {"dir_info": {"editable": True}, "url": "file://localhost{home}"},
        {"dir_info": {"editable": True}, "url": "https://{home}"},
        {"dir_info": {"editable": True}, "url": "{home}"},
        {"dir_info": {"editable": True}},
    ],
)
def test_what_is_not_installed_in_place_from_here_has_no_folder(
    site: Site, home: Path, about: dict[str, object]
) -> None:
    (home / "setup.cfg").write_text(NAMES["setup.cfg"])
    info = site.install("edity", {}, points={"edity": "edity_one"})
    claims_to_lie_in(info, home)
    assert project_of(importlib.metadata.Distribution.at(info)) == home
    (info / "direct_url.json").write_text(json.dumps(about).replace("{home}", str(home)))
    distribution = importlib.metadata.Distribution.at(info)
    assert project_of(distribution) is None
    assert places_of(distribution) == []


def test_a_project_shows_no_folder_outside_itself(site: Site, home: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "setup.cfg").write_text(NAMES["setup.cfg"])
    (project / "edity_one.py").write_text(good("Mine"))
    info = site.install("edity", {}, points={"edity": "edity_one"})
    claims_to_lie_in(info, project)
    (site.folder / "claims.pth").write_text(f"{project}\n{home}\n")
    places = places_of(importlib.metadata.Distribution.at(info))
    assert places == [str(project / "edity_one.py")]


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


@pytest.mark.parametrize(
    "place", ["honest_one/sub/{name}", "honest_one/sub/x.egg/EGG-INFO", "../lib/{name}"]
)
def test_metadata_anywhere_on_the_path_are_nobodys(
    site: Site, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A plain path in a .pth file is no code, and puts any folder on the path."""
    fake = site.install("good-dist", {"evil.py": good("Mine")}, version="9.0")
    site.install("good-dist", {"good_one.py": good("Mine")})
    honest = site.install("honest", {"honest_one/__init__.py": good("Other")})
    at = (site.folder / place.format(name=fake.name)).resolve()
    at.parent.mkdir(parents=True)
    fake.rename(at)
    if at.name == "EGG-INFO":
        (at / "METADATA").rename(at / "PKG-INFO")
        at.parent.rename(at.parent.with_name("good_dist-9.0.egg"))
        place = "honest_one/sub/good_dist-9.0.egg/EGG-INFO"
        at = site.folder / place
        monkeypatch.syspath_prepend(str(at.parent))
    else:
        monkeypatch.syspath_prepend(str(at.parent))
    listed = place.format(name=fake.name)
    with open(honest / "RECORD", "a") as file:
        file.write(f'"{listed}/METADATA",,\n{listed}/entry_points.txt,,\n')
    registry = load_registry()
    assert "mine" in registry.predictors
    (source,) = [each for each in registry.sources if each.distribution == "good-dist"]
    assert "good_one.py" in source.files
    (problem,) = problems_of(registry, "good-dist")
    assert "was brought by honest" in problem.message


def test_another_ones_package_is_not_shown_to_who_names_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every package that is installed in place lies on the path: a second entry point names it."""
    lab = tmp_path / "src" / "lab"
    lab.mkdir(parents=True)
    (lab / "__init__.py").write_text("")
    (lab / "held_out.csv").write_text("1,2\n")
    monkeypatch.syspath_prepend(str(lab.parent))
    points = {"mine": "curious_one", "theirs": "lab"}
    site.install("curious", {"curious_one.py": good("Mine")}, points=points)
    (entry,) = load_registry().predictors["mine"]
    assert "curious_one.py" in links_of(entry)
    assert not any(Path(place).is_relative_to(lab) for place in links_of(entry).values())


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


DEEP = "[" * 100_000

#: Files of metadata that no tool writes and anybody's wheel may bring.
ODD = {
    "no-json": ("direct_url.json", b'{"editable": broken'),
    "a-list": ("direct_url.json", b'["editable"]'),
    "a-number": ("direct_url.json", b'{"dir_info": 1, "editable": 2}'),
    "no-url": ("direct_url.json", b'{"dir_info": {"editable": true}, "url": {"a": 1}}'),
    "a-nul": ("direct_url.json", b'{"dir_info": {"editable": true}, "url": "file:///a%00b"}'),
    "deep": ("direct_url.json", f'{{"editable": {DEEP}'.encode()),
    "no-text": ("direct_url.json", b'"editable" \xff\xfe'),
    "record": ("RECORD", b"\xff\xfe\x00"),
    "metadata": ("METADATA", b"Name: \xff\xfe\n"),
    "no-name": ("METADATA", b"Summary: nothing\n"),
    "needs": ("METADATA", b"Name: odd\nVersion: 1\nRequires-Dist: \xff\n"),
    "a-nul-in-a-path": ("RECORD", b"odd/a\x00b.py,,\n"),
    "points": ("entry_points.txt", b"kobench \xff\n"),
    "points-faulty": ("entry_points.txt", b"[kobench]\n[[[\n= =\n"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_metadata_cost_nobody_else_anything(site: Site, case: str) -> None:
    """Read on every command, in kobench's own process, though the wheel may offer nothing."""
    file, content = ODD[case]
    info = site.install("odd", {"odd_one.py": ""}, points={"x": "odd_one"})
    (info / "entry_points.txt").unlink()
    (info / file).write_bytes(content)
    site.install("honest", {"honest_one.py": good("Mine")})
    for cached in (in_place, in_harness._files_of, installed_here):
        cached.cache_clear()
    try:
        registry = load_registry()
        (entry,) = registry.predictors["mine"]
        links_of(entry)
        in_harness.code_here(entry)
        installed()
        assert not problems_of(registry, "honest")
    finally:
        for cached in (in_place, in_harness._files_of, installed_here):
            cached.cache_clear()


def test_a_file_of_metadata_that_is_too_large_is_not_read(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = site.install("edity", {"edity_one.py": good("Mine")})
    distribution = importlib.metadata.Distribution.at(info)
    assert inside.name_of(distribution) == "edity"
    assert inside.text_of(distribution, "RECORD")
    monkeypatch.setattr(inside, "LARGEST", 5)
    assert inside.name_of(distribution) == ""
    assert inside.text_of(distribution, "RECORD") == ""


def test_the_name_in_a_projects_files_is_found_in_one_pass() -> None:
    """A pattern that goes back takes 25 s for the first of these, at a size of 60 KB."""
    for line in ("(" * 20_000 + " name" * 20_000, "name " * 200_000, "name=" * 200_000):
        steps = sum(1 for _ in inside.GIVEN.finditer(line))
        assert steps <= len(line)
        assert inside.names_in("setup.py", f"setup({line}") in ([], ["name"])


def test_a_project_file_that_is_a_pipe_is_not_waited_for(site: Site, home: Path) -> None:
    os.mkfifo(home / "pyproject.toml")
    (home / "setup.cfg").write_text(NAMES["setup.cfg"])
    info = site.install("edity", {}, points={"edity": "edity_one"})
    claims_to_lie_in(info, home)
    assert inside.project_of(importlib.metadata.Distribution.at(info)) == home


def test_a_list_of_files_without_end_costs_its_own_distribution_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command would look at each of its lines, in kobench's own process."""
    info = site.install("endless", {"endless_one.py": good("Endless")})
    site.install("honest", {"honest_one.py": good("Mine")})
    lines = "".join(f"endless_data/{number}.npy,,\n" for number in range(400_000))
    (info / "RECORD").write_text(f"endless_one.py,,\n{lines}")
    looked: list[str] = []
    real = discovery.is_content
    monkeypatch.setattr(discovery, "is_content", lambda *given: looked.append("") or real(*given))
    registry = load_registry()
    assert "mine" in registry.predictors
    assert "endless" not in registry.predictors
    (problem,) = problems_of(registry, "endless")
    assert "endless, RECORD, has more than 100,000 lines" in problem.message
    assert "name their folder by --readable" in problem.message
    assert not problems_of(registry, "honest")
    assert len(looked) < 100_000
