"""Counted cells of k perturbations as one table: what the members of the score are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.cells import FloatArray, IntArray
from kobench.screens.bulk import log_bulk, sampling_error, summed
from kobench.screens.rank_sums import differences
from kobench.units import FOLD as FOLD

#: Places in the second axis of a table, see `kobench.units.ScreenUnits`.
BULK, EFFECT, P, ADJUSTED = 0, 1, 3, 4


@dataclass(frozen=True, eq=False)
class Counted:
    """Counted cells of k perturbations, and control cells.

    Attributes
    ----------
    counts : (n, G) CSR matrix
        Counts of the perturbed cells.
    group : (n,) int
        The perturbation of each, 0 to k - 1.
    control : (m, G) CSR matrix
        Counts of the control cells.
    targets : (k,) sequence of tuples of int
        Columns of the genes that each perturbation removes.
    """

    counts: Any
    group: IntArray
    control: Any
    targets: Sequence[tuple[int, ...]]

    @property
    def k(self) -> int:
        """How many perturbations there are."""
        return len(self.targets)


@dataclass(frozen=True, eq=False)
class Measured:
    """What counted cells of k perturbations say.

    Attributes
    ----------
    table : (k, 5, G) float
        See `kobench.units.ScreenUnits`. NaN at a perturbation's own targets; p values are NaN for
        genes that are not tested.
    error : (k,) float
        The sampling variance of each log bulk, summed over genes.
    control_error : float
        That of the control's.
    """

    table: FloatArray
    error: FloatArray
    control_error: float


def measure(cells: Counted) -> Measured:
    """The table of some cells."""
    k = cells.k
    bulk = log_bulk(summed(cells.counts, cells.group, k))
    m = cells.control.shape[0]
    control = log_bulk(summed(cells.control, np.zeros(m, np.int64), 1))
    found = differences(cells.counts, cells.group, k, cells.control)
    table = np.stack([bulk, bulk - control, found.log_fold, found.p, found.adjusted], axis=1)
    for row, targets in enumerate(cells.targets):
        table[row, :, list(targets)] = np.nan
    error = [sampling_error(cells.counts[cells.group == row]) for row in range(k)]
    return Measured(table, np.array(error), sampling_error(cells.control))
