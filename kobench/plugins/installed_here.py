"""What is installed in kobench's own interpreter: whose each file is, and where it is imported."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kobench.environments.inside import (
    claimed,
    distributions_here,
    listed_by,
    name_of,
    named_project,
    places_in,
    text_of,
)
from kobench.plugins.sources import normalise
from kobench.util.bounded import TooLargeError, read_bounded

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
        The folders of packages.
    owned : frozenset of str
        What lies directly in them and is in the list of files of some distribution.
    """

    found: dict[str, importlib.metadata.Distribution]
    claims: dict[str, set[str]]
    linked: frozenset[str]
    folders: frozenset[str]
    owned: frozenset[str]


@cache
def installed_here() -> Here:
    """All that is installed here; metadata that another distribution brought are none."""
    found: dict[str, importlib.metadata.Distribution] = {}
    everything = distributions_here()
    brought = claimed(everything)
    for distribution in everything:
        if os.path.normpath(getattr(distribution, "_path", "")) not in brought:
            found.setdefault(normalise(name_of(distribution)), distribution)
    claims: dict[str, set[str]] = {}
    owned: set[str] = set()
    for key, each in found.items():
        for path in paths_of(each):
            inside = inside_of(each, path)
            claims.setdefault(known_as(each, path, inside), set()).add(key)
            owned.add(place_of(each, inside[0]))
        # of what is installed in place the list has links alone, and another's may be found first
        project = named_project(each)
        for place in places_in(each, project) if project else ():
            name = os.path.basename(place)
            one = name if name.endswith(".py") else f"{name}/__init__.py"
            claims.setdefault(one, set()).add(key)
    folders = frozenset(place_of(each, "") for each in everything)
    linked = frozenset(_linked_from(folders))
    return Here(found, claims, linked, folders, frozenset(owned))


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


def place_of(distribution: importlib.metadata.Distribution, path: str) -> str:
    """Where a file of a distribution lies."""
    return os.path.normpath(os.path.join(str(distribution.locate_file("")), path))


def inside_of(distribution: importlib.metadata.Distribution, path: str) -> list[str]:
    """The parts of a file's path from the folder of packages, whichever such folder that is."""
    parts = path.split("/")
    if "" not in parts and "." not in parts and os.pardir not in parts:
        return parts
    return os.path.relpath(place_of(distribution, path), place_of(distribution, "")).split(os.sep)


def known_as(distribution: importlib.metadata.Distribution, path: str, inside: list[str]) -> str:
    """By what two files are the same: of two folders the first on the path counts."""
    return place_of(distribution, path) if inside[0] == os.pardir else "/".join(inside)
