"""The child process in which a predictor lives: fits once, then answers stage by stage.

It never holds a truth.

Started with two file descriptors, IN and OUT. Each line on IN is a request in JSON, each line on
OUT a reply; arrays travel through one folder a stage. What the predictor prints goes to its own
log, not here.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import resource
import select
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import CONTRACT, Context
from kobench.cells import Knockouts
from kobench.util.resolve import resolve_reference
from kobench.worker.failures import failure
from kobench.worker.predictor import Session
from kobench.worker.wire import PROTOCOL, RENEW, ProtocolError, read_array, read_cells, write_arrays


def peak_mb() -> float:
    """Largest resident memory of this process so far, in MB."""
    try:  # getrusage would count what the harness held when it started this process
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (1024 * 1024 if sys.platform == "darwin" else 1024)


class Worker:
    """Answers requests one after the other."""

    def __init__(self, reply_to: int) -> None:
        self.out = os.fdopen(reply_to, "w", buffering=1)
        self.lock = threading.Lock()
        self.last_log = 0.0

    def reply(self, **message: Any) -> None:
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
        started, reply_to = (
            time.perf_counter(),
            {"for": request.get("token", "")},
        )  # a reply that nobody asked for is none
        try:
            if request.get("protocol", PROTOCOL) != PROTOCOL:
                raise ProtocolError(
                    f"the harness speaks protocol {request['protocol']}, this worker {PROTOCOL};"
                    f" {RENEW}"
                )
            result = getattr(self, f"do_{request['do']}")(Path(request["folder"]), request)
        except BaseException as error:
            self.reply(
                kind="failed",
                **reply_to,
                peak_mb=peak_mb(),
                seconds=time.perf_counter() - started,
                **failure(error),
            )
        else:
            self.reply(
                kind="done",
                **reply_to,
                peak_mb=peak_mb(),
                seconds=time.perf_counter() - started,
                **(result or {}),
            )

    def do_fit(self, folder: Path, request: dict[str, Any]) -> None:
        context = Context(
            **{**request["context"], "scratch": Path(request["scratch"]), "report": self.log}
        )
        make = resolve_reference(request["make"], request["plugin_file"])
        self.wants = request["wants"]
        self.session = Session(
            make, request["params"], request["answers"], self.wants, context, request["max_order"]
        )
        supported = self.session.fit(read_cells(folder, self.wants))
        write_arrays(Path(request["out"]), {"supported": supported})

    def do_profile(self, folder: Path, request: dict[str, Any]) -> None:
        write_arrays(
            Path(request["out"]),
            {"profile": self.session.profile(read_array(folder, "assemblages"))},
        )

    def do_singles(self, folder: Path, request: dict[str, Any]) -> None:
        events = Knockouts(read_array(folder, "genes"), read_array(folder, "cells"))
        answer = self.session.singles(
            read_cells(folder, self.wants),
            events,
            read_array(folder, "sample"),
            read_array(folder, "supported"),
        )
        write_arrays(Path(request["out"]), vars(answer))

    def do_impacts(self, folder: Path, request: dict[str, Any]) -> None:
        events = Knockouts(read_array(folder, "genes"), read_array(folder, "cells"))
        write_arrays(
            Path(request["out"]),
            self.session.impacts(
                read_cells(folder, self.wants), events, read_array(folder, "supported")
            ),
        )

    def do_genes(self, folder: Path, request: dict[str, Any]) -> None:
        scores = self.session.gene_scores(
            read_cells(folder, self.wants), read_array(folder, "genes")
        )
        write_arrays(Path(request["out"]), {"gene_scores": scores})

    do_transfer = do_profile

    def do_response(self, folder: Path, request: dict[str, Any]) -> None:
        orders = range(request["batches"])
        batches = [
            Knockouts(read_array(folder, f"genes{i}"), read_array(folder, f"cells{i}"))
            for i in orders
        ]
        rows = [read_array(folder, f"rows{i}") for i in orders]
        cells, supported = read_cells(folder, self.wants), read_array(folder, "supported")
        answer = self.session.responses(cells, batches, rows, request["rows"], supported)
        write_arrays(Path(request["out"]), vars(answer))

    def do_doubles(self, folder: Path, request: dict[str, Any]) -> None:
        events = Knockouts(read_array(folder, "genes"), read_array(folder, "cells"))
        answer = self.session.interactions(
            read_cells(folder, self.wants), events, read_array(folder, "supported")
        )
        write_arrays(Path(request["out"]), {"interaction": answer})

    do_triples = do_doubles

    def do_check(self, folder: Path, request: dict[str, Any]) -> None:
        from kobench.worker.checks.stages import checks_of_request

        make = resolve_reference(request["make"], request["plugin_file"])
        for result in checks_of_request(make, request):
            self.reply(kind="check", **result)


def exit_with_parent(pipe: int) -> None:
    """End this process at once when the harness is gone (its end of the pipe closed), whatever the
    predictor is doing.
    """
    poll = select.poll()
    poll.register(pipe, 0)  # only hang-ups
    poll.poll()
    os._exit(1)


def versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of those of the named distributions that are installed."""
    found = {}
    if names:
        from importlib import metadata

        for name in names:
            with contextlib.suppress(metadata.PackageNotFoundError):
                found[name] = metadata.version(name)
    return found


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
        contract=CONTRACT,
        python=platform.python_version(),
        numpy=np.__version__,
        packages=versions(sys.argv[3:]),
    )
    with os.fdopen(requests) as lines:
        for line in lines:
            worker.handle(json.loads(line))


if __name__ == "__main__":
    main()
