"""Whether the p of permuted answers is uniform for predictors that know nothing.

Run it as `python -m tests.studies.permutations` from the repository's root (five minutes). Twelve
predictors answer a population question with changes that have nothing to do with its truth. The
answers are scored and permuted by what scores a trial, and the scores are combined by what makes a
board. Then p must be below 0.05 in 5 % of the rows, and be uniform. Prints the table of
docs/intervals.md.

The changes are made up and not simulated, but like measured ones: a few programs of genes that
perturbations share, of very different strength, and noise. Splits of one dataset share the
perturbed cells, and so most of that noise; networks share nothing. A predictor's answers in two
splits differ by what another half of the cells makes of its fit.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import erfc, sqrt
from typing import Any, cast

import numpy as np
from scipy.stats import kstest

from kobench.api import ResponseUnits
from kobench.board.numbers.networks import Networks
from kobench.board.numbers.permuted import among_all, permuted_of
from kobench.board.numbers.series import Numbers
from kobench.board.numbers.values import Key, Slot
from kobench.board.row import Permuted
from kobench.builtin.metrics.response import pearson_delta_centred
from kobench.builtin.specs.metrics import metric_specs
from kobench.cells import FloatArray, IntArray
from kobench.results.parts import MetricScore
from kobench.scoring.metric import Permuting, score_metric, score_permuted
from kobench.scoring.permutations import PERMUTATIONS
from kobench.scoring.score import KEPT_OF_MANY

GENES, PERTURBATIONS, PREDICTORS = 60, 11, 12

SPEC = next(spec for spec in metric_specs() if spec.name == "pearson-delta-centred")

#: How many splits, or networks, a board has.
NUMBERS = (1, 2, 3, 6, 10)

#: How much of the noise in a truth, and of an answer, is of the split alone (their variance).
OF_SPLIT = 0.2


@dataclass(frozen=True)
class Setting:
    """What a board is made of.

    Attributes
    ----------
    name : str
        What it is called in the table.
    networks : bool
        Whether the number is that of networks, and not of splits of one real dataset.
    splits : int
        Splits of each network.
    lost : float
        Chance of a perturbation to be left out of a split.
    fits : int
        Fits of each split.
    perturbations : int
        How many the dataset has.
    """

    name: str
    networks: bool = False
    splits: int = 1
    lost: float = 0.0
    fits: int = 1
    perturbations: int = PERTURBATIONS


SETTINGS = (
    Setting("splits of one data set"),
    Setting("of 5 perturbations", perturbations=5),
    Setting("of 40 perturbations", perturbations=40),
    Setting("each split without 10 % of the perturbations", lost=0.1),
    Setting("each split without 30 % of 40 perturbations", lost=0.3, perturbations=40),
    Setting("3 fits in each split", fits=3),
    Setting("networks", networks=True),
    Setting("networks with 3 splits each", networks=True, splits=3),
)


def responses(rng: np.random.Generator, *shape: int) -> FloatArray:
    """Changes (..., G) as a screen has them: programs, a few strong perturbations, noise."""
    programs = rng.standard_normal((4, GENES))
    strength = np.exp(rng.standard_normal((*shape, 1)))
    own = rng.standard_normal((*shape, GENES))
    changes: FloatArray = strength * (rng.standard_normal((*shape, 4)) @ programs) / 2 + own
    return changes


def know_nothing(rng: np.random.Generator, kind: int, k: int) -> FloatArray:
    """The answers (k, G) of a predictor; `kind` says how they are spread."""
    answers = rng.standard_normal((k, GENES)) if kind % 3 == 0 else responses(rng, k)
    if kind % 4 == 1:  # one stands out
        answers[rng.integers(k)] *= 20
    if kind % 4 == 2:  # nearly the same for all
        answers = 0.05 * answers + rng.standard_normal(GENES)
    if kind % 4 == 3:  # few genes
        answers = answers * (rng.random((k, GENES)) < 0.1) + 1e-3 * answers
    return answers


def with_noise(rng: np.random.Generator, values: FloatArray) -> FloatArray:
    """Values with the part that is of one split alone."""
    return values + sqrt(OF_SPLIT) * values.std() * rng.standard_normal(values.shape)


def units_of(answers: FloatArray, truth: FloatArray, rows: IntArray) -> ResponseUnits:
    """The perturbations of some rows as the task `response` gives them: without own targets."""
    predicted, true = answers[rows].copy(), truth[rows].copy()
    predicted[np.arange(len(rows)), rows] = np.nan
    true[np.arange(len(rows)), rows] = np.nan
    return ResponseUnits(predicted, true, rows)


@dataclass(frozen=True)
class Fit:
    """The scores of a fit, as far as boards read them for this."""

    metrics: Mapping[str, MetricScore]


@dataclass(frozen=True)
class Scored:
    """The scores of a section: by row, by slot, of each fit."""

    scores: dict[Key, dict[Slot, list[Fit]]]
    networks: Networks = field(default_factory=lambda: Networks(()))

    def first(self, number: int) -> Scored:
        """Those of the first splits, or networks."""
        return Scored(
            {
                key: {slot: fits for slot, fits in slots.items() if int(slot[1][:3]) < number}
                for key, slots in self.scores.items()
            }
        )


def scored(setting: Setting, repeat: int, most: int) -> Scored:
    """What twelve predictors score on that many splits, or networks."""
    found: dict[Key, dict[Slot, list[Fit]]] = defaultdict(dict)
    k = setting.perturbations
    names = np.array([f"P{place}" for place in range(k)])
    for place in range(most if setting.networks else 1):
        rng = np.random.default_rng([repeat, place, setting.networks, k, 7])
        truth = responses(rng, k)
        answers = [know_nothing(rng, kind, k) for kind in range(PREDICTORS)]
        how = Permuting(
            1000 * repeat + place,
            names,
            KEPT_OF_MANY if setting.networks else PERMUTATIONS,
        )
        for split in range(setting.splits if setting.networks else most):
            rng = np.random.default_rng([repeat, place, split, k, 8])
            asked = np.flatnonzero(rng.random(k) >= setting.lost)
            true = with_noise(rng, truth)
            slot = f"network {place}", f"{place if setting.networks else split:03} {split}"
            for kind, answer in enumerate(answers):
                fits = []
                for _ in range(setting.fits):
                    units = units_of(with_noise(rng, answer), true, asked)
                    score = score_metric(SPEC, pearson_delta_centred, units)
                    permuted = score_permuted(SPEC, pearson_delta_centred, units, score.value, how)
                    fits.append(Fit({SPEC.name: replace(score, permuted=permuted)}))
                found["predictor", f"p{kind:02}"][slot] = fits
    return Scored(found)


def board_of(section: Scored) -> dict[Key, Permuted]:
    """What a board says of each row."""
    numbers = cast(Numbers, section)
    found = {key: permuted_of(numbers, key, SPEC.name, 1.0) for key in section.scores}
    return among_all({key: one for key, one in found.items() if one is not None})


def as_if_independent(section: Scored) -> dict[Key, float]:
    """p as boards had it before: every split counted as a network of its own."""
    found = {}
    for key, slots in section.scores.items():
        splits = [[fit.metrics[SPEC.name] for fit in fits] for fits in slots.values()]
        known = [
            [(score.value or 0.0, score.permuted) for score in fits if score.permuted]
            for fits in splits
        ]
        if [len(fits) for fits in known] == [1]:
            found[key] = known[0][0][1].p
            continue
        gain = np.mean([np.mean([value - one.mean for value, one in fits]) for fits in known])
        spread = np.array([np.mean([one.sd for _, one in fits]) for fits in known])
        z = float(gain) / (sqrt(float((spread**2).sum())) / len(known))
        found[key] = erfc(z / sqrt(2)) / 2
    return found


@dataclass(frozen=True)
class Found:
    """The p of every row of all repeats.

    Attributes
    ----------
    p, before : (repeats, predictors) float
        As boards say it, and as they said it before.
    told : (repeats,) bool
        Whether a board says of anybody that it knows which gene was removed.
    """

    p: FloatArray
    before: FloatArray
    told: FloatArray


def study(setting: Setting, repeats: int, numbers: Sequence[int] = NUMBERS) -> dict[int, Found]:
    """The p of rows that know nothing, by how many splits or networks a board has."""
    rows: dict[int, list[Any]] = {number: [] for number in numbers}
    for repeat in range(repeats):
        everything = scored(setting, repeat, max(numbers))
        for number in numbers:
            section = everything.first(number)
            board, before = board_of(section), as_if_independent(section)
            told = any(one.knows for one in board.values())
            rows[number].append(
                ([board[key].p for key in board], [before[key] for key in board], told)
            )
    return {
        number: Found(*(np.array([one[part] for one in found]) for part in range(3)))
        for number, found in rows.items()
    }


def below(p: FloatArray) -> float:
    """The share below 0.05, in percent."""
    return float(100 * np.mean(p < 0.05))


def lines(settings: Sequence[Setting], repeats: int) -> Iterator[str]:
    """The table."""
    yield (
        "| | number | p < 0.05 | uniform (p of kstest) | boards that claim anything | p < 0.05"
        " before | uniform before | boards that claimed anything |"
    )
    yield "| --- " * 8 + "|"
    for setting in settings:
        for number, found in study(setting, repeats).items():
            p, before = found.p.ravel(), found.before.ravel()
            claimed = 100 * np.mean((found.before <= 0.05).any(axis=1))
            yield (
                f"| {setting.name} | {number} | {below(p):.1f} % |"
                f" {kstest(p, 'uniform').pvalue:.2g} | {100 * found.told.mean():.0f} % |"
                f" {below(before):.1f} % | {kstest(before, 'uniform').pvalue:.2g} |"
                f" {claimed:.0f} % |"
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=100, help="boards of each number")
    parser.add_argument("--only", default="", help="settings whose name begins with this")
    given = parser.parse_args()
    chosen = [setting for setting in SETTINGS if setting.name.startswith(given.only)]
    for line in lines(chosen, given.repeats):
        print(line, flush=True)


if __name__ == "__main__":
    main()
