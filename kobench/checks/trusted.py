"""Checks of metrics and data sets in a process of their own, as `kobench check` runs them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Any

from kobench.checks.process import Result, failed_check
from kobench.errors import UserError


def check_trusted(
    kind: str,
    name: str,
    of: str | None = None,
    plugin_files: Sequence[str] = (),
    dataset_folders: Sequence[str] = (),
    timeout: float | None = None,
) -> list[Result]:
    """One {name, status, found} for each check of a metric or data set, in their order.

    kind : "metrics" or "datasets". of : the kind of units, for a metric. plugin_files,
    dataset_folders : what the registry is loaded with. timeout : seconds for all checks together.
    One that ends its process, or takes too long, fails the check "survives". Raises UserError where
    the module behind the name can't be imported.
    """
    request: dict[str, Any] = {
        "do": kind,
        "name": name,
        "of": of,
        "plugin_files": [os.path.abspath(file) for file in plugin_files],
        "dataset_folders": [os.path.abspath(folder) for folder in dataset_folders],
    }
    ended = ""
    with TemporaryFile("w+") as said, TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "kobench.checks.child", str(said.fileno())],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(said.fileno(),),
            start_new_session=True,
            text=True,
        )
        try:
            process.communicate(json.dumps(request), timeout=timeout)
        except subprocess.TimeoutExpired:
            ended = f"it took longer than {timeout:g} seconds"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what it started goes with it
            code = process.wait()
        for file in (said, output):
            file.seek(0)
        results = [
            {key: str(result[key]) for key in ("name", "status", "found")}
            for result in map(json.loads, said.read().splitlines())
        ]
        last = ([line for line in output.read().splitlines() if line.strip()] or [""])[-1]
    if not ended and code:
        ended = (
            f"its process was ended by {signal.Signals(-code).name}"
            if code < 0
            else f"its process exited with code {code}{f': {last}' if last else ''}"
        )
    if ended and not results and "UserError: " in last:
        raise UserError(last.partition("UserError: ")[2])
    return (
        [*results, failed_check("survives", f"{ended}; {len(results)} checks came before")]
        if ended
        else results
    )
