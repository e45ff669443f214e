"""Finds what offers kobench plugins: installed distributions and single files. Imports none."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

from kobench.errors import UserError
from kobench.plugins.sources import CARDS, OWN, PluginProblem, Source, normalise
from kobench.util.text import visible

#: The entry-point group of plugins.
GROUP = "kobench"

#: What a distribution may be called (PEP 508).
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")

#: Where a top-level package or module lies: its origin and, of a package, its folders.
Place = tuple["str | None", "list[str]"]


def installed_sources() -> tuple[list[Source], list[PluginProblem]]:
    """Find every distribution on `sys.path` with entry points in the group.

    Returns
    -------
    sources : list of Source
        In the order of their names.
    problems : list of PluginProblem
        One for each distribution whose metadata can't be read.
    """
    sources: dict[str, Source] = {}
    problems = []
    for distribution in importlib.metadata.distributions():
        try:
            source = _source_of(distribution, sources)
        except Exception as error:
            where = getattr(distribution, "_path", "its folder")
            message = f"the metadata in {where} can't be read ({error}); install the package again"
            name = _name_of(distribution) or os.path.basename(str(where))
            shown = visible(message, lines=True)
            problems.append(PluginProblem(visible(name), "", "metadata", shown))
            continue
        if source is not None:
            sources[normalise(source.distribution)] = source
    return [sources[key] for key in sorted(sources)], problems


def _source_of(
    distribution: importlib.metadata.Distribution, known: Container[str]
) -> Source | None:
    """The source that a distribution is; None for one without plugins, or of a name that is known.

    Raises what reading its metadata raises, and ValueError where they are wrong.
    """
    # most have none: reading the metadata of every distribution in full takes ten times as long
    if GROUP not in (distribution.read_text("entry_points.txt") or ""):
        return None
    points = tuple(
        (visible(point.name), point.value)
        for point in distribution.entry_points
        if point.group == GROUP
    )
    if not points:
        return None
    name = visible(distribution.metadata["Name"] or "")
    if not name:
        raise ValueError("it has no Name")
    check_name(name)
    if normalise(name) == OWN and {_top_level(value) for _, value in points} != {OWN}:
        raise ValueError("it calls itself kobench, and is not; remove it")
    if normalise(name) in known:  # the first on sys.path is the one that gets imported
        return None
    roots, files = files_of(distribution, points, place_here)
    return Source(name, visible(distribution.version or ""), points, files, roots=roots)


def check_name(name: str) -> None:
    """Refuse a name that no package may have: it could look like another one's on a board.

    Raises
    ------
    ValueError
        Where it is not of the letters, digits, dots, dashes and underscores of ASCII, or stands for
        the user's own cards.
    """
    if not NAME.fullmatch(name) or normalise(name) == CARDS:
        raise ValueError(
            f"its Name is {name!a}; expected ASCII letters, digits and . _ - between, and not"
            f" {CARDS!r}, which are the user's own"
        )


def _name_of(distribution: importlib.metadata.Distribution) -> str:
    """The name of a distribution with broken metadata, as far as it can be read."""
    try:
        return distribution.metadata["Name"] or ""
    except Exception:
        return ""


def _top_level(value: str) -> str:
    """The top-level package or module that the value of an entry point begins with."""
    return value.partition(":")[0].strip().partition(".")[0]


def file_sources(plugin_files: Sequence[str | os.PathLike[str]]) -> list[Source]:
    """Make a source of each single file that was given as a plugin.

    Parameters
    ----------
    plugin_files : sequence of path
        Python files; one that is given twice counts once.

    Returns
    -------
    list of Source
        In the order given.

    Raises
    ------
    UserError
        Where one does not exist or is not Python, or two have the same name.
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
        only = {path.name: path}
        points = ((path.stem, path.name),)
        sources[name] = Source(name, "", points, files=only, file=str(path), roots=only)
    return list(sources.values())


def place_here(top: str) -> Place | None:
    """Where this interpreter would import a top-level package or module from; None if nowhere."""
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
    """Find the code that a distribution consists of.

    That is what it installed, and the packages of its entry points, which covers editable installs.

    Parameters
    ----------
    distribution : Distribution
        Where it is installed does not matter.
    points : sequence of (str, str)
        Name and value of its entry points.
    place : callable
        Says where a top-level package or module lies.

    Returns
    -------
    roots : dict of str to Path
        Its top-level packages and modules, by the name of their folder or file.
    files : dict of str to Path
        Its .py files, by their path inside the package.
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
    for top in sorted({_top_level(value) for _, value in points}):
        found = place(top)
        # any folder on the path is a package without files of its own: that is no place
        if found is None or found[0] in (None, "namespace"):
            continue
        origin, folders = found
        where = folders[0] if folders else str(origin)
        if is_importable(os.path.basename(where)):
            roots[os.path.basename(where)] = Path(where)
            files.update(_files_at(origin, folders))
    return roots, files


def is_importable(name: str) -> bool:
    """Whether a folder or file of this name can be a top-level package or module, and nothing else.

    Examples
    --------
    >>> is_importable("numpy"), is_importable("my_method.py"), is_importable("..tmp..numpy")
    (True, True, False)
    """
    return name.removesuffix(".py").isidentifier()


def _files_at(origin: str | None, folders: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The .py files of a module or package: path from the folder that holds it, and place."""
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
