"""The sandbox: a launcher that shuts itself in, layer by layer, before it executes the interpreter
in which a stranger's predictor runs.

`places` says what may be read, `start` starts the launcher and hears how it went, `launch` is what
runs in it; `kernel`, `mounts`, `rules` and `ending` are its tools. `layers` names the layers and
says what each of them is for.
"""

from __future__ import annotations

from kobench.sandbox.layers import COVERS, LAYERS, MODES, OPEN_WITHOUT, uncovered
from kobench.sandbox.places import Interpreter, this_interpreter

__all__ = [
    "COVERS",
    "LAYERS",
    "MODES",
    "OPEN_WITHOUT",
    "Interpreter",
    "this_interpreter",
    "uncovered",
]
