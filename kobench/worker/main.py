"""The child process in which a predictor lives: fits once, then answers stage by stage.

It never holds a truth.

Started with two file descriptors, IN and OUT. Each line on IN is a request in JSON, each line on
OUT a reply; arrays travel through one folder a stage. What the predictor prints goes to its own
log, not here.
"""

from __future__ import annotations

import json
import os
import platform
import select
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.util.resolve import resolve_reference
from kobench.util.versions import versions_of
from kobench.worker.answers import ANSWER
from kobench.worker.failures import code_of, failure
from kobench.worker.predictor import Recipe, fit_predictor
from kobench.worker.protocol import PROTOCOL, RENEW, ProtocolError, read_payload
from kobench.worker.wire import read_cells, write_arrays


def recipe_of(request: dict[str, Any]) -> Recipe:
    """How the predictor of a request is made; imports its module."""
    return Recipe(
        resolve_reference(request["make"], request["plugin_file"]),
        request["params"],
        request["answers"],
        request["wants"],
        request.get("max_order"),
    )


class Worker:
    """Answers requests one after the other."""

    def __init__(self, reply_to: int) -> None:
        self.out = os.fdopen(reply_to, "w", buffering=1)
        self.lock = threading.Lock()
        self.last_log = 0.0
        self.own = ""

    def reply(self, **message: Any) -> None:
        """Write one message to the harness."""
        with self.lock:
            self.out.write(json.dumps(message) + "\n")

    def log(self, message: str, done: int, total: int) -> None:
        """Progress, at most ten times a second."""
        now = time.monotonic()
        if now - self.last_log > 0.1:
            self.last_log = now
            self.reply(kind="log", message=str(message)[:200], done=int(done), total=int(total))

    def handle(self, request: dict[str, Any]) -> None:
        """Do one request and reply; whatever the predictor raises becomes a reply, too."""
        token = request.get("token", "")  # a reply that nobody asked for is none
        do = {"fit": self.fit, "check": self.check}.get(request["do"], self.answer)
        try:
            if request.get("protocol", PROTOCOL) != PROTOCOL:
                raise ProtocolError(
                    f"the harness speaks protocol {request['protocol']}, this worker {PROTOCOL};"
                    f" {RENEW}"
                )
            if "make" in request:
                self.own = code_of(request["make"], request["plugin_file"])
            do(Path(request["folder"]), request)
        except BaseException as error:
            self.reply(kind="failed", **{"for": token}, **failure(error, self.own))
        else:
            self.reply(kind="done", **{"for": token})

    def fit(self, folder: Path, request: dict[str, Any]) -> None:
        """Make and fit the predictor; answers which genes it can remove."""
        context = Context(
            **{**request["context"], "scratch": Path(request["scratch"]), "report": self.log}
        )
        recipe = recipe_of(request)
        self.wants = recipe.wants
        self.fitted = fit_predictor(recipe, read_cells(folder, self.wants), context)
        write_arrays(Path(request["out"]), {"supported": self.fitted.supported})

    def check(self, folder: Path, request: dict[str, Any]) -> None:
        """Run the contract's checks; each result is a reply of its own."""
        from kobench.worker.checks.stages import checks_of_request

        for result in checks_of_request(recipe_of(request), request):
            self.reply(kind="check", **result)

    def answer(self, folder: Path, request: dict[str, Any]) -> None:
        """Answer one question of the fitted predictor."""
        asked = read_payload(folder, self.wants)
        write_arrays(Path(request["out"]), ANSWER[request["do"]](self.fitted, asked))


def exit_with_parent(pipe: int) -> None:
    """End this process at once when the harness is gone, whatever the predictor is doing.

    The harness is gone when its end of the pipe closes.
    """
    poll = select.poll()
    poll.register(pipe, 0)  # only hang-ups
    poll.poll()
    os._exit(1)


def main() -> None:
    """Read requests until the harness closes the pipe.

    Arguments: the two pipes, and the distributions whose versions are asked.
    """
    requests, replies = int(sys.argv[1]), int(sys.argv[2])
    for stream in (sys.stdout, sys.stderr):  # what a predictor printed is kept, however it ends
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    threading.Thread(target=exit_with_parent, args=(requests,), daemon=True).start()
    worker = Worker(replies)
    worker.reply(
        kind="ready",
        protocol=PROTOCOL,
        python=platform.python_version(),
        numpy=np.__version__,
        packages=versions_of(sys.argv[3:]),
    )
    with os.fdopen(requests) as lines:
        for line in lines:
            worker.handle(json.loads(line))


if __name__ == "__main__":
    main()
