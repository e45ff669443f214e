"""Moments by fold: sums over cells of products of features, and what follows from them alone.

They add up over folds: leaving a fold out is a subtraction, and no cell is looked at twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kobench_baselines.common import Floats, Ints

#: Errors count relative to the gene's value, or to this part of its mean where that is larger.
LEAST_RELATIVE_TO = 0.3

#: Ridge penalty of each feature, relative to its own variance; the second keeps pairs of features
#: apart that are one and the same in the cells at hand.
RIDGE, JITTER = 1e-3, 1e-6

#: A feature whose variance is less than this part of its mean square is a constant.
CONSTANT = 1e-8

#: A regulator adds nothing when the error falls by less than this share of it, or by what rounding
#: leaves of a sum of squares.
NOTHING, ROUNDING = 1e-9, 1e-12


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
        """Regulators in the order in which they explain most of what is left of y, see `orders`."""
        return orders([self], most)[0]

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
        mean, covariance, with_y, of_y = self.centred(self.columns(chosen))
        slopes = np.linalg.solve(covariance, with_y)
        return np.concatenate([[of_y - mean @ slopes], slopes])

    def losses(self, order: list[int], kept: Moments) -> Floats:
        """Weighted sums of the squared errors that fits to other cells make in these.

        Parameters
        ----------
        order : list of int
            Regulators.
        kept : Moments
            The moments of the other cells.

        Returns
        -------
        (1 + len(order),) float
            By the fit to no regulators, to the first, to the first two, ...

        Notes
        -----
        One Cholesky factor serves all of them, as the factor of a leading part is the leading part
        of the factor: coefficients are sums over its rows, up to the last that enters.
        """
        columns = self.columns(order)
        mean, covariance, with_y, of_y = kept.centred(columns)
        inverse = np.linalg.inv(np.linalg.cholesky(covariance))
        steps = (inverse @ with_y)[:, None] * inverse
        slopes = np.zeros((1 + len(order), len(columns)))
        slopes[1:] = np.cumsum(steps, axis=0)[self.width - 1 :: self.width]
        fitted = np.column_stack([of_y - slopes @ mean, slopes])
        columns = np.concatenate([[0], columns])
        own = self.sums[columns]
        squares = ((fitted @ own[:, columns]) * fitted).sum(axis=1)
        return np.asarray(self.sums[-1, -1] - 2 * fitted @ own[:, -1] + squares)

    def centred(self, columns: Ints) -> tuple[Floats, Floats, Floats, float]:
        """What a fit to these columns needs.

        Returns
        -------
        mean : (p,) float
            Of the columns.
        covariance : (p, p) float
            Of the columns, the penalty added.
        with_y : (p,) float
            Covariance with y.
        of_y : float
            Mean of y.
        """
        own, total = self.sums[columns], self.sums[0, 0]
        mean, of_y = own[:, 0] / total, float(self.sums[0, -1] / total)
        covariance = own[:, columns] / total - mean[:, None] * mean
        covariance.flat[:: len(columns) + 1] *= 1 + RIDGE
        covariance.flat[:: len(columns) + 1] += 1e-9
        return mean, covariance, own[:, -1] / total - mean * of_y, of_y


def orders(every: Sequence[Moments], most: int) -> list[list[int]]:
    """Regulators in the order in which they explain most of what is left of y, by each moments.

    After each choice all others are made orthogonal to what was taken, as in Gram and Schmidt's
    orthogonalisation (orthogonal matching pursuit by groups of columns: Tropp & Gilbert 2007, doi
    10.1109/TIT.2007.909108; Yuan & Lin 2006, doi 10.1111/j.1467-9868.2005.00532.x).

    Parameters
    ----------
    every : sequence of Moments
        Of the same regulators, in different cells. They go side by side for speed alone.
    most : int
        How many at most; fewer where no other explains anything.

    Notes
    -----
    What is left of the products is products - sum of g g' over a row g for each column that was
    taken. Only what a step looks at is worked out: the columns of the best regulator, and each
    regulator's products with itself and with y.
    """
    d, k, sums = every[0].width, every[0].regulators, np.stack([each.sums for each in every])
    most, of = min(most, k), np.arange(len(sums))
    taken: list[list[int]] = [[] for _ in every]
    gone = np.zeros((len(sums), 1 + d * most, sums.shape[1] - 1))
    gone[:, 0] = sums[:, 0, 1:] / np.sqrt(sums[:, 0, :1])
    places = 1 + np.arange(k * d).reshape(k, d)
    own = sums[:, places[:, :, None], places[:, None, :]]
    with_y, left = sums[:, 1:-1, -1].reshape(-1, k, d), sums[:, -1, -1] - gone[:, 0, -1] ** 2
    enough, penalty = NOTHING * left + ROUNDING * sums[:, -1, -1], np.zeros(with_y.shape)
    free, going, new = np.ones((len(sums), k), bool), np.ones(len(sums), bool), gone[:, :1]
    for step in range(most):
        parts = new[:, :, :-1].reshape(len(sums), -1, k, d)
        own = own - np.einsum("frki,frkj->fkij", parts, parts)
        with_y = with_y - np.einsum("frki,fr->fki", parts, new[:, :, -1])
        if not step:
            # what is constant but for rounding has no variance of its own
            squares = sums[:, places, places]
            least = np.maximum(CONSTANT * squares, 1e-12)
            penalty = (RIDGE + JITTER) * np.maximum(np.einsum("fkii->fki", own), least)
        blocks = own.copy()
        np.einsum("fkii->fki", blocks)[...] += penalty
        gain = np.where(free, _explained(blocks.copy(), with_y), -1.0)
        best = gain.argmax(axis=1)
        going &= gain[of, best] > enough
        if not going.any():
            break
        for number in np.flatnonzero(going).tolist():
            taken[number].append(int(best[number]))
        free[of, best] = False
        columns, so_far = best[:, None] * d + np.arange(d), gone[:, : 1 + d * step]
        rows = sums[of[:, None], columns + 1, 1:]
        rows -= so_far[of[:, None], :, columns] @ so_far
        new = gone[:, 1 + d * step : 1 + d * step + d]
        new[...] = np.linalg.solve(np.linalg.cholesky(blocks[of, best]), rows)
    return taken


def _explained(blocks: Floats, with_y: Floats) -> Floats:
    """(F, k) w' B^-1 w of blocks B (F, k, d, d) and w (F, k, d), by elimination; B is lost."""
    w, gain = with_y.copy(), np.zeros(with_y.shape[:2])
    for place in range(w.shape[2]):
        pivot, now = blocks[:, :, place, place], w[:, :, place]
        gain += now**2 / pivot
        for other in range(place + 1, w.shape[2]):
            part = blocks[:, :, other, place] / pivot
            w[:, :, other] -= part * now
            blocks[:, :, other, place + 1 :] -= part[:, :, None] * blocks[:, :, place, place + 1 :]
    return gain


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
