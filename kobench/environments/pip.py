"""Lets pip install into an environment what the user names."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobench import __version__
from kobench.environments.folder import making_folder
from kobench.environments.lock import Lock
from kobench.environments.wheels import ONLY_WHEELS, from_wheels_alone, guarded_pip
from kobench.errors import UserError
from kobench.util.files import parse_json

#: Lines of pip's log that an error shows.
LOG_LINES = 12

#: What an error says where nothing may be built.
FROM_WHEELS = "from wheels alone (what has to be built of sources needs a --from of its own)"

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
    lock : Lock or None
        What exactly is installed, where `specs` is a lock file.
    """

    specs: Sequence[str]
    constraint: str | os.PathLike[str] | None = None
    requirements: Sequence[str | os.PathLike[str]] = ()
    lock: Lock | None = None

    def __str__(self) -> str:
        return ", ".join([*self.specs, *map(str, self.requirements)])

    @property
    def is_wheels_alone(self) -> bool:
        """Whether nothing may be built, see `kobench.environments.wheels`."""
        return self.lock is None and from_wheels_alone(
            self.specs, bool(self.requirements), os.environ
        )

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


def install(python: Path, wanted: Wanted, log: Path, name: str) -> dict[str, list[str]]:
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

    Returns
    -------
    dict of str to list of str
        By normalised name the sha256 of the file that each came from, where pip says it.

    Raises
    ------
    UserError
        pip failed; the message has what it said last. Or a file is not the one of the lock.
    """
    options = ["install", "--disable-pip-version-check", "--no-input"]
    report = making_folder() / f"{name}.report"
    if can_report(python):
        options += ["--report", str(report)]
    # pip wants hashes of all or of none: where a folder has none, its report is looked at instead
    hashed = wanted.lock is not None and wanted.lock.hashed
    what = f"environment {name!r}: pip could not install {wanted}"
    try:
        with contextlib.ExitStack() as stack:
            arguments = stack.enter_context(arguments_for(wanted, name, hashed))
            # -I: nothing of the user's folder
            command = [str(python), "-I", "-m", "pip"]
            if wanted.is_wheels_alone:
                command = stack.enter_context(guarded_pip(python, name))
                options += ONLY_WHEELS
                what += f" {FROM_WHEELS}"
            run_logged([*command, *options, *arguments], log, what)
        found = reported(report)
    finally:
        report.unlink(missing_ok=True)
    if wanted.lock is not None:
        refuse_other_files(wanted.lock, found)
    return found


@contextlib.contextmanager
def arguments_for(wanted: Wanted, name: str, hashed: bool = True) -> Iterator[list[str]]:
    """What an installer is told: the same for pip and uv, in one go.

    Parameters
    ----------
    wanted : Wanted
        What is installed.
    name : str
        The environment's name.
    hashed : bool
        Whether it is told the hashes of a lock.
    """
    # this kobench is there already: no registry is asked for another one
    own = making_folder() / f"{name}.constraint"
    if wanted.lock is not None:
        lock = (
            wanted.lock
            if hashed
            else Lock(wanted.lock.python, dict.fromkeys(wanted.lock.lines, frozenset()))
        )
        own.write_text(lock.text)
        arguments = ["--no-deps", "-r", str(own)]
    else:
        own.write_text(f"kobench=={__version__}\n")
        arguments = ["-c", str(own)]
        if wanted.constraint:
            arguments += ["-c", os.fspath(wanted.constraint)]
        for file in wanted.requirements:
            arguments += ["-r", os.fspath(file)]
        for spec in wanted.specs:
            arguments += arguments_of(spec)
        arguments.append("numpy>=1.21")
    try:
        yield arguments
    finally:
        own.unlink(missing_ok=True)


def can_report(python: Path) -> bool:
    """Whether the pip beside an interpreter can say what it installed, as it can from 22.2 on."""
    found = python.parent.parent.glob("lib/python*/site-packages/pip-*.dist-info")
    versions = [tuple(map(int, re.findall(r"\d+", each.name)[:2])) for each in found]
    return any(version >= (22, 2) for version in versions)


def reported(report: Path) -> dict[str, list[str]]:
    """By normalised name the sha256 of what pip's report says was installed."""
    found: dict[str, list[str]] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        for each in parse_json(report.read_text(encoding="utf-8"))["install"]:
            name = re.sub(r"[-_.]+", "-", str(each["metadata"]["name"])).lower()
            archive = each["download_info"].get("archive_info") or {}
            if "sha256" in (hashes := archive.get("hashes") or {}):
                found[name] = [str(hashes["sha256"])]
    return found


def refuse_other_files(lock: Lock, found: Mapping[str, Sequence[str]]) -> None:
    """Raise UserError where a file that was installed is not one of those that a lock names."""
    for what, hashes in lock.lines.items():
        name = re.split(r"==| @ ", what)[0]
        if hashes and name in found and not hashes & set(found[name]):
            raise UserError(
                f"the file of {what} has the sha256 {found[name][0]}, which is not in the lock;"
                " nothing was kept"
            )


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


def run_logged(
    command: list[str], log: Path, what: str, variables: Mapping[str, str] | None = None
) -> None:
    """Run a command with its output in a log; it is ended together with this process.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    log : Path
        The file to which its output is appended.
    what : str
        What it does, for an error.
    variables : mapping of str to str, or None
        Its variables; None for this process's, without `UNWANTED`.

    Raises
    ------
    UserError
        It could not be started or failed; the message has the log's last lines.
    """
    environment = {key: value for key, value in os.environ.items() if key not in UNWANTED}
    environment = dict(environment if variables is None else variables)
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
