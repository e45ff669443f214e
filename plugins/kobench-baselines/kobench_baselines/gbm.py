"""`gbm`: XGBoost trees for each gene's share, where it is on, on top of a masked mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from kobench.api import Cells, Context
from kobench_baselines.common import (
    Bools,
    Floats,
    Ints,
    Table,
    as_assemblages,
    blocks_of,
    compose,
    hold_out,
    limited_threads,
    log_detected,
    mean_bray_curtis,
)

#: Share of the training cells on which the number of rounds is chosen.
VALIDATION = 0.2

#: Rounds between two looks at the validation cells, and rounds without improvement after which to
#: stop.
LOOK_EVERY, PATIENCE = 4, 16

#: A gene gets trees if it is on in at least so many training cells.
FEWEST_CELLS = 10

#: Cells at the overall mean depth that steady each gene's depth slope.
SLOPE_PRIOR = 10.0


@dataclass(frozen=True, eq=False)
class DepthBase:
    """What is said without trees: a mean relative residual and its slope on the number of genes on.

    Attributes
    ----------
    level : (G,) float
        Relative residual at the gene's own mean depth.
    slope : (G,) float
        Its slope on the log number of genes on.
    depth : (G,) float
        Mean log number of genes on, over the cells in which the gene is on.
    """

    level: Floats
    slope: Floats
    depth: Floats

    @classmethod
    def none(cls, genes: int) -> DepthBase:
        """The masked mean itself, for `genes` genes."""
        return cls(np.zeros(genes), np.zeros(genes), np.zeros(genes))

    @classmethod
    def of(cls, table: Table, residuals: Floats) -> DepthBase:
        """Fit level and slope by least squares over the cells in which the gene is on.

        Both are shrunk to 0, as rarely seen genes need.

        Parameters
        ----------
        table : Table
            Training cells.
        residuals : (n, G) float
            Their relative residuals.
        """
        depth, count = log_detected(table.on), table.on.sum(axis=0)
        level = residuals.sum(axis=0) / (count + 1)
        mean_depth = (table.on * depth[:, None]).sum(axis=0) / np.maximum(count, 1)
        from_mean = table.on * (depth[:, None] - mean_depth)
        prior = SLOPE_PRIOR * depth.var()
        square = (from_mean**2).sum(axis=0) + prior
        slope = np.divide(
            (from_mean * residuals).sum(axis=0), square, out=np.zeros(len(level)), where=square > 0
        )
        return cls(level, slope, mean_depth)

    def __call__(self, on: Bools) -> Floats:
        """Relative residuals (n, G) of assemblages (n, G)."""
        relative: Floats = self.level + self.slope * (log_detected(on)[:, None] - self.depth)
        return relative


def depth_helps(table: Table, held: Table) -> bool:
    """Whether `DepthBase` predicts held-out cells better than the masked mean does."""
    mean = table.mean_share()
    base = DepthBase.of(table, table.relative_residuals(mean))

    def error(relative: Floats) -> float:
        return mean_bray_curtis(compose(relative, held.on, mean), held.shares)

    return error(base(held.on)) < error(np.zeros(held.on.shape))


@dataclass(frozen=True, eq=False)
class Features:
    """What the trees see of an assemblage.

    These are the presence of some genes, the log number of genes on, and principal components of
    the assemblage.

    Attributes
    ----------
    genes : (k,) int
        The genes whose presence is a feature.
    centre : (G,) float
        Share of the training cells in which each gene is on.
    components : (G, c) float
        Directions of the principal components.
    """

    genes: Ints
    centre: Floats
    components: Floats

    @classmethod
    def of(cls, table: Table, unexplained: Floats, genes: int, components: int) -> Features:
        """Choose the features from training cells.

        With all genes among the features there are no components: they would say nothing new, and
        they blur which gene was removed.

        Parameters
        ----------
        table : Table
            Training cells.
        unexplained : (n, G) float
            What trees have to explain of each gene's share.
        genes : int
            Most genes to use: those whose presence correlates most with what is unexplained, summed
            over the genes it is about.
        components : int
            Most principal components.
        """
        centred = table.on - table.on.mean(axis=0)
        if genes >= table.on.shape[1]:
            return cls(
                np.arange(table.on.shape[1]),
                table.on.mean(axis=0),
                np.zeros((table.on.shape[1], 0)),
            )
        square = (centred**2).sum(axis=0)
        explained = ((centred.T @ unexplained) ** 2).sum(axis=1)
        explained = np.divide(explained, square, out=np.zeros(len(square)), where=square > 0)
        chosen = np.sort(np.argsort(-explained, kind="stable")[:genes])
        values, vectors = np.linalg.eigh(centred @ centred.T)
        kept = [i for i in range(len(values) - 1, -1, -1) if values[i] > 1e-9 * values[-1]][
            :components
        ]
        directions = centred.T @ vectors[:, kept] / np.sqrt(values[kept])
        return cls(chosen, table.on.mean(axis=0), directions)

    def __call__(self, on: Bools) -> npt.NDArray[np.float32]:
        """Features (n, k + 1 + c), float32, of assemblages (n, G)."""
        columns = [
            on[:, self.genes].astype(np.float32),
            log_detected(on)[:, None].astype(np.float32),
        ]
        if self.components.shape[1]:
            columns.append(((on - self.centre) @ self.components).astype(np.float32))
        return np.hstack(columns)


class GBM:
    """Boosted trees of each gene's share relative to the masked mean, where the gene is on.

    The trees of a round, one a gene, are grown together. Their squared error has a second
    derivative of 1 where the gene is on and 0 where it is off, so cells without the gene have no
    weight. A fifth of the training cells validate by their Bray-Curtis: whether trees begin at
    `DepthBase` or at the masked mean, and the number of rounds, which may be 0. The trees are then
    grown again on all cells. With fewer than 5 cells the answer is the masked mean.

    Parameters
    ----------
    rounds : int
        Most rounds.
    depth : int
        Depth of each tree.
    lr : float
        Shrinkage of each round.
    genes : int
        Most genes used as features.
    components : int
        Principal components, used where genes are left out as features.
    targets : int
        Most genes given trees.
    """

    #: Share of the features, drawn anew for every node, on which the node may split.
    columns = 0.5

    def __init__(
        self,
        rounds: int = 300,
        depth: int = 2,
        lr: float = 0.3,
        genes: int = 128,
        components: int = 16,
        targets: int = 2000,
    ) -> None:
        self.rounds, self.depth, self.lr = rounds, depth, lr
        self.genes, self.components, self.targets = genes, components, targets

    def fit(self, cells: Cells, context: Context) -> None:
        """Choose the number of rounds on held-out cells, then grow trees on all cells (n, G)."""
        self.context = context
        table = Table.of(cells)
        kept, held = hold_out(len(table), VALIDATION, np.random.default_rng(context.seed))
        with limited_threads(context.threads):
            corrected, self.chosen_rounds = False, 0
            if len(held):
                corrected = depth_helps(table[kept], table[held])
                self.chosen_rounds = self._choose_rounds(table[kept], table[held], corrected)
            self._prepare(table, corrected)
            for _ in range(self.chosen_rounds):
                self._round()

    def _choose_rounds(self, table: Table, held: Table, corrected: bool) -> int:
        """The number of rounds with the smallest Bray-Curtis on the cells held out."""
        self._prepare(table, corrected)
        relative = self.base(held.on)
        best, best_error = 0, mean_bray_curtis(compose(relative, held.on, self.mean), held.shares)
        asked = xgboost.DMatrix(self.features(held.on), nthread=self.context.threads)
        for done in range(LOOK_EVERY, self.rounds + 1, LOOK_EVERY) if len(self.boosted) else ():
            for _ in range(LOOK_EVERY):
                self._round()
            self.context.log("round", done, self.rounds)
            relative[:, self.boosted] += self._margins(asked, done - LOOK_EVERY, done)
            error = mean_bray_curtis(compose(relative, held.on, self.mean), held.shares)
            if error < best_error:
                best, best_error = done, error
            elif done - best >= PATIENCE:
                break
        return best

    def _prepare(self, table: Table, corrected: bool) -> None:
        """Set up all but the trees."""
        self.mean = table.mean_share()
        residuals = table.relative_residuals(self.mean)
        self.base = DepthBase.of(table, residuals) if corrected else DepthBase.none(len(self.mean))
        unexplained = table.on * (residuals - self.base(table.on))
        weight = np.abs(unexplained).sum(axis=0) * self.mean  # what the gene costs in Bray-Curtis
        weight[table.on.sum(axis=0) < FEWEST_CELLS] = 0
        order = np.argsort(-weight, kind="stable")[: self.targets]
        self.boosted = np.sort(order[weight[order] > 0])
        self.features = Features.of(table, unexplained * self.mean, self.genes, self.components)
        self._train = xgboost.QuantileDMatrix(
            self.features(table.on), max_bin=32, nthread=self.context.threads
        )
        self._target = unexplained[:, self.boosted].astype(np.float32)
        self._on = table.on[:, self.boosted].astype(np.float32)
        settings = {
            "tree_method": "hist",
            "max_depth": self.depth,
            "eta": self.lr,
            "max_bin": 32,
            "colsample_bynode": self.columns,
            "min_child_weight": 5,
            "lambda": 1.0,
            "base_score": 0.0,
            "num_target": max(1, len(self.boosted)),
            "disable_default_eval_metric": True,
            "seed": self.context.seed % 2**31,
            "nthread": self.context.threads,
        }
        self._grown = 0
        self._booster = xgboost.Booster(settings, [self._train])

    def _round(self) -> None:
        """Grow one more tree for each gene."""

        def gradients(margins: Floats, _: xgboost.DMatrix) -> tuple[Floats, Floats]:
            return self._on * (margins.reshape(self._on.shape) - self._target), self._on

        self._booster.update(self._train, self._grown, fobj=gradients)
        self._grown += 1

    def _margins(self, asked: xgboost.DMatrix, first: int, last: int) -> Floats:
        """Sum (n, boosted genes) of the trees of rounds `first` to before `last`."""
        margins: Floats = self._booster.predict(
            asked, output_margin=True, iteration_range=(first, last)
        )
        return margins.reshape(asked.num_row(), len(self.boosted))

    def predict_expression(self, assemblages: npt.NDArray[Any]) -> Floats:
        """Profiles (n, G), rows summing to 1, of assemblages (n, G) bool."""
        on = as_assemblages(assemblages, len(self.mean))
        with limited_threads(self.context.threads):
            blocks = [self._predict(on[block]) for block in blocks_of(*on.shape)]
        return np.concatenate(blocks) if blocks else np.zeros(on.shape)

    def _predict(self, on: Bools) -> Floats:
        relative = self.base(on)
        if self._grown:
            asked = xgboost.DMatrix(self.features(on), nthread=self.context.threads)
            relative[:, self.boosted] += self._margins(asked, 0, self._grown)
        return compose(relative, on, self.mean)
