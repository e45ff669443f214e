"""Lets pip install into an environment what the user names."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kobench import __version__
from kobench.environments.folder import making_folder
from kobench.errors import UserError

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


@dataclass(frozen=True)
class Wanted:
    """What is to be installed.

    Attributes
    ----------
    specs : sequence of str
        What pip takes (a package with or without version, a folder, a wheel, an address,
        `-e FOLDER`), or a requirements file (.txt).
    constraint : path or None
        A file of versions for pip.
    requirements : sequence of path
        More requirements files.
    """

    specs: Sequence[str]
    constraint: str | os.PathLike[str] | None = None
    requirements: Sequence[str | os.PathLike[str]] = ()

    def __str__(self) -> str:
        return ", ".join([*self.specs, *map(str, self.requirements)])

    def check(self) -> None:
        """Raise UserError where nothing is wanted, or a file is not there."""
        if not self.specs and not self.requirements:
            raise UserError(
                "nothing to install; say with --from what the environment is for, for instance"
                " --from ./my-plugin"
            )
        for file in [*self.requirements, *([self.constraint] if self.constraint else [])]:
            if not Path(file).is_file():
                raise UserError(
                    f"there is no file {str(file)!r}; --constraint and --requirements expect one"
                    " for pip"
                )


def install(python: Path, wanted: Wanted, log: Path, name: str) -> None:
    """Let pip install everything in one go, with numpy.

    Parameters
    ----------
    python : Path
        The environment's interpreter.
    wanted : Wanted
        What is installed.
    log : Path
        The file that gets what pip says.
    name : str
        The environment's name.

    Raises
    ------
    UserError
        pip failed; the message has what it said last.
    """
    # this kobench is there already: no registry is asked for another one
    own = making_folder() / f"{name}.constraint"
    own.write_text(f"kobench=={__version__}\n")
    command = [str(python), "-I", "-m", "pip", "install"]  # -I: nothing of the user's folder
    command += ["--disable-pip-version-check", "--no-input", "-c", str(own)]
    if wanted.constraint:
        command += ["-c", os.fspath(wanted.constraint)]
    for file in wanted.requirements:
        command += ["-r", os.fspath(file)]
    for spec in wanted.specs:
        command += arguments_of(spec)
    try:
        run_logged(
            [*command, "numpy>=1.21"], log, f"environment {name!r}: pip could not install {wanted}"
        )
    finally:
        own.unlink(missing_ok=True)


def arguments_of(spec: str) -> list[str]:
    """What pip is told for one SPEC; raises UserError for an option.

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


def run_logged(command: list[str], log: Path, what: str) -> None:
    """Run a command with its output in a log; it is ended together with this process.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    log : Path
        The file to which its output is appended.
    what : str
        What it does, for an error.

    Raises
    ------
    UserError
        It could not be started or failed; the message has the log's last lines.
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
