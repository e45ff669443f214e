"""What installs and how it is told: pip's settings for uv, wheels alone, which interpreter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kobench.environments import interpreters, pip, pip_settings, uv
from kobench.environments.folder import making_folder
from kobench.environments.lock import Lock
from kobench.environments.pip_settings import FLAGS, HARMLESS, SWITCHES, VARIABLES, settings_for_uv
from kobench.environments.uv import Uv, hashes_in, pin_of, pip_of
from kobench.environments.wheels import from_wheels_alone, guarded_pip
from kobench.errors import UserError

ALONE = {"PIP_CONFIG_FILE": os.devnull}


def told(**settings):
    return settings_for_uv({**ALONE, **{f"PIP_{key}": value for key, value in settings.items()}})


# pip's settings


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ({"INDEX_URL": "https://a"}, ["--default-index", "https://a"]),
        ({"PYPI_URL": "https://a"}, ["--default-index", "https://a"]),
        (
            {"EXTRA_INDEX_URL": " a  b "},
            ["--index", "a", "--index", "b", "--index-strategy", "unsafe-best-match"],
        ),
        ({"EXTRA_INDEX_URL": " "}, []),
        ({"FIND_LINKS": "a,b"}, ["--find-links", "a,b"]),
        ({"CONSTRAINTS": "c.txt"}, ["-c", "c.txt"]),
        ({"TRUSTED_HOST": "h"}, ["--allow-insecure-host", "h"]),
        ({"NO_BINARY": "a,b c"}, ["--no-binary", "a", "--no-binary", "b", "--no-binary", "c"]),
        ({"ONLY_BINARY": ":all:"}, ["--only-binary", ":all:"]),
        ({"PRE": "1"}, ["--prerelease=allow"]),
        ({"NO_CACHE_DIR": "yes"}, ["--no-cache"]),
        *(({"PRE": off}, []) for off in ("0", "False", "no", "OFF", " off ")),
        ({"FIND_LINKS": "a", "NO_INDEX": "1"}, ["--no-index", "--find-links", "a"]),
        ({"FIND_LINKS": ""}, []),
    ],
)
def test_a_setting_of_pip_is_a_word_of_uv(settings, arguments):
    found = told(**settings)
    assert (list(found.arguments), found.variables, found.unknown) == (arguments, {}, ())


def test_settings_that_uv_takes_as_variables_and_that_it_has_no_word_for():
    found = told(CERT=" /c ", DEFAULT_TIMEOUT="9", PROXY="p", HASH_ALGORITHM="x", USER="1")
    assert found.variables == {"SSL_CERT_FILE": "/c", "UV_HTTP_TIMEOUT": "9", "ALL_PROXY": "p"}
    assert (found.arguments, found.unknown) == ((), ("hash-algorithm",))
    # a setting is of one kind, and those by which pip would install elsewhere are nobody's
    kinds = [set(FLAGS), set(SWITCHES), set(VARIABLES), HARMLESS]
    assert len(set.union(*kinds)) == sum(map(len, kinds))
    elsewhere = {name[4:].lower().replace("_", "-") for name in pip.UNWANTED if "PIP_" in name}
    assert elsewhere <= HARMLESS
    for name in HARMLESS - {"config-file"}:
        assert told(**{name.upper().replace("-", "_"): "1"}) == told()


def test_the_stronger_file_wins_and_variables_before_all(tmp_path, monkeypatch):
    def file(path, *lines):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines))
        return path

    home = tmp_path / "home"
    monkeypatch.setattr(pip_settings, "MACHINES", tmp_path / "pip.conf")
    variables = {
        "HOME": str(home),
        "XDG_CONFIG_DIRS": os.pathsep.join([str(tmp_path / "x1"), str(tmp_path / "x2")]),
    }
    order = [
        file(tmp_path / "x2" / "pip" / "pip.conf"),
        file(tmp_path / "x1" / "pip" / "pip.conf"),
        file(tmp_path / "pip.conf"),
        file(home / ".pip" / "pip.conf"),
        file(home / ".config" / "pip" / "pip.conf"),
    ]
    assert list(pip_settings.files(variables)) == order
    for number, path in enumerate(order):
        path.write_text(f"[global]\nproxy = {number}\n")
        assert pip_settings.settings(variables) == {"proxy": str(number)}
    named = file(
        tmp_path / "mine.conf", "[global]", "proxy = g", "[install]", "Proxy = i", "[x]", "a=b"
    )
    variables["PIP_CONFIG_FILE"] = str(named)
    assert pip_settings.settings(variables)["proxy"] == "i"
    assert "a" not in pip_settings.settings(variables)
    variables |= {"PIP_PROXY": "v", "PIP_RETRIES": "", "XPIP_CERT": "c", "PIPPROXY": "no"}
    found = pip_settings.settings(variables)
    assert found["proxy"] == "v"
    assert not {"retries", "cert"} & set(found)
    for damaged in ("proxy = 1\n", "[global\n", "[global]\n[global]\n"):
        named.write_text(damaged)
        assert pip_settings.settings({**variables, "PIP_PROXY": ""})["proxy"] == "4"
    variables["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    assert tmp_path / "config" / "pip" / "pip.conf" in list(pip_settings.files(variables))
    assert list(pip_settings.files({**variables, "PIP_CONFIG_FILE": os.devnull})) == []


# wheels alone


@pytest.mark.parametrize(
    ("specs", "files", "only", "alone"),
    [
        (["a.whl"], False, "", True),
        (["a.whl[x]", "b.whl "], False, "", True),
        (["a.whl"], True, "", False),
        (["a.whl", "b"], False, "", False),
        ([], False, "", False),
        (["a"], False, ":all:", True),
        ([], True, ":all:", True),
        (["a"], False, "x,:all:", True),
        (["a"], False, "x", False),
        (["-e ./a"], False, ":all:", False),
        (["a @ https://x/y"], False, ":all:", False),
        (["a", "x.tar.gz"], False, ":all:", False),
        (["x.zip[all]"], False, ":all:", False),
        (["FOLDER"], False, ":all:", False),
        (["FOLDER[x]"], False, ":all:", False),
    ],
)
def test_when_nothing_may_be_built(tmp_path, specs, files, only, alone):
    specs = [spec.replace("FOLDER", str(tmp_path)) for spec in specs]
    variables = {**ALONE, "PIP_ONLY_BINARY": only}
    assert bool(from_wheels_alone(specs, files, variables)) == alone


def test_a_lock_says_itself_what_may_be_built(monkeypatch):
    monkeypatch.setattr(pip, "os", os)
    assert pip.Wanted(["a.whl"]).is_wheels_alone
    assert not pip.Wanted(["a.whl"], requirements=["r.txt"]).is_wheels_alone
    assert not pip.Wanted(["a.whl"], lock=Lock("3")).is_wheels_alone


def test_the_pip_that_may_start_nothing_is_a_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    python = tmp_path / "env" / "bin" / "python"
    own = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "pip"
    own.mkdir(parents=True)
    (own / "__main__.py").write_text("x")
    copy = making_folder() / "one.pip"
    copy.mkdir(parents=True)
    (copy / "old").write_text("")
    with guarded_pip(python, "one") as command:
        assert command[:3] == [str(python), "-I", "-c"]
        assert command[4:] == [str(copy)]
        assert sorted(path.name for path in copy.rglob("*")) == ["__main__.py", "pip"]
        assert "addaudithook" in command[3]
    assert not copy.exists()


# uv


@pytest.mark.parametrize(
    ("installer", "there", "unknown", "taken", "said"),
    [
        ("auto", True, False, True, ""),
        ("uv", True, False, True, ""),
        ("pip", True, False, False, ""),
        ("auto", False, False, False, ""),
        ("pip", False, False, False, ""),
        ("auto", True, True, False, "pip installs, as uv has no word"),
        ("uv", True, True, True, "which are left out: hash-algorithm"),
    ],
)
def test_what_installs(monkeypatch, installer, there, unknown, taken, said):
    monkeypatch.setattr(uv, "find_uv", lambda: Path("/uv") if there else None)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    if unknown:
        monkeypatch.setenv("PIP_HASH_ALGORITHM", "x")
    told_of: list[str] = []
    found = uv.choose(installer, Path("/base"), told_of.append)
    assert (found is not None) == taken
    if found is not None:
        assert (found.program, found.base) == (Path("/uv"), Path("/base"))
    assert said in " ".join(told_of)
    assert bool(told_of) == bool(said)


def test_uv_that_was_asked_for_and_is_not_here(monkeypatch):
    monkeypatch.setattr(uv, "find_uv", lambda: None)
    with pytest.raises(UserError, match="uv is not here"):
        uv.choose("uv", Path("/base"), print)


def test_the_uv_beside_kobenchs_interpreter_is_the_first_where_it_came_with_uv_alone(
    tmp_path, monkeypatch
):
    scripts, path = tmp_path / "scripts", tmp_path / "path"
    for folder in (scripts, path):
        folder.mkdir()
        (folder / "uv").write_text("#!/bin/sh\n")
        (folder / "uv").chmod(0o755)
    owners = {"uv"}
    monkeypatch.setattr(uv, "owners_of", lambda program: owners)
    monkeypatch.setattr(uv.sysconfig, "get_path", lambda name: str(tmp_path / name))
    monkeypatch.setenv("PATH", os.pathsep.join([str(scripts), str(path)]))
    assert uv.find_uv() == scripts / "uv"
    for others in ({"uv", "mine"}, {"mine"}, set()):
        owners = others
        assert uv.find_uv() == path / "uv"
    monkeypatch.setenv("PATH", str(scripts))
    assert uv.find_uv() is None  # nor by its name, where PATH leads to the same folder
    owners = {"uv"}
    (scripts / "uv").unlink()
    assert uv.find_uv() is None


def made(base="/base", **settings):
    return Uv(Path("/uv"), told(**settings), Path(base))


def test_how_uv_is_told_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    making_folder().mkdir(parents=True)
    monkeypatch.setenv("UV_TARGET", "/elsewhere")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "5")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(uv, "pip_of", lambda base: [Path("/pip.whl"), Path("/other.whl")])
    ran = []
    monkeypatch.setattr(pip, "run_logged", lambda *arguments: ran.append(arguments))
    one = made(TIMEOUT="9", CERT="c", NO_INDEX="1")
    one.install(Path("/env/python"), pip.Wanted(["a"]), Path("/log"), "one")
    one.install(Path("/env/python"), pip.Wanted(["a.whl"]), Path("/log"), "one")
    (command, log, what, variables), (wheels, _, other, _) = ran
    start = ["/uv", "pip", "install", "--python", "/env/python", "--no-progress", "--link-mode"]
    assert command[:9] == [*start, "copy", "--no-index"]
    assert command[9] == "/pip.whl"
    assert command[-2:] == ["a", "numpy>=1.21"]
    assert "--only-binary" not in command
    assert wheels[10:12] == ["--only-binary", ":all:"]
    assert log == Path("/log")
    assert "uv could not install a (--installer" in what
    assert "from wheels alone" in other
    assert variables["SSL_CERT_FILE"] == "c"
    assert variables["UV_HTTP_TIMEOUT"] == "5"  # what the user set for uv itself
    assert not {"UV_TARGET", "PYTHONPATH"} & set(variables)


@pytest.mark.parametrize(("value", "compiles"), [("", True), ("0", True), ("1", False)])
def test_packages_are_compiled_by_the_interpreter_behind_them(monkeypatch, value, compiles):
    monkeypatch.setenv("PIP_NO_COMPILE", value)
    ran = []
    monkeypatch.setattr(uv.subprocess, "run", lambda command, **more: ran.append(command))
    made().compile(Path("/site"))
    assert len(ran) == compiles
    for command in ran:
        assert command[:5] == ["/base", "-I", "-S", "-m", "compileall"]
        assert command[-1] == "/site"


def test_hashes_of_all_files_that_a_version_may_come_from(tmp_path, monkeypatch):
    links, other = tmp_path / "a b", tmp_path / "c"
    for folder in (links, other):
        folder.mkdir()
    for file in (links / "A_x-1.0-py3-none-any.whl", links / "a-x-1.0.tar.gz", links / "a_x-2.whl"):
        file.write_text(file.name)
    (other / "b-3.zip").write_text("b")
    (other / "a-x-1.0.zip").mkdir()
    one = Uv(
        Path("/uv"),
        pip_settings.Settings(
            (
                "--find-links",
                links.as_uri(),
                "--find-links",
                str(other),
                "--find-links",
                "https://x",
            ),
            {},
            (),
        ),
        Path("/base"),
    )
    found = one.hashes_in_folders(["a-x==1.0", "b==3"])
    assert {name: len(set(each)) for name, each in found.items()} == {"a-x": 2, "b": 1}
    asked = []

    def registries(self, pins, options):
        asked.append((pins, options))
        return {"b": ["r"]}

    monkeypatch.setattr(Uv, "hashes_in_registries", registries)
    lock = Lock("3", {"a-x==1.0": frozenset(), "b==3": frozenset(), "-e /x": frozenset()})
    assert one.hashes(lock) == {"a-x": found["a-x"], "b": ["r"]}
    one.hashes(lock, wheels=True)
    assert asked == [
        (["a-x==1.0", "b==3"], ()),
        (["a-x==1.0", "b==3"], ("--only-binary", ":all:")),
    ]


def test_hashes_that_registries_name(monkeypatch):
    seen = []

    def run(command, **more):
        seen.append((command, more["env"], Path(command[-1]).read_text()))
        if "fails" in command:
            raise uv.subprocess.CalledProcessError(1, command)
        return type("Done", (), {"stdout": f"a==1 \\\n  --hash=sha256:{'0' * 64}\n"})

    monkeypatch.setattr(uv.subprocess, "run", run)
    one = made(NO_INDEX="1")
    assert one.hashes_in_registries(["a==1", "b==2"]) == {"a": ["0" * 64]}
    assert one.hashes_in_registries([], ["fails"]) == {}
    command, variables, text = seen[0]
    assert command[:5] == ["/uv", "pip", "compile", "--python", "/base"]
    assert {"--generate-hashes", "--no-deps", "--no-header", "--no-index"} <= set(command)
    assert text == "a==1\nb==2\n"
    assert variables == one.variables


def test_names_and_hashes_in_texts(tmp_path):
    one, two = "0" * 64, "1" * 64
    text = f"A.b==1 \\\n --hash=sha256:{one} \\\n --hash=sha256:{two}\nc==2\n# d==3\n"
    assert hashes_in(text) == {"a.b": [one, two]}
    assert hashes_in("") == {}
    for file, pin in (
        ("A_b-1.0-py3-none-any.whl", "a-b==1.0"),
        ("a.whl", ""),
        ("a-b-1.zip", "a-b==1"),
        ("a.zip", ""),
        ("a-1.tar.bz2", ""),
    ):
        assert pin_of(file) == pin
    base = tmp_path / "bin" / "python"
    bundled = tmp_path / "lib" / "python3.11" / "ensurepip" / "_bundled"
    assert pip_of(base) == []
    bundled.mkdir(parents=True)
    for name in ("pip-2.whl", "pip-1.whl", "setuptools-1.whl"):
        (bundled / name).write_text("")
    assert pip_of(base) == [bundled / "pip-1.whl", bundled / "pip-2.whl"]


# interpreters


def test_the_interpreter_of_a_lock_is_taken_or_one_of_its_series(monkeypatch):
    asked, said = [], []

    def find(text):
        asked.append(text)
        if text == "3.10.9":
            raise UserError("none")
        return Path("/p"), "3.10.4"

    monkeypatch.setattr(interpreters, "find_interpreter", find)
    for wanted, locked, of in (
        (None, None, [None]),
        ("3.9", "3.10.9", ["3.9"]),
        (None, "3.10.4", ["3.10.4"]),
        (None, "3.10.9", ["3.10.9", "3.10"]),
    ):
        asked.clear()
        assert interpreters.interpreter_for(wanted, locked, said.append) == (Path("/p"), "3.10.4")
        assert asked == of
    assert said == ["the lock is of Python 3.10.9, here is 3.10.4"]


@pytest.mark.parametrize(
    ("version", "asked", "fits"),
    [
        ((3, 11, 2), "3.11", True),
        ((3, 11, 2), "3", True),
        ((3, 11, 2), "3.11.2", True),
        ((3, 11, 2), "3.11.20", False),
        ((3, 11, 2), "3.1", False),
        ((3, 10, 2), "3.11", False),
    ],
)
def test_a_version_and_its_series(version, asked, fits):
    assert interpreters._matches(version, asked) == fits


def test_an_interpreter_is_named_by_a_path_or_a_command_and_kept_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    monkeypatch.setattr(interpreters, "_version", lambda path: (3, 11, 2))
    link = tmp_path / "my-python"
    link.write_text("#!/bin/sh\n")
    link.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert interpreters.find_interpreter("./my-python") == (link, "3.11.2")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreters.find_interpreter("my-python") == (link, "3.11.2")
    monkeypatch.setattr(sys, "_base_executable", "/base/python", raising=False)
    assert interpreters.find_interpreter(None) == (Path("/base/python"), "3.11.2")
    monkeypatch.setattr(sys, "_base_executable", None, raising=False)
    assert interpreters.find_interpreter(None) == (Path(sys.executable), "3.11.2")
    for oldest, fine in (((3, 9, 0), True), ((3, 8, 20), False)):
        monkeypatch.setattr(interpreters, "_version", lambda path, found=oldest: found)
        if fine:
            assert interpreters.find_interpreter(None)[1] == "3.9.0"
        else:
            with pytest.raises(UserError, match=r"is Python 3\.8\.20; .* needs 3\.9 or newer"):
                interpreters.find_interpreter(None)


def test_what_an_interpreter_says_where_it_cannot_be_used(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))

    def version(script):
        file = tmp_path / "python"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return interpreters._version(file)

    assert version("echo '[3, 11, 2]'") == (3, 11, 2)
    assert version("echo one >&2; echo two >&2; exit 3") == "two"
    assert version("exit 3") == "it ended with exit code 3"
    assert isinstance(version("echo no"), str)
    assert isinstance(interpreters._version(tmp_path / "gone"), str)
    inside = tmp_path / "environments" / "one" / "bin" / "python"
    assert "where a package may have taken its place" in str(interpreters._version(inside))
