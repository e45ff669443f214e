"""Makes and removes environments.

A new one is made beside the old one and counts only when all of it is there.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kobench import __version__
from kobench.environments.environment import (
    FORMAT,
    Environment,
    ask_inside,
    environments_folder,
    folders_in_place,
    locked,
    making_folder,
    read,
)
from kobench.environments.interpreters import find_interpreter
from kobench.environments.ours import FILES, MARK, is_ours, remove_others, remove_prefix
from kobench.environments.own import note, put_into
from kobench.errors import UserError
from kobench.util.files import write_atomically
from kobench.util.values import NAME

#: Lines of pip's log that an error shows.
LOG_LINES = 12

#: Variables by which another Python would leak into the new one.
UNWANTED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_PYTHON",
    "PIP_DRY_RUN",
)


def create(
    name: str,
    specs: Sequence[str],
    python: str | None = None,
    constraint: str | os.PathLike[str] | None = None,
    requirements: Sequence[str | os.PathLike[str]] = (),
    replace: bool = False,
    keep: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Environment:
    """Make the environment `name` with what `specs` name, and return it.

    specs : what pip takes (a package with or without version, a folder, a wheel, an address, `-e
    FOLDER`), or a requirements file (.txt). python : path or version of the interpreter, kobench's
    own where None. constraint : a file of versions for pip. requirements : more requirements files.
    replace : take the place of one that exists. keep : keep it though nothing in it is a plugin.
    say : told each step. Raises UserError, and leaves what was there as it was, for a bad name, one
    that exists, a folder of this name that kobench did not make, an interpreter that can't be used,
    a failing pip, and where no plugin was installed.
    """
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} can't name an environment; expected lower-case letters and digits joined by"
            " -, for instance 'genki'"
        )
    if not specs and not requirements:
        raise UserError(
            "nothing to install; say with --from what the environment is for, for instance --from"
            " ./my-plugin"
        )
    for file in [*requirements, *([constraint] if constraint else [])]:
        if not Path(file).is_file():
            raise UserError(
                f"there is no file {str(file)!r}; --constraint and --requirements expect one"
                " for pip"
            )
    folder = environments_folder() / name
    _refuse_existing(name, folder, replace)
    base, version = find_interpreter(python)
    with locked(name):
        _refuse_existing(name, folder, replace)
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=not new)
        serial = secrets.token_hex(4)
        prefix, log = folder / serial, making_folder() / f"{name}.log"
        try:
            log.write_bytes(b"")
            prefix.mkdir()
            write_atomically(
                prefix / MARK, b"{}\n"
            )  # from now on it is known as ours, however this ends
            say(f"making a virtual environment of Python {version}")
            _run(
                [str(base), "-m", "venv", str(prefix)],
                log,
                f"environment {name!r}: making a virtual environment with {base}",
            )
            inner = prefix / "bin" / "python"
            (site,) = (prefix / "lib").glob("python*/site-packages")
            put_into(site, inner)
            say(f"installing {', '.join([*specs, *map(str, requirements)])}")
            install(inner, specs, constraint, requirements, log, name)
            inside = ask_inside(
                inner, name, site, base.resolve().parents[1], folders_in_place(specs)
            )
            if not keep:
                _refuse_without_plugin(name, specs, inside)
            about = {
                "format": FORMAT,
                "name": name,
                "serial": serial,
                "site": str(site.relative_to(prefix)),
                "from": [_absolute(spec) for spec in specs],
                "constraint": _text_of(constraint),
                "requirements": [_text_of(file) for file in requirements],
                "python": {"asked": python, "version": inside["version"], "base": str(base)},
                "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "kobench": __version__,
                "installed": {each["name"]: each["version"] for each in inside["installed"]},
            }
            note(prefix)
            write_atomically(
                folder / "environment.json", (json.dumps(about, indent=1) + "\n").encode()
            )
        except BaseException:
            remove_prefix(prefix, ignore_errors=True)
            if new:
                with contextlib.suppress(OSError):  # something else came into it meanwhile
                    folder.rmdir()
            raise
        remove_others(folder, serial)
        log.unlink(missing_ok=True)
    return read(name)


def _refuse_existing(name: str, folder: Path, replace: bool) -> None:
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


def _refuse_without_plugin(name: str, specs: Sequence[str], inside: dict[str, Any]) -> None:
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


def install(
    python: Path,
    specs: Sequence[str],
    constraint: str | os.PathLike[str] | None,
    requirements: Sequence[str | os.PathLike[str]],
    log: Path,
    name: str,
) -> None:
    """Let pip install everything in one go, with numpy and with this kobench held fast; raises
    UserError with what pip said last.
    """
    own = making_folder() / f"{name}.constraint"
    own.write_text(
        f"kobench=={__version__}\n"
    )  # it is there already: no registry is asked for another
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "-c",
        str(own),
    ]
    command += ["-c", os.fspath(constraint)] if constraint else []
    for file in requirements:
        command += ["-r", os.fspath(file)]
    for spec in specs:
        command += arguments_of(spec)
    try:
        _run(
            [*command, "numpy>=1.21"],
            log,
            f"environment {name!r}: pip could not install"
            f" {', '.join([*specs, *map(str, requirements)])}",
        )
    finally:
        own.unlink(missing_ok=True)


def arguments_of(spec: str) -> list[str]:
    """What pip is told for one SPEC.

    >>> arguments_of("-e ./plugin"), arguments_of("numpy<2")
    (['-e', './plugin'], ['numpy<2'])
    """
    if spec.startswith("-e "):
        return ["-e", spec[3:].strip()]
    if spec.startswith("-"):
        raise UserError(
            f"--from is {spec!r}; expected a package, a path, a wheel, an address or a requirements"
            " file, not an option of pip"
        )
    return ["-r", spec] if spec.endswith(".txt") and Path(spec).is_file() else [spec]


def remove(name: str) -> None:
    """Remove an environment, complete or not; raises UserError where there is none, and for a
    folder that kobench did not make.
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
        for ending in ("log", "constraint", "renew.lock"):
            (making_folder() / f"{name}.{ending}").unlink(missing_ok=True)


def _absolute(spec: str) -> str:
    """A SPEC as it can be read from anywhere."""
    flag, path = ("-e ", spec[3:].strip()) if spec.startswith("-e ") else ("", spec)
    return flag + (os.path.abspath(path) if os.sep in path and os.path.exists(path) else path)


def _text_of(file: str | os.PathLike[str] | None) -> dict[str, str] | None:
    return (
        None
        if file is None
        else {"file": Path(file).name, "text": Path(file).read_text(errors="replace")}
    )


def _run(command: list[str], log: Path, what: str) -> None:
    """Run a command with its output in the log; raises UserError with the log's last lines.

    Ended with us, and all it started.
    """
    environment = {key: value for key, value in os.environ.items() if key not in UNWANTED}
    with open(log, "ab") as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise UserError(f"{what} failed: {error}") from error
        try:
            code = process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    if code:
        last = log.read_text(errors="replace").strip().splitlines()[-LOG_LINES:]
        shown = "".join(f"\n    {line}" for line in last)
        raise UserError(
            f"{what}: it ended with exit code {code}. The end of {log}:{shown}\nNothing was kept of"
            " the environment"
        )
