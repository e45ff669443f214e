"""Lock files say exactly what is installed, and make the same again, with uv and with pip."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shlex
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from places import REPOSITORY
from wheels import plugin, wheel

from kobench.checks.environments import as_locked
from kobench.cli.commands import cli
from kobench.environments import pip, pip_settings, uv
from kobench.environments.create import create
from kobench.environments.environment import Environment
from kobench.environments.interpreters import find_interpreter, interpreter_for
from kobench.environments.lock import Lock, is_lock, lock_of, read_lock
from kobench.environments.pip_settings import settings, settings_for_uv
from kobench.environments.seen import seen
from kobench.errors import UserError
from kobench.runner.answers import lock_of as lock_of_environment
from kobench.util.hashes import sha256_of

HASH = 64 * "a"


def package(folder: Path, name: str, version: str, more: str = "") -> Path:
    """A wheel of one module, without any build."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"__version__ = {version!r}\n{more}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    with zipfile.ZipFile(path, "w") as file:
        for member, content in files.items():
            file.writestr(zipfile.ZipInfo(member), content)
        listed = "".join(f"{member},,\n" for member in [*files, f"{info}/RECORD"])
        file.writestr(zipfile.ZipInfo(f"{info}/RECORD"), listed)
    return path


@pytest.fixture
def wheels(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that pip and uv look at."""
    folder = tmp_path / "my wheels"
    package(folder, "numpy", "2.0")  # every environment has one; nothing here imports it
    package(folder, "helper", "1.0")
    # %20: pip parts the values of a setting at blanks
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    monkeypatch.setenv("PIP_NO_COMPILE", "1")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv cache"))
    return folder


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The wheel of a plugin that needs `helper`, with a .pth file that says that it ran."""
    path = wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha"), ["kobench", "helper"])
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("alpha.pth", f"import os; open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    return path


TOOLS = [
    "pip",
    pytest.param(
        "uv",
        marks=pytest.mark.skipif(uv.find_uv() is None, reason="uv is not here: kobench[env]"),
    ),
]


def lock_file(environment: Environment) -> Path:
    return environment.folder / "lock.txt"


@pytest.mark.parametrize("tool", TOOLS)
def test_a_lock_makes_the_same_again(
    tool: str, wheels: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create("first", [str(built)], installer=tool)
    assert made.about["installer"] == tool
    lock = read_lock(lock_file(made))
    assert lock.digest == made.about["lock"]
    assert dict(lock.lines) == {
        f"alpha-plugin @ {built.as_uri()}": {sha256_of(built)},
        "helper==1.0": {sha256_of(wheels / "helper-1.0-py3-none-any.whl")},
        "numpy==2.0": {sha256_of(wheels / "numpy-2.0-py3-none-any.whl")},
    }
    kept = tmp_path / "kept.txt"
    kept.write_bytes(lock_file(made).read_bytes())
    package(wheels, "helper", "1.1")
    package(wheels, "numpy", "2.1")
    again = create("again", [str(kept)], installer=tool)
    assert lock_file(again).read_bytes() == kept.read_bytes()
    names = ("helper", "numpy", "alpha-plugin", "kobench")
    assert [again.about["installed"][name] for name in names] == [
        made.about["installed"][name] for name in names
    ]
    if tool == "pip" and uv.find_uv() is not None:
        other = create("by-uv", [str(kept)], installer="uv")
        assert lock_file(other).read_bytes() == kept.read_bytes()
    # the same version with another content is another file
    package(wheels, "helper", "1.0", "changed = True\n")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another cache"))
    with pytest.raises(UserError, match=r"(?i)hash"):
        create("other", [str(kept)], installer=tool)
    assert not (again.folder.parent / "other").exists()
    # an installed .pth file runs whenever an environment's interpreter starts: none did
    assert not (tmp_path / "ran").exists()


def test_a_folder_has_no_hash_and_is_in_the_lock(tmp_path: Path) -> None:
    one = {"name": "Alpha.Plugin", "version": "1.0", "needs": [], "metadata": str(tmp_path)}
    inside = {"version": "3.11.7", "installed": [one]}
    assert dict(lock_of(inside, {}).lines) == {"alpha-plugin==1.0": frozenset()}
    for about, line in (
        ({"editable": True}, "-e /a b"),
        ({}, "alpha-plugin @ file:///a%20b"),
    ):
        document = {"url": "file:///a%20b", "dir_info": about}
        (tmp_path / "direct_url.json").write_text(json.dumps(document))
        lock = lock_of(inside, {"alpha-plugin": [HASH]})
        assert list(lock.lines) == [line]
        assert not lock.hashed


def test_a_lock_is_written_and_read(tmp_path: Path) -> None:
    lock = Lock("3.11.7", {"b==1": frozenset({HASH, 64 * "b"}), "-e /a b": frozenset()})
    file = tmp_path / "lock.txt"
    file.write_text(lock.text)
    assert lock.text.splitlines() == [
        "# kobench lock 1, Python 3.11.7",
        "-e /a b",
        f"b==1 --hash=sha256:{HASH} --hash=sha256:{64 * 'b'}",
    ]
    assert read_lock(file) == lock
    assert is_lock(str(file))
    (tmp_path / "pins.txt").write_text("b==1\n")
    assert not is_lock(str(tmp_path / "pins.txt"))
    assert not is_lock("b==1")
    assert not is_lock(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("b==1\n", "begins with 'b==1'"),
        ("# kobench lock 1, Python 3.11.7\n--index-url http://x\n", "line 2 of the lock"),
        ("# kobench lock 1, Python 3.11.7\n\n", "line 2 of the lock"),
    ],
)
def test_what_is_no_lock_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "lock.txt"
    file.write_text(text)
    with pytest.raises(UserError, match=said):
        read_lock(file)


def test_a_lock_stands_alone(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "lock.txt"
    file.write_text("# kobench lock 1, Python 3.11.7\nb==1\n")
    for more in ({"specs": [str(file), "numpy"]}, {"specs": [str(file)], "constraint": file}):
        with pytest.raises(UserError, match="is a lock, which says all that is installed"):
            create("alpha", **more)  # type: ignore[arg-type]


def test_metadata_put_no_lines_into_a_lock(tmp_path: Path) -> None:
    """A wheel may have any name, version and address."""
    (tmp_path / "direct_url.json").write_text(
        json.dumps({"url": "https://x\n--index-url http://evil", "archive_info": {}})
    )
    hostile = [
        {"name": "a\n--index-url http://evil", "version": "1", "needs": [], "metadata": "/no"},
        {"name": "b", "version": "1\n--pre", "needs": [], "metadata": "/no"},
        {"name": "c", "version": "1", "needs": [], "metadata": str(tmp_path)},
    ]
    lock = lock_of({"version": "3.11.7", "installed": hostile}, {"c": ["x", HASH]})
    assert dict(lock.lines) == {"c==1": {HASH}}


def test_pips_settings_are_given_to_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pip_settings, "MACHINES", tmp_path / "none")
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://mine/simple\ntimeout = 7\n"
        "[install]\nfind_links =\n    /one\n    /two\n"
    )
    asked = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_DIRS": str(tmp_path),
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_EXTRA_INDEX_URL": "https://a https://b",
        "PIP_CERT": "/cert.pem",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "false",
        "PIP_ONLY_BINARY": "numpy,scipy",
        "PIP_DEFAULT_TIMEOUT": "9",
    }
    found = settings_for_uv(asked)
    given = list(zip(found.arguments[::2], found.arguments[1::2], strict=True))
    assert sorted(given) == sorted(
        [
            ("--default-index", "https://mine/simple"),
            ("--find-links", "/one"),
            ("--find-links", "/two"),
            ("--index", "https://a"),
            ("--index", "https://b"),
            ("--index-strategy", "unsafe-best-match"),
            ("--only-binary", "numpy"),
            ("--only-binary", "scipy"),
        ]
    )
    assert found.variables == {"SSL_CERT_FILE": "/cert.pem", "UV_HTTP_TIMEOUT": "9"}
    assert found.unknown == ()
    assert settings({**asked, "PIP_CONFIG_FILE": os.devnull}).keys() == {
        *("extra-index-url", "cert", "disable-pip-version-check", "no-index", "timeout"),
        "only-binary",
        "config-file",
    }


def test_a_setting_that_uv_does_not_know_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    program = tmp_path / "uv"
    monkeypatch.setattr(uv, "find_uv", lambda: program)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    chosen = uv.choose("auto", tmp_path, said.append)
    assert chosen is not None
    assert chosen.program == program
    monkeypatch.setenv("PIP_USE_FEATURE", "something")
    assert uv.choose("auto", tmp_path, said.append) is None
    assert said == ["pip installs, as uv has no word for these settings of pip: use-feature"]
    assert uv.choose("pip", tmp_path, said.append) is None
    monkeypatch.setattr(uv, "find_uv", lambda: None)
    assert uv.choose("auto", tmp_path, said.append) is None
    with pytest.raises(UserError, match=r"uv is not here.*pip install 'kobench\[env\]'"):
        uv.choose("uv", tmp_path, said.append)


def shown_commands() -> list[list[str]]:
    """Every kobench command of the page on environments, without comments."""
    page = (REPOSITORY / "docs" / "environments.md").read_text()
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("kobench ")]


@pytest.mark.parametrize("words", shown_commands(), ids=" ".join)
def test_commands_of_the_page_parse(words: list[str]) -> None:
    rest, command = words[1:], cli
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), rest.pop(0))
    command.make_context("kobench", rest)


def test_the_page_shows_how_to_make_the_same_again(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command of the page, after what it needs; `offline` stands for the installers."""
    (words,) = [words for words in shown_commands() if words[-1].endswith(".lock.txt")]
    built = wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha"))
    made = create("genki", [str(built)])
    monkeypatch.chdir(tmp_path)
    (tmp_path / words[-1]).write_bytes(lock_file(made).read_bytes())
    unpack = pip.install

    def from_lock(python: Path, wanted: pip.Wanted, *more: Any) -> dict[str, list[str]]:
        assert wanted.lock is not None
        assert "alpha-plugin==1.0" in wanted.lock.lines
        return unpack(python, replace(wanted, specs=[str(built)]), *more)

    monkeypatch.setattr(pip, "install", from_lock)
    again = create(words[3], [words[-1]])
    assert lock_file(again).read_bytes() == lock_file(made).read_bytes()


def test_records_and_the_check_know_the_lock(offline: Path, tmp_path: Path) -> None:
    made = create("alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha")))])
    assert lock_of_environment("alpha") == made.about["lock"] == read_lock(lock_file(made)).digest
    assert lock_of_environment("nothing") is None
    assert as_locked(made, seen(made))["status"] == "passed"
    with zipfile.ZipFile(package(tmp_path, "helper", "1.0")) as file:
        file.extractall(made.site)
    found = as_locked(made, seen(made))
    assert found["status"] == "skipped"
    assert found["found"] == "since it was made, these have come or gone: helper==1.0"
    lock_file(made).write_text(lock_file(made).read_text() + "helper==1.0\n")
    assert as_locked(made, seen(made))["status"] == "failed"


def test_the_python_of_a_lock_is_taken_or_one_of_its_series() -> None:
    here = find_interpreter(None)
    series = here[1].rpartition(".")[0]
    said: list[str] = []
    assert interpreter_for(None, here[1], said.append) == here
    assert interpreter_for(None, None, said.append) == here
    assert not said
    assert interpreter_for(None, f"{series}.999", said.append)[1].startswith(f"{series}.")
    (sentence,) = said
    assert sentence.startswith(f"the lock is of Python {series}.999, here is {series}.")


def test_a_uv_that_another_wheel_left_beside_python_is_not_started(tmp_path, monkeypatch):
    programs, packages = tmp_path / "bin", tmp_path / "lib"
    programs.mkdir()
    (programs / "uv").write_text("#!/bin/sh\n")
    (programs / "uv").chmod(0o755)
    monkeypatch.setattr(uv.sysconfig, "get_path", lambda name: str(programs))
    monkeypatch.setenv("PATH", str(programs))

    def install(name, listed):
        info = packages / f"{name}-1.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
        (info / "RECORD").write_text("".join(f"{path},,\n" for path in listed))

    def found():
        here = list(importlib.metadata.distributions(path=[str(packages)]))
        monkeypatch.setattr(uv, "distributions_here", lambda: here)
        return uv.find_uv()

    packages.mkdir()
    assert found() is None  # in nobody's list
    install("uvvy", ["../bin/uv"])
    assert found() is None
    install("uv", ["../bin/uv", "uv/__init__.py"])
    assert found() is None  # two say that they brought it
    install("uvvy", ["uvvy.py", "bin/uv"])
    assert found() == programs / "uv"
    install("uv", ["uv/__init__.py"])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "uv").write_text("#!/bin/sh\n")
    (elsewhere / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{elsewhere}")
    assert found() == elsewhere / "uv"
