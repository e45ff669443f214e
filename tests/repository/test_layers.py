"""Imports go one way, the contract's own modules need numpy and nothing else, and nobody reaches
into the built-ins.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from places import REPOSITORY

ROOT = REPOSITORY
PACKAGE = ROOT / "kobench"

#: From the top down. A module imports from its own layer (without circles) and from those below it.
#: Every module has its place here.
LAYERS = (
    ("cli",),
    ("board", "pictures", "run", "predict", "checking", "progress", "add_dataset"),
    (
        "crew",
        "asking",
        "trial",
        "decide",
        "plan",
        "score",
        "answering",
        "guard",
        "prepare",
        "loading",
        "lines",
        "sampling",
    ),
    ("plugins", "cards", "hookspecs", "select"),
    (
        "questions",
        "population",
        "multiples",
        "transfer",
        "limits",
        "watching",
        "process_tree",
        "sandbox",
        "environments",
        "replies",
        "data",
        "data_checks",
        "fetch",
        "store",
        "process",
        "received",
        "records",
        "record_shape",
        "resample",
        "events",
        "table_file",
    ),
    ("worker", "checks", "session", "wire", "responding", "derive", "describe"),
    ("api", "truth", "cells", "specs", "resolve", "suggest", "errors"),
)

#: What workers import: the standard library, numpy, and where it is asked for: pluggy if there,
#: scipy's CSR, a real AnnData.
WORKER = (*LAYERS[-2], "api", "truth", "cells", "specs", "resolve", "suggest", "errors")
LATE = {
    "api": {"pluggy"},
    "cells": {"anndata", "pandas"},
    "wire": {"scipy"},
    "checks.kit": {"scipy"},
}

#: What the built-ins share with the harness beside the contract: the checks, scales and files of
#: loaded data.
FOR_BUILTINS = {"api", "truth", "cells", "specs", "errors", "suggest", "data", "fetch"}


def modules() -> dict[str, Path]:
    """kobench's modules by their dotted name without the leading `kobench.`; the package itself is
    "".
    """
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(dotted name, whether it is imported at once) of all that a file imports, inside functions
    too, but for TYPE_CHECKING.
    """
    tree = ast.parse(path.read_text())
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    late = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; write the full name"
            yield from ((f"{node.module}.{alias.name}", node not in late) for alias in node.names)


def own_imports(path: Path, names: set[str]) -> set[str]:
    """The kobench modules that a file imports."""
    found = set()
    for name, _ in imports(path):
        first, _, rest = name.partition(".")
        while first == "kobench" and rest and rest not in names:
            rest = rest.rpartition(".")[0]  # a class or function: its module
        if first == "kobench" and rest:
            found.add(rest)
    return found


def foreign_imports(path: Path) -> set[str]:
    """The top-level names of what a file imports from outside the standard library and kobench."""
    return (
        {name.partition(".")[0] for name, _ in imports(path)}
        - sys.stdlib_module_names
        - {"kobench"}
    )


GRAPH = {name: own_imports(path, set(modules())) for name, path in modules().items()}


def test_the_graph_sees_what_is_imported(tmp_path: Path) -> None:
    assert {"cells", "specs", "truth"} <= GRAPH["api"]
    assert "plugins" in GRAPH["plan"]
    file = tmp_path / "x.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nimport torch.nn\nif TYPE_CHECKING:\n    import pandas\n"
        "def f():\n    from kobench.results.records import hash_of\n    import scipy.sparse\n"
    )
    assert own_imports(file, set(modules())) == {"records"}
    assert foreign_imports(file) == {"torch", "scipy"}


def test_imports_go_one_way() -> None:
    place = {name: height for height, layer in enumerate(LAYERS) for name in layer}
    tops = {name.partition(".")[0] for name in GRAPH} - {"", "builtin"}
    assert tops <= set(place), (
        f"say in LAYERS where these modules belong: {sorted(tops - set(place))}"
    )
    upward = [
        f"{name} imports {target}"
        for name, targets in GRAPH.items()
        for target in targets
        if name.partition(".")[0] in place
        and target.partition(".")[0] in place
        and place[name.partition(".")[0]] > place[target.partition(".")[0]]
    ]
    assert upward == []


def test_there_are_no_circles() -> None:
    try:
        list(TopologicalSorter(GRAPH).static_order())
    except CycleError as error:
        pytest.fail(f"these modules import each other: {' -> '.join(error.args[1])}")


def test_nothing_imports_the_built_ins() -> None:
    assert [
        name
        for name, targets in GRAPH.items()
        if not name.startswith("builtin") and any(t.startswith("builtin") for t in targets)
    ] == []


def test_the_built_ins_know_the_contract_and_little_else() -> None:
    found = {
        target
        for name, targets in GRAPH.items()
        if name.startswith("builtin")
        for target in targets
        if not target.startswith("builtin")
    }
    assert found <= FOR_BUILTINS, f"the built-ins import {sorted(found - FOR_BUILTINS)}"


def test_the_harness_knows_no_method() -> None:
    for name, path in modules().items():
        assert not foreign_imports(path) & {"torch", "xgboost", "sklearn", "scanpy", "numba"}, name


@pytest.mark.parametrize("name", [name for name in modules() if name.partition(".")[0] in WORKER])
def test_what_a_worker_imports_needs_numpy_only(name: str) -> None:
    path = modules()[name]
    assert foreign_imports(path) <= {"numpy"} | LATE.get(name, set())
    at_once = {module.partition(".")[0] for module, now in imports(path) if now}
    assert not at_once & LATE.get(name, set()), name
    assert {target.partition(".")[0] for target in GRAPH[name]} <= set(WORKER)


BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ("numpy", "kobench"):
            raise ImportError(f"blocked {name}")
sys.meta_path.insert(0, Block())
import kobench.worker.main, kobench.worker.derive, kobench.api
print("fine")
"""


def test_a_worker_starts_where_nothing_but_numpy_is_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCK], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "fine" in done.stdout


def test_plugins_import_the_contract_only() -> None:
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        if "tests" not in path.parts:
            found = own_imports(path, set(modules()))
            assert found <= {"api"}, f"{path.relative_to(ROOT)} imports {sorted(found - {'api'})}"
