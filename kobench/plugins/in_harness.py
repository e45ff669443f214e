"""Which files of a distribution make its code run in kobench's own process, where no sandbox is.

Python runs some files of what is installed whenever an interpreter starts, and a file that was put
in the place of another distribution's is imported as that one's. kobench's own interpreter has then
run a stranger's code before kobench begins, and nothing can take that back: it can only be said.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from kobench.environments.inside import (
    BESIDE,
    OF_METADATA,
    closure,
    fault_of_list,
    fault_of_needs,
    lies_below,
    name_of,
    needs_of,
    project_of,
)
from kobench.errors import UserError
from kobench.plugins.entry import Entry
from kobench.plugins.finder import imports_finder
from kobench.plugins.installed_here import (
    Here,
    inside_of,
    installed_here,
    known_as,
    paths_of,
    place_of,
    place_of_metadata,
)
from kobench.plugins.looked_for import LOOKED_FOR, may_bring
from kobench.plugins.ours import PREDICTORS
from kobench.plugins.pth import AT_START, OF_SETUPTOOLS, code_in, links_unasked
from kobench.plugins.pythons import is_pythons
from kobench.plugins.sources import OWN, normalise
from kobench.plugins.unowned import unowned
from kobench.util.text import visible

#: Groups that nothing loads in kobench's process, though packages of an extra would: Sphinx is
#: started by `make docs` alone, and Pygments looks for a style only if it has none of that name.
NOT_LOADED = ("sphinx.html_themes", "pygments.styles")

#: Endings of what is imported or executed.
CODE = (".py", ".pyc", ".pyd", ".so", ".pth")


def code_here(entry: Entry) -> tuple[str, ...]:
    """Files by which an entry's distribution runs code in kobench's own process.

    Parameters
    ----------
    entry : Entry
        A predictor. kobench's own, single files and what lies in an environment have none.

    Returns
    -------
    tuple of str
        Their paths from the folder of packages, with the distribution where it is one that the
        entry's needs.
    """
    if entry.trusted or entry.plugin_file or entry.environment:
        return ()
    return _files_of(normalise(entry.distribution))


def refuse_code_here(entry: Entry, sandbox: str) -> None:
    """Refuse a predictor whose distribution may run code in kobench's own process.

    Refused is every one that is installed in kobench's own interpreter and was not developed with
    kobench: what can be looked for (`code_here`) is known, but not all that an installer can leave
    there for Python or a library to find.

    Parameters
    ----------
    entry : Entry
        The predictor.
    sandbox : str
        One of `kobench.sandbox.MODES`; only "require" refuses.

    Raises
    ------
    UserError
        It may.
    """
    if sandbox != "require" or entry.trusted or entry.plugin_file or entry.environment:
        return
    files = code_here(entry)
    if normalise(entry.distribution) in PREDICTORS and not files:
        return
    runs = (
        f" and brings {', '.join(files[:3])}, by which its code runs in kobench's own process"
        if files
        else ", where what it brings can run in kobench's own process"
    )
    raise UserError(
        f"--sandbox require: {entry.distribution} is installed in kobench's own interpreter{runs},"
        " where no sandbox is; put it into an environment of its own (`kobench env create NAME"
        f" --from {entry.distribution}`) and uninstall it here"
    )


@cache
def _files_of(first: str) -> tuple[str, ...]:
    """The same, of a distribution (a normalised name) and all that it needs and kobench doesn't.

    What is in nobody's list counts against everybody.
    """
    here = installed_here()
    needs: dict[str, Any] = {key: {"needs": needs_of(each)} for key, each in here.found.items()}
    known = set(closure(OWN, needs))
    said = [
        *unowned(here),
        *(f"{visible(name)}, whose name can't be read" for name in here.nameless),
    ]
    # who needs kobench does not need what kobench has for an extra, such as its documentation
    if OWN in needs:
        needs[OWN] = {"needs": needs_of(here.found[OWN], always=True)}
    theirs = {first, *(set(closure(first, needs)) - _kobenchs(here))}
    for key in sorted(theirs & here.found.keys()):
        each, of = here.found[key], "" if key == first else f" of {key}"
        said += [visible(f"{path}{of}") for path in paths_of(each) if _runs(each, path, key, here)]
        groups = _loaded(each, key, known)
        said += [visible(f"the entry point {group}{of}") for group in groups]
        if fault := fault_of_list(each):
            said.append(visible(f"a list of files{of} that {fault}"))
        if fault := fault_of_needs(each):
            said.append(visible(f"needs{of} that {fault}"))
    return tuple(sorted(said))


def _kobenchs(here: Here) -> set[str]:
    """kobench and what it can't be without.

    What it needs for an extra or under some condition may not be there, and anybody can then be
    called so.
    """
    always: dict[str, Any] = {
        key: {"needs": needs_of(each, always=True)} for key, each in here.found.items()
    }
    return set(closure(OWN, always))


def _loaded(distribution: importlib.metadata.Distribution, own: str, known: set[str]) -> list[str]:
    """The groups of a distribution's entry points that what kobench needs may load.

    Their names begin with that of the package that loads them, as `zarr.buffer` and
    `numba_extensions` do.
    """
    try:
        groups = {point.group for point in distribution.entry_points}
    except Exception:  # parsers of other versions of Python raise what they like
        return ["of a file that can't be read"]
    others = {normalise(name) for name, owners in LOOKED_FOR.items() if own not in owners}
    loaders = {*known, *others} - {OWN, own}
    return sorted(
        group
        for group in groups - set(NOT_LOADED)
        if normalise(re.split(r"[._]", group, maxsplit=1)[0]) in loaders
    )


def _runs(distribution: importlib.metadata.Distribution, path: str, key: str, here: Here) -> bool:
    """Whether a file of a distribution runs unasked, or in the place of another's."""
    inside, place = as_source(inside_of(distribution, path)), place_of(distribution, path)
    claimed = here.claims.get(known_as(distribution, path, inside), set())
    if any(part.split(".")[0] in AT_START for part in inside) or inside[0].split(".")[0] == OWN:
        return True
    if len(inside) == 1 and inside[0].endswith(".pth"):
        file = Path(place)
        return len(claimed) > 1 or _is_executed(distribution, file) or links_unasked(file, key)
    for parts in _inside_linked(place, here.linked):
        if _takes_a_place(as_source(parts), key, here) or _is_metadata(distribution, place, parts):
            return True
    if _is_metadata(distribution, place, inside):
        return True
    if inside[0] == os.pardir:
        return len(claimed) > 1 or (is_pythons(place) and os.path.basename(place) != key)
    return _takes_a_place(inside, key, here)


def as_source(parts: list[str]) -> list[str]:
    """The parts of a file's path, or those of the module that it is if it looks compiled.

    >>> as_source(["a", "__pycache__", "b.cpython-311.pyc"]), as_source(["a", "b.pyc"])
    (['a', 'b.py'], ['a', 'b.pyc'])
    """
    if len(parts) > 1 and parts[-2] == "__pycache__" and parts[-1].endswith(".pyc"):
        return [*parts[:-2], f"{parts[-1].split('.')[0]}.py"]
    return parts


def _is_metadata(
    distribution: importlib.metadata.Distribution, place: str, parts: list[str]
) -> bool:
    """Whether a file would be metadata of another distribution, in a folder on the path."""
    own = place_of_metadata(distribution)
    is_other = not f"{place}{os.sep}".startswith(f"{own}{os.sep}")
    return is_other and (parts[0].endswith(OF_METADATA) or parts[0] == "EGG-INFO")


def _inside_linked(place: str, linked: frozenset[str]) -> Iterator[list[str]]:
    """The parts of a file's path from each folder that a `.pth` file puts on the path."""
    above, _, name = place.rpartition(os.sep)
    parts = [name]
    while above:
        if above in linked:
            yield parts
        above, _, name = above.rpartition(os.sep)
        parts = [name, *parts]


def _takes_a_place(parts: list[str], key: str, here: Here) -> bool:
    """Whether a file, by its path from a folder on the path, is in the place of another's.

    A package with an `__init__`, and then a module, goes before all that has its name and is none,
    whichever files that consists of.
    """
    if parts[0] in BESIDE or (len(parts) == 1 and not parts[0].endswith(CODE)):
        return False  # tests and notes, which many leave there; nobody imports them
    top = parts[0].split(".")[0]
    if top == OWN or top in here.unlisted or not may_bring(key, top):
        return True
    claimed = here.claims.get("/".join(parts), set())
    modules = here.claims.get(f"{top}/__init__.py", set()) | here.claims.get(f"{top}.py", set())
    if len(parts) == 1 or (len(parts) == 2 and parts[1].split(".")[0] == "__init__"):
        claimed = claimed | modules | here.tops.get(top, set())
    return bool(claimed - {key}) or (bool(modules) and key not in modules)


def _is_executed(distribution: importlib.metadata.Distribution, file: Path) -> bool:
    """Whether a .pth file has code, but that of setuptools and of what is installed in place."""
    if normalise(name_of(distribution)) == "setuptools":
        return any(line != OF_SETUPTOOLS for line in code_in(file))
    return any(not _is_link(distribution, file, line) for line in code_in(file))


def _is_link(distribution: importlib.metadata.Distribution, file: Path, line: str) -> bool:
    """Whether a line is setuptools' link to a project's folder on this machine.

    A wheel can bring such a line, too, and what it imports, and name any project of its name.
    """
    project = project_of(distribution)
    if project is None or lies_below(str(project), Path(sys.prefix)):
        return False
    return imports_finder(line, file.parent, project, normalise(name_of(distribution)))
