"""The process in which metrics and data sets are checked: if they crash it, a check has failed.

Started by `kobench.checks.trusted` as `python -m kobench.checks.trusted_child FD`, with one request
in JSON on standard input. It writes JSON lines to FD.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry, resolve
from kobench.plugins.registry import Registry


def main() -> None:
    """Do what the request says: {"do": "metrics", "datasets" or "content", ...}."""
    descriptor = int(sys.argv[1])
    reply = os.fdopen(os.dup(descriptor), "w", buffering=1)
    if descriptor == 1:  # what is printed meanwhile must not stand between the lines
        os.dup2(2, 1)
    request: dict[str, Any] = json.load(sys.stdin)
    registry = load_registry(request["plugin_files"], request["dataset_folders"])
    for answer in _answers(registry, request):
        reply.write(json.dumps(answer) + "\n")


def _answers(registry: Registry, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answers to one request; only the modules that it needs are imported."""
    if request["do"] == "content":
        from kobench.checks.datasets.contents import content_of, load_plainly

        chosen = choose(registry, "datasets", request["name"], prefer=request["distribution"])
        yield dict(content_of(load_plainly(chosen)))
    elif request["do"] == "metrics":
        from kobench.checks.metrics.catalogue import run_metric_checks

        entry = registry.find("metrics", request["name"], of=request["of"])
        yield from map(vars, run_metric_checks(entry.spec, resolve(entry)))
    else:
        from kobench.checks.datasets.catalogue import run_dataset_checks

        files, folders = request["plugin_files"], request["dataset_folders"]
        yield from map(vars, run_dataset_checks(registry, request["name"], files, folders))


if __name__ == "__main__":
    main()
