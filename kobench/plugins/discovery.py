"""Finds what offers kobench plugins: installed distributions and single files, with the .py files
they consist of. Imports none.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.sandbox.places import Interpreter

#: The entry-point group of plugins.
GROUP = "kobench"

#: The distribution whose plugins are kobench's own.
OWN = "kobench"


@dataclass(frozen=True)
class Problem:
    """Why a plugin, or a part of it, is not there.

    kind : "import", "exit", "crash", "timeout", "output", "hook", "spec", "duplicate", "metadata",
    "card", "environment" (a whole one is broken) or "not-here" (an environment offers what is not
    taken from one). name : the spec it is about, "" where it is about more. message : one sentence.
    traceback : its last lines, or "". environment : the environment it is about, "" for kobench's
    own interpreter.
    """

    distribution: str
    entry_point: str
    kind: str
    message: str
    traceback: str = ""
    name: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Source:
    """One distribution, or one plugin file, and the .py files that make it up.

    points : (name, value) of its entry points. files : path inside the package -> place. file : the
    single plugin file. roots : its top-level packages and modules -> place. environment : where it
    is installed, "" for kobench's own interpreter; interpreter : that environment's. about : what a
    description depends on beside the files. packages : versions of what it needs in its
    environment, itself included.
    """

    distribution: str
    version: str
    points: tuple[tuple[str, str], ...]
    files: dict[str, Path]
    file: str | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)
    environment: str = ""
    interpreter: Interpreter | None = None
    about: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def known_as(self) -> str:
        """Its name among all sources: the distribution's, in an environment with that environment's
        before it.
        """
        return f"{self.environment}/{self.distribution}" if self.environment else self.distribution

    def digest(self) -> str:
        """sha256 over the .py files' names and contents, wherever they lie; of a single file just
        its own.
        """
        if self.file:
            return hashlib.sha256(Path(self.file).read_bytes()).hexdigest()
        total = hashlib.sha256()
        for name in sorted(self.files):
            with contextlib.suppress(OSError):
                total.update(
                    f"{name}\0{hashlib.sha256(self.files[name].read_bytes()).hexdigest()}\n".encode()
                )
        return total.hexdigest()

    def stamp(self) -> str:
        """Changes when a .py file is edited, added or removed; reads only sizes and times."""
        total = hashlib.sha256()
        for name in sorted(self.files):
            with contextlib.suppress(OSError):
                status = self.files[name].stat()
                total.update(
                    f"{self.files[name]}\0{status.st_size}\0{status.st_mtime_ns}\n".encode()
                )
        return total.hexdigest()


def normalise(distribution: str) -> str:
    """A distribution's name as the packaging standard compares it: lower case, runs of -, _ and .
    are one dash.
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def installed_sources() -> tuple[list[Source], list[Problem]]:
    """Every distribution on `sys.path` with entry points in the group, and those whose metadata
    can't be read.
    """
    sources: dict[str, Source] = {}
    problems = []
    for distribution in importlib.metadata.distributions():
        name = ""
        try:
            text = distribution.read_text("entry_points.txt") or ""
            if (
                GROUP not in text
            ):  # reading every distribution's metadata in full would take ten times as long
                continue
            name = distribution.metadata["Name"] or ""
            points = tuple(
                (point.name, point.value)
                for point in distribution.entry_points
                if point.group == GROUP
            )
            if not points:
                continue
            if not name:
                raise ValueError("it has no Name")
            if normalise(name) == OWN and any(
                value.partition(".")[0].partition(":")[0].strip() != OWN for _, value in points
            ):
                raise ValueError("it calls itself kobench, and is not; remove it")
            # the first on sys.path is the one that gets imported
            if normalise(name) not in sources:
                roots, files = files_of(distribution, points, place_here)
                sources[normalise(name)] = Source(
                    name, distribution.version, points, files, roots=roots
                )
        except Exception as error:
            where = getattr(distribution, "_path", "its folder")
            message = f"the metadata in {where} can't be read ({error}); install the package again"
            problems.append(Problem(name or os.path.basename(str(where)), "", "metadata", message))
    return [sources[key] for key in sorted(sources)], problems


def file_sources(plugin_files: Sequence[str | os.PathLike[str]]) -> list[Source]:
    """The single files given as plugins; raises UserError for one that does not exist or is not
    Python.
    """
    sources: dict[str, Source] = {}
    for given in plugin_files:
        path = Path(given).resolve()
        if path.suffix != ".py" or not path.is_file():
            found = "it is not a .py file" if path.is_file() else "there is no such file"
            raise UserError(
                f"plugin {str(given)!r} can't be read: {found}; --plugin expects one Python file"
            )
        name = f"file:{path.name}"
        if name in sources and sources[name].file != str(path):
            raise UserError(
                f"two plugin files are called {path.name}; rename one, so that {name}/NAME tells"
                " them apart"
            )
        sources[name] = Source(
            name, "", ((path.stem, path.name),), {path.name: path}, str(path), {path.name: path}
        )
    return list(sources.values())


#: Where a top-level package or module lies: its origin and, of a package, its folders; None where
#: there is none.
Place = tuple["str | None", "list[str]"]


def place_here(top: str) -> Place | None:
    """Where this interpreter would import a top-level package or module from."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    return None if spec is None else (spec.origin, list(spec.submodule_search_locations or ()))


def files_of(
    distribution: importlib.metadata.Distribution,
    points: Sequence[tuple[str, str]],
    place: Callable[[str], Place | None],
) -> tuple[dict[str, Path], dict[str, Path]]:
    """Where its top-level packages and modules lie, by the name of their folder or file; and the
    .py files that a distribution consists of.

    Those are what it installed and its entry points' packages, which covers editable installs.
    """
    files = {
        file.as_posix(): Path(str(file.locate()))
        for file in distribution.files or ()
        if file.suffix == ".py"
        and not file.is_absolute()
        and ".." not in file.parts
        and not file.name.startswith("__editable__")
    }
    roots: dict[str, Path] = {}
    for name, file in files.items():
        inside = name.split("/")
        if is_importable(inside[0]):
            roots.setdefault(inside[0], file.parents[len(inside) - 2] if len(inside) > 1 else file)
    for top in sorted({value.partition(":")[0].strip().partition(".")[0] for _, value in points}):
        found = place(top)
        if found is not None and found[0] not in (
            None,
            "namespace",
        ):  # any folder on the path is a package without files of its own
            origin, folders = found
            where = folders[0] if folders else str(origin)
            if is_importable(os.path.basename(where)):
                roots[os.path.basename(where)] = Path(where)
                files.update(_files_at(origin, folders))
    return roots, files


def is_importable(name: str) -> bool:
    """Whether a folder or file of this name can be a top-level package or module, and nothing else.

    >>> is_importable("numpy"), is_importable("my_method.py"), is_importable("..tmp..numpy"), is_importable("")
    (True, True, False, False)
    """
    return name.removesuffix(".py").isidentifier()


def _files_at(origin: str | None, folders: Sequence[str]) -> Iterator[tuple[str, Path]]:
    if not folders and origin and origin.endswith(".py"):
        yield Path(origin).name, Path(origin)
    for top in folders:
        parent = os.path.dirname(top)
        for folder, inside, names in os.walk(top):
            inside[:] = [
                name for name in inside if name != "__pycache__" and not name.startswith(".")
            ]
            for name in names:
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    yield os.path.relpath(path, parent).replace(os.sep, "/"), Path(path)
