"""Run by an environment's own interpreter, as a script: prints what that interpreter is and what is installed there, as JSON.

Standard library only, Python 3.9 or newer; it does not import the plugins it names.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import re
import sys
import sysconfig
from typing import Any

#: The entry-point group of plugins.
GROUP = "kobench"


def installed() -> list[dict[str, Any]]:
    """Every distribution: name, version, folder of its metadata, whether its code lies elsewhere, its kobench entry points, its needs."""
    found: dict[str, dict[str, Any]] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"] or ""
        points = [[point.name, point.value] for point in distribution.entry_points if point.group == GROUP]
        if name:  # the first on sys.path is the one that gets imported
            where, direct = str(getattr(distribution, "_path", "")), distribution.read_text("direct_url.json") or "{}"
            editable = bool(json.loads(direct).get("dir_info", {}).get("editable"))
            found.setdefault(
                normalise(name),
                {
                    "name": name,
                    "version": distribution.version,
                    "metadata": where,
                    "editable": editable,
                    "points": points,
                    "needs": [normalise(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in distribution.requires or ()],
                },
            )
    closures = {key: closure(key, found) for key, each in found.items() if each["points"]}
    for key, each in found.items():
        each["needs"] = closures.get(key, [])
    return [found[key] for key in sorted(found)]


def normalise(name: str) -> str:
    """A distribution's name as the packaging standard compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(first: str, found: dict[str, dict[str, Any]]) -> list[str]:
    """Keys of a distribution and of all that it needs, directly or not, as far as they are installed."""
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
    tops = {value.partition(":")[0].strip().partition(".")[0] for each in distributions for _, value in each["points"]}
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
    print(json.dumps(describe()))
