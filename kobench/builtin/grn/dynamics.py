"""Steady states of the network's equation for many events at once.

The equation, for every gene j that is not absent (an absent gene has x = 0)::

    dx_j/dt = -B x_j + P_j(x),    P_j = b_j + sum_i A_ij x_i / (1 + x_i) + sum_i R_ij / (1 + x_i)

b_j >= 0 is a basal production, 0 but in cell types that have one.

A steady state is a fixed point of P / B, found by iterating x <- P(x) / B. That this is the state which the
differential equation reaches needs an argument, for in general an iteration may jump to another state, and a system may have several
or oscillate. Not this one. With u = log x, each term of P_j changes relatively by at most its factor 1 / (1 + x_i) < 1
(activation) or x_i / (1 + x_i) < 1 (repression) per unit of u_i, and b_j does not change at all; the relative change of the sum is the
mean of its terms' weighted by their size, so the rows of d log P / du sum to less than 1 in absolute value:
P is a contraction in the maximum norm of u (Thompson's metric) and, for the same reason, so is the flow of the equation. From every
positive start both run to the one and only positive steady state, or to 0 in genes that nothing keeps up. A Hill exponent
over 1 would break this. What remains is slowness: a loop of activators alone, whose gain is just 1, settles slower than any bound;
what has not settled within the budget is reported as NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.builtin.grn.network import Network
from kobench.cells import BoolArray, IntArray

#: Decay rate B of every gene; the unit of time and, with the weights, of expression.
DECAY = 1.0

#: Expression of every present gene at the start of a wild-type cell.
START = 1.0

#: Expression below this is read as 0.
THRESHOLD = 1e-3

#: A steady state is accepted when its estimated error is under this share of each gene's expression (or of the threshold).
TOLERANCE = 1e-8

#: Steps of the iteration after which an event counts as without a steady state.
BUDGET = 2000

#: Entries (edges x events) worked on at once: small enough for the processor's cache, large enough to hide numpy's overhead.
CHUNK = 1 << 17


class Solver:
    """Steady states for one network and rule; `silenced`: an absent gene drops out of the R terms too."""

    def __init__(self, network: Network, silenced: bool, budget: int | None = None) -> None:
        self.genes, self.silenced = network.genes, silenced
        self.budget = BUDGET if budget is None else budget
        self.regulators = network.edges[:, 0].astype(np.intp)
        self.represses = network.sign < 0
        m = len(network.edges)
        # (genes, m): adds up each target's edges
        self.add_up = scipy.sparse.csr_array((np.ones(m), (network.edges[:, 1], np.arange(m))), shape=(self.genes, m))
        self.chunk = max(1, CHUNK // max(m, self.genes))

    def solve(
        self,
        weights: npt.NDArray[np.float64],
        absent: BoolArray,
        start: npt.NDArray[np.float64],
        cells: IntArray,
        removed: IntArray,
        basal: npt.NDArray[np.float64] | None = None,
    ) -> npt.NDArray[np.float64]:
        """(n, genes) steady states of n events, values under `THRESHOLD` as they are; rows of NaN where none was reached.

        weights : (c, m) >= 0, absent : (c, genes) bool and start : (c, genes), positive where a gene may be expressed, of c cells.
        cells : (n,), the cell of each event. removed : (n, order), genes absent in addition. basal : (c, genes) >= 0, production of every
        gene whatever regulates it, while it is present; None is 0.
        """
        steady = np.empty((len(cells), self.genes))
        for first in range(0, len(cells), self.chunk):
            rows = slice(first, first + self.chunk)
            off = absent[cells[rows]]  # fancy indexing copies
            np.put_along_axis(off, removed[rows].astype(np.intp), True, axis=1)
            given = None if basal is None else basal[cells[rows]].T
            steady[rows] = self._solve_chunk(weights[cells[rows]].T, ~off.T, start[cells[rows]].T, given).T
        return steady

    def _solve_chunk(
        self,
        weights: npt.NDArray[np.float64],
        present: BoolArray,
        start: npt.NDArray[np.float64],
        basal: npt.NDArray[np.float64] | None,
    ) -> npt.NDArray[np.float64]:
        """Everything genes-first, so that each operation runs along the events."""
        steady = np.full(start.shape, np.nan)
        on = np.ascontiguousarray(present, dtype=np.float64)
        repression = np.where(self.represses[:, None], weights, 0.0)
        # R / (1 + x) = R - R x / (1 + x): the constant part, and one signed weight for x / (1 + x)
        constant = self.add_up @ (repression * on[self.regulators] if self.silenced else repression)
        if basal is not None:
            constant = constant + basal
        constant = constant * on / DECAY
        signed = np.ascontiguousarray(np.where(self.represses[:, None], -weights, weights)) / DECAY
        active = np.arange(start.shape[1])
        x = start * on
        last = np.full(len(active), np.inf)
        for _ in range(self.budget):
            saturation = x / (1.0 + x)
            new = (self.add_up @ (signed * saturation[self.regulators])) * on + constant
            step = (np.abs(new - x) / np.maximum(new, THRESHOLD)).max(axis=0, initial=0.0)
            x = new
            # steps shrink by `rate`, so what is still to come is about step * rate / (1 - rate)
            rate = np.clip(np.divide(step, last, out=np.ones_like(step), where=last > 0), 0.5, 1.0)
            settled = step * rate <= TOLERANCE * (1.0 - rate)
            last = step
            if settled.any():
                steady[:, active[settled]] = x[:, settled]
                left = ~settled
                active = active[left]
                if not len(active):
                    break
                x, on, constant, signed, last = x[:, left], on[:, left], constant[:, left], signed[:, left], last[left]
        return steady


def read_out(steady: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Expression as it is read, a copy: values under `THRESHOLD` are 0; NaN stays NaN."""
    return np.where(steady < THRESHOLD, 0.0, steady)
