"""From "module:attribute" to the object it names, also inside a single plugin file.

Standard library only: workers use it.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def load_file(path: str | Path) -> ModuleType:
    """Import a single plugin file, under a name of its own.

    Parameters
    ----------
    path : path
        A Python file. The same content at the same place is imported once.

    Returns
    -------
    module
        Nothing is added to `sys.path`: a plugin of several files is a package.

    Raises
    ------
    ImportError
        Where the name does not end with .py.
    OSError
        Where the file can't be read.
    Exception
        What the file raises.
    """
    path = Path(path).resolve()
    content = path.read_bytes()
    digest = hashlib.sha256(f"{path}\0".encode() + content).hexdigest()[:12]
    name = f"kobench_plugin_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file; expected a name that ends with .py")
    module = importlib.util.module_from_spec(spec)
    # dataclasses and pickle look their module up while it is being imported
    sys.modules[name] = module
    try:
        # not loader.exec_module: it may take an outdated .pyc where two edits fall into one second
        exec(compile(content, str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def resolve_reference(reference: str, plugin_file: str | Path | None = None) -> Any:
    """Import the object that a reference names.

    Parameters
    ----------
    reference : str
        "module:attribute", the attribute perhaps with dots; ":attribute" for one of `plugin_file`.
    plugin_file : path or None
        A single plugin file.

    Returns
    -------
    object
        What is there under that name.

    Raises
    ------
    ImportError, AttributeError
        Naming the part that is missing.
    Exception
        What the import raises.

    Examples
    --------
    >>> resolve_reference("math:pi")
    3.141592653589793
    """
    module_name, colon, attributes = reference.partition(":")
    if not colon or not attributes or not (module_name or plugin_file):
        raise ImportError(f"{reference!r} names nothing; expected module:attribute")
    module = (
        load_file(plugin_file)
        if plugin_file and not module_name
        else importlib.import_module(module_name)
    )
    found: Any = module
    for attribute in attributes.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise AttributeError(
                f"{module_name or plugin_file} has no {attributes!r} (asked for as {reference!r})"
            ) from None
    return found
