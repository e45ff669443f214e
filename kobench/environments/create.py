"""Makes and removes environments.

A new one is made beside the old one and counts only when all of it is there.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kobench import __version__
from kobench.environments import pip, uv
from kobench.environments.environment import (
    FORMAT,
    Environment,
    behind,
    folders_in_place,
    read,
)
from kobench.environments.folder import environments_folder, locked, making_folder
from kobench.environments.interpreters import interpreter_for
from kobench.environments.lock import LOCK, Lock, lock_among, lock_of, refuse_others
from kobench.environments.ours import FILES, MARK, is_ours, remove_others, remove_prefix
from kobench.environments.own import note, put_into
from kobench.environments.seen import ask_inside
from kobench.errors import UserError
from kobench.util.files import write_atomically
from kobench.util.values import NAME

Say = Callable[[str], None]

#: What pip takes for a file by its name alone, and requirements files.
FILE_ENDINGS = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".txt")


def create(
    name: str,
    specs: Sequence[str],
    python: str | None = None,
    constraint: str | os.PathLike[str] | None = None,
    requirements: Sequence[str | os.PathLike[str]] = (),
    replace: bool = False,
    keep: bool = False,
    say: Say = lambda _: None,
    installer: str = "auto",
) -> Environment:
    """Make an environment.

    Parameters
    ----------
    name : str
        Its name.
    specs, constraint, requirements
        What is installed, see `kobench.environments.pip.Wanted`.
    python : str or None
        Path, command or version of the interpreter; kobench's own where None.
    replace : bool
        Whether to take the place of one that exists.
    keep : bool
        Whether to keep it though nothing in it is a plugin.
    say : callable
        Told each step.
    installer : str
        "uv", "pip", or "auto": uv where it is and can do it, else pip.

    Raises
    ------
    UserError
        The name is no name or taken (by an environment, or by a folder that kobench did not make),
        the interpreter can't be used, pip fails, or no plugin was installed. Then what was there
        is as it was.
    """
    lock = lock_among(specs, constraint, requirements)
    wanted = pip.Wanted(specs, constraint, requirements, lock)
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} can't name an environment; expected lower-case letters and digits joined by"
            " -, for instance 'genki'"
        )
    wanted.check()
    folder = environments_folder() / name
    _refuse_existing(name, folder, replace)
    base, version = interpreter_for(python, lock.python if lock else None, say)
    with locked(name):
        _refuse_existing(name, folder, replace)
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=not new)
        tool = uv.choose(installer, base, say)
        making = _Making(name, folder / secrets.token_hex(4), base, wanted, tool)
        try:
            inside, made = making.make(version, say)
            if not keep:
                _refuse_without_plugin(name, specs, inside)
            note(making.prefix)
            about = json.dumps(making.about(inside, python, made), indent=1) + "\n"
            write_atomically(folder / LOCK, made.text.encode())
            write_atomically(folder / "environment.json", about.encode())
        except BaseException:
            remove_prefix(making.prefix, ignore_errors=True)
            if new:
                with contextlib.suppress(OSError):  # something else came into it meanwhile
                    folder.rmdir()
            raise
        remove_others(folder, making.prefix.name)
        making.log.unlink(missing_ok=True)
    return read(name)


@dataclass(frozen=True)
class _Making:
    """The making of one virtual environment.

    Attributes
    ----------
    name : str
        The name of its environment.
    prefix : Path
        The folder that becomes the virtual environment.
    base : Path
        The interpreter that it is made from.
    wanted : kobench.environments.pip.Wanted
        What is installed.
    uv : kobench.environments.uv.Uv or None
        What installs it; None for pip.
    """

    name: str
    prefix: Path
    base: Path
    wanted: pip.Wanted
    uv: uv.Uv | None = None

    @property
    def log(self) -> Path:
        """The file that gets what pip says."""
        return making_folder() / f"{self.name}.log"

    @property
    def site(self) -> Path:
        """The folder of its packages, once it is made."""
        (site,) = (self.prefix / "lib").glob("python*/site-packages")
        return site

    def make(self, version: str, say: Say) -> tuple[dict[str, Any], Lock]:
        """Make it.

        Returns
        -------
        dict of str to object
            What it then has, see `kobench.environments.inside`.
        Lock
            What is installed.
        """
        self.log.write_bytes(b"")
        self.prefix.mkdir()
        # from now on it is known as ours, however this ends
        write_atomically(self.prefix / MARK, b"{}\n")
        say(f"making a virtual environment of Python {version}")
        pip.run_logged(
            [str(self.base), "-I", "-m", "venv", *self.without_pip, str(self.prefix)],
            self.log,
            f"environment {self.name!r}: making a virtual environment with {self.base}",
        )
        python = self.prefix / "bin" / "python"
        program = behind(self.prefix, self.base)
        put_into(self.site, self.base)
        say(f"installing {self.wanted} with {'pip' if self.uv is None else 'uv'}")
        hashes: dict[str, list[str]] = {}
        if self.uv is None:
            hashes = pip.install(python, self.wanted, self.log, self.name)
        else:
            self.uv.install(python, self.wanted, self.log, self.name)
            self.uv.compile(self.site)
        in_place = folders_in_place(self.wanted.specs)
        inside = ask_inside(program, self.name, self.prefix, self.site, in_place)
        return inside, self.lock_of(inside, hashes)

    @property
    def without_pip(self) -> list[str]:
        """What venv is told: uv brings the same pip, in a fraction of the time."""
        return ["--without-pip"] if self.uv is not None and uv.pip_of(self.base) else []

    def lock_of(self, inside: Mapping[str, Any], hashes: Mapping[str, Sequence[str]]) -> Lock:
        """What is installed; that of a lock file as it stands there, if that is what there is."""
        found = lock_of(inside, hashes)
        if self.wanted.lock is not None:
            refuse_others(self.wanted.lock, found)
            return replace(found, lines=self.wanted.lock.lines)
        return (
            found
            if self.uv is None
            else lock_of(inside, self.uv.hashes(found, self.wanted.is_wheels_alone))
        )

    def about(self, inside: Mapping[str, Any], python: str | None, lock: Lock) -> dict[str, Any]:
        """The content of its environment.json; `python` is the interpreter that was asked for."""
        return {
            "format": FORMAT,
            "name": self.name,
            "serial": self.prefix.name,
            "site": str(self.site.relative_to(self.prefix)),
            "from": [_absolute(spec) for spec in self.wanted.specs],
            "constraint": _text_of(self.wanted.constraint),
            "requirements": [_text_of(file) for file in self.wanted.requirements],
            "python": {"asked": python, "version": inside["version"], "base": str(self.base)},
            "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "kobench": __version__,
            "installer": "pip" if self.uv is None else "uv",
            "lock": lock.digest,
            "installed": {each["name"]: each["version"] for each in inside["installed"]},
        }


def _refuse_existing(name: str, folder: Path, replace: bool) -> None:
    """Raise UserError where the folder is another's, or an environment that is to stay."""
    if (folder.exists() or folder.is_symlink()) and not is_ours(folder):
        raise UserError(
            f"{folder} is there already and is not an environment of kobench's, or has other files"
            " in it; nothing was changed. Take another name, or move what is there"
        )
    if (folder / "environment.json").exists() and not replace:
        raise UserError(
            f"environment {name!r} exists; --replace makes it anew, `kobench env remove {name}`"
            " removes it, or take another name"
        )


def _refuse_without_plugin(name: str, specs: Sequence[str], inside: Mapping[str, Any]) -> None:
    """Raise UserError where nothing that was installed is a plugin."""
    if any(each["points"] for each in inside["installed"]):
        return
    came = [
        f"{each['name']} {each['version']}"
        for each in inside["installed"]
        if each["name"] not in ("pip", "setuptools", "kobench")
    ]
    shown = ", ".join(came[:12]) + (f" and {len(came) - 12} more" if len(came) > 12 else "")
    raise UserError(
        f"environment {name!r} would have no kobench plugin:"
        f" {', '.join(specs) or 'the requirements'} installed {shown}, none of which has an entry"
        ' point in the group "kobench". Name the package that has it with another --from, or add'
        " to its pyproject.toml [project.entry-points.kobench]; --keep keeps the environment as it"
        " is. Nothing was kept"
    )


def remove(name: str) -> None:
    """Remove an environment, complete or not.

    Raises
    ------
    UserError
        There is none of this name, or the folder has files that kobench did not make.
    """
    folder = environments_folder() / name
    with contextlib.suppress(UserError):
        read(name)
    if not folder.is_dir() or name.startswith(".") or os.sep in name:
        read(name)  # says that there is none
    if not is_ours(folder):
        raise UserError(
            f"{folder} is no environment of kobench's: it has other files; nothing was removed,"
            " remove it by hand"
        )
    with locked(name):
        # first what makes it count, last what says whose it is: a second call can go on where one
        # was killed
        (folder / "environment.json").unlink(missing_ok=True)
        for entry in list(os.scandir(folder)):
            if FILES.fullmatch(entry.name):
                os.unlink(entry.path)
        remove_others(folder, "", ignore_errors=False)
        folder.rmdir()
        for ending in ("log", "constraint", "report"):
            (making_folder() / f"{name}.{ending}").unlink(missing_ok=True)


def _absolute(spec: str) -> str:
    """A SPEC as it can be read from anywhere; what pip takes for a path is absolute."""
    flag, rest = ("-e ", spec[3:].strip()) if spec.startswith("-e ") else ("", spec)
    path, bracket, extras = rest.partition("[")
    local = flag or os.sep in path or path.startswith(".") or path.endswith(FILE_ENDINGS)
    if local and os.path.exists(path):
        path = os.path.abspath(path)
    return f"{flag}{path}{bracket}{extras}"


def _text_of(file: str | os.PathLike[str] | None) -> dict[str, str] | None:
    """Name and text of a file, as environment.json keeps them."""
    if file is None:
        return None
    return {"file": Path(file).name, "text": Path(file).read_text(errors="replace")}
