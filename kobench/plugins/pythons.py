"""What belongs to an interpreter: its library, and programs that are started by their names."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from functools import cache

from kobench.environments.inside import real_place
from kobench.plugins.installed_here import of_programs

#: Where a system's programs lie. What else is on the path may be of other Pythons, which have the
#: same programs of packages.
SYSTEMS = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")


def is_pythons(place: str) -> bool:
    """Whether a file beside the folder of packages is the interpreter's, or in its library.

    Parameters
    ----------
    place : str
        Its path, with real folders above it.
    """
    above, name = os.path.split(place)
    return (
        any(place == entry or place.startswith(entry + os.sep) for entry in own_path())
        or name == "pyvenv.cfg"
        or name.startswith("libpython")
        or (
            above in (os.path.realpath(os.path.dirname(sys.executable)), of_programs())
            and is_systems(name)
        )
    )


@cache
def own_path() -> frozenset[str]:
    """Where an interpreter looks for its own modules: its library, and a zip file, there or not."""
    found = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    zipped = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix):
        found.update(os.path.join(prefix, folder, zipped) for folder in ("lib", sys.platlibdir))
    found.update(entry for entry in sys.path if entry.endswith(zipped))
    return frozenset(real_place(entry) for entry in found)


#: Programs that Python's library and common packages start by their names alone, which a system
#: may lack.
STARTED = (
    "cc",
    "clang",
    "fc-list",
    "file",
    "gcc",
    "git",
    "ld",
    "ldconfig",
    "lsb_release",
    "lscpu",
    "nvcc",
    "objdump",
    "uname",
    "uv",
)


#: How programs begin that an environment has beside its Python, which are in nobody's list of
#: files: shells run `activate` as their own.
OF_ENVIRONMENTS = ("python", "activate", "deactivate")


def is_systems(name: str) -> bool:
    """Whether a program has the name of Python, or of one that would be started in its place."""
    if name.lower().startswith(OF_ENVIRONMENTS) or name in STARTED:
        return True
    if name.startswith(tuple(f"{one}." for one in STARTED)):
        return True
    found = shutil.which(name, path=os.pathsep.join(SYSTEMS))
    if found is None:
        return False
    try:
        with open(found, "rb") as file:
            first = file.readline(256)
    except OSError:
        return True
    # of a package of the system's own Python, as pip is there: who needs it may bring it
    return not (first.startswith(b"#!") and b"python" in first)
