"""Environments: a predictor's own interpreter and packages, each in a folder of its own, with a
copy of what a worker needs of kobench.

Layout, under `environments_folder()`::

    NAME/environment.json   how it was made; written last, so that a folder without it does not count
    NAME/seen.json          what its interpreter said of itself, and when its packages were as they are now
    NAME/SERIAL/            the virtual environment; a new one is made beside the old one and takes its place at the end
    NAME/SERIAL/kobench.json  which kobench was put into it
    .making/NAME.log, .lock what pip says, while it is being made or after it failed; who makes it
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.util.text import suggestion

#: Number of the form of environment.json.
FORMAT = 1

#: Seconds an environment's interpreter may take to say what it has.
SECONDS = 120.0

#: The script with which it does.
INSIDE = Path(__file__).with_name("inside.py")


class BrokenError(UserError):
    """An environment can't be used; the message says why and what to do."""


@dataclass(frozen=True)
class Environment:
    """One complete environment. prefix : its virtual environment. about : the content of
    environment.json.
    """

    name: str
    folder: Path
    prefix: Path
    about: Mapping[str, Any]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.prefix / "bin" / "python"

    @property
    def base(self) -> Path:
        """The folder of the Python installation that it was made from; what its packages say of
        that does not count.
        """
        return Path(str(self.about["python"]["base"])).resolve().parents[1]

    @property
    def site(self) -> Path:
        """The folder of its packages."""
        return self.prefix / str(self.about["site"])

    @property
    def in_place(self) -> tuple[Path, ...]:
        """The folders that its maker asked to be installed in place (`-e FOLDER`)."""
        return folders_in_place(self.about["from"])

    def holds(self, place: Path) -> bool:
        """Whether a place lies in it or in a folder that is installed in place; its packages may
        name any other.
        """
        return any(
            place.resolve().is_relative_to(folder.resolve())
            for folder in (self.prefix, *self.in_place)
        )


def environments_folder() -> Path:
    """Where environments lie: the variable KOBENCH_ENVIRONMENTS, else `environments` in the user's
    data folder.
    """
    from platformdirs import user_data_path

    named = os.environ.get("KOBENCH_ENVIRONMENTS", "")
    return (
        Path(os.path.abspath(Path(named).expanduser()))
        if named
        else user_data_path("kobench") / "environments"
    )


def names() -> list[str]:
    """Names of all environments, complete or not."""
    try:
        with os.scandir(environments_folder()) as found:
            return sorted(
                entry.name for entry in found if entry.is_dir() and not entry.name.startswith(".")
            )
    except OSError:
        return []


def read(name: str) -> Environment:
    """The environment of this name; raises BrokenError where it is not complete or damaged,
    UserError where there is none.
    """
    folder = environments_folder() / name
    if not folder.is_dir() or name.startswith(".") or os.sep in name:
        raise UserError(
            f"there is no environment {name!r}; {suggestion(name, names(), 'environments')};"
            " `kobench env create` makes one"
        )
    remedy = (
        f"make it again with `kobench env create {name} --replace --from ...`, or remove it with"
        f" `kobench env remove {name}`"
    )
    try:
        about = json.loads((folder / "environment.json").read_bytes())
        if about["format"] > FORMAT:
            newer = (
                f"environment {name!r} was made by a newer kobench (format {about['format']}, this"
                f" one knows {FORMAT})"
            )
            raise BrokenError(f"{newer}; update kobench, or make the environment again")
        environment = Environment(name, folder, folder / about["serial"], about)
        str(about["site"])
    except FileNotFoundError:
        doing = (
            "it is being made at this moment"
            if is_locked(name)
            else f"its making was ended; {remedy}"
        )
        raise BrokenError(f"environment {name!r} is not complete: {doing}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenError(
            f"environment {name!r}: {folder / 'environment.json'} can't be read ({error}); {remedy}"
        ) from error
    if not os.access(environment.python, os.X_OK):
        raise BrokenError(
            f"environment {name!r} has no interpreter at {environment.python}, or its base was"
            f" removed; {remedy}"
        )
    return environment


def seen(environment: Environment) -> dict[str, Any]:
    """What the environment's interpreter says of itself (`kobench.environments.inside`), remembered
    until its packages change.

    Starts no interpreter where it is remembered. Raises BrokenError where the interpreter fails.
    """
    file = environment.folder / "seen.json"
    try:
        stamp = [
            str(environment.prefix),
            os.stat(environment.site).st_mtime_ns,
            INSIDE.stat().st_mtime_ns,
        ]
    except OSError as error:
        raise BrokenError(
            f"environment {environment.name!r} has lost its packages: {error}; make it again with"
            " --replace"
        ) from error
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        document = json.loads(file.read_bytes())
        if document["stamp"] == stamp:
            return dict(document["seen"])
    from kobench.util.files import write_atomically

    found = ask_inside(
        environment.python,
        environment.name,
        environment.site,
        environment.base,
        environment.in_place,
    )
    with contextlib.suppress(OSError):
        write_atomically(file, json.dumps({"stamp": stamp, "seen": found}).encode())
    return found


def folders_in_place(specs: Iterable[str]) -> tuple[Path, ...]:
    """The folders among SPECs that are to be installed in place."""
    return tuple(
        Path(os.path.abspath(spec[3:].strip())) for spec in specs if spec.startswith("-e ")
    )


def ask_inside(
    python: Path, name: str, site: Path, base: Path, in_place: Sequence[Path] = ()
) -> dict[str, Any]:
    """Run `kobench.environments.inside` in an environment's interpreter; raises BrokenError.

    It is run in the sandbox, and looks at its folder of packages, `site`, without running what lies
    there. base, in_place : see `Environment`.
    """
    from kobench.sandbox.once import run_once  # every `kobench list` imports this module
    from kobench.sandbox.places import Interpreter

    interpreter = Interpreter(python, (python.parents[1], base), name)
    ran = run_once(interpreter, ["-I", "-S", str(INSIDE), str(site)], (INSIDE, *in_place), SECONDS)
    why = ran.why
    if ran.code == 0:
        try:
            found: dict[str, Any] = json.loads(ran.output)
            return found
        except ValueError as error:
            why = f"what it says of itself can't be read ({error})"
    raise BrokenError(
        f"the interpreter {python} of environment {name!r} can't be used: {why}; make it again with"
        " --replace"
    )


def complete() -> tuple[list[Environment], list[tuple[str, str]]]:
    """Every complete environment, and (name, sentence) of each that is not."""
    found, broken = [], []
    for name in names():
        try:
            found.append(read(name))
        except UserError as error:
            broken.append((name, str(error)))
    return found, broken


def making_folder() -> Path:
    """Where locks and logs of what is being made lie."""
    return environments_folder() / ".making"


@contextlib.contextmanager
def locked(name: str, wait: bool = False) -> Iterator[None]:
    """Hold a lock, the name of an environment for the one of its making; raises UserError where
    another has it and `wait` is False.
    """
    making_folder().mkdir(parents=True, exist_ok=True)
    with open(making_folder() / f"{name}.lock", "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise UserError(
                f"environment {name!r} is being made or changed by another process; wait until it"
                " is done"
            ) from None
        yield


def is_locked(name: str) -> bool:
    """Whether some process makes or changes this environment now."""
    try:
        with open(making_folder() / f"{name}.lock", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
