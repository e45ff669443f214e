"""Impact of every expressed gene in every cell by the `mlp`'s network, from its closed form.

Events a second and memory are measured. Layers are random, of the shape of a fitted network. The
genes that are on are random, too, as many in every cell.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from benchmarks.measure import STATUS, Finding, Row, Skipped, memory_of, said_alone, seconds_of

#: Cells in a call, as many as the harness asks at once.
CELLS_A_CALL = 256

#: Hidden units, as the mlp has by default.
HIDDEN = 128

#: Events that are also worked out plainly.
PLAIN_EVENTS = 200

#: Cells of which the memory is measured, each number in a process of its own.
GROWING = (256, 1024, 4096)


def random_network(genes: int) -> Any:
    """Layers of a network, most of whose values are positive, as those of a fitted one."""
    from benchmarks.plain.impacts import Network

    rng = np.random.default_rng(0)
    W1 = rng.normal(size=(HIDDEN, genes)) / HIDDEN**0.5
    W2 = 0.1 * rng.normal(size=(genes, HIDDEN)) / HIDDEN**0.5
    return Network(W1, 0.1 * rng.normal(size=HIDDEN), W2, rng.uniform(0.1, 2, genes))


def closed_form(network: Any, threads: int) -> Any:
    """What the fitted mlp answers impacts with."""
    import torch
    from kobench_baselines.affine_impacts import AffineImpacts
    from kobench_baselines.network import Layers

    torch.set_num_threads(threads)
    return AffineImpacts(
        Layers(
            *(torch.from_numpy(array) for array in (network.W1, network.b1, network.W2, network.b2))
        ),
        threads,
    )


def random_cells(cells: int, genes: int, expressed: int, seed: int) -> Any:
    """Sparse cells with so many genes on."""
    from scipy.sparse import csr_matrix

    from kobench.api import Cells

    rng = np.random.default_rng(seed)
    on = np.concatenate(
        [np.sort(rng.choice(genes, expressed, replace=False)) for _ in range(cells)]
    )
    X = csr_matrix(
        (np.ones(len(on), np.float32), on, np.arange(cells + 1) * expressed), shape=(cells, genes)
    )
    return Cells(X, np.array([f"g{gene}" for gene in range(genes)]))


def ask_all(ask: Any, cells: int, genes: int, expressed: int) -> int:
    """Ask every single knockout of some cells, drawn and asked call by call.

    Returns
    -------
    int
        The number of events.
    """
    from kobench.api import Knockouts

    done = 0
    for start in range(0, cells, CELLS_A_CALL):
        asked = random_cells(min(CELLS_A_CALL, cells - start), genes, expressed, seed=start)
        done += len(ask(asked, Knockouts.singles(asked.assemblages())).raw)
    return done


def rate(genes: int, expressed: int, calls: int, target: float) -> Any:
    """What measures events a second with all cores.

    What is prepared once for a network is in the facts, not in the rate.
    """

    def measure(runs: int) -> Finding:
        from benchmarks.plain.impacts import impacts
        from kobench.api import Knockouts

        threads = os.cpu_count() or 1
        network = random_network(genes)
        ask = closed_form(network, threads)
        given = [random_cells(CELLS_A_CALL, genes, expressed, seed) for seed in range(calls)]
        events = [Knockouts.singles(cells.assemblages()) for cells in given]
        first, answer = seconds_of(lambda: ask(given[0], events[0]))

        sample = np.random.default_rng(1).choice(len(events[0]), PLAIN_EVENTS, replace=False)
        on = given[0].assemblages()
        part = events[0][sample]
        assert part.cells is not None
        cells_of = part.cells
        slow, plain = seconds_of(
            lambda: (
                np.array(
                    [
                        impacts(network, on[cell], removed)
                        for cell, removed in zip(cells_of, part.genes, strict=True)
                    ]
                ).T
            )
        )
        found = np.array([answer.raw[sample], answer.propagated[sample]])
        off = float(np.max(np.abs(found - plain) / plain))
        same = int((found.round(9) == plain.round(9)).sum())

        busy = time.process_time()
        seconds = [
            seconds_of(lambda: [ask(*asked) for asked in zip(given, events, strict=True)])[0]
            for _ in range(runs)
        ]
        busy = (time.process_time() - busy) / runs
        count = sum(map(len, events))
        return Finding(
            [count / spent for spent in seconds],
            target,
            "events/s",
            seconds=seconds,
            facts=(
                (
                    f"{count:,} events of {calls * CELLS_A_CALL:,} cells, {CELLS_A_CALL} a call,"
                    f" {threads} threads, float64, both impacts; {count / busy:,.0f} events a"
                    " second of CPU time, whatever else the machine does"
                ),
                (
                    f"the first call took {first:.1f} s, with importing numba, loading or compiling"
                    " its code, and the table of columns"
                ),
                (
                    f"one event at a time from the formula, {threads} threads:"
                    f" {PLAIN_EVENTS / slow:,.0f} events/s ({PLAIN_EVENTS} of them); largest"
                    f" relative difference {off:.1g}, {same} of {plain.size} impacts equal to 9"
                    " decimals"
                ),
            ),
        )

    return measure


def peak_mb(genes: int, expressed: int, cells: int) -> float:
    """Peak memory in MB of a fresh process that asks every single knockout of so many cells."""
    code = f"from benchmarks.rows.impacts import peak; peak({genes}, {expressed}, {cells})"
    return float(said_alone(code))


def peak(genes: int, expressed: int, cells: int) -> None:
    """Print the peak memory in MB of this process after asking."""
    ask_all(closed_form(random_network(genes), os.cpu_count() or 1), cells, genes, expressed)
    print(memory_of("VmHWM:") / 1024e3)


def memory(runs: int) -> Finding:
    """The larger peak of both sizes at the largest number of cells.

    It is measured once, as it is the same in every run.
    """
    if not STATUS.exists():
        raise Skipped("peak memory of a process is read from /proc")
    small = [peak_mb(2_000, 300, cells) for cells in GROWING]
    large = [peak_mb(8_000, 2_000, cells // 4) for cells in GROWING]

    def told(peaks: list[float], cells: list[int], genes: str) -> str:
        return f"{genes}: " + ", ".join(
            f"{peak:,.0f} MB for {n:,} cells" for peak, n in zip(peaks, cells, strict=True)
        )

    facts = (
        told(small, list(GROWING), "2,000 genes, 300 expressed"),
        told(
            large,
            [cells // 4 for cells in GROWING],
            "8,000 genes, 2,000 expressed (the table of columns has 512 MB)",
        ),
        (
            "whole process with its imports, peak resident memory; cells are drawn and asked 256 at"
            " a time"
        ),
    )
    return Finding([max(small[-1], large[-1])], 2048, "MB", lower=True, facts=facts)


ROWS = [
    Row(
        "impacts-2000",
        "impacts of all genes on in all cells, mlp, 2,000 genes with 300 expressed",
        "",
        rate(2_000, 300, 8, 2e6),
    ),
    Row(
        "impacts-8000",
        "impacts of all genes on in all cells, mlp, 8,000 genes with 2,000 expressed",
        "",
        rate(8_000, 2_000, 1, 150e3),
    ),
    Row("impacts-memory", "peak memory of the same, whatever the number of cells", "", memory),
]
