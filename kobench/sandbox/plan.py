"""One launch: the folders of the program that is started, and the plan that the launcher gets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobench.sandbox.folders import link_modules
from kobench.sandbox.layers import LAYERS
from kobench.sandbox.places import Interpreter, cuda_devices, readable_by
from kobench.sandbox.variables import variables

#: MB that /dev/shm may hold for a program that asks for no more.
SHARED_MB = 64

#: Bytes to which a file may grow that is written by a program that asks for no more.
FILE_BYTES = 1 << 30


@dataclass(frozen=True)
class Plan:
    """What the launcher is to do. It is sent to the launcher as one line of JSON.

    Attributes
    ----------
    command : sequence of str
        Absolute path of a program, and its arguments.
    environment : dict of str to str
        All environment variables that the program gets.
    cwd : str
        The folder in which the program starts.
    tree : str
        An empty folder on which the program's file tree is mounted. No other folder of the plan
        may lie in it.
    temporary : str
        The folder that becomes /tmp in that tree.
    keep : sequence of int
        Open file descriptors that the program keeps.
    read, write, devices : sequence of str
        Absolute paths of what the program may reach, see `kobench.sandbox.rules.restrict`.
    hidden : sequence of str
        Real paths of what it must not read though it lies in what it may read, see
        `kobench.sandbox.hiding`.
    memory_mb : int
        How much /dev/shm may hold, in MB of 2**20 bytes.
    file_bytes : int
        How large a file may become that the program writes, in bytes.
    processors : sequence of int
        On which processors it computes, with all that it starts; none where on any.
    layers : sequence of str
        The layers to try, of `kobench.sandbox.layers.LAYERS`.
    required : bool
        Whether to start nothing where files, network or processes stay open.
    """

    command: Sequence[str]
    environment: dict[str, str]
    cwd: str
    tree: str
    temporary: str
    keep: Sequence[int] = ()
    read: Sequence[str] = ()
    write: Sequence[str] = ()
    devices: Sequence[str] = ()
    hidden: Sequence[str] = ()
    memory_mb: int = SHARED_MB
    file_bytes: int = FILE_BYTES
    processors: Sequence[int] = ()
    layers: Sequence[str] = LAYERS
    required: bool = False


@dataclass(frozen=True)
class Folders:
    """The folders of one launch; `make` lays them out.

    Attributes
    ----------
    tree : Path
        Stays empty; the program's file tree is mounted on it.
    temporary : Path
        Becomes /tmp in that tree.
    scratch : Path
        The program's home, in which it starts and which it may write to.
    modules : Path
        Links to what the program may import, see `link`. The program can only read it.
    """

    tree: Path
    temporary: Path
    scratch: Path
    modules: Path

    @classmethod
    def make(cls, folder: Path, written: Path | None = None) -> Folders:
        """Make the folders of a launch.

        Parameters
        ----------
        folder : Path
            Where they are made. It must be absolute and free of links.
        written : Path, optional
            Where those are made that the program may write to; `folder` where None.
        """
        inner = folder if written is None else written
        folders = cls(
            tree=folder / "tree",
            temporary=inner / "tmp",
            scratch=inner / "scratch",
            modules=folder / "import",
        )
        for place in vars(folders).values():
            place.mkdir(parents=True)
        return folders

    def link(self, modules: Mapping[str, Path]) -> tuple[Path, ...]:
        """Let the program import packages and modules by name, wherever they lie.

        Parameters
        ----------
        modules : mapping of str to Path
            Where each package or module lies, see `kobench.sandbox.folders.link_modules`.

        Returns
        -------
        tuple of Path
            The places that must be readable for it.

        Raises
        ------
        ValueError
            A name can't be imported.
        """
        return link_modules(self.modules, modules)


@dataclass(frozen=True)
class Access:
    """What a program gets beside its interpreter and its own folders.

    Attributes
    ----------
    read : sequence of Path
        Folders and files that it may read.
    hidden : sequence of Path
        Folders and files that it must not read though they lie in what it may read.
    write : sequence of Path
        Folders that it may write to, beside its scratch folder.
    keep : sequence of int
        Open file descriptors that it keeps.
    threads : int
        How many threads its numerical libraries may use.
    memory_mb : int
        How much /dev/shm may hold, in MB of 2**20 bytes.
    cuda : bool
        Whether it may use NVIDIA GPUs.
    file_bytes : int
        How large a file may become that it writes, in bytes.
    processors : sequence of int
        On which processors it computes; none where on any.
    """

    read: Sequence[Path] = ()
    hidden: Sequence[Path] = ()
    write: Sequence[Path] = ()
    keep: Sequence[int] = ()
    threads: int = 1
    memory_mb: int = SHARED_MB
    cuda: bool = False
    file_bytes: int = FILE_BYTES
    processors: Sequence[int] = ()


def make_plan(
    interpreter: Interpreter,
    arguments: Sequence[str],
    folders: Folders,
    access: Access | None = None,
    layers: Sequence[str] = LAYERS,
) -> Plan:
    """Plan the launch of an interpreter.

    Parameters
    ----------
    interpreter : Interpreter
        Whose interpreter is started. It may read its own places.
    arguments : sequence of str
        The interpreter's arguments.
    folders : Folders
        The folders of this launch; it starts in `scratch`.
    access : Access, optional
        What else it gets.
    layers : sequence of str
        The layers of the sandbox. Without any it keeps the user's environment variables, too.
    """
    access = access or Access()
    return Plan(
        command=[str(interpreter.python), *arguments],
        environment=variables(
            interpreter,
            folders.scratch,
            folders.modules,
            threads=access.threads,
            clean=bool(layers),
            cuda=access.cuda,
        ),
        cwd=str(folders.scratch),
        tree=str(folders.tree),
        temporary=str(folders.temporary),
        keep=access.keep,
        read=[*readable_by(interpreter, access.read, access.cuda), str(folders.modules)],
        write=[*map(str, access.write), str(folders.scratch)],
        devices=cuda_devices() if access.cuda else [],
        hidden=sorted({os.path.realpath(place) for place in access.hidden}),
        memory_mb=access.memory_mb,
        file_bytes=access.file_bytes,
        processors=access.processors,
        layers=layers,
    )


def code_that_runs(module: str) -> str:
    """Python code that calls `main` of a module, for an interpreter's option `-c`.

    The folder in which the interpreter starts is taken from its search path first: nothing in
    there is imported. PYTHONSAFEPATH says the same, but only to Python 3.11 and newer.
    """
    return (
        "import sys; getattr(sys.flags, 'safe_path', False) or sys.path.pop(0);"
        f" from {module} import main; main()"
    )
