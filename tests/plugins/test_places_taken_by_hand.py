"""Which files would run in kobench's process: part by part, of claims made by hand."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from kobench.plugins import in_harness, pythons
from kobench.plugins.entry import Entry
from kobench.plugins.in_harness import (
    _inside_linked,
    _is_metadata,
    _takes_a_place,
    as_source,
    code_here,
)
from kobench.plugins.installed_here import Here, top_of
from kobench.plugins.pythons import is_pythons, is_systems, own_path


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/__pycache__/b.cpython-311.pyc", "a/b.py"),
        ("__pycache__/b.cpython-311.opt-1.pyc", "b.py"),
        ("a/b.pyc", "a/b.pyc"),
        ("a/__pycache__/b.txt", "a/__pycache__/b.txt"),
        ("b.pyc", "b.pyc"),
        ("a/__pycache__/c/b.pyc", "a/__pycache__/c/b.pyc"),
    ],
)
def test_what_looks_compiled_is_taken_for_its_source(path, source):
    assert "/".join(as_source(path.split("/"))) == source


def here(**claims):
    """What is installed, by the files of each distribution."""
    found: dict[str, set[str]] = {}
    for who, files in claims.items():
        for file in files:
            found.setdefault(file, set()).add(who)
    tops: dict[str, set[str]] = {}
    for file, owners in found.items():
        if top := top_of(file.split("/")):
            tops.setdefault(top, set()).update(owners)
    nobodys = frozenset(["nobodys"])
    return Here({}, found, frozenset(), frozenset(), frozenset(), tops, nobodys)


THERE = here(
    theirs=["pkg/__init__.py", "pkg/a.py", "one.py", "space/their.py", "_c.cpython-311.so"],
    mine=["mine/__init__.py", "mine/a.py", "both/__init__.py", "space/mine.py"],
    also=["both/__init__.py"],
)


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        ("mine/__init__.py", False),
        ("mine/new.py", False),
        ("mine_more.py", False),
        ("mine.py", False),
        # in the place of another's, or in its package
        ("pkg/a.py", True),
        ("pkg/new.py", True),
        ("pkg/data.txt", True),
        ("pkg.py", True),
        ("pkg.so", True),
        ("one.py", True),
        ("one/__init__.py", True),
        ("both/__init__.py", True),
        ("both/new.py", False),  # two have that package
        # a folder without __init__ is anybody's, its files are not
        ("space/new.py", False),
        ("space/mine.py", False),
        ("space/their.py", True),
        # a package, or a module, goes before a folder without __init__, and both before a library
        ("space/__init__.py", True),
        ("space/__init__.so", True),
        ("space.py", True),
        ("_c/__init__.py", True),
        ("_c.py", True),
        # what is there, in nobody's list
        ("nobodys/__init__.py", True),
        # kobench's own
        ("kobench/x.py", True),
        ("kobench.py", True),
        # what nobody imports
        ("tests/__init__.py", False),
        ("setup.py", False),
        ("README.md", False),
        ("one", False),
    ],
)
def test_whose_place_a_file_takes(path, takes):
    assert _takes_a_place(path.split("/"), "mine", THERE) == takes


def test_a_module_that_is_looked_for_belongs_to_those_who_may_bring_it(monkeypatch):
    monkeypatch.setattr(in_harness, "may_bring", lambda key, top: (key, top) != ("mine", "yaml"))
    assert _takes_a_place(["yaml.py"], "mine", here())
    assert not _takes_a_place(["yaml.py"], "other", here())
    assert not _takes_a_place(["yaml.txt"], "mine", here())


def test_the_path_from_each_folder_that_is_put_on_the_path():
    linked = frozenset(["/a", "/a/b", "/x"])
    assert list(_inside_linked("/a/b/c/d.py", linked)) == [["c", "d.py"], ["b", "c", "d.py"]]
    assert list(_inside_linked("/y/d.py", linked)) == []
    assert list(_inside_linked("/x/d.py", linked)) == [["d.py"]]


@pytest.mark.parametrize(
    ("place", "parts", "other"),
    [
        ("/s/mine-1.dist-info/METADATA", "mine-1.dist-info/METADATA", False),
        ("/s/mine-1.dist-info", "mine-1.dist-info", False),
        ("/s/other-1.dist-info/METADATA", "other-1.dist-info/METADATA", True),
        ("/s/mine-1.dist-info2/x", "mine-1.dist-info2/x", False),
        ("/s/mine-1.dist-info.dist-info/x", "mine-1.dist-info.dist-info/x", True),
        ("/s/other.egg-info", "other.egg-info", True),
        ("/s/EGG-INFO/PKG-INFO", "EGG-INFO/PKG-INFO", True),
        ("/s/a/EGG-INFO", "a/EGG-INFO", False),
        ("/s/a/b.dist-info", "a/b.dist-info", False),
    ],
)
def test_metadata_of_others(place, parts, other):
    own = SimpleNamespace(_path="/s/mine-1.dist-info")
    assert _is_metadata(own, place, parts.split("/")) == other


@pytest.mark.parametrize(
    ("name", "systems"),
    [
        ("python", True),
        ("Python3.9", True),
        ("activate.fish", True),
        ("deactivate", True),
        ("git", True),
        ("git.exe", True),
        ("gitk-of-mine", False),
        ("no-such-program-anywhere", False),
        ("ls", True),
    ],
)
def test_programs_with_names_of_the_systems(name, systems):
    assert is_systems(name) == systems


def test_a_script_of_python_is_no_program_of_the_system(tmp_path, monkeypatch):
    for name, first in (("tool", "#!/usr/bin/python3"), ("shell", "#!/bin/sh"), ("text", "python")):
        (tmp_path / name).write_text(f"{first}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(pythons, "SYSTEMS", (str(tmp_path),))
    assert [is_systems(name) for name in ("tool", "shell", "text")] == [False, True, True]
    assert not is_systems("ls")


def test_what_lies_beside_the_packages_andis_pythons():
    library = os.path.realpath(os.path.dirname(os.__file__))
    programs = os.path.realpath(os.path.dirname(sys.executable))
    zipped = [entry for entry in own_path() if entry.endswith(".zip")]
    assert zipped
    assert all(map(is_pythons, zipped))
    assert is_pythons("/anywhere/lib/libpython3.11.so.1.0")
    assert not is_pythons("/anywhere/lib/python311.zip")
    assert is_pythons(f"{library}/json/x.py")
    assert not is_pythons(f"{library}x/y.py")
    assert is_pythons("/anywhere/pyvenv.cfg")
    assert is_pythons(f"{programs}/python9")
    assert not is_pythons(f"{programs}/my-tool-of-mine")
    assert not is_pythons("/elsewhere/python9")


@pytest.mark.parametrize(
    ("changes", "looked_at"),
    [
        ({}, True),
        ({"trusted": True}, False),
        ({"plugin_file": "/x.py"}, False),
        ({"environment": "old"}, False),
    ],
)
def test_whose_files_are_looked_at(monkeypatch, changes, looked_at):
    asked = []

    def files_of(name):
        asked.append(name)
        return ("found",)

    monkeypatch.setattr(in_harness, "_files_of", files_of)
    spec = SimpleNamespace(name="p")
    entry = Entry(
        **{"spec": spec, "distribution": "My_Plug", "version": "1", "digest": "d", **changes}
    )
    assert code_here(entry) == (("found",) if looked_at else ())
    assert asked == (["my-plug"] if looked_at else [])
