"""`linear`: ridge regression of each gene's share on the assemblage, where the gene is on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context
from kobench_baselines.common import (
    FEWEST_TO_VALIDATE,
    Bools,
    Floats,
    Table,
    as_assemblages,
    blocks_of,
    close_rows,
    compose,
    limited_threads,
    log_detected,
    mean_bray_curtis,
)
from kobench_baselines.ridge import solve

#: Penalties that cross-validation tries, largest first: each solution starts from the one before.
PENALTIES = tuple(10.0**exponent for exponent in np.arange(2.0, -2.1, -0.5))

#: Most genes that cross-validation looks at: those with the largest total share, which decide the
#: Bray-Curtis.
CHOOSING_GENES = 1000

#: Squared weight of the depth feature beside the assemblage, whose mean squared norm is 1.
DEPTH_WEIGHT = 0.3

#: Relative residuals at which conjugate gradients stop: while the penalty is chosen, and in the
#: final fit.
CHOOSING_TOLERANCE, FINAL_TOLERANCE = 3e-2, 1e-4

#: The penalty where there are too few cells to choose it.
DEFAULT_PENALTY = 10.0


@dataclass(frozen=True, eq=False)
class Features:
    """Assemblages as features of a regression, and the log number of genes that are on.

    Assemblages are centred and scaled to a mean squared norm of 1 over the training cells; the
    number of genes is standardised.

    Attributes
    ----------
    centre : (G,) float
        Share of the training cells in which each gene is on.
    scale : float
        Root of the mean squared norm of the centred assemblages.
    depth_mean, depth_scale : float
        Mean and standard deviation of the log number of genes on.
    """

    centre: Floats
    scale: float
    depth_mean: float
    depth_scale: float

    @classmethod
    def of(cls, on: Bools) -> Features:
        """The features of training cells whose assemblages are `on` (n, G)."""
        depth = log_detected(on)
        centre = on.mean(axis=0)
        scale = float(np.sqrt((centre * (1 - centre)).sum()))
        return cls(
            centre, scale if scale > 0 else 1.0, float(depth.mean()), float(depth.std()) or 1.0
        )

    def __call__(self, on: Bools) -> npt.NDArray[np.float32]:
        """Features (n, G + 1), float32, of assemblages (n, G)."""
        depth = (log_detected(on) - self.depth_mean) / self.depth_scale
        columns = [(on - self.centre) / self.scale, np.sqrt(DEPTH_WEIGHT) * depth[:, None]]
        return np.hstack(columns).astype(np.float32)


class Linear:
    """Ridge regression on the assemblage, for each gene over the cells in which it is on.

    What is regressed is the gene's share relative to what the masked mean says of that cell, minus
    1 (`Table.relative_residuals`). Features are the assemblage and the log number of genes on. A
    prediction is the masked mean times 1 + the predicted residual. All genes have one penalty,
    chosen by cross-validation of the Bray-Curtis; the masked mean without any regression is one of
    the choices. With fewer than 5 cells the penalty is 10.

    Parameters
    ----------
    penalty : float, optional
        Penalty relative to the mean squared norm of the features; None for cross-validation.
    folds : int
        Folds of the cross-validation.

    Raises
    ------
    ValueError
        If the penalty is not over 0.
    """

    def __init__(self, penalty: float | None = None, folds: int = 5) -> None:
        if penalty is not None and not (isinstance(penalty, (int, float)) and penalty > 0):
            raise ValueError(
                f"linear: penalty={penalty!r} is not possible; give a number over 0, or leave it"
                " out for cross-validation"
            )
        self.penalty, self.folds = penalty, folds

    def fit(self, cells: Cells, context: Context) -> None:
        """Choose the penalty where it is not given, and fit all genes on cells (n, G)."""
        self.threads = context.threads
        table = Table.of(cells)
        with limited_threads(context.threads):
            penalty = self.penalty
            if penalty is None:
                penalty = choose_penalty(
                    table, self.folds, np.random.default_rng(context.seed), context
                )
            self.chosen_penalty = float(penalty)
            self.mean = table.mean_share()
            self.features = Features.of(table.on)
            self.support: Floats | None = None
            self.weights: Floats | None = None
            self.intercepts: Floats = np.zeros(table.on.shape[1])
            if np.isfinite(penalty):
                X = self.features(table.on)
                residuals = table.relative_residuals(self.mean).astype(np.float32)
                dual, self.intercepts = solve(
                    X @ X.T, table.on, residuals, float(penalty), FINAL_TOLERANCE
                )
                # with fewer cells than genes the dual form needs less memory and less work
                self.support, self.weights = (
                    (X.T, dual) if len(X) < X.shape[1] else (None, X.T @ dual)
                )

    def predict_expression(self, assemblages: npt.NDArray[Any]) -> Floats:
        """Profiles (n, G), rows summing to 1, of assemblages (n, G) bool."""
        on = as_assemblages(assemblages, len(self.mean))
        with limited_threads(self.threads):
            blocks = [self._predict(on[block]) for block in blocks_of(*on.shape)]
        return np.concatenate(blocks) if blocks else np.zeros(on.shape)

    def _predict(self, on: Bools) -> Floats:
        if self.weights is None:
            return compose(np.zeros(on.shape), on, self.mean)
        X: Floats = self.features(on)
        if self.support is not None:
            X = X @ self.support
        return compose(X @ self.weights + self.intercepts, on, self.mean)


def choose_penalty(table: Table, folds: int, rng: np.random.Generator, context: Context) -> float:
    """The penalty with the smallest cross-validated Bray-Curtis.

    Parameters
    ----------
    table : Table
        The training cells.
    folds : int
        Folds of the cross-validation.
    rng : numpy.random.Generator
        Gives the folds.
    context : Context
        Where progress is reported.

    Returns
    -------
    float
        One of `PENALTIES`; infinity where the masked mean is better than every regression; the
        default penalty with fewer than 5 cells.
    """
    n = len(table)
    if n < FEWEST_TO_VALIDATE:
        return DEFAULT_PENALTY
    folds = min(folds, n)
    fold_of = rng.permutation(n) % folds
    genes = np.sort(np.argsort(-table.shares.sum(axis=0), kind="stable")[:CHOOSING_GENES])
    parts = [
        Part.of(
            table[np.flatnonzero(fold_of != fold)], table[np.flatnonzero(fold_of == fold)], genes
        )
        for fold in range(folds)
    ]
    best, best_error = float("inf"), sum(part.masked_mean_error() for part in parts)
    before = float("inf")
    for step, penalty in enumerate(PENALTIES):
        context.log("cross-validation", step, len(PENALTIES))
        error = sum(part.error(penalty) for part in parts)
        if error < best_error:
            best, best_error = penalty, error
        elif error > max(before, 1.01 * best_error):
            break  # past the bottom of the curve, where penalties only get smaller and slower
        before = error
    return best


@dataclass(eq=False)
class Part:
    """One fold of the cross-validation, over the genes that decide; remembers its last solution.

    Attributes
    ----------
    kernel : (n, n) float
        Products of the features of the cells it learns from.
    asked_kernel : (m, n) float
        Products of the features of the cells it is asked about with these.
    on, residuals : (n, k)
        Presence and relative residuals in the cells it learns from.
    mean : (k,) float
        Mean shares.
    asked_on, asked_shares : (m, k)
        Presence and true shares in the cells it is asked about.
    weights : (n, k) float, optional
        Dual weights of the last solution.
    """

    kernel: Floats
    asked_kernel: Floats
    on: Bools
    residuals: Floats
    mean: Floats
    asked_on: Bools
    asked_shares: Floats
    weights: Floats | None = None

    @classmethod
    def of(cls, train: Table, asked: Table, genes: npt.NDArray[np.intp]) -> Part:
        """The fold that learns from `train` and is asked about `asked`, over `genes` (k,)."""
        features, mean = Features.of(train.on), train.mean_share()
        X, asked_X = features(train.on), features(asked.on)
        residuals = train.relative_residuals(mean)[:, genes].astype(np.float32)
        asked_on = asked.on[:, genes]
        shares = close_rows(asked.shares[:, genes], asked_on)
        return cls(
            X @ X.T, asked_X @ X.T, train.on[:, genes], residuals, mean[genes], asked_on, shares
        )

    def masked_mean_error(self) -> float:
        """Summed Bray-Curtis of the masked mean over the fold's cells."""
        return self._sum(np.zeros(self.asked_on.shape))

    def error(self, penalty: float) -> float:
        """Summed Bray-Curtis of the regression over the fold's cells."""
        self.weights, intercepts = solve(
            self.kernel, self.on, self.residuals, penalty, CHOOSING_TOLERANCE, self.weights
        )
        return self._sum(self.asked_kernel @ self.weights + intercepts)

    def _sum(self, relative: Floats) -> float:
        """Summed Bray-Curtis of predicted relative residuals (m, k)."""
        return len(self.asked_on) * mean_bray_curtis(
            compose(relative, self.asked_on, self.mean), self.asked_shares
        )
