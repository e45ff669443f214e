"""Single plugin files as modules, which can be imported in the processes that a plugin starts, too.

Standard library only: workers use it. A process that a plugin starts anew (`multiprocessing` by
spawn or forkserver, joblib's loky) is sent functions and objects by the names of their modules. So
the name of a single file's module says where the file is, and this module, of which it is a part,
finds it by that: there is nothing else that another process would have to know.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

#: It has no folder. That it has a path at all makes it a package, to which plugin files belong.
__path__: list[str] = []


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
    if path.suffix != ".py":
        raise ImportError(f"{path} is not a Python file; expected a name that ends with .py")
    return importlib.import_module(f"{__name__}.{_written(path, content)}")


def _written(path: Path, content: bytes) -> str:
    """The last part of the name of a file's module: readable, of this content, and its place."""
    place = base64.b32encode(str(path).encode("utf-8", "surrogateescape")).decode()
    stem = re.sub(r"[^0-9A-Za-z_]", "_", path.stem)
    return f"{stem}_{hashlib.sha256(content).hexdigest()[:12]}_{place.rstrip('=')}"


def _place(name: str) -> str:
    """Where the file lies of which `_written` gave the name; ValueError for any other name."""
    place = name.rpartition("_")[2]
    padded = place + "=" * (-len(place) % 8)
    return base64.b32decode(padded).decode("utf-8", "surrogateescape")


class Finder(MetaPathFinder):
    """Finds plugin files by the names of their modules."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module; None for whatever is no plugin file."""
        if not fullname.startswith(f"{__name__}."):
            return None
        try:
            place = _place(fullname)
        except ValueError:
            return None
        return spec_from_file_location(fullname, place, loader=Loader(fullname, place))


class Loader(SourceFileLoader):
    """Compiles a plugin file anew: a .pyc may be outdated where two edits fall into one second."""

    def get_code(self, fullname: str) -> CodeType:
        """The code that the file has now."""
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


sys.meta_path.append(Finder())
