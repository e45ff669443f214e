"""Finds what offers kobench plugins: installed distributions and single files. Imports none."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from kobench.environments.inside import (
    LINKS,
    TooManyFilesError,
    UnreadableError,
    claimed,
    distributions_here,
    is_editable,
    lies_below,
    name_of,
    needs_of,
    places_of,
    project_of,
    real_place,
    rows_listed,
)
from kobench.errors import UserError
from kobench.plugins.programs import is_program
from kobench.plugins.sources import CARDS, OWN, PluginProblem, Source, normalise
from kobench.util.hashes import files_below, without_caches
from kobench.util.text import visible

#: The entry-point group of plugins.
GROUP = "kobench"

#: What a distribution may be called (PEP 508).
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")

#: What tools that build and install packages note beside them, about themselves and this machine.
NOTES = (
    "WHEEL",
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
    "uv_cache.json",
    "uv_build.json",
)

#: Bytes that are read of entry points in a zip file.
MOST_POINTS = 1 << 16

#: Nothing that is installed in place.
NO_PLACES: Mapping[str, Path] = MappingProxyType({})

#: Where a top-level package or module lies: its origin and, of a package, its folders.
Place = tuple["str | None", "list[str]"]


def installed_sources() -> tuple[list[Source], list[PluginProblem]]:
    """Find every distribution on `sys.path` with entry points in the group.

    Returns
    -------
    sources : list of Source
        In the order of their names.
    problems : list of PluginProblem
        One for each distribution whose metadata can't be read, or that another one may be.
    """
    sources: dict[str, tuple[Source, str]] = {}
    twice: set[str] = set()
    problems = list(_in_files())
    distributions = distributions_here()
    brought = claimed(distributions)
    editable = editable_among(distributions, brought)
    for distribution in distributions:
        place = real_place(getattr(distribution, "_path", ""))
        try:
            source = _source_of(distribution, editable)
        except Exception as error:
            where = getattr(distribution, "_path", "its folder")
            remedy = "" if isinstance(error, TooManyFilesError) else "; install the package again"
            message = f"the metadata in {where} can't be read ({error}){remedy}"
            name = name_of(distribution) or os.path.basename(str(where))
            shown = visible(message, lines=True)
            problems.append(PluginProblem(visible(name), "", "metadata", shown))
            continue
        if source is None:
            continue
        key, message = normalise(source.distribution), ""
        if place in brought:
            message = (
                f"{place} calls itself {source.distribution}, and was brought by {brought[place]},"
                f" whose list of files has it; it is not taken, remove {brought[place]}"
            )
        else:  # equal ones do no harm: a project's own notes lie beside what is installed of it
            other, there = sources.setdefault(key, (source, place))
            if other.points != source.points:
                twice.add(key)
                message = (
                    f"two distributions are called {source.distribution}, in {there} and {place},"
                    " and offer different plugins; neither is taken, remove one of them"
                )
        if message:
            shown = visible(message, lines=True)
            problems.append(PluginProblem(source.distribution, "", "metadata", shown))
    return [sources[key][0] for key in sorted(sources) if key not in twice], problems


def _in_files() -> Iterator[PluginProblem]:
    """One problem for all metadata of plugins in a file on the path, such as a zip file."""
    for distribution in importlib.metadata.distributions():
        where: Any = getattr(distribution, "_path", None)
        if isinstance(where, Path):
            continue
        with suppress(Exception):  # what such a file holds may be anything
            with (where / "entry_points.txt").open("rb") as file:
                if GROUP.encode() not in file.read(MOST_POINTS):
                    continue
            name = visible(os.path.basename(str(where).rstrip("/")))
            message = f"{where} lies in no folder, so it is not taken; install the package"
            yield PluginProblem(name, "", "metadata", visible(message, lines=True))


def editable_among(
    distributions: Iterable[importlib.metadata.Distribution], brought: Container[str]
) -> dict[str, importlib.metadata.Distribution]:
    """Those that are installed in place, by normalised name, without what another one brought."""
    return {
        normalise(name_of(one)): one
        for one in distributions
        if real_place(getattr(one, "_path", "")) not in brought and is_editable(one)
    }


def shown_in_place(
    distribution: str, editable: Mapping[str, importlib.metadata.Distribution]
) -> dict[str, Path]:
    """The packages and modules in place of a distribution, and of those in place that it needs.

    Parameters
    ----------
    distribution : str
        Its name.
    editable : mapping of str to Distribution
        See `editable_among`.

    Returns
    -------
    dict of str to Path
        Name of the folder or file -> place, without kobench's own.
    """
    found: dict[str, Path] = {}
    left, reached = [normalise(distribution)], {OWN}
    while left:
        name = left.pop()
        if name in editable and name not in reached:
            reached.add(name)
            left.extend(needs_of(editable[name]))
            found.update({Path(place).name: Path(place) for place in places_of(editable[name])})
    return {name: found[name] for name in sorted(found) if is_importable(name)}


def _source_of(
    distribution: importlib.metadata.Distribution,
    editable: Mapping[str, importlib.metadata.Distribution],
) -> Source | None:
    """The source that a distribution is; None for one without plugins.

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
    name = visible(name_of(distribution))
    if not name:
        raise ValueError("it has no Name that can be read")
    check_name(name)
    if normalise(name) == OWN and {_top_level(value) for _, value in points} != {OWN}:
        raise ValueError("it calls itself kobench, and is not; remove it")
    found = files_of(distribution, points, place_here, shown_in_place(name, editable))
    version = visible(distribution.version or "")
    return Source(name, version, points, found.files, roots=found.roots, caches=found.caches)


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


class Found(NamedTuple):
    """What a distribution consists of.

    Attributes
    ----------
    roots : dict of str to Path
        Its top-level packages and modules, by the name of their folder or file.
    files : dict of str to Path
        Its files, by their path inside the folder of packages; of what is installed in place also
        those of all that it is shown. Left out is what depends on who
        installed it (`NOTES`, programs of entry points, the links of editable installs), and what
        looks like code that was compiled here. What a wheel brought is no such code, whatever it is
        called: the list of files has its hash.
    caches : frozenset of Path
        The folders in which what looks compiled lies, and every other file that was left out:
        notes of packaging tools, programs, links of editable installs. Who wrote that list can
        leave out a hash, so nobody knows what they hold: its predictors must not read them.
    """

    roots: dict[str, Path]
    files: dict[str, Path]
    caches: frozenset[Path]


def files_of(
    distribution: importlib.metadata.Distribution,
    points: Sequence[tuple[str, str]],
    place: Callable[[str], Place | None],
    in_place: Mapping[str, Path] = NO_PLACES,
) -> Found:
    """Find the files that a distribution consists of.

    These are what it installed, and all that lies in its packages by now, which covers editable
    installs and files that came later.

    Parameters
    ----------
    distribution : Distribution
        Where it is installed does not matter.
    points : sequence of (str, str)
        Name and value of its entry points.
    place : callable
        Says where a top-level package or module lies.
    in_place : mapping of str to Path
        Packages and modules, by the name of their folder or file, that it is shown because it, or
        what it needs, is installed in place.

    Raises
    ------
    UnreadableError
        Its list of files can't be read as a whole.
    """
    editable, base = is_editable(distribution), Path(str(distribution.locate_file("")))
    points_of_all = list(distribution.entry_points)
    rows = _rows_of(distribution)
    hashed = {name for name, has_hash in rows if has_hash}
    own = os.path.basename(str(getattr(distribution, "_path", "")))
    every = {name: base / name for name, _ in rows}
    if own.endswith(".dist-info"):  # no list needs to have what lies there
        every.update({f"{own}/{name}": path for name, path in files_below(base / own).items()})
    files = {
        name: path
        for name, path in every.items()
        if is_content(name, own, editable) and not is_program(name, base, points_of_all)
    }
    left_out = [path for name, path in every.items() if name not in files]
    roots: dict[str, Path] = {}
    for name, file in files.items():
        inside = name.split("/")
        if name.endswith(".py") and is_importable(inside[0]):
            roots.setdefault(inside[0], file.parents[len(inside) - 2] if len(inside) > 1 else file)
    for top in sorted({_top_level(value) for _, value in points}):
        found = place(top)
        # any folder on the path is a package without files of its own: that is no place
        if found is None or found[0] in (None, "namespace"):
            continue
        origin, folders = found
        where = folders[0] if folders else str(origin)
        # anybody can name anybody's package: that is no reason to show it
        if is_importable(os.path.basename(where)) and _is_own(distribution, where, roots):
            roots[os.path.basename(where)] = Path(where)
            if not folders:
                files[os.path.basename(where)] = Path(where)
            for folder in folders[1:]:
                files.update(_files_at(Path(folder)))
    for name, root in in_place.items():
        roots.setdefault(name, root)
        if root.suffix == ".py":
            files.setdefault(name, root)
    for root in roots.values():
        # without this file other distributions may have a part in it
        if (root / "__init__.py").is_file():
            files.update(_files_at(root))
    files, caches = without_caches(files, hashed)
    left_out += [base / own / note for note in NOTES]
    return Found(roots, files, caches.union(path for path in left_out if os.path.lexists(path)))


def _rows_of(distribution: importlib.metadata.Distribution) -> list[tuple[str, bool]]:
    """The paths in a distribution's list of files, and whether it has a hash of each."""
    try:
        rows = rows_listed(distribution)
    except UnreadableError as error:
        remedy = ""
        if isinstance(error, TooManyFilesError):
            remedy = "; leave data out, and name their folder by --readable"
        where = f"the list of files of {visible(name_of(distribution))}, RECORD,"
        raise type(error)(f"{where} {error}{remedy}") from error
    if rows:
        return [(PurePosixPath(row[0]).as_posix(), any(row[1:2])) for row in rows]
    # what an older tool installed has another list
    return [(file.as_posix(), file.hash is not None) for file in distribution.files or ()]


def _is_own(
    distribution: importlib.metadata.Distribution, where: str, listed: Mapping[str, Path]
) -> bool:
    """Whether a package or module is among a distribution's files, or in its project's folder."""
    if os.path.realpath(where) in map(os.path.realpath, listed.values()):
        return True
    project = project_of(distribution)
    return project is not None and lies_below(where, project)


def is_content(name: str, own: str, editable: bool = False) -> bool:
    """Whether a file that a distribution installed is the same wherever it is installed.

    What is not must be hidden from its predictors, or it would hold anything.

    Parameters
    ----------
    name : str
        Its path from the folder of packages, as the list of files (RECORD) has it.
    own : str
        The name of the folder of its metadata.
    editable : bool
        Whether the distribution is installed in place: then links lead to where it lies.

    Examples
    --------
    >>> own = "mine-1.0.dist-info"
    >>> is_content("mine/weights.npz", own), is_content(f"{own}/RECORD", own)
    (True, False)
    """
    first, _, rest = name.partition("/")
    if first == own:
        return rest not in NOTES
    return not (editable and not rest and LINKS.fullmatch(name))


def is_importable(name: str) -> bool:
    """Whether a folder or file of this name can be a top-level package or module, and nothing else.

    Examples
    --------
    >>> is_importable("numpy"), is_importable("my_method.py"), is_importable("..tmp..numpy")
    (True, True, False)
    """
    return name.removesuffix(".py").isidentifier()


def _files_at(package: Path) -> Iterator[tuple[str, Path]]:
    """The files of a package: path from the folder that holds it, and place."""
    for name, path in files_below(package, empty=True).items():
        yield f"{package.name}/{name}", path
