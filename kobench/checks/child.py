"""The process in which metrics and data sets are checked, so that a crash of theirs is a failed
check and no more.

Started as `python -m kobench.checks.child FD` with one request in JSON on standard input; it
writes JSON lines to FD.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry, resolve


def main() -> None:
    """Do what the request says: {"do": "metrics", "datasets" or "content", ...}."""
    reply = os.fdopen(os.dup(int(sys.argv[1])), "w", buffering=1)
    if int(sys.argv[1]) == 1:  # what is printed meanwhile must not stand between the lines
        os.dup2(2, 1)
    request: dict[str, Any] = json.load(sys.stdin)
    files, folders = request["plugin_files"], request["dataset_folders"]
    registry = load_registry(files, folders)
    if request["do"] == "content":
        from kobench.checks.datasets.contents import content_of, load_plainly

        dataset = load_plainly(
            choose(registry, "datasets", request["name"], prefer=request["distribution"])
        )
        reply.write(json.dumps(content_of(dataset)) + "\n")
        return
    if request["do"] == "metrics":
        from kobench.checks.metrics.checks import run_metric_checks

        entry = registry.find("metrics", request["name"], of=request["of"])
        results = run_metric_checks(entry.spec, resolve(entry))
    else:
        from kobench.checks.datasets.checks import run_dataset_checks

        results = run_dataset_checks(registry, request["name"], files, folders)
    for result in results:
        reply.write(json.dumps(vars(result)) + "\n")


if __name__ == "__main__":
    main()
