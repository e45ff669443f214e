"""The trees of `gbm` plainly: an estimator for each gene, grown once to choose the number of rounds
and once more on all cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from kobench_baselines.common import Table
from kobench_baselines.gbm import LOOK_EVERY, DepthBase, Features

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Job:
    """What trees are grown from: features (n, f), the share's relative residual that the base
    leaves (n, G), and where genes are on.
    """

    features: Features
    values: npt.NDArray[np.float32]
    unexplained: Floats
    on: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, table: Table, corrected: bool, genes: int, components: int) -> Job:
        """As `GBM` makes it; corrected : whether trees begin at `DepthBase` or at the masked
        mean.
        """
        mean = table.mean_share()
        residuals = table.relative_residuals(mean)
        base = DepthBase.of(table, residuals) if corrected else DepthBase.none(len(mean))
        unexplained = table.on * (residuals - base(table.on))
        features = Features.of(table, unexplained * mean, genes, components)
        return cls(features, features(table.on), unexplained, table.on)


def grow(job: Job, gene: int, rounds: int, depth: int, lr: float, threads: int) -> xgboost.Booster:
    """One gene's trees: squared error over the cells in which the gene is on, every column in every
    node.
    """
    target, weight = job.unexplained[:, gene].astype(np.float32), job.on[:, gene].astype(np.float32)

    def gradients(margins: Floats, _: xgboost.DMatrix) -> tuple[Floats, Floats]:
        return weight * (margins - target), weight

    settings = {
        "tree_method": "hist",
        "max_depth": depth,
        "eta": lr,
        "max_bin": 32,
        "min_child_weight": 5,
        "lambda": 1.0,
        "base_score": 0.0,
        "disable_default_eval_metric": True,
        "nthread": threads,
    }
    return xgboost.train(
        settings,
        xgboost.QuantileDMatrix(job.values, max_bin=32, nthread=threads),
        rounds,
        obj=gradients,
    )


def margins(
    booster: xgboost.Booster, values: npt.NDArray[np.float32], rounds: int, threads: int
) -> Floats:
    """(n,) sum of the first `rounds` trees."""
    found: Floats = booster.predict(
        xgboost.DMatrix(values, nthread=threads), output_margin=True, iteration_range=(0, rounds)
    )
    return found


def gene_by_gene(
    choosing: Job,
    held: npt.NDArray[np.float32],
    whole: Job,
    asked: npt.NDArray[np.float32],
    genes: Sequence[int],
    looked: int,
    chosen: int,
    depth: int,
    lr: float,
    threads: int,
) -> Iterator[tuple[list[Floats], Floats]]:
    """For each gene its margins (held cells,) at every look of `looked` rounds, and those of
    `chosen` rounds on the asked cells.

    choosing : the cells that choose; held : features of the cells held out from it. whole : all
    training cells; asked : features too.
    """
    for gene in genes:
        booster = grow(choosing, gene, looked, depth, lr, threads)
        looks = [
            margins(booster, held, rounds, threads)
            for rounds in range(LOOK_EVERY, looked + 1, LOOK_EVERY)
        ]
        yield (
            looks,
            (
                margins(grow(whole, gene, chosen, depth, lr, threads), asked, chosen, threads)
                if chosen
                else np.zeros(len(asked))
            ),
        )
