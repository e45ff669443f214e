"""Which files a distribution consists of: those that count in keys, and those that are hidden.

Distributions are made by hand in a folder; nothing of them is imported.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import pytest

from kobench.environments.inside import UnreadableError
from kobench.errors import UserError
from kobench.plugins import discovery
from kobench.plugins.discovery import (
    editable_among,
    file_sources,
    files_of,
    installed_sources,
    shown_in_place,
)
from kobench.plugins.programs import TAILS
from kobench.sandbox.hiding import lies_in

OWN = "mine-1.dist-info"


def install(site, files, name="mine", listed=None, points=("mine:P",), direct=None, needs=()):
    """Lay a distribution into a folder of packages; files are by their paths, with a hash."""
    own = site / f"{name}-1.dist-info"
    own.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
    (own / "METADATA").write_text(text + "".join(f"Requires-Dist: {need}\n" for need in needs))
    if points:
        said = "".join(f"p{number} = {value}\n" for number, value in enumerate(points))
        (own / "entry_points.txt").write_text(f"[kobench]\n{said}")
    if direct:
        (own / "direct_url.json").write_text(
            json.dumps({"url": direct.as_uri(), "dir_info": {"editable": True}})
        )
    for file in files:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(file)
    rows = [f"{file},sha256=x,1" for file in files] if listed is None else listed
    (own / "RECORD").write_text("".join(f"{row}\n" for row in rows))
    return importlib.metadata.Distribution.at(own)


def nowhere(top):
    """No package or module is found."""


def at(**places):
    """What finds a package or module of each name at a place."""

    def place(top):
        if top not in places:
            return None
        path = places[top]
        if path.is_dir():
            return str(path / "__init__.py"), [str(path)]
        return str(path), []

    return place


def names(found, site):
    return {name for name in found.files if not name.startswith(OWN)}


def test_what_it_installed_counts_and_its_packages_are_its_roots(tmp_path):
    files = ["mine/__init__.py", "mine/weights.npz", "other.py", "data/x.txt", "no-name/a.py"]
    found = files_of(install(tmp_path, files), [("p", "mine:P")], nowhere)
    assert names(found, tmp_path) == set(files)
    assert found.files["mine/weights.npz"] == tmp_path / "mine" / "weights.npz"
    assert found.roots == {"mine": tmp_path / "mine", "other.py": tmp_path / "other.py"}
    # of its metadata what says something of it, though no list has it
    assert {name for name in found.files if name.startswith(OWN)} == {
        f"{OWN}/METADATA",
        f"{OWN}/entry_points.txt",
    }


def test_files_that_came_later_into_its_packages_count(tmp_path):
    one = install(tmp_path, ["mine/__init__.py", "mine/a/b.py", "part/x.py"])
    for later in ("mine/later.npz", "mine/a/later.py", "part/later.py", "beside.py"):
        (tmp_path / later).write_text("")
    found = files_of(one, [], nowhere)
    # others may have a part of a folder without __init__
    assert names(found, tmp_path) == {
        "mine/__init__.py",
        "mine/a/b.py",
        "mine/later.npz",
        "mine/a/later.py",
        "part/x.py",
    }
    assert found.roots == {"mine": tmp_path / "mine", "part": tmp_path / "part"}
    deep = install(tmp_path / "deep", ["top/in/ner/x.py"])
    assert files_of(deep, [], nowhere).roots == {"top": tmp_path / "deep" / "top"}


def test_notes_of_tools_are_in_no_key_and_hidden(tmp_path):
    notes = ["WHEEL", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"]
    one = install(tmp_path, ["mine/__init__.py", *(f"{OWN}/{note}" for note in notes)])
    found = files_of(one, [], nowhere)
    assert not any(note in name for note in notes for name in found.files)
    assert found.caches == {tmp_path / OWN / note for note in notes}
    # a note that no list has is hidden, too; one that is not there is not named
    bare = install(tmp_path / "bare", ["mine/__init__.py"])
    (tmp_path / "bare" / OWN / "uv_build.json").write_text("")
    assert files_of(bare, [], nowhere).caches == {
        tmp_path / "bare" / OWN / "RECORD",
        tmp_path / "bare" / OWN / "uv_build.json",
    }


@pytest.mark.parametrize(
    ("row", "counts"), [(",sha256=x,1", True), (",,1", False), (",", False), ("", False)]
)
def test_what_looks_compiled_counts_where_the_list_has_its_hash(tmp_path, row, counts):
    compiled = "mine/__pycache__/a.cpython-311.pyc"
    files = ["mine/__init__.py", "mine/a.py", compiled]
    listed = [*(f"{name},sha256=x,1" for name in files[:2]), f"{compiled}{row}"]
    found = files_of(install(tmp_path, files, listed=listed), [], nowhere)
    assert (compiled in found.files) == counts
    assert (tmp_path / "mine" / "__pycache__" in found.caches) != counts


def test_programs_of_entry_points_do_not_count(tmp_path):
    """They name the interpreter that they were installed for."""
    site = tmp_path / "lib" / "site"
    listed = [
        "mine/__init__.py,sha256=x,1",
        "../../bin/run,sha256=x,1",
        "../../bin/else,sha256=x,1",
    ]
    one = install(site, ["mine/__init__.py"], listed=listed)
    with (site / OWN / "entry_points.txt").open("a") as file:
        file.write("[console_scripts]\nrun = mine:main\n")
    (tmp_path / "bin").mkdir()
    for name in ("run", "else"):
        made = TAILS[0].format(module="mine", name="main", call="main")
        (tmp_path / "bin" / name).write_text(f"#!{sys.executable}\n{made}")
    found = files_of(one, [], nowhere)
    assert "../../bin/else" in found.files  # of which no entry point says that it is made
    assert "../../bin/run" not in found.files
    # which interpreter it names, and by which words, is anybody's to choose
    assert {path.resolve() for path in found.caches} >= {tmp_path / "bin" / "run"}
    assert tmp_path / "bin" / "else" not in {path.resolve() for path in found.caches}
    assert "mine/__init__.py" in found.files


@pytest.mark.parametrize("direct", [False, True])
def test_all_that_is_listed_counts_or_is_hidden(tmp_path, direct):
    """What is in no key and can be read decides answers unseen."""
    site = tmp_path / "lib" / "site"
    programs = ["../../bin/run", "../bin/run", "../../lib/bin/run", "../../../bin/run"]
    files = ["mine/__init__.py", "mine/w.txt", "mine/__pycache__/w.cpython-311.pyc", "mine.pth"]
    files += ["__editable___mine_finder.py", *(f"{OWN}/{note}" for note in ("WHEEL", "w.txt"))]
    project = tmp_path / "project"
    project.mkdir()
    (project / "setup.cfg").write_text("[metadata]\nname = mine\n")
    listed = [f"{name},," for name in (*files, *programs)]
    one = install(site, files, listed=listed, direct=project if direct else None)
    with (site / OWN / "entry_points.txt").open("a") as file:
        file.write("[console_scripts]\nrun = mine:main\n")
    for name in programs:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        made = TAILS[0].format(module="mine", name="main", call="main")
        (site / name).write_text(f"#!/bin/sh\n{made}")
    found = files_of(one, [], nowhere)
    for name in (*files, *programs):
        hidden = any(lies_in(str(site / name), str(place)) for place in found.caches)
        assert (name in found.files) != hidden, name


def test_where_the_package_of_an_entry_point_lies_counts_if_it_is_its_own(tmp_path):
    one = install(tmp_path, ["mine/__init__.py", "single.py"])
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "__init__.py").write_text("")
    (tmp_path / "elsewhere").mkdir()
    places = at(mine=tmp_path / "mine", single=tmp_path / "single.py", theirs=tmp_path / "theirs")
    points = [("a", "mine.sub:P"), ("b", "single:P"), ("c", "theirs:P"), ("d", "gone:P")]
    found = files_of(one, points, places)
    assert found.roots == {"mine": tmp_path / "mine", "single.py": tmp_path / "single.py"}
    assert names(found, tmp_path) == {"mine/__init__.py", "single.py"}
    for origin in (None, "namespace"):
        # a folder without files of its own is no place
        found = files_of(
            one, points, lambda top, origin=origin: (origin, [str(tmp_path / "theirs")])
        )
        assert set(found.roots) == {"mine", "single.py"}


def project(tmp_path, name="mine", package="mine"):
    """The folder of a project with a package and a module of the same code."""
    folder = tmp_path / f"project-{name}"
    (folder / package).mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    (folder / package / "__init__.py").write_text("")
    (folder / package / "weights.npz").write_text("")
    (folder / f"{package}_more.py").write_text("")
    return folder


def test_what_is_installed_in_place_has_the_files_of_its_project(tmp_path):
    folder = project(tmp_path)
    link = "__editable__.mine-1.pth"
    one = install(tmp_path / "site", [link], direct=folder)
    found = files_of(one, [("p", "mine:P")], at(mine=folder / "mine"))
    assert found.roots == {"mine": folder / "mine"}
    assert names(found, tmp_path) == {"mine/__init__.py", "mine/weights.npz"}
    assert found.files["mine/weights.npz"] == folder / "mine" / "weights.npz"
    assert tmp_path / "site" / link in found.caches
    # of a module it is the module
    found = files_of(one, [("p", "mine_more:P")], at(mine_more=folder / "mine_more.py"))
    assert found.roots == {"mine_more.py": folder / "mine_more.py"}
    assert names(found, tmp_path) == {"mine_more.py"}
    # of a package with parts in several folders all of them
    (tmp_path / "second" / "mine").mkdir(parents=True)
    (tmp_path / "second" / "mine" / "b.py").write_text("")
    both = (
        str(folder / "mine" / "__init__.py"),
        [str(folder / "mine"), str(tmp_path / "second" / "mine")],
    )
    found = files_of(one, [("p", "mine:P")], lambda top: both)
    assert names(found, tmp_path) == {"mine/__init__.py", "mine/weights.npz", "mine/b.py"}
    # what it is shown because another one is installed in place, too
    shown = {"other": folder / "mine", "mine_more.py": folder / "mine_more.py"}
    found = files_of(one, [], nowhere, shown)
    assert found.roots == shown
    assert names(found, tmp_path) == {"mine/__init__.py", "mine/weights.npz", "mine_more.py"}


@pytest.mark.parametrize("origin", [None, "namespace"])
def test_a_folder_without_files_of_its_own_is_no_place(tmp_path, origin):
    """Any folder in a project is a part of a namespace."""
    folder = project(tmp_path)
    (folder / "docs").mkdir()
    one = install(tmp_path / "site", [], direct=folder)
    found = files_of(one, [("p", "docs:P")], lambda top: (origin, [str(folder / "docs")]))
    assert found.roots == {}


def test_links_that_a_wheel_brings_count_as_its_files(tmp_path):
    """Only what is installed in place has links that lead to where it lies."""
    one = install(tmp_path, ["mine/__init__.py", "mine.pth"])
    found = files_of(one, [], nowhere)
    assert "mine.pth" in found.files
    assert tmp_path / "mine.pth" not in found.caches


def test_a_list_that_can_not_be_read_is_named(tmp_path, monkeypatch):
    one = install(tmp_path, [], listed=["a,b,c,d"])
    with pytest.raises(UnreadableError, match=r"of mine, RECORD, has a line of 4 columns"):
        files_of(one, [], nowhere)
    monkeypatch.setattr("kobench.environments.inside.MOST_LISTED", 2)
    many = install(tmp_path / "many", ["a.py", "b.py", "c.py"])
    with pytest.raises(UnreadableError, match=r"more than 2 lines; leave data out, and name"):
        files_of(many, [], nowhere)


def test_what_an_older_tool_installed_has_another_list(tmp_path):
    own = tmp_path / "mine-1.egg-info"
    own.mkdir()
    (own / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (own / "SOURCES.txt").write_text("mine/__init__.py\nmine.egg-info/PKG-INFO\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("")
    found = files_of(importlib.metadata.Distribution.at(own), [], nowhere)
    assert "mine/__init__.py" in found.files
    assert found.roots["mine"] == tmp_path / "mine"


# in place


def test_what_is_shown_of_projects_in_place_and_of_those_that_they_need(tmp_path):
    folders = {name: project(tmp_path, name, name) for name in ("mine", "helper", "Far", "lone")}
    needs = {"mine": ["helper>=1", "gone"], "helper": ["far"], "Far": ["mine"], "lone": []}
    every = [
        install(
            tmp_path / "site",
            [],
            name,
            direct=folders[name],
            points=(f"{name}:P",),
            needs=needs[name],
        )
        for name in folders
    ]
    wheel = install(tmp_path / "site", ["wheel/__init__.py"], "wheel")
    sys.path[:0] = [str(folder) for folder in folders.values()]
    try:
        editable = editable_among([*every, wheel], {})
        assert set(editable) == {"mine", "helper", "far", "lone"}
        brought = {str(tmp_path / "site" / "Far-1.dist-info"): "wheel"}
        assert set(editable_among(every, brought)) == {"mine", "helper", "lone"}
        found = shown_in_place("Mine", editable)
    finally:
        del sys.path[: len(folders)]
    assert list(found) == sorted(found)
    three = ("mine", "helper", "Far")
    assert set(found) == {*three, *(f"{name}_more.py" for name in three)}
    assert found["Far"] == folders["Far"] / "Far"
    assert shown_in_place("gone", editable) == {}


# on the path


def sources(monkeypatch, *sites):
    monkeypatch.setattr("sys.path", [str(site) for site in sites])
    return installed_sources()


def test_sources_come_in_the_order_of_their_names_and_without_plugins_none(tmp_path, monkeypatch):
    for name in ("zeta", "Alpha", "beta"):
        install(tmp_path, [f"{name}.py"], name, points=(f"{name}:P", f"{name}:Q"))
    install(tmp_path, ["none.py"], "none", points=())
    own = install(tmp_path, ["talk.py"], "talk", points=())
    (own._path / "entry_points.txt").write_text("[console_scripts]\nkobench-x = talk:main\n")
    found, problems = sources(monkeypatch, tmp_path)
    assert [one.distribution for one in found] == ["Alpha", "beta", "zeta"]
    assert problems == []
    assert found[1].points == (("p0", "beta:P"), ("p1", "beta:Q"))
    assert found[1].version == "1"
    assert {*found[1].roots} == {"beta.py"}


def test_metadata_that_another_wheel_brought_and_two_of_one_name(tmp_path, monkeypatch):
    thief = install(tmp_path, ["thief.py", "victim-1.dist-info/METADATA"], "thief")
    install(tmp_path / "x", ["a.py"], "fine")
    (tmp_path / "victim-1.dist-info" / "METADATA").write_text("Name: victim\nVersion: 1\n")
    (tmp_path / "victim-1.dist-info" / "entry_points.txt").write_text("[kobench]\np = victim:P\n")
    found, problems = sources(monkeypatch, tmp_path)
    assert [one.distribution for one in found] == ["thief"]
    (problem,) = problems
    assert "was brought by thief, whose list of files has it" in problem.message
    assert thief is not None
    # the same points do no harm, others make both unusable
    one, two, three = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    for site, value in ((one, "m:P"), (two, "m:P"), (three, "m:Q")):
        install(site, ["m.py"], "twin", points=(value,))
    found, problems = sources(monkeypatch, one, two)
    assert ([each.distribution for each in found], problems) == (["twin"], [])
    found, problems = sources(monkeypatch, one, three)
    assert found == []
    assert f"in {one / 'twin-1.dist-info'} and {three / 'twin-1.dist-info'}" in problems[0].message


@pytest.mark.parametrize("name", ["kobench", "Kobench"])
def test_who_calls_itself_kobench_and_is_not_is_refused(tmp_path, monkeypatch, name):
    install(tmp_path, ["m.py"], name, points=("m:P",))
    found, (problem,) = sources(monkeypatch, tmp_path)
    assert found == []
    assert "it calls itself kobench, and is not" in problem.message
    own = tmp_path / "own"
    install(own, ["kobench.py"], name, points=("kobench.x:P", "m:P"))
    assert "calls itself kobench" in sources(monkeypatch, own)[1][0].message
    good = tmp_path / "good"
    install(good, ["kobench.py"], name, points=("kobench.x:P", " kobench:Q"))
    assert [one.distribution for one in sources(monkeypatch, good)[0]] == [name]


def test_metadata_without_a_name_are_named_by_their_folder(tmp_path, monkeypatch):
    own = install(tmp_path, ["m.py"])._path
    (own / "METADATA").write_text("Metadata-Version: 2.1\nVersion: 1\n")
    found, (problem,) = sources(monkeypatch, tmp_path)
    assert found == []
    assert problem.distribution == OWN
    assert "(it has no Name that can be read); install the package again" in problem.message


# single files


def test_single_files_are_sources_in_the_order_given_each_once(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    for file in (one, two):
        file.write_text("")
    found = file_sources([two, str(one), two])
    assert [each.distribution for each in found] == ["file:two.py", "file:one.py"]
    assert found[0].points == (("two", "two.py"),)
    assert found[0].files == found[0].roots == {"two.py": two}
    assert (found[0].file, found[0].version) == (str(two), "")
    assert file_sources([]) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gone.py", "there is no such file"),
        ("text.txt", "it is not a .py file"),
        ("folder.py", "there is no such file"),
    ],
)
def test_what_is_no_python_file_is_refused(tmp_path, name, why):
    (tmp_path / "text.txt").write_text("")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(UserError, match=why):
        file_sources([tmp_path / name])


def test_two_files_of_one_name_are_refused_and_one_by_two_names_is_not(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.py").write_text("")
    with pytest.raises(UserError, match=r"two plugin files are called m\.py"):
        file_sources([tmp_path / "a" / "m.py", tmp_path / "b" / "m.py"])
    (tmp_path / "b" / "m.py").unlink()
    (tmp_path / "b" / "m.py").symlink_to(tmp_path / "a" / "m.py")
    assert len(file_sources([tmp_path / "a" / "m.py", tmp_path / "b" / "m.py"])) == 1


def test_the_top_of_an_entry_point():
    assert [discovery._top_level(value) for value in ("a.b:c.d", " a :b", "a", "a.b")] == ["a"] * 4
    assert Path(discovery.__file__).name == "discovery.py"
