"""Predictors in environments are listed with where they live; nothing else is taken from there."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from environment_problems import sentences
from wheels import plugin, wheel

from kobench.checks.environments import check_environment
from kobench.environments import environment as environments
from kobench.environments import seen
from kobench.environments.create import create
from kobench.environments.environment import BrokenError, Environment, read
from kobench.environments.inside import closure
from kobench.errors import UserError
from kobench.plugins import conversation
from kobench.plugins.environments import _versions, environment_sources
from kobench.plugins.load import links_of, load_registry
from kobench.sandbox.finding import layers_here
from kobench.sandbox.layers import uncovered
from kobench.sandbox.places import Interpreter


@pytest.fixture
def no_start(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and from then on starting an environment's interpreter is an error."""

    def refuse(*_: Any) -> None:
        raise AssertionError("an interpreter was started")

    def forbid() -> None:
        monkeypatch.setattr(conversation, "ask_children", refuse)
        monkeypatch.setattr("kobench.environments.seen.ask_inside", refuse)

    return forbid


def test_its_predictors_are_listed_with_where_they_live(
    offline: Path, tmp_path: Path, no_start: Callable[[], None]
) -> None:
    made = create(
        "alpha",
        [
            str(
                wheel(
                    tmp_path, "Alpha-Plugin", "alpha_plugin", plugin("alpha-mean"), ["numpy>=1.21"]
                )
            )
        ],
    )
    about = json.loads((offline / "alpha" / "environment.json").read_text())
    assert about["format"] == 1
    assert about["from"] == [str(tmp_path / "Alpha_Plugin-1.0-py3-none-any.whl")]
    assert about["installed"]["Alpha-Plugin"] == "1.0"
    assert about["installed"]["kobench"] == made.about["kobench"]
    registry = load_registry()
    (entry,) = registry.predictors["alpha-mean"]
    assert (entry.environment, entry.distribution, entry.version, entry.trusted) == (
        "alpha",
        "Alpha-Plugin",
        "1.0",
        False,
    )
    assert isinstance(entry.interpreter, Interpreter)
    assert entry.interpreter.python == made.python
    assert entry.interpreter.environment == "alpha"
    assert made.prefix in entry.interpreter.read
    assert entry.full_name == "alpha/alpha-mean"
    assert entry.spec.answers == ("expression",)
    assert dict(entry.packages) == {"alpha-plugin": "1.0", "numpy": np.__version__}
    assert links_of(entry) == {}
    assert (
        registry.find("predictors", "alpha/alpha-mean")
        == registry.find("predictors", "alpha-plugin/alpha-mean")
        == entry
    )
    assert not sentences(registry, "alpha")
    no_start()  # remembered: no interpreter is asked
    assert load_registry().predictors["alpha-mean"] == [entry]


def test_what_is_installed_or_edited_there_later_is_seen(offline: Path, tmp_path: Path) -> None:
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    before = load_registry().predictors["alpha-mean"][0].digest
    (made.site / "alpha_plugin.py").write_text(plugin("other-mean", "# edited\n"))
    registry = load_registry()
    assert "alpha-mean" not in registry.predictors
    assert registry.predictors["other-mean"][0].digest != before
    with zipfile.ZipFile(
        wheel(tmp_path, "beta-plugin", "beta_plugin", plugin("beta-mean"))
    ) as file:
        file.extractall(made.site)
    assert [entry.distribution for entry in load_registry().predictors["beta-mean"]] == [
        "beta-plugin"
    ]


def test_a_newer_script_asks_anew_what_was_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an older kobench remembered may lack what this one looks for."""
    about = {"site": "lib", "from": [], "python": {"base": sys.executable}}
    made = Environment("alpha", tmp_path, tmp_path / "0123abcd", about)
    made.site.mkdir(parents=True)
    script = tmp_path / "inside.py"
    script.write_text("")
    asked: list[str] = []

    def answer(*_: Any) -> dict[str, Any]:
        asked.append("once")
        return {"asked": len(asked)}

    monkeypatch.setattr(seen, "INSIDE", script)
    monkeypatch.setattr(seen, "ask_inside", answer)
    assert [seen.seen(made), seen.seen(made)] == [{"asked": 1}] * 2
    os.utime(script, ns=(1, script.stat().st_mtime_ns + 1))
    assert [seen.seen(made), seen.seen(made)] == [{"asked": 2}] * 2


def test_a_plugin_edited_in_place_runs_from_where_it_lies(offline: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "alpha-plugin"\n')
    made = create(
        "alpha",
        [
            str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean"))),
            f"-e {project}",
        ],
    )
    (made.site / "alpha_plugin.py").rename(project / "alpha_plugin.py")
    (made.site / "alpha_plugin-1.0.dist-info" / "RECORD").write_text("_editable.pth,,\n")
    (made.site / "_editable.pth").write_text(f"{project}\n")
    about = {"url": f"file://{project}", "dir_info": {"editable": True}}
    (made.site / "alpha_plugin-1.0.dist-info" / "direct_url.json").write_text(json.dumps(about))
    (entry,) = load_registry().predictors["alpha-mean"]
    assert links_of(entry) == {"alpha_plugin.py": project / "alpha_plugin.py"}
    (project / "alpha_plugin.py").write_text(plugin("edited-mean"))
    assert "edited-mean" in load_registry().predictors


def test_packages_do_not_decide_what_is_shown_to_them(offline: Path, tmp_path: Path) -> None:
    """A .pth file, metadata or an entry point may name any folder of the user's.

    One that the user did not ask for is not shown to a plugin.
    """
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "truth.py").write_text("MARK = 1\n")
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    (made.site / "reads.pth").write_text(f"{tmp_path}\n{secret}\n")
    info = made.site / "alpha_plugin-1.0.dist-info"
    with open(info / "entry_points.txt", "a") as file:
        file.write("folder = secret.nothing\nmodule = truth\n")
    with open(info / "RECORD", "a") as file:
        file.write(f"reads.pth,,\n{secret}/truth.py,,\n..tmp..numpy/__init__.py,,\n")
    (info / "direct_url.json").write_text(
        json.dumps({"url": f"file://{secret}", "dir_info": {"editable": True}})
    )
    (entry,) = load_registry().predictors["alpha-mean"]
    assert links_of(entry) == {}
    assert not any(
        place == secret or secret.is_relative_to(place) for place in entry.interpreter.read
    )


def test_what_lies_in_it_is_not_run_to_see_what_it_has(offline: Path, tmp_path: Path) -> None:
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    ran = tmp_path / "ran"
    (made.site / "runs.pth").write_text(f"import pathlib; pathlib.Path({str(ran)!r}).touch()\n")
    (made.site / "sitecustomize.py").write_text(
        f"import pathlib; pathlib.Path({str(ran)!r}).touch()\n"
    )
    assert "alpha-mean" in load_registry().predictors
    list(check_environment(made))
    if not uncovered(layers_here()):
        assert not ran.exists()


def test_the_program_in_an_environment_does_not_say_what_it_has(
    offline: Path, tmp_path: Path
) -> None:
    """A wheel can put one there, and what it says would be handed to trials as arguments."""
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    real = made.python.resolve()
    more = {
        "name": "marker-of-hidden-data",
        "version": "marker",
        "metadata": "",
        "editable": False,
        "places": [],
        "points": [],
        "needs": [],
    }
    script = tmp_path / "says.py"
    script.write_text(
        "import contextlib, io, json, runpy, sys\n"
        "said = io.StringIO()\n"
        "with contextlib.redirect_stdout(said):\n"
        "    runpy.run_path(sys.argv[1], run_name='__main__')\n"
        "found = json.loads(said.getvalue())\n"
        f"more = {more!r}\n"
        "for each in found['installed']:\n"
        "    each['needs'] = [*each['needs'], more['name']]\n"
        "print(json.dumps({**found, 'installed': [*found['installed'], more]}))\n"
    )
    shutil.copy(script, made.site / "says.py")
    made.python.unlink()
    made.python.write_text(
        "#!/bin/sh\n"
        'case "$*" in *inside.py*)\n'
        f'  shift 2; exec {real} -I -S {made.site / "says.py"} "$@";; esac\n'
        f'exec {real} "$@"\n'
    )
    made.python.chmod(0o755)
    (offline / "alpha" / "seen.json").unlink(missing_ok=True)
    os.utime(made.site)
    assert "marker" not in json.dumps(seen.seen(made))
    assert "marker" not in (offline / "alpha" / "seen.json").read_text()
    (source,) = environment_sources()[0]
    assert set(source.packages) == {"alpha-plugin"}


def test_what_trials_are_told_of_packages_is_names_and_versions_of_bounded_length() -> None:
    """They are arguments of its process: too many or too long ones would end it."""
    names = ["sound", "x" * 201, "not a name", "-option", *(f"p{number}" for number in range(2000))]
    found = _versions([{"name": name, "version": "1" * 300} for name in names])
    assert set(found) <= {"sound", *names[4:]}
    assert len(found) <= 1000
    assert found["sound"] == "1" * 200


def test_an_environment_that_cannot_be_read_costs_itself_alone(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))
    for name in ("good", "odd"):
        create(name, [built])
    (offline / "odd" / "seen.json").write_text("[" * 200_000)
    sources, problems = environment_sources()  # it is asked again
    assert [source.environment for source in sources] == ["good", "odd"]
    assert problems == []

    def odd(environment: Environment) -> dict[str, Any]:
        if environment.name == "odd":
            raise RecursionError("too deep")
        return seen.seen(environment)

    monkeypatch.setattr("kobench.plugins.environments.seen", odd)
    sources, (problem,) = environment_sources()
    assert [source.environment for source in sources] == ["good"]
    assert "can't be read (RecursionError: too deep)" in problem.message


def test_what_it_needs_in_place_is_linked_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin, what it needs, and what that needs, all installed in place; not a stranger."""
    site = tmp_path / "site"
    site.mkdir()
    needs = {
        "plug-in": ["Tools_One>=1", "numpy"],
        "tools-one": ["tools-two; python_version>'3'"],
        "tools-two": [],
        "stranger": [],
    }
    for name, wanted in needs.items():
        snake = name.replace("-", "_")
        with zipfile.ZipFile(wheel(tmp_path, name, snake, plugin(f"{name}-mean"), wanted)) as file:
            file.extractall(site)
        project = tmp_path / f"{snake}_project"
        (project / "tests").mkdir(parents=True)
        (project / "tests" / "__init__.py").write_text("")
        (project / "setup.py").write_text(f"setup(name='{name}')")
        (site / f"{snake}.py").rename(project / f"{snake}.py")
        (site / f"_{snake}.pth").write_text(f"{project}\n")
        (site / f"{snake}-1.0.dist-info" / "RECORD").write_text(f"_{snake}.pth,,\n")
        (site / f"{snake}-1.0.dist-info" / "direct_url.json").write_text(
            json.dumps({"url": f"file://{project}", "dir_info": {"editable": True}})
        )
        monkeypatch.syspath_prepend(str(project))
    monkeypatch.syspath_prepend(str(site))
    links = links_of(load_registry().find("predictors", "plug-in/plug-in-mean"))
    assert {name: place for name, place in links.items() if name != "kobench"} == {
        f"{snake}.py": tmp_path / f"{snake}_project" / f"{snake}.py"
        for snake in ("plug_in", "tools_one", "tools_two")
    }


def test_what_a_plugin_needs_is_followed_to_its_end() -> None:
    """Keys of records hold the versions of all that, and a sandbox shows it."""
    needs = {
        "plug-in": ["one", "two", "not-installed"],
        "one": ["deep"],
        "two": ["deep", "one"],
        "deep": ["deeper"],
        "deeper": ["one"],
        "stranger": ["plug-in"],
    }
    found = {name: {"needs": wanted} for name, wanted in needs.items()}
    assert closure("plug-in", found) == ["deep", "deeper", "one", "plug-in", "two"]
    assert closure("deeper", found) == ["deep", "deeper", "one"]
    assert closure("stranger", found) == sorted(needs)
    assert closure("not-installed", found) == []
    assert needs["plug-in"] == ["one", "two", "not-installed"]


def test_links_of_a_single_file_and_of_what_is_installed_in_place(
    home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(plugin("my-mean"))
    registry = load_registry([file])
    links = links_of(registry.predictors["my-mean"][0])
    assert links.pop("mine.py") == file
    package = Path(environments.__file__).parents[1]
    inside = any(package.is_relative_to(prefix) for prefix in (sys.prefix, sys.base_prefix))
    assert links == ({} if inside else {"kobench": package})


def test_the_same_distribution_here_and_in_two_environments(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = str(wheel(tmp_path, "twice-plugin", "twice_plugin", plugin("twice")))
    create("one", [built])
    registry = load_registry()
    assert registry.find("predictors", "twice").environment == "one"
    create("two", [built])
    registry = load_registry()
    for text in ("twice", "twice-plugin/twice"):
        with pytest.raises(
            UserError,
            match=(
                r"twice-plugin in environment one and twice-plugin in environment two; say"
                r" one/twice or two/twice"
            ),
        ):
            registry.find("predictors", text)
    assert [
        registry.find("predictors", f"{name}/twice").environment for name in ("one", "two")
    ] == ["one", "two"]
    here = tmp_path / "here"
    with zipfile.ZipFile(built) as file:
        file.extractall(here)
    monkeypatch.syspath_prepend(str(here))
    registry = load_registry()
    assert len(registry.predictors["twice"]) == 3
    assert registry.find("predictors", "twice-plugin/twice").environment == ""
    assert registry.find("predictors", "two/twice").environment == "two"
    with pytest.raises(UserError, match="say twice-plugin/twice or one/twice or two/twice"):
        registry.find("predictors", "twice")


def test_only_predictors_are_taken(
    offline: Path, tmp_path: Path, no_start: Callable[[], None]
) -> None:
    more = (
        '\n@hookimpl\ndef kobench_datasets():\n    yield DatasetSpec("toy-data",'
        ' "alpha_plugin:Mean")\n'
    )
    create(
        "alpha",
        [
            str(
                wheel(
                    tmp_path,
                    "alpha-plugin",
                    "alpha_plugin",
                    plugin("alpha-mean", more, "PredictorSpec, DatasetSpec"),
                )
            )
        ],
    )
    registry = load_registry()
    assert "alpha-mean" in registry.predictors
    assert "toy-data" not in registry.datasets
    (sentence,) = sentences(registry, "alpha")
    assert (
        "alpha-plugin offers dataset 'toy-data' in environment 'alpha'; these run in kobench's own"
        " interpreter" in sentence
    )
    no_start()
    assert sentences(load_registry(), "alpha") == [sentence]


def test_a_broken_environment_is_a_problem_in_a_sentence(offline: Path, tmp_path: Path) -> None:
    built = str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))
    for name in ("garbled", "newer", "headless", "emptied", "strange"):
        made = create(name, [built])
        about = offline / name / "environment.json"
        if name == "garbled":
            about.write_text("{")
        elif name == "newer":
            about.write_text(json.dumps({**made.about, "format": 99}))
        elif name == "headless":
            made.python.unlink()
        elif name == "emptied":
            shutil.rmtree(made.site)
        else:
            made.python.unlink()
            made.python.write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
            made.python.chmod(0o755)
            (offline / name / "seen.json").unlink(missing_ok=True)
    (offline / "half" / "0123abcd").mkdir(parents=True)
    (offline / "stray.txt").write_text("")
    registry = load_registry()
    assert "alpha-mean" not in registry.predictors
    for name, expected in {
        "garbled": "environment.json can't be read",
        "newer": "made by a newer kobench (format 99, this one knows 1)",
        "headless": "has no interpreter at",
        "emptied": "has lost its packages",
        "strange": "starting ended the process with exit code 3",
        "half": "its making was ended; make it again with `kobench env create half --replace",
    }.items():
        (sentence,) = sentences(registry, name)
        assert expected in sentence
        with pytest.raises(UserError, match="can't be used"):
            registry.find("predictors", f"{name}/alpha-mean")
        problem = registry.find_despite(f"{name}/alpha-mean").problem
        assert problem is not None
        assert problem.message == sentence


def test_an_environment_holds_what_really_lies_in_it_alone(tmp_path: Path) -> None:
    """What its packages name becomes readable for predictors, and links are packages' to make."""
    home, project, away = (tmp_path / name for name in ("home", "project", "away"))
    for folder in (home / "serial" / "lib", project / "src", away):
        folder.mkdir(parents=True)
    (home / "serial" / "lib" / "out").symlink_to(away)
    (project / "src" / "out").symlink_to(away)
    (away / "in").symlink_to(home / "serial" / "lib")
    (tmp_path / "by-link").symlink_to(project)
    about = {"from": ["alpha", f"-e {tmp_path / 'by-link'}", str(away)]}
    environment = Environment("mine", home, home / "serial", about)
    for place in (home / "serial" / "lib", project / "src", away / "in"):
        assert environment.holds(place)
    for place in (
        away,
        home,
        home / "serial" / "lib" / "out",
        project / "src" / "out" / "of" / "it",
        home / "serial" / ".." / ".." / "away",
        project.with_name("project-2"),
    ):
        assert not environment.holds(place)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"serial": "../../elsewhere"}, "its serial has '/' in it"),
        ({"serial": ".."}, "its serial stands for another folder"),
        ({"site": "/etc"}, "its site has the part '', which is empty"),
        ({"site": "lib/../../../elsewhere"}, "its site has the part '..'"),
        (None, "recursion"),
    ],
)
def test_an_environment_never_leads_out_of_its_folder(
    offline: Path, change: dict[str, str] | None, fault: str
) -> None:
    (offline / "mine").mkdir(parents=True)
    about = {"format": 1, "serial": "0123abcd", "site": "lib/python/site-packages"}
    text = "[" * 100_000 if change is None else json.dumps({**about, **change})
    (offline / "mine" / "environment.json").write_text(text)
    with pytest.raises(BrokenError, match=re.escape("environment.json can't be read")) as error:
        read("mine")
    assert fault in str(error.value)
