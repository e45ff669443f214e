"""Sparse additive regression of one gene on the values of a few others, from moments by fold.

Everything is worked out from sums over cells of products of features (moments), which add up over
folds: leaving a fold out is a subtraction, and no cell is looked at twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kobench_baselines.common import Floats, Ints

#: How a regulator's value enters: its presence alone, or with its level as a line, a logarithm, or
#: a line with two bends.
Kind = Literal["on", "line", "log", "spline"]
KINDS: tuple[Kind, ...] = ("on", "line", "log", "spline")

#: A gene has no more regulators than this, nor more than one for so many cells that have it.
MOST, CELLS_A_REGULATOR = 10, 15

#: Errors count relative to the gene's value, or to this part of its mean where that is larger.
LEAST_RELATIVE_TO = 0.3

#: Ridge penalty of each feature, relative to its own variance; the second keeps pairs of features
#: apart that are one and the same in the cells at hand.
RIDGE, JITTER = 1e-3, 1e-6

#: A regulator adds nothing when the error falls by less than this share of it, or by what rounding
#: leaves of a sum of squares.
NOTHING, ROUNDING = 1e-9, 1e-12


def features(values: Floats, knots: Floats, kind: Kind) -> Floats:
    """What a gene's regulators look like to a regression.

    Parameters
    ----------
    values : (n, k) float
        Values of k regulators.
    knots : (3, k) float
        Their 33 %, 50 % and 67 % quantiles where they are on, > 0.
    kind : str
        "on": z > 0. "line": and z. "log": and log(1 + z). "spline": and z, (z - l)+, (z - h)+. Here
        z is the value over the median, l and h the other two quantiles over the median.

    Returns
    -------
    (n, k, d) float
    """
    low, middle, high = knots
    on, z = (values > 0).astype(np.float64), values / middle
    parts = {
        "on": [on],
        "line": [on, z],
        "log": [on, np.log1p(z)],
        "spline": [on, z, np.maximum(z - low / middle, 0), np.maximum(z - high / middle, 0)],
    }
    return np.stack(parts[kind], axis=2)


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over cells of the products of the columns [1, features, y], each cell weighted.

    Attributes
    ----------
    sums : (1 + k d + 1, 1 + k d + 1) float
    width : int
        d, columns of each regulator.
    """

    sums: Floats
    width: int

    @classmethod
    def by_fold(
        cls,
        of: Floats,
        y: Floats,
        fold: Ints,
        folds: int,
        presence: Floats | None = None,
        counts: Floats | None = None,
        doubt: float = 1.0,
    ) -> list[Moments]:
        """The moments of each fold.

        A cell's weight is one over its value, squared, so that relative errors count.

        Parameters
        ----------
        of : (n, k, d) float
            Features, see `features`.
        y : (n,) float
            Values of the gene in these cells, > 0.
        fold : (n,) int
            The fold of each cell, 0 to `folds` - 1.
        folds : int
            Number of folds.
        presence : (n, k) float or None
            The chance that each regulator is there. Its features are expected values then.
        counts : (n,) float or None
            How often each cell counts; None for once.
        doubt : float
            Which part of the variance that the chances give features is added to the products, 0 to
            1; with 1 they are the expected products.
        """
        weight = 1 / np.maximum(y, LEAST_RELATIVE_TO * y.mean())
        if counts is not None:
            weight = weight * np.sqrt(counts)
        seen = of if presence is None else of * presence[:, :, None]
        table = np.column_stack([np.ones(len(y)), seen.reshape(len(y), -1), y]) * weight[:, None]
        parts = [table[fold == number] for number in range(folds)]
        sums = [part.T @ part for part in parts]
        if presence is not None and doubt:
            variance = doubt * presence * (1 - presence) * weight[:, None] ** 2
            _add_variance(sums, of, variance, fold)
        return [cls(each, of.shape[2]) for each in sums]

    @property
    def regulators(self) -> int:
        """k, the number of regulators."""
        return (len(self.sums) - 2) // self.width

    def without(self, other: Moments) -> Moments:
        """The moments of all cells but some."""
        return Moments(self.sums - other.sums, self.width)

    def of(self, chosen: list[int]) -> Moments:
        """The moments of some of the regulators."""
        keep = np.concatenate([[0], self.columns(chosen), [len(self.sums) - 1]])
        return Moments(self.sums[np.ix_(keep, keep)], self.width)

    def columns(self, chosen: list[int]) -> Ints:
        """Columns of these regulators' features."""
        start = 1 + self.width * np.asarray(chosen, dtype=np.intp)
        return (start[:, None] + np.arange(self.width)).ravel()

    def order(self, most: int) -> list[int]:
        """Regulators in the order in which they explain most of what is left of y.

        After each choice all others are made orthogonal to what was taken, as in Gram and Schmidt's
        orthogonalisation (orthogonal matching pursuit by groups of columns: Tropp & Gilbert 2007,
        doi 10.1109/TIT.2007.909108; Yuan & Lin 2006, doi 10.1111/j.1467-9868.2005.00532.x).

        Parameters
        ----------
        most : int
            How many at most; fewer where no other explains anything.
        """
        d, k = self.width, self.regulators
        left = self.sums[1:, 1:] - np.outer(self.sums[1:, 0], self.sums[0, 1:]) / self.sums[0, 0]
        penalty = (RIDGE + JITTER) * np.maximum(np.diag(left)[:-1].reshape(k, d), 1e-12)
        taken: list[int] = []
        enough, each = NOTHING * left[-1, -1] + ROUNDING * self.sums[-1, -1], np.arange(k)
        for _ in range(min(most, k)):
            blocks = left[:-1, :-1].reshape(k, d, k, d)[each, :, each, :]
            blocks = blocks + penalty[:, :, None] * np.eye(d)
            with_y = left[:-1, -1].reshape(k, d)
            slopes = np.linalg.solve(blocks, with_y[:, :, None])[:, :, 0]
            gain = (with_y * slopes).sum(axis=1)
            gain[taken] = -1.0
            best = int(gain.argmax())
            if gain[best] <= enough:
                break
            taken.append(best)
            own = slice(best * d, best * d + d)
            left = left - left[:, own] @ np.linalg.solve(blocks[best], left[own, :])
        return taken

    def fit(self, chosen: list[int]) -> Floats:
        """Weighted ridge regression of y with an intercept.

        Parameters
        ----------
        chosen : list of int
            Regulators that enter.

        Returns
        -------
        (1 + len(chosen) d,) float
            The intercept, then the coefficients.
        """
        columns = self.columns(chosen)
        total, sum_of_y = self.sums[0, 0], self.sums[0, -1]
        mean = self.sums[0, columns] / total
        covariance = self.sums[np.ix_(columns, columns)] / total - np.outer(mean, mean)
        with_y = self.sums[columns, -1] / total - mean * sum_of_y / total
        diagonal = np.diag_indices_from(covariance)
        covariance[diagonal] = covariance[diagonal] * (1 + RIDGE) + 1e-9
        slopes = np.linalg.solve(covariance, with_y)
        return np.concatenate([[sum_of_y / total - mean @ slopes], slopes])

    def loss(self, chosen: list[int], fitted: Floats) -> float:
        """Weighted sum of the squared errors that a fit makes in the cells of these moments."""
        columns = np.concatenate([[0], self.columns(chosen)])
        squares = fitted @ self.sums[np.ix_(columns, columns)] @ fitted
        return float(self.sums[-1, -1] - 2 * fitted @ self.sums[columns, -1] + squares)


def _add_variance(sums: list[Floats], of: Floats, variance: Floats, fold: Ints) -> None:
    """Add to the products of each regulator's features, by fold, what its presence may vary.

    Parameters
    ----------
    sums : list of (1 + k d + 1, 1 + k d + 1) float
        Products by fold.
    of : (n, k, d) float
        Features where regulators are there.
    variance : (n, k) float
        Variance of presence, weighted as the cell is.
    fold : (n,) int
        The fold of each cell.
    """
    _, k, d = of.shape
    at = 1 + d * np.arange(k)
    for one in range(d):
        for other in range(d):
            products = variance * of[:, :, one] * of[:, :, other]
            for number, total in enumerate(sums):
                total[at + one, at + other] += products[fold == number].sum(axis=0)


def total_of(folds: list[Moments]) -> Moments:
    """The moments of the cells of all folds together."""
    return Moments(np.sum([fold.sums for fold in folds], axis=0), folds[0].width)


def choose(folds: list[Moments], cells: int, penalty: float) -> list[int]:
    """The regulators of a gene, how many of them by cross-validation.

    Of the numbers 0, 1, ... the smallest is taken whose held-out error is at most (1 + 2 penalty /
    cells) times the smallest error of all.

    Parameters
    ----------
    folds : list of Moments
        By fold, of all candidates.
    cells : int
        Number of cells behind them.
    penalty : float
        See above; the larger, the fewer regulators.

    Returns
    -------
    list of int
        Places of the regulators among the candidates.
    """
    everything = total_of(folds)
    most = min(MOST, max(1, cells // CELLS_A_REGULATOR), everything.regulators)
    error = np.zeros(most + 1)
    for held in folds:
        kept = everything.without(held)
        order = kept.order(most)
        losses = [held.loss(order[:m], kept.fit(order[:m])) for m in range(len(order) + 1)]
        error += losses + [losses[-1]] * (most - len(order))
    number = int(np.flatnonzero(error <= error.min() * (1 + 2 * penalty / cells))[0])
    return everything.order(number)


def cross_validated(folds: list[Moments], chosen: list[int]) -> float:
    """Held-out weighted squared error of the regression on these regulators, summed over folds."""
    everything = total_of(folds)
    return sum(held.loss(chosen, everything.without(held).fit(chosen)) for held in folds)
