"""Steady states of the network's equation for many events at once.

The equation, for every gene j that is not absent (an absent gene has x = 0)::

    dx_j/dt = -B x_j + P_j(x),    P_j = b_j + sum_i A_ij x_i / (1 + x_i) + sum_i R_ij / (1 + x_i)

b_j >= 0 is a basal production, 0 but in cell types that have one.

A steady state is a fixed point of P / B, found by iterating x <- P(x) / B. In general such an
iteration may jump to another state than the differential equation reaches, and a system may have
several states or oscillate. This one does not. With u = log x, a term of P_j changes relatively by
at most its factor 1 / (1 + x_i) < 1 (activation) or x_i / (1 + x_i) < 1 (repression) per unit of
u_i, and b_j does not change at all. The relative change of the sum is the mean of its terms'
changes weighted by their size, so the rows of d log P / du sum to less than 1 in absolute value: P
is a contraction in the maximum norm of u (Thompson's metric) and, for the same reason, so is the
flow of the equation. From every positive start both run to the one and only positive steady state,
or to 0 in genes that nothing keeps up. A Hill exponent over 1 would break this.

Convergence may still be slow: a loop of activators alone, whose gain is just 1, settles slower than
any bound. What has not settled within the budget is reported as NaN.

Events that share a cell share its weights, so the sums of many events are one product of the cell's
sparse matrix and a dense one: a step costs each event as many operations as the network has edges
and genes. The values of an event do not depend on those beside it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.grn.block import THRESHOLD, Array, Equation, EventBlock
from kobench.builtin.datasets.grn.network import Network
from kobench.cells import BoolArray, IntArray

#: Expression of every present gene at the start of a wild-type cell.
START = 1.0

#: Steps of the iteration after which an event counts as without a steady state.
BUDGET = 2000

#: Entries (genes x events) worked on at once: small enough for the processor's cache, large enough
#: to hide numpy's overhead.
BLOCK = 3 << 14


class Solver:
    """Steady states for one network under one rule for absent genes.

    Parameters
    ----------
    network : Network
    silenced : bool
        Whether an absent gene drops out of the R terms too.
    budget : int, or None for `BUDGET`
        Steps after which an event counts as without a steady state.
    """

    def __init__(self, network: Network, silenced: bool, budget: int | None = None) -> None:
        self.equation = Equation.of(network, silenced)
        self.genes = network.genes
        self.budget = BUDGET if budget is None else budget
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
        """Steady states of n events in c cells.

        Parameters
        ----------
        weights : (c, m) float, >= 0
            Each cell's weight of every edge.
        absent : (c, genes) bool
            The genes that each cell lacks.
        start : (c, genes) float
            Expression to start from, positive where a gene may be expressed.
        cells : (n,) int
            The cell of each event, in any order.
        removed : (n, order) int
            Genes that are absent in addition.
        basal : (c, genes) float, >= 0, or None for 0
            Production of every gene whatever regulates it, while it is present.

        Returns
        -------
        (n, genes) float64
            Values under `THRESHOLD` are as they are; rows of NaN where no steady state was reached.
        """
        steady = np.full((len(cells), self.genes), np.nan)
        for events, real in blocks(cells, self.width):
            of = cells[events[:, 0]]
            some = ~absent[of].all(axis=1)
            steady[events[~some]] = 0.0
            if some.any():
                events, of = events[some], of[some]
                block = EventBlock(
                    self.equation,
                    weights[of],
                    ~absent[of],
                    start[of],
                    events,
                    real[some],
                    removed[events],
                    None if basal is None else basal[of],
                )
                block.settle(steady, self.budget)
        return steady


def blocks(cells: IntArray, width: int) -> Iterator[tuple[npt.NDArray[np.intp], BoolArray]]:
    """The events of some cells in blocks that are worked on at once.

    Cells with about as many events come together. A cell with more than `width` events has several
    rows.

    Parameters
    ----------
    cells : (n,) int
        The cell of each event.
    width : int
        Most events of a block: c k <= max(width, k), and k <= width.

    Yields
    ------
    events : (c, k) int
        Each row has events of one cell; shorter rows are filled up with their own first event.
    real : (c, k) bool
        False for what a row was filled up with.
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


def read_out(steady: Array) -> Array:
    """Expression (n, genes) as it is read, in place: values under `THRESHOLD` become 0.

    NaN stays NaN.
    """
    np.copyto(steady, 0.0, where=steady < THRESHOLD)
    return steady
