"""What the interpreter of an environment says of itself and of its packages."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kobench.environments.environment import BrokenError, Environment

#: The script that an environment's interpreter runs to say what it has.
INSIDE = Path(__file__).with_name("inside.py")

#: Seconds that it may take.
SECONDS = 120.0


def seen(environment: Environment) -> dict[str, Any]:
    """What an environment's interpreter says of itself, remembered until its packages change.

    Parameters
    ----------
    environment : Environment
        Whose interpreter is asked. It is not started where its answer is remembered.

    Returns
    -------
    dict of str to object
        What `kobench.environments.inside.describe` returns there.

    Raises
    ------
    BrokenError
        The interpreter or its packages can't be used.
    """
    file = environment.folder / "seen.json"
    try:
        stamp = [
            str(environment.prefix),
            os.stat(environment.site).st_mtime_ns,
            INSIDE.stat().st_mtime_ns,
        ]
    except OSError as error:
        raise BrokenError(
            f"environment {environment.name!r} has lost its packages: {error}; make it again with"
            " --replace"
        ) from error
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        document = json.loads(file.read_bytes())
        if document["stamp"] == stamp:
            return dict(document["seen"])
    from kobench.util.files import write_atomically

    found = ask_inside(
        environment.python,
        environment.name,
        environment.site,
        environment.base,
        environment.in_place,
    )
    with contextlib.suppress(OSError):
        write_atomically(file, json.dumps({"stamp": stamp, "seen": found}).encode())
    return found


def ask_inside(
    python: Path, name: str, site: Path, base: Path, in_place: Sequence[Path] = ()
) -> dict[str, Any]:
    """Run `kobench.environments.inside` by an environment's interpreter, in the sandbox.

    Parameters
    ----------
    python : Path
        The interpreter.
    name : str
        The environment's name.
    site : Path
        Its folder of packages, which is looked at; no code that lies there is run.
    base, in_place : Path, sequence of Path
        What must be readable for that, see `kobench.environments.environment.Environment`.

    Raises
    ------
    BrokenError
        The interpreter can't be used, or what it says can't be read.
    """
    from kobench.sandbox.places import Interpreter  # every `kobench list` imports this module
    from kobench.supervisor.held import run_held

    interpreter = Interpreter(python, (python.parents[1], base), name)
    ran = run_held(interpreter, ["-I", "-S", str(INSIDE), str(site)], (INSIDE, *in_place), SECONDS)
    why = ran.why
    if ran.code == 0:
        try:
            found: dict[str, Any] = json.loads(ran.output)
            return found
        except ValueError as error:
            why = f"what it says of itself can't be read ({error})"
    raise BrokenError(
        f"the interpreter {python} of environment {name!r} can't be used: {why}; make it again with"
        " --replace"
    )
