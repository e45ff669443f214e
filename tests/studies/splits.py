"""Whether scores averaged over splits have honest intervals, and how often they show what is there.

Run it as `python -m tests.studies.splits` from the repository's root (ten minutes). Planted
populations: the wild-type cells of one simulated network are halved many times, and the change in
each of its 100 knockouts is measured against the reference half by kobench's own formula. A board
takes knockouts and splits at random (knockouts with replacement, so that they are independent).
Predictors answer from the training half, with errors of their own; they are scored, drawn again,
averaged over splits and compared by what makes boards.

- `answer` is scored alone: how often does the interval hold its score in the long run, over all
  knockouts and splits?
- `twin` and the floor are the same answer with other errors, drawn anew on every board, so in the
  long run neither is better: how often is there a verdict?

Prints the table of docs/intervals.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from kobench.api import ResponseUnits
from kobench.board.numbers.intervals import Series, combine, mean_interval
from kobench.board.numbers.skill import verdict_of
from kobench.board.numbers.values import block_series
from kobench.builtin.datasets.grn.planted import generate_planted
from kobench.builtin.metrics.response import pearson_delta_centred
from kobench.builtin.specs.metrics import metric_specs
from kobench.cells import FloatArray, IntArray, normalise_rows
from kobench.datasets.split import rows_of
from kobench.scoring.bootstrap import Redraw
from kobench.scoring.metric import score_metric
from kobench.truth.population.measure import change
from kobench.truth.population.measured import Screened

SPEC = next(spec for spec in metric_specs() if spec.name == "pearson-delta-centred")

GENES, SPLITS, NETWORKS = 100, 32, 4

#: Knockouts of a board, and its splits.
PERTURBATIONS, NUMBERS = (15, 40), (1, 2, 8)

#: How many wild-type cells there are: the fewer, the more a split decides.
CELLS = (40, 300)

#: How large the errors of an answer are beside it, and which part of them (variance) each split
#: has to itself.
ERROR, OF_SPLIT = 1.0, 0.2


@dataclass(frozen=True)
class Screen:
    """A planted population in many splits.

    Attributes
    ----------
    true, answer : (S, k, G) float
        In each split the measured change in each knockout, and the answer to it.
    """

    true: FloatArray
    answer: FloatArray


def screen(cells: int, seed: int) -> Screen:
    """The change in every knockout of a network, and an answer, in many splits of its cells.

    The answer is what the covariance of the training half says of a gene that is taken away.
    """
    params = {"genes": GENES, "cells": cells, "perturbations": GENES, "perturbed_cells": 40}
    dataset = generate_planted({**params, "seed": seed})
    assert dataset.perturbed is not None
    true, answers, names = [], [], []
    for split in range(SPLITS):
        training, reference = rows_of(dataset, "halves", split)
        found = Screened.of(dataset, dataset.perturbed, training, reference)
        targets = [found.targets[name] for name in found.names]
        measured = []
        for name, genes in zip(found.names, targets, strict=True):
            ours, theirs = found.screen._matched(found.cells(name), genes, reference)
            pair = found.screen.perturbed[ours], found.screen.wild_type[theirs]
            measured.append(change(*pair, genes))
        profiles = normalise_rows(np.asarray(dataset.cells[training].X, np.float64))
        covariance = -np.cov(profiles.T)
        true.append(dict(zip(found.names, measured, strict=True)))
        answers.append({name: covariance[found.targets[name][0]] for name in found.names})
        names.append(set(found.names))
    both = sorted(set.intersection(*names))  # few cells may not do for all in every split
    truth, answer = (
        np.array([[one[name] for name in both] for one in each]) for each in (true, answers)
    )
    answer[np.isnan(truth)] = np.nan
    return Screen(truth, answer)


def with_errors(rng: np.random.Generator, answer: FloatArray) -> FloatArray:
    """An answer (R, n, G) with errors of its own, most of them the same in every split."""
    scale = ERROR * np.nanstd(answer, axis=(0, 2), keepdims=True)
    shared = rng.standard_normal(answer.shape[1:])
    own = rng.standard_normal(answer.shape)
    errors: FloatArray = answer + scale * (sqrt(1 - OF_SPLIT) * shared + sqrt(OF_SPLIT) * own)
    return errors


def values_of(answer: FloatArray, true: FloatArray) -> float:
    """The mean score over splits of answers (R, n, G)."""
    rows = np.arange(true.shape[1])
    found = [
        pearson_delta_centred(ResponseUnits(one, each, rows)).value
        for one, each in zip(answer, true, strict=True)
    ]
    return float(np.mean(found))


def series_of(answer: FloatArray, true: FloatArray, seed: int) -> Series:
    """What a board makes of the answers (R, n, G) of R splits: the mean with its draws."""
    n = true.shape[1]
    names = np.array([f"P{place:03}" for place in range(n)])
    slots = {}
    for split, (one, each) in enumerate(zip(answer, true, strict=True)):
        units = ResponseUnits(one, each, np.arange(n))
        score = score_metric(
            SPEC, pearson_delta_centred, units, Redraw("perturbation", 300, seed, names)
        )
        assert score.value is not None
        slots["screen", f"{split:03}"] = [(float(score.value), score.draws)]
    found = block_series(slots, {"screen"})
    return Series(found.values, found.draws, float(n), found.splits)


def over_perturbations_alone(series: Series) -> Series:
    """The same without what splits add."""
    return Series(series.values, series.draws, series.units)


@dataclass
class Counts:
    """What was found over repeats."""

    held: list[bool] = field(default_factory=list)
    held_alone: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)


def repeat(
    found: Screen, target: float, n: int, splits: int, rng: np.random.Generator, counts: Counts
) -> None:
    """One board."""
    knockouts: IntArray = rng.integers(0, found.true.shape[1], n)
    chosen = rng.choice(SPLITS, splits, replace=False)
    true = found.true[chosen][:, knockouts]
    answer = found.answer[chosen][:, knockouts]
    seed = int(rng.integers(2**31))
    alone = series_of(answer, true, seed)
    for held, series in (
        (counts.held, alone),
        (counts.held_alone, over_perturbations_alone(alone)),
    ):
        interval = mean_interval(series)
        assert interval.low is not None
        assert interval.high is not None
        held.append(interval.low <= target <= interval.high)
        if held is counts.held:
            counts.widths.append(interval.high - interval.low)
    one, two = (series_of(with_errors(rng, answer), true, seed) for _ in range(2))
    difference = mean_interval(combine(np.subtract, one, two))
    counts.verdicts.append(verdict_of(difference))


def lines(repeats: int, cells: tuple[int, ...]) -> Iterator[str]:
    """The table."""
    yield (
        "| wild-type cells | knockouts | splits | score in the long run | its interval holds it |"
        " over perturbations alone | median width | twins: ▲ | ▼ |"
    )
    yield "| --- " * 9 + "|"
    for number in cells:
        screens = [screen(number, seed) for seed in range(NETWORKS)]
        for n in PERTURBATIONS:
            targets = []
            for place, found in enumerate(screens):
                rng = np.random.default_rng([number, n, place, 3])
                drawn = []
                for _ in range(100):
                    rows = rng.integers(0, found.true.shape[1], n)
                    drawn.append(values_of(found.answer[:, rows], found.true[:, rows]))
                targets.append(float(np.mean(drawn)))
            for splits in NUMBERS:
                counts = Counts()
                for step in range(repeats):
                    place = step % NETWORKS
                    rng = np.random.default_rng([number, n, splits, step, 5])
                    repeat(screens[place], targets[place], n, splits, rng, counts)
                up, down = (
                    100 * np.mean([one == what for one in counts.verdicts])
                    for what in ("better", "worse")
                )
                yield (
                    f"| {number} | {n} | {splits} | {np.mean(targets):.3f} |"
                    f" {100 * np.mean(counts.held):.1f} % |"
                    f" {100 * np.mean(counts.held_alone):.1f} % |"
                    f" {np.median(counts.widths):.3f} | {up:.1f} % | {down:.1f} % |"
                )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=400, help="boards of each kind")
    parser.add_argument("--cells", type=int, nargs="*", default=CELLS, help="wild-type cells")
    given = parser.parse_args()
    for line in lines(given.repeats, tuple(given.cells)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
