"""Finds the interpreter that an environment is made from."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from kobench.environments.folder import environments_folder
from kobench.errors import UserError

#: The oldest Python on which a worker runs.
OLDEST = (3, 9)

#: How a version is written.
_VERSION = re.compile(r"\d+(\.\d+){1,2}")

#: What an interpreter is asked; it fails where it can make no environments.
_ASK = "import json, sys; import venv, ensurepip; print(json.dumps(list(sys.version_info[:3])))"


def find_interpreter(asked: str | None) -> tuple[Path, str]:
    """Find an interpreter.

    Parameters
    ----------
    asked : str or None
        A path, a command, or a version such as 3.10; None for the one that runs kobench.

    Returns
    -------
    tuple of Path and str
        The interpreter and its version.

    Raises
    ------
    UserError
        There is none, it is older than Python 3.9, or it can't make environments.
    """
    if asked is None:
        return _checked(
            Path(getattr(sys, "_base_executable", None) or sys.executable),
            "kobench's own interpreter",
        )
    if _VERSION.fullmatch(asked):
        tried = []
        for candidate in candidates(asked):
            version = _version(candidate)
            if isinstance(version, tuple) and _matches(version, asked):
                return _checked(candidate, f"--python {asked}")
            tried.append(str(candidate))
        where = f"; looked at {', '.join(tried)}" if tried else ""
        raise UserError(
            f"no Python {asked} was found on PATH or among those of pyenv and uv{where}; give"
            " --python the path of one"
        )
    found = shutil.which(asked) or (asked if os.sep in asked else None)
    if found is None or not Path(found).is_file():
        raise UserError(
            f"--python is {asked!r}, which is neither an interpreter nor a version; give a path, or"
            " a version such as 3.11"
        )
    return _checked(Path(os.path.abspath(found)), f"--python {asked}")


def interpreter_for(
    asked: str | None, locked: str | None, say: Callable[[str], None]
) -> tuple[Path, str]:
    """The interpreter that was asked for, else that of a lock, of the same series if need be.

    Parameters
    ----------
    asked : str or None
        See `find_interpreter`.
    locked : str or None
        The version that a lock is of; None without a lock.
    say : callable
        Told where another version of that series is taken.
    """
    if asked is not None or locked is None:
        return find_interpreter(asked)
    try:
        return find_interpreter(locked)
    except UserError:
        base, version = find_interpreter(locked.rpartition(".")[0])
        say(f"the lock is of Python {locked}, here is {version}")
        return base, version


def candidates(version: str) -> Iterator[Path]:
    """Interpreters that may be of a version.

    They are kobench's own, the one on PATH, and those of pyenv and uv, the newest first.
    """
    yield Path(getattr(sys, "_base_executable", None) or sys.executable)
    minor = ".".join(version.split(".")[:2])
    on_path = shutil.which(f"python{minor}")
    if on_path:
        yield Path(on_path)
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = home / ".local" / "share" / "uv" / "python"
    for pattern in (f"{pyenv}/{version}*/bin/python", f"{uv}/cpython-{version}*/bin/python{minor}"):
        yield from (Path(path) for path in sorted(glob.glob(pattern), key=_numbers, reverse=True))


def _numbers(text: str) -> list[int]:
    """The numbers in a text, by which versions are sorted."""
    return [int(number) for number in re.findall(r"\d+", text)]


def _matches(version: tuple[int, ...], asked: str) -> bool:
    """Whether a version is the one that was asked for, or one of its series."""
    wanted = tuple(map(int, asked.split(".")))
    return version[: len(wanted)] == wanted


def _version(python: Path) -> tuple[int, ...] | str:
    """The version of an interpreter, or why it can't be used.

    One in an environment of kobench's is not executed: a package may have taken its place.
    """
    place, environments = os.path.abspath(python), environments_folder()
    if Path(place).is_relative_to(os.path.abspath(environments)):
        return (
            f"it lies in an environment of kobench's ({environments}), where a package may have"
            " taken its place; name the interpreter that this was made from"
        )
    try:
        done = subprocess.run(
            [python, "-I", "-c", _ASK],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        if done.returncode == 0:
            return tuple(json.loads(done.stdout))
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return "".join(last) or f"it ended with exit code {done.returncode}"
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return str(error)


def _checked(python: Path, what: str) -> tuple[Path, str]:
    """An interpreter and its version; raises UserError where it can't be used."""
    version = _version(python)
    if isinstance(version, str):
        raise UserError(
            f"{what} ({python}) can't make an environment: {version}; it must run and have the"
            " modules venv and ensurepip (Debian: python3-venv)"
        )
    text = ".".join(map(str, version))
    if version[:2] < OLDEST:
        raise UserError(
            f"{what} is Python {text}; a predictor's environment needs {'.'.join(map(str, OLDEST))}"
            " or newer"
        )
    return python, text
