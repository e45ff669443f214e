"""Genome scale from the command line to the file.

Keystone rankings of 7,868 genes in real nuclei are measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Finding, Row, Skipped, seconds_of

#: What a laptop has to spare, in MB.
MOST_MB = 4096.0


def ranking(*arguments: str) -> Callable[[int], Finding]:
    """What measures `kobench predict retina-nuclei --what keystone` with these arguments.

    It uses all cores.
    """

    def measure(runs: int) -> Finding:
        command = [
            sys.executable,
            "-c",
            "from kobench.cli import main; main()",
            "predict",
            "retina-nuclei",
            "--what",
            "keystone",
            "--threads",
            str(os.cpu_count() or 1),
            "--json",
            *arguments,
        ]
        seconds, parents = [], []
        for _ in range(runs):
            with TemporaryDirectory() as folder:
                wall, (done, parent_mb) = seconds_of(
                    partial(told, [*command, "-o", str(Path(folder) / "keystones.csv")])
                )
            seconds.append(wall)
            parents.append(parent_mb)
        memory = done["peak_mb"] + max(parents)
        within = "within" if memory <= MOST_MB else "MORE THAN"
        facts = (
            (
                f"{done['cells']:,} nuclei, {done['events']:,} knockouts to a ranking of"
                f" {done['rows']:,} genes; fit {done['fit_seconds']:.1f} s, answers"
                f" {done['predict_seconds']:.1f} s; {os.cpu_count()} threads"
            ),
            (
                f"peak memory {done['peak_mb']:,.0f} MB of the predictor's process, and no process"
                f" of the command had more than {max(parents):,.0f} MB; both together {within}"
                f" {MOST_MB:,.0f} MB"
            ),
        )
        return Finding(seconds, 300.0, "s", lower=True, seconds=seconds, facts=facts)

    return measure


def told(command: list[str]) -> tuple[dict[str, float], float]:
    """What the command gives as JSON, and the peak memory of its largest process in MB.

    Raises
    ------
    Skipped
        If the data set is not at hand.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    said, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        if "KOBENCH_DATA" in errors:
            raise Skipped(errors.strip().splitlines()[-1])
        raise RuntimeError(errors)
    return json.loads(said), usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


ROWS = [
    Row(
        "predict-mlp",
        "`kobench predict` on 1,000 nuclei x 7,868 genes, every knockout of every cell, `mlp`",
        "",
        ranking("-p", "mlp"),
    ),
    Row(
        "predict-any",
        "the same of a predictor that only tells profiles, `linear`, 80,000 knockouts drawn at"
        " random",
        "",
        ranking("-p", "linear", "--events", "80000"),
    ),
]
