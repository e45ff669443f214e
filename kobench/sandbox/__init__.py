"""The sandbox, in which the interpreter of a stranger's predictor runs.

A launcher shuts itself in, layer by layer, and then executes the interpreter in its own place.

- `layers` names the layers and says what each of them is for.
- `places` and `variables` say what the program may read and which variables it gets; `plan` makes
  a `Plan` of it, with the folders of one launch.
- `start` starts the launcher with a plan and hears what it reports. `once` does that for one
  command; `finding` and `examine` do it to see how closed the sandbox is on this machine.
- `launch` is what runs in the launcher. `kernel` asks Linux for what Python has no function for;
  `mounts` and `rules` (Landlock) are layers, `filters` makes layers of what `sockets`, `common`,
  `uncounted` and `outside` refuse (seccomp); `hiding` says what of a readable place is not shown;
  `ending` ends processes.
- `folders` links modules into a folder and removes folders in which a stranger wrote.
"""

from __future__ import annotations

from kobench.sandbox.layers import COVERS, LAYERS, MODES, OPEN_WITHOUT, still_open, uncovered
from kobench.sandbox.places import Interpreter, this_interpreter

__all__ = [
    "COVERS",
    "LAYERS",
    "MODES",
    "OPEN_WITHOUT",
    "Interpreter",
    "still_open",
    "this_interpreter",
    "uncovered",
]
