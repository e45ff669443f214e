"""From "module:attribute" to the object it names, also inside a single plugin file.

Standard library only: workers use it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from kobench.util.plugin_files import load_file


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
