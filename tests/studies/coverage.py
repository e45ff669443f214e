"""How often the board's 95 % intervals hold the long-run value.

Run it as `python -m tests.studies.coverage` from the repository's root. Over networks: K networks
are taken from a pool of hundreds, 2,000 times. The long-run values are those of the whole pool; the
best floor is chosen on the K networks, as a board does. Inside one data set: units are taken from
large populations and drawn again as kobench draws them. Prints the tables of docs/intervals.md.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from kobench.api import Context, Parts, ProfileUnits, RankingUnits
from kobench.board.numbers.intervals import (
    Interval,
    Series,
    mean_interval,
    paired_difference,
    ratio_interval,
)
from kobench.builtin.metrics import profile, ranking
from kobench.cells import FloatArray
from kobench.runner.keys import DRAWS
from kobench.scoring.bootstrap import draws
from tests.studies.pool import COLUMNS, SIZE, Network, add_pool_options, linear, read_pool

ROWS = ("linear", "resampled#0", "hidden#0", "mlp#0")
NETWORKS = (2, 3, 5, 10)


class Tally:
    """How often intervals held what they should, and how wide they were."""

    def __init__(self) -> None:
        self.held: list[bool] = []
        self.widths: list[float] = []
        self.asked = 0

    def add(self, interval: Interval, truth: float) -> None:
        """Add an interval that should hold `truth`."""
        self.asked += 1
        if interval.low is not None and interval.high is not None:
            self.held.append(interval.low <= truth <= interval.high)
            self.widths.append(interval.high - interval.low)

    def __str__(self) -> str:
        return f"{100 * np.mean(self.held):.1f} ({np.median(self.widths):.3f})"


def linearised(top: FloatArray, bottom: FloatArray) -> Interval:
    """The ratio of two means with the t interval of its first-order terms.

    kobench's bootstrap of ratios came to the same.
    """
    value = float(top.mean() / bottom.mean())
    rest = mean_interval(Series((top - value * bottom) / bottom.mean()))
    assert rest.low is not None
    assert rest.high is not None
    return Interval(value, value + rest.low, value + rest.high)


def spanned(tallies: list[Tally]) -> str:
    """The lowest and highest coverage and median width over predictors.

    They are written as `94.1-95.5 (0.020-0.040)`.
    """
    covered = [100 * np.mean(one.held) for one in tallies]
    widths = [np.median(one.widths) for one in tallies]
    given = min(len(one.held) / one.asked for one in tallies)
    some = "" if given > 0.995 else f", given in {given:.0%}"
    return f"{min(covered):.1f}-{max(covered):.1f} ({min(widths):.3f}-{max(widths):.3f}{some})"


def over_networks(pool: dict[str, dict[str, FloatArray]], repeats: int) -> Iterator[str]:
    """Coverage and median width of scores, differences to the best floor, and skills.

    They are given from lowest to highest over the predictors.
    """
    yield (
        "| metric | networks | score | difference to the floor | skill | skill, linearised |\n"
        + "| --- " * 6
        + "|"
    )
    for column, (_, _, best, sign, names) in COLUMNS.items():
        rows = pool[column]
        count = len(next(iter(rows.values())))
        # doing nothing explains 0
        floors = np.stack([rows[name] for name in names]) if names else np.zeros((1, count))
        chosen = floors[np.argmax(sign * floors.mean(axis=1))]
        for k in NETWORKS:
            parts: list[list[Tally]] = [[], [], [], []]
            for row in ROWS:
                if row not in rows or row in names:
                    continue
                values = rows[row]
                gain, gap = sign * (values - chosen).mean(), sign * (best - chosen).mean()
                rng = np.random.default_rng(k)
                score, difference, skill, straight = (Tally() for _ in parts)
                for _ in range(repeats):
                    at = rng.choice(count, k, replace=False)
                    mine, theirs = values[at], floors[:, at]
                    floor = theirs[np.argmax(sign * theirs.mean(axis=1))]
                    top, bottom = sign * (mine - floor), sign * (best - floor)
                    score.add(mean_interval(Series(mine)), values.mean())
                    difference.add(
                        paired_difference(Series(sign * mine), Series(sign * floor)), gain
                    )
                    fieller = ratio_interval(Series(top), Series(bottom))
                    skill.add(fieller, gain / gap)
                    if fieller.low is not None:
                        straight.add(linearised(top, bottom), gain / gap)
                for part, tally in zip(parts, (score, difference, skill, straight), strict=True):
                    part.append(tally)
            yield f"| {column} | {k} | {' | '.join(spanned(part) for part in parts)} |"


class Ratio:
    """A metric that is a ratio of sums over units: sum(predicted) / sum(true)."""

    def __call__(self, units: RankingUnits) -> Parts:
        return Parts("gene", units.genes, np.asarray(units.predicted), np.asarray(units.true))


def of_means(values: FloatArray) -> RankingUnits:
    """Units whose mean is the metric.

    Each is one number, such as a perturbation's correlation or a cell's Bray-Curtis.
    """
    return RankingUnits(values, np.ones(len(values)), np.arange(len(values)))


def populations() -> Iterator[
    tuple[
        str,
        Callable[[RankingUnits], Parts | float],
        float,
        Callable[..., RankingUnits],
        tuple[int, ...],
    ]
]:
    """What is sampled: (name, metric, long-run value, a sample of n units, the n)."""
    rng = np.random.default_rng(0)
    for what, values in (
        (
            "mean correlation, spread widely (tanh N(0.3, 0.4))",
            np.tanh(rng.normal(0.3, 0.4, 200_000)),
        ),
        ("mean correlation near 1 (1 - Beta(1, 8))", 1 - rng.beta(1, 8, 200_000)),
    ):
        yield (
            what,
            Ratio(),
            values.mean(),
            lambda rng, n, v=values: of_means(rng.choice(v, n)),
            (5, 12, 23, 50),
        )
    network = Network(7, {**SIZE, "cells": 20_000})
    cells, training = network.profiles, network.dataset.cells[network.rows[0][:200]]
    model = linear()
    model.fit(training, Context(seed=0, threads=1, device="cpu"))
    predicted = model.predict_expression(cells.assemblages)
    errors = profile.bray_curtis(
        ProfileUnits(predicted, cells.true, cells.assemblages, np.arange(len(predicted)))
    ).sums
    yield (
        "Bray-Curtis of cells (linear)",
        Ratio(),
        errors.mean(),
        lambda rng, n: of_means(rng.choice(errors, n)),
        (30, 140),
    )
    for rho in (0.3, 0.9, 0.98):

        def pairs(rng: np.random.Generator, n: int, rho: float = rho) -> RankingUnits:
            x, noise = rng.normal(size=(2, n))
            return RankingUnits(rho * x + np.sqrt(1 - rho**2) * noise, x, np.arange(n))

        yield (
            f"Spearman of genes, {rho} before ranking",
            ranking.spearman,
            6 / np.pi * np.arcsin(rho / 2),
            pairs,
            (20, 40, 100),
        )

    def changes(rng: np.random.Generator, n: int) -> RankingUnits:
        size = rng.lognormal(0, 1, n)
        return RankingUnits(size * rng.uniform(0.2, 1.0, n), size, np.arange(n))

    yield "explained change of genes, a ratio of sums", Ratio(), 0.6, changes, (12, 40, 100)


def percentiles(value: float, drawn: FloatArray) -> Interval:
    """What kobench gave before: the middle 95 % of the draws."""
    known = drawn[np.isfinite(drawn)]
    return Interval(value, float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975)))


def by_fishers_z(value: float, drawn: FloatArray, units: int) -> Interval:
    """The t interval on the scale of arctanh, taken back."""
    far = np.arctanh(np.clip([value, *drawn], -1 + 1e-9, 1 - 1e-9))
    found = mean_interval(Series(far[:1], far[None, 1:], units))
    return Interval(value, float(np.tanh(found.low)), float(np.tanh(found.high)))


def inside_one(repeats: int) -> Iterator[str]:
    """Coverage inside one data set, of three ways to make an interval of the same draws."""
    yield (
        "| what | units | t with the draws' spread | their percentiles | t by Fisher's z |\n| --- |"
        " --- | --- | --- | --- |"
    )
    for what, metric, truth, sample, sizes in populations():
        for n in sizes:
            rng = np.random.default_rng(n)
            tallies: dict[str, Tally] = defaultdict(Tally)
            for repeat in range(repeats):
                units = sample(rng, n)
                found = metric(units)
                value = found.value if isinstance(found, Parts) else float(found)
                drawn = draws(metric, units, "gene", DRAWS, repeat)
                tallies["t"].add(mean_interval(Series(np.array([value]), drawn[None, :], n)), truth)
                tallies["percentiles"].add(percentiles(value, drawn), truth)
                tallies["z"].add(by_fishers_z(value, drawn, n), truth)
            yield f"| {what} | {n} | {tallies['t']} | {tallies['percentiles']} | {tallies['z']} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_pool_options(parser)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--only", choices=["networks", "inside"])
    given = parser.parse_args()
    if given.only != "inside":
        for line in over_networks(read_pool(given.pool, given.networks), given.repeats):
            print(line, flush=True)
    if given.only != "networks":
        for line in inside_one(given.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
