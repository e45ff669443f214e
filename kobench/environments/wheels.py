"""Installs from wheels alone, of which nothing is built and nothing runs.

A wheel names what it needs, by an address, too, and pip builds what lies there: `--only-binary` is
about indexes. Whatever is built is built by a further process, so pip may start none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kobench.environments.folder import making_folder
from kobench.environments.pip_settings import settings

#: What keeps all installers to wheels, wherever an index is asked.
ONLY_WHEELS = ("--only-binary", ":all:")

#: How names of archives of sources end.
OF_SOURCES = (".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")

#: Runs the pip that lies in a folder, which may start nothing. It is a copy: what a wheel puts in
#: the place of pip's own modules is not imported.
GUARDED = """
import os, runpy, sys

STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn")

def refuse(event, arguments):
    if event in STARTING:
        raise PermissionError("kobench: from wheels alone nothing is built, and nothing is started")

os.environ["SETUPTOOLS_USE_DISTUTILS"] = "stdlib"
sys.path.insert(0, sys.argv.pop(1))
sys.addaudithook(refuse)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def from_wheels_alone(specs: Sequence[str], files: bool, variables: Mapping[str, str]) -> bool:
    """Whether nothing may be built: the user names wheels alone, or says so in pip's settings.

    Parameters
    ----------
    specs : sequence of str
        What is to be installed.
    files : bool
        Whether requirements files name more.
    variables : mapping of str to str
        The variables in which pip's settings are.
    """
    if specs and not files and all(_path(spec).endswith(".whl") for spec in specs):
        return True
    wheels_wanted = ":all:" in settings(variables).get("only-binary", "").replace(",", " ").split()
    return wheels_wanted and not any(map(_is_source, specs))


def _path(spec: str) -> str:
    """A SPEC without extras."""
    return spec.partition("[")[0].strip()


def _is_source(spec: str) -> bool:
    """Whether a SPEC names something that is built: the user says so by that."""
    return (
        spec.startswith("-e ")
        or "://" in spec
        or os.path.isdir(_path(spec))
        or _path(spec).endswith(OF_SOURCES)
    )


@contextlib.contextmanager
def guarded_pip(python: Path, name: str) -> Iterator[list[str]]:
    """The command of an environment's own pip, which may start nothing.

    Parameters
    ----------
    python : Path
        The environment's interpreter.
    name : str
        The environment's name.
    """
    copy = making_folder() / f"{name}.pip"
    shutil.rmtree(copy, ignore_errors=True)
    try:
        for package in python.parent.parent.glob("lib/python*/site-packages/pip"):
            shutil.copytree(package, copy / "pip")
        yield [str(python), "-I", "-c", GUARDED, str(copy)]
    finally:
        shutil.rmtree(copy, ignore_errors=True)
