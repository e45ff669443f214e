"""`additive` on large networks: processor seconds and memory of a fit and of knockouts."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from benchmarks.measure import STATUS, Finding, Row, Skipped, memory_of, said_alone

#: Cells that are fitted to, and knockouts that are asked, each of one gene in one of them.
CELLS, KNOCKOUTS = 1000, 1000

#: Sizes of networks.
SIZES = (1_000, 2_000, 5_000)


def network(genes: int) -> Any:
    """Cells of a simulated network."""
    from kobench.api import Cells
    from kobench.builtin.datasets.grn import load

    cells = load(genes=genes, cells=CELLS).cells
    return Cells(np.asarray(cells.dense(), np.float64), cells.var_names, {})


def work(genes: int) -> None:
    """Print what a fit and knockouts take, as JSON: seconds, and MB over what the cells took."""
    from kobench_baselines.additive import Additive

    from kobench.api import Context, Knockouts

    cells = network(genes)
    rng = np.random.default_rng(0)
    asked = np.sort(rng.integers(0, CELLS, KNOCKOUTS)).astype(np.int32)
    on = np.asarray(cells.dense()) > 0
    removed = np.array([[rng.choice(np.flatnonzero(on[cell]))] for cell in asked])
    before, start = memory_of("VmRSS:"), time.process_time()
    predictor = Additive()
    predictor.fit(cells, Context(seed=0, threads=1, device="cpu"))
    fitted = time.process_time()
    predictor.predict_knockout(cells, Knockouts(removed, asked))
    print(
        json.dumps(
            {
                "fit": fitted - start,
                "answers": time.process_time() - fitted,
                "memory": (memory_of("VmHWM:") - before) / 2**20,
            }
        )
    )


def taken(genes: int) -> dict[str, float]:
    """What `work` prints in a process of its own."""
    code = f"from benchmarks.rows.additive import work; work({genes})"
    found: dict[str, float] = json.loads(said_alone(code).strip().splitlines()[-1])
    return found


def told(genes: int, found: dict[str, float]) -> str:
    """The finding of one size in words."""
    return (
        f"{genes:,} genes: fit {found['fit']:.0f} s, {KNOCKOUTS:,} knockouts"
        f" {found['answers']:.1f} s, {found['memory']:,.0f} MB"
    )


def measure(runs: int) -> Finding:
    """Processor seconds of the largest size, once: how long the others take says how they grow."""
    if not STATUS.exists():
        raise Skipped("peak memory of a process is read from /proc")
    return finding({genes: taken(genes) for genes in SIZES})


def finding(found: dict[int, dict[str, float]]) -> Finding:
    """What is said of what all sizes take, the largest last."""
    largest = found[SIZES[-1]]
    seconds = largest["fit"] + largest["answers"]
    facts = (
        f"one thread, {CELLS:,} cells, no lost readings; seconds of the processor, one run a size;"
        " memory is the peak over what there was before the fit, of which the cells are 8 MB for"
        " 1,000 genes",
        "; ".join(told(genes, each) for genes, each in found.items()),
    )
    return Finding([seconds], 300.0, "s", lower=True, seconds=[seconds], facts=facts)


ROWS = [
    Row(
        "additive-5000",
        "`additive`, fit and 1,000 knockouts, 5,000 genes x 1,000 cells",
        "",
        measure,
    )
]
