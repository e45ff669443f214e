"""Events stepped together towards their steady states; see `dynamics` for the equation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.builtin.datasets.grn.network import Network
from kobench.cells import BoolArray, IntArray

#: Decay rate B of every gene; the unit of time and, with the weights, of expression.
DECAY = 1.0

#: Expression below this is read as 0.
THRESHOLD = 1e-3

#: A steady state is accepted when its estimated error is under this share of each gene's expression
#: (or of the threshold).
TOLERANCE = 1e-8

#: Settled events are left out of a block when they are half of it and at least this many entries:
#: fewer cost less than leaving them out.
SPARE = 1 << 12

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Equation:
    """The edges of a network, laid out to be summed over.

    Attributes
    ----------
    genes : int
    regulators, targets : (m,) int
        Of each edge.
    represses : (m,) bool
        Which edges repress.
    add_up : (genes, m) sparse
        Sums edges by their target.
    silenced : bool
        Whether an absent gene drops out of the R terms too.
    """

    genes: int
    regulators: IntArray
    targets: IntArray
    represses: BoolArray
    add_up: scipy.sparse.csr_array
    silenced: bool

    @classmethod
    def of(cls, network: Network, silenced: bool) -> Equation:
        """The equation of a network under one of the two rules for absent genes."""
        regulators, targets = network.edges.T.astype(np.intp)
        m = len(network.edges)
        add_up = scipy.sparse.csr_array(
            (np.ones(m), (targets, np.arange(m))), shape=(network.genes, m)
        )
        return cls(network.genes, regulators, targets, network.sign < 0, add_up, silenced)


class EventBlock:
    """k events of each of c cells, stepped together.

    The state has the present genes of the cells one below the other, and a column for each event of
    a cell.

    Parameters
    ----------
    equation : Equation
    weights : (c, m) float
        Of the cells, each of which has a present gene.
    present : (c, genes) bool
    start : (c, genes) float
        Expression to start from; nothing follows from a cell with NaN, which had no steady state.
    events : (c, k) int
        Where each event's answer goes.
    real : (c, k) bool
        Which of the events are to be answered.
    removed : (c, k, order) int
        The genes that each event removes.
    basal : (c, genes) float, or None
        Production of every gene whatever regulates it.
    """

    def __init__(
        self,
        equation: Equation,
        weights: Array,
        present: BoolArray,
        start: Array,
        events: npt.NDArray[np.intp],
        real: BoolArray,
        removed: IntArray,
        basal: Array | None,
    ) -> None:
        self.equation, self.present, self.events, self.removed = equation, present, events, removed
        self.open = real & ~np.isnan(start).any(axis=1, keepdims=True)
        self.signed = np.where(equation.represses, -weights, weights) / DECAY
        self._lay_out()
        self.off = self._switched_off()
        repression = np.where(equation.represses, weights, 0.0)
        k = events.shape[1]
        self.x = np.repeat(start[present][:, None], k, axis=1)
        self.x.ravel()[self.off] = 0.0
        # R / (1 + x) = R - R x / (1 + x): the constant part, and one signed weight for x / (1 + x)
        if equation.silenced:
            on = np.ones_like(self.x)
            on.ravel()[self.off] = 0.0
            constant = self._matrix(repression) @ on
        else:
            constant = np.repeat((equation.add_up @ repression.T).T[present][:, None], k, axis=1)
        if basal is not None:
            constant += basal[present][:, None]
        self.constant = constant / DECAY

    def settle(self, steady: Array, budget: int) -> None:
        """Step until every event has settled, or `budget` steps were taken.

        Each event that settles fills its row of `steady` (n, genes).
        """
        x, last = self.x, np.full(self.open.shape, np.inf)
        spare = np.empty_like(x)
        least = np.full_like(x, THRESHOLD)  # np.maximum is slow with a number
        for _ in range(budget):
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
            if closed >= left and closed * self.equation.genes >= SPARE:
                x, last = self._narrow(x, last)
                spare, least = np.empty_like(x), np.full_like(x, THRESHOLD)

    def _narrow(self, x: Array, last: Array) -> tuple[Array, Array]:
        """Leave out the cells without an open event, and settled events of the other cells.

        Of these every cell keeps as many events as the one with the most open events has.
        """
        cells = self.open.any(axis=1)
        most = self.open.sum(axis=1).max()
        columns = np.argsort(~self.open[cells], axis=1, kind="stable")[:, :most]
        count = self.present.sum(axis=1)
        rows = np.flatnonzero(np.repeat(cells, count))
        kept = rows[:, None] * x.shape[1] + np.repeat(columns, count[cells], axis=0)
        self.constant = self.constant.take(kept)
        events = np.flatnonzero(cells)[:, None], columns
        self.events, self.open = self.events[events], self.open[events]
        self.removed = self.removed[events]
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
        """Places of the removed genes among the entries, row by row.

        One that the cell lacks anyway has none.
        """
        cell, column = np.ogrid[: self.events.shape[0], : self.events.shape[1]]
        here: BoolArray = self.present[cell[..., None], self.removed]
        entries = self.row[cell[..., None], self.removed] * self.events.shape[1] + column[..., None]
        return np.asarray(entries[here])

    def _matrix(self, weights: Array) -> scipy.sparse.csr_array:
        """The cells' weights (c, m) between present genes, target by regulator.

        One block for each cell, with the order of the edges kept.
        """
        targets, regulators = self.equation.targets, self.equation.regulators
        alive = self.present[:, targets] & self.present[:, regulators]
        rows = np.count_nonzero(self.present)
        ends = np.cumsum(np.bincount(self.row[:, targets][alive], minlength=rows))
        return scipy.sparse.csr_array(
            (weights[alive], self.row[:, regulators][alive], np.append(0, ends)), shape=(rows, rows)
        )


def has_settled(step: Array, last: Array) -> BoolArray:
    """Whether the change that is still to come is under the tolerance.

    Parameters
    ----------
    step, last : (c, k) float
        Largest relative change of each event in this step and in the one before.

    Returns
    -------
    (c, k) bool
        Steps shrink by `rate`, so about step * rate / (1 - rate) is still to come. Never true where
        the step itself is over the tolerance.
    """
    rate = np.clip(np.divide(step, last, out=np.ones_like(step), where=last > 0), 0.5, 1.0)
    return np.asarray(step * rate <= TOLERANCE * (1.0 - rate))
