"""What runs unasked in kobench's own interpreter is found, refused and marked."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY
from pretend_plugins import Site
from tiny import TINY

from kobench.board.make import make_board
from kobench.checks.predictors import Setting, check_predictor
from kobench.environments import inside
from kobench.environments.inside import listed_by
from kobench.errors import UserError
from kobench.plugins import in_harness, pythons
from kobench.plugins.chosen import choose
from kobench.plugins.discovery import installed_sources
from kobench.plugins.entry import Entry
from kobench.plugins.in_harness import code_here, refuse_code_here
from kobench.plugins.installed_here import installed_here, of_programs, paths_of
from kobench.plugins.load import load_registry
from kobench.plugins.looked_for import LOOKED_FOR, NOBODYS, may_bring
from kobench.plugins.pth import OF_SETUPTOOLS
from kobench.plugins.sources import normalise
from kobench.plugins.unowned import unowned
from kobench.predict.predict import predict
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.util.text import visible

MEAN = """
from kobench.api import PredictorSpec, hookimpl, normalise_rows

class Mine:
    def fit(self, cells, context):
        self.mean = cells.profiles().mean(axis=0) + 1e-3
    def predict_expression(self, assemblages):
        return normalise_rows(assemblages * self.mean)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("mine", Mine)
"""


def forget() -> None:
    """Have what is installed looked at again."""
    in_harness._files_of.cache_clear()
    installed_here.cache_clear()


def found(site: Site, **more: str) -> tuple[str, ...]:
    forget()
    return code_here(Entry(None, "mine-dist", "1.0", "", **more))


#: A file, its text, and whether it runs in kobench's own process.
FILES = {
    "code in a link": ("mine.pth", "# a link\nimport os; os.getpid()\n", True),
    "code after a tab": ("mine.pth", "import\tos\n", True),
    "a link": ("mine.pth", "a_folder\n/another\n# import os\n", False),
    "the line of setuptools": ("mine.pth", OF_SETUPTOOLS + "\n", True),
    "what the line of setuptools imports": ("_distutils_hack/__init__.py", "", True),
    "code in a link whose name has quotes": ('"mine.pth', "import os\n", True),
    "code in a link whose name has an end of page": ("x\x0cmine.pth", "import os\n", True),
    "code in a link whose name has an end of line": ("x\nmine.pth", "import os\n", True),
    "code in a link whose name has a carriage return": ("x\rmine.pth", "import os\n", True),
    "code in a link whose name has an end of paragraph": ("x\u2028.pth", "import os\n", True),
    "what looks like another's module, compiled": (
        f"__pycache__/typing_extensions.{sys.implementation.cache_tag}.pyc",
        "",
        True,
    ),
    "what looks like another package's module": (
        "click/__pycache__/core.cpython-311.pyc",
        "",
        True,
    ),
    "what looks compiled of its own": ("__pycache__/mine_one.cpython-311.pyc", "", False),
    "what looks compiled in a package of its own": (
        "more/__pycache__/a.cpython-311.pyc",
        "",
        False,
    ),
    "metadata of another distribution": ("other-1.0.dist-info/entry_points.txt", "", True),
    "a single file of such metadata": ("other.egg-info", "", True),
    "metadata that a package keeps for itself": (
        "mine_more/other-1.0.dist-info/METADATA",
        "",
        False,
    ),
    "what claims to be an editable link": (
        "__editable__.mine.pth",
        "import __editable___mine_finder; __editable___mine_finder.install()\n",
        True,
    ),
    "a module at the start": ("sitecustomize.py", "", True),
    "a package at the start, in a linked folder": ("deep/usercustomize/__init__.py", "", True),
    "another's file": ("click/core.py", "", True),
    "a file of its own in another's package": ("numpy/_distributor_init_local.py", "", True),
    "a file in kobench": ("kobench/mine.py", "", True),
    "a program of another's": ("../bin/python3", "", True),
    "a program that Python starts": ("../bin/uname", "", True),
    "a program that some machines lack": ("../bin/nvcc", "", True),
    "a program of the system's": ("../bin/ls", "", True),
    "what shells run of an environment": ("../bin/activate", "", True),
    "the same for another shell": ("../bin/Activate.ps1", "", True),
    "a program of its own": ("../bin/mine-train", "", False),
    "a module that pickle looks for": ("org/__init__.py", "", True),
    "a module of another system's Python": ("winreg.py", "", True),
    "a package that pandas looks for": ("pyarrow/__init__.py", "", True),
    "a module that fontTools looks for": ("unicodedata2.py", "", True),
    "tests, as many have": ("tests/__init__.py", "", False),
    "a note": ("LICENSE", "", False),
    "a package of its own": ("mine_more/__init__.py", "", False),
}


@pytest.mark.parametrize(("path", "text", "runs"), FILES.values(), ids=FILES)
def test_files_that_run_unasked_are_found(
    site: Site, path: str, text: str, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(site.folder.parent / "bin" / "python"))
    site.install("mine-dist", {"mine_one.py": MEAN, path: text})
    shown = visible(path)
    assert found(site) == ((shown,) if runs else ())
    assert found(site, plugin_file="mine.py") == found(site, environment="apart") == ()


def test_a_package_that_is_looked_for_may_come_from_the_distribution_of_its_name(
    site: Site,
) -> None:
    """Predictors may need pyarrow, which pandas then imports: that is no other's package."""
    info = site.install("mine-dist", {"mine_one.py": MEAN})
    (info / "METADATA").write_text("Name: mine-dist\nVersion: 1\nRequires-Dist: Zappy\n")
    site.install("Zappy", {"zappy/__init__.py": ""})
    assert found(site) == ()


@pytest.mark.parametrize(
    ("distribution", "module", "runs"),
    [
        ("scikit-sparse", "sksparse", False),
        ("sksparse", "sksparse", True),
        ("odfpy", "odf", False),
        ("odf", "odf", True),  # there is one, which is another's
        ("python-snappy", "snappy", False),
        ("snappy", "snappy", True),
        ("Cython", "pyximport", False),
        ("cupy-cuda12x", "cupyx", False),
        ("cupyx", "cupyx", True),
        ("backports", "backports", True),
        ("IPython", "IPython", False),
        ("hdf5plugin", "hdf5plugin", False),
        ("helper", "hdf5plugin", True),
        ("helper", "helper", False),
    ],
)
def test_whose_a_module_is_decides_and_not_how_the_distribution_is_called(
    site: Site, distribution: str, module: str, runs: bool
) -> None:
    """What many look for has an owner on the index of packages, by whatever name."""
    info = site.install("mine-dist", {"mine_one.py": MEAN})
    (info / "METADATA").write_text(f"Name: mine-dist\nVersion: 1\nRequires-Dist: {distribution}\n")
    site.install(distribution, {f"{module}/__init__.py": ""})
    of = normalise(distribution)
    assert found(site) == ((f"{module}/__init__.py of {of}",) if runs else ())


def test_without_a_list_of_files_the_names_of_modules_count(site: Site) -> None:
    """So it is of what a system's own tools install."""
    info = site.install("mine-dist", {"mine_one.py": MEAN, "hdf5plugin/__init__.py": ""})
    (info / "RECORD").unlink()
    (info / "top_level.txt").write_text("mine_one\nhdf5plugin\n")
    assert found(site) == ("hdf5plugin/__init__.py",)


@pytest.mark.parametrize(
    ("link", "path", "runs"),
    [
        ("deep", "deep/pyarrow/__init__.py", True),
        ("deep/../deep/", "deep/pyarrow.py", True),
        ("{folder}/deep", "deep/kobench/mine.py", True),
        ("../share/x", "../share/x/org/__init__.py", True),
        ("deep", "deep/mine_more/__init__.py", False),
        ("other", "deep/pyarrow/__init__.py", False),
    ],
)
def test_a_folder_that_a_link_puts_on_the_path_is_looked_at_as_one_of_packages(
    site: Site, link: str, path: str, runs: bool
) -> None:
    line = link.format(folder=site.folder)
    site.install("mine-dist", {"mine_one.py": MEAN, "mine.pth": f"# a link\n{line}\n", path: ""})
    assert found(site) == ((path, "mine.pth") if runs else ())


@pytest.mark.parametrize(
    ("link", "name", "runs"),
    [
        ("weights.bin", "weights.bin", True),
        (" weights.bin ", " weights.bin", True),
        ("{folder}/a\x0bb", "a\x0bb", True),
        ("../weights", "../weights", True),
        ("b\xffc", "unlisted", True),  # whatever that is where it is read
        ("deep", "deep/sitecustomize.py", True),
        ("deep", "deep/org/python/core.py", True),
        (" deep", " deep/pyarrow.py", True),
        ("deep", "deep/kobench/mine.py", True),
        ("weights.bin", "unlisted", False),
        ("# weights.bin", "weights.bin", False),
        ("deep", "deep/tests/mine.py", False),
        ("deep", "deep/mine_more.py", False),
    ],
)
def test_what_a_link_puts_on_the_path_is_looked_at_and_not_believed(
    site: Site, link: str, name: str, runs: bool
) -> None:
    """It may be a zip file, by any name, and no list of files has to name what lies there."""
    site.install("mine-dist", {"mine_one.py": MEAN, "mine.pth": ""})
    line = link.format(folder=site.folder)
    (site.folder / "mine.pth").write_bytes(line.encode("latin-1") + b"\n")
    place = site.folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place, "w") as file:
        file.writestr("sitecustomize.py", "")
    assert found(site) == (("mine.pth",) if runs else ())


def test_a_folder_on_the_path_that_cannot_be_listed_is_not_believed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = site.folder / "deep"
    site.install("mine-dist", {"mine_one.py": MEAN, "mine.pth": "deep\n", "deep/mine_two.py": ""})
    listed = os.listdir

    def refused(place: str = ".") -> list[str]:
        if str(place) == str(deep):
            raise PermissionError(13, "Permission denied")
        return listed(place)

    monkeypatch.setattr(in_harness.os, "listdir", refused)
    assert found(site) == ("mine.pth",)


def test_metadata_in_a_zip_file_are_no_distribution(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No list of files has them, so they could take any distribution out of every run."""
    site.install("mine-dist", {"mine_one.py": MEAN})
    place = site.folder / "data.bin"
    with zipfile.ZipFile(place, "w") as file:
        info = "mine_dist-9.0.dist-info"
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mine-dist\nVersion: 9\n")
        file.writestr(f"{info}/entry_points.txt", "[kobench]\nx = nowhere_x\n")
    monkeypatch.syspath_prepend(str(place))
    sources, problems = installed_sources()
    assert [one.version for one in sources if one.distribution == "mine-dist"] == ["1.0"]
    assert not [one for one in problems if one.distribution == "mine-dist"]
    (said,) = [one.message for one in problems if "data.bin" in one.message]
    assert said.endswith("lies in no folder, so it is not taken; install the package")
    assert found(site) == ()


@pytest.mark.parametrize("path", ["their_lab/__init__.py", "their_lab/more.py", "their_lab.py"])
def test_the_place_of_what_is_installed_in_place_is_taken(
    site: Site, tmp_path: Path, path: str
) -> None:
    """Its own list has links alone, and the folder of packages comes first on the path."""
    project = tmp_path / "project"
    (project / "their_lab").mkdir(parents=True)
    (project / "their_lab" / "__init__.py").touch()
    (project / "pyproject.toml").write_text("[project]\nname = 'their-lab'\n")
    info = site.install("their-lab", {}, points={"theirs": "their_lab"})
    about = {"url": project.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(about))
    assert found(site) == ()
    site.install("mine-dist", {"mine_one.py": MEAN, path: ""})
    assert found(site) == (path,)


def test_a_list_of_files_without_end_is_not_looked_through(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = in_harness._runs
    monkeypatch.setattr(in_harness, "_runs", lambda *given: looked.append("") or real(*given))
    info = site.install("mine-dist", {"mine_one.py": MEAN})
    (info / "METADATA").write_text("Name: mine-dist\nVersion: 1\nRequires-Dist: helper\n")
    record = site.install("helper", {"helper.py": ""}) / "RECORD"
    # each of these ends a line for who splits them
    for end, why in (
        ("\n", "has more than 100,000 lines"),
        ("\x0b", "has a line of 800,001 columns where 3 are expected"),
        ("\u2028", "has a line of 800,001 columns where 3 are expected"),
    ):
        record.write_text("".join(f"helper/{number}.npy,,{end}" for number in range(400_000)))
        looked.clear()
        (said,) = found(site)
        assert said == f"a list of files of helper that {why}"
        assert len(looked) <= 10


@pytest.mark.parametrize("size", [0, inside.LARGEST + 1])
def test_a_list_of_files_that_cannot_be_read_is_said(site: Site, size: int) -> None:
    """What it lists may run here, and whoever imports the plugin reads it in another way."""
    info = site.install("mine-dist", {"mine_one.py": MEAN})
    (info / "METADATA").write_text("Name: mine-dist\nVersion: 1\nRequires-Dist: helper\n")
    record = site.install("helper", {"helper.py": "", "helper.pth": "import os\n"}) / "RECORD"
    record.write_bytes(b"helper.pth,,\n\xff,,\n")
    if size:
        os.truncate(record, size)
    listed, link = found(site)
    assert listed.startswith("a list of files of helper that ")
    assert link == "helper.pth, which is in no list of installed files"


def test_nobodys_files_count_against_everybody(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Some installers copy what a wheel's list leaves out."""
    site.install("mine-dist", {"mine_one.py": MEAN})
    (site.folder / "a_project").mkdir()
    for name, text, runs in (
        ("hides.pth", "import os\n", True),
        ("sitecustomize.py", "", True),
        ("usercustomize.so", "", True),
        ("org.py", "", True),
        ("pyarrow.py", "", True),
        ("setuptools.py", "", True),
        ("distutils-precedence.pth", f"{OF_SETUPTOOLS}\n", "setuptools" in installed_here().found),
        ("a_link.pth", "a_project\n", False),
        ("conda.pth", f"{REPOSITORY}\n", False),
        ("queue.py", "", False),  # Python's own is found first
        ("sitecustomize.txt", "", False),
        ("theirs.py", "", False),
        ("_virtualenv.pth", "import _virtualenv\n", True),
    ):
        if name in ("setuptools.py", "distutils-precedence.pth"):
            runs = "setuptools" not in installed_here().found
        place = site.folder / name
        place.write_text(text)
        expected = (f"{name}, which is in no list of installed files",) if runs else ()
        assert (name, found(site)) == (name, expected)
        place.unlink()
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    monkeypatch.setattr(sys, "prefix", str(prefix))
    for tool in ("virtualenv", "uv"):
        (site.folder / "_virtualenv.pth").write_text("import _virtualenv\n")
        (prefix / "pyvenv.cfg").write_text(f"home = /usr/bin\n{tool} = 1.0\n")
        assert found(site) == ()
        (site.folder / "_virtualenv.pth").write_text("import _virtualenv, os\n")
        assert found(site) == ("_virtualenv.pth, which is in no list of installed files",)


@pytest.fixture
def programs(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of programs, which Python puts first on the path of what it starts there."""
    folder = site.folder.parent / "bin"
    folder.mkdir()
    asked = sysconfig.get_path
    with monkeypatch.context() as patch:
        patch.setattr(
            sysconfig, "get_path", lambda name: str(folder) if name == "scripts" else asked(name)
        )
        of_programs.cache_clear()
        yield folder
    of_programs.cache_clear()


def test_modules_beside_the_programs_are_found_before_all_others(
    site: Site, programs: Path
) -> None:
    others = ("json.py", "click.py", "numpy/__init__.py", "sitecustomize.py")
    files = {f"../bin/{name}": "" for name in (*others, "mine_one.py", "a_tool.py", "a-tool")}
    info = site.install("mine-dist", {"mine_one.py": MEAN, **files})
    assert found(site) == tuple(sorted(f"../bin/{name}" for name in others))
    (info / "RECORD").write_text("mine_one.py,,\n")
    said = " among the programs, which is in no list of installed files"
    tops = ("json.py", "click.py", "numpy", "sitecustomize.py", "mine_one.py")
    assert found(site) == tuple(sorted(f"{name}{said}" for name in tops))


def test_a_program_does_not_import_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "kobench").write_text("from kobench.cli import main\nmain()\n")
    (tmp_path / "click.py").write_text("raise SystemExit('not this one')\n")
    ran = subprocess.run(
        [sys.executable, str(tmp_path / "kobench"), "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_place_is_the_same_by_every_way_to_it(site: Site) -> None:
    """An environment has `lib64` beside `lib`."""
    site.install("their-lab", {"their_lab/__init__.py": "", "their_lab/more.py": ""})
    (site.folder.parent / "alias").symlink_to(site.folder)
    files = ["their_lab/more.py", "their_lab/new.py", "sitecustomize.py"]
    files += ["others-1.0.dist-info/METADATA"]
    listed = {f"../alias/{name}": "" for name in files}
    site.install("mine-dist", {"mine_one.py": MEAN, "../alias/mine_two.py": "", **listed})
    assert found(site) == tuple(sorted(listed))


def test_a_module_in_nobodys_list_is_not_for_anybody_to_replace(site: Site) -> None:
    (site.folder / "nobodys.py").write_text("")
    (site.folder / "empty").mkdir()
    files = ("nobodys/__init__.py", "empty/__init__.py")
    site.install("mine-dist", {"mine_one.py": MEAN, **dict.fromkeys(files, "")})
    assert found(site) == files[:1]


def test_needs_are_read_as_installers_read_them(site: Site) -> None:
    info = site.install("mine-dist", {"mine_one.py": MEAN})
    site.install("helper", {"helper.py": "", "helper.pth": "import helper\n"}, {"x": "helper"})
    text = (info / "METADATA").read_text()
    for said, expected in (
        ("Requires-Dist:\n helper\n", ("helper.pth of helper",)),
        ("Requires-Dist: \t helper>=1\n", ("helper.pth of helper",)),
        ("Requires-Dist: (helper)\n", ("needs that begin with no name ('(helper)')",)),
        ("Requires-Dist: numpy\n", ()),
    ):
        (info / "METADATA").write_text(text + said)
        assert found(site) == expected


def test_whose_name_cannot_be_read_counts_against_everybody(
    site: Site,
) -> None:
    site.install("mine-dist", {"mine_one.py": MEAN})
    info = site.install("helper", {"helper.py": "", "helper.pth": "import helper\n"})
    with open(info / "METADATA", "a") as file:
        file.write("\n" + "x" * inside.LARGEST)
    nobodys = "helper.pth, which is in no list of installed files"
    assert found(site) == ("helper-1.0.dist-info, whose name can't be read", nobodys)
    sources, problems = installed_sources()
    assert "helper" not in {source.distribution for source in sources}
    assert any("no Name that can be read" in problem.message for problem in problems)
    (info / "RECORD").unlink()  # then nothing says that anything is its
    assert found(site) == (nobodys,)


def test_what_is_installed_beside_it_is_not_its_own(site: Site) -> None:
    """Coverage, setuptools and what many tools bring run code, and no predictor brought them."""
    site.install("mine-dist", {"mine_one.py": MEAN})
    site.install("coverage", {"coverage/__init__.py": "", "a1_coverage.pth": "import sys\n"})
    site.install(
        "setuptools",
        {
            "setuptools/__init__.py": "",
            "pkg_resources/__init__.py": "",
            "_distutils_hack/__init__.py": "",
            "distutils-precedence.pth": f"{OF_SETUPTOOLS}\n",
        },
        version="0.1",
    )
    assert found(site) == ()
    info = site.install("yours", {"yours_one.py": MEAN})
    (info / "METADATA").write_text("Name: yours\nVersion: 1\nRequires-Dist: setuptools\n")
    forget()
    assert code_here(Entry(None, "yours", "1.0", "")) == ()


def test_nothing_that_is_installed_here_is_refused() -> None:
    """Any of it may be needed by a predictor, by whatever tool it came."""
    forget()
    here = installed_here()
    said = {
        f"{path} of {key}"
        for key, each in here.found.items()
        if key not in in_harness._kobenchs(here)
        for path in paths_of(each)
        if in_harness._runs(each, path, key, here)
    }
    assert said == set()
    for name in ("kobench-baselines", "kobench-example"):  # all that they may need, too
        if name in here.found:
            assert in_harness._files_of(name) == ()
    assert not list(unowned(here))
    assert not [key for key, each in here.found.items() if inside.fault_of_list(each)]


def test_groups_that_are_never_loaded_count_for_nobody(site: Site) -> None:
    """As themes of the documentation, which the extra `docs` brings beside every predictor."""
    info = site.install("mine-dist", {"mine_one.py": MEAN})
    points = {group: f"[{group}]\nx = mine_one\n" for group in in_harness.NOT_LOADED}
    (info / "entry_points.txt").write_text("\n".join(points.values()))
    assert found(site) == ()
    (info / "entry_points.txt").write_text("[pygments.lexers]\nx = mine_one\n")
    forget()
    assert found(site) == ("the entry point pygments.lexers",)
    with pytest.MonkeyPatch.context() as patch:  # each would count, if anything loaded it
        patch.setattr(in_harness, "NOT_LOADED", ())
        (info / "entry_points.txt").write_text(points["pygments.styles"])
        forget()
        assert found(site) == ("the entry point pygments.styles",)


def test_nothing_of_kobench_starts_sphinx_or_asks_for_a_style_that_pygments_lacks() -> None:
    code = (
        "import importlib, pkgutil, sys, kobench\n"
        "for one in pkgutil.walk_packages(kobench.__path__, 'kobench.'):\n"
        "    if not one.name.endswith('__main__'):\n"
        "        importlib.import_module(one.name)\n"
        "assert len(sys.modules) > 500, len(sys.modules)\n"
        "print('sphinx' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
    sources = (REPOSITORY / "kobench").rglob("*.py")
    said = [one.name for one in sources if "pygments" in one.read_text().lower()]
    assert said == ["in_harness.py"]


def test_what_kobench_may_do_without_counts_as_a_strangers(site: Site) -> None:
    """Names of extras and conditions may be free on the index of packages, or a wheel's."""
    free = "".join(
        f"Requires-Dist: {line}\n"
        for line in ("a-free-name; extra == 'x'", "other-free; sys_platform == 'win32'")
    )
    with open(site.install("a-need", {"a_need.py": ""}) / "METADATA", "a") as file:
        file.write(free)
    info = site.install("mine-dist", {"mine_one.py": MEAN})
    (info / "METADATA").write_text("Name: mine-dist\nVersion: 1\nRequires-Dist: a-free-name\n")
    site.install("a-free-name", {"a_free.py": "", "a_free.pth": "import os\n"})
    forget()
    own = installed_here().found["kobench"]
    needs = {"kobench": ["a-need"]}
    real = in_harness.needs_of

    def needs_of(one: Any, **more: Any) -> list[str]:
        return needs["kobench"] if one is own else real(one, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_harness, "needs_of", needs_of)
        assert found(site) == ("a_free.pth of a-free-name",)
        needs["kobench"] = ["a-need", "mine-dist"]  # the one that is chosen always counts
        site_own = Entry(None, "a-need", "1.0", "")
        (site.folder / "a_need.pth").write_text("import os\n")
        with open(site.folder / "a_need-1.0.dist-info" / "RECORD", "a") as file:
            file.write("a_need.pth,,\n")
        forget()
        assert "a_need.pth" in code_here(site_own)


def test_the_installed_packages_that_are_looked_for_are_their_owners() -> None:
    here = installed_here()
    brought = {
        (top, key)
        for key, each in here.found.items()
        for path in listed_by(each)
        if (top := path.split("/")[0].removesuffix(".py")) in LOOKED_FOR
    }
    assert "matplotlib" in dict(brought), "nothing was looked at"
    assert not [one for one in sorted(brought) if not may_bring(one[1], one[0])]


def test_what_kobench_itself_looks_for_is_on_the_list() -> None:
    """Whatever its modules import and its needs don't bring may be somebody else's."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    needed = {normalise(re.split(r"[^\w-]", line)[0]) for line in project["dependencies"]}
    needed |= {"kobench", "h5py"}  # anndata needs h5py
    files = list((REPOSITORY / "kobench").rglob("*.py"))
    trees = [ast.parse(file.read_text()) for file in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    tops = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    assert {"numpy", "hdf5plugin", "rdata"} <= tops
    assert {top for top in tops if normalise(top) not in needed} <= LOOKED_FOR.keys()


def test_what_it_needs_counts_too_unless_kobench_needs_it(site: Site) -> None:
    info = site.install("mine-dist", {"mine_one.py": MEAN})
    with open(info / "METADATA", "a") as file:
        file.write("Requires-Dist: helper>=1; extra == 'x'\nRequires-Dist: numpy\n")
    site.install("helper", {"helper.py": "", "helper.pth": "import helper\n"}, {"x": "helper"})
    assert found(site) == ("helper.pth of helper",)


def finder_of_setuptools(mapping: dict[str, str], namespaces: dict[str, list[str]]) -> str:
    """What setuptools writes for a project that is installed in place."""
    source = importlib.util.find_spec("setuptools")
    if source is None or source.origin is None:
        pytest.skip("setuptools is not here, which writes the module")
    file = Path(source.origin).parent / "command" / "editable_wheel.py"
    (template,) = re.findall(r'(?ms)^_FINDER_TEMPLATE = """\\\n(.*?)^"""', file.read_text())
    return str(template).format(mapping=mapping, namespaces=namespaces, name="__editable__.mine")


@pytest.mark.parametrize(
    "change",
    [
        "",
        "other-code",
        "a-type-that-runs",
        "no-value",
        "another-folder",
        "looked-for",
        "compiled",
        "compiled-unchecked",
        "other-name",
    ],
)
def test_a_project_installed_in_place_may_have_its_link(
    site: Site, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, link = FILES["what claims to be an editable link"][:2]
    project = tmp_path / "project"
    project.mkdir()
    (project / "mine_one.py").write_text(MEAN)
    mapping = {"mine_one": str(project / "mine_one")}
    if change == "another-folder":
        mapping["lab"] = str(tmp_path / "lab")
    if change == "looked-for":
        mapping["pyarrow"] = str(project / "pyarrow")
    text = finder_of_setuptools(mapping, {"ns": [str(project / "ns")]})
    if change == "other-code":
        text += "import os\n"
    if change == "a-type-that-runs":
        text = re.sub(r"(?m)^MAPPING[^=\n]* = ", "MAPPING: print() = ", text)
    if change == "no-value":
        text = text.replace("= {'ns'", "= print() or {'ns'")
    finder = "__editable___mine_finder.py"
    info = site.install("mine-dist", {name: link, finder: text}, points={"mine": "mine_one"})
    if change.startswith("compiled"):
        mode = "UNCHECKED_HASH" if change == "compiled-unchecked" else "TIMESTAMP"
        py_compile.compile(
            str(site.folder / finder), invalidation_mode=py_compile.PycInvalidationMode[mode]
        )
    about = {"url": project.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(about))
    assert found(site) == (name,)
    named = "Mine.Dist" if change != "other-name" else "other"
    (project / "pyproject.toml").write_text(f"[project]\nname = '{named}'\n")
    assert found(site) == (() if change in ("", "compiled") else (name,))
    # a wheel brings files to any place below the interpreter's folder: also a project
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert found(site) == (name,)


def test_a_program_of_the_systems_own_python_may_come_from_a_package(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(site.folder.parent / "bin" / "python"))
    monkeypatch.setattr(pythons, "SYSTEMS", (str(tmp_path / "usr"),))
    (tmp_path / "usr").mkdir()
    files = {f"../bin/{name}": "" for name in ("tool", "script", "lsb_release")}
    for name, text in (
        ("tool", "\x7fELF"),
        ("script", "#!/usr/bin/python3\n"),
        ("sh", "#!/bin/sh"),
    ):
        (tmp_path / "usr" / name).write_text(text)
        (tmp_path / "usr" / name).chmod(0o755)
    site.install("mine-dist", {"mine_one.py": MEAN, **files})
    assert found(site) == ("../bin/lsb_release", "../bin/tool")


def test_a_project_that_is_only_named_is_not_believed(site: Site, tmp_path: Path) -> None:
    """Every machine has folders with names in them, and every project some folder."""
    project = tmp_path / "brainlab"
    (project / "docs").mkdir(parents=True)
    (project / "docs" / "conf.py").write_text("")
    (project / "brainlab").mkdir()
    (project / "brainlab" / "__init__.py").write_text("")
    (project / "pyproject.toml").write_text("[project]\nname = 'brainlab'\n")
    info = site.install("brainlab", {"docs/__init__.py": MEAN}, points={"a": "docs"})
    about = {"url": project.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(about))
    one = importlib.metadata.Distribution.at(info)
    assert not inside.is_editable(one)
    assert inside.places_of(one) == []
    with open(info / "RECORD", "w") as file:  # brought by a second distribution, in its place
        file.write("")
    assert not inside.is_editable(one)
    shutil.rmtree(site.folder / "docs")
    assert not inside.is_editable(one)  # and no folder of docs is a plugin
    (info / "entry_points.txt").write_text("[kobench]\na = docs.conf\n")
    assert inside.is_editable(one)
    (info / "entry_points.txt").write_text("[kobench]\na = brainlab:hooks\n")
    assert inside.places_of(one) == [str(project / "brainlab")]
    with open(info / "RECORD", "a") as file:  # what hatchling copies from elsewhere is no code
        file.write("brainlab/cards/a.toml,,\n")
    assert inside.is_editable(one)
    other = tmp_path / "other"  # a further folder on the path comes before the project
    (other / "brainlab").mkdir(parents=True)
    (other / "brainlab" / "__init__.py").write_text(MEAN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(other))
        assert not inside.is_editable(one)


def test_it_is_refused_where_a_sandbox_is_required_and_else_marked(
    site: Site, tmp_path: Path
) -> None:
    site.install("mine-dist", {"mine_one.py": MEAN, "mine.pth": "import os\n"})
    forget()
    registry = load_registry()
    said = (
        r"--sandbox require: mine-dist .* brings mine.pth, .*kobench env create NAME --from mine-d"
    )
    required = Request([TINY], ["mine"], ["profile"], sandbox="require")
    with pytest.raises(UserError, match=said):
        Run(tmp_path / "out").run(make_plan(registry, required))
    with pytest.raises(UserError, match=said):
        predict(registry, TINY, "mine", "impact", tmp_path / "out.csv", request=required)
    with pytest.raises(UserError, match=said):
        check_predictor(choose(registry, "predictors", "mine"), Setting(sandbox="require"))
    groups = make_plan(registry, Request([TINY], ["mine"], ["profile"]))
    records = Run(tmp_path / "out").run(groups).records
    marked = {one.trial.predictor.name: one.run.code_in_harness for one in records}
    assert marked.pop("mine") == ["mine.pth"]
    assert not any(marked.values())
    (section,) = make_board(records).sections
    (row,) = (row for row in section.rows if row.name == "mine")
    assert "runs code in kobench's own process: mine.pth" in row.remarks


def test_what_is_installed_here_is_refused_whatever_it_brings_but_kobenchs_own(site: Site) -> None:
    """Nobody can list all that an installer may leave for Python or a library to find."""
    site.install("mine-dist", {"mine_one.py": MEAN})
    forget()
    mine = Entry(None, "mine-dist", "1.0", "")
    assert code_here(mine) == ()
    with pytest.raises(UserError, match=r"mine-dist is installed .*, where what it brings can run"):
        refuse_code_here(mine, "require")
    for entry, mode in (
        (mine, "auto"),
        (mine, "off"),
        (replace(mine, environment="theirs"), "require"),
        (replace(mine, plugin_file="mine.py"), "require"),
        (replace(mine, trusted=True), "require"),
        (Entry(None, "kobench-baselines", "1.0", ""), "require"),
        (Entry(None, "Kobench_Example", "1.0", ""), "require"),
    ):
        refuse_code_here(entry, mode)


def test_what_was_developed_with_kobench_is_refused_where_it_runs_code_here(site: Site) -> None:
    site.install("kobench-genki", {"kobench_genki.py": MEAN, "genki.pth": "import kobench_genki"})
    forget()
    genki = Entry(None, "kobench-genki", "1.0", "")
    with pytest.raises(UserError, match=r"kobench-genki is installed .* and brings genki\.pth, by"):
        refuse_code_here(genki, "require")
    refuse_code_here(genki, "auto")


@pytest.mark.parametrize(
    ("group", "runs"),
    [
        ("zarr.buffer", True),
        ("numba_extensions", True),
        ("fsspec.specs", True),
        ("pandas_plotting_backends", True),
        ("console_scripts", False),
        ("pytest11", False),
        ("kobench", False),
    ],
)
def test_entry_points_of_groups_that_kobenchs_needs_load_are_found(
    site: Site, group: str, runs: bool
) -> None:
    info = site.install("mine-dist", {"mine_one.py": MEAN, "zed.py": ""})
    with open(info / "entry_points.txt", "a") as file:
        file.write(f"\n[{group}]\nz = zed\n" if group != "kobench" else "")
    assert found(site) == ((f"the entry point {group}",) if runs else ())


RECORDS = """
import sys

class Last:
    seen = set()

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if path is None:
            cls.seen.add(name)

sys.meta_path.append(Last)
sys.argv = ["kobench", *{words!r}]
from kobench.cli import main
try:
    main()
finally:
    print("looked for:", *sorted(Last.seen), file=sys.stderr)
"""


def test_all_that_is_looked_for_in_vain_is_on_the_list(tmp_path: Path) -> None:
    """Whoever brings such a package is imported by kobench's own process, unasked."""
    words = ["run", "-d", TINY, "-t", "profile", "-p", "uniform", "--out", str(tmp_path / "out")]
    page = ["board", str(tmp_path / "out"), "--format", "html", "-o", str(tmp_path / "page.html")]
    for command in (words, page, ["list"]):
        ran = subprocess.run(
            [sys.executable, "-c", RECORDS.format(words=command)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "looked for:" in ran.stderr, ran.stderr
        looked_for = set(ran.stderr.partition("looked for:")[2].split("\n")[0].split())
        assert looked_for <= LOOKED_FOR.keys() | NOBODYS
