"""Which module of kobench imports which, read from its text: a room is a package in `kobench/`, or
a module beside them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from places import REPOSITORY

from kobench.environments import own

PACKAGE = REPOSITORY / "kobench"

#: What of kobench runs in a predictor's interpreter.
IN_WORKER = {
    name.removeprefix("kobench/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for name in own.parts()
} - {"__init__"}

#: What these import of kobench that is in its own interpreter only, and only where it is there.
ONLY_HERE = {"worker.describe.managers": {"hookspecs"}}


@cache
def modules() -> dict[str, Path]:
    """kobench's modules by their dotted name without the leading `kobench.`; the package is ""."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room(name: str) -> str:
    """The room of a module."""
    return name.partition(".")[0]


@cache
def imports(path: Path) -> tuple[tuple[str, str], ...]:
    """(dotted name, when) of all that a file imports.

    When is "at once", "late" (in a function, or where it may fail) or "typing" (not when it runs).
    """
    found: list[tuple[str, str]] = []
    tree = ast.parse(path.read_text())
    when = {
        inner: "late"
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            typing = (inner for statement in node.body for inner in ast.walk(statement))
            when.update(dict.fromkeys(typing, "typing"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; write the full name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [(name, when.get(node, "at once")) for name in names]
    return tuple(found)


def own_imports(path: Path, names: Iterable[str]) -> set[str]:
    """The modules of kobench that a file imports, for its types, too."""
    found = set()
    for name, _ in imports(path):
        first, _, rest = name.partition(".")
        while first == "kobench" and rest and rest not in names:
            rest = rest.rpartition(".")[0]  # a class or function: its module
        if first == "kobench" and rest:
            found.add(rest)
    return found


def foreign_imports(path: Path, *when: str) -> set[str]:
    """The top-level names that a file imports from elsewhere than kobench and Python itself."""
    found = {room(name) for name, then in imports(path) if then in (when or ("at once", "late"))}
    return found - sys.stdlib_module_names - {"kobench"}


@cache
def graph() -> dict[str, set[str]]:
    """Which modules of kobench each of them imports."""
    found = modules()
    return {name: own_imports(path, found) for name, path in found.items()}


def rooms() -> dict[str, set[str]]:
    """Which rooms each room uses."""
    found: dict[str, set[str]] = {}
    for name, targets in graph().items():
        found.setdefault(room(name), set()).update(map(room, targets - {name}))
    return {name: targets - {name} for name, targets in found.items() if name}
