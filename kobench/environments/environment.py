"""Environments that have been made: where they lie, and the record of how each was made.

Layout, under `kobench.environments.folder.environments_folder()`::

    NAME/environment.json     how it was made; written last, so that a folder without it is none
    NAME/seen.json            its Python and packages, and when they were so
    NAME/SERIAL/              the virtual environment; a new one is made beside the old one
    NAME/SERIAL/kobench.json  which kobench was put into it
    .making/NAME.log          what pip says while it is being made, kept where that fails
    .making/NAME.lock         held by the process that makes it
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobench.environments.folder import environments_folder, is_locked
from kobench.errors import UserError
from kobench.util.names import fault_of_folder, fault_of_name
from kobench.util.text import suggestion

#: The format of environment.json; it is raised when a kobench of today could not read it.
FORMAT = 1


class BrokenError(UserError):
    """An environment can't be used; the message says why and what to do."""


@dataclass(frozen=True)
class Environment:
    """One complete environment.

    Attributes
    ----------
    name : str
        Its name.
    folder : Path
        All of it.
    prefix : Path
        Its virtual environment, in `folder`.
    about : mapping of str to object
        The content of environment.json.
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
    def made_from(self) -> Path:
        """The interpreter that it was made from, which its packages can't change."""
        return Path(str(self.about["python"]["base"]))

    @property
    def behind(self) -> Path:
        """The program behind its interpreter, see `behind`."""
        return behind(self.prefix, self.made_from)

    @property
    def base(self) -> Path:
        """The Python installation that it was made from."""
        return self.behind.parents[1]

    @property
    def site(self) -> Path:
        """The folder of its packages."""
        return self.prefix / str(self.about["site"])

    @property
    def in_place(self) -> tuple[Path, ...]:
        """The folders that its maker asked to be installed in place (`-e FOLDER`)."""
        return folders_in_place(self.about["from"])

    def holds(self, place: Path) -> bool:
        """Whether a place lies in it, or in a folder that is installed in place.

        Its packages may name any place: others are not believed.
        """
        return any(
            place.resolve().is_relative_to(folder.resolve())
            for folder in (self.prefix, *self.in_place)
        )


def behind(prefix: Path, made_from: Path) -> Path:
    """The program behind an environment's interpreter, which its packages can't change.

    Parameters
    ----------
    prefix : Path
        The virtual environment.
    made_from : Path
        The interpreter that it was made from, which may be a script that starts another.
    """
    program = (prefix / "bin" / "python").resolve()
    # packages bring files and no links: what the link leads to is what venv made it for
    return made_from.resolve() if program.is_relative_to(prefix.resolve()) else program


def folders_in_place(specs: Iterable[str]) -> tuple[Path, ...]:
    """The folders among SPECs that are to be installed in place."""
    return tuple(
        Path(os.path.abspath(spec[3:].strip())) for spec in specs if spec.startswith("-e ")
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
    """The environment of this name.

    Raises
    ------
    UserError
        There is none.
    BrokenError
        It is not complete, or damaged.
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
        environment = _described(name, folder)
    except FileNotFoundError:
        doing = f"its making was ended; {remedy}"
        if is_locked(name):
            doing = "it is being made at this moment"
        raise BrokenError(f"environment {name!r} is not complete: {doing}") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrokenError(
            f"environment {name!r}: {folder / 'environment.json'} can't be read ({error}); {remedy}"
        ) from error
    if not os.access(environment.python, os.X_OK):
        raise BrokenError(
            f"environment {name!r} has no interpreter at {environment.python}, or its base was"
            f" removed; {remedy}"
        )
    return environment


def _described(name: str, folder: Path) -> Environment:
    """What environment.json describes; raises BrokenError for a newer format."""
    about = json.loads((folder / "environment.json").read_bytes())
    if about["format"] > FORMAT:
        newer = (
            f"environment {name!r} was made by a newer kobench (format {about['format']}, this"
            f" one knows {FORMAT})"
        )
        raise BrokenError(f"{newer}; update kobench, or make the environment again")
    for key, fault in (
        ("serial", fault_of_name(str(about["serial"]))),
        ("site", fault_of_folder(str(about["site"]))),
    ):
        if fault:
            raise ValueError(f"its {key} {fault}")
    environment = Environment(name, folder, folder / about["serial"], about)
    return environment


def complete() -> tuple[list[Environment], list[tuple[str, str]]]:
    """Every complete environment, and (name, sentence) of each that is not."""
    found, broken = [], []
    for name in names():
        try:
            found.append(read(name))
        except UserError as error:
            broken.append((name, str(error)))
    return found, broken
