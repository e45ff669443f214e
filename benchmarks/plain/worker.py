"""A trial's worker without any isolation, the plain twin of `WorkerProcess`.

It is a child process, asked over two pipes, neither watched nor in a sandbox.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kobench.sandbox.variables import THREAD_VARIABLES
from kobench.supervisor.room import START


class PlainWorker:
    """One worker in a folder, as a context manager; RuntimeError for a reply that is not "done"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> PlainWorker:
        child_in, send_to = os.pipe()
        read_from, child_out = os.pipe()
        environment = {
            **os.environ,
            **dict.fromkeys(THREAD_VARIABLES, "1"),
            "PYTHONHASHSEED": "0",
            "PYTHONSAFEPATH": "1",
        }
        with open(self.folder / "output.log", "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(child_in), str(child_out)],
                pass_fds=(child_in, child_out),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
            )
        os.close(child_in)
        os.close(child_out)
        self.requests, self.replies = os.fdopen(send_to, "w", buffering=1), os.fdopen(read_from)
        self.reply("ready")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.requests.close()
        self.replies.close()

    def reply(self, kind: str) -> Mapping[str, Any]:
        """The next reply that is no log; RuntimeError where it is of another kind."""
        found: dict[str, Any] = json.loads(self.replies.readline() or "{}")
        while found.get("kind") == "log":
            found = json.loads(self.replies.readline() or "{}")
        if found.get("kind") != kind:
            raise RuntimeError(f"the worker replied {found}; expected {kind!r}")
        return found

    def stage(self, name: str) -> Path:
        """The folder of a stage's questions."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def ask(self, do: str, **request: Any) -> None:
        """Send a request about a stage and wait until it is done."""
        message = {
            "do": do,
            "folder": str(self.folder / do),
            "out": str(self.folder / "out" / do),
            "scratch": str(self.folder),
            **request,
        }
        self.requests.write(json.dumps(message) + "\n")
        self.reply("done")
