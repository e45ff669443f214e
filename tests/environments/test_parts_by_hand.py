"""What is believed of an environment's packages, and how one is found and filled: part by part."""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kobench import __version__
from kobench.environments import create, inside, interpreters, own, pip
from kobench.environments import environment as environments
from kobench.environments.environment import BrokenError, folders_in_place
from kobench.environments.pip import Wanted, arguments_of
from kobench.environments.size import megabytes
from kobench.errors import UserError

# what lies among the packages


def installed(site, name, record=(), points="", direct=None, needs=()):
    """A distribution's metadata as an installer writes them."""
    folder = site / f"{name}-1.dist-info"
    folder.mkdir(parents=True)
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
    (folder / "METADATA").write_text(head + "".join(f"Requires-Dist: {one}\n" for one in needs))
    (folder / "RECORD").write_text("".join(f"{one},,\n" for one in record))
    if points:
        (folder / "entry_points.txt").write_text(points)
    if direct is not None:
        text = direct if isinstance(direct, str) else json.dumps(direct)
        (folder / "direct_url.json").write_text(text)
    return importlib.metadata.PathDistribution(folder)


def points(*values):
    lines = "".join(f"p{i} = {value}\n" for i, value in enumerate(values))
    return f"[kobench]\n{lines}[else]\nx = y\n"


@pytest.fixture
def project(tmp_path):
    """A project's folder, with a blank in its name."""
    folder = tmp_path / "my project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "My.Plug"\n')
    return folder


def in_place(folder, editable=True):
    return {"url": folder.as_uri(), "dir_info": {"editable": editable}}


#: What an editable installation puts among the packages.
LINKS = ("_my_plug.pth", "__editable__x.py", "my_plug-1.dist-info/METADATA", "../../bin/tool")


def test_a_project_that_gives_the_name_is_believed(tmp_path, project):
    found = installed(tmp_path / "site", "my_plug", LINKS, direct=in_place(project))
    assert inside.project_of(found) == project
    assert inside.is_editable(found)


@pytest.mark.parametrize(
    "direct",
    [
        None,
        "{",
        "[]",
        '["editable"]',
        '{"editable"',
        '{"editable": 1}',
        '{"dir_info": "editable"}',
        '{"dir_info": {"editable": true}}',
        '{"dir_info": {"editable": true}, "url": "http:///x"}',
    ],
)
def test_what_does_not_say_that_it_is_a_project_is_none(tmp_path, direct):
    found = installed(tmp_path / "site", "my_plug", LINKS, direct=direct)
    assert inside.project_of(found) is None


def test_a_project_of_another_name_or_place_is_not_believed(tmp_path, project):
    sites = (tmp_path / f"site{number}" for number in itertools.count())

    def believed(name="my_plug", record=LINKS, at=project, editable=True):
        place = next(sites)
        found = installed(place, name, record, direct=in_place(at, editable))
        return inside.project_of(found)

    assert believed() == project
    assert believed(editable=False) is None
    assert believed("other") is None
    assert believed(record=[*LINKS, "my_plug/__init__.py"]) is None  # its code is elsewhere
    elsewhere = {**in_place(project), "url": project.as_uri().replace("file:", "ftps:")}
    found = installed(next(sites), "my_plug", LINKS, direct=elsewhere)
    assert inside.project_of(found) is None
    within = tmp_path / "own" / "project"
    within.mkdir(parents=True)
    (within / "pyproject.toml").write_text('[project]\nname = "my-plug"\n')
    found = installed(tmp_path / "own", "my_plug", LINKS, direct=in_place(within))
    assert inside.project_of(found) is None
    assert believed(at=within) == within  # among other packages it is somebody's project
    (project / "pyproject.toml").unlink()
    assert believed() is None
    (project / "setup.cfg").mkdir()
    (project / "setup.py").write_text("from setuptools import setup\nsetup(name='my_plug')\n")
    assert believed() == project


@pytest.mark.parametrize(
    ("values", "files", "known"),
    [
        (["a.b:c"], ["a/x.py"], False),  # any folder is a part of a namespace
        (["a.b:c"], ["a/b.py"], True),
        (["a.b:c"], ["a/__init__.py"], True),
        (["docs"], ["docs/conf.py"], False),
        (["a"], ["a.py"], True),
        (["a:c"], ["src/a/__init__.py"], True),
        (["a:c"], ["src/a.py"], True),
        (["a:c"], ["src/deep/a.py"], False),
        (["a:c"], ["a.txt"], False),
        (["a:c", "b:c"], ["a.py", "b.py"], True),
        (["a:c", "b:c"], ["a.py"], False),
    ],
)
def test_a_project_has_the_code_of_its_plugins(tmp_path, project, values, files, known):
    for file in files:
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).touch()
    found = installed(tmp_path / "site", "my_plug", LINKS, points(*values), in_place(project))
    assert inside.has_its_code(found, project) == known
    assert inside.points_of(found) == [[f"p{i}", value] for i, value in enumerate(values)]
    assert (inside.project_of(found) == project) == known


def test_folders_that_pth_files_name_count_where_they_lie_in_the_project(
    tmp_path, project, monkeypatch
):
    monkeypatch.chdir(project)
    site = tmp_path / "site"
    (project / "deep" / "more").mkdir(parents=True)
    (project / "deep" / "more" / "a.py").touch()
    found = installed(
        site, "my_plug", ["x.pth", "y/z.pth", "no.pth"], points("a:b"), in_place(project)
    )
    (site / "x.pth").write_text(f"import os\n{project}/deep/more\n{tmp_path}\ndeep\n{project}\n")
    (site / "y").mkdir()
    (site / "y" / "z.pth").write_text(f"{project}/deep\n")
    assert inside.linked_folders(found, project) == [project / "deep" / "more", project]
    assert inside.project_of(found) == project
    assert inside.places_of(found) == [str(project / "deep" / "more" / "a.py")]


def test_packages_and_modules_of_a_folder(tmp_path, project):
    for file in ("a/__init__.py", "b/x.py", "c.py", "d.txt", "tests/__init__.py", "setup.py"):
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).touch()
    (project / "e.py").mkdir()
    names = {os.path.basename(place) for place in inside.importable_in(project)}
    assert names == {"a", "c.py"}
    assert inside.importable_in(project / "gone") == []
    (project / "src").mkdir()
    (project / "src" / "f.py").touch()
    found = installed(tmp_path / "site", "my_plug", LINKS, direct=in_place(project))
    assert inside.places_of(found) == [str(project / name) for name in ("a", "c.py", "src/f.py")]
    assert inside.places_of(installed(tmp_path / "site", "other")) == []


def test_a_list_of_files_is_read_line_by_line_up_to_a_number(tmp_path, monkeypatch):
    found = installed(tmp_path, "a", ['"b,""c"".py"', "d\0e.py", "", "f.py", "g.py"])
    assert [*inside.listed_by(found)] == ['b,"c".py', "f.py", "g.py"]
    assert inside.fault_of_list(found) == ""
    monkeypatch.setattr(inside, "MOST_LISTED", 5)
    assert inside.fault_of_list(found) == ""
    monkeypatch.setattr(inside, "MOST_LISTED", 4)
    assert inside.listed_by(found) == []
    assert inside.fault_of_list(found) == "has more than 4 lines"


def test_metadata_is_read_up_to_a_size(tmp_path, monkeypatch):
    found = installed(tmp_path, "a", direct="x" * 200)
    size = os.stat(found._path / "METADATA").st_size
    monkeypatch.setattr(inside, "LARGEST", 200)
    assert inside.text_of(found, "direct_url.json") == "x" * 200
    monkeypatch.setattr(inside, "LARGEST", 199)
    assert inside.text_of(found, "direct_url.json") == ""
    assert inside.text_of(found, "gone") == ""
    monkeypatch.setattr(inside, "LARGEST", size)
    assert inside.name_of(found) == "a"
    monkeypatch.setattr(inside, "LARGEST", size - 1)
    assert inside.name_of(found) == ""
    monkeypatch.setattr(inside, "LARGEST", 7)
    (found._path / "RECORD").write_text("a.py,,\n")
    assert inside.listed_by(found) == ["a.py"]
    monkeypatch.setattr(inside, "LARGEST", 6)
    assert inside.fault_of_list(found) == "has 7 bytes and may have 6"
    monkeypatch.setattr(inside, "LARGEST", size - 1)
    (found._path / "direct_url.json").write_bytes(b"\xff")
    assert inside.text_of(found, "direct_url.json") == ""


def test_metadata_that_another_distribution_brought_is_claimed(tmp_path):
    listed = ["b-1.dist-info/METADATA", "b-1.dist-info/RECORD", "a-1.dist-info/METADATA", "a.py"]
    a, b = installed(tmp_path, "a", listed), installed(tmp_path, "b", ["b-1.dist-info/METADATA"])
    assert inside.claimed([a, b]) == {str(tmp_path / "b-1.dist-info"): "a"}
    (a._path / "METADATA").unlink()
    assert inside.claimed([a]) == {str(tmp_path / "b-1.dist-info"): "a-1.dist-info"}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_metadata_are_claimed_wherever_they_stand_in_a_list(tmp_path, place):
    listed = ["a.py", "a-1.dist-info/METADATA"]
    listed.insert(place, "b-1.dist-info/METADATA")
    a = installed(tmp_path, "a", listed)
    assert inside.claimed([a]) == {str(tmp_path / "b-1.dist-info"): "a"}


def test_what_a_distribution_needs_is_known_by_normalised_names(tmp_path):
    needs = ["Foo_Bar[x]>=1; extra == 'y'", "a.b", "c (>=2)"]
    assert inside.needs_of(installed(tmp_path, "n", needs=needs)) == ["foo-bar", "a-b", "c"]
    assert inside.needs_of(installed(tmp_path, "m")) == []
    known = {
        "a": {"needs": ["b", "gone"]},
        "b": {"needs": ["c", "a"]},
        "c": {"needs": []},
        "d": {"needs": ["a"]},
    }
    assert inside.closure("a", known) == ["a", "b", "c"]
    assert inside.closure("gone", known) == []


def test_what_lies_below_a_folder_wherever_links_lead(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "ab").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "out").symlink_to(tmp_path / "ab")
    below = {
        place: inside.lies_below(str(tmp_path / place), tmp_path / "a")
        for place in ("a", "a/b", "a/b/c", "ab", "link/b", "a/out", ".")
    }
    assert [place for place, lies in below.items() if lies] == ["a", "a/b", "a/b/c", "link/b"]
    assert inside.lies_below(str(tmp_path / "a" / "b"), tmp_path / "link")


def test_where_a_package_lies_is_found_without_importing_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "made_up_package").mkdir()
    (tmp_path / "made_up_package" / "__init__.py").write_text("raise SystemExit")
    (tmp_path / "made_up_module.py").write_text("raise SystemExit")
    assert inside.place_of("made_up_package") == {
        "origin": str(tmp_path / "made_up_package" / "__init__.py"),
        "folders": [str(tmp_path / "made_up_package")],
    }
    assert inside.place_of("made_up_module")["folders"] == []
    assert inside.place_of("made_up_nothing") is inside.place_of("") is None


# interpreters


@pytest.fixture
def home_of_pythons(tmp_path, monkeypatch):
    """A home with Pythons of pyenv and uv, and none on PATH."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    for place in (
        ".pyenv/versions/3.10.2/bin/python",
        ".pyenv/versions/3.10.11/bin/python",
        ".pyenv/versions/3.9.1/bin/python",
        "other/versions/3.10.4/bin/python",
        ".local/share/uv/python/cpython-3.10.3-linux/bin/python3.10",
        "bin/python3.10",
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("#!/bin/sh\n")
        (tmp_path / place).chmod(0o755)
    return tmp_path


def test_candidates_are_ones_own_that_on_path_then_the_newest(home_of_pythons, monkeypatch):
    def found(version):
        _, *others = interpreters.candidates(version)
        return [str(path.relative_to(home_of_pythons)) for path in others]

    assert found("3.10") == [
        "bin/python3.10",
        ".pyenv/versions/3.10.11/bin/python",
        ".pyenv/versions/3.10.2/bin/python",
        ".local/share/uv/python/cpython-3.10.3-linux/bin/python3.10",
    ]
    assert found("3.9.1") == [".pyenv/versions/3.9.1/bin/python"]
    monkeypatch.setenv("PYENV_ROOT", str(home_of_pythons / "other"))
    assert found("3.10")[1] == "other/versions/3.10.4/bin/python"
    monkeypatch.setattr(sys, "_base_executable", "/of/kobench")
    assert next(interpreters.candidates("3.10")) == Path("/of/kobench")


def test_the_first_candidate_of_the_version_is_taken(home_of_pythons, monkeypatch):
    versions = {"a": "broken", "b": (3, 11, 2), "c": (3, 10, 11), "d": (3, 10, 12)}
    monkeypatch.setattr(interpreters, "candidates", lambda _: map(Path, versions))
    monkeypatch.setattr(interpreters, "_version", lambda path: versions[str(path)])
    assert interpreters.find_interpreter("3.10") == (Path("c"), "3.10.11")
    assert interpreters.find_interpreter("3.10.12") == (Path("d"), "3.10.12")
    with pytest.raises(UserError, match="looked at a, b, c, d;"):
        interpreters.find_interpreter("3.12")
    with pytest.raises(UserError, match="neither an interpreter nor a version"):
        interpreters.find_interpreter("no-such-command")
    with pytest.raises(UserError, match="neither an interpreter nor a version"):
        interpreters.find_interpreter(str(home_of_pythons))
    python = home_of_pythons / "bin" / "python3.10"
    versions[str(python)] = (3, 8, 1)
    with pytest.raises(UserError, match=r"is Python 3\.8\.1; .* needs 3\.9 or"):
        interpreters.find_interpreter("python3.10")
    versions[str(python)] = "no venv"
    with pytest.raises(UserError, match="can't make an environment: no venv"):
        interpreters.find_interpreter(str(python))


def test_why_an_interpreter_cannot_be_used(home, tmp_path):
    def said(script):
        file = tmp_path / "python"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return interpreters._version(file)

    assert said("echo '[3, 11, 4]'") == (3, 11, 4)
    assert said("echo one >&2; echo two >&2; exit 3") == "two"
    assert said("echo '[3, 11, 4]'; exit 3") == "it ended with exit code 3"
    assert said("exit 3") == "it ended with exit code 3"
    assert isinstance(said("echo nothing"), str)
    assert "No such file" in interpreters._version(tmp_path / "gone")
    within = environments.environments_folder() / "a" / "bin" / "python"
    assert "lies in an environment" in interpreters._version(within)


# environments


def test_names_are_those_of_folders_that_are_shown(home):
    folder = environments.environments_folder()
    assert environments.names() == []
    for name in ("b", "a", ".making"):
        (folder / name).mkdir(parents=True)
    (folder / "file").touch()
    assert environments.names() == ["a", "b"]
    assert [name for name, _ in environments.complete()[1]] == ["a", "b"]
    for name in (".making", "a/../b", "c"):
        with pytest.raises(UserError, match="there is no environment") as refused:
            environments.read(name)
        assert not isinstance(refused.value, BrokenError)


def test_what_describes_an_environment_is_checked(home):
    folder = environments.environments_folder() / "a"
    (folder / "1" / "bin").mkdir(parents=True)
    sound = {"format": environments.FORMAT, "serial": "1", "site": "lib", "from": ["x"]}

    def said(**changes):
        about = {key: value for key, value in {**sound, **changes}.items() if value is not None}
        (folder / "environment.json").write_text(json.dumps(about))
        with pytest.raises(BrokenError) as broken:
            environments.read("a")
        return str(broken.value)

    assert "has no interpreter at" in said()
    assert "newer kobench (format 2, this one knows 1)" in said(format=2)
    for changes in ({"serial": "../x"}, {"site": "/etc"}, {"site": "../x"}, {"format": None}):
        assert "can't be read" in said(**changes)
    (folder / "1" / "bin" / "python").symlink_to(sys.executable)
    (folder / "environment.json").write_text(json.dumps(sound))
    assert environments.read("a").site == folder / "1" / "lib"


def test_folders_in_place_are_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    specs = ["-e  ./plug ", "numpy", "-e/x", f"-e {tmp_path}/other"]
    assert folders_in_place(specs) == (tmp_path / "plug", tmp_path / "other")


def test_the_size_of_an_environment_counts_each_file_once(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "here"
    elsewhere.write_bytes(os.urandom(4_000_000))
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one").write_bytes(os.urandom(3_000_000))
    os.link(folder / "deep" / "one", folder / "two")
    for number, target in enumerate((folder / "deep" / "one", elsewhere, tmp_path / "nowhere")):
        (folder / f"link{number}").symlink_to(target)
    assert megabytes(folder) == 3
    (folder / "three").write_bytes(os.urandom(2_000_000))
    assert megabytes(folder) == 5


# pip


def test_what_is_wanted_must_be_there(tmp_path):
    file = tmp_path / "r.txt"
    file.touch()
    for wrong in (Wanted([]), Wanted(["x"], tmp_path / "gone"), Wanted([], None, [tmp_path])):
        with pytest.raises(UserError):
            wrong.check()
    Wanted(["x"], file, [file]).check()
    Wanted([], None, [file]).check()
    assert str(Wanted(["a", "b"], "c", ["d"])) == "a, b, d"
    assert arguments_of(str(file)) == ["-r", str(file)]
    assert arguments_of("gone.txt") == ["gone.txt"]
    with pytest.raises(UserError, match="not an option of pip"):
        arguments_of("--index-url x")


def test_everything_is_installed_in_one_go(home, tmp_path, monkeypatch):
    ran = []

    def run_logged(command, log, what):
        constraint = Path(command[command.index("-c") + 1])
        ran.append((command, constraint.read_text(), constraint))

    monkeypatch.setattr(pip, "run_logged", run_logged)
    pip.making_folder().mkdir(parents=True)
    wanted = Wanted(["a", "-e b"], "c.txt", ["r1", "r2"])
    pip.install(Path("/py"), wanted, tmp_path / "log", "name")
    ((command, own_version, constraint),) = ran
    assert command[:5] == ["/py", "-I", "-m", "pip", "install"]
    tail = ["-c", "c.txt", "-r", "r1", "-r", "r2", "a", "-e", "b", "numpy>=1.21"]
    assert command[-len(tail) :] == tail
    assert own_version == f"kobench=={__version__}\n"
    assert not constraint.exists()


def test_a_command_that_fails_shows_the_end_of_its_log(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/else")
    monkeypatch.setenv("KEPT", "yes")
    log = tmp_path / "log"
    log.write_text("before\n")
    pip.run_logged(["/bin/sh", "-c", "echo $PYTHONPATH-$KEPT; echo err >&2"], log, "it")
    assert log.read_text() == "before\n-yes\nerr\n"
    script = "for i in $(seq 50); do echo line$i; done; exit 3"
    with pytest.raises(UserError, match="it: it ended with exit code 3") as failed:
        pip.run_logged(["/bin/sh", "-c", script], log, "it")
    shown = [line.strip() for line in str(failed.value).splitlines() if "line" in line]
    assert shown == [f"line{i}" for i in range(51 - pip.LOG_LINES, 51)]
    with pytest.raises(UserError, match="it failed: "):
        pip.run_logged([str(tmp_path / "gone")], log, "it")


# kobench's own part


@pytest.mark.parametrize(
    ("there", "renewed", "put", "kept_time"),
    [
        ({"version": __version__, "digest": "d", "stamp": "s"}, False, False, True),
        ({"version": __version__, "digest": "d", "stamp": "old"}, False, False, True),
        ({"version": __version__, "digest": "old", "stamp": "old"}, True, True, True),
        ({"version": "0", "digest": "old", "stamp": "old"}, True, True, False),
        ({}, True, True, False),
    ],
)
def test_a_copy_is_renewed_where_its_content_is_another(
    home, tmp_path, monkeypatch, there, renewed, put, kept_time
):
    monkeypatch.setattr(own, "stamp", lambda: "s")
    monkeypatch.setattr(own, "digest", lambda: "d")
    calls = []

    def put_into(site, base):
        calls.append((site, base))
        os.utime(site, ns=(5, 5))

    monkeypatch.setattr(own, "put_into", put_into)
    (tmp_path / "site").mkdir()
    (tmp_path / "kobench.json").write_text(json.dumps(there))
    os.utime(tmp_path / "site", ns=(3, 3))
    one = SimpleNamespace(name="a", prefix=tmp_path, site=tmp_path / "site", made_from="base")
    assert own.renew(one) == renewed
    assert calls == [(tmp_path / "site", "base")] * put
    assert os.stat(tmp_path / "site").st_mtime_ns == (3 if kept_time else 5)
    assert own.noted(tmp_path) == {"version": __version__, "digest": "d", "stamp": "s"}
    assert own.renew(one) is False


def test_what_is_noted_of_a_copy_may_be_damaged(tmp_path):
    assert own.noted(tmp_path) == {}
    for content in ("{", "3", "[1]"):
        (tmp_path / "kobench.json").write_text(content)
        assert own.noted(tmp_path) == {}


def test_a_digest_is_of_names_and_contents(tmp_path):
    for name, content in (("a", "1"), ("b", "2"), ("c", "1")):
        (tmp_path / name).write_text(content)
    a, b, c = (tmp_path / name for name in "abc")
    found = own.digest_of({"x": a, "y": b})
    assert own.digest_of({"y": b, "x": c}) == found
    assert len({found, own.digest_of({"x": b, "y": a}), own.digest_of({"x": a, "z": b})}) == 3


# what an environment was made of


def test_what_pip_takes_for_a_path_is_kept_as_one_that_can_be_read_from_anywhere(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plug").mkdir()
    (tmp_path / "a.whl").touch()
    (tmp_path / "r.txt").touch()
    for spec, kept in (
        ("-e  plug ", f"-e {tmp_path}/plug"),
        ("-e plug[x]", f"-e {tmp_path}/plug[x]"),
        ("./plug", f"{tmp_path}/plug"),
        ("plug", "plug"),
        ("a.whl", f"{tmp_path}/a.whl"),
        ("gone.whl", "gone.whl"),
        ("./gone", "./gone"),
        ("numpy[extra]<2", "numpy[extra]<2"),
        ("plug/../plug[y]", f"{tmp_path}/plug[y]"),
    ):
        assert create._absolute(spec) == kept
    (tmp_path / "r.txt").write_bytes(b"numpy\n\xff")
    assert create._text_of(tmp_path / "r.txt") == {"file": "r.txt", "text": "numpy\n\ufffd"}
    assert create._text_of(None) is None


def test_an_environment_must_have_a_plugin():
    def inside(*installed):
        return {
            "installed": [
                {"name": name, "version": "1", "points": points} for name, points in installed
            ]
        }

    create._refuse_without_plugin("e", ["x"], inside(("a", []), ("b", [["p", "b:x"]])))
    many = [(f"n{i}", []) for i in range(14)]
    with pytest.raises(UserError) as refused:
        create._refuse_without_plugin("e", [], inside(("pip", []), ("kobench", []), *many))
    said = str(refused.value)
    assert "the requirements installed n0 1, " in said
    assert "n11 1 and 2 more," in said
    assert "pip 1" not in said
    with pytest.raises(UserError, match="x, y installed a 1, none of which"):
        create._refuse_without_plugin("e", ["x", "y"], inside(("a", [])))
