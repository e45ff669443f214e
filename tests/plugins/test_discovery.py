"""What is found: installed packages, single files, cards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pretend_plugins import Site, good, problems_of

from kobench.errors import UserError
from kobench.plugins import load
from kobench.plugins.load import links_of, load_registry, resolve


def test_an_installed_package_is_listed_with_where_it_came_from(site: Site) -> None:
    site.install("Good-Dist", {"good_package/__init__.py": good("Mine")}, version="2.1")
    registry = load_registry()
    (entry,) = registry.predictors["mine"]
    assert (entry.distribution, entry.version, entry.trusted, entry.plugin_file) == (
        "Good-Dist",
        "2.1",
        False,
        None,
    )
    assert len(entry.digest) == 64
    assert entry.spec.make == "good_package:Mine"
    assert entry.spec.answers == ("expression",)
    assert entry.spec.params["width"].low == 1
    assert "good_package" not in sys.modules
    assert not problems_of(registry, "Good-Dist")
    assert registry.find("predictors", "mine") is entry
    assert registry.find("predictors", "good.dist/mine") is entry
    made = resolve(entry)(width=5)
    assert made.width == 5


def test_built_ins_come_through_the_same_door(site: Site) -> None:
    registry = load_registry()
    assert not problems_of(registry, "kobench")
    assert {"grn", "table", "h5ad", "pbmc"} <= set(registry.datasets)
    assert {"profile", "knockout-profile", "knockout-impact", "keystone"} <= set(registry.tasks)
    for kind in ("predictors", "metrics", "tasks", "datasets"):
        for entries in getattr(registry, kind).values():
            for entry in entries:
                if entry.trusted:
                    assert callable(resolve(entry)), entry.full_name
    for (task,) in registry.tasks.values():
        for floor in task.spec.floors:
            assert registry.find("predictors", floor).spec.floor, floor
        for metric in task.spec.primary:
            assert registry.find("metrics", metric.partition("[")[0], of=task.spec.of).trusted, (
                metric
            )


def test_another_distribution_called_kobench_is_not_kobench(site: Site) -> None:
    site.install("kobench", {"not_kobench.py": good("Mine")})
    registry = load_registry()
    assert "profile" in registry.tasks
    assert "mine" not in registry.predictors
    assert any("calls itself kobench" in problem.message for problem in registry.problems)


def test_modules_beside_the_entry_points_are_known(site: Site) -> None:
    """A distribution may consist of several top-level modules; a worker must be able to import them
    all.
    """
    site.install("good-dist", {"good_one.py": good("Mine"), "good_core.py": ""})
    (entry,) = load_registry().predictors["mine"]
    assert {"good_one.py", "good_core.py"} <= set(links_of(entry))


def test_an_entry_point_may_be_an_object(site: Site) -> None:
    text = good("Mine").replace(
        "@hookimpl\ndef kobench_predictors():",
        "class Hooks:\n  @hookimpl\n  def kobench_predictors(self):",
    )
    site.install(
        "object-dist",
        {"object_one.py": text + "\nhooks = Hooks()\n"},
        points={"o": "object_one:hooks"},
    )
    registry = load_registry()
    assert not problems_of(registry, "object-dist")
    assert registry.find("predictors", "mine").spec.make == "object_one:Mine"


def test_metadata_that_can_not_be_read_is_a_problem(site: Site) -> None:
    (site.install("odd-dist", {"odd_one.py": good("Odd")}) / "entry_points.txt").write_text(
        "[kobench]\nno equals sign here\n"
    )
    (site.install("nameless-dist", {"other_one.py": good("Other")}) / "METADATA").unlink()
    site.install("good-dist", {"good_one.py": good("Mine")})
    registry = load_registry()
    assert "mine" in registry.predictors
    (problem,) = problems_of(registry, "odd-dist")
    assert problem.kind == "metadata"
    assert "install the package again" in problem.message
    (problem,) = problems_of(registry, "nameless_dist-1.0.dist-info")
    assert "it has no Name" in problem.message


def test_metadata_are_shown_without_what_can_hide_in_them(site: Site) -> None:
    info = site.install("loud-dist", {"loud_one.py": good("Mine")}, {"p\x1b[31m": "loud_one"})
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1\u202e0\n")
    (entry,) = load_registry().predictors["mine"]
    assert (entry.distribution, entry.version) == ("loud", "1\\u202e0")
    assert entry.entry_point == "p\\x1b[31m"


@pytest.mark.parametrize(
    "name", ["loud\x1b[2J", "k\u043ebench-baselines", "a/b", "-x", "x y", "Cards"]
)
def test_a_distribution_with_a_name_that_none_may_have_is_refused(site: Site, name: str) -> None:
    """Boards tell rows of one name apart by their distributions."""
    info = site.install("loud-dist", {"loud_one.py": good("Mine")})
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    registry = load_registry()
    assert "mine" not in registry.predictors
    (problem,) = (one for one in registry.problems if one.kind == "metadata")
    assert "expected ASCII letters" in problem.message
    assert problem.message.isascii()


HEAVY = ("torch", "xgboost", "numba", "sklearn", "pandas", "anndata", "scipy", "numpy")


def test_listing_imports_nothing_heavy(site: Site, tmp_path: Path) -> None:
    text = "import numpy, pandas\n" + good("Mine")
    site.install("heavy-dist", {"heavy_one.py": text})
    code = "import json, sys\nfrom kobench.plugins import load_registry\nr = load_registry()\n"
    code += (
        f"print(json.dumps(['mine' in r.predictors, [m for m in {HEAVY} if m in sys.modules],"
        " 'pluggy' in sys.modules]))"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(site.folder),
        "KOBENCH_CACHE": str(tmp_path / "cache"),
    }
    for _ in range(2):  # with children, then from the cache
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == [True, [], False], done.stderr


def test_a_single_file_needs_no_packaging(
    site: Site, tmp_path: Path, no_child: Callable[[], None]
) -> None:
    file = tmp_path / "my plugin.py"
    file.write_text(good("Mine"))
    entry = load_registry([file]).find("predictors", "mine")
    assert (entry.distribution, entry.version, entry.plugin_file) == (
        "file:my plugin.py",
        "",
        str(file),
    )
    assert entry.spec.make == ":Mine"
    assert len(entry.digest) == 64
    made = resolve(entry)(width=2)
    assert type(made).__name__ == "Mine"
    assert type(made) is resolve(entry)  # loaded once
    assert load_registry([file, str(file)]).find("predictors", "file:my plugin.py/mine") == entry
    no_child()
    assert load_registry([file]).find("predictors", "mine") == entry
    assert "mine" not in load_registry().predictors


def test_an_edited_file_is_another_one(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "my.py"
    file.write_text(good("Mine"))
    first = load_registry([file]).find("predictors", "mine")
    old = resolve(first)
    file.write_text(good("Mine").replace("width=3", "width=4"))
    second = load_registry([file]).find("predictors", "mine")
    assert second.digest != first.digest
    assert resolve(second) is not old
    assert resolve(second)().width == 4


def test_a_broken_file_is_a_problem_that_the_question_for_a_name_answers(
    site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "my.py"
    file.write_text("import nothing_like_that\n" + good("Mine"))
    registry = load_registry([file])
    (problem,) = problems_of(registry, "file:my.py")
    assert f'{file}", line 1' in problem.traceback
    with pytest.raises(
        UserError,
        match=(
            r"no predictor 'mine'.*Not loaded: file:my.py: importing my.py raised"
            r" ModuleNotFoundError"
        ),
    ):
        registry.find("predictors", "mine")


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [("gone.py", None, "there is no such file"), ("notes.txt", "x", "it is not a .py file")],
)
def test_a_file_that_can_not_be_read_is_a_user_error(
    name: str, text: str | None, part: str, site: Site, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=part):
        load_registry([tmp_path / name])


def test_two_files_of_one_name_are_a_user_error(site: Site, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my.py").write_text(good("Mine"))
    with pytest.raises(UserError, match=r"two plugin files are called my\.py"):
        load_registry([tmp_path / "a/my.py", tmp_path / "b/my.py"])


CARD = """
name = "{name}"
version = 1
summary = "a table"
loader = "table"
scale = "linear"
[file]
name = "x.csv"
sha256 = "{digest}"
"""


def test_cards_in_a_folder_are_datasets(site: Site, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(CARD.format(name="my-table", digest="0" * 64))
    (tmp_path / "bad.toml").write_text(CARD.format(name="bad-table", digest="0"))
    registry = load_registry(dataset_folders=[tmp_path])
    entry = registry.find("datasets", "my-table")
    assert (entry.distribution, entry.trusted) == ("cards", True)
    assert registry.find("datasets", "cards/my-table") is entry
    assert callable(resolve(entry))
    (problem,) = problems_of(registry, "cards")
    assert problem.kind == "card"
    with pytest.raises(UserError, match=r"no dataset 'bad'.*sha256 is '0'"):
        registry.find("datasets", "bad")


def test_shipped_cards_are_kobenchs_own(site: Site) -> None:
    entry = load_registry().find("datasets", "pbmc68k")
    assert (entry.distribution, entry.trusted) == ("kobench", True)


def test_without_its_own_metadata_kobench_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "installed_sources", lambda: ([], []))
    registry = load_registry()
    assert any(
        "kobench itself is not installed" in problem.message for problem in registry.problems
    )
