"""The folder in which one worker lives, and the launcher's plan for it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kobench.errors import TrialFailed
from kobench.sandbox.folders import FOLDER, remove
from kobench.sandbox.layers import LAYERS
from kobench.sandbox.places import this_interpreter
from kobench.sandbox.plan import Access, Folders, Plan, code_that_runs, make_plan
from kobench.supervisor.arrays import ANY, Expected, receive
from kobench.supervisor.settings import WorkerSettings
from kobench.util.text import visible

#: What the worker's interpreter executes.
START = code_that_runs("kobench.worker.main")

#: MB that /dev/shm may hold, at least and at most; between them a quarter of the memory limit.
LEAST_SHARED_MB = 64
MOST_SHARED_MB = 1024


class Room:
    """The folders of one trial, made in an empty folder.

    Attributes
    ----------
    folder : Path
        All of it. It must be absolute: a predictor may change the folder in which it stands.
    given : Path
        The questions, a folder for each stage. The worker can only read them.
    written : Path
        What the worker may write; all of it counts as written by the trial.
    out : Path
        The answers, in `written`.
    taken : Path
        Answers that were moved out of the worker's reach. It lies in `written`, too, because a
        process may hold a folder open that was moved, and go on writing.
    log : Path
        The file in `written` that gets what the predictor prints.
    folders : kobench.sandbox.plan.Folders
        The folders that every launch has.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given, self.written = folder / "given", folder / "written"
        self.out, self.taken = self.written / "out", self.written / "taken"
        self.log = self.written / "output.log"
        self.folders = Folders.make(folder, self.written)
        for place in (self.given, self.out, self.taken):
            place.mkdir(parents=True)
        # opened before the worker starts: what it puts in their place later is never looked at
        self._out, self._taken = (os.open(place, FOLDER) for place in (self.out, self.taken))

    def close(self) -> None:
        """Let go of the folders; they stay."""
        os.close(self._out)
        os.close(self._taken)

    @property
    def scratch(self) -> Path:
        """The folder in which the worker starts, in `written`."""
        return self.folders.scratch

    def stage(self, name: str) -> Path:
        """The folder of a stage's questions, made when it is first asked for."""
        folder = self.given / name
        folder.mkdir(exist_ok=True)
        return folder

    def take(
        self, stage: str, expected: Mapping[str, Expected] | Iterable[str]
    ) -> Mapping[str, Any]:
        """The arrays that were answered in a stage, which is closed by that.

        Parameters
        ----------
        stage : str
            The stage's name.
        expected : mapping of str to Expected, or iterable of str
            What each array must be; of mere names, any array is taken.

        Returns
        -------
        mapping of str to array or None
            Each expected array, None where it was not answered.

        Raises
        ------
        TrialFailed
            Something is there that is no such array.

        Notes
        -----
        The worker's processes may still hold folders of the stage open, and rename and write in
        them. So no step goes by a path: what is read is reached from folders that were opened
        before the worker started. Only the arrays that were read are removed; the rest is when all
        processes are gone.
        """
        name = f"{stage}-{secrets.token_hex(8)}"
        wanted = expected if isinstance(expected, Mapping) else dict.fromkeys(expected, ANY)
        try:
            with contextlib.suppress(FileNotFoundError):
                # a link stays a link, and is not followed afterwards
                os.rename(stage, name, src_dir_fd=self._out, dst_dir_fd=self._taken)
            return receive(name, stage, wanted, at=self._taken, take=True)
        except OSError as error:
            raise TrialFailed(
                "invalid", stage, f"the answers can't be read: {visible(str(error), 300)}"
            ) from error
        finally:
            remove(self.given / stage)

    def plan(self, settings: WorkerSettings, keep: tuple[int, int], file_bytes: int) -> Plan:
        """The launcher's plan for a worker that lives here.

        Parameters
        ----------
        settings : WorkerSettings
            How it is run.
        keep : tuple of int
            The worker's ends of the pipes: the one that it reads, the one that it writes.
        file_bytes : int
            How large a file may become that it writes.

        Raises
        ------
        ValueError
            The name of a module in `settings.links` can't be imported.
        """
        interpreter = settings.interpreter or this_interpreter()
        # an environment has its own copy of kobench, see kobench.environments.own
        own = {} if interpreter.environment else {"kobench": Path(__file__).resolve().parents[1]}
        places = self.folders.link({**own, **settings.links})
        access = Access(
            read=(*places, *settings.readable, self.given),
            hidden=settings.hidden,
            write=(self.out,),
            keep=keep,
            threads=settings.threads,
            memory_mb=shared_mb(settings.limits.memory_mb),
            cuda=settings.cuda,
            file_bytes=file_bytes,
            processors=settings.processors,
        )
        arguments = ["-c", START, *map(str, keep), *settings.packages]
        sealed = settings.sandbox != "off"
        plan = make_plan(interpreter, arguments, self.folders, access, LAYERS if sealed else ())
        if not sealed:  # a predictor may rely on the folder in which the user stands
            plan = replace(plan, cwd=os.getcwd())
        return replace(plan, required=settings.sandbox == "require")


def shared_mb(memory_mb: int | None) -> int:
    """How much /dev/shm may hold in MB, for a limit of memory in MB (None is no limit)."""
    if memory_mb is None:
        return MOST_SHARED_MB
    return min(MOST_SHARED_MB, max(LEAST_SHARED_MB, memory_mb // 4))
