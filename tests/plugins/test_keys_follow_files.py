"""A predictor's key follows every file of its distribution, and nothing that is made anew."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from pretend_plugins import Site, good

from kobench.plugins.discovery import NOTES, files_of
from kobench.plugins.hidden import HiddenFromPlugins
from kobench.plugins.links import in_place
from kobench.plugins.load import links_of, load_registry
from kobench.runner.reach import Hidden
from kobench.util import hashes
from kobench.util.hashes import Hashes, files_below, hash_of_all


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are remembered at once, though they were just written."""
    monkeypatch.setattr(hashes, "YOUNG", -hashes.YOUNG)


def digest() -> str:
    return load_registry().find("predictors", "mine").digest


def files_of_mine() -> set[str]:
    (source,) = [each for each in load_registry().sources if each.distribution == "good-dist"]
    return set(source.files)


def replaced(path: Path, content: bytes) -> None:
    """Other content, with the size and the time that the file had before."""
    before = path.stat()
    assert len(content) == before.st_size
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def package(site: Site) -> Path:
    """The folder of a package with weights, installed with a list of its files."""
    site.install(
        "good-dist",
        {
            "good_package/__init__.py": good("Mine"),
            "good_package/data/w.npz": "weights",
            "good_package/model.so": "machine code",
            "good_dist_more.txt": "beside the package",
            "good_dist.pth": "import good_package\n",  # run at the start of every interpreter
        },
    )
    return site.folder / "good_package"


@pytest.mark.parametrize(
    "name",
    ["data/w.npz", "model.so", "../good_dist_more.txt", "../good_dist.pth", "__init__.py"],
)
def test_a_changed_file_changes_the_key_though_size_and_time_are_kept(
    name: str, package: Path
) -> None:
    first = digest()
    assert digest() == first
    content = (package / name).read_bytes()
    replaced(package / name, content[:-1] + b" ")
    second = digest()
    assert second != first
    replaced(package / name, content)
    assert digest() == first


@pytest.mark.parametrize(
    "name",
    [
        "data/new.pt",
        ".hidden/w.txt",
        "__pycache__/w.npz",  # whatever is called as a cache is
        "__pycache__/w.cpython-311.pyc",  # and what has no source
        "__pycache__/w.nbc",
        "__pycache__/__init__.pyc.txt",
        "sourceless.pyc",
        "__init__.pyc",  # beside its source nobody keeps it
        "data/link",
    ],
)
def test_a_new_file_changes_the_key(name: str, package: Path) -> None:
    first = digest()
    (package / name).parent.mkdir(exist_ok=True)
    if name == "data/link":
        (package / name).symlink_to("/usr/share")
    else:
        (package / name).write_text("x")
    assert digest() != first
    (package / name).unlink()
    if name.startswith(".hidden"):
        assert digest() != first  # the name of an empty folder can be read, too
        (package / name).parent.rmdir()
    assert digest() == first


def test_every_folder_of_a_package_counts(tmp_path: Path) -> None:
    """What some tools install in place has several: its sources, and what was built of them."""
    info = Site(tmp_path / "site").install("good-dist", {"unused.txt": ""}, {"g": "good_package"})
    folders = [tmp_path / place / "good_package" for place in ("sources", "built", "generated")]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        (folder / f"{number}.npz").write_text("weights")
    init = folders[0] / "__init__.py"
    init.write_text("")
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = good-dist\n")
    about = {"dir_info": {"editable": True}, "url": f"file://{tmp_path}"}
    (info / "direct_url.json").write_text(json.dumps(about))
    roots, files, _ = files_of(
        Distribution.at(info),
        [("g", "good_package:hooks")],
        lambda top: (str(init), list(map(str, folders))) if top == "good_package" else None,
    )
    assert roots == {"good_package": folders[0]}
    of_package = {name: path for name, path in files.items() if name.startswith("good_package/")}
    assert of_package == {
        "good_package/__init__.py": init,
        **{f"good_package/{i}.npz": folder / f"{i}.npz" for i, folder in enumerate(folders)},
    }


@pytest.mark.parametrize(
    "path",
    [
        "good_package/w.npz",
        "w.npz",
        "x\x0cw.npz",
        "../share/x/bin/good",
        "../share/x/bin/other",
        "../bin/good",
        "../bin/good.exe",
        "../bin/other",
        "../include/good.h",
        "_editable_impl_good/w.txt",
        "_editable_impl_good.pth",
        "__editable__good/w.txt",
        "other-1.0.dist-info/uv_cache.json",
        "good_package/good_dist-1.0.dist-info/RECORD",
        *(f"good_dist-1.0.dist-info/{note}" for note in (*NOTES, "licenses/w.txt")),
    ],
)
def test_no_file_is_left_out_of_the_key_that_a_predictor_may_read(site: Site, path: str) -> None:
    """Whatever it is called: two predictors would have one key."""
    modules = {"good_package/__init__.py": good("Mine"), path: "weights 0"}
    if path == "good_dist-1.0.dist-info/RECORD":
        modules.pop(path)
    info = site.install("good-dist", modules)
    with open(info / "entry_points.txt", "a") as file:
        file.write("[console_scripts]\ngood = good_package:main\n")
    registry = load_registry()
    entry = registry.find("predictors", "mine")
    place = site.folder / path
    if place.name != "RECORD" or place.parent != info:
        place.write_text("weights 1")
    changed = load_registry().find("predictors", "mine").digest != entry.digest
    hidden = {place, place.parent} & set(Hidden().of(entry))
    assert changed or hidden
    if place.parent == info and place.name in NOTES:
        assert {place} == hidden


#: What follows the first line of programs that pip and uv make of `mine = good_package:main.run`.
BODIES = {
    "pip": """# -*- coding: utf-8 -*-
import re
import sys
from good_package import main
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(main.run())
""",
    "uv": """# -*- coding: utf-8 -*-
import sys
from good_package import main
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit(main.run())
""",
}


@pytest.fixture
def program(package: Path) -> Path:
    """A program of an entry point, which the list of files has."""
    info = package.parent / "good_dist-1.0.dist-info"
    points = info / "entry_points.txt"
    points.write_text(points.read_text() + "[console_scripts]\nmine = good_package:main.run\n")
    (info / "RECORD").write_text(
        (info / "RECORD").read_text() + "../bin/mine,sha256=abc,7\n../share/bin/mine,,\n"
    )
    found = package.parent.parent / "bin" / "mine"
    found.parent.mkdir()
    return found


def test_programs_that_an_installer_makes_do_not_count(program: Path) -> None:
    here, long = sys.executable, Path(sys.executable).resolve()
    found = set()
    for body in BODIES.values():
        for head in (
            f"#!{here}\n",
            f"#!{long}\n",
            f"#!/bin/sh\n'''exec' '{here}' \"$0\" \"$@\"\n' '''\n",
            f"#!/bin/sh\n'''exec' {here} \"$0\" \"$@\"\n' '''\n",
        ):
            program.write_text(head + body)
            found.add(digest())
    program.write_text("")
    assert len(found) == 1
    assert digest() not in found


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("bin/mine", "weights"),
        ("bin/mine", "#!{python}\n{body}# weights\n"),
        ("bin/mine", "#!/no/weights/python\n{body}"),
        ("bin/mine", "#!{python}\n# weights\n{body}"),
        ("bin/mine", "#!{python}\n{body} \t  \t\n\n\n"),
        ("bin/mine", "#!{python}\n{body}import sys, re\n"),
        ("bin/mine", "#!/usr/../usr/bin/env\n{body}"),
        ("share/bin/mine", "weights"),
        ("bin/other", "#!{python}\n{body}"),
    ],
)
def test_what_a_wheel_calls_a_program_counts(place: str, text: str, program: Path) -> None:
    """Any name can be that of an entry point, and any folder may be called bin."""
    file = program.parents[1] / place
    file.parent.mkdir(parents=True, exist_ok=True)
    record = program.parents[1] / "site" / "good_dist-1.0.dist-info" / "RECORD"
    if place == "bin/other":
        record.write_text(record.read_text() + "../bin/other,,\n")
    file.write_text(text.format(python=sys.executable, body=BODIES["pip"]))
    first = digest()
    replaced(file, file.read_bytes().replace(b"g", b"G").replace(b"n", b"N"))
    assert digest() != first


@pytest.mark.parametrize("name", ["METADATA", "w.txt", "licenses/w.txt"])
def test_metadata_count_in_no_list_too(package: Path, name: str) -> None:
    """Not every installer completes a list that leaves files out."""
    file = package.parent / "good_dist-1.0.dist-info" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + "Summary: 1\n")
    first = digest()
    file.write_text(file.read_text().replace("Summary: 1", "Summary: 2"))
    assert digest() != first


def test_of_what_is_installed_in_place_links_are_hidden_and_metadata_count(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What builds a project writes both, so they may hold anything."""
    project = tmp_path / "project"
    (project / "good_one").mkdir(parents=True)
    (project / "good_one" / "__init__.py").write_text(good("Mine"))
    (project / "setup.cfg").write_text("[metadata]\nname = good-dist\n")
    links = ["_editable_impl_good_dist.pth", "__editable___good_finder.py", "good.pth"]
    info = site.install("good-dist", dict.fromkeys(links, "# 1\n"), {"g": "good_one"})
    about = {"dir_info": {"editable": True}, "url": f"file://{project}"}
    (info / "direct_url.json").write_text(json.dumps(about))
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(project))
        in_place.cache_clear()
        first = digest()
        hidden = Hidden().of(load_registry().find("predictors", "mine"))
        assert {site.folder / name for name in links} <= set(hidden)
        with (info / "METADATA").open("a") as file:
            file.write("\nweights\n")
        assert digest() != first
    in_place.cache_clear()


@pytest.mark.parametrize("needed", [False, True])
def test_all_that_is_shown_of_what_is_installed_in_place_is_in_the_key(
    site: Site, tmp_path: Path, needed: bool
) -> None:
    """Other packages of the project, and of a project that it needs, are read in trials."""
    for number, name in enumerate(("good-dist", "good-core")[: 1 + needed]):
        project = tmp_path / name
        for package in (("good_one", "good_two"), ("core_one", "core_two"))[number]:
            (project / package).mkdir(parents=True)
            (project / package / "__init__.py").write_text(good("Mine") if not number else "")
        (project / "setup.cfg").write_text(f"[metadata]\nname = {name}\n")
        info = site.install(name, {}, {"g": "good_one"} if not number else {"c": "core_one"})
        if number:
            (info / "entry_points.txt").unlink()
        else:
            with open(info / "METADATA", "a") as file:
                file.write("Requires-Dist: good-core\n")
        about = {"dir_info": {"editable": True}, "url": f"file://{project}"}
        (info / "direct_url.json").write_text(json.dumps(about))
        sys.path.insert(1, str(project))  # the fixture of the site takes it back
    in_place.cache_clear()
    first = digest()
    other = tmp_path / ("good-core/core_two" if needed else "good-dist/good_two") / "w.txt"
    other.write_text("5.0")
    second = digest()
    assert second != first
    other.write_text("0.0")
    assert digest() not in (first, second)
    shown = links_of(load_registry().find("predictors", "mine"))
    assert other.parent.name in shown
    in_place.cache_clear()


def test_a_renamed_file_changes_the_key(package: Path) -> None:
    first = digest()
    (package / "data" / "w.npz").rename(package / "data" / "v.npz")
    assert digest() != first


def test_what_is_compiled_anew_does_not_change_the_key(package: Path) -> None:
    first = digest()
    (package / "__pycache__").mkdir()
    (package / "a.py").write_text("")
    first = digest()
    for name in (
        "a.cpython-311.pyc",
        "a.cpython-311.pyc.140",
        "a.f-1.py311.nbi",
        "a.f-1.py311.1.nbc",
    ):
        (package / "__pycache__" / name).write_text("x")
    assert digest() == first


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("good_package/__pycache__/__init__.cpython-311.pyc", "sha256=abc,7"),
        ("good_package/__pycache__/__init__.f-1.py311.nbc", "sha256=abc,7"),
        ("../bin/weights", "sha256=abc,7"),
        ("good_dist-1.0.dist-info/METADATA", "sha256=abc,7"),
        ("good_dist-1.0.dist-info/entry_points.txt", "sha256=abc,7"),
    ],
)
def test_what_a_wheel_brought_counts_whatever_it_is_called(
    name: str, listed: str, package: Path
) -> None:
    """What an installer compiled is listed without a hash."""
    file = package.parent / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(file.read_text() if file.exists() else "weights")
    record = package.parent / "good_dist-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + f"{name},{listed}\n")
    first = digest()
    replaced(file, file.read_bytes()[:-1] + b" ")
    assert digest() != first


@pytest.mark.parametrize(
    ("name", "is_listed"),
    [
        ("good_package/__pycache__/__init__.cpython-39.pyc", True),
        ("good_package/__pycache__/__init__.cpython-311.pyc", False),
        ("good_package/data/__pycache__/more.f-1.py311.nbc", True),
        ("beside-it/__pycache__/more.cpython-311.opt-2.pyc", True),
    ],
)
def test_what_no_key_holds_is_hidden_from_who_brought_it(
    name: str, is_listed: bool, package: Path
) -> None:
    """Whoever makes a wheel writes its list of files, and can leave out a hash."""
    file = package.parent / name
    file.parent.mkdir(parents=True)
    (file.parents[1] / "more.py").touch()
    file.write_text("weights")
    if is_listed:
        record = package.parent / "good_dist-1.0.dist-info" / "RECORD"
        record.write_text(record.read_text() + f"{name},,\n")
    first = digest()
    replaced(file, b"stolen!")
    assert digest() == first
    registry = load_registry()
    assert file.parent in Hidden().of(registry.find("predictors", "mine"))
    (source,) = [each for each in registry.sources if each.distribution == "good-dist"]
    assert file.parent in HiddenFromPlugins().of(source)


def test_the_same_files_have_the_same_key_wherever_and_however_they_are_installed(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "cache"))
    found, files = [], []
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mine").write_text(f"#!{sys.executable}\n{BODIES['pip']}")
    for place in ("here", "there"):
        site = Site(tmp_path / place)
        info = site.install(
            "good-dist",
            {"good_package/__init__.py": good("Mine"), "good_package/w.npz": place[-2:]},
        )
        for name in ("INSTALLER", "direct_url.json", "REQUESTED", "WHEEL"):
            (info / name).write_text("{}" if name.endswith("json") else place)
        (info / "RECORD").write_text(
            (info / "RECORD").read_text()
            + "".join(f"{info.name}/{path.name},,\n" for path in info.iterdir())
            + "../bin/mine,,\n"
        )
        (info / "entry_points.txt").write_text(
            (info / "entry_points.txt").read_text()
            + "[console_scripts]\nmine = good_package:main.run\n"
        )
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(site.folder))
            found.append(digest())
            files.append(files_of_mine())
    editable = Site(tmp_path / "editable")
    info = editable.install("good-dist", {"unused.py": ""}, points={"good-dist": "good_package"})
    (tmp_path / "there" / "setup.cfg").write_text("[metadata]\nname = good_dist\n")
    about = {"dir_info": {"editable": True}, "url": f"file://{tmp_path}/there"}
    (info / "direct_url.json").write_text(json.dumps(about))
    (editable.folder / "mine.pth").write_text(str(tmp_path / "there"))
    (info / "RECORD").write_text("mine.pth,,\n")
    (tmp_path / "there" / "good_dist-1.0.dist-info").rename(tmp_path / "gone")
    monkeypatch.syspath_prepend(str(tmp_path / "there"))
    monkeypatch.syspath_prepend(str(editable.folder))
    assert found[0] == found[1]
    assert files_of_mine() == files[0] == files[1]


def test_a_module_that_is_installed_in_place_counts_though_no_list_has_it(
    site: Site, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "setup.cfg").write_text("[metadata]\nname = good_dist\n")
    module = project / "good_one.py"
    module.write_text(good("Mine"))
    info = site.install("good-dist", {"unused.py": ""}, points={"good-dist": "good_one"})
    about = {"dir_info": {"editable": True}, "url": project.as_uri()}
    (info / "direct_url.json").write_text(json.dumps(about))
    (site.folder / "mine.pth").write_text(str(project))
    (info / "RECORD").write_text("mine.pth,,\n")
    with pytest.MonkeyPatch.context() as patch:  # undone before the site is
        patch.syspath_prepend(str(project))
        assert "good_one.py" in files_of_mine()
        first = digest()
        module.write_text(good("Mine") + "# edited\n")
        assert digest() != first


def test_a_single_plugin_file_is_all_that_counts_of_its_folder(
    tmp_path: Path, described: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox lets it read nothing beside itself, but for what `--readable` names."""
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    plugin = tmp_path / "mine.py"
    plugin.write_text(good("Mine"))

    def of_file() -> str:
        return load_registry(plugin_files=[plugin]).find("predictors", "mine").digest

    first = of_file()
    (tmp_path / "weights.txt").write_text("x")
    assert of_file() == first
    replaced(plugin, plugin.read_bytes()[:-1] + b" ")
    assert of_file() != first


def test_a_file_is_read_once_and_again_when_it_may_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real: Callable[[Path], str] = hashes.sha256_of
    monkeypatch.setattr(hashes, "sha256_of", lambda path: (read.append(path.name), real(path))[1])
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(name)

    def both() -> str:
        return hash_of_all(files_below(folder), Hashes(tmp_path / "memory.json"), "it")

    first = both()
    assert both() == first
    assert read == ["a", "b"]
    replaced(folder / "b", b"c")
    assert both() != first
    assert read == ["a", "b", "b"]
    (tmp_path / "memory.json").write_text('{"x": 3}')
    both()
    assert read[3:] == ["a", "b"]


def test_a_file_that_was_just_written_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another write in the same tick of the file system's clock would go unseen."""
    monkeypatch.setattr(hashes, "YOUNG", -hashes.YOUNG)
    file, memory = tmp_path / "file", Hashes(tmp_path / "memory.json")
    file.write_text("x")
    memory.of(file)
    memory.keep()
    assert not memory.memory.exists()


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    first = hash_of_all(files_below(folder), Hashes(tmp_path / "memory.json"), "it")
    os.mkfifo(folder / "pipe")  # who opens it waits for ever
    (folder / "nowhere").symlink_to("gone")
    assert hash_of_all(files_below(folder), Hashes(tmp_path / "memory.json"), "it") != first


def test_who_waits_while_much_is_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hashes, "MUCH", 3)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("1234")
    for _ in range(2):
        hash_of_all(files_below(tmp_path / "folder"), Hashes(tmp_path / "memory.json"), "my-dist")
    said = capfd.readouterr().err
    assert said.count("my-dist") == 1
    assert "GB" in said
