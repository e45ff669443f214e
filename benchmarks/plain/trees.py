"""The trees of `gbm` plainly: an estimator for each gene.

It is grown once to choose the number of rounds, and once more on all cells.
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
    """What trees are grown from.

    Attributes
    ----------
    features : Features
        What makes the features.
    values : (n, f) float32
        The features of the cells.
    unexplained : (n, G) float
        The share's relative residual that the base leaves.
    on : (n, G) bool
        Where genes are on.
    """

    features: Features
    values: npt.NDArray[np.float32]
    unexplained: Floats
    on: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, table: Table, corrected: bool, genes: int, components: int) -> Job:
        """The job as `GBM` makes it.

        Parameters
        ----------
        table : Table
            The cells.
        corrected : bool
            Whether trees begin at `DepthBase` or at the masked mean.
        genes, components : int
            Most genes and components among the features.
        """
        mean = table.mean_share()
        residuals = table.relative_residuals(mean)
        base = DepthBase.of(table, residuals) if corrected else DepthBase.none(len(mean))
        unexplained = table.on * (residuals - base(table.on))
        features = Features.of(table, unexplained * mean, genes, components)
        return cls(features, features(table.on), unexplained, table.on)


def grow(job: Job, gene: int, rounds: int, depth: int, lr: float, threads: int) -> xgboost.Booster:
    """One gene's trees.

    The error is squared, over the cells in which the gene is on; every node may use every column.
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
    """Sum (n,) of the first `rounds` trees."""
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
    """Grow the trees of each gene by an estimator of its own.

    Parameters
    ----------
    choosing : Job
        The cells that choose the number of rounds.
    held : (m, f) float32
        Features of the cells held out from them.
    whole : Job
        All training cells.
    asked : (k, f) float32
        Features of the cells asked about.
    genes : sequence of int
        The genes.
    looked, chosen : int
        Number of rounds on the cells that choose, and the chosen one.
    depth, lr, threads
        As in `GBM`.

    Yields
    ------
    looks : list of (m,) float
        Margins of the held cells at every look.
    margins : (k,) float
        Margins of the asked cells after the chosen rounds.
    """
    for gene in genes:
        booster = grow(choosing, gene, looked, depth, lr, threads)
        looks = [
            margins(booster, held, rounds, threads)
            for rounds in range(LOOK_EVERY, looked + 1, LOOK_EVERY)
        ]
        answer: Floats = np.zeros(len(asked))
        if chosen:
            booster = grow(whole, gene, chosen, depth, lr, threads)
            answer = margins(booster, asked, chosen, threads)
        yield looks, answer
