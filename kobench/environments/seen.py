"""What an environment has: its Python and its packages.

The program in the environment is not asked. A package may have put another one in its place, and
what that says would outlive it: it could hand on to trials what it has read. So the interpreter
that the environment was made from runs a script of kobench's, and none of the packages' code.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kobench.environments.environment import BrokenError, Environment
from kobench.util.files import parse_json, write_atomically

#: The script that says what an environment has.
INSIDE = Path(__file__).with_name("inside.py")

#: Seconds that it may take.
SECONDS = 120.0


def seen(environment: Environment) -> dict[str, Any]:
    """What an environment has, remembered until its packages change.

    Parameters
    ----------
    environment : Environment
        Which one. Nothing is started where its answer is remembered.

    Returns
    -------
    dict of str to object
        What `kobench.environments.inside.describe` returns of it.

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
        document = parse_json(file.read_text())
        if document["stamp"] == stamp:
            return dict(document["seen"])
    found = ask_inside(
        environment.behind,
        environment.name,
        environment.prefix,
        environment.site,
        environment.in_place,
    )
    with contextlib.suppress(OSError):
        write_atomically(file, json.dumps({"stamp": stamp, "seen": found}).encode())
    return found


def ask_inside(
    program: Path, name: str, prefix: Path, site: Path, in_place: Sequence[Path] = ()
) -> dict[str, Any]:
    """Run `kobench.environments.inside` on an environment, in the sandbox.

    Parameters
    ----------
    program : Path
        The program behind its interpreter, see `kobench.environments.environment.behind`.
    name : str
        The environment's name.
    prefix : Path
        The virtual environment.
    site : Path
        Its folder of packages, which is looked at; no code that lies there is run.
    in_place : sequence of Path
        What else must be readable for that, see `Environment.in_place`.

    Raises
    ------
    BrokenError
        The interpreter can't be used, or what it says can't be read.
    """
    from kobench.sandbox.places import Interpreter  # every `kobench list` imports this module
    from kobench.supervisor.held import run_held

    interpreter = Interpreter(program, (prefix, program.parents[1]), name)
    ran = run_held(interpreter, ["-I", "-S", str(INSIDE), str(site)], (INSIDE, *in_place), SECONDS)
    why = ran.why
    if ran.code == 0:
        try:
            found: dict[str, Any] = parse_json(ran.output)
            return found
        except ValueError as error:
            why = f"what it says of itself can't be read ({error})"
    raise BrokenError(
        f"what environment {name!r} has can't be found by {program}: {why}; make it again with"
        " --replace"
    )
