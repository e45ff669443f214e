"""Says whether the code that a spec refers to is there, without importing it."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from kobench.specs import REFERENCES, Param, Spec, kind_of
from kobench.util.text import suggestion


def reference_faults(spec: Spec, own: ModuleType | None) -> Iterator[str]:
    """What is wrong with the reference of a spec, a string or an object.

    Parameters
    ----------
    spec : Spec
        A spec whose fields have the right types.
    own : module or None
        The module of a single plugin file.

    Yields
    ------
    str
        One sentence for each fault.
    """
    field = REFERENCES[kind_of(spec)]
    target = getattr(spec, field)
    if isinstance(target, str):
        missing = missing_part(target, own)
        if missing:
            yield f"{field} is {target!r}, but {missing}"
        return
    if "<" in getattr(target, "__qualname__", "<") or not getattr(target, "__module__", None):
        yield (
            f"{field} is {target!r:.200}; expected a class or function defined at the top level of"
            " a module, or 'module:attribute'"
        )
        return
    params: Mapping[str, Param] | None = getattr(spec, "params", None)
    if params is None:
        return
    try:
        inspect.signature(target).bind(**{key: param.default for key, param in params.items()})
    except TypeError as error:
        called = ", ".join(f"{key}=..." for key in params)
        yield f"{field} can't be called as {target.__name__}({called}): {error}"
    except ValueError:  # no signature to be had: compiled code
        pass


def missing_part(reference: str, own: ModuleType | None = None) -> str | None:
    """Say what of "module:attribute" does not exist; imports nothing.

    Parameters
    ----------
    reference : str
        "module:attribute", or ":attribute" for one of `own`.
    own : module or None
        The module of a single plugin file.

    Returns
    -------
    str or None
        The end of a sentence; None when nothing is known to be missing.

    Examples
    --------
    >>> missing_part("maths:pi")
    "there is no module 'maths'"
    >>> missing_part("math:pi") is None
    True
    """
    module_name, colon, attributes = reference.partition(":")
    parts = attributes.split(".")
    if not colon or not attributes or not all(part.isidentifier() for part in parts):
        return "that is not of the form module:attribute"
    if not module_name and own is None:
        return "that names no module"
    module = sys.modules.get(module_name) if module_name else own
    if module is not None:
        names = None if hasattr(module, "__getattr__") else set(dir(module))
    else:
        spec = find_module(module_name)
        if spec is None:
            return f"there is no module {module_name!r}"
        names = _names_in(spec)
    if names is None or parts[0] in names:
        return None
    public = [name for name in names if not name.startswith("_")]
    known = suggestion(parts[0], public, "it has")
    return f"{module_name or 'the file'} has no {parts[0]!r}; {known}"


def find_module(name: str) -> ModuleSpec | None:
    """Find a module without importing its parents, which `importlib.util.find_spec` would do.

    Parameters
    ----------
    name : str
        Dotted name.

    Returns
    -------
    ModuleSpec or None
        None where there is no such module.
    """
    try:
        first, *rest = name.split(".")
        spec = importlib.util.find_spec(first)
        for part in rest:
            if spec is None or spec.submodule_search_locations is None:
                return None
            spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    except (ImportError, ValueError):
        return None
    return spec


def _names_in(spec: ModuleSpec) -> set[str] | None:
    """Names bound in a module's source; None where only running it would tell."""
    if not spec.origin or not spec.origin.endswith(".py"):
        return None
    try:
        tree = ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name.split(".")[0]) for alias in node.names)
    return None if names & {"*", "__getattr__"} else names
