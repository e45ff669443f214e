"""The growth curves of the harness: simulator, derived impacts, scores, and trials side by side."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from bisect import bisect_left
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from benchmarks.growth import Curve, Work
from benchmarks.limits import fastest
from benchmarks.measure import seconds_of


@cache
def network(genes: int, cells: int) -> Any:
    """A simulated network with its wild-type cells."""
    from kobench.builtin.datasets.grn import load

    return load(genes=genes, cells=cells, seed=0)


def simulated(genes: int, events: int) -> Work:
    """Steady states after single knockouts of simulated cells.

    `idle` is the time for one event, which takes the same loop of calls.
    """
    from kobench.api import Knockouts

    dataset = network(genes, 400)
    singles = Knockouts.singles(dataset.cells.assemblages())
    asked = singles[
        np.random.default_rng(0).choice(len(singles), min(events, len(singles)), replace=False)
    ]
    truth: Any = dataset.truth
    done = steps(truth, asked[:25]) * len(asked)
    return Work(
        fastest(lambda: truth.knockout(asked), 2),
        # a step multiplies and adds for each edge, and takes each gene's saturation, sum,
        # difference and largest change
        operations=done * (2.0 * len(truth.edges) + 10.0 * genes),
        moved=done * 8.0 * (len(truth.edges) + 6.0 * genes),
        held=2.0**21,
        idle=fastest(lambda: truth.knockout(asked[:1]), 3),
    )


def steps(truth: Any, events: Any) -> int:
    """Steps of the iteration within which half of the events settle."""
    from kobench.builtin.datasets.grn.dynamics import Solver

    def settled(budget: int) -> float:
        solver = Solver(truth.network, truth.solver.equation.silenced, budget=budget)
        return float(np.isfinite(replace(truth, solver=solver).knockout(events)).all(axis=1).mean())

    return bisect_left(range(1, 500), 0.5, key=settled) + 1


def derived(genes: int, events: int) -> Work:
    """Both impacts of single knockouts for a predictor that only gives profiles of assemblages.

    It is `masked-mean`, which costs little itself.
    """
    from kobench.api import Cells, Context, Knockouts
    from kobench.builtin.floors.profile import MaskedMean
    from kobench.worker.derive import Asker

    rng = np.random.default_rng(0)
    X = (rng.random((100, genes)) < 0.4) * rng.lognormal(0, 1, (100, genes))
    cells = Cells(X.astype(np.float32), np.array([f"g{gene}" for gene in range(genes)]))
    predictor = MaskedMean()
    predictor.fit(cells, Context(seed=0, device="cpu"))
    singles = Knockouts.singles(cells.assemblages())
    asked = singles[np.sort(rng.choice(len(singles), min(events, len(singles)), replace=False))]
    asker, every = Asker(predictor, ("expression",)), np.ones(genes, bool)
    few = asked[:1]
    # at least: each event's profile, and what it is compared with, written and read once in float64
    return Work(
        fastest(lambda: asker.impacts(cells, asked, every), 2),
        moved=2.0 * 2 * 8 * len(asked) * genes,
        idle=fastest(lambda: asker.impacts(cells, few, every), 3),
    )


def scored(events: int) -> Work:
    """Every metric of impacts of 100 genes, with 200 bootstrap draws.

    `idle` is the time for 300 events.
    """

    def seconds(n: int) -> float:
        from kobench.api import ImpactUnits
        from kobench.builtin.specs.metrics import metric_specs
        from kobench.scoring.bootstrap import Redraw
        from kobench.scoring.metric import score_metric
        from kobench.util.resolve import resolve_reference

        rng = np.random.default_rng(0)
        true = rng.gamma(1.0, 0.1, n)
        units = ImpactUnits(
            true * rng.lognormal(0, 0.5, n),
            true,
            np.arange(n) // 50,
            rng.permutation(np.arange(n) % 100),
        )
        metrics = [
            (spec, resolve_reference(str(spec.score)))
            for spec in metric_specs()
            if spec.of == "impact"
        ]
        return fastest(
            lambda: [
                score_metric(spec, score, units, Redraw("gene", 200)) for spec, score in metrics
            ],
            2,
        )

    return Work(seconds(events), idle=seconds(300))


def trials(jobs: int) -> Work:
    """Seconds of `kobench run` on four equal networks, side by side as `jobs` says."""
    with tempfile.TemporaryDirectory() as out:
        command = [
            sys.executable,
            "-c",
            "from kobench.cli import main; main()",
            "run",
            "-d",
            "grn:genes=60,cells=250",
            "-p",
            "linear",
            "--networks",
            "4",
            "--jobs",
            str(jobs),
            "--out",
            out,
        ]
        return Work(seconds_of(lambda: subprocess.run(command, check=True, capture_output=True))[0])


CURVES = [
    Curve(
        "simulator-events",
        "simulator, single knockouts, 200 genes",
        "events",
        (500, 2000, 8000, 32000),
        1,
        "events are independent; few of them share the cost of the calls of an iteration.",
        lambda events: simulated(200, events),
    ),
    Curve(
        "simulator-genes",
        "simulator, 2,000 single knockouts, degree 3",
        "genes",
        (100, 200, 400, 800, 1600),
        1,
        "an iteration goes over the edges, three a gene, not over pairs of genes.",
        lambda genes: simulated(genes, 2000),
    ),
    Curve(
        "derived-events",
        "impacts derived from profiles, 500 genes",
        "events",
        (1000, 2000, 5000, 10000, 20000),
        1,
        "each event is a row of its own.",
        lambda events: derived(500, events),
    ),
    Curve(
        "derived-genes",
        "impacts derived from profiles, 2,000 events",
        "genes",
        (250, 500, 1000, 2000, 4000),
        1,
        "a predictor that only tells profiles is asked for full rows: what closed forms spare.",
        lambda genes: derived(genes, 2000),
    ),
    Curve(
        "scores-events",
        "all metrics of impacts, 100 genes, 200 draws",
        "events",
        (5000, 10000, 20000, 40000, 80000),
        1,
        "ranks are sorted once, and each draw goes over them (times a slow logarithm).",
        scored,
    ),
    Curve(
        "run-jobs",
        "`kobench run`, `linear` and the floors on 4 networks of 60 genes x 250 cells",
        "jobs",
        (1, 2),
        -1,
        "trials are independent; starting, planning and the board are not shared out.",
        trials,
    ),
]
