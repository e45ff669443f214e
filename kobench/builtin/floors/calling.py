"""Floors of counted cells: every gene is moved so far that it counts as responding."""

from __future__ import annotations

import numpy as np

from kobench.api import Cells, Context, Knockouts
from kobench.cells import FloatArray

#: By how many standard errors a gene is moved.
ERRORS = 2.5


class _Calling:
    """One change for every perturbation, in standard errors of each gene's mean.

    Attributes
    ----------
    cells : int
        Of how many perturbed cells the standard error is: no predictor is told their number.
    part : float
        Which part of the genes is moved, the most abundant ones.
    change : (G,) float
        In units of the profile.
    """

    cells = 40
    part = 1.0
    change: FloatArray

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the errors of (n, G) cells; values over the mean sum of a cell's are a profile."""
        values = np.asarray(cells.dense(), np.float64)
        m = len(values)
        mean = cells.profiles().mean(axis=0)
        error = values.std(axis=0) * np.sqrt(1 / self.cells + 1 / m)
        total = values.sum(axis=1).mean()
        self.change = self.signs(mean) * ERRORS * error / (total if total > 0 else 1.0)
        self.change[np.argsort(-mean, kind="stable")[round(self.part * len(mean)) :]] = 0.0

    def signs(self, mean: FloatArray) -> FloatArray:
        """(G,) the sign of each gene's change, by its mean share."""
        raise NotImplementedError

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> FloatArray:
        """Changes (n, G), 0 at the removed genes."""
        changes = np.repeat(self.change[None], len(knockouts), axis=0)
        np.put_along_axis(changes, knockouts.genes.astype(np.intp), 0.0, axis=1)
        return changes


class CallAll(_Calling):
    """Up and down in turn, from the most abundant gene on: half of the directions are right."""

    def signs(self, mean: FloatArray) -> FloatArray:
        """1 and -1 in turn by abundance."""
        signs = np.ones(len(mean))
        signs[np.argsort(-mean, kind="stable")[1::2]] = -1.0
        return signs


class CallCommon(CallAll):
    """The same of the common genes alone: of rare ones no change can be seen."""

    part = 0.3


class CallDown(_Calling):
    """All down: shares that are left follow, and ranks with them."""

    def signs(self, mean: FloatArray) -> FloatArray:
        """-1 for all."""
        return -np.ones(len(mean))


class CallAll300(CallAll):
    """The same for screens with more cells of each perturbation."""

    cells = 300


class CallCommon300(CallCommon):
    """The same for screens with more cells of each perturbation."""

    cells = 300


class CallDown300(CallDown):
    """The same for screens with more cells of each perturbation."""

    cells = 300
