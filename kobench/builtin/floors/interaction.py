"""Floors of the tasks of several knockouts: the smaller single impact, the smaller share."""

from __future__ import annotations

import numpy as np

from kobench.api import Cells, Context, Knockouts, bray_curtis, normalise_rows
from kobench.builtin.floors.knockout import PresenceContrast
from kobench.cells import FloatArray


class SmallerSingle:
    """The smallest propagated impact of the event's single knockouts.

    Each by the presence contrast in the same cell. Two knockouts of which one changes nothing
    cannot interact: the smaller of the two changes is what there is to interact with.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the contrasts from (n, G) cells."""
        self.contrast = PresenceContrast()
        self.contrast.fit(cells, context)

    def predict_interaction(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """The impact (n,)."""
        smallest = np.full(len(knockouts), np.inf)
        for place in range(knockouts.order):
            single = Knockouts(knockouts.genes[:, [place]], knockouts.cells)
            after = self.contrast.predict_knockout(cells, single)
            null = normalise_rows(single.remove_from(cells.dense()))
            np.minimum(smallest, bray_curtis(after, null), out=smallest)
        return smallest


class SmallerShare:
    """The smallest own share of the removed genes in the cell's profile.

    Profiles add up to 1, so what two knockouts free adds up only roughly: the larger the shares,
    the larger the difference.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn nothing."""

    def predict_interaction(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """The share (n,)."""
        if knockouts.cells is None:
            raise ValueError("these knockouts name no cells; give cells to read shares from")
        shares = cells.profiles()[knockouts.cells[:, None], knockouts.genes]
        smallest: FloatArray = shares.min(axis=1)
        return smallest
