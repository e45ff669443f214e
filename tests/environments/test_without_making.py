"""Parts of environments that need none to be made: places, locks, notes, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from kobench import __version__
from kobench.environments import create, own, pip
from kobench.environments import environment as environments
from kobench.environments import seen as remembered
from kobench.environments.create import _Making
from kobench.environments.environment import BrokenError, Environment, behind
from kobench.environments.folder import environments_folder, is_locked, locked, making_folder
from kobench.environments.lock import (
    Lock,
)
from kobench.environments.ours import is_ours, remove_others, remove_prefix
from kobench.errors import UserError

# places


def test_where_environments_lie(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "mine"))
    assert environments_folder() == tmp_path / "mine"
    assert making_folder() == tmp_path / "mine" / ".making"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", "here/../there")
    assert environments_folder() == tmp_path / "there"
    for none in (monkeypatch.delenv, lambda name: monkeypatch.setenv(name, "")):
        none("KOBENCH_ENVIRONMENTS")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        assert environments_folder() == tmp_path / "data" / "kobench" / "environments"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


def test_two_may_not_change_one_environment_at_a_time(folder):
    assert not is_locked("a")
    with locked("a"), locked("b"):
        assert is_locked("a")
        assert not is_locked("c")
        refused = pytest.raises(UserError, match="'a' is being made or changed by another process")
        with refused, locked("a"):
            pass
    assert not is_locked("a")
    with locked("a", wait=True):
        assert is_locked("a")
    with locked("a"):  # though its folder is there
        pass


def about(**changes):
    return {
        "format": 1,
        "serial": "0123abcd",
        "site": "lib/python3.11/site-packages",
        "from": ["-e /a/plugin", "numpy<2"],
        "python": {"base": "/usr/bin/python3.11", "version": "3.11.2"},
        **changes,
    }


def laid(folder, name="one", **changes):
    """An environment with an interpreter that can be executed."""
    whole = about(**changes)
    prefix = folder / name / str(whole["serial"])
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").write_text("#!/bin/sh\n")
    (prefix / "bin" / "python").chmod(0o755)
    (folder / name / "environment.json").write_text(json.dumps(whole))
    return prefix


def test_what_an_environment_says_of_itself(folder):
    prefix = laid(folder)
    found = environments.read("one")
    assert (found.name, found.folder, found.prefix) == ("one", folder / "one", prefix)
    assert found.python == prefix / "bin" / "python"
    assert found.made_from == Path("/usr/bin/python3.11")
    assert found.site == prefix / "lib" / "python3.11" / "site-packages"
    assert found.in_place == (Path("/a/plugin"),)
    assert environments.complete() == ([found], [])


def test_the_program_behind_an_interpreter_is_none_of_its_packages(tmp_path):
    prefix, base = tmp_path / "env", tmp_path / "base" / "bin" / "python"
    for file in (prefix / "bin" / "other", base, tmp_path / "elsewhere" / "bin" / "python"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    link = prefix / "bin" / "python"
    link.symlink_to(tmp_path / "elsewhere" / "bin" / "python")
    # what venv made it a link to
    assert behind(prefix, base) == tmp_path / "elsewhere" / "bin" / "python"
    link.unlink()
    link.symlink_to(prefix / "bin" / "other")
    assert behind(prefix, base) == base
    link.unlink()
    link.write_text("brought by a package")
    (tmp_path / "to-base").symlink_to(base)
    assert behind(prefix, tmp_path / "to-base") == base
    found = Environment("one", tmp_path, prefix, about(python={"base": str(base)}))
    assert (found.behind, found.base) == (base, tmp_path / "base")


def test_what_an_environment_holds(tmp_path):
    project = tmp_path / "project"
    for each in (tmp_path / "env" / "lib", project / "src", tmp_path / "other"):
        each.mkdir(parents=True)
    found = Environment("one", tmp_path, tmp_path / "env", about(**{"from": [f"-e {project}"]}))
    (tmp_path / "env" / "out").symlink_to(tmp_path / "other")
    (tmp_path / "in").symlink_to(project)
    held = {
        name: found.holds(tmp_path / name)
        for name in ("env", "env/lib", "project/src", "in/src", "other", "env/out", ".")
    }
    assert [name for name, holds in held.items() if holds] == [
        "env",
        "env/lib",
        "project/src",
        "in/src",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "is not complete: its making was ended"),
        ("{", "can't be read"),
        ("[]", "can't be read"),
        ("3", "can't be read"),
        ('{"format": "x"}', "can't be read"),
        ("{}", "can't be read"),
        ("[" * 100_000, "can't be read"),
        (json.dumps(about(format=2)), "was made by a newer kobench (format 2, this one knows 1)"),
        (json.dumps(about(serial="../x")), "its serial "),
        (json.dumps(about(site="../x")), "its site "),
    ],
)
def test_what_describes_no_environment(folder, text, why):
    (folder / "one").mkdir(parents=True)
    if text is not None:
        (folder / "one" / "environment.json").write_text(text)
    with pytest.raises(BrokenError) as caught:
        environments.read("one")
    assert why in str(caught.value)
    assert environments.complete() == ([], [("one", str(caught.value))])


def test_one_that_is_being_made_is_told_from_one_whose_making_was_ended(folder):
    (folder / "one").mkdir(parents=True)
    with locked("one"), pytest.raises(BrokenError, match="it is being made at this moment"):
        environments.read("one")
    with pytest.raises(BrokenError, match="its making was ended; make it again"):
        environments.read("one")


def test_an_environment_without_its_interpreter_is_broken(folder):
    prefix = laid(folder)
    (prefix / "bin" / "python").chmod(0o644)
    (prefix / "bin" / "python").unlink()
    with pytest.raises(BrokenError, match="has no interpreter at"):
        environments.read("one")
    for name in ("two", ".making", "one/x"):
        with pytest.raises(UserError, match="there is no environment"):
            environments.read(name)


# whose a folder is


def made(folder, *entries):
    """A folder with these entries: a serial is a virtual environment, all else a file."""
    folder.mkdir()
    for entry in entries:
        if entry.startswith("env:"):
            (folder / entry[4:]).mkdir()
            (folder / entry[4:] / "kobench.json").write_text("{}")
        elif entry.startswith("empty:"):
            (folder / entry[6:]).mkdir()
        elif entry.startswith("full:"):
            (folder / entry[5:] / "a").mkdir(parents=True)
            (folder / entry[5:] / "a" / "b").write_text("")
        elif entry.startswith("half:"):
            (folder / entry[5:] / "a").mkdir(parents=True)
            (folder / entry[5:] / ".kobench.json.12-3.tmp").write_text("")
        else:
            name, _, text = entry.partition("=")
            (folder / name).write_text(text)
    return folder


ABOUT = 'environment.json={"format": 1, "serial": "a", "kobench": "1"}'


@pytest.mark.parametrize(
    ("entries", "ours"),
    [
        ((), True),
        ((ABOUT,), True),
        ((ABOUT, "env:0123abcd", "seen.json", "lock.txt"), True),
        (("env:0123abcd",), True),
        (("env:0123abcd", "environment.json={}"), True),
        (("env:0123abcd", "seen.json"), True),
        (("empty:0123abcd",), True),
        (("half:0123abcd",), True),
        (("full:0123abcd",), False),  # a date may look so
        (("env:20260101", "full:20260102"), False),
        (("env:0123abc",), False),
        (("env:0123abcdef",), False),
        (("env:notes",), False),
        (("env:0123abcd", "mine.txt"), False),
        (("environment.json={}",), False),
        (("environment.json=[]",), False),
        (("environment.json={",), False),
        (('environment.json={"format": 1, "serial": "a"}',), False),
        (('environment.json={"format": 1, "kobench": "a"}',), False),
        (('environment.json={"serial": 1, "kobench": "a"}',), False),
        (("seen.json",), False),  # nothing says that it is
        ((ABOUT, ".environment.json.12-3.tmp"), True),
        ((ABOUT, ".other.json.12-3.tmp"), False),
    ],
)
def test_which_folders_are_kobenchs(tmp_path, entries, ours):
    folder = made(tmp_path / "one", *entries)
    assert is_ours(folder) == ours
    (tmp_path / "link").symlink_to(folder)
    assert not is_ours(tmp_path / "link")
    assert not is_ours(tmp_path / "nowhere")


def test_a_folder_or_link_called_as_a_file_of_ours_is_the_users(tmp_path):
    folder = made(tmp_path / "one", ABOUT)
    (folder / "seen.json").mkdir()
    assert not is_ours(folder)
    (folder / "seen.json").rmdir()
    (folder / "seen.json").symlink_to(folder / "environment.json")
    assert not is_ours(folder)
    (folder / "seen.json").unlink()
    made(tmp_path / "elsewhere", "env:0123abcd")
    (folder / "0123abcd").symlink_to(tmp_path / "elsewhere" / "0123abcd")
    assert not is_ours(folder)


def test_only_virtual_environments_of_ours_are_removed_and_links_lead_nowhere(tmp_path):
    kept = made(tmp_path / "kept", "mine.txt")
    folder = made(
        tmp_path / "one", "env:0123abcd", "env:00000000", "full:20260101", "mine.txt", "env:notes"
    )
    (folder / "0123abcd" / "link").symlink_to(kept)
    (folder / "0123abcd" / "lib").mkdir()
    remove_others(folder, "00000000")
    assert sorted(os.listdir(folder)) == ["00000000", "20260101", "mine.txt", "notes"]
    assert (kept / "mine.txt").exists()
    remove_others(folder, "", ignore_errors=False)
    assert sorted(os.listdir(folder)) == ["20260101", "mine.txt", "notes"]
    remove_prefix(folder / "gone", ignore_errors=False)


def test_the_mark_of_a_virtual_environment_goes_last(tmp_path, monkeypatch):
    folder = made(tmp_path / "one", "env:0123abcd")
    for name in ("bin", "lib"):
        (folder / "0123abcd" / name).mkdir()
    removed = []
    real = create.remove_prefix.__globals__["shutil"].rmtree

    def rmtree(path, **more):
        removed.append((Path(path).name, (folder / "0123abcd" / "kobench.json").exists()))
        real(path, **more)

    monkeypatch.setattr("kobench.environments.ours.shutil.rmtree", rmtree)
    remove_prefix(folder / "0123abcd", ignore_errors=False)
    assert sorted(removed[:2]) == [("bin", True), ("lib", True)]
    assert removed[2:] == [("0123abcd", True)]


# what is remembered


def test_what_an_environment_has_is_asked_once_until_something_changes(tmp_path, monkeypatch):
    asked = []

    def ask(program, name, prefix, site, in_place):
        asked.append((name, prefix, site, in_place))
        return {"version": str(len(asked))}

    monkeypatch.setattr(remembered, "ask_inside", ask)
    prefix = tmp_path / "0123abcd"
    found = Environment("one", tmp_path, prefix, about())
    found.site.mkdir(parents=True)
    assert [remembered.seen(found)["version"] for _ in range(3)] == ["1"] * 3
    assert asked == [("one", prefix, found.site, (Path("/a/plugin"),))]
    os.utime(found.site, ns=(1, 1))
    assert [remembered.seen(found)["version"] for _ in range(2)] == ["2"] * 2
    other = tmp_path / "inside.py"
    other.write_text("")
    os.utime(other, ns=(5, 5))
    monkeypatch.setattr(remembered, "INSIDE", other)
    assert [remembered.seen(found)["version"] for _ in range(2)] == ["3"] * 2
    moved = Environment("one", tmp_path, tmp_path / "00000000", about())
    moved.site.mkdir(parents=True)
    os.utime(moved.site, ns=(1, 1))
    assert remembered.seen(moved)["version"] == "4"
    for text in ("{", "[]", "{}", '{"stamp": 3}', f'{{"stamp": {json.dumps([])}, "seen": {{}}}}'):
        (tmp_path / "seen.json").write_text(text)
        before = len(asked)
        remembered.seen(moved)
        assert len(asked) == before + 1
    moved.site.rmdir()
    with pytest.raises(BrokenError, match="has lost its packages"):
        remembered.seen(moved)


@pytest.mark.parametrize(
    ("note", "writes", "notes"),
    [
        ({"stamp": "s"}, False, False),
        ({"stamp": "old", "digest": "d"}, False, True),
        ({"stamp": "old", "digest": "old", "version": __version__}, True, True),
        ({"stamp": "old", "digest": "old", "version": "0"}, True, True),
        ({}, True, True),
    ],
)
def test_a_copy_of_kobench_is_renewed_where_its_content_is_another(
    folder, monkeypatch, note, writes, notes
):
    prefix = laid(folder)
    (prefix / "kobench.json").write_text(json.dumps(note))
    found = environments.read("one")
    found.site.mkdir(parents=True)
    os.utime(found.site, ns=(7, 7))
    done = []

    def put_into(site, base):
        done.append((site, base))
        (site / "new").write_text("")

    monkeypatch.setattr(own, "stamp", lambda: "s")
    monkeypatch.setattr(own, "digest", lambda: "d")
    monkeypatch.setattr(own, "put_into", put_into)
    assert own.renew(found) == writes
    assert done == ([(found.site, found.made_from)] if writes else [])
    now = {"version": __version__, "digest": "d", "stamp": "s"}
    assert own.noted(prefix) == (now if notes else note)
    # of the same version nothing is new that is asked of an environment
    same = note.get("version") == __version__ or not writes
    assert (os.stat(found.site).st_mtime_ns == 7) == same
    assert own.renew(found) is False


A, B = "a" * 64, "b" * 64


def inside(*installed, version="3.11.2"):
    return {
        "version": version,
        "installed": [
            {"name": name, "version": number, "needs": list(needs), "metadata": "/nowhere"}
            for name, number, *needs in installed
        ],
    }


# what is refused before and after


def test_what_is_there_already(folder):
    refuse = create._refuse_existing
    refuse("one", folder / "one", False)
    laid(folder)
    with pytest.raises(UserError, match="has other files in it"):
        refuse("one", folder / "one", True)  # its virtual environment has no mark
    (folder / "one" / "0123abcd" / "kobench.json").write_text("{}")
    with pytest.raises(UserError, match="'one' exists; --replace makes it anew"):
        refuse("one", folder / "one", False)
    refuse("one", folder / "one", True)
    (folder / "one" / "environment.json").unlink()
    refuse("one", folder / "one", False)  # its making was ended
    (folder / "link").symlink_to(folder / "nowhere")
    with pytest.raises(UserError, match="not an environment of kobench's"):
        refuse("link", folder / "link", True)


def test_an_environment_without_a_plugin():
    def installed(*found):
        names = [{"name": name, "version": "1", "points": list(points)} for name, *points in found]
        return {"installed": names}

    create._refuse_without_plugin("one", ["a"], installed(("a",), ("b", ["p", "b:P"])))
    with pytest.raises(UserError) as caught:
        create._refuse_without_plugin("one", ["a", "b"], installed(("a",), ("pip",), ("kobench",)))
    assert "kobench plugin: a, b installed a 1, none of which" in str(caught.value)
    many = [(f"d{number}",) for number in range(13)]
    with pytest.raises(UserError, match=r"the requirements installed d0 1, .*d11 1 and 1 more, "):
        create._refuse_without_plugin("one", [], installed(*many))
    with pytest.raises(UserError, match="d11 1, none of which"):
        create._refuse_without_plugin("one", [], installed(*many[:12]))


def test_what_is_written_down_of_an_environment(folder, tmp_path, monkeypatch):
    prefix = tmp_path / "0123abcd"
    (prefix / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugin").mkdir()
    (tmp_path / "c.txt").write_text("numpy<2")
    wanted = pip.Wanted(["-e ./plugin", "a"], "c.txt", ["c.txt"])
    making = _Making("one", prefix, Path("/usr/bin/python3"), wanted)
    lock = Lock("3.11.2", {"a==1": frozenset()})
    found = making.about(inside(("a", "1"), ("b", "2")), "3.11", lock)
    del found["made"]
    text = {"file": "c.txt", "text": "numpy<2"}
    assert found == {
        "format": 1,
        "name": "one",
        "serial": "0123abcd",
        "site": "lib/python3.11/site-packages",
        "from": [f"-e {tmp_path / 'plugin'}", "a"],
        "constraint": text,
        "requirements": [text],
        "python": {"asked": "3.11", "version": "3.11.2", "base": "/usr/bin/python3"},
        "kobench": __version__,
        "installer": "pip",
        "lock": lock.digest,
        "installed": {"a": "1", "b": "2"},
    }
    assert making.log == folder / ".making" / "one.log"
    assert making.without_pip == []
    bare = _Making("one", prefix, Path("/x"), pip.Wanted(["a"]), SimpleNamespace())
    told_of = bare.about(inside(), None, lock)
    assert (told_of["installer"], told_of["constraint"], told_of["requirements"]) == (
        "uv",
        None,
        [],
    )


def test_what_is_locked_of_what_was_made(monkeypatch, tmp_path):
    found = inside(("a", "1"))

    def making(lock=None, uv=None):
        return _Making("one", tmp_path, Path("/x"), pip.Wanted(["a"], lock=lock), uv)

    assert making().lock_of(found, {"a": [A]}).lines == {"a==1": frozenset([A])}
    # uv says the hashes of all files that it may come from
    uv = SimpleNamespace(hashes=lambda lock, wheels: {"a": [A, B]})
    assert making(uv=uv).lock_of(found, {}).lines == {"a==1": frozenset([A, B])}
    # one that was made of a lock has that one
    lock = Lock("3.9.1", {"a==1": frozenset([B])})
    assert making(lock).lock_of(found, {"a": [A]}) == Lock("3.11.2", lock.lines)
    with pytest.raises(UserError, match="not what the lock says"):
        making(Lock("3", {"b==1": frozenset()})).lock_of(found, {})
    monkeypatch.setattr(create.uv, "pip_of", lambda base: base == Path("/x"))
    assert making(uv=uv).without_pip == ["--without-pip"]
    assert _Making("one", tmp_path, Path("/y"), pip.Wanted(["a"]), uv).without_pip == []


def test_an_environment_is_removed_with_all_that_was_left_of_its_making(folder):
    prefix = laid(folder)
    (prefix / "kobench.json").write_text("{}")
    making_folder().mkdir()
    for name in ("one.log", "one.constraint", "one.report", "two.log"):
        (making_folder() / name).write_text("")
    (folder / "one" / "mine.txt").write_text("")
    with pytest.raises(UserError, match="it has other files; nothing was removed"):
        create.remove("one")
    assert (folder / "one" / "environment.json").exists()
    (folder / "one" / "mine.txt").unlink()
    create.remove("one")
    assert not (folder / "one").exists()
    left = {path.name for path in making_folder().iterdir()}
    assert "two.log" in left
    assert not left & {"one.log", "one.constraint", "one.report"}
    for name in ("one", ".making"):
        with pytest.raises(UserError, match="there is no environment"):
            create.remove(name)


# kobench's own part, and what has an environment


def test_the_files_that_an_environment_gets_of_kobench():
    found = own.parts()
    assert all(path.is_file() and path.suffix == ".py" for path in found.values())
    assert all(str(path).endswith(f"/{name}") for name, path in found.items())
    for part in own.PARTS:
        folder = own.PACKAGE / part
        if folder.is_dir():
            inside_it = {path for path in found.values() if path.is_relative_to(folder)}
            assert inside_it == set(folder.rglob("*.py"))
            assert len(inside_it) > 3
        else:
            assert found[f"kobench/{part}.py"] == own.PACKAGE / f"{part}.py"
    assert not any("/runner/" in name or "/board/" in name for name in found)


def test_what_changes_with_these_files(tmp_path, monkeypatch):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1")
    two.write_text("2")
    os.utime(one, ns=(5, 5))

    def stamp(files):
        monkeypatch.setattr(own, "parts", lambda: files)
        return own.stamp.__wrapped__()

    first, digest = stamp({"a": one}), own.digest_of({"a": one, "b": two})
    assert stamp({"a": one}) == first
    assert stamp({"b": one}) != first
    assert stamp({"a": two}) != first
    assert own.digest_of({"b": two, "a": one}) == digest
    assert own.digest_of({"a": two, "b": one}) != digest
    os.utime(one, ns=(6, 6))
    assert stamp({"a": one}) != first
    assert own.digest_of({"a": one, "b": two}) == digest
    one.write_text("11")
    os.utime(one, ns=(5, 5))
    assert stamp({"a": one}) != first
    assert own.digest_of({"a": one, "b": two}) != digest
    for made_of in (lambda: stamp({"a": one}), lambda: own.digest_of({})):
        before = made_of()
        with monkeypatch.context() as patch:
            patch.setattr(own, "__version__", "9")
            assert made_of() != before


@pytest.mark.parametrize("within", [False, True])
def test_kobenchs_own_part_takes_the_place_of_what_is_there(folder, tmp_path, monkeypatch, within):
    site = tmp_path / "site"
    for old in ("kobench/old.py", "kobench-0.0.dist-info/METADATA", "numpy/__init__.py"):
        (site / old).parent.mkdir(parents=True, exist_ok=True)
        (site / old).write_text("old")
    (site / "kobench-note.dist-info").write_text("the user's")
    base = (folder if within else tmp_path) / "bin" / "python"
    ran = []
    monkeypatch.setattr("subprocess.run", lambda command, **more: ran.append(command))
    own.put_into(site, base)
    information = site / f"kobench-{__version__}.dist-info"
    assert {path.name for path in site.iterdir()} == {
        "kobench",
        information.name,
        "numpy",
        "kobench-note.dist-info",
    }
    files = {
        f"kobench/{path.relative_to(site / 'kobench').as_posix()}": path
        for path in (site / "kobench").rglob("*")
        if path.is_file()
    }
    assert own.digest_of(files) == own.digest_of(own.parts())
    listed = (information / "RECORD").read_text().split(",,\n")
    names = {f"{information.name}/{name}" for name in ("METADATA", "WHEEL", "INSTALLER", "RECORD")}
    assert set(listed) == {*files, *names, ""}
    assert {f"{information.name}/{path.name}" for path in information.iterdir()} == names
    assert f"Version: {__version__}\n" in (information / "METADATA").read_text()
    assert (information / "INSTALLER").read_text() == "kobench\n"
    assert (site / "numpy" / "__init__.py").read_text() == "old"
    # what may have been put in the place of an interpreter is not executed
    start = [str(base), "-I", "-S", "-m", "compileall"]
    assert [command[:5] for command in ran] == ([] if within else [start])
    own.put_into(site, base)
    assert len(list(site.iterdir())) == 4


def test_what_is_noted_of_it(tmp_path):
    assert own.noted(tmp_path) == {}
    own.note(tmp_path)
    assert own.noted(tmp_path) == {
        "version": __version__,
        "digest": own.digest(),
        "stamp": own.stamp(),
    }
    for text in ("{", "3", "[1]"):
        (tmp_path / "kobench.json").write_text(text)
        assert own.noted(tmp_path) == {}


@pytest.mark.parametrize(
    ("code", "output", "why", "said"),
    [
        (0, '{"version": "3"}', "", None),
        (0, "{", "", "what it says of itself can't be read"),
        (1, '{"version": "3"}', "it ended with 1", "it ended with 1; make it again"),
        (-9, "", "it was killed", "it was killed"),
    ],
)
def test_what_an_environment_has_is_asked_of_the_program_behind_it(
    tmp_path, monkeypatch, code, output, why, said
):
    ran = []

    def held(*arguments):
        ran.append(arguments)
        return SimpleNamespace(code=code, output=output, why=why)

    monkeypatch.setattr("kobench.supervisor.held.run_held", held)
    program, site = Path("/base/bin/python"), tmp_path / "site"
    if said is None:
        found = remembered.ask_inside(program, "one", tmp_path, site, (Path("/plugin"),))
        assert found == {"version": "3"}
    else:
        with pytest.raises(BrokenError, match=said):
            remembered.ask_inside(program, "one", tmp_path, site, (Path("/plugin"),))
    ((interpreter, words, shown, _),) = ran
    assert words == ["-I", "-S", str(remembered.INSIDE), str(site)]
    assert shown == (remembered.INSIDE, Path("/plugin"))
    assert (interpreter.python, interpreter.environment) == (program, "one")
    assert interpreter.read == (tmp_path, Path("/base"))
