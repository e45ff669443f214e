"""What of the sandbox this machine allows, found by putting it on."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.sandbox.layers import LAYERS, uncovered, why_open
from kobench.sandbox.places import readable_by, this_interpreter
from kobench.sandbox.start import Launch, Plan


@cache
def layers_here() -> Mapping[str, Any]:
    """The layers that a program started in the sandbox has here, {layer: True, or why not}; found
    once a process.
    """
    with (
        tempfile.TemporaryDirectory(prefix="kobench-") as folder,
        open(os.devnull, "wb") as nothing,
    ):
        tree, temporary = (Path(folder).resolve() / name for name in ("tree", "tmp"))
        tree.mkdir()
        temporary.mkdir()
        plan = Plan(
            [sys.executable, "-I", "-S", "-c", ""],
            {},
            "/",
            str(tree),
            str(temporary),
            read=readable_by(this_interpreter(), (), False),
            layers=LAYERS,
        )
        with Launch(plan, nothing.fileno()) as launch:
            launch.await_end(10.0)
        return launch.layers


def refuse_if_open(mode: str, layers: Mapping[str, Any] | None = None) -> None:
    """Raise UserError where the sandbox is required and files, network or processes stay open;
    `layers` are those of this machine.
    """
    if mode != "require":
        return
    found = layers_here() if layers is None else layers
    if still := uncovered(found):
        raise UserError(
            f"--sandbox require: this machine leaves {' and '.join(still)} open:"
            f" {why_open(found, still)}; `kobench doctor` shows every layer, --sandbox auto runs"
            " with those that there are"
        )
