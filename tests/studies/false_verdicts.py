"""How often two answers that are as good are told apart by centred correlations.

Run it as `python -m tests.studies.false_verdicts`. Perturbations of made screens differ in
strength; of each perturbation either answer knows more or less, by chance, so neither is better.
Prints the table of docs/metrics.md: the share of repeats in which the 95 % interval of their
difference lies above 0, and below, with and without what a perturbation moves the others by.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from kobench.api import Parts, ResponseUnits
from kobench.board.numbers.intervals import Series, mean_interval
from kobench.builtin.metrics.response import pearson_delta_centred, pearson_delta_centred_unit
from kobench.cells import FloatArray

METRICS = {
    "pearson-delta-centred": pearson_delta_centred,
    "pearson-delta-centred-unit": pearson_delta_centred_unit,
}

#: Numbers of perturbations.
SIZES = (5, 7, 10, 15, 25)

GENES = 60


def verdicts(
    score: Callable[[ResponseUnits], Parts], k: int, repeats: int, draws: int = 200
) -> FloatArray:
    """(2, 2) shares of repeats with an interval above 0 and below, with `moves` and without."""
    found = np.zeros((2, 2))
    for seed in range(repeats):
        rng = np.random.default_rng([k, seed])
        true = rng.gamma(1.0, 1.0, (k, 1)) * rng.normal(size=(k, GENES))
        of_one_length = true / np.sqrt((true**2).mean(axis=1, keepdims=True))
        parts = []
        for _ in range(2):
            predicted = of_one_length * rng.normal(size=(k, 1)) + rng.normal(size=true.shape)
            parts.append(score(ResponseUnits(predicted, true, np.arange(k))))
        often = rng.multinomial(k, np.full(k, 1 / k), draws) / k
        plain = parts[0].sums - parts[1].sums
        moves = [np.zeros(k) if one.moves is None else one.moves for one in parts]
        for number, values in enumerate((plain + moves[0] - moves[1], plain)):
            made = mean_interval(Series(np.array([plain.mean()]), (often @ values)[None], float(k)))
            found[number] += made.above, made.high is not None and made.high < 0
    return found / repeats


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=1000)
    given = parser.parse_args()
    print(f"| metric, perturbations | {' | '.join(map(str, SIZES))} |")
    print("|---" * (1 + len(SIZES)) + "|")
    for name, score in METRICS.items():
        found = [100 * verdicts(score, k, given.repeats) for k in SIZES]
        for number, said in enumerate((name, f"{name}, values as they are")):
            cells = [f"{shares[number][0]:.1f} / {shares[number][1]:.1f}" for shares in found]
            print(f"| {said} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
