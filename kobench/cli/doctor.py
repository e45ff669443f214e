"""`kobench doctor`: what the sandbox keeps out of a predictor's reach here, found by trying."""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Any

import click

from kobench.cli.options import json_option
from kobench.cli.output import say

EPILOG = """
\b
Exit code 0 where files, network and processes are all out of a predictor's reach, \
1 where one of them stays open.

\b
Examples:
  kobench doctor
  kobench doctor --json
"""


@click.command("doctor", epilog=EPILOG)
@json_option
def doctor_command(as_json: bool) -> None:
    """Show what the sandbox of predictors keeps out of their reach on this machine, layer by layer,
    and what a trial may use.
    """
    found = diagnosis()
    say(json.dumps(found, indent=2) if as_json else text_of(found))
    sys.exit(0 if all(found["covered"].values()) else 1)


def diagnosis() -> dict[str, Any]:
    """All that the command shows."""
    from kobench.sandbox import COVERS, OPEN_WITHOUT, still_open, this_interpreter
    from kobench.sandbox.examine import examine
    from kobench.supervisor.limits import Limits

    examined, interpreter = examine(), this_interpreter()
    return {
        "system": f"{platform.system()} {platform.release()}",
        "landlock": landlock_version(),
        "interpreter": {
            "python": str(interpreter.python),
            "version": platform.python_version(),
            "read": [str(place) for place in interpreter.read],
        },
        "covered": {what: what not in examined.open for what in COVERS},
        "not_closed": {
            what: [need.what for need in needs]
            for what, needs in still_open(examined.layers).items()
        },
        "layers": dict(examined.layers),
        "open": {
            layer: OPEN_WITHOUT[layer]
            for layer, state in examined.layers.items()
            if state is not True
        },
        "tried": dict(examined.tried),
        "limits": Limits().to_json(),
        "memory": (
            "PSS"
            if os.access("/proc/self/smaps_rollup", os.R_OK)
            else "resident memory (shared pages count for each process)"
        ),
    }


def landlock_version() -> int | str:
    """Version of Landlock's interface, or why there is none."""
    if sys.platform != "linux":
        return "needs Linux"
    try:
        import landlockpy

        return int(landlockpy.abi_version())
    except (ImportError, OSError) as error:
        return f"landlockpy can't be used: {error}"


def text_of(found: dict[str, Any]) -> str:
    """The diagnosis in words."""
    landlock = found["landlock"] or "switched off or not in this kernel"
    python = f"Python {found['interpreter']['version']} ({found['interpreter']['python']})"
    parts = [
        [f"{found['system']}, Landlock {landlock}, {python}"],
        ["Out of a predictor's reach:", *covered_lines(found)],
        ["Layers of the sandbox:", *layer_lines(found)],
        ["Tried from inside:", *tried_lines(found)],
        [limits_line(found)],
    ]
    if not all(found["covered"].values()):
        parts.append(
            [
                "A predictor you do not trust may look where it must not: docs/sandbox.md says what"
                " helps."
            ]
        )
    return "\n\n".join("\n".join(part) for part in parts)


def covered_lines(found: dict[str, Any]) -> list[str]:
    """What is out of a predictor's reach, and what is not."""
    lines = []
    for what, covered in found["covered"].items():
        why = "; ".join(found["not_closed"].get(what, ()))
        lines.append(f"  {what:<12}{'yes' if covered else 'NO'}{why and f': {why}'}")
    return lines


def layer_lines(found: dict[str, Any]) -> list[str]:
    """Which layers work here, and what is open without the others."""
    lines = []
    for layer, state in found["layers"].items():
        lines.append(f"  {layer:<20}{'yes' if state is True else f'no: {state}'}")
        if layer in found["open"]:
            lines.append(f"  {'':<20}open without it: {found['open'][layer]}")
    return lines


def tried_lines(found: dict[str, Any]) -> list[str]:
    """What a program inside the sandbox could do."""
    if not found["tried"]:
        return ["  nothing: the program that tries could not be started"]
    return [
        f"  {what:<40}{'it could' if why is None else f'could not: {why}'}"
        for what, why in found["tried"].items()
    ]


def limits_line(found: dict[str, Any]) -> str:
    """What a trial may use."""
    limits = {
        name: "none" if value is None else f"{value:,}" for name, value in found["limits"].items()
    }
    return (
        f"A trial may use, unless told otherwise: {limits['seconds']} s, {limits['memory_mb']} MB"
        f" of memory (measured as {found['memory']}), {limits['processes']} processes,"
        f" {limits['written_mb']} MB written."
    )
