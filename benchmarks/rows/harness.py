"""`list`, `help`, `trial` and `jobs`: what the harness itself costs.

It is measured around predictors that cost nothing or a known amount.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Finding, Row, Skipped

#: Predictors of a plugin file, as a stranger's are.
PLUGIN = Path(__file__).parent.parent / "plain" / "trivial.py"

#: What no listing may import.
HEAVY = ("numpy", "scipy", "pandas", "anndata", "torch", "sklearn", "xgboost", "numba", "rich")

#: The same command as the installed script, and one that says which heavy packages it has imported.
KOBENCH = "from kobench.cli import main; main()"
LOADED = (
    f"import sys, atexit; atexit.register(lambda: print(sorted(set(sys.modules) & set({HEAVY!r})),"
    f" file=sys.stderr)); {KOBENCH}"
)

#: What `kobench run` does up to the last record, without the board: folder of the results,
#: predictor, the rest of the request and the jobs.
NO_BOARD = f"""
import json, sys
from pathlib import Path
from kobench.plugins.load import load_registry
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
folder, predictor, more = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
jobs = more.pop("jobs", 1)
registry = load_registry(plugin_files=[{str(PLUGIN)!r}])
groups = make_plan(registry, Request(["grn"], [predictor], **more))
Run(folder).run(groups, jobs)
"""

#: Numerical libraries keep to one thread, as the command itself has it.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

#: Number of equal trials, one a network.
EQUAL = 8

#: Number of fits of one network, from which the cost of a further trial is found.
FITS = 6

#: Million steps of the loop in a fit.
MILLIONS = 60

#: Numbers of trials that lie in the folder of results from before.
BEFORE = (0, 50, 200)


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes
    ----------
    wall : float
        Seconds from its start to its end.
    cpu : float
        User and system seconds of it, and of all it started and waited for.
    errors : str
        What it wrote to standard error.
    """

    wall: float
    cpu: float
    errors: str


def cost_of(
    arguments: Sequence[str], code: str = KOBENCH, more: Mapping[str, str] | None = None
) -> Cost:
    """Run a kobench command, or other code with these arguments, in a process of its own.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ONE_THREAD, **(more or {})},
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(
            f"kobench {' '.join(arguments)} ended with {process.returncode}:"
            f" {errors.strip()[-500:]}"
        )
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime, errors)


def start_up(arguments: Sequence[str], runs: int) -> Finding:
    """CPU seconds of a command that only looks.

    The cache of plugins' descriptions is filled; the first command, which fills it, is in the
    facts.
    """
    with TemporaryDirectory() as folder:
        own = {"KOBENCH_CACHE": folder}
        first = cost_of(arguments, more=own)
        heavy = cost_of(arguments, LOADED, own).errors.splitlines()[-1]
        found = [cost_of(arguments, more=own) for _ in range(runs)]
    facts = (
        (
            f"user and system seconds of the command; wall {median(one.wall for one in found):.3f}"
            f" s; the first one, which fills the cache of descriptions, {first.cpu:.2f} s of CPU"
        ),
        f"imported of {', '.join(HEAVY)}: {heavy}",
    )
    return Finding(
        [one.cpu for one in found],
        0.3,
        "s",
        lower=True,
        seconds=[one.wall for one in found],
        facts=facts,
    )


def run_of(folder: Path, *predictors: str) -> list[str]:
    """The arguments of `kobench run` on `grn` as it is by default, board as JSON."""
    named = [word for predictor in predictors for word in ("-p", predictor)]
    return ["run", "-d", "grn", *named, "--plugin", str(PLUGIN), "--out", str(folder), "--json"]


def without_board(folder: Path, predictor: str, **more: Any) -> Cost:
    """The same up to the last record.

    `more` goes into the request, or is the number of jobs.
    """
    return cost_of([str(folder), predictor, json.dumps(more)], NO_BOARD)


def records_of(folder: Path, role: str) -> dict[str, dict[str, Any]]:
    """Records by file name, those of a role alone, or all for ""."""
    found = {
        path.name: json.loads(path.read_text())
        for path in sorted((folder / "records").glob("*.json"))
    }
    return {name: record for name, record in found.items() if role in ("", record["role"])}


def fill(folder: Path, model: Path, number: int) -> None:
    """Add earlier trials with answers to a folder of results.

    They are copies of a real one under other names, which is all that a run sees of what it didn't
    plan.

    Parameters
    ----------
    folder : Path
        The folder of results.
    model : Path
        A folder of results with one trial of a predictor.
    number : int
        How many are added.
    """
    (name,) = records_of(model, "predictor")
    (folder / "answers").mkdir(exist_ok=True)
    for copy in range(number):
        shutil.copy(model / "records" / name, folder / "records" / f"{copy:024x}.json")
        for place, path in enumerate(sorted((model / "answers").glob("*.npz"))):
            shutil.copy(path, folder / "answers" / f"{copy:060x}{place:04x}.npz")


def trial(runs: int) -> Finding:
    """One trial whose floors and lines are on record.

    It is start, load, split, truth, worker, scores and record, without the board.
    """
    alone: dict[int, list[Cost]] = {before: [] for before in BEFORE}
    further: dict[int, list[float]] = {before: [] for before in BEFORE}
    with TemporaryDirectory() as place:
        basis, model, folder = (Path(place) / name for name in ("basis", "model", "results"))
        floors = cost_of(run_of(basis))
        shutil.copytree(basis, model)
        whole = cost_of(run_of(model, "trivial"))
        for _ in range(runs):
            for before in BEFORE:
                shutil.copytree(basis, folder)
                fill(folder, model, before)
                one = without_board(folder, "trivial")
                # the first fit is on record by now
                rest = without_board(folder, "trivial", fit_seeds=FITS)
                alone[before].append(one)
                further[before].append((rest.wall - one.wall) / (FITS - 2))
                shutil.rmtree(folder)
        number = len(records_of(basis, ""))
    walls = {before: [one.wall for one in costs] for before, costs in alone.items()}
    shown = (
        f"{before} earlier trials: {median(walls[before]):.2f} and {median(further[before]):.2f} s"
        for before in BEFORE
    )
    facts = (
        (
            "a process for one trial, and each further trial of one process, beside"
            f" {', '.join(shown)}"
        ),
        f"CPU of the process and its worker: {median(one.cpu for one in alone[0]):.2f} s",
        f"the command with its board as JSON: {whole.wall:.2f} s, {whole.cpu:.2f} s of CPU",
        (
            f"made once for all predictors: {number} records of floors and lines, by a command of"
            f" {floors.wall:.2f} s, {floors.cpu:.2f} s CPU"
        ),
        "the earlier trials are copies of a real record and its answers under other names",
    )
    return Finding(walls[0], 2.0, "s", lower=True, seconds=walls[0], facts=facts)


def jobs(runs: int, predictor: str, **more: Any) -> Finding:
    """Wall seconds of equal trials by two jobs and by one, up to the last record.

    There is one trial for each network, with its floors and lines.
    """
    one: list[Cost] = []
    two: list[Cost] = []
    with TemporaryDirectory() as place:
        for _ in range(runs):
            for number, costs in ((1, one), (2, two)):
                shutil.rmtree(Path(place) / str(number), ignore_errors=True)
                costs.append(
                    without_board(
                        Path(place) / str(number), predictor, networks=EQUAL, jobs=number, **more
                    )
                )
        both = [records_of(Path(place) / number, "") for number in ("1", "2")]
    differ = sum(
        {**both[0][name], "run": None} != {**both[1][name], "run": None} for name in both[0]
    )
    busy = [found["run"] for found in both[0].values() if found["role"] == "predictor"]
    working = sum(run["fit_seconds"] + run["predict_seconds"] for run in busy)
    facts = (
        (
            f"{differ} of {len(both[0])} records differ between the two but for the part that says"
            " what they cost"
        ),
        (
            f"CPU: {median(cost.cpu for cost in one):.1f} s by one job,"
            f" {median(cost.cpu for cost in two):.1f} s by two; {os.cpu_count()} cores, one thread"
            " a trial on both sides"
        ),
        (
            f"of the time by one job, {working / one[-1].wall:.0%} is fit and answers of the"
            " predictor; the rest is truth, floors, lines and scores"
        ),
    )
    ratios = [slow.wall / quick.wall for slow, quick in zip(one, two, strict=True)]
    return Finding(
        ratios,
        1.7,
        "x",
        seconds=[cost.wall for cost in two],
        plain_seconds=[cost.wall for cost in one],
        facts=facts,
    )


def jobs_of_mlp(runs: int) -> Finding:
    """As above with a real predictor, on two tasks; raises Skipped where it isn't installed."""
    if find_spec("kobench_baselines") is None or find_spec("torch") is None:
        raise Skipped("mlp isn't installed; pip install -e 'plugins/kobench-baselines[all]'")
    return jobs(runs, "mlp", tasks=("profile", "knockout-impact"))


ROWS = [
    Row("list", "`kobench list`, CPU", "", lambda runs: start_up(["list"], runs)),
    Row("help", "`kobench --help`, CPU", "", lambda runs: start_up(["--help"], runs)),
    Row(
        "trial",
        "one trial of a trivial predictor on `grn` from the start of the process to its record",
        "",
        trial,
    ),
    Row(
        "jobs",
        f"{EQUAL} networks of `grn`, a fit of fixed work each, `--jobs 2`",
        "`--jobs 1`",
        lambda runs: jobs(runs, f"busy:millions={MILLIONS}"),
    ),
    Row(
        "jobs-mlp",
        f"{EQUAL} networks of `grn`, the MLP on two tasks, `--jobs 2`",
        "`--jobs 1`",
        jobs_of_mlp,
    ),
]
