"""Steady states of the network's equation for many events at once.

The equation, for every gene j that is not absent (an absent gene has x = 0)::

    dx_j/dt = -B x_j + P_j(x),    P_j = b_j + sum_i A_ij x_i / (1 + x_i) + sum_i R_ij / (1 + x_i)

b_j >= 0 is a basal production, 0 but in cell types that have one.

A steady state is a fixed point of P / B, found by iterating x <- P(x) / B. That this is the state
which the differential equation reaches needs an argument, for in general an iteration may jump to
another state, and a system may have several or oscillate. Not this one. With u = log x, each term
of P_j changes relatively by at most its factor 1 / (1 + x_i) < 1 (activation) or x_i / (1 + x_i) <
1 (repression) per unit of u_i, and b_j does not change at all; the relative change of the sum is
the mean of its terms' weighted by their size, so the rows of d log P / du sum to less than 1 in
absolute value: P is a contraction in the maximum norm of u (Thompson's metric) and, for the same
reason, so is the flow of the equation. From every positive start both run to the one and only
positive steady state, or to 0 in genes that nothing keeps up. A Hill exponent over 1 would break
this. What remains is slowness: a loop of activators alone, whose gain is just 1, settles slower
than any bound; what has not settled within the budget is reported as NaN.

Events that share a cell share its weights, so the sums of many events are one product of the cell's
sparse matrix and a dense one: a step costs as many operations as the network has edges and genes,
an event. What an event's values are does not depend on those beside it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.builtin.datasets.grn.network import Network
from kobench.cells import BoolArray, IntArray

#: Decay rate B of every gene; the unit of time and, with the weights, of expression.
DECAY = 1.0

#: Expression of every present gene at the start of a wild-type cell.
START = 1.0

#: Expression below this is read as 0.
THRESHOLD = 1e-3

#: A steady state is accepted when its estimated error is under this share of each gene's expression
#: (or of the threshold).
TOLERANCE = 1e-8

#: Steps of the iteration after which an event counts as without a steady state.
BUDGET = 2000

#: Entries (genes x events) worked on at once: small enough for the processor's cache, large enough
#: to hide numpy's overhead.
BLOCK = 3 << 14

#: Settled events are left out of a block when they are half of it and at least this many entries:
#: fewer cost less than leaving them out.
SPARE = 1 << 12

Array = npt.NDArray[np.float64]


class Solver:
    """Steady states for one network and rule; `silenced`: an absent gene drops out of the R terms
    too.
    """

    def __init__(self, network: Network, silenced: bool, budget: int | None = None) -> None:
        self.genes, self.silenced = network.genes, silenced
        self.budget = BUDGET if budget is None else budget
        self.regulators, self.targets = network.edges.T.astype(np.intp)
        self.represses = network.sign < 0
        m = len(network.edges)
        # (genes, m): adds up each target's edges
        self.add_up = scipy.sparse.csr_array(
            (np.ones(m), (self.targets, np.arange(m))), shape=(self.genes, m)
        )
        self.width = max(1, BLOCK // self.genes)

    def solve(
        self,
        weights: Array,
        absent: BoolArray,
        start: Array,
        cells: IntArray,
        removed: IntArray,
        basal: Array | None = None,
    ) -> Array:
        """(n, genes) steady states of n events, values under `THRESHOLD` as they are; rows of NaN
        where none was reached.

        weights : (c, m) >= 0, absent : (c, genes) bool and start : (c, genes), positive where a
        gene may be expressed, of c cells. cells : (n,), the cell of each event, in any order.
        removed : (n, order), genes absent in addition. basal : (c, genes) >= 0, production of every
        gene whatever regulates it, while it is present; None is 0.
        """
        steady = np.full((len(cells), self.genes), np.nan)
        for events, real in blocks(cells, self.width):
            of = cells[events[:, 0]]
            some = ~absent[of].all(axis=1)
            steady[events[~some]] = 0.0
            if some.any():
                events, of = events[some], of[some]
                given = None if basal is None else basal[of]
                block = Block(
                    self,
                    weights[of],
                    ~absent[of],
                    start[of],
                    events,
                    real[some],
                    removed[events],
                    given,
                )
                block.settle(steady)
        return steady


def blocks(cells: IntArray, width: int) -> Iterator[tuple[npt.NDArray[np.intp], BoolArray]]:
    """The events of some cells in blocks: (c, k) events, each row of one cell, with c k <=
    max(width, k), k <= width; and which are real.

    cells : (n,), the cell of each event. A cell with more than `width` events has several rows.
    Cells with about as many events come together; the shorter rows are filled up with their own
    first event, which is not real there.
    """
    order = np.argsort(cells, kind="stable")
    ranked = cells[order]
    place = np.arange(len(cells)) - np.searchsorted(ranked, ranked)  # of each event within its cell
    firsts = np.flatnonzero(place % width == 0)
    sizes = np.diff(firsts, append=len(cells))
    by_size = np.argsort(-sizes, kind="stable")
    firsts, sizes = firsts[by_size, None], sizes[by_size, None]
    row = 0
    while row < len(firsts):
        column = np.arange(sizes[row, 0])
        rows = slice(row, row + max(1, width // len(column)))
        real = column < sizes[rows]
        yield order[firsts[rows] + np.where(real, column, 0)], real
        row = rows.stop


class Block:
    """Some events of a few cells, stepped together: the present genes of its cells one below the
    other, a column for each event of a cell.

    weights (c, m), present (c, genes), start (c, genes), basal (c, genes) or None: of the cells,
    each with a present gene. events (c, k): where each event's answer goes; real (c, k): which are
    to be answered; removed (c, k, order): genes.
    """

    def __init__(
        self,
        solver: Solver,
        weights: Array,
        present: BoolArray,
        start: Array,
        events: npt.NDArray[np.intp],
        real: BoolArray,
        removed: IntArray,
        basal: Array | None,
    ) -> None:
        self.solver, self.present, self.events, self.removed = solver, present, events, removed
        self.open = real & ~np.isnan(start).any(
            axis=1, keepdims=True
        )  # nothing follows from a cell without a steady state
        self.signed = np.where(solver.represses, -weights, weights) / DECAY
        self._lay_out()
        self.off = self._switched_off()
        repression = np.where(solver.represses, weights, 0.0)
        k = events.shape[1]
        self.x = np.repeat(start[present][:, None], k, axis=1)
        self.x.ravel()[self.off] = 0.0
        # R / (1 + x) = R - R x / (1 + x): the constant part, and one signed weight for x / (1 + x)
        if solver.silenced:
            on = np.ones_like(self.x)
            on.ravel()[self.off] = 0.0
            constant = self._matrix(repression) @ on
        else:
            constant = np.repeat((solver.add_up @ repression.T).T[present][:, None], k, axis=1)
        if basal is not None:
            constant += basal[present][:, None]
        self.constant = constant / DECAY

    def settle(self, steady: Array) -> None:
        """Step until every event has settled or the budget is spent; a row of `steady` (n, genes)
        is its event as it settled.
        """
        x, last = self.x, np.full(self.open.shape, np.inf)
        spare, least = (
            np.empty_like(x),
            np.full_like(x, THRESHOLD),
        )  # np.maximum is slow with a number
        for _ in range(self.solver.budget):
            saturation = np.divide(x, np.add(x, 1.0, out=spare), out=spare)
            new = self.matrix @ saturation
            new += self.constant
            new.ravel()[self.off] = 0.0
            # the largest relative change of each event: |new - x| / max(new, THRESHOLD)
            change = np.abs(np.subtract(new, x, out=x), out=x)
            change /= np.maximum(new, least, out=spare)
            step = np.maximum.reduceat(change, self.firsts, axis=0)
            x = new
            near = (step <= TOLERANCE) & self.open
            if not near.any():  # most steps end here
                last = step
                continue
            settled = near & has_settled(step, last)
            last = step
            cell, column = np.nonzero(settled)
            values = x.take(self.row[cell] * x.shape[1] + column[:, None])
            steady[self.events[settled]] = np.where(self.present[cell], values, 0.0)
            self.open &= ~settled
            left = np.count_nonzero(self.open)
            if not left:
                return
            closed = self.open.size - left
            if closed >= left and closed * self.solver.genes >= SPARE:
                x, last = self._narrow(x, last)
                spare, least = np.empty_like(x), np.full_like(x, THRESHOLD)

    def _narrow(self, x: Array, last: Array) -> tuple[Array, Array]:
        """Leave out the cells without an open event, and as many settled events of each other cell
        as all of these can spare.
        """
        cells = self.open.any(axis=1)
        columns = np.argsort(~self.open[cells], axis=1, kind="stable")[
            :, : self.open.sum(axis=1).max()
        ]
        count = self.present.sum(axis=1)
        rows = np.flatnonzero(np.repeat(cells, count))
        kept = rows[:, None] * x.shape[1] + np.repeat(columns, count[cells], axis=0)
        self.constant = self.constant.take(kept)
        events = np.flatnonzero(cells)[:, None], columns
        self.events, self.open, self.removed = (
            self.events[events],
            self.open[events],
            self.removed[events],
        )
        if not cells.all():
            self.signed, self.present = self.signed[cells], self.present[cells]
            self._lay_out()
        self.off = self._switched_off()
        return x.take(kept), last[events]

    def _lay_out(self) -> None:
        """Where each cell's genes are, and the matrix of its weights."""
        count = self.present.sum(axis=1)
        self.firsts = np.cumsum(count) - count
        # (c, genes): the row of each gene; that of the first one for a gene that is absent
        self.row = np.where(
            self.present,
            np.cumsum(self.present).reshape(self.present.shape) - 1,
            self.firsts[:, None],
        )
        self.matrix = self._matrix(self.signed)

    def _switched_off(self) -> IntArray:
        """Where the removed genes are among the entries, row by row; one that the cell lacks anyway
        is nowhere.
        """
        cell, column = np.ogrid[: self.events.shape[0], : self.events.shape[1]]
        here: BoolArray = self.present[cell[..., None], self.removed]
        entries = self.row[cell[..., None], self.removed] * self.events.shape[1] + column[..., None]
        return np.asarray(entries[here])

    def _matrix(self, weights: Array) -> scipy.sparse.csr_array:
        """The cells' weights (c, m) between present genes, target by regulator: a block for each
        cell, the order of the edges kept.
        """
        targets, regulators = self.solver.targets, self.solver.regulators
        alive = self.present[:, targets] & self.present[:, regulators]
        rows = np.count_nonzero(self.present)
        ends = np.cumsum(np.bincount(self.row[:, targets][alive], minlength=rows))
        return scipy.sparse.csr_array(
            (weights[alive], self.row[:, regulators][alive], np.append(0, ends)), shape=(rows, rows)
        )


def has_settled(step: Array, last: Array) -> BoolArray:
    """Whether what is still to come is under the tolerance, by the largest relative change of this
    step and of the last.

    Steps shrink by `rate`, so what is still to come is about step * rate / (1 - rate). Never where
    the step is over the tolerance itself.
    """
    rate = np.clip(np.divide(step, last, out=np.ones_like(step), where=last > 0), 0.5, 1.0)
    return np.asarray(step * rate <= TOLERANCE * (1.0 - rate))


def read_out(steady: Array) -> Array:
    """Expression as it is read, in place: values under `THRESHOLD` become 0; NaN stays NaN."""
    np.copyto(steady, 0.0, where=steady < THRESHOLD)
    return steady
