"""What lies in the folders of packages and is in nobody's list of files, yet runs unasked.

Installers write down what they install. Who hides a file from that list hides whose it is.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from kobench.environments.inside import IMPORTED
from kobench.plugins.installed_here import OF_SYSTEM, Here, inits_of, of_programs, top_of
from kobench.plugins.looked_for import LOOKED_FOR, NAMESPACES, NOBODYS
from kobench.plugins.pth import AT_START, OF_SETUPTOOLS, code_in, links_unasked
from kobench.plugins.pythons import SYSTEMS
from kobench.util.bounded import read_bounded
from kobench.util.text import visible

#: What virtualenv and uv put into each environment that they make, in no list; and how the file
#: that describes an environment then names them.
OF_VIRTUALENV = ("_virtualenv.pth", "import _virtualenv", ("virtualenv", "uv"))

#: Bytes that are read of the file that describes an environment.
MOST_CFG = 1 << 16


def unowned(here: Here) -> Iterator[str]:
    """Files and packages that run unasked, in no distribution's list of files.

    Parameters
    ----------
    here : Here
        All that is installed.

    Yields
    ------
    str
        Each one's name, with the reason why it is named.
    """
    for folder in sorted(here.folders):
        if folder.startswith(OF_SYSTEM):
            continue
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            place = os.path.join(folder, name)
            if place not in here.owned and _runs(Path(place), here):
                yield visible(f"{name}, which is in no list of installed files")
    yield from _among_programs(here)


def _among_programs(here: Here) -> Iterator[str]:
    """Modules beside the programs, found before all others of their name."""
    folder = of_programs()
    with suppress(OSError):
        for name in sorted(os.listdir(folder)) if folder not in SYSTEMS else ():
            place = os.path.join(folder, name)
            inits = inits_of(place)
            top = top_of([name, ""] if inits else [name])
            is_others = top in NOBODYS or top in LOOKED_FOR or top in here.tops or top in AT_START
            if is_others and here.claims.keys().isdisjoint([place, *inits]):
                yield visible(f"{name} among the programs, which is in no list of installed files")


def _runs(place: Path, here: Here) -> bool:
    """Whether it runs, or is imported, unasked."""
    top = place.name.split(".")[0]
    if place.name.endswith(".pth"):
        code = [line for line in code_in(place) if not _is_known(place, line, here)]
        return bool(code) or links_unasked(place, "")
    if not (place.is_dir() or place.name.endswith(IMPORTED)):
        return False
    if top in LOOKED_FOR:  # what some tools install has no list at all
        return LOOKED_FOR[top].isdisjoint(here.found)
    return top in AT_START or (top in NOBODYS - NAMESPACES and not _is_pythons(top))


def _is_known(file: Path, line: str, here: Here) -> bool:
    """Whether a line of a `.pth` file is what setuptools, virtualenv or uv write."""
    name, of_virtualenv, tools = OF_VIRTUALENV
    if line == OF_SETUPTOOLS:
        return "setuptools" in here.found
    return file.name == name and line == of_virtualenv and _made_by() in tools


def _made_by() -> str:
    """The tool, of `OF_VIRTUALENV`, that says that it made this environment; "" if none does."""
    try:
        text = read_bounded(Path(sys.prefix) / "pyvenv.cfg", MOST_CFG).decode()
    except (OSError, ValueError):
        return ""
    said = {line.partition("=")[0].strip() for line in text.splitlines()}
    return next((tool for tool in OF_VIRTUALENV[2] if tool in said), "")


def _is_pythons(top: str) -> bool:
    """Whether this Python has a module of a name, which is found before what is installed."""
    library = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    places = [*library, *(os.path.join(place, "lib-dynload") for place in library)]
    return top in sys.builtin_module_names or PathFinder.find_spec(top, places) is not None
