"""The module that setuptools writes for a project that is installed in place, told from others.

A line in a `.pth` file imports it whenever an interpreter starts.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from kobench.environments.inside import lies_below
from kobench.plugins.looked_for import may_bring
from kobench.plugins.pth import AT_START
from kobench.plugins.sources import OWN
from kobench.util.bounded import read_bounded

#: What it is called, by the line that imports it.
LINE = re.compile(r"import (__editable___\w+_finder); \1\.install\(\)")

#: Bytes that are read of it, and of what Python compiled of it.
MOST, HEAD = 1 << 20, 16

#: The lines in it that differ from project to project: whole lines, with nothing but values. What
#: Python is told of their type, it executes, so that is one of what setuptools writes.
VALUES = re.compile(
    r"(?m)^(MAPPING|NAMESPACES|PATH_PLACEHOLDER)"
    r"(?:: (?:[Dd]ict\[str, str\]|[Dd]ict\[str, [Ll]ist\[str\]\]))? = (.*)$"
)

#: sha256 of all the rest, in setuptools 64, 65 to 67, 68 to 69, 70 to 71, and from 72 on.
TEXTS = (
    "4e7c76b618fc5ffc0939755cc95731be0fea581cf71a6d331284048b0f8c005e",
    "9d0ae6e451a552cb7fc79ac41950894f28bd5d3af680d6e40a1ce258b646706a",
    "310ebb00ad6dfd6ebdf02c0544cc1af322aa9832e0f1361c0f596e48d9ff09d8",
    "e80b529a71eb113db70021a632360255f23728329a85c027400c04fc280b6b41",
    "ecbeddd8ee44a89f8c275b4de0116942bbaf1d75e2825916bb47d769dbf83764",
)


def imports_finder(line: str, folder: Path, project: Path, key: str) -> bool:
    """Whether a line of a `.pth` file imports setuptools' own module, which shows one project.

    Parameters
    ----------
    line : str
        The line.
    folder : Path
        The folder of packages in which both lie.
    project : Path
        The project's folder.
    key : str
        The distribution's normalised name.
    """
    found = LINE.fullmatch(line)
    if found is None:
        return False
    try:
        text = read_bounded(folder / f"{found[1]}.py", MOST).decode()
        if hashlib.sha256(VALUES.sub("", text).encode()).hexdigest() not in TEXTS:
            return False
        shown = list(_shown(text))
    except (OSError, ValueError, SyntaxError, TypeError, AttributeError, RecursionError):
        return False
    return (
        all(lies_below(place, project) for _, place in shown)
        and all(
            top not in (*AT_START, OWN) and may_bring(key, top)
            for top in {name.split(".")[0] for name, _ in shown}
        )
        and not any(
            _is_unchecked(folder / "__pycache__" / name)
            for name in _names(folder / "__pycache__")
            if name.startswith(f"{found[1]}.")
        )
    )


def _shown(text: str) -> Iterator[tuple[str, str]]:
    """Modules that it shows, and where they lie; raises what reading the values raises."""
    for name, value in VALUES.findall(text):
        if name == "PATH_PLACEHOLDER":
            ast.literal_eval(value.removesuffix(' + ".__path_hook__"'))
            continue
        for module, places in ast.literal_eval(value).items():
            for place in [places] if isinstance(places, str) else places:
                yield module, place


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []


def _is_unchecked(file: Path) -> bool:
    """Whether Python may take what was compiled for what the source says, whatever that is."""
    with open(file, "rb") as compiled:
        head = compiled.read(HEAD)
    return any(head[4:8])  # by times and sizes alone, as installers compile it, these are 0
