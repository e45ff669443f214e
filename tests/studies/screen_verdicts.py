"""Coverage of the intervals of `vcc2026`, and how often answers that are as good are told apart.

Run it as `python -m tests.studies.screen_verdicts`. Every repeat is a new screen: its genes, its
perturbations and its cells are drawn from one population. Two answers know more or less of each
perturbation, by chance, so neither is better. Prints the tables of docs/vcc.md: how often an
interval holds the mean score over all repeats, and how often the interval of the difference of both
answers lies above 0, and below.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import scipy.sparse

from kobench.api import Parts, ScreenUnits
from kobench.board.numbers.intervals import Series, mean_interval
from kobench.builtin.metrics.screen import Scaled, mean_of_six
from kobench.cells import FloatArray
from kobench.screens.measure import Counted, measure
from kobench.screens.scale import MEMBERS, Scale

#: Numbers of perturbations.
SIZES = (8, 15, 30)

#: A screen: genes, cells of each perturbation, control cells, counts a cell, bootstrap draws.
GENES, CELLS, CONTROL, DEPTH, DRAWS = 120, 40, 120, 3000, 200

METRICS = {"mean-of-six": mean_of_six, **{name: Scaled(name) for name in MEMBERS}}


def drawn(rng: np.random.Generator, k: int) -> tuple[Counted, list[Counted]]:
    """A screen of k perturbations, and the cells that two answers give."""
    base = rng.lognormal(0, 1.0, GENES)
    load = rng.normal(0, 0.2, (4, GENES))
    shared = np.where(rng.random(GENES) < 0.3, rng.normal(0, 0.3, GENES), 0.0)
    own = np.where(rng.random((k, GENES)) < 0.3, rng.normal(0, 0.6, (k, GENES)), 0.0)
    effect = shared + rng.gamma(2.0, 0.5, (k, 1)) * own
    targets = rng.choice(GENES, k, replace=False)

    def counted(change: FloatArray, control: scipy.sparse.csr_matrix) -> Counted:
        counts = np.concatenate([cells(CELLS, row) for row in change])
        group = np.repeat(np.arange(k), CELLS)
        return Counted(sparse(counts), group, control, [(int(each),) for each in targets])

    def cells(n: int, change: FloatArray) -> FloatArray:
        rate = np.exp(np.log(base) + rng.normal(size=(n, 4)) @ load + change)
        depth = DEPTH * rng.lognormal(0, 0.3, (n, 1))
        return rng.poisson(rate / rate.sum(axis=1, keepdims=True) * depth)

    control = sparse(cells(CONTROL, np.zeros(GENES)))
    real = counted(effect, control)
    answers = [
        counted(
            rng.uniform(0, 1, (k, 1)) * effect
            + rng.normal(0, 0.3, effect.shape) * (rng.random(effect.shape) < 0.3),
            control,
        )
        for _ in range(2)
    ]
    return real, answers


def sparse(counts: FloatArray) -> scipy.sparse.csr_matrix:
    """Counts as kobench takes them."""
    return scipy.sparse.csr_matrix(counts.astype(np.float32))


def scored(real: Counted, answers: list[Counted]) -> list[ScreenUnits]:
    """The units of each answer."""
    true = measure(real)
    scale = Scale.of(real, true)
    found = []
    for answer in answers:
        ours = measure(answer)
        found.append(
            ScreenUnits(
                ours.table,
                true.table,
                ours.error,
                true.error,
                np.arange(real.k),
                true.control_error,
                scale.zero,
                scale.one,
            )
        )
    return found


def once(k: int, seed: int) -> dict[str, FloatArray]:
    """By metric (3, 3): value and ends of the interval of each answer, and of their difference."""
    rng = np.random.default_rng([k, seed])
    units = scored(*drawn(rng, k))
    often = rng.multinomial(k, np.full(k, 1 / k), DRAWS).astype(np.float64)
    found = {}
    for name, metric in METRICS.items():
        values, again = zip(*(value_and_draws(metric(each), often) for each in units), strict=True)
        rows = [*zip(values, again, strict=True), (values[0] - values[1], again[0] - again[1])]
        made = [mean_interval(Series(np.array([v]), d[None], float(k))) for v, d in rows]
        found[name] = np.array([(one.value, one.low, one.high) for one in made], np.float64)
    return found


def value_and_draws(result: Parts | float, often: FloatArray) -> tuple[float, FloatArray]:
    """A value, and the same of perturbations drawn again (d, k); a limit is held in every draw."""
    if not isinstance(result, Parts):
        return result, np.full(len(often), result)
    return result.value, often @ result.sums / (often @ result.weights)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=60.0, help="no repeat begins later")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    given = parser.parse_args()
    found: dict[int, list[dict[str, FloatArray]]] = {k: [] for k in given.sizes}
    start = time.monotonic()
    for seed in range(given.repeats):
        if time.monotonic() - start > 60 * given.minutes:
            break
        for k, each in found.items():
            each.append(once(k, seed))
    print(f"{len(found[given.sizes[0]])} screens of each size\n")
    print(f"| metric, perturbations | {' | '.join(map(str, given.sizes))} |")
    print("|---" * (1 + len(given.sizes)) + "|")
    for name in METRICS:
        print(f"| {name} | {' | '.join(told(name, each) for each in found.values())} |")


def told(name: str, repeats: list[dict[str, FloatArray]]) -> str:
    """Mean score; how often it is in the interval, and a difference above and below 0, in %."""
    values, low, high = np.moveaxis(np.array([each[name] for each in repeats]), 2, 0)
    mean = values[:, :2].mean()
    held = 100 * ((low <= mean) & (mean <= high))[:, :2].mean()
    above, below = 100 * (low[:, 2] > 0).mean(), 100 * (high[:, 2] < 0).mean()
    return f"{mean:.2f}: {held:.1f}; {above:.1f} / {below:.1f}"


if __name__ == "__main__":
    main()
