"""Impacts of knockouts by the network z * |W2 (W1 z + b1) + b2| over its sum, from the formula.

They are worked out one event at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Network:
    """W1 (h, G), b1 (h,), W2 (G, h), b2 (G,), float64."""

    W1: Floats
    b1: Floats
    W2: Floats
    b2: Floats

    def profile(self, on: npt.NDArray[np.bool_]) -> Floats:
        """The profile (G,) of an assemblage (G,).

        It is uniform over what is on where the network's values all vanish, 0 where nothing is on.
        """
        if not on.any():
            return np.zeros(len(on))
        z = on / on.sum()
        values: Floats = z * np.abs(self.W2 @ (self.W1 @ z + self.b1) + self.b2)
        profile: Floats = values / values.sum() if values.sum() > 0 else z
        return profile


def bray_curtis(a: Floats, b: Floats) -> float:
    """sum |a - b| / sum (a + b); 0 where both are 0."""
    total = (a + b).sum()
    return float(np.abs(a - b).sum() / total) if total > 0 else 0.0


def impacts(
    network: Network, on: npt.NDArray[np.bool_], genes: Sequence[int]
) -> tuple[float, float]:
    """Raw and propagated impact of removing some genes from a cell.

    Parameters
    ----------
    network : Network
        The network.
    on : (G,) bool
        The cell's assemblage.
    genes : sequence of int
        The removed genes.

    Returns
    -------
    raw : float
        Bray-Curtis to the cell's profile.
    propagated : float
        Bray-Curtis to the null: that profile without the removed genes, renormalised.
    """
    remaining = on.copy()
    remaining[list(genes)] = False
    before, after = network.profile(on), network.profile(remaining)
    null = before.copy()
    null[list(genes)] = 0
    if null.sum() > 0:
        null /= null.sum()
    return bray_curtis(after, before), bray_curtis(after, null)
