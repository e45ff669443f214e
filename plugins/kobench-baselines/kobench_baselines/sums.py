"""Sums over regulators, and the steady state that they run to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from kobench_baselines.common import Bools, Floats
from kobench_baselines.stepwise import Kind, features

#: What a sum says of a gene is at least this part of the gene's mean.
LEAST = 0.02

#: On the way to the fixed point no value exceeds so many times its start, or the gene's mean where
#: that is larger.
LARGEST = 10.0

#: Each sweep goes this part of the way to what the sums say; a cell has settled when no value
#: moves by more than this share of its largest one, or after so many sweeps.
STEP, SETTLED, SWEEPS = 0.7, 1e-5, 60

#: Sums are worked out in blocks of about so many entries, so that memory stays flat and a block in
#: the processor's cache.
BLOCK_ENTRIES = 2**18


@dataclass(frozen=True, eq=False)
class Sums:
    """What each gene's regulators say of it: constant + sum of coefficients x features.

    Attributes
    ----------
    kind : str
        Which features, see `kobench_baselines.stepwise.features`.
    knots : (3, G) float
        Quantiles of each gene where it is on.
    constant : (G,) float
    coefficients : tuple of (G, G) sparse
        For each of the d features: rows are regulators, columns the genes that they regulate.
    mean : (G,) float
        Mean of each gene where it is on, > 0.
    """

    kind: Kind
    knots: Floats
    constant: Floats
    coefficients: tuple[scipy.sparse.csr_array, ...]
    mean: Floats

    def __call__(self, values: Floats, presence: Floats | None = None) -> Floats:
        """What they say of every gene, (n, G), in cells with these values (n, G).

        Parameters
        ----------
        values : (n, G) float
            The genes' values; where `presence` is given, those that they have if they are there.
        presence : (n, G) float or None
            The chance that each gene is there, by which its features count.
        """
        seen = features(values, self.knots, self.kind)
        if presence is not None:
            seen *= presence[:, :, None]
        return np.maximum(self.of_features(seen), LEAST * self.mean)

    def of_features(self, seen: Floats) -> Floats:
        """What they say (n, G), however low, in cells with these features (n, G, d)."""
        said = np.tile(self.constant, (len(seen), 1))
        for place, coefficients in enumerate(self.coefficients):
            said += seen[:, :, place] @ coefficients
        return said


def settle(sums: Sums, start: Floats, factor: Floats, presence: Floats | None = None) -> Floats:
    """Run the sums to their fixed point.

    Parameters
    ----------
    sums : Sums
        The fitted sums.
    start : (n, G) float
        Values to start from, removed genes at 0.
    factor : (n, G) float
        Each gene's own factor on what the sums say; 0 for genes that are off.
    presence : (n, G) float or None
        The chance that each gene is there, see `Sums`.

    Returns
    -------
    (n, G) float
        The fixed point of x = factor * sums(x), cell by cell, or the values after `SWEEPS` sweeps.
    """
    values = start.copy()
    most = LARGEST * np.maximum(start, sums.mean)
    moving = np.arange(len(start))
    for _ in range(SWEEPS):
        now = values[moving]
        there = None if presence is None else presence[moving]
        said = np.minimum(sums(now, there) * factor[moving], most[moving])
        values[moving] = now + STEP * (said - now)
        change = np.abs(said - now).max(axis=1, initial=0)
        moving = moving[change > SETTLED * now.max(axis=1, initial=0)]
        if not len(moving):
            break
    return values


def quantiles_where_on(values: Floats) -> Floats:
    """(3, G) the 33 %, 50 % and 67 % quantiles of each gene where it is on; 1 for one never on."""
    knots = np.ones((3, values.shape[1]))
    for gene, column in enumerate(values.T):
        there = column[column > 0]
        if len(there):
            knots[:, gene] = np.quantile(there, [0.33, 0.5, 0.67])
    return knots


def mean_where_on(values: Floats) -> Floats:
    """(G,) mean of each gene where it is on; of one that is never on, the mean of all that are."""
    on: Bools = values > 0
    mean: Floats = values.sum(axis=0) / np.maximum(on.sum(axis=0), 1)
    mean[mean == 0] = values[on].mean()
    return mean
