"""Checks metrics and data sets in a process of their own, as `kobench check` does.

They are trusted code without a sandbox: a metric sees the truth, and a data set hands it out.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from typing import Any

from kobench.checks.datasets.parts import LOADING, Part, told
from kobench.checks.predictors import Result, failed_check
from kobench.errors import UserError
from kobench.util.processes import signal_name

#: The module that is run in the process.
CHILD = "kobench.checks.trusted_child"


def check_trusted(
    kind: str,
    name: str,
    of: str | None = None,
    plugin_files: Sequence[str] = (),
    dataset_folders: Sequence[str] = (),
    timeout: float | None = None,
    dataset: str | None = None,
) -> list[Result]:
    """Run the checks of a metric or data set in a process of its own.

    Parameters
    ----------
    kind : {"metrics", "datasets"}
        What is checked.
    name : str
        Its name, with parameters for a data set: `name:key=value,...`.
    of : str, optional
        The kind of units, for a metric.
    plugin_files, dataset_folders : sequence of str
        What the registry is loaded with.
    timeout : float, optional
        Seconds for all checks together.
    dataset : str, optional
        For a metric a data set, on which controls of known quality take the place of the checks; a
        variant of the task's units follows in square brackets.

    Returns
    -------
    list of dict
        One {"name", "status", "found"} a check, in their order. A process that ends early, or takes
        too long, fails the check "survives".

    Raises
    ------
    UserError
        If the module behind the name can't be imported.
    """
    request: dict[str, Any] = {
        "do": kind,
        "name": name,
        "of": of,
        "plugin_files": [os.path.abspath(file) for file in plugin_files],
        "dataset_folders": [os.path.abspath(folder) for folder in dataset_folders],
        "timeout": timeout,
        "dataset": dataset,
    }
    with TemporaryFile("w+") as replies, TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", CHILD, str(replies.fileno())],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(replies.fileno(),),
            start_new_session=True,
            text=True,
        )
        ended = late = _finish(process, json.dumps(request), timeout)
        for file in (replies, output):
            file.seek(0)
        lines = list(map(json.loads, replies.read().splitlines()))
        results = [
            {key: str(result[key]) for key in ("name", "status", "found")}
            for result in lines
            if "status" in result
        ]
        last = ([line for line in output.read().splitlines() if line.strip()] or [""])[-1]
    code = process.returncode
    if not ended and code < 0:
        ended = f"its process was ended by {signal_name(-code)}"
    elif not ended and code > 0:
        ended = f"its process exited with code {code}{f': {last}' if last else ''}"
    if not ended:
        return results
    if not results and "UserError: " in last:
        raise UserError(last.partition("UserError: ")[2])
    said = f"{ended}; {len(results)} checks came before{what_was_slow(lines) if late else ''}"
    return [*results, failed_check("survives", said)]


def what_was_slow(lines: Sequence[Mapping[str, Any]]) -> str:
    """What the parts of a data set took until it was stopped, and what to check instead.

    Parameters
    ----------
    lines : sequence of mapping
        What its process wrote: parts that began and ended, and a smaller choice.

    Returns
    -------
    str
        "" where it wrote nothing of these.
    """
    parts: dict[str, Part] = {}
    begun = ""
    for line in (line for line in lines if "part" in line):
        name, count = str(line["part"]), int(line["count"])
        if line["seconds"] is None:
            begun = name if name == LOADING else f"{count:,} {name}"
            continue
        begun = ""
        parts.setdefault(name, Part()).add(count, float(line["seconds"]))
    found = [f"it took {told(parts)}"] if parts else []
    found += [f"{begun} had not ended"] if begun else []
    found += [str(line["smaller"]) for line in lines if "smaller" in line]
    return f"; {'; '.join(found)}" if found else ""


def _finish(process: subprocess.Popen[str], request: str, timeout: float | None) -> str:
    """Hand over the request, wait for the end; returns why the process was stopped, or ""."""
    try:
        process.communicate(request, timeout=timeout)
    except subprocess.TimeoutExpired:
        return f"it took longer than {timeout:g} seconds"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it started ends with it
        process.wait()
    return ""
