"""Sparse additive regression of one gene on the values of a few others, from moments by fold."""

from __future__ import annotations

from typing import Literal

import numpy as np

from kobench_baselines.common import Floats
from kobench_baselines.moments import Moments, orders, total_of

#: How a regulator's value enters: its presence alone, or with its level as a line, a logarithm, or
#: a line with two bends.
Kind = Literal["on", "line", "log", "spline"]
KINDS: tuple[Kind, ...] = ("on", "line", "log", "spline")

#: A gene has no more regulators than this, nor more than one for so many cells that have it.
MOST, CELLS_A_REGULATOR = 10, 15


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
    error, kept = np.zeros(most + 1), [everything.without(held) for held in folds]
    *by_fold, of_all = orders([*kept, everything], most)
    for held, others, order in zip(folds, kept, by_fold, strict=True):
        losses = held.losses(order, others)
        error[: len(losses)] += losses
        error[len(losses) :] += losses[-1]
    number = int(np.flatnonzero(error <= error.min() * (1 + 2 * penalty / cells))[0])
    return of_all[:number]


def cross_validated(folds: list[Moments], chosen: list[int]) -> Floats:
    """Held-out weighted squared error, summed over folds.

    Returns
    -------
    (1 + len(chosen),) float
        Of the regression on no regulators, on the first, on the first two, ...
    """
    everything = total_of(folds)
    return np.sum([held.losses(chosen, everything.without(held)) for held in folds], axis=0)
