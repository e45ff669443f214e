"""The part of this kobench that an environment gets, which needs numpy alone.

It is put there when the environment is made, and renewed when it has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from kobench import __version__
from kobench.environments.environment import BrokenError, Environment
from kobench.environments.folder import environments_folder, locked
from kobench.util.files import sha256_of

#: The packages and modules of kobench that run in a predictor's interpreter, and all that they
#: import of kobench. The one list of them: they need numpy alone, and Python 3.9.
PARTS = (
    "__init__",
    "api",
    "cells",
    "dataset",
    "errors",
    "question",
    "specs",
    "units",
    "checks/__init__",
    "util",
    "worker",
)

#: The metadata of this part, as pip reads it.
METADATA = """Metadata-Version: 2.1
Name: kobench
Version: {version}
Summary: What a predictor's own environment needs of kobench; put there by `kobench env create`
Requires-Python: >=3.9
Requires-Dist: numpy>=1.21
"""

#: The folder of this kobench.
PACKAGE = Path(__file__).parent.parent


@lru_cache(maxsize=1)
def parts() -> dict[str, Path]:
    """The files that are put into an environment: {path below site-packages: where it lies}."""
    found = {}
    for part in PARTS:
        folder = PACKAGE / part
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{part}.py"]:
            found[f"kobench/{path.relative_to(PACKAGE).as_posix()}"] = path
    return found


@lru_cache(maxsize=1)
def stamp() -> str:
    """A hash that changes with these files, by their sizes and times alone."""
    total = hashlib.sha256(__version__.encode())
    for name, path in parts().items():
        status = path.stat()
        total.update(f"{name}\0{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return total.hexdigest()


@lru_cache(maxsize=1)
def digest() -> str:
    """A hash of the names and contents of these files."""
    return digest_of(parts())


def digest_of(files: Mapping[str, Path]) -> str:
    """sha256 over this version of kobench, and the names and contents of files, in hexadecimal."""
    total = hashlib.sha256(__version__.encode())
    for name in sorted(files):
        total.update(f"{name}\0{sha256_of(files[name])}\n".encode())
    return total.hexdigest()


def put_into(site: Path, base: Path) -> None:
    """Put this part of kobench into an environment, in the place of what is there.

    Parameters
    ----------
    site : Path
        The environment's folder of packages.
    base : Path
        The interpreter that it was made from. That in the environment is not executed: a package
        may have put anything in its place.
    """
    # imported here: every `kobench list` imports this module
    import shutil
    import subprocess
    import tempfile

    new = Path(tempfile.mkdtemp(prefix=".kobench-", dir=site))
    try:
        for name, path in parts().items():
            target = new / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        information = f"kobench-{__version__}.dist-info"
        (new / information).mkdir()
        texts = {
            "METADATA": METADATA.format(version=__version__),
            "WHEEL": (
                "Wheel-Version: 1.0\nGenerator: kobench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            ),
            "INSTALLER": "kobench\n",
        }
        for name, text in texts.items():
            (new / information / name).write_text(text)
        listed = [*parts(), *(f"{information}/{name}" for name in (*texts, "RECORD"))]
        (new / information / "RECORD").write_text("".join(f"{name},,\n" for name in listed))
        for old in [site / "kobench", *site.glob("kobench-*.dist-info")]:
            if old.is_dir():
                old.rename(new / f"old-{old.name}")
        for name in ("kobench", information):
            (new / name).rename(site / name)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    if base.is_relative_to(environments_folder()):
        return
    # workers write no .pyc, so each of them would compile it anew; it works without, too
    compiling = [str(base), "-I", "-S", "-m", "compileall", "-q", str(site / "kobench")]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            compiling, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )


def note(prefix: Path) -> None:
    """Write down which kobench was put into a virtual environment."""
    from kobench.util.files import write_atomically

    write_atomically(
        prefix / "kobench.json",
        json.dumps({"version": __version__, "digest": digest(), "stamp": stamp()}).encode(),
    )


def noted(prefix: Path) -> dict[str, Any]:
    """What `note` has written into a virtual environment; empty where it has not."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return dict(json.loads((prefix / "kobench.json").read_bytes()))
    return {}


def renew(environment: Environment) -> bool:
    """Bring the kobench of an environment up to date.

    Returns
    -------
    bool
        Whether that was needed.

    Raises
    ------
    BrokenError
        It can't be written.
    """
    there = noted(environment.prefix)
    if there.get("stamp") == stamp():
        return False
    try:
        # a lock of its own: that of the environment's making may be held for many minutes
        with locked(f"{environment.name}.renew", wait=True):
            there = noted(environment.prefix)
            if there.get("stamp") == stamp():
                return False
            changed = there.get("digest") != digest()
            if changed:
                times = os.stat(environment.site)
                put_into(environment.site, environment.made_from)
                # of the same version nothing is new that kobench.environments.seen asks for
                if there.get("version") == __version__:
                    os.utime(environment.site, ns=(times.st_atime_ns, times.st_mtime_ns))
            note(environment.prefix)
            return changed
    except OSError as error:
        raise BrokenError(
            f"environment {environment.name!r} holds another kobench and can't be renewed"
            f" ({error}); make {environment.site} writable"
        ) from error
