"""How one worker is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kobench.sandbox.places import Interpreter
from kobench.supervisor.limits import Limits


@dataclass(frozen=True)
class WorkerSettings:
    """How one worker is run: what it may use, what it may read, and what keeps it in.

    Attributes
    ----------
    threads : int
        How many threads its numerical libraries may use.
    limits : Limits
        What it may use at most.
    interpreter : Interpreter or None
        What it runs on, kobench's own interpreter where None.
    sandbox : str
        One of `kobench.sandbox.MODES`.
    readable : tuple of Path
        Folders that it may read beside its interpreter's.
    hidden : tuple of Path
        What it must not read though it lies in what it may read.
    links : mapping of str to Path
        Modules and packages that it must be able to import, and where each lies.
    cuda : bool
        Whether it may use NVIDIA GPUs.
    packages : tuple of str
        Distributions whose versions it is to tell when it starts.
    jobs : int
        How many workers there are at a time, which share the disk.
    processors : tuple of int
        On which processors it computes; none where on any.
    """

    threads: int = 1
    limits: Limits = field(default_factory=Limits)
    interpreter: Interpreter | None = None
    sandbox: str = "auto"
    readable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    links: Mapping[str, Path] = field(default_factory=dict)
    cuda: bool = False
    packages: tuple[str, ...] = ()
    jobs: int = 1
    processors: tuple[int, ...] = ()
