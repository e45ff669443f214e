"""Python code run in the sandbox of an emulated machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bare_machine import BARE

from kobench.sandbox import LAYERS, this_interpreter
from kobench.sandbox.once import run_once


def shut_in(
    code: str,
    *arguments: str,
    machine: tuple[str, ...] = (),
    layers: tuple[str, ...] = LAYERS,
    read: tuple[str, ...] = (),
) -> tuple[str, dict[str, Any]]:
    """Run code in the sandbox of an emulated machine.

    Parameters
    ----------
    code
        What is run; its arguments are in `sys.argv`.
    arguments
        Its arguments.
    machine
        The flags of `bare_machine`.
    layers
        The layers to try.
    read
        What else it may read.

    Returns
    -------
    What it printed, errors included, and what became of each layer.
    """
    command = [*BARE, *machine, sys.executable, str(Path(__file__).resolve())]
    done = subprocess.run(
        [*command, json.dumps([layers, read, code, *arguments])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    output, found = json.loads(done.stdout)
    return output, found


if __name__ == "__main__":
    wanted, more, *words = json.loads(sys.argv[1])
    ran = run_once(this_interpreter(), ["-c", *words], [Path(one) for one in more], layers=wanted)
    print(json.dumps([ran.output, dict(ran.layers)]))
