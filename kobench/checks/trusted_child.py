"""The process in which metrics and data sets are checked: if they crash it, a check has failed.

Started by `kobench.checks.trusted` as `python -m kobench.checks.trusted_child FD`, with one request
in JSON on standard input. It writes JSON lines to FD.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry, resolve
from kobench.plugins.registry import Registry

#: How many times too slow a data set is taken to be that could not even be loaded in time.
UNKNOWN = 10.0


def main() -> None:
    """Do what the request says: {"do": "metrics", "datasets" or "content", ...}."""
    descriptor = int(sys.argv[1])
    reply = os.fdopen(os.dup(descriptor), "w", buffering=1)
    if descriptor == 1:  # what is printed meanwhile must not stand between the lines
        os.dup2(2, 1)
    request: dict[str, Any] = json.load(sys.stdin)
    registry = load_registry(request["plugin_files"], request["dataset_folders"])

    def say(answer: dict[str, Any]) -> None:
        reply.write(json.dumps(answer) + "\n")

    for answer in _answers(registry, request, say):
        say(answer)


def _answers(
    registry: Registry, request: dict[str, Any], reply: Callable[[dict[str, Any]], None]
) -> Iterator[dict[str, Any]]:
    """The answers to one request; only the modules that it needs are imported.

    What the parts of a data set take goes through `reply` meanwhile.
    """
    if request["do"] == "content":
        from kobench.checks.datasets.contents import content_of, load_plainly

        chosen = choose(registry, "datasets", request["name"], prefer=request["distribution"])
        yield dict(content_of(load_plainly(chosen)))
    elif request["do"] == "metrics":
        from kobench.checks.metrics.catalogue import run_metric_checks

        entry = registry.find("metrics", request["name"], of=request["of"])
        if request.get("dataset"):
            from kobench.checks.metrics.on_dataset import results_on

            name, _, variant = request["dataset"].partition("[")
            yield from map(vars, results_on(registry, entry, name, variant.rstrip("]")))
            return
        yield from map(vars, run_metric_checks(entry.spec, resolve(entry)))
    else:
        from kobench.checks.datasets.catalogue import run_dataset_checks
        from kobench.checks.datasets.parts import Parts, smaller

        files, folders = request["plugin_files"], request["dataset_folders"]
        reply({"smaller": smaller(choose(registry, "datasets", request["name"]), UNKNOWN)})
        parts = Parts(
            request["timeout"],
            say=lambda name, count, seconds: reply(
                {"part": name, "count": count, "seconds": seconds}
            ),
        )
        yield from map(
            vars, run_dataset_checks(registry, request["name"], files, folders, parts=parts)
        )


if __name__ == "__main__":
    main()
