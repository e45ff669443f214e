"""Run by an environment's own interpreter, as a script: prints what that interpreter is and what is
installed there, as JSON.

Its argument is the folder of packages, where the interpreter is started without it (`-S`), so that
no code of theirs runs: neither .pth files nor sitecustomize. Standard library only, Python 3.9 or
newer; it does not import the plugins it names.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import sys
import sysconfig
from pathlib import Path
from typing import Any
from urllib.parse import unquote

#: The entry-point group of plugins.
GROUP = "kobench"


def installed() -> list[dict[str, Any]]:
    """Every distribution: name, version, folder of its metadata, whether its code lies elsewhere,
    its kobench entry points, its needs.
    """
    found: dict[str, dict[str, Any]] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"] or ""
        points = [
            [point.name, point.value] for point in distribution.entry_points if point.group == GROUP
        ]
        if name:  # the first on sys.path is the one that gets imported
            where, editable = str(getattr(distribution, "_path", "")), is_editable(distribution)
            found.setdefault(
                normalise(name),
                {
                    "name": name,
                    "version": distribution.version,
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


def is_editable(distribution: importlib.metadata.Distribution) -> bool:
    """Whether a distribution is installed in place."""
    text = distribution.read_text("direct_url.json") or ""
    return '"editable"' in text and bool(json.loads(text).get("dir_info", {}).get("editable"))


def needs_of(distribution: importlib.metadata.Distribution) -> list[str]:
    """Names of what a distribution says that it needs, extras and other systems' among them."""
    return [
        normalise(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in distribution.requires or ()
    ]


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
    """Where the top-level packages and modules of a distribution lie that was installed in place
    (editable).

    That is what its .pth files and its project's folder show. Whoever reads this decides which of
    these places to believe.
    """
    url = json.loads(distribution.read_text("direct_url.json") or "{}").get("url", "")
    project = [Path(unquote(url[len("file://") :]))] if url.startswith("file:///") else []
    folders = [place for folder in project for place in (folder, folder / "src")]
    for file in distribution.files or ():
        if file.suffix == ".pth":
            folders += [
                Path(line)
                for line in Path(str(file.locate())).read_text().splitlines()
                if os.path.isabs(line)
            ]
    return sorted({place for folder in folders for place in importable_in(folder)})


def importable_in(folder: Path) -> list[str]:
    """The packages and modules in a folder of sources."""
    places = (
        [place for place in folder.iterdir() if place.name not in BESIDE] if folder.is_dir() else []
    )
    return [
        str(place)
        for place in places
        if (place / "__init__.py").is_file() or (place.suffix == ".py" and place.is_file())
    ]


def normalise(name: str) -> str:
    """A distribution's name as the packaging standard compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(first: str, found: dict[str, dict[str, Any]]) -> list[str]:
    """Keys of a distribution and of all that it needs, directly or not, as far as they are
    installed.
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
    """All of it. `tops`: where the packages of plugins' entry points lie."""
    distributions = installed()
    tops = {
        value.partition(":")[0].strip().partition(".")[0]
        for each in distributions
        for _, value in each["points"]
    }
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "base": [sys.base_prefix, sys.base_exec_prefix],
        "site": sysconfig.get_paths()["purelib"],
        "path": [entry for entry in sys.path if entry],
        "installed": distributions,
        "tops": {top: place_of(top) for top in sorted(tops)},
    }


if __name__ == "__main__":
    sys.path += sys.argv[1:]
    print(json.dumps(describe()))
