"""Environments are made, replaced and removed whole or not at all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import COMMAND, kobench
from environment_problems import sentences
from wheels import plugin, wheel

from kobench.environments import environment as environments
from kobench.environments import uv
from kobench.environments.create import _absolute, create, remove
from kobench.environments.folder import locked
from kobench.environments.interpreters import find_interpreter
from kobench.environments.pip import run_logged
from kobench.errors import UserError
from kobench.plugins.load import load_registry

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


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("replace", [True, False])
def test_a_link_in_the_place_of_an_environment_is_left_alone(
    home: Path, tmp_path: Path, there: bool, replace: bool
) -> None:
    """Also one that leads nowhere: whose disk is not mounted, for instance."""
    elsewhere = tmp_path / "elsewhere"
    if there:
        elsewhere.mkdir()
    home.mkdir(parents=True)
    (home / "alpha").symlink_to(elsewhere)
    with pytest.raises(UserError, match="is there already and is not an environment of kobench's"):
        create("alpha", ["numpy"], replace=replace)
    assert (home / "alpha").readlink() == elsewhere
    assert [*elsewhere.glob("*")] == []


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


def test_interpreters_are_found_by_path_version_and_default() -> None:
    python, version = find_interpreter(None)
    assert version == ".".join(map(str, sys.version_info[:3]))
    assert find_interpreter(str(python)) == (python, version)
    assert find_interpreter(version)[1] == version
    assert find_interpreter(f"{sys.version_info[0]}.{sys.version_info[1]}")[1].startswith(
        f"{sys.version_info[0]}.{sys.version_info[1]}."
    )


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_failing_installer_is_shown_and_leaves_nothing(
    home: Path, tmp_path: Path, tool: str
) -> None:
    if tool == "uv" and uv.find_uv() is None:
        pytest.skip("uv is not here: kobench[env] brings it")
    asked = ("--from", tmp_path / "nowhere.whl", "--installer", tool)
    done = kobench("env", "create", "alpha", *asked, code=2)
    log = home / ".making" / "alpha.log"
    assert f"{tool} could not install {tmp_path / 'nowhere.whl'}" in done.stderr
    assert f"The end of {log}:" in done.stderr
    assert log.read_text().strip().splitlines()[-1] in done.stderr
    assert environments.names() == []
    assert (
        kobench("env", "create", "alpha", "--from", "--index-url=x", code=None).stderr.count(
            "not an option of pip"
        )
        == 1
    )


#: By these another Python would leak into an environment, or pip install somewhere else.
LEAKING = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX"),
    *("PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN"),
)


def test_no_other_python_leaks_into_what_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*LEAKING, "PIP_INDEX_URL", "MINE"):
        monkeypatch.setenv(name, f"/{name}")
    log = tmp_path / "log"
    run_logged(["/usr/bin/env"], log, "looking")
    there = {line.partition("=")[0] for line in log.read_text().splitlines()}
    assert not there & set(LEAKING)
    assert {"PIP_INDEX_URL", "MINE", "PATH"} <= there


@pytest.mark.parametrize(
    ("spec", "recorded"),
    [
        ("./plugin", "{here}/plugin"),
        ("plugin/", "{here}/plugin"),
        ("../here/plugin[more,all]", "{here}/plugin[more,all]"),
        (".", "{here}"),
        ("-e .", "-e {here}"),
        ("-e plugin", "-e {here}/plugin"),
        ("-e ./plugin[more]", "-e {here}/plugin[more]"),
        ("mine.whl", "{here}/mine.whl"),
        ("pins.txt", "{here}/pins.txt"),
        # what is no path stays, whatever lies here
        ("plugin", "plugin"),
        ("plugin[more]", "plugin[more]"),
        ("plugin==1.0", "plugin==1.0"),
        ("nothing.whl", "nothing.whl"),
        ("./nothing", "./nothing"),
        ("git+https://host/plugin", "git+https://host/plugin"),
    ],
)
def test_where_a_relative_from_lies_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, recorded: str
) -> None:
    here = tmp_path / "here"
    (here / "plugin").mkdir(parents=True)
    (here / "mine.whl").touch()
    (here / "pins.txt").touch()
    monkeypatch.chdir(here)
    assert _absolute(spec) == recorded.format(here=here)


def test_an_environment_knows_later_where_its_relative_from_lay(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean"))
    monkeypatch.chdir(tmp_path)
    made = create("alpha", [f"./{built.name}", "-e ."], keep=True)
    assert made.about["from"] == [str(built), f"-e {tmp_path}"]
    monkeypatch.chdir("/")
    assert environments.read("alpha").in_place == (tmp_path,)


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
    process = subprocess.Popen(
        [*COMMAND, "env", "create", "alpha", "--from", "numpy"],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
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
