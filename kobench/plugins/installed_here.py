"""What is installed in kobench's own interpreter: whose each file is, and where it is imported."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sysconfig
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from kobench.environments.inside import (
    IMPORTED,
    claimed,
    distributions_here,
    fault_of_list,
    listed_by,
    name_of,
    named_project,
    places_in,
    real_place,
    text_of,
)
from kobench.plugins.sources import normalise
from kobench.util.bounded import TooLargeError, read_bounded

#: Folders that a system's own tools fill, which keep their lists elsewhere.
OF_SYSTEM = "/usr/lib/python3"

#: How a line of a .pth file begins that is executed; all others name a folder.
EXECUTED = ("import ", "import\t")

#: Bytes that are read of a `.pth` file.
MOST_PTH = 1 << 20


@dataclass(frozen=True)
class Here:
    """What is installed in kobench's own interpreter.

    Attributes
    ----------
    found : dict of str to Distribution
        Every distribution by its normalised name.
    claims : dict of str to set of str
        Whose each file is that is installed, or can be imported from a project's folder.
    linked : frozenset of str
        Folders that `.pth` files put on the path.
    folders : frozenset of str
        The folders of packages, as real paths.
    owned : frozenset of str
        What lies directly in them and is in the list of files of some distribution.
    tops : mapping of str to set of str
        By the name of a package or module at the top of a folder of packages, whatever it is made
        of, who has files in it.
    unlisted : frozenset of str
        The names of those that are there and in nobody's list of files.
    nameless : tuple of str
        The folders of metadata of distributions whose names can't be read, which list files.
    """

    found: dict[str, importlib.metadata.Distribution]
    claims: dict[str, set[str]]
    linked: frozenset[str]
    folders: frozenset[str]
    owned: frozenset[str]
    tops: Mapping[str, set[str]] = field(default_factory=dict)
    unlisted: frozenset[str] = frozenset()
    nameless: tuple[str, ...] = ()


@cache
def installed_here() -> Here:
    """All that is installed here; metadata that another distribution brought are none."""
    found: dict[str, importlib.metadata.Distribution] = {}
    everything = distributions_here()
    brought = claimed(everything)
    nameless: list[str] = []
    others: set[str] = set()
    for distribution in everything:
        where = str(getattr(distribution, "_path", ""))
        if real_place(where) in brought:
            continue
        name = name_of(distribution)
        if name:
            first = found.setdefault(normalise(name), distribution)
            if first is not distribution:  # of two of a name the first on the path is imported
                others.update(place_of(distribution, path) for path in tops_of(distribution))
        elif listed_by(distribution) or fault_of_list(distribution):
            nameless.append(os.path.basename(where))
    claims: dict[str, set[str]] = {}
    owned: set[str] = set()
    tops: dict[str, set[str]] = {}
    for key, each in found.items():
        listed = bool(listed_by(each))
        for path in paths_of(each):
            inside = inside_of(each, path)
            claims.setdefault(known_as(each, path, inside), set()).add(key)
            owned.add(place_of(each, inside[0]))
            if top := top_of(inside):
                tops.setdefault(top, set()).add(key)
                if not listed:  # which of the two it is, nobody says
                    owned.add(place_of(each, f"{top}.py"))
        # of what is installed in place the list has links alone, and another's may be found first
        project = named_project(each)
        for place in places_in(each, project) if project else ():
            name = os.path.basename(place)
            one = name if name.endswith(".py") else f"{name}/__init__.py"
            claims.setdefault(one, set()).add(key)
    folders = frozenset(place_of(each, "") for each in everything)
    linked = frozenset([*_linked_from(folders), of_programs()])
    unlisted = frozenset(top for folder in folders for top in _tops_in(folder, owned | others))
    return Here(
        found, claims, linked, folders, frozenset(owned), tops, unlisted, tuple(sorted(nameless))
    )


def top_of(inside: list[str]) -> str:
    """What a file, by its path from a folder of packages, is a part of when imported; "" for none.

    >>> top_of(["a", "b.txt"]), top_of(["a.cpython-311.so"])
    ('a', 'a')
    >>> top_of(["a.txt"]), top_of(["a.libs", "b.so"])
    ('', '')
    """
    first = inside[0]
    if len(inside) == 1:
        first = first.split(".")[0] if first.endswith(IMPORTED) else ""
    return first if first.isidentifier() and first != "__pycache__" else ""


def _tops_in(folder: str, owned: Collection[str]) -> Iterator[str]:
    """The packages and modules in a folder of packages that are in nobody's list."""
    if folder.startswith(OF_SYSTEM):
        return
    with suppress(OSError):
        for name in os.listdir(folder):
            place = os.path.join(folder, name)
            if place not in owned and (top := top_of([name, ""] if inits_of(place) else [name])):
                yield top


def tops_of(distribution: importlib.metadata.Distribution) -> set[str]:
    """What of a distribution lies directly in a folder of packages."""
    return {inside_of(distribution, path)[0] for path in paths_of(distribution)}


def inits_of(place: str) -> list[str]:
    """The files that make a folder a package; none of what is no folder."""
    try:
        names = os.listdir(place)
    except OSError:
        return []
    return [os.path.join(place, name) for name in names if name.split(".")[0] == "__init__"]


@cache
def of_programs() -> str:
    """The folder of programs: Python looks for modules beside the one that it starts first."""
    return os.path.realpath(sysconfig.get_path("scripts"))


def paths_of(distribution: importlib.metadata.Distribution) -> list[str]:
    """The files that a distribution lists, from the folder of packages.

    Where it has no list, they are what its packages would have, by the names of its modules.
    """
    listed = listed_by(distribution)
    if not listed:
        tops = text_of(distribution, "top_level.txt").split()
        listed = [f"{top}/__init__.py" for top in tops if top.isidentifier()]
    return listed


def _linked_from(folders: Iterable[str]) -> Iterator[str]:
    """The folders that the `.pth` files in folders of packages name, wherever links lead."""
    for folder in folders:
        real = os.path.realpath(folder)
        for file in sorted(Path(folder).glob("*.pth")):
            for place in named_in(file):
                named = os.path.realpath(place)
                yield os.path.normpath(os.path.join(folder, os.path.relpath(named, real)))


def named_in(file: Path) -> list[str]:
    """The places that a `.pth` file names, there or not, as Python reads it."""
    return [
        os.path.join(file.parent, line.rstrip())
        for line in lines_of(file)
        if line.strip() and not line.startswith(("#", *EXECUTED)) and "\0" not in line
    ]


def lines_of(file: Path) -> list[str]:
    """The lines of a `.pth` file, whichever way to part them; none of one that can't be read."""
    try:
        text = read_bounded(file, MOST_PTH).decode("utf-8-sig", errors="replace")
    except TooLargeError:
        return [f"{EXECUTED[0]}all that is not read"]
    except (OSError, ValueError):
        return []  # it isn't there, so nothing of it runs
    # Python 3.11 parts them at ends of lines alone, later ones at other characters, too
    return list(dict.fromkeys([*text.splitlines(), *re.split("\r\n|\r|\n", text)]))


def place_of_metadata(distribution: importlib.metadata.Distribution) -> str:
    """Where the folder of a distribution's metadata lies, as `place_of` says of its files."""
    above, name = os.path.split(str(getattr(distribution, "_path", "")))
    return os.path.join(real_folder(above), name)


def place_of(distribution: importlib.metadata.Distribution, path: str) -> str:
    """Where a file of a distribution lies, wherever links to the folders above it lead."""
    above, _, name = os.path.join(str(distribution.locate_file("")), path).rpartition(os.sep)
    if name in ("", os.curdir, os.pardir):
        return real_folder(os.path.join(above, name))
    return os.path.join(real_folder(above), name)


@lru_cache(maxsize=10_000)
def real_folder(folder: str) -> str:
    """Where a folder is, of which many files lie in few."""
    return os.path.realpath(folder)


def inside_of(distribution: importlib.metadata.Distribution, path: str) -> list[str]:
    """The parts of a file's path from the folder of packages, whichever such folder that is."""
    parts = path.split("/")
    if "" not in parts and "." not in parts and os.pardir not in parts:
        return parts
    return os.path.relpath(place_of(distribution, path), place_of(distribution, "")).split(os.sep)


def known_as(distribution: importlib.metadata.Distribution, path: str, inside: list[str]) -> str:
    """By what two files are the same: of two folders the first on the path counts."""
    return place_of(distribution, path) if inside[0] == os.pardir else "/".join(inside)
