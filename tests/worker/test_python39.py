"""What a worker imports is written for Python 3.9, whichever newer one runs the tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kobench.environments.own import parts
from kobench.environments.seen import INSIDE

FILES = {**parts(), "inside.py": INSIDE}

#: Modules and names of the standard library that came after Python 3.9, as far as anyone is likely
#: to use them.
LATER_MODULES = {"tomllib"}
LATER_NAMES = {
    "ExceptionGroup",
    "BaseExceptionGroup",
    "EncodingWarning",
    "aiter",
    "anext",
    "UTC",
    "StrEnum",
    "ReprEnum",
    "pairwise",
    "batched",
    "TypeAlias",
    "ParamSpec",
    "Concatenate",
    "TypeGuard",
    "Self",
    "Never",
    "LiteralString",
    "NotRequired",
    "Required",
    "Unpack",
    "TypeVarTuple",
    "assert_never",
    "assert_type",
    "reveal_type",
    "override",
    "dataclass_transform",
    "file_digest",
    "UnionType",
    "EllipsisType",
    "NoneType",
    "bit_count",
    "get_annotations",
    "stdlib_module_names",
    "orig_argv",
    "packages_distributions",
    "chdir",
    "aclosing",
    "TaskGroup",
    "Barrier",
    "sumprod",
    "cbrt",
    "exp2",
    "getattr_static_names",
    "hardlink_to",
    "walk_up",
    "safe_path",
}
LATER_KEYWORDS = {
    "strict",
    "slots",
    "kw_only",
    "weakref_slot",
    "root_dir",
    "walk_up",
    "encoding_errors",
}


def later(tree: ast.AST) -> Iterator[str]:
    """What in a module needs a newer Python, seen without running it; annotations aside, which are
    never evaluated.
    """
    annotations = {
        inner
        for node in ast.walk(tree)
        for place in ("annotation", "returns")
        if (found := getattr(node, place, None)) is not None
        for inner in ast.walk(found)
    }
    text = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and named(node.func) == "getattr"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in annotations or node in text:
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            yield from (
                f"line {node.lineno}: {name}" for name in modules & (LATER_MODULES | LATER_NAMES)
            )
        elif isinstance(node, (ast.Name, ast.Attribute)) and named(node) in LATER_NAMES:
            yield f"line {node.lineno}: {named(node)}"
        elif isinstance(node, ast.Call):
            yield from (
                f"line {node.lineno}: {word.arg}="
                for word in node.keywords
                if word.arg in LATER_KEYWORDS
            )
            if named(node.func) in ("isinstance", "issubclass") and isinstance(
                node.args[1], ast.BinOp
            ):
                yield f"line {node.lineno}: X | Y in {named(node.func)}"


def named(node: ast.AST) -> str:
    return (
        node.id
        if isinstance(node, ast.Name)
        else node.attr
        if isinstance(node, ast.Attribute)
        else ""
    )


@pytest.mark.parametrize("name", sorted(FILES))
def test_it_is_read_by_python_3_9(name: str) -> None:
    text = Path(FILES[name]).read_text()
    assert "from __future__ import annotations" in text or not any(
        isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(text))
    )
    tree = ast.parse(text, feature_version=(3, 9))
    assert not list(later(tree))


BAD = {
    "import tomllib": "tomllib",
    "from itertools import pairwise": "pairwise",
    "from datetime import UTC": "UTC",
    "zip(a, b, strict=True)": "strict=",
    "@dataclass(frozen=True, slots=True)\nclass A: ...": "slots=",
    "isinstance(x, int | str)": "X | Y in isinstance",
    "import types\ntypes.UnionType": "UnionType",
    "import hashlib\nhashlib.file_digest(f, 'sha256')": "file_digest",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_too_new_is_found(text: str) -> None:
    assert any(BAD[text] in found for found in later(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["match x:\n    case 1: pass", "try: pass\nexcept* ValueError: pass"]
)
def test_grammar_that_is_too_new_is_refused(text: str) -> None:
    with pytest.raises(SyntaxError):
        ast.parse(text, feature_version=(3, 9))


def test_specs_can_be_checked_there() -> None:
    """The types of a spec's fields are evaluated when it is checked, and Python 3.9 has no `X |
    None`.
    """
    tree = ast.parse(FILES["kobench/specs.py"].read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Spec"):
            fields = [field for field in node.body if isinstance(field, ast.AnnAssign)]
            assert fields
            assert not [
                ast.unparse(field)
                for field in fields
                if any(isinstance(part, ast.BitOr) for part in ast.walk(field.annotation))
            ]
