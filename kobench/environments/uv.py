"""Lets uv install into an environment what the user names, where uv is there: it is much faster.

What is installed is what pip would install: uv is told pip's settings. No interpreter of an
environment is started once strangers' packages lie in it: uv asks it before it installs, hashes are
asked for by the interpreter that the environment was made from, and that one compiles, too.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kobench.environments import pip
from kobench.environments.inside import distributions_here, listed_by, name_of, normalise
from kobench.environments.lock import Lock
from kobench.environments.pip_settings import Settings, settings_for_uv
from kobench.environments.wheels import ONLY_WHEELS
from kobench.errors import UserError
from kobench.util.files import sha256_of

#: Folders of tests, which nobody imports and which are half of many packages.
TESTS = r"[/\\]tests?[/\\]"

#: Seconds that asking for hashes may take, and compiling.
SECONDS = 120

#: Variables by which uv would install somewhere else, or something else.
UNWANTED = (
    *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_DRY_RUN", "UV_OVERRIDE"),
    *("UV_COMPILE_BYTECODE", "UV_LINK_MODE", "UV_PROJECT_ENVIRONMENT", "UV_NO_SYNC", "UV_EXCLUDE"),
)


def find_uv() -> Path | None:
    """The uv beside kobench's interpreter (the extra `env` brings it), else the one on PATH.

    One that lies beside it counts where it came with uv alone: any wheel can bring a program of
    that name.
    """
    here = Path(sysconfig.get_path("scripts"))
    beside = here / "uv"
    if os.access(beside, os.X_OK) and owners_of(beside) == {"uv"}:
        return beside
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = (one for one in path if os.path.realpath(one) != os.path.realpath(here))
    found = shutil.which("uv", path=os.pathsep.join(others))
    return Path(found) if found else None


def owners_of(program: Path) -> set[str]:
    """The distributions of kobench's interpreter in whose lists of files a program is."""
    where = os.path.realpath(program.parent)
    return {
        normalise(name_of(each))
        for each in distributions_here()
        for path in listed_by(each)
        if os.path.basename(path) == program.name
        and os.path.realpath(os.path.dirname(str(each.locate_file(path)))) == where
    }


def choose(installer: str, base: Path, say: Callable[[str], None]) -> Uv | None:
    """What installs into an environment.

    Parameters
    ----------
    installer : str
        "uv", "pip", or "auto": uv where it is and knows all of pip's settings.
    base : Path
        The interpreter that the environment is made from.
    say : callable
        Told why uv is not used, or what of pip's settings is lost.

    Returns
    -------
    Uv or None
        None for pip.

    Raises
    ------
    UserError
        uv was asked for and is not here.
    """
    program = None if installer == "pip" else find_uv()
    if program is None:
        if installer == "uv":
            raise UserError(
                "uv is not here: neither beside kobench's interpreter nor on PATH; `pip install"
                " 'kobench[env]'` brings it, or leave --installer out"
            )
        return None
    settings = settings_for_uv(os.environ)
    if settings.unknown:
        names = ", ".join(settings.unknown)
        if installer == "auto":
            say(f"pip installs, as uv has no word for these settings of pip: {names}")
            return None
        say(f"uv has no word for these settings of pip, which are left out: {names}")
    return Uv(program, settings, base)


@dataclass(frozen=True)
class Uv:
    """uv, with pip's settings.

    Attributes
    ----------
    program : Path
        Where it lies.
    settings : Settings
        What pip is set to.
    base : Path
        The interpreter that the environment is made from.
    """

    program: Path
    settings: Settings
    base: Path

    @property
    def variables(self) -> dict[str, str]:
        """The variables that it is given; what the user set for uv itself wins."""
        unwanted = {*UNWANTED, *pip.UNWANTED}
        mine = {name: value for name, value in os.environ.items() if name not in unwanted}
        return {**self.settings.variables, **mine}

    def install(self, python: Path, wanted: pip.Wanted, log: Path, name: str) -> None:
        """Install everything in one go, with numpy and the interpreter's own pip.

        Parameters
        ----------
        python : Path
            The environment's interpreter.
        wanted : Wanted
            What is installed.
        log : Path
            The file that gets what uv says.
        name : str
            The environment's name.

        Raises
        ------
        UserError
            uv failed; the message has what it said last.
        """
        command = [str(self.program), "pip", "install", "--python", str(python), "--no-progress"]
        # a copy: a link would be one file for all environments, and for uv's cache
        command += ["--link-mode", "copy", *self.settings.arguments]
        command += map(str, pip_of(self.base)[:1])
        why = ""
        if wanted.is_wheels_alone:
            command += ONLY_WHEELS
            why = f" {pip.FROM_WHEELS}"
        with pip.arguments_for(wanted, name) as arguments:
            pip.run_logged(
                [*command, *arguments],
                log,
                f"environment {name!r}: uv could not install {wanted}{why} (--installer pip lets"
                " pip try)",
                self.variables,
            )

    def compile(self, site: Path) -> None:
        """Compile the packages, but for their tests: workers write nothing there."""
        if os.environ.get("PIP_NO_COMPILE", "") not in ("", "0"):
            return
        command = [str(self.base), "-I", "-S", "-m", "compileall", "-q", "-j", "0"]
        command += ["-x", TESTS, str(site)]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)

    def hashes(self, lock: Lock, wheels: bool = False) -> dict[str, list[str]]:
        """By name the hashes of all files of the versions in a lock, in registries and folders.

        Of registries none where one does not answer. `wheels`: whether nothing may be built to know
        them.
        """
        pins = [what for what in lock.lines if "==" in what]
        of_registries = self.hashes_in_registries(pins, ONLY_WHEELS if wheels else ())
        return {**self.hashes_in_folders(pins), **of_registries}

    def hashes_in_folders(self, pins: Sequence[str]) -> dict[str, list[str]]:
        """The hashes of the files in the folders that pip is told to look into."""
        given = self.settings.arguments
        links = [given[at + 1] for at, flag in enumerate(given) if flag == "--find-links"]
        places = [unquote(urlsplit(link).path) for link in links if link.startswith("file:")]
        places += [link for link in links if "://" not in link]
        found: dict[str, list[str]] = {}
        for place in filter(os.path.isdir, places):
            for file in Path(place).iterdir():
                name, _, version = pin_of(file.name).partition("==")
                if version and f"{name}=={version}" in pins and file.is_file():
                    found.setdefault(name, []).append(sha256_of(file))
        return found

    def hashes_in_registries(
        self, pins: Sequence[str], options: Sequence[str] = ()
    ) -> dict[str, list[str]]:
        """The hashes that registries name."""
        command = [str(self.program), "pip", "compile", "--python", str(self.base), "--no-progress"]
        command += ["--generate-hashes", "--no-deps", "--no-header", "--no-annotate", "--quiet"]
        with tempfile.TemporaryDirectory(prefix="kobench-") as folder:
            file = Path(folder) / "pins.in"
            file.write_text("".join(f"{each}\n" for each in pins))
            try:
                done = subprocess.run(
                    [*command, *options, *self.settings.arguments, str(file)],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=SECONDS,
                    text=True,
                    env=self.variables,
                    check=True,
                )
            except (OSError, subprocess.SubprocessError, ValueError):
                return {}
        return hashes_in(done.stdout)


def hashes_in(text: str) -> dict[str, list[str]]:
    r"""The hashes in a requirements file that uv wrote.

    >>> hashes_in("a==1 \\\n    --hash=sha256:" + 64 * "0" + "\n# b\n")["a"] == [64 * "0"]
    True
    """
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if start := re.match(r"([A-Za-z0-9._-]+)==", line):
            name = start[1].lower()
        found.setdefault(name, []).extend(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return {name: hashes for name, hashes in found.items() if hashes}


def pin_of(file: str) -> str:
    """The distribution and version that a file's name says; "" for other files.

    >>> pin_of("My_Plugin-1.0-py3-none-any.whl"), pin_of("my-plugin-1.0.tar.gz"), pin_of("x.txt")
    ('my-plugin==1.0', 'my-plugin==1.0', '')
    """
    if file.endswith(".whl"):
        name, version = [*file.split("-"), ""][:2]
    else:
        base = re.sub(r"\.(?:tar\.gz|zip)$", "", file)
        name, _, version = base.rpartition("-") if base != file else ("", "", "")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}" if name and version else ""


def pip_of(base: Path) -> Sequence[Path]:
    """The wheel of pip that an interpreter has for new virtual environments, if it is there."""
    library = base.resolve().parents[1] / "lib"
    return sorted(library.glob("python3*/ensurepip/_bundled/pip-*.whl"))
