"""The folder in which one worker lives, and the launcher's plan for it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobench.sandbox.folders import link_modules
from kobench.sandbox.layers import LAYERS
from kobench.sandbox.places import Interpreter, cuda_devices, readable_by
from kobench.sandbox.start import Plan
from kobench.sandbox.variables import variables

#: What the worker's interpreter executes. Nothing in the folder where it starts is imported: older
#: ones do not know PYTHONSAFEPATH.
START = (
    "import sys; getattr(sys.flags, 'safe_path', False) or sys.path.pop(0); from kobench.worker.main"
    " import main; main()"
)

#: MB that /dev/shm may hold: a quarter of the memory limit, within these.
SHARED_MB = (64, 1024)


@dataclass(frozen=True)
class Room:
    """The folder of one trial. given : its questions, read-only for the worker. out, scratch,
    temporary : what it may write, beside its output in `log`. taken : answers that were moved out
    of its reach. All of these lie in `written` and count as such: a process may hold a folder open
    that was moved, and go on writing. modules : links to what it imports.
    """

    folder: Path

    def __post_init__(self) -> None:
        for place in (
            self.given,
            self.modules,
            self.out,
            self.scratch,
            self.temporary,
            self.tree,
            self.taken,
        ):
            place.mkdir(parents=True)

    @property
    def given(self) -> Path:
        return self.folder / "given"

    @property
    def modules(self) -> Path:
        return self.folder / "import"

    @property
    def written(self) -> Path:
        return self.folder / "written"

    @property
    def out(self) -> Path:
        return self.written / "out"

    @property
    def scratch(self) -> Path:
        return self.written / "scratch"

    @property
    def temporary(self) -> Path:
        return self.written / "tmp"

    @property
    def log(self) -> Path:
        return self.written / "output.log"

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def taken(self) -> Path:
        return self.written / "taken"

    def plan(
        self,
        interpreter: Interpreter,
        arguments: Sequence[str],
        keep: tuple[int, int],
        mode: str,
        threads: int,
        readable: Sequence[Path],
        links: Mapping[str, Path],
        memory_mb: int | None,
        cuda: bool,
    ) -> Plan:
        """The launcher's plan for a worker in this folder; see `kobench.supervisor.process.WorkerProcess`."""
        own = {} if interpreter.environment else {"kobench": Path(__file__).resolve().parents[1]}
        places = link_modules(self.modules, {**own, **links})
        sealed, (least, most) = mode != "off", SHARED_MB
        return Plan(
            command=[str(interpreter.python), "-c", START, *map(str, keep), *arguments],
            environment=variables(interpreter, self.scratch, self.modules, threads, sealed, cuda),
            cwd=str(self.scratch) if sealed else os.getcwd(),
            tree=str(self.tree),
            temporary=str(self.temporary),
            keep=keep,
            read=[
                *readable_by(interpreter, (*places, *readable), cuda),
                str(self.given),
                str(self.modules),
            ],
            write=[str(self.out), str(self.scratch)],
            devices=cuda_devices() if cuda else [],
            memory_mb=min(most, max(least, (memory_mb or 4 * most) // 4)),
            layers=LAYERS if sealed else (),
            required=mode == "require",
        )
