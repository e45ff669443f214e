"""How often predictors are told apart that do not differ, and those that do.

Run it as `python -m tests.studies.tell_apart` from the repository's root. Two fits that differ in
the fit seed alone must be told apart in 5 % of the comparisons. A predictor whose score is lower by
a known 0.05 should be told apart often: it gives the same answers with noise, whose amount was set
on other networks. Prints the tables of docs/intervals.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from kobench.api import Answers, normalise_rows
from kobench.board.numbers.intervals import Series, paired_difference
from kobench.cells import FloatArray
from tests.studies.pool import COLUMNS, SIZE, Network, add_pool_options, linear, read_pool

NETWORKS = (2, 3, 5, 10)

#: How much lower the score of the noisy answers is to be.
DROP = 0.05

#: Seeds of the networks on which the noise is set, far from those on which predictors are compared.
OTHERS = 100_000


def told_apart(difference: FloatArray, k: int, repeats: int) -> float:
    """In which share of the repeats K networks tell two predictors apart.

    Parameters
    ----------
    difference : (networks,) float
        Differences of their scores.
    k : int
        K.
    repeats : int
        Number of repeats.
    """
    rng = np.random.default_rng(k)
    zero = Series(np.zeros(k))
    found = (
        paired_difference(Series(rng.choice(difference, k, replace=False)), zero)
        for _ in range(repeats)
    )
    return float(np.mean([one.above or one.below for one in found]))


def fit_seeds(pool: dict[str, dict[str, FloatArray]], repeats: int) -> Iterator[str]:
    """Two fits of one predictor."""
    yield (
        "| metric | predictor | SD of the difference | "
        + " | ".join(f"{k} networks" for k in NETWORKS)
        + " |"
    )
    yield "| --- " * (3 + len(NETWORKS)) + "|"
    for column, rows in pool.items():
        for name in sorted(row.removesuffix("#0") for row in rows if row.endswith("#0")):
            difference = rows[f"{name}#0"] - rows[f"{name}#1"]
            shares = " | ".join(f"{100 * told_apart(difference, k, repeats):.1f}" for k in NETWORKS)
            yield f"| {column} | {name} | {difference.std():.3f} | {shares} |"


def noisy(answers: Mapping[str, Answers], amount: float, seed: int) -> dict[str, Answers]:
    """The same answers, every number times exp(amount x normal noise).

    Profiles are made to sum to 1 again.
    """
    rng = np.random.default_rng([seed, 3])
    profile, singles = answers["profile"], answers["singles"]
    assert profile.profile is not None
    assert singles.rows is not None
    assert singles.propagated is not None

    def disturbed(values: FloatArray) -> FloatArray:
        return values * np.exp(amount * rng.normal(size=values.shape))

    genes: FloatArray | float = 1.0
    if singles.supported is not None:
        genes = np.exp(amount * rng.normal(size=singles.supported.shape))
    return {
        "profile": replace(profile, profile=normalise_rows(disturbed(profile.profile))),
        "singles": replace(
            singles,
            rows=normalise_rows(disturbed(singles.rows)),
            propagated=disturbed(singles.propagated),
            gene_scores=genes * singles.gene_scores if singles.gene_scores is not None else None,
        ),
    }


class Fitted:
    """`linear` on some networks.

    It is fitted on all training cells, and twice on cells drawn again, as two fit seeds would.
    """

    def __init__(self, first: int, count: int) -> None:
        self.networks = [Network(seed, SIZE) for seed in range(first, first + count)]
        self.whole = [self.answers(network, None) for network in self.networks]
        self.drawn = [self.answers(network, 0) for network in self.networks]
        self.other = [self.answers(network, 1) for network in self.networks]

    @staticmethod
    def answers(network: Network, drawn_with: int | None) -> dict[str, Answers]:
        """Answers with a score of each gene's own, so that noise in it is not averaged away."""
        given = network.answers(linear(1.0), ("expression",), network.training(drawn_with))
        singles = given["singles"]
        assert singles.propagated is not None
        return {
            **given,
            "singles": replace(singles, gene_scores=network.singles.gene_means(singles.propagated)),
        }

    def scores(
        self, given: list[dict[str, Answers]], column: str, amount: float = 0.0
    ) -> FloatArray:
        """Scores (networks,) of answers with noise of that amount."""
        asked = zip(self.networks, given, strict=True)
        return np.array(
            [
                network.score(noisy(answers, amount, network.seed) if amount else answers, column)
                for network, answers in asked
            ]
        )


def amount_for(fitted: Fitted, column: str, sign: float) -> float:
    """The noise that lowers the mean score by DROP, by bisection."""
    exact = fitted.scores(fitted.whole, column).mean()
    low, high = 0.0, 2.0
    for _ in range(14):
        middle = (low + high) / 2
        if sign * (exact - fitted.scores(fitted.whole, column, middle).mean()) < DROP:
            low = middle
        else:
            high = middle
    return high


def known_drop(networks: int, repeats: int) -> Iterator[str]:
    """A predictor that is worse by DROP, against two others.

    They are the same fit without noise, and another fit.
    """
    yield (
        "| metric | compared with | mean drop | SD of the difference | "
        + " | ".join(f"{k} networks" for k in NETWORKS)
        + " |"
    )
    yield "| --- " * (4 + len(NETWORKS)) + "|"
    others, fitted = Fitted(OTHERS, max(20, networks // 3)), Fitted(0, networks)
    for column, (_, _, _, sign, _) in COLUMNS.items():
        amount = amount_for(others, column, sign)
        sides = (
            ("the same fit", fitted.whole, fitted.whole),
            ("a fit to other cells", fitted.drawn, fitted.other),
        )
        for what, one, other in sides:
            difference = sign * (fitted.scores(one, column) - fitted.scores(other, column, amount))
            shares = " | ".join(f"{100 * told_apart(difference, k, repeats):.0f}" for k in NETWORKS)
            yield (
                f"| {column} | {what} | {difference.mean():.3f} | {difference.std():.3f} |"
                f" {shares} |"
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_pool_options(parser)
    parser.add_argument(
        "--compared",
        type=int,
        default=240,
        help="networks on which the known difference is looked for",
    )
    parser.add_argument("--repeats", type=int, default=2000)
    given = parser.parse_args()
    for line in fit_seeds(read_pool(given.pool, given.networks), given.repeats):
        print(line, flush=True)
    for line in known_drop(given.compared, given.repeats):
        print(line, flush=True)


if __name__ == "__main__":
    main()
