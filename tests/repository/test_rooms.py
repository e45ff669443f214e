"""The architecture: imports go one way, and what a worker imports needs numpy alone.

A room is a package in `kobench/`, or a module beside them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from import_graph import (
    IN_WORKER,
    ONLY_HERE,
    PACKAGE,
    foreign_imports,
    graph,
    modules,
    own_imports,
    room,
    rooms,
)
from places import REPOSITORY as ROOT

#: Every room, from the top down. A room uses rooms of its own layer (without circles) and of those
#: below it.
LAYERS = (
    ("cli",),
    ("audit", "checks", "checking", "predict", "show", "submit", "verify"),
    ("runner",),
    ("scoring",),
    ("plugins",),
    ("environments",),
    ("supervisor",),
    ("truth", "worker", "builtin"),
    ("board", "datasets", "api", "screens"),
    ("results", "dataset", "question", "sandbox", "units", "hookspecs"),
    ("util", "errors", "cells", "specs"),
)

#: The one package with functions of its own: specs name them by this place, and importing it must
#: not import scipy.
WITH_LOGIC = {"builtin/datasets/grn"}

#: How many modules may lie in the root, `__init__` among them.
MOST_IN_ROOT = 10

#: What these modules import beside numpy, and only where it is asked for or there.
LATE = {
    "api": {"pluggy"},
    "cells": {"anndata", "pandas"},
    "util.processes": {"psutil"},
    "worker.wire": {"scipy"},
    "worker.checks.kit": {"scipy"},
    "worker.describe.managers": {"pluggy"},
}

#: What the built-ins share with the harness beside the contract, and the rooms of the contract.
FOR_BUILTINS = {
    f"datasets.{name}" for name in ("fetch", "matrices", "normalise", "parts", "sums", "validate")
}
CONTRACT = {"api", "cells", "dataset", "errors", "question", "specs", "units", "util"}


def circle(graph: Mapping[str, set[str]]) -> str:
    """A circle in a graph, "" where there is none."""
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return " -> ".join(error.args[1])
    return ""


def test_the_graph_sees_what_is_imported(tmp_path: Path) -> None:
    assert {"cells", "specs", "dataset"} <= graph()["api"]
    assert "plugins" in rooms()["runner"]
    file = tmp_path / "x.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nimport torch.nn\n"
        "if TYPE_CHECKING:\n    import pandas\n    from kobench.cells import Cells\n"
        "def f():\n    from kobench.results.records import hash_of\n    import scipy.sparse\n"
    )
    assert own_imports(file, modules()) == {"results.records", "cells"}
    assert foreign_imports(file) == {"torch", "scipy"}
    assert foreign_imports(file, "at once") == {"torch"}


def test_the_root_shows_the_architecture() -> None:
    found = sorted(path.name for path in PACKAGE.glob("*.py"))
    assert len(found) <= MOST_IN_ROOT, f"put some of these into a package: {found}"


def test_packages_hand_names_on_and_hold_no_logic() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        for node in ast.parse(path.read_text()).body:
            text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            names = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("__")
            fine = text or names or isinstance(node, (ast.Import, ast.ImportFrom))
            place = path.parent.relative_to(PACKAGE).as_posix()
            assert fine or place in WITH_LOGIC, f"{path}, line {node.lineno}: put it into a module"


def test_imports_go_one_way() -> None:
    height = {name: height for height, layer in enumerate(LAYERS) for name in layer}
    missing = sorted(set(rooms()) - set(height))
    assert not missing, f"say in LAYERS where these belong: {missing}"
    assert sorted(set(height) - set(rooms())) == [], "these are in LAYERS and not in kobench/"
    upward = [
        f"{name} imports {target}"
        for name, targets in graph().items()
        for target in targets
        if name and height[room(name)] > height[room(target)]
    ]
    assert upward == []


def test_there_are_no_circles() -> None:
    assert circle({"a": {"b"}, "b": {"a"}}) in ("a -> b -> a", "b -> a -> b")
    assert circle(graph()) == "", "these modules import each other"
    assert circle(rooms()) == "", "these rooms use each other"


def test_nothing_imports_the_built_ins() -> None:
    found = [name for name, targets in rooms().items() if "builtin" in targets]
    assert found == []


def test_the_built_ins_know_the_contract_and_little_else() -> None:
    found = {
        target
        for name, targets in graph().items()
        if room(name) == "builtin"
        for target in targets
        if room(target) not in CONTRACT | {"builtin", "screens"}
    }
    assert found <= FOR_BUILTINS, f"the built-ins import {sorted(found - FOR_BUILTINS)}"


def test_the_harness_knows_no_method() -> None:
    for name, path in modules().items():
        assert not foreign_imports(path) & {"torch", "xgboost", "sklearn", "scanpy", "numba"}, name


@pytest.mark.parametrize("name", sorted(IN_WORKER))
def test_what_a_worker_imports_needs_numpy_only(name: str) -> None:
    late = LATE.get(name, set())
    assert foreign_imports(modules()[name]) <= {"numpy"} | late
    assert not foreign_imports(modules()[name], "at once") & late
    missing = graph()[name] - IN_WORKER - ONLY_HERE.get(name, set())
    assert not missing, f"add to PARTS in kobench/environments/own.py: {sorted(missing)}"


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
            found = own_imports(path, modules())
            assert found <= {"api"}, f"{path.relative_to(ROOT)} imports {sorted(found - {'api'})}"
