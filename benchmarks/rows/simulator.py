"""The simulator: single knockouts of the default network against an ODE solver.

A large network is measured, too, and how its cost grows.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.measure import Finding, Row, ratio, seconds_of
from benchmarks.plain.ode import steady_state

#: Events that the plain solver does, drawn at random among all.
PLAIN_EVENTS = 100

#: Of the large network: events in all, and how many are asked at once, as the harness asks them (4
#: million numbers of 2,000 genes).
EVENTS, AT_ONCE = 100_000, 2000


def knockouts(truth: Any, seed: int, count: int | None = None) -> Any:
    """All single knockouts of a truth's cells, or some of them drawn at random, grouped by cell."""
    from kobench.cells import Knockouts

    events = Knockouts.singles(truth.wild_type(np.arange(len(truth.absent))) > 0)
    if count is None or count >= len(events):
        return events
    return events[np.sort(np.random.default_rng(seed).choice(len(events), count, replace=False))]


def plainly(truth: Any, events: Any) -> Callable[[], Any]:
    """The work of solving the equation of each event, from its cell's wild type.

    It returns the states (n, genes).
    """
    edges, weights = truth.edges.tolist(), truth.cell_weights * truth.sign

    def work() -> Any:
        states = []
        for cell, removed in zip(events.cells, events.genes, strict=True):
            inputs: list[list[tuple[int, float]]] = [[] for _ in range(truth.network.genes)]
            for (regulator, target), weight in zip(edges, weights[cell].tolist(), strict=True):
                inputs[target].append((regulator, weight))
            absent = {*np.flatnonzero(truth.absent[cell]).tolist(), *removed.tolist()}
            states.append(steady_state(inputs, truth.steady[cell].tolist(), absent))
        return np.array(states)

    return work


def paper_size(runs: int) -> Finding:
    """Every single knockout of the default network."""
    from kobench.builtin.datasets.grn import load

    truth: Any = load().truth
    every, some = knockouts(truth, 0), knockouts(truth, 1, PLAIN_EVENTS)
    plain = plainly(truth, some)
    slow, fast = plain(), truth.knockout(some)
    read = np.where(slow < 1e-3, 0.0, slow)
    clear = np.abs(slow - 1e-3) > 1e-6  # at the threshold itself either reading is right
    apart = np.abs(fast - read)[clear] / np.maximum(read, 1e-3)[clear]
    return ratio(
        plain,
        lambda: truth.knockout(every),
        runs,
        target=1000.0,
        part=len(some) / len(every),
        facts=(
            (
                "plain: scipy's LSODA, the equation as loops over genes and regulators, one event"
                f" after the other; measured on {len(some)} events drawn at random of"
                f" {len(every):,} and scaled (RK45, solve_ivp's default, takes three times as long,"
                " DOP853 the same)"
            ),
            (
                f"same steady states: largest relative difference {apart.max():.0e},"
                f" {np.isnan(slow).any(axis=1).sum()} events without one"
            ),
            "one thread on both sides",
        ),
    )


def microseconds(genes: int, degree: float, events: int = 3000, cells: int = 60) -> float:
    """Of one event of a network, the best of three."""
    from kobench.builtin.datasets.grn import load

    truth: Any = load(genes=genes, degree=degree, cells=cells).truth
    asked = knockouts(truth, 0, events)
    return 1e6 * min(seconds_of(lambda: truth.knockout(asked))[0] for _ in range(3)) / len(asked)


def exponent(sizes: tuple[float, ...], costs: list[float]) -> float:
    """Slope of log cost on log size."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


@cache
def growth() -> tuple[str, ...]:
    """How the cost of an event grows with edges and with genes, measured."""
    degrees, sizes = (3.0, 6.0, 12.0, 24.0), (250, 500, 1000, 2000)
    by_edges = [microseconds(500, degree) for degree in degrees]
    by_genes = [microseconds(genes, 6000 / genes, 1500) for genes in sizes]
    together = [microseconds(genes, 3.0, 1500) for genes in sizes]

    def figures(costs: list[float]) -> str:
        return ", ".join(f"{cost:.0f}" for cost in costs)

    return (
        (
            f"us an event at 500 genes with {', '.join(f'{500 * d:,.0f}' for d in degrees)} edges:"
            f" {figures(by_edges)} (exponent {exponent(degrees, by_edges):.2f}, at most 1 expected;"
            " denser networks need fewer steps)"
        ),
        (
            f"with 6,000 edges and {', '.join(f'{g:,}' for g in sizes)} genes: {figures(by_genes)} "
            f"(exponent {exponent(sizes, by_genes):.2f}, at most 1 expected)"
        ),
        (
            f"with 3 edges a gene and {', '.join(f'{g:,}' for g in sizes)} genes:"
            f" {figures(together)} (exponent {exponent(sizes, together):.2f}, 1 expected; a product"
            " with all pairs of genes would have 2)"
        ),
    )


def large(runs: int) -> Finding:
    """Random single knockouts of a large network, and how the cost of an event grows."""
    from kobench.builtin.datasets.grn import load

    truth: Any = load(genes=2000, cells=2000).truth
    events = knockouts(truth, 0, EVENTS)

    def work() -> int:
        return sum(
            int(np.isnan(truth.knockout(events[first : first + AT_ONCE])).any(axis=1).sum())
            for first in range(0, EVENTS, AT_ONCE)
        )

    seconds, unsolved = zip(*(seconds_of(work) for _ in range(runs)), strict=True)
    # of this process since it started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Finding(
        seconds,
        300.0,
        "s",
        lower=True,
        seconds=seconds,
        facts=(
            (
                f"{len(truth.edges):,} edges, {len(truth.absent):,} cells, {len(events):,} events"
                f" drawn at random of all single knockouts, {AT_ONCE:,} asked at once; one thread;"
                f" {unsolved[0]} without a steady state"
            ),
            (
                "peak memory of the process, the data set and anything measured before it"
                f" included: {peak:,.0f} MB"
            ),
            *growth(),
        ),
    )


ROWS = [
    Row(
        "simulator-paper",
        "all single knockouts of 500 cells x 100 genes",
        "an ODE solver an event, loops in Python",
        paper_size,
    ),
    Row("simulator-large", "100,000 random knockouts of 2,000 genes x 2,000 cells", "", large),
]
