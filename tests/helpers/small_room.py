"""A process with little memory, in which files are loaded that claim or unpack to much more.

Words: how many MB it may allocate once all is imported, a loader, and a file with lines of JSON:
a name, and the loader's parameters.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

#: MB that loading may allocate: the wall of one part of a small file, and what is kept of it.
ROOM = 900


def loaded(wanted: Mapping[str, Mapping[str, Any]], loader: str = "h5ad") -> dict[str, str]:
    """What a process with little memory says of each file; "" where it loads it."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines(json.dumps(each) + "\n" for each in wanted.items())
        file.flush()
        command = [sys.executable, __file__, str(ROOM), loader, file.name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(map(json.loads, done.stdout.splitlines()))


def main(room: str, loader: str, path: str) -> None:
    import resource

    import pandas  # noqa: F401
    import zarr  # noqa: F401

    from kobench.errors import UserError

    load = import_module(f"kobench.builtin.datasets.{loader}").load
    there = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    limits = there + (int(room) << 20), resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, limits)
    for line in Path(path).read_text().splitlines():
        name, parameters = json.loads(line)
        said = ""
        try:
            load(**parameters)
        except UserError as error:
            said = str(error)
        except Exception as error:
            said = f"not a sentence: {type(error).__name__}: {error}"
        print(json.dumps([name, said]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
