"""Environments: made, listed, renewed, broken and removed.

Also two whose pins exclude each other, compared in one run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kobench.checks.environments import check_environment
from kobench.checks.predictors import Setting
from kobench.environments import environment as environments
from kobench.environments import own, pip
from kobench.environments.create import create, remove
from kobench.environments.folder import locked
from kobench.environments.interpreters import find_interpreter
from kobench.errors import TrialFailed, UserError
from kobench.plugins import conversation
from kobench.plugins.load import Registry, links_of, load_registry
from kobench.sandbox.finding import layers_here
from kobench.sandbox.layers import uncovered
from kobench.sandbox.places import Interpreter
from kobench.supervisor.process import WorkerProcess
from kobench.supervisor.settings import WorkerSettings

PLUGIN = """
import numpy as np
from kobench.api import {imports}, hookimpl

class Mean:
    def fit(self, cells, context):
        self.mean = cells.profiles().mean(0)
        print("numpy", np.__version__)
    def predict_expression(self, assemblages):
        rows = np.where(assemblages, self.mean + 1e-9, 0)
        return rows / rows.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("{name}", Mean, summary="the mean")
"""


def plugin(name: str, more: str = "", imports: str = "PredictorSpec") -> str:
    """A plugin's only module, with one predictor."""
    return PLUGIN.format(name=name, imports=imports) + more


def wheel(
    folder: Path, distribution: str, module: str, text: str, needs: Sequence[str] = ()
) -> Path:
    """A wheel with one module and its entry point, without any build."""
    snake = distribution.replace("-", "_")
    path = folder / f"{snake}-1.0-py3-none-any.whl"
    info = f"{snake}-1.0.dist-info"
    files = {
        f"{module}.py": text,
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
            + "".join(f"Requires-Dist: {n}\n" for n in needs)
        ),
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
        f"{info}/entry_points.txt": f"[kobench]\n{distribution} = {module}\n",
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
        file.writestr(
            f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
        )
    return path


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that knows the plugins of kobench's own interpreter, for all tests."""
    folder = tmp_path_factory.mktemp("described")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KOBENCH_CACHE", str(folder))
        load_registry()
    return folder


@pytest.fixture
def home(described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of environments."""
    shutil.copytree(described, tmp_path / "cache")
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


def linked(place: str, target: str) -> None:
    """A file once more, without a copy of its content where the file system allows it."""
    try:
        os.link(place, target)
    except OSError:
        shutil.copy2(place, target)


@pytest.fixture
def offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Without pip: a wheel is unpacked, numpy is linked, and other SPECs install nothing."""
    run = pip.run_logged

    def without_pip(command: list[str], log: Path, what: str) -> None:
        run([*command, "--without-pip"], log, what)

    def unpack(python: Path, wanted: pip.Wanted, *_: Any) -> None:
        (site,) = (python.parent.parent / "lib").glob("python*/site-packages")
        for spec in wanted.specs:
            if spec.endswith(".whl"):
                with zipfile.ZipFile(spec) as file:
                    file.extractall(site)
        there = Path(np.__file__).parent.parent
        for place in [there / "numpy", *there.glob("numpy.libs"), *there.glob("numpy-*.dist-info")]:
            shutil.copytree(
                place, site / place.name, copy_function=linked
            )  # a link to a folder outside would not be shown to a plugin

    monkeypatch.setattr(pip, "run_logged", without_pip)
    monkeypatch.setattr(pip, "install", unpack)
    return home


@pytest.fixture
def no_start(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and from then on starting an environment's interpreter is an error."""

    def refuse(*_: Any) -> None:
        raise AssertionError("an interpreter was started")

    def forbid() -> None:
        monkeypatch.setattr(conversation, "ask_children", refuse)
        monkeypatch.setattr("kobench.environments.seen.ask_inside", refuse)

    return forbid


def sentences(registry: Registry, environment: str) -> list[str]:
    return [problem.message for problem in registry.problems if problem.environment == environment]


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


def test_a_plugin_edited_in_place_runs_from_where_it_lies(offline: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
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
        (project / "setup.py").write_text("")
        (site / f"{snake}.py").rename(project / f"{snake}.py")
        (site / f"_{snake}.pth").write_text(f"{project}\n")
        (site / f"{snake}-1.0.dist-info" / "RECORD").write_text(f"_{snake}.pth,,\n")
        (site / f"{snake}-1.0.dist-info" / "direct_url.json").write_text(
            '{"url": "file:///x", "dir_info": {"editable": true}}'
        )
        monkeypatch.syspath_prepend(str(project))
    monkeypatch.syspath_prepend(str(site))
    links = links_of(load_registry().find("predictors", "plug-in/plug-in-mean"))
    assert {name: place for name, place in links.items() if name != "kobench"} == {
        f"{snake}.py": tmp_path / f"{snake}_project" / f"{snake}.py"
        for snake in ("plug_in", "tools_one", "tools_two")
    }


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


def test_an_older_copy_of_kobench_is_renewed_once(
    offline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    load_registry()
    protocol = made.site / "kobench" / "worker" / "protocol.py"
    now = protocol.read_text()
    protocol.write_text("PROTOCOL = 0\n")
    (made.site / "kobench" / "gone.py").write_text("")
    (made.prefix / "kobench.json").write_text(
        json.dumps({"version": "0", "digest": "older", "stamp": "older"})
    )
    capsys.readouterr()
    assert "alpha-mean" in load_registry().predictors
    assert capsys.readouterr().err == "environment alpha: its copy of kobench was renewed\n"
    assert protocol.read_text() == now
    assert not (made.site / "kobench" / "gone.py").exists()
    assert not list(made.site.glob(".kobench-*"))
    load_registry()
    assert capsys.readouterr().err == ""
    touched = json.loads((made.prefix / "kobench.json").read_text())
    (made.prefix / "kobench.json").write_text(
        json.dumps({**touched, "stamp": "the same files at another time"})
    )
    load_registry()
    assert capsys.readouterr().err == ""  # the same content is no other kobench


def test_what_is_put_there_is_closed_under_imports() -> None:
    from test_layers import IN_WORKER, missing_parts

    missing = {name: missing_parts(name) for name in IN_WORKER if missing_parts(name)}
    assert not missing, f"add to PARTS in kobench/environments/own.py: {missing}"
    assert {
        "kobench/worker/main.py",
        "kobench/worker/checks/run.py",
        "kobench/worker/describe/child.py",
        "kobench/__init__.py",
    } <= set(own.parts())


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
        "strange": "it ended with exit code 3: no such luck",
        "half": "its making was ended; make it again with `kobench env create half --replace",
    }.items():
        (sentence,) = sentences(registry, name)
        assert expected in sentence
        with pytest.raises(UserError, match="can't be used"):
            registry.find("predictors", f"{name}/alpha-mean")
        problem = registry.find_despite(f"{name}/alpha-mean").problem
        assert problem is not None
        assert problem.message == sentence


REFUSED = {
    "Bad Name": "can't name an environment",
    "../up": "can't name an environment",
    ".making": "can't name an environment",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_name_is_refused(home: Path, name: str) -> None:
    with pytest.raises(UserError, match=REFUSED[name]):
        create(name, ["numpy"])
    assert not home.exists()


def test_what_can_not_be_made_is_refused_and_leaves_nothing(offline: Path, tmp_path: Path) -> None:
    built = str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))
    with pytest.raises(UserError, match=r"nothing to install; say with --from"):
        create("alpha", [])
    with pytest.raises(UserError, match=r"there is no file 'pins.txt'"):
        create("alpha", [built], constraint="pins.txt")
    with pytest.raises(UserError, match=r"'/no/python'.*neither an interpreter nor a version"):
        create("alpha", [built], python="/no/python")
    with pytest.raises(UserError, match=r"no Python 3\.99 was found"):
        create("alpha", [built], python="3.99")
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\necho '[3, 8, 18]'\n")
    old.chmod(0o755)
    with pytest.raises(
        UserError, match=r"is Python 3\.8\.18; a predictor's environment needs 3\.9 or newer"
    ):
        create("alpha", [built], python=str(old))
    with pytest.raises(
        UserError,
        match=(
            r"no kobench plugin: numpy installed numpy .*\[project.entry-points.kobench\].*Nothing"
            r" was kept"
        ),
    ):
        create("alpha", ["numpy"])
    assert environments.names() == []
    kept = create("alpha", ["numpy"], keep=True)
    assert environments.complete() == ([kept], [])
    with pytest.raises(UserError, match=r"environment 'alpha' exists; --replace makes it anew"):
        create("alpha", [built])


def test_replacing_takes_effect_at_the_end_or_not_at_all(offline: Path, tmp_path: Path) -> None:
    first = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    with pytest.raises(UserError, match="would have no kobench plugin"):
        create("alpha", ["numpy"], replace=True)
    assert environments.read("alpha") == first
    assert [path.name for path in (offline / "alpha").iterdir() if path.is_dir()] == [
        first.prefix.name
    ]
    second = create(
        "alpha",
        [str(wheel(tmp_path, "beta-plugin", "beta_plugin", plugin("beta-mean")))],
        replace=True,
    )
    assert second.prefix != first.prefix
    assert not first.prefix.exists()
    registry = load_registry()
    assert "beta-mean" in registry.predictors
    assert "alpha-mean" not in registry.predictors


def test_one_environment_is_made_by_one_process_at_a_time(offline: Path) -> None:
    with (
        locked("alpha"),
        pytest.raises(UserError, match="is being made or changed by another process"),
    ):
        create("alpha", ["numpy"], keep=True)
    create("alpha", ["numpy"], keep=True)


def test_only_environments_are_removed(offline: Path) -> None:
    (offline / "mine").mkdir(parents=True)
    (offline / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="is no environment of kobench's: it has other files"):
        remove("mine")
    assert (offline / "mine" / "thesis.tex").exists()
    create("alpha", ["numpy"], keep=True)
    (offline / "half" / "0123abcd" / "lib").mkdir(parents=True)
    remove("alpha")
    remove("half")
    assert environments.names() == ["mine"]
    with pytest.raises(UserError, match=r"there is no environment 'alpha'; environments: mine"):
        remove("alpha")
    with pytest.raises(UserError, match="there is no environment"):
        remove(".making")


def test_a_worker_of_another_protocol_is_refused_in_a_sentence(
    offline: Path, tmp_path: Path
) -> None:
    from kobench.plugins.environments import interpreter_of

    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    interpreter = interpreter_of(made)
    protocol = made.site / "kobench" / "worker" / "protocol.py"
    protocol.write_text(protocol.read_text().replace("PROTOCOL = ", "PROTOCOL = 1000 + "))
    with (
        pytest.raises(
            TrialFailed,
            match=r"the worker speaks protocol 100\d, this kobench \d; renew its environment",
        ),
        WorkerProcess(tmp_path / "work", WorkerSettings(interpreter=interpreter, sandbox="off")),
    ):
        pass


def test_a_harness_of_another_protocol_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(
            TrialFailed,
            match=r"the harness speaks protocol 1000, this worker \d; renew its environment",
        ),
        WorkerProcess(tmp_path / "work", WorkerSettings(sandbox="off")) as worker,
    ):
        worker.ask("fit", protocol=1000)


def test_check_says_what_is_wrong(offline: Path, tmp_path: Path) -> None:
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    (made.site / "kobench" / "worker" / "protocol.py").write_text("PROTOCOL = 0\n")
    results = list(check_environment(made, Setting(sandbox="off")))
    by_name = {result["name"]: result for result in results if "predictor" not in result}
    assert by_name["interpreter"]["status"] == by_name["plugins"]["status"] == "passed"
    assert by_name["kobench"]["status"] == "failed"
    assert "was changed; make it again" in by_name["kobench"]["found"]
    assert by_name["worker"]["status"] == "failed"
    assert (
        "can't be imported there: it ended with exit code 1: ImportError"
        in by_name["worker"]["found"]
    )
    (started,) = [result for result in results if "predictor" in result]
    assert (started["predictor"], started["name"], started["status"]) == (
        "alpha-mean",
        "starts",
        "failed",
    )
    made.python.unlink()
    (only,) = check_environment(made)
    assert (only["name"], only["status"]) == ("interpreter", "failed")


def test_interpreters_are_found_by_path_version_and_default() -> None:
    python, version = find_interpreter(None)
    assert version == ".".join(map(str, sys.version_info[:3]))
    assert find_interpreter(str(python)) == (python, version)
    assert find_interpreter(version)[1] == version
    assert find_interpreter(f"{sys.version_info[0]}.{sys.version_info[1]}")[1].startswith(
        f"{sys.version_info[0]}.{sys.version_info[1]}."
    )


# what follows starts kobench as a user does


def kobench(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from kobench.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def test_a_failing_pip_is_shown_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    done = kobench("env", "create", "alpha", "--from", str(tmp_path / "nowhere.whl"))
    assert done.returncode == 2
    log = home / ".making" / "alpha.log"
    assert f"pip could not install {tmp_path / 'nowhere.whl'}" in done.stderr
    assert f"The end of {log}:" in done.stderr
    assert log.read_text().strip().splitlines()[-1] in done.stderr
    assert environments.names() == []
    assert (
        kobench("env", "create", "alpha", "--from", "--index-url=x").stderr.count(
            "not an option of pip"
        )
        == 1
    )


@pytest.fixture
def silent_registry() -> Iterator[str]:
    """The address of a package registry that takes a request and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_create_that_is_ended_leaves_nothing_that_counts(
    home: Path, silent_registry: str, how: signal.Signals
) -> None:
    variables = {
        **os.environ,
        "PIP_INDEX_URL": silent_registry,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_EXTRA_INDEX_URL": "",
    }
    command = [
        sys.executable,
        "-c",
        "from kobench.cli import main; main()",
        "env",
        "create",
        "alpha",
        "--from",
        "numpy",
    ]
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(
        lambda: any(b" pip install " in line for _, line in processes_with(str(home))),
        "pip is at work",
    )
    (sentence,) = sentences(load_registry(), "alpha")
    assert "it is being made at this moment" in sentence
    process.send_signal(how)
    process.wait(30)
    if how == signal.SIGTERM:
        assert process.returncode == 130
        assert not processes_with(str(home))
    else:
        for pid, _ in processes_with(str(home)):
            os.kill(pid, signal.SIGKILL)  # pip: nobody is left to end it
        (sentence,) = sentences(load_registry(), "alpha")
        assert "is not complete: its making was ended" in sentence
        remove("alpha")
    assert environments.names() == []
    assert not sentences(load_registry(), "alpha")


def processes_with(part: str) -> list[tuple[int, bytes]]:
    """(process id, command line) of every process whose command line has `part`."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (
                (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                if entry.name.isdigit()
                else b""
            )
        except OSError:
            continue
        if part.encode() in line and int(entry.name) != os.getpid():
            found.append((int(entry.name), line))
    return found


def wait_for(happened: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        if happened():
            return
        time.sleep(0.1)
    pytest.fail(f"waited in vain until {what}")
