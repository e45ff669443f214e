"""A script that prints as JSON what an environment's Python is and what is installed there.

Standard library only, Python 3.9 or newer. It imports none of the packages that it names. It is run
by the interpreter that the environment was made from, without any folder of packages (`-S`), so
that no code of theirs runs, neither .pth files nor sitecustomize; the environment's is its
argument.
"""

from __future__ import annotations

import contextlib
import csv
import importlib.metadata
import importlib.util
import io
import itertools
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

#: The entry-point group of plugins.
GROUP = "kobench"


def installed() -> list[dict[str, Any]]:
    """Every distribution that is installed, in the order of their names.

    Returns
    -------
    list of dict
        `name`, `version`, `metadata` (the folder of its metadata), `editable` (whether it is
        installed in place), `places` (then: where its code lies), `points` (its kobench entry
        points, name and value), `needs` (of a plugin: all that it needs, see `closure`).
    """
    found: dict[str, dict[str, Any]] = {}
    distributions = distributions_here()
    brought = claimed(distributions)
    for distribution in distributions:
        name = name_of(distribution)
        where = str(getattr(distribution, "_path", ""))
        if not name or real_place(where) in brought:  # no distribution, whatever it says
            continue
        try:
            version, points = distribution.version or "", points_of(distribution)
        except Exception:  # what can't be read costs itself alone
            continue
        editable = is_editable(distribution)
        # the first on sys.path is the one that gets imported
        found.setdefault(
            normalise(name),
            {
                "name": name,
                "version": version,
                "metadata": where,
                "editable": editable,
                "places": places_of(distribution) if editable else [],
                "points": points,
                "needs": needs_of(distribution),
            },
        )
    closures = {key: closure(key, found) for key, each in found.items() if each["points"]}
    for key, each in found.items():
        each["needs"] = closures.get(key, [])
    return [found[key] for key in sorted(found)]


def distributions_here() -> list[importlib.metadata.Distribution]:
    """All distributions whose metadata are files.

    A path may lead to a zip file, too. Metadata in one are in no list of files, so nobody knows who
    brought them, and they could have any distribution's name.
    """
    found = importlib.metadata.distributions()
    return [one for one in found if isinstance(getattr(one, "_path", None), Path)]


#: No file of metadata is read that is larger than this, in bytes.
LARGEST = 2**26


def text_of(distribution: importlib.metadata.Distribution, file: str) -> str:
    """A file of a distribution's metadata; "" where it can't be read, is no text, or is too large.

    Anybody's wheel may bring any file there.
    """
    if is_too_large(distribution, file):
        return ""
    try:
        return distribution.read_text(file) or ""
    except (OSError, ValueError):
        return ""


def is_too_large(distribution: importlib.metadata.Distribution, file: str) -> bool:
    """Whether a file of a distribution's metadata is there and larger than `LARGEST`."""
    folder = getattr(distribution, "_path", None)
    try:
        return folder is not None and os.stat(os.path.join(str(folder), file)).st_size > LARGEST
    except (OSError, ValueError):
        return False


def name_of(distribution: importlib.metadata.Distribution) -> str:
    """The name that a distribution gives itself; "" where that can't be read."""
    if is_too_large(distribution, "METADATA") or is_too_large(distribution, "PKG-INFO"):
        return ""
    try:
        return str(distribution.metadata["Name"] or "")
    except Exception:  # parsers of other versions of Python raise what they like
        return ""


def points_of(distribution: importlib.metadata.Distribution) -> list[list[str]]:
    """Name and value of each entry point of plugins; raises what reading them raises."""
    if GROUP not in text_of(distribution, "entry_points.txt"):
        return []
    return [
        [point.name, point.value] for point in distribution.entry_points if point.group == GROUP
    ]


def claimed(distributions: Iterable[importlib.metadata.Distribution]) -> dict[str, str]:
    """Metadata that another distribution brought: whoever made that may give it any name.

    Parameters
    ----------
    distributions : iterable of Distribution
        All that are installed.

    Returns
    -------
    dict of str to str
        The folder of such metadata (`real_place`) -> the name of the distribution whose list of
        files has it.
    """
    found = {}
    for distribution in distributions:
        own = getattr(distribution, "_path", None)
        if own is None:
            continue
        try:
            text = text_of_list(distribution)
        except UnreadableError:
            continue  # who looks at a list as a whole says so
        inside = text.count("-info") + text.count("EGG-INFO")
        if inside == f"\n{text}".count(f"\n{own.name}/"):
            continue  # its own alone: to take a list apart takes three times as long
        for path in set(metadata_in(listed_by(distribution))):
            place = real_place(own.parent / path)
            if place != real_place(own):
                found[place] = name_of(distribution) or own.name
    return found


def real_place(path: str | os.PathLike[str]) -> str:
    """Where a file or folder lies, wherever links to the folders above it lead.

    An environment has `lib64` beside `lib`, which is the same folder.
    """
    above, name = os.path.split(path)
    if name in ("", os.curdir, os.pardir):
        return os.path.realpath(path)
    return os.path.join(os.path.realpath(above), name)


#: What folders, or single files, of metadata end with.
OF_METADATA = (".dist-info", ".egg-info")


def metadata_in(paths: Iterable[str]) -> Iterator[str]:
    """The folders of metadata, or single files, in which paths lie.

    >>> list(metadata_in(["a/b.py", "a-1.0.dist-info/METADATA", "c/d.egg/EGG-INFO/PKG-INFO"]))
    ['a-1.0.dist-info', 'c/d.egg/EGG-INFO']
    """
    for path in paths:
        if "-info" in path or "EGG-INFO" in path:
            parts = path.split("/")
            for count, part in enumerate(parts, 1):
                if part.endswith(OF_METADATA) or (part == "EGG-INFO" and count < len(parts)):
                    yield "/".join(parts[:count])


def is_editable(distribution: importlib.metadata.Distribution) -> bool:
    """Whether a distribution is installed in place; see `project_of`."""
    return project_of(distribution) is not None


#: How much of a project's files is read, in characters.
PROJECT_CHARACTERS = 2**20

#: The sections of a project's files that give its name; setup.py gives it to a function.
SECTIONS = {
    "pyproject.toml": ("[project]", "[tool.poetry]", "[tool.flit.metadata]"),
    "setup.cfg": ("[metadata]",),
    "setup.py": ("setup(",),
}

#: A name that is given. Each character is looked at once.
GIVEN = re.compile(r"""\bname[ \t]*=[ \t]*["']?([A-Za-z0-9._-]+)""")


def names_in(file: str, content: str) -> list[str]:
    """The name that one of the files in `SECTIONS` gives to its project, in each of its sections.

    Of other names in it, such as those of authors, none counts: a wheel may be called by any.

    >>> names_in("setup.cfg", "[metadata]\\nauthor_name = a\\nname = b\\n[c]\\nname = d")
    ['b']
    >>> names_in("setup.py", "name = 'a'\\nsetup(name='b', author=dict(name='c'))")
    ['b']
    """
    found = []
    for section in SECTIONS[file]:
        _, start, rest = content.partition(section)
        if file == "setup.py":
            given = GIVEN.search(rest) if start else None
        else:
            lines = (line.strip() for line in rest.splitlines())
            own = itertools.takewhile(lambda line: not line.startswith("["), lines)
            given = next((match for line in own if (match := GIVEN.match(line))), None)
        found += [given[1]] if given else []
    return found


def named_project(distribution: importlib.metadata.Distribution) -> Path | None:
    """The folder that a distribution says is its project, and that says so, too; else None."""
    text = text_of(distribution, "direct_url.json")
    if '"editable"' not in text:
        return None
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    info = said.get("dir_info") if isinstance(said, dict) else None
    if not isinstance(info, dict) or not info.get("editable"):
        return None
    url, name = str(said.get("url", "")), normalise(name_of(distribution))
    if not url.startswith("file:///") or not name:
        return None
    folder = Path(unquote(url[len("file://") :]))
    own = getattr(distribution, "_path", None)
    if own is None or "\0" in str(folder) or lies_below(str(folder), Path(own).parent):
        return None  # what lies among the packages is no project of the user's
    for file in SECTIONS:
        try:
            if not (folder / file).is_file():  # a pipe would be waited for
                continue
            with open(folder / file, encoding="utf-8") as stream:
                content = stream.read(PROJECT_CHARACTERS)
        except (OSError, ValueError):
            continue
        if name in map(normalise, names_in(file, content)):
            return folder
    return None


def project_of(distribution: importlib.metadata.Distribution) -> Path | None:
    """The project's folder of a distribution that is installed in place; None for all others.

    Any wheel can say that it is, and name any folder. So that is believed only where the folder's
    own files give the name of the distribution, and where that has its code there: what is
    installed in place has nothing to import among the packages but links.
    """
    folder = named_project(distribution)
    return folder if folder is not None and has_its_code(distribution, folder) else None


#: What an editable installation puts among the packages: links, and what follows them.
LINKS = re.compile(
    r"(?:(?:__editable__|_editable_impl_)[^/]*|_\w+_editable(?:_loader)?\.py|.*\.pth"
    r"|__pycache__/[^/]*|[^/]*\.(?:dist|egg)-info/.*)"
)


def has_its_code(distribution: importlib.metadata.Distribution, folder: Path) -> bool:
    """Whether a distribution has nothing to import among the packages, and its plugins in a folder.

    Its plugins are where this interpreter finds them, too: another distribution may have put
    something in their place.
    """
    packages = Path(str(getattr(distribution, "_path", ""))).parent
    try:
        modules = [value.partition(":")[0].strip() for _, value in points_of(distribution)]
        listed = [row[0] for row in rows_listed(distribution)]
        inside = [folder / name for name in os.listdir(folder)]
    except Exception:  # parsers of other versions of Python raise what they like
        return False
    if any(is_importable_here(path) and not lies_beside(packages, path) for path in listed):
        return False
    places = [folder, *inside, *linked_folders(distribution, folder)]
    return all(
        module_in(module.split("."), places) is not None
        and module_in(module.split("."), [packages]) is None
        and is_found_below(module.partition(".")[0], folder)
        for module in modules
    )


def is_importable_here(path: str) -> bool:
    """Whether a path from a folder of packages is code that could be imported, but for links.

    Data may lie there: some tools copy what a project takes from elsewhere.
    """
    return not LINKS.fullmatch(path) and path.endswith(IMPORTED)


def lies_beside(packages: Path, path: str) -> bool:
    """Whether a path from a folder of packages leads out of it."""
    place = os.path.normpath(os.path.join(str(packages), path))
    return not place.startswith(os.path.join(os.path.normpath(str(packages)), ""))


#: Endings of what can be imported.
IMPORTED = (".py", ".pyc", ".so")


def module_in(parts: Sequence[str], folders: Iterable[Path]) -> Path | None:
    """The first package with an `__init__`, or module, on the way to a module.

    Parameters
    ----------
    parts : sequence of str
        The names of which the module's name is made.
    folders : iterable of Path
        Where Python looks for it. What has no `__init__` is a part of a namespace, as others may
        have theirs.
    """
    left = list(folders)
    for part in parts:
        for folder in left:
            for place, name in ((folder / part, "__init__"), (folder, part)):
                with contextlib.suppress(OSError, ValueError):
                    for file in os.listdir(place):
                        if file.split(".")[0] == name and file.endswith(IMPORTED):
                            return place / file
        left = [folder / part for folder in left if (folder / part).is_dir()]
    return None


def is_found_below(top: str, folder: Path) -> bool:
    """Whether this interpreter imports a package or module from a folder, if it finds one at all.

    A part of a namespace may lie anywhere.
    """
    found = place_of(top)
    origin = found and found["origin"]
    return origin in (None, "namespace") or lies_below(str(origin), folder)


def linked_folders(distribution: importlib.metadata.Distribution, project: Path) -> list[Path]:
    """The folders in a project that a distribution's .pth files name."""
    found: list[Path] = []
    for path in listed_by(distribution):
        if path.endswith(".pth") and "/" not in path:
            with contextlib.suppress(OSError, ValueError):
                with open(str(distribution.locate_file(path)), encoding="utf-8") as file:
                    lines = file.read(PROJECT_CHARACTERS).splitlines()
                found += [Path(each) for each in filter(os.path.isabs, lines)]
    return [each for each in found if lies_below(str(each), project)]


class UnreadableError(ValueError):
    """A list of files is there and can't be read as a whole; the message says why."""


class TooManyFilesError(UnreadableError):
    """A list of files has more lines than are read."""


#: Lines that a list of files may have; the largest packages of Python have some 20,000.
MOST_LISTED = 100_000


def text_of_list(distribution: importlib.metadata.Distribution) -> str:
    """A distribution's list of files (RECORD) as it is; "" where there is none.

    Raises
    ------
    UnreadableError
        It is there and can't be read.
    """
    folder = getattr(distribution, "_path", None)
    if folder is None:
        return ""
    place = os.path.join(str(folder), "RECORD")
    try:
        size = os.stat(place).st_size
        if size > LARGEST:
            raise UnreadableError(f"has {size:,} bytes and may have {LARGEST:,}")
        if not os.path.isfile(place):
            raise UnreadableError("is no file")
        # ends of lines as they are: names of files may have some
        with open(place, encoding="utf-8", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeError) as error:
        raise UnreadableError(f"can't be read ({error})") from error


def rows_listed(distribution: importlib.metadata.Distribution) -> list[list[str]]:
    """The rows of a distribution's list of files (RECORD); none where it has no list.

    Whatever a name has in it, it is read as installers wrote it: quotes, commas, ends of lines.

    Raises
    ------
    UnreadableError
        It is there and can't be read as a whole, or has too many lines.
    """
    reader = csv.reader(io.StringIO(text_of_list(distribution), newline=""))
    try:
        rows = list(itertools.islice(reader, MOST_LISTED + 1))
    except csv.Error as error:
        raise UnreadableError(f"can't be read ({error})") from error
    if len(rows) > MOST_LISTED:
        raise TooManyFilesError(f"has more than {MOST_LISTED:,} lines")
    if wide := next((row for row in rows if len(row) > 3), None):
        raise UnreadableError(f"has a line of {len(wide):,} columns where 3 are expected")
    return [row for row in rows if row and row[0] and "\0" not in row[0]]  # no file has a NUL


def fault_of_list(distribution: importlib.metadata.Distribution) -> str:
    """Why a distribution's list of files can't be read; "" where it can, or has none."""
    try:
        rows_listed(distribution)
    except UnreadableError as error:
        return str(error)
    return ""


def listed_by(distribution: importlib.metadata.Distribution) -> list[str]:
    """The paths in a distribution's list of files; none of one that can't be read."""
    try:
        return [row[0] for row in rows_listed(distribution)]
    except UnreadableError:
        return []


def needs_of(distribution: importlib.metadata.Distribution, always: bool = False) -> list[str]:
    """Names of what a distribution says that it needs; none where that can't be read.

    Parameters
    ----------
    distribution : Distribution
        Which one.
    always : bool
        Whether to leave out what it needs under a condition, such as for an extra, a version of
        Python or another system.
    """
    try:
        needed = [str(line) for line in distribution.requires or ()]
    except Exception:  # parsers of other versions of Python raise what they like
        return []
    return [
        normalise(re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0])
        for line in needed
        if not (always and ";" in line)
    ]


def fault_of_needs(distribution: importlib.metadata.Distribution) -> str:
    """Why it is not known what a distribution needs; "" where it is."""
    try:
        needed = [str(line).strip() for line in distribution.requires or ()]
    except Exception as error:  # parsers of other versions of Python raise what they like
        return f"can't be read ({error})"
    wrong = next((line for line in needed if not re.match(r"[A-Za-z0-9]", line)), None)
    return "" if wrong is None else f"begin with no name ({wrong[:40]!a})"


#: What lies beside a package in a project's folder and is no part of it.
BESIDE = (
    "tests",
    "test",
    "docs",
    "doc",
    "examples",
    "benchmarks",
    "setup.py",
    "conftest.py",
    "noxfile.py",
    "tasks.py",
)


def places_of(distribution: importlib.metadata.Distribution) -> list[str]:
    """Where the packages and modules of a distribution lie that is installed in place.

    These are the places that its .pth files and its project's folder show, inside that folder.
    Whoever reads this decides which of them to believe.
    """
    project = project_of(distribution)
    return [] if project is None else places_in(distribution, project)


def places_in(distribution: importlib.metadata.Distribution, project: Path) -> list[str]:
    """The packages and modules that a distribution's project shows."""
    folders = [project, project / "src", *linked_folders(distribution, project)]
    return sorted({place for folder in folders for place in importable_in(folder)})


def lies_below(path: str, folder: Path) -> bool:
    """Whether a path leads into a folder, wherever links lead."""
    return Path(os.path.realpath(folder)) in (
        Path(os.path.realpath(path)),
        *Path(os.path.realpath(path)).parents,
    )


def importable_in(folder: Path) -> list[str]:
    """The packages and modules in a folder of sources."""
    if not folder.is_dir():
        return []
    return [
        str(place)
        for place in folder.iterdir()
        if place.name not in BESIDE
        and ((place / "__init__.py").is_file() or (place.suffix == ".py" and place.is_file()))
    ]


def normalise(name: str) -> str:
    """A distribution's name in the form in which names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(first: str, found: dict[str, dict[str, Any]]) -> list[str]:
    """A distribution and all that it needs, directly or not.

    Parameters
    ----------
    first : str
        Its name, normalised.
    found : dict of str to dict
        All that is installed, by normalised name.

    Returns
    -------
    list of str
        Their normalised names, as far as they are installed.
    """
    reached, left = set(), [first]
    while left:
        name = left.pop()
        if name in found and name not in reached:
            reached.add(name)
            left.extend(found[name]["needs"])
    return sorted(reached)


def place_of(top: str) -> dict[str, Any] | None:
    """Where a top-level package or module lies, without importing it; None where there is none."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    return {"origin": spec.origin, "folders": list(spec.submodule_search_locations or ())}


def describe() -> dict[str, Any]:
    """What this interpreter is and has.

    Returns
    -------
    dict of str to object
        The interpreter's `version` and `implementation`; `installed`, see `installed`; `tops`,
        where the top-level packages of plugins' entry points lie, see `place_of`.
    """
    distributions = installed()
    tops = {
        value.partition(":")[0].strip().partition(".")[0]
        for each in distributions
        for _, value in each["points"]
    }
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "installed": distributions,
        "tops": {top: place_of(top) for top in sorted(tops)},
    }


if __name__ == "__main__":
    sys.path += sys.argv[1:]
    print(json.dumps(describe()))
